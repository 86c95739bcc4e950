"""What the architecture tests share: the layers, the header table, the include lines of a file."""
import pathlib
import re

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def read_table(path):
    """{header name: layer}, [layers from the bottom to the top]"""
    owner, order = {}, []
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        layer, names = line.split(":")
        order.append(layer)
        for name in names.split():
            if name in owner:
                raise SystemExit(f"{path}: {name} is listed twice")
            owner[name] = layer
    return owner, order


def includes(path):
    """(line number, '<' or '\"', what is included) of each include line"""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def files(root, *patterns):
    root = pathlib.Path(root)
    return sorted(path for pattern in patterns for path in root.glob(pattern))


def finish(problems, done):
    """Prints the verdict; the exit status is the test's."""
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems" if problems else done)
    raise SystemExit(1 if problems else 0)
