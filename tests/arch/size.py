"""A file and a function can be read in one go.

usage: size.py SOURCE_DIR

The style asks for about 400 lines a file and 40 a function; what is over these limits fails.
"""
import pathlib
import sys

import tree

FILE_LINES = 500
FUNCTION_LINES = 70


def functions(lines):
    """(first line, length) of each function body: clang-format puts its braces alone at the margin."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            yield start, number - start + 1
            start = None


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    problems, count = [], 0
    for path in tree.files(root, "sim/*/*.[ch]", "include/faultline/*.h"):
        count += 1
        lines = path.read_text().splitlines()
        if len(lines) > FILE_LINES:
            problems.append(f"{path.relative_to(root)}: {len(lines)} lines, the limit is {FILE_LINES}")
        for start, length in functions(lines):
            if length > FUNCTION_LINES:
                name = f"{path.relative_to(root)}:{start}"
                problems.append(f"{name}: a function of {length} lines, the limit is {FUNCTION_LINES}")
    tree.finish(problems, f"{count} files within {FILE_LINES} lines, every function within {FUNCTION_LINES}")


main()
