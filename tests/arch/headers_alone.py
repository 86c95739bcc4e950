"""Every header compiles as the only thing in a translation unit.

usage: headers_alone.py SOURCE_DIR COMPILER
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys

import tree

FLAGS = ["-std=gnu17", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-x", "c", "-"]


def compile_alone(compiler, root, path):
    include = f"faultline/{path.name}" if path.parent.name == "faultline" else path.name
    folders = ["-I", str(root / "include")]
    if path.parent.name != "faultline":
        folders += ["-I", str(path.parent)]
    # Twice: a header without a guard fails here. The declaration keeps the unit from being empty.
    unit = f'#include "{include}"\n#include "{include}"\nextern int not_empty;\n'
    done = subprocess.run([compiler, *folders, *FLAGS], input=unit, text=True, capture_output=True)
    return f"{path.relative_to(root)}: does not compile alone\n{done.stderr}" if done.returncode else None


def main():
    root, compiler = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    headers = tree.files(root, "include/faultline/*.h", "sim/*/*.h")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = pool.map(lambda path: compile_alone(compiler, root, path), headers)
        problems = [verdict for verdict in verdicts if verdict]
    tree.finish(problems, f"{len(headers)} headers, each compiles alone")


main()
