"""Every source file is as clang-format leaves it.

usage: format.py SOURCE_DIR

Releases of clang-format differ in detail; the tree is in the format of the one named here.
"""
import re
import shutil
import subprocess
import sys

import tree

RELEASE = "14"
SKIPPED = 77


def find_clang_format():
    for name in (f"clang-format-{RELEASE}", "clang-format"):
        path = shutil.which(name)
        if path:
            version = subprocess.run([path, "--version"], text=True, capture_output=True).stdout
            match = re.search(r"version (\d+)\.", version)
            if match and match.group(1) == RELEASE:
                return path
    return None


def main():
    program = find_clang_format()
    if not program:
        print(f"SKIPPED: clang-format {RELEASE} is not installed, the format was NOT checked")
        raise SystemExit(SKIPPED)
    sources = tree.files(sys.argv[1], "include/faultline/*.h", "sim/*/*.[ch]", "tests/**/*.[ch]", "examples/**/*.[ch]")
    done = subprocess.run([program, "--dry-run", "--Werror", *map(str, sources)], text=True, capture_output=True)
    bad = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "error:" in line})
    tree.finish([f"{path}: not in the project's format; clang-format -i mends it" for path in bad],
                f"{len(sources)} files in the project's format")


main()
