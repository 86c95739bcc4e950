"""Runs the program for one case and compares what it says with what is expected.

usage: golden.py PROGRAM SOURCE_DIR CASE_DIR [--rebaseline]

A case is a folder with `command` (the arguments, one line; paths are relative to the source folder) and `expected`
(the exit status in the first line, then what is printed, errors included).
"""
import difflib
import os
import pathlib
import shlex
import subprocess
import sys


def run(program, root, case):
    arguments = shlex.split((case / "command").read_text())
    done = subprocess.run([program, *arguments], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return f"exit status {done.returncode}\n{done.stdout.decode()}"


def main():
    program, root, case = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    printed = run(program, root, case)
    # As bytes: the line ends of CSV are part of what is expected.
    if "--rebaseline" in sys.argv:
        (case / "expected").write_bytes(printed.encode())
        return
    expected = (case / "expected").read_bytes().decode()
    if printed == expected:
        return
    sys.stdout.writelines(difflib.unified_diff(expected.splitlines(True), printed.splitlines(True),
                                               "expected", "printed"))
    print(f"\nIf the new output is right: python3 {' '.join(map(shlex.quote, sys.argv))} --rebaseline")
    print("and say in the commit why it changed.")
    raise SystemExit(1)


main()
