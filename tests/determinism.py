"""Same document, same bytes: two programs (or one, twice) write identical events for every workload.

usage: determinism.py PROGRAM PROGRAM WORKLOAD...
"""
import pathlib
import subprocess
import sys
import tempfile


def events(program, workload, path):
    subprocess.run([program, "run", workload, "--events", path, "--quiet"], capture_output=True)
    return path.read_bytes() if path.exists() else b""


def first_difference(one, other):
    pairs = zip(one.splitlines(), other.splitlines())
    for number, (left, right) in enumerate(pairs, 1):
        if left != right:
            return f"line {number}:\n  {left.decode()}\n  {right.decode()}"
    return "one is longer"


def main():
    programs, workloads = sys.argv[1:3], sys.argv[3:]
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        for workload in workloads:
            files = [pathlib.Path(folder) / f"{index}.jsonl" for index in range(2)]
            one, other = (events(*pair) for pair in zip(programs, [workload] * 2, files))
            for path in files:
                path.unlink(missing_ok=True)
            if not one:
                print(f"{workload}: no events were written")
            elif one != other:
                print(f"{workload}: events differ, {first_difference(one, other)}")
            different += not one or one != other
    print(f"{len(workloads)} workloads, {different} differ")
    raise SystemExit(1 if different or not workloads else 0)


main()
