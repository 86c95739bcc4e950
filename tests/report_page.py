"""The reports of the shipped studies: `numbers`, in all formats, or `browser`, their pages in Chromium, where there is one.

usage: report_page.py PROGRAM SOURCE_DIR numbers|browser [FOLDER FOR SCREENSHOTS]
"""
import csv
import html.parser
import io
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import browser as browser_module

PROGRAM, ROOT, MODE = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3]
SHOTS = pathlib.Path(sys.argv[4]) if len(sys.argv) > 4 else None
STUDIES = {name: ROOT / f"examples/studies/{name}.json" for name in ("allocators", "policies", "memory")}
SKIPPED = 77


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=600)


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
    assert page.count["figure"] == page.count["svg"] == page.count["details"] >= 2, page.count
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
    done = run("report", str(folder))
    assert done.returncode == 2 and "there is no study" in done.stderr, done
    (folder / "study.json").write_text("{}")
    assert "faultline-study-1" in run("report", str(folder)).stderr
    (folder / "study.json").write_text('{"schema": "faultline-study-1"}')
    assert "not finished" in run("report", str(folder)).stderr
    for text in ("", "a,b\n", "a,b\n1\n", 'a,b\n"1,2\n'):
        (folder / "results.csv").write_text(text)
        done = run("report", str(folder))
        assert done.returncode == 2 and "results.csv" in done.stderr and not done.stdout, (text, done)


# ---- in a browser ----

def is_shown(browser):
    """Every plot has a title, hover and a table of as many rows as it has places; the page itself does not scroll aside."""
    figures = browser.evaluate("document.querySelectorAll('figure').length")
    assert figures >= 2, figures
    for selector in ("figcaption strong", "svg[role=img]", "details summary", "details tbody tr"):
        missing = browser.evaluate(f"[...document.querySelectorAll('figure')].filter(f => !f.querySelector('{selector}')).length")
        assert missing == 0, (selector, missing)
    bare = browser.evaluate("[...document.querySelectorAll('figure svg')].filter(s => !s.querySelector('title')).length")
    assert bare == 0, f"{bare} plots say nothing under the pointer"
    for width in (1280, 390):
        browser.look("light", width)
        assert browser.evaluate("document.documentElement.scrollWidth") <= width, f"the page is wider than {width}"


def hover_and_keyboard_work(browser):
    browser.look("light", 1280)
    browser.point_at("rect.box")
    tip = browser.evaluate("document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent")
    assert ":" in tip, f"no tooltip: {tip!r}"
    browser.evaluate("document.querySelector('summary').focus()")
    browser.ask("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    assert browser.evaluate("document.querySelector('details').open"), "a table does not open by keyboard"


def both_schemes_are_there(browser, name, shots):
    for scheme in ("dark", "light"):
        for width in (1280, 390):
            browser.look(scheme, width)
            paper, ink = (browser.evaluate(f"getComputedStyle(document.body).{what}").strip("rgb()").split(", ")
                          for what in ("backgroundColor", "color"))
            assert (sum(map(int, paper)) > sum(map(int, ink))) == (scheme == "light"), (scheme, paper, ink)
            if shots:
                browser.shoot(shots / f"{name}-{scheme}-{width}.png")


def opens_in_a_browser(folder, shots):
    binary = browser_module.find()
    if not binary:
        print("SKIPPED: no Chromium here: the pages of reports were NOT opened in a browser")
        raise SystemExit(SKIPPED)
    with browser_module.Browser(binary) as browser:
        for kind in STUDIES:
            study = make(folder, kind)
            path = folder / f"{kind}.html"
            path.write_text(report(study, "html"))
            browser.open(path)
            is_shown(browser)
            hover_and_keyboard_work(browser)
            both_schemes_are_there(browser, kind, shots)
            assert not browser.problems, browser.problems
            print(f"ok: a browser opens {kind}")


# ---- studies ----

def make(folder, kind):
    study = folder / kind
    done = run("batch", str(STUDIES[kind]), "-o", str(study), "--quiet")
    assert done.returncode == 0 and (study / "results.csv").exists(), done
    asked = json.loads((study / "study.json").read_text())
    (study / "study.json").write_text(json.dumps(asked | {"description": "All <compared> & more."}))
    return study


def plots_of(study):
    return {key: table for section in ("variants", "against", "phases", "course", "blocks")
            for key, table in json.loads(report(study, "json")).get(section, {}).items()}


def the_layers_add_up(study):
    """The stack of a workload and an allocator is its time."""
    rows = rows_of(study)
    for number, workload in enumerate(dict.fromkeys(row["workload"] for row in rows)):
        for place in plots_of(study)[f"time-{number}"]:
            row = next(row for row in rows if row["workload"] == workload and row["libc"] == place["x"])
            layers = {name: value for name, value in place.items() if name != "x"}
            assert set(layers) == {"program", "libc", "kernel", "walk", "disk"}, layers
            assert sum(layers.values()) == int(row["cycles"]), (layers, row["cycles"])
            assert min(layers.values()) >= 0, layers


def part_of(study, name):
    return list(csv.DictReader(io.StringIO((study / name).read_text())))


def the_course_is_that_of_the_samples(study):
    samples = part_of(study, "series.csv")
    found = plots_of(study)["resident-1"]
    point = next(row["point"] for row in rows_of(study) if (row["workload"], row["libc"]) == ("queue", "best-fit"))
    pages = {row["operations"]: int(row["memory.rss"]) for row in samples if row["point"] == point}
    assert len(found) > 60
    for place in found:
        assert place["best-fit"] == round(pages[place["x"]] / 256, 2), place


def blocks_are_all_there(study):
    for key in ("sizes-0", "lifetimes-0"):
        table = plots_of(study)[key]
        for workload in ("churn", "queue", "growth", "holes"):
            assert abs(sum(place[workload] for place in table) - 100) < 1, (key, workload)
    assert plots_of(study)["lifetimes-0"][-1]["x"] == "never"


def the_map_is_that_of_the_rows(study):
    table = plots_of(study)["map-0"]
    assert len(table) == 10 and all(len(place) == 11 for place in table), table
    for row in rows_of(study):
        place = next(place for place in table if place["x"] == row["machine.memory"])
        assert place[row["kernel.replacement"]] == int(row["faults.major"]), (row["point"], place)


def what_is_wanted_is_shown(study):
    """Its tables, with spread and change; its plots, and no others."""
    found = json.loads(report(study, "json"))
    table = found["comparison"]["table-1-0"]
    rows = [row for row in rows_of(study) if row["machine.memory"] == "16MiB"]
    for line in table:
        values = [int(row["cycles.libc"]) for row in rows if row["libc"] == line["libc"]]
        mean = sum(values) / len(values)
        half = 4.303 * math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))
        assert abs(line["16MiB"] - mean) <= 0.051 and abs(line["16MiB ci95"] - half) <= 0.051, (line, mean, half)
    assert next(line for line in table if line["libc"] == "glibc")["16MiB percent"] == 0
    place = next(place for place in found["comparison"]["plot-1-0"] if place["x"] == "8MiB")
    faults = [int(row["faults.major"]) for row in rows_of(study) if (row["machine.memory"], row["libc"]) == ("8MiB", "glibc")]
    mean = sum(faults) / len(faults)
    half = 4.303 * math.sqrt(sum((value - mean) ** 2 for value in faults) / (len(faults) - 1) / len(faults))
    assert abs(place["glibc"] - mean) <= 0.051 and abs(place["glibc ci95"] - half) <= 0.051, (place, mean, half)
    plots = [key for key in found["comparison"] if key.startswith("plot-")]
    assert plots == ["plot-1-0", "plot-2-0"] and "course" not in found, plots


def other_wishes_are_shown(study):
    """Along phases, operations, sizes and lifetimes."""
    path = study / "study.json"
    asked = json.loads(path.read_text())
    wishes = {"tables": [{"rows": "phase", "columns": "libc", "value": "time.walk"}],
              "plots": [{"kind": "lines", "x": "operations", "y": ["heap.fragmentation"], "series": "libc"},
                        {"kind": "bars", "x": "size", "y": ["count"]}, {"kind": "bars", "x": "lifetime", "y": ["percent"]},
                        {"kind": "heatmap", "x": "machine.memory", "y": ["tlb.miss_ratio"], "series": "libc"}]}
    path.write_text(json.dumps(asked | wishes))
    found = json.loads(report(study, "json"))["comparison"]
    path.write_text(json.dumps(asked))
    assert [line["phase"] for line in found["table-1-0"]] == ["start", "fill", "churn"], found["table-1-0"]
    phases = part_of(study, "phases.csv")
    glibc = [row["point"] for row in rows_of(study) if row["libc"] == "glibc" and row["machine.memory"] == "8MiB"]
    walks = [int(row["cycles.walk"]) for row in phases if row["point"] in glibc and row["name"] == "churn"]
    assert abs(found["table-1-0"][2]["glibc"] - sum(walks) / 3) <= 0.051, (found["table-1-0"], walks)
    assert sum(place["count"] for place in found["plot-2-0"]) == int(rows_of(study)[0]["heap.mallocs"])
    assert {"plot-1-0", "plot-3-0", "plot-4-0"} < set(found), found.keys()


CHECKS = {
    "allocators": [the_ranking_is_that_of_the_rows, another_baseline_is_one, the_page_is_whole_and_alone,
                   people_and_programs_read_the_same, the_layers_add_up, the_course_is_that_of_the_samples,
                   blocks_are_all_there],
    "policies": [the_page_is_whole_and_alone, the_map_is_that_of_the_rows],
    "memory": [the_page_is_whole_and_alone, what_is_wanted_is_shown, other_wishes_are_shown],
    None: [spread_is_students, broken_studies_are_refused],
}


def check_studies(folder):
    for kind, checks in CHECKS.items():
        study = make(folder, kind) if kind else None
        for check in checks:
            with tempfile.TemporaryDirectory() as empty:
                check(study or pathlib.Path(empty))
            print(f"ok: {kind or 'any'}: {check.__name__.replace('_', ' ')}")


def main():
    with tempfile.TemporaryDirectory() as temporary:
        if MODE == "browser":
            opens_in_a_browser(pathlib.Path(temporary), SHOTS)
        else:
            check_studies(pathlib.Path(temporary))


main()
