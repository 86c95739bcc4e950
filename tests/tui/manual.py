"""The keys in the manual are those of the program's own table.

usage: manual.py PROGRAM SOURCE_DIR [--rebaseline]
"""
import pathlib
import re
import subprocess
import sys

MARKS = re.compile(r'(\.\\" keys: begin\n)(.*?)(\.\\" keys: end\n)', re.S)


def escape(text):
    text = text.replace("\\", "\\e").replace("'", "\\(aq").replace('"', "\\(dq").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def rows(program):
    printed = subprocess.run([program, "list", "keys"], text=True, capture_output=True, check=True).stdout
    lines = [line.rstrip() for line in printed.splitlines()]
    head = next(i for i, line in enumerate(lines) if line.strip().startswith("keys "))
    columns = [lines[head].index("keys"), lines[head].index("command"), lines[head].index("what it does")]
    for line in lines[head + 1:]:
        if line.strip():
            yield line[columns[0]:columns[1]].strip(), line[columns[2]:].strip()


def main():
    program, path = sys.argv[1], pathlib.Path(sys.argv[2]) / "man/faultline.1"
    manual = path.read_text()
    body = "".join(f".It {' , '.join('Ql ' + escape(key) for key in keys.split())}\n{escape(text)}\n"
                   for keys, text in rows(program))
    right = MARKS.sub(lambda match: f"{match[1]}.Bl -tag -width Ds -compact\n{body}.El\n{match[3]}", manual)
    if "--rebaseline" in sys.argv:
        path.write_text(right)
    elif right != manual:
        print(f"the keys in {path.name} are not those of the program: python3 {' '.join(sys.argv)} --rebaseline")
        raise SystemExit(1)


main()
