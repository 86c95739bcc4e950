"""The screens in the guide are what the program draws: behind each comment "<!-- screen: WORKLOAD SIZE KEYS -->" stands a code
block with the screen after those keys.

usage: guide.py PROGRAM SOURCE_DIR [--rebaseline]
"""
import difflib
import pathlib
import re
import subprocess
import sys
import tempfile

SCREEN = re.compile(r"(<!-- screen: (\S+) (\S+) (.*?) -->\n```text\n)(.*?)(```\n)", re.S)


def draw(program, root, workload, size, keys):
    with tempfile.NamedTemporaryFile("w", suffix=".keys") as file:
        file.write(keys)
        file.flush()
        done = subprocess.run([program, "tui", f"workloads/{workload}.json", "--keys", file.name, "--dump-screen", "-",
                               "--size", size, "--ascii"], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={"XDG_CONFIG_HOME": "/nonexistent"})
    return done.stdout.decode()


def main():
    program, root = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2])
    path = root / "docs/tui.md"
    guide = path.read_text()
    if not SCREEN.search(guide):
        raise SystemExit("the guide has no screens")
    right = SCREEN.sub(lambda m: m[1] + draw(program, root, m[2], m[3], m[4]) + m[6], guide)
    if "--rebaseline" in sys.argv:
        path.write_text(right)
    elif right != guide:
        sys.stdout.writelines(difflib.unified_diff(guide.splitlines(True), right.splitlines(True), "guide", "drawn"))
        print(f"\nIf the screens are right: python3 {' '.join(sys.argv)} --rebaseline")
        raise SystemExit(1)


main()
