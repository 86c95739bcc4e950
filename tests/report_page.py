"""The report of a study in all formats; its page in a real browser, where there is one: Chromium, headless.

usage: report_page.py PROGRAM SOURCE_DIR [FOLDER FOR SCREENSHOTS]
"""
import csv
import html.parser
import io
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zlib

PROGRAM, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
STUDIES = {
    "allocators": [*(ROOT / f"workloads/{name}.json" for name in ("four-fits", "reuse", "brk-or-mmap", "tlb-reach")),
                   "--sweep", "libc=glibc,first-fit,next-fit,best-fit,worst-fit"],
    "policies": [ROOT / "workloads/swap-storm.json", "--sweep", "machine.memory=4MiB..40MiB+4MiB", "--sweep",
                 "kernel.replacement=fifo,second-chance,clock,nru,random,lru,mru,lfu,lfu-aging,aging"],
    "churn": [ROOT / "examples/studies/allocators.json"],
}


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=120)


def report(study, form, *arguments):
    done = run("report", str(study), "--format", form, *arguments)
    assert done.returncode == 0 and not done.stderr, done
    assert done.stdout == run("report", str(study), "--format", form, *arguments).stdout, "not the same bytes twice"
    return done.stdout


class Page(html.parser.HTMLParser):
    """Tags that nest and end, and what hangs on them."""

    def __init__(self, text):
        super().__init__()
        self.open, self.count, self.ids, self.links = [], {}, [], []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.count[tag] = self.count.get(tag, 0) + 1
        self.ids += [value for name, value in attributes if name == "id"]
        self.links += [value for name, value in attributes if name in ("src", "href", "xlink:href")]
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in ("meta", "link"):
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (self.open, tag, self.getpos())
        self.open.pop()


def rows_of(study):
    return list(csv.DictReader(io.StringIO((study / "results.csv").read_text())))


def the_ranking_is_that_of_the_rows(study):
    rows = [row for row in rows_of(study) if row["status"] in ("ok", "expect_failed")]
    found = json.loads(report(study, "json"))
    baseline = rows_of(study)[0]["libc"]
    for entry in found["comparison"]["ranking"]:
        pairs = [(float(a["cycles"]), float(b["cycles"])) for a in rows for b in rows
                 if a["libc"] == baseline and b["libc"] == entry["variant"] and a["workload"] == b["workload"]]
        ratio = math.exp(sum(math.log(b / a) for a, b in pairs) / len(pairs))
        assert abs(ratio - entry["cycles"]) < 0.001, (entry, ratio)
    times = [entry["cycles"] for entry in found["comparison"]["ranking"]]
    assert times == sorted(times), times


def another_baseline_is_one(study):
    for entry in json.loads(report(study, "json", "--baseline", "best-fit"))["comparison"]["ranking"]:
        assert entry["variant"] != "best-fit" or entry["cycles"] == 1.0, entry
    done = run("report", str(study), "--baseline", "bestfit")
    assert done.returncode == 2 and "best-fit" in done.stderr and not done.stdout, done


def the_page_is_whole_and_alone(study):
    text = report(study, "html")
    page = Page(text)
    assert page.links == ["data:,"] and "@import" not in text and "url(" not in text, page.links
    assert len(page.ids) == len(set(page.ids)), page.ids
    assert page.count["figure"] == page.count["svg"] == page.count["details"] > 2, page.count
    assert "&lt;compared&gt; &amp; more" in text and "<compared>" not in text
    assert not re.search(r"[\" ](nan|-?inf)[\",. ]", text), "a number that is none"


def people_and_programs_read_the_same(study):
    mean = json.loads(report(study, "json"))["points"]["points_cycles"][0]["mean"]
    for form in ("text", "markdown", "csv", "html"):
        assert f"{mean:.0f}" in report(study, form), form


def spread_is_students(folder):
    """Five seeds with the cycles 10 12 14 16 18: 14 +- 2.776 * sqrt(10 / 5)."""
    head = "point,workload,libc,seed,status,cycles,faults.minor,faults.major,tlb.misses,memory.peak_rss\n"
    rows = [f"{i},w,{libc},{i % 5},ok,{10 + 2 * (i % 5) + add},1,0,1,1\n"
            for libc, add in (("a", 0), ("b", 5)) for i in range(5)]
    (folder / "results.csv").write_text(head + "".join(rows))
    columns = [{"name": name, "kind": "setting"} for name in ("workload", "libc", "seed")]
    (folder / "study.json").write_text(json.dumps({"schema": "faultline-study-1", "seeds": [0, 1, 2, 3, 4], "columns": columns}))
    points = json.loads(report(folder, "json"))["points"]["points_cycles"]
    assert points[0]["mean"] == 14 and points[0]["ci95"] == round(2.776 * math.sqrt(2), 1), points
    assert (points[0]["low"], points[0]["high"], points[0]["percent"]) == (10, 18, 0), points


def broken_studies_are_refused(folder):
    assert run("report", str(folder)).returncode == 4
    (folder / "study.json").write_text("{}")
    assert "faultline-study-1" in run("report", str(folder)).stderr
    (folder / "study.json").write_text('{"schema": "faultline-study-1"}')
    for text in ("", "a,b\n", "a,b\n1\n", 'a,b\n"1,2\n'):
        (folder / "results.csv").write_text(text)
        done = run("report", str(folder))
        assert done.returncode == 2 and "results.csv" in done.stderr and not done.stdout, (text, done)


# ---- in a browser ----

def chromium(binary, folder, *arguments):
    words = [binary, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile",
             "--disable-background-networking", "--disable-component-update", "--no-first-run", "--hide-scrollbars",
             "--enable-logging=stderr", "--virtual-time-budget=2000", *arguments]
    return subprocess.run(words, capture_output=True, text=True, timeout=120)


def first_pixel(png):
    """No filter of PNG changes the first pixel of all."""
    data, at = b"", 8
    while at < len(png):
        length = int.from_bytes(png[at:at + 4], "big")
        data += png[at + 8:at + 8 + length] if png[at + 4:at + 8] == b"IDAT" else b""
        at += 12 + length
    return tuple(zlib.decompress(data)[1:4])


def browser_opens_the_page(binary, path, shots):
    with tempfile.TemporaryDirectory() as folder:
        done = chromium(binary, folder, "--dump-dom", path.as_uri())
        assert done.stdout.count("<figure>") > 2 and "<figcaption" in done.stdout, done
        console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        assert not console, console
        for scheme, number in (("dark", 0), ("light", 1)):
            for width in (1200, 390):
                shot = shots / f"{path.stem}-{scheme}-{width}.png"
                done = chromium(binary, folder, f"--blink-settings=preferredColorScheme={number}", f"--screenshot={shot}",
                                f"--window-size={width},2400", path.as_uri())
                bright = sum(first_pixel(shot.read_bytes())) > 384
                assert bright == (scheme == "light"), (scheme, first_pixel(shot.read_bytes()))


def make(folder, kind):
    study = folder / kind
    done = run("batch", *map(str, STUDIES[kind]), "-o", str(study), "--quiet")
    assert done.returncode in (0, 1) and (study / "results.csv").exists(), done
    asked = json.loads((study / "study.json").read_text())
    (study / "study.json").write_text(json.dumps(asked | {"description": "All <compared> & more."}))
    return study


def check_studies(folder):
    allocators, policies = make(folder, "allocators"), make(folder, "policies")
    for check in (the_ranking_is_that_of_the_rows, another_baseline_is_one, the_page_is_whole_and_alone,
                  people_and_programs_read_the_same):
        check(allocators)
        print(f"ok: {check.__name__.replace('_', ' ')}")
    churn = make(folder, "churn")
    the_page_is_whole_and_alone(policies)
    the_page_is_whole_and_alone(churn)
    for check in (spread_is_students, broken_studies_are_refused):
        with tempfile.TemporaryDirectory() as empty:
            check(pathlib.Path(empty))
        print(f"ok: {check.__name__.replace('_', ' ')}")
    return allocators, policies, churn


def main():
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        shots = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else folder
        for study in check_studies(folder):
            path = folder / f"{study.name}.html"
            path.write_text(report(study, "html"))
            if binary:
                browser_opens_the_page(binary, path, shots)
    print("ok: a browser opens the pages" if binary else "SKIPPED: no chromium here: the pages are NOT opened in a browser")


main()
