"""Arrows point down: a layer includes public headers of itself or of a lower layer, and its own private headers.

usage: include_directions.py SOURCE_DIR [HEADER_TABLE]
"""
import pathlib
import sys

import tree

# Libraries from outside stay where they are wanted: nothing below these layers may know them.
THIRD_PARTY = {
    "cjson/": {"workload", "report", "study", "app"},
    "sqlite3.h": {"app"},
    "pthread.h": {"study", "travel"},
    "curses.h": {"tui"},
    "zlib.h": {"workload"},
    "zstd.h": {"trace"},
}


def check_public_include(place, layer, name, owner, order):
    if name not in owner:
        return f"{place}: faultline/{name}.h has no layer; add it to tests/arch/headers.txt"
    if order.index(owner[name]) > order.index(layer):
        return f"{place}: layer {layer} includes faultline/{name}.h of the higher layer {owner[name]}"
    return None


def check_third_party(place, layer, what):
    for prefix, allowed in THIRD_PARTY.items():
        if what.startswith(prefix) and layer not in allowed:
            return f"{place}: {what} is not for layer {layer}, only for {', '.join(sorted(allowed))}"
    return None


def check_file(path, root, layer, owner, order):
    is_public = path.parent == root / "include/faultline"
    for number, bracket, what in tree.includes(path):
        place = f"{path.relative_to(root)}:{number}"
        if what.startswith("faultline/"):
            name = what.removeprefix("faultline/").removesuffix(".h")
            yield check_public_include(place, layer, name, owner, order)
        elif bracket == '"' and is_public:
            yield f"{place}: a public header includes only faultline/ and the C library, not {what}"
        elif bracket == '"' and ("/" in what or not (path.parent / what).exists()):
            yield f"{place}: {what} is no private header of layer {layer}"
        elif bracket == "<":
            yield check_third_party(place, "public" if is_public else layer, what)


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    table = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else pathlib.Path(__file__).parent / "headers.txt"
    owner, order = tree.read_table(table)
    present = {path.stem for path in tree.files(root, "include/faultline/*.h")}
    problems = [f"{table.name}: {name}.h does not exist" for name in owner if name not in present]
    count = 0
    for path in tree.files(root, "include/faultline/*.h"):
        count += 1
        if path.stem not in owner:
            problems.append(f"{path.relative_to(root)}: has no layer; add it to tests/arch/headers.txt")
        else:
            problems += filter(None, check_file(path, root, owner[path.stem], owner, order))
    for path in tree.files(root, "sim/*/*.[ch]"):
        count += 1
        if path.parent.name not in order:
            problems.append(f"{path.relative_to(root)}: {path.parent.name} is no layer")
        else:
            problems += filter(None, check_file(path, root, path.parent.name, owner, order))
    tree.finish(problems, f"{count} files, every include points down")


main()
