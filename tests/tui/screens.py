"""Draws the moment of the page fault in every size and glyph set, with and without colours, and in the theme that has only
safe ones, and compares with the pictures in screens/.

usage: screens.py PROGRAM SOURCE_DIR [--rebaseline]

The pictures are made by keys alone: what a test draws, a person sees. Behind each row stands, after |, the colour of each cell
and, after ^, its attributes.
"""
import difflib
import pathlib
import shlex
import subprocess
import sys
import tempfile

SIZES = ("60x16", "80x24", "132x36", "160x50")
# Themes change styles only, and those are the same in every size.
PICTURES = [(size, glyphs, theme) for size in SIZES for glyphs in ("ascii", "utf8") for theme in ("default", "mono")]
PICTURES.append(("132x36", "ascii", "safe"))
MOMENT = "]x"  # the first exception behind the first operation: the page fault


def draw(program, root, size, glyphs, theme):
    with tempfile.NamedTemporaryFile("w", suffix=".keys") as keys:
        keys.write(MOMENT)
        keys.flush()
        arguments = [program, "tui", "workloads/first-malloc.json", "--keys", keys.name, "--dump-screen", "-",
                     "--dump-styles", "--size", size, "--theme", theme]
        if glyphs == "ascii":
            arguments.append("--ascii")
        done = subprocess.run(arguments, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={"XDG_CONFIG_HOME": "/nonexistent"})
    return done.stdout.decode()


def main():
    program, root = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2])
    different = []
    for size, glyphs, theme in PICTURES:
        path = root / "tests/tui/screens" / f"{size}-{glyphs}-{theme}.txt"
        drawn = draw(program, root, size, glyphs, theme)
        if "--rebaseline" in sys.argv:
            path.write_text(drawn)
        elif not path.exists() or path.read_text() != drawn:
            different.append(path.name)
            expected = path.read_text().splitlines(True) if path.exists() else []
            sys.stdout.writelines(difflib.unified_diff(expected, drawn.splitlines(True), path.name, "drawn"))
    if different:
        print(f"\n{len(different)} screens differ: {', '.join(different)}")
        print(f"If they are right: python3 {' '.join(map(shlex.quote, sys.argv))} --rebaseline")
        print("and say in the commit why they changed.")
        raise SystemExit(1)


main()
