"""The schema of study files takes those called good-* and the examples, and refuses those called study-*.

usage: study_verdicts.py SOURCE_DIR
"""
import json
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    print("SKIPPED: no jsonschema, the schema of study files was NOT tried")
    raise SystemExit(77)

root = pathlib.Path(sys.argv[1])
schema = json.loads((root / "workloads/schema/study-1.schema.json").read_text())
checker = jsonschema.Draft202012Validator(schema)
files = sorted((root / "tests/data/study-files").glob("*.json")) + [
    root / f"examples/studies/{name}.json" for name in ("allocators", "memory", "policies")]
wrong = [path.name for path in files
         if checker.is_valid(json.loads(path.read_text())) == path.name.startswith("study-")]
print(f"{len(files)} files, the schema is wrong about: {', '.join(wrong) or 'none'}")
raise SystemExit(1 if wrong else 0)
