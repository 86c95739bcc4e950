"""Every relative link of the documentation leads to a file.

usage: links.py SOURCE_DIR
"""
import pathlib
import re
import sys

import tree

LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    problems, count = [], 0
    for path in tree.files(root, "*.md", "docs/**/*.md", "workloads/**/*.md", "examples/**/*.md"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for target in LINK.findall(line):
                if "://" in target:
                    continue
                count += 1
                if not (path.parent / target).exists():
                    problems.append(f"{path.relative_to(root)}:{number}: {target} does not exist")
    tree.finish(problems, f"{count} links lead somewhere")


main()
