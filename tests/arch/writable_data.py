"""A world lives in its arena: no object file of sim/ has writable variables.

usage: writable_data.py NM OBJECT_LIST   (a file with one object file a line)
"""
import pathlib
import subprocess
import sys

import tree

# Constant tables with pointers in them stay in .data.rel.ro: written by the loader, then read-only.
WRITABLE = (".data", ".bss", ".tdata", ".tbss", "*COM*", "COMMON")
READ_ONLY = ".data.rel.ro"

# A signal handler is given nothing but its number, and a process has one terminal.
ALLOWED = ("sim/tui/signals.c",)


def writable_symbols(nm, path):
    done = subprocess.run([nm, "--format=sysv", path], text=True, capture_output=True)
    if done.returncode:
        yield f"{path}: cannot be read: {done.stderr.strip()}"
    for line in done.stdout.splitlines():
        columns = [column.strip() for column in line.split("|")]
        if len(columns) != 7 or columns[0] == "Name":
            continue
        name, section = columns[0], columns[6]
        if section.startswith(WRITABLE) and not section.startswith(READ_ONLY):
            yield f"{path}: {name} is writable ({section})"


def main():
    objects = [line for line in pathlib.Path(sys.argv[2]).read_text().split("\n") if line]
    if not objects:
        tree.finish([f"{sys.argv[2]}: no object files"], "")
    objects = [path for path in objects if not any(name in path for name in ALLOWED)]
    problems = [problem for path in objects for problem in writable_symbols(sys.argv[1], path)]
    tree.finish(problems, f"{len(objects)} object files without writable variables")


main()
