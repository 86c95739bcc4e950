"""Compares the verdicts of the JSON schema with those of the loader.

usage: schema_verdicts.py SCHEMA, with lines "accepted PATH" or "refused PATH" on standard input.

Exit status 0: all the same, 1: some differ, 77: the validator is not installed.
Documents called beyond-* break rules that no schema can state: there the schema accepts what the loader refuses.
"""
import json
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    sys.stdin.read()
    print("SKIPPED: no verdicts of the schema were compared; install python3-jsonschema", file=sys.stderr)
    raise SystemExit(77)


def no_key_twice(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError("a key is there twice")
    return dict(pairs)


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def read(path):
    text = path.read_bytes().decode("utf-8")
    if "\\u0000" in text:
        raise ValueError("U+0000")
    document = json.loads(text, object_pairs_hook=no_key_twice, parse_constant=refuse_constant)
    json.dumps(document, ensure_ascii=False).encode("utf-8")  # half surrogates cannot be encoded
    return document


def verdict(validator, path):
    try:
        document = read(path)
    except (ValueError, RecursionError):
        return "refused"
    return "accepted" if validator.is_valid(document) else "refused"


def main():
    schema = json.loads(pathlib.Path(sys.argv[1]).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    wrong = 0
    for line in sys.stdin:
        loader, path = line.rstrip("\n").split(" ", 1)
        path = pathlib.Path(path)
        expected = "accepted" if path.name.startswith("beyond-") and loader == "refused" else loader
        found = verdict(validator, path)
        if found != expected:
            print(f"{path}: {loader} by the loader, {found} by the schema", file=sys.stderr)
            wrong += 1
    raise SystemExit(1 if wrong else 0)


main()
