"""faultline diff: runs, statistics, event logs and studies, and the conditions that fail a build.

usage: diff.py PROGRAM SOURCE_DIR
"""
import csv
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

PROGRAM, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
LESSON, FITS = str(ROOT / "workloads/first-malloc.json"), str(ROOT / "workloads/four-fits.json")
STUDY = ROOT / "tests/data/study"


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=300)


def diff(*arguments):
    done = run("diff", *arguments, "--format", "json")
    assert done.returncode in (0, 1) and not done.stderr, done
    return json.loads(done.stdout)


def the_same_run_is_the_same(folder):
    for workload in (LESSON, FITS):
        found = diff(workload, workload)
        assert found["comparison"]["changed"] == 0 and not found["comparison"]["events_differ"], found
        assert run("diff", workload, workload, "--fail-if", "differs").returncode == 0


def numbers_are_those_of_the_two_runs(folder):
    found = diff(LESSON, "--set-b", "libc=best-fit")
    one = json.loads(run("run", LESSON, "--stats", "json").stdout)["machine"]
    other = json.loads(run("run", LESSON, "--stats", "json", "--set", "libc=best-fit").stdout)["machine"]
    changed = {name for name in one if one[name] != other[name]}
    rows = [row for row in found["changes"] if row["scope"] == "machine"]
    assert {row["statistic"] for row in rows} == changed, rows
    for row in rows:
        assert (row["a"], row["b"]) == (one[row["statistic"]], other[row["statistic"]]), row
        assert row["change"] == row["b"] - row["a"], row


def files_say_what_runs_say(folder):
    for index, settings in enumerate(([], ["--set", "libc=best-fit"])):
        done = run("run", LESSON, *settings, "--stats", "json", "-o", str(folder / f"{index}.json"),
                   "--events", str(folder / f"{index}.jsonl"))
        assert done.returncode in (0, 1), done
    live = diff(LESSON, "--set-b", "libc=best-fit")
    stats = diff(str(folder / "0.json"), str(folder / "1.json"))
    events = diff(str(folder / "0.jsonl"), str(folder / "1.jsonl"))
    assert stats["changes"] == live["changes"]
    assert events["first_difference"] == live["first_difference"]
    mixed = diff(str(folder / "0.jsonl"), LESSON)
    assert not mixed["comparison"]["events_differ"], mixed


def the_first_difference_is_the_first(folder):
    for settings in ([], ["--set", "libc=best-fit"]):
        run("run", FITS, *settings, "--quiet", "--events", str(folder / f"{len(settings)}.jsonl"))
    logs = [(folder / f"{count}.jsonl").read_text().splitlines()[1:] for count in (0, 2)]
    stripped = [[line[line.index(',"pid"'):] for line in log] for log in logs]
    first = next(i for i, pair in enumerate(zip(*stripped)) if pair[0] != pair[1])
    found = diff(FITS, "--set-b", "libc=best-fit")
    assert found["comparison"]["common_events"] == first, (first, found["comparison"])
    sides = {side: [row["n"] for row in found["first_difference"] if row["side"] == side] for side in ("both", "A", "B")}
    assert sides == {"both": [first - 2, first - 1, first], "A": [first + n for n in (1, 2, 3)],
                     "B": [first + n for n in (1, 2, 3)]}, sides


def time_alone_is_told_apart(folder):
    lines = '{"format":"faultline-events-1"}\n' + "".join(
        f'{{"n":{n},"cycle":{10 * n},"pid":1,"ring":3,"layer":"app","event":"op_end","op":"x","result":"0x0"}}\n'
        for n in range(1, 6))
    (folder / "a.jsonl").write_text(lines)
    (folder / "b.jsonl").write_text(lines.replace('"cycle":40', '"cycle":41'))
    found = diff(str(folder / "a.jsonl"), str(folder / "b.jsonl"))
    assert "first_difference" not in found and [row["cycle"] for row in found["first_in_time"]] == [40, 41], found
    (folder / "b.jsonl").write_text(lines[:lines.index('{"n":5')])
    found = diff(str(folder / "a.jsonl"), str(folder / "b.jsonl"))
    assert found["comparison"]["common_events"] == 4 and found["ended"].startswith("B "), found


def studies_are_paired_by_their_settings(folder):
    other = folder / "other"
    shutil.copytree(STUDY, other)
    rows = (other / "results.csv").read_text().splitlines()
    names, first = rows[0].split(","), rows[1].split(",")
    first[names.index("faults.minor")] = "1000"
    # The order of the points does not matter; one of them is not there.
    (other / "results.csv").write_text("\n".join([rows[0], *reversed(rows[2:-1]), ",".join(first)]) + "\n")
    found = diff(str(STUDY), str(other))
    assert [row["statistic"] for row in found["changes"]] == ["faults.minor"], found["changes"]
    assert "workload=first-malloc" in found["changes"][0]["scope"] and found["changes"][0]["b"] == 1000
    assert [row["side"] for row in found["unpaired"]] == ["A"], found["unpaired"]
    wanted = {"statistic": "faults.minor", "changed": 1, "points": 15, "low": 0}
    assert [{key: row[key] for key in wanted} for row in found["overview"]] == [wanted], found["overview"]
    assert run("diff", str(STUDY), str(other), "--fail-if", "faults.minor>+5%").returncode == 1
    assert run("diff", str(STUDY), str(STUDY), "--fail-if", "faults.minor>+5%").returncode == 0


def many_changes_are_told_as_a_whole(folder):
    """Of a study whose points all changed, people are shown what became of each statistic, and the rest on demand."""
    other = folder / "slower"
    shutil.copytree(STUDY, other)
    rows = list(csv.reader(open(other / "results.csv", newline="")))
    names = rows[0]
    for row in rows[1:]:
        for name in ("cycles", "cycles.kernel", "walks.entries"):
            row[names.index(name)] = str(int(row[names.index(name)]) * 2)
    csv.writer(open(other / "results.csv", "w", newline="")).writerows(rows)
    found = diff(str(STUDY), str(other))
    assert [(row["statistic"], row["mean"], row["changed"]) for row in found["overview"]] == [
        ("walks.entries", 100, 16), ("cycles", 100, 16), ("cycles.kernel", 100, 16)], found["overview"]
    assert len(found["changes"]) == 48
    short, long = run("diff", str(STUDY), str(other)), run("diff", str(STUDY), str(other), "--all")
    assert "--all" in short.stdout and len(short.stdout.splitlines()) < 20, short.stdout
    assert len(long.stdout.splitlines()) > 48


def conditions_fail_a_build(folder):
    holds = ["faults.minor==26", "faults.minor>=26", "heap.bytes<+0", "heap.bytes<-20%", "cycles!=+0", "differs",
             "process app:heap.bytes<-28000", "heap.bytes == 106496"]
    fails = ["faults.minor>26", "faults.minor!=+0%", "heap.bytes<-22%", "cycles>+0", "swap.out>0"]
    for condition in holds + fails:
        done = run("diff", LESSON, "--set-b", "libc=best-fit", "--fail-if", condition)
        assert done.returncode == (condition in holds), (condition, done)
    both = [word for condition in ("cycles>+0", "faults.minor==26") for word in ("--fail-if", condition)]
    assert run("diff", LESSON, "--set-b", "libc=best-fit", *both).returncode == 1


def mistakes_are_explained(folder):
    (folder / "half.csv").write_text("")
    cases = [(["--fail-if", "faults.major"], "no comparison"), (["--fail-if", "faults.mayor>5"], "no such statistic"),
             (["--fail-if", "cycles>5%"], "want a sign"), (["--fail-if", "cycles>"], "no number"),
             (["--fail-if", "cycles>+5kg"], "more than a number"), (["--fail-if", "moon:cycles>5"], "scopes are"),
             (["--set-b", "libc=ptmalloc9"], "ptmalloc9"), (["--format", "jsn"], "did you mean json"),
             (["--set", "libc=glibc", "--fail-if", "cycles>nan"], "no number")]
    for arguments, message in cases:
        done = run("diff", LESSON, LESSON, *arguments)
        assert done.returncode == 2 and message in done.stderr and not done.stdout, (arguments, done)
    for operands in ([LESSON], [], [LESSON] * 3, [LESSON, str(STUDY), "--set-b", "libc=glibc"]):
        done = run("diff", *operands)
        assert done.returncode == 2 and done.stderr.count("\n") == 1, (operands, done)
    assert run("diff", LESSON, str(folder / "absent.json")).returncode == 4
    (folder / "x.jsonl").write_text("{}\n")
    done = run("diff", LESSON, str(folder / "x.jsonl"))
    assert done.returncode == 2 and "faultline-events-1" in done.stderr, done


def main():
    checks = [the_same_run_is_the_same, numbers_are_those_of_the_two_runs, files_say_what_runs_say,
              the_first_difference_is_the_first, time_alone_is_told_apart, studies_are_paired_by_their_settings,
              many_changes_are_told_as_a_whole, conditions_fail_a_build, mistakes_are_explained]
    for check in checks:
        with tempfile.TemporaryDirectory() as folder:
            check(pathlib.Path(folder))
        print(f"ok: {check.__name__.replace('_', ' ')}")


main()
