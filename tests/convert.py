"""faultline convert: a list becomes a workload that does the same, and comes back as the same list.

usage: convert.py PROGRAM SOURCE_DIR
"""
import pathlib
import subprocess
import sys
import tempfile

PROGRAM, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])


def run(*arguments, status=0):
    done = subprocess.run([PROGRAM, *map(str, arguments)], text=True, capture_output=True)
    if done.returncode != status:
        raise SystemExit(f"{arguments}: exit status {done.returncode}, not {status}:\n{done.stdout}{done.stderr}")
    return done.stderr if status == 2 else done.stdout


def operations(text):
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def is_killed(path):
    """The recorded program was killed, which a run reports as a failure."""
    return path.with_suffix(".expected").read_text().splitlines()[-1].startswith("died")


def facts(workload, status):
    """What the run counted, without names and digests."""
    wanted = ("faults.", "syscalls.", "heap.", "memory.", "accesses.")
    lines = run("run", "--stats", "csv", workload, status=status).splitlines()
    return [line for line in lines if line.startswith("machine,") and line.split(",")[1].startswith(wanted)]


def round_trip(path, folder):
    there, back = folder / "there.json", folder / "back.ops"
    run("convert", path, "-o", there)
    run("convert", there, "-o", back)
    if operations(path.read_text()) != operations(back.read_text()):
        raise SystemExit(f"{path}: is another list after the round trip")
    status = 1 if is_killed(path) else 0
    if facts(path, status) != facts(there, status):
        raise SystemExit(f"{path}: the workload does something else than the list")


def refuse(text, ending, message, folder):
    path, out = folder / f"bad{ending}", folder / "out"
    path.write_text(text)
    said = run("convert", path, "-o", out, status=2)
    if message not in said:
        raise SystemExit(f"expected \"{message}\", but it said:\n{said}")
    if out.exists():
        raise SystemExit("a conversion that failed left a file behind")


def main():
    lists = sorted((ROOT / "tests/data/libc").glob("*.ops"))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for path in lists:
            round_trip(path, folder)
        refuse("m 1 24\nf 2\n", ".ops", ":2: ID 2 is not alive", folder)
        refuse('{"faultline": 1, "script": [{"op": "getpid"}]}', ".json",
               ":1:29: /script/0: getpid has no place in an op list", folder)
        refuse('{"faultline": 1, "script": [{"op": "malloc", "id": "a", "size": 8}, {"op": "write", "at": "a"}]}',
               ".json", "/script/1: write has no place in an op list", folder)
        unrolled = folder / "loop.json"
        unrolled.write_text('{"faultline": 1, "script": [{"op": "repeat", "times": 2, "as": "i", "body": ['
                            '{"op": "malloc", "id": "n-{i}", "size": "{i*16}"}]}]}')
        if operations(run("convert", unrolled)) != ["m 1 0", "m 2 16"]:
            raise SystemExit("a repeat is not unrolled")
    print(f"{len(lists)} lists there and back")


main()
