"""The architecture tests can fail: each is shown a tree that breaks its rule, and must name every place.

usage: self_test.py COMPILER NM
"""
import pathlib
import subprocess
import sys
import tempfile

import tree

HERE = pathlib.Path(__file__).parent


def run(script, *arguments):
    done = subprocess.run([sys.executable, "-B", HERE / script, *arguments], text=True, capture_output=True)
    return done.returncode, done.stdout


def missing(script, expected, status, output):
    if status != 1:
        yield f"{script}: exit status {status}, expected 1"
    for text in expected:
        if text not in output:
            yield f"{script}: does not say: {text}"


def include_directions_sees_every_wrong_include():
    expected = (HERE / "broken/expected.txt").read_text().splitlines()
    yield from missing("include_directions.py", expected,
                       *run("include_directions.py", HERE / "broken", HERE / "broken/headers.txt"))


def size_sees_long_functions_and_files(folder):
    source = folder / "sim/base/long.c"
    source.parent.mkdir(parents=True)
    source.write_text("int f(void)\n{\n" + "\n" * 500 + "}\n")
    yield from missing("size.py", ["long.c: 503 lines", "long.c:2: a function of 502 lines"], *run("size.py", folder))


def headers_alone_sees_a_missing_include_and_a_missing_guard(folder, compiler):
    headers = folder / "include/faultline"
    headers.mkdir(parents=True)
    (headers / "needs.h").write_text("#ifndef N\n#define N\nuint64_t needs_stdint;\n#endif\n")
    (headers / "twice.h").write_text("struct twice {\n\tint member;\n};\n")
    yield from missing("headers_alone.py", ["faultline/needs.h: does not", "faultline/twice.h: does not"],
                       *run("headers_alone.py", folder, compiler))


def writable_data_sees_variables_but_not_tables(folder, compiler, nm):
    source, output, listing = folder / "v.c", folder / "v.o", folder / "objects"
    source.write_text("int zero; static int set = 1; const char *const table[] = {\"a\"};\n"
                      "int *get(void); int *get(void) { static int hidden; return set ? &hidden : &set; }\n")
    subprocess.run([compiler, "-c", "-fPIC", source, "-o", output], check=True)
    listing.write_text(f"{output}\n")
    status, said = run("writable_data.py", nm, listing)
    yield from missing("writable_data.py", ["zero is writable", "set is writable", "hidden"], status, said)
    if "table is writable" in said:
        yield "writable_data.py: takes a constant table for a variable"


def main():
    compiler, nm = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        problems = [*include_directions_sees_every_wrong_include(),
                    *size_sees_long_functions_and_files(folder),
                    *headers_alone_sees_a_missing_include_and_a_missing_guard(folder, compiler),
                    *writable_data_sees_variables_but_not_tables(folder, compiler, nm)]
    tree.finish(problems, "the architecture tests see what they should")


main()
