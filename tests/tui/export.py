"""What is taken along is what the run writes by itself, and what stands on the screen: events, state, screen, and the questions told
without a screen.

usage: export.py PROGRAM SOURCE_DIR
"""
import json
import pathlib
import subprocess
import sys
import tempfile

WORKLOAD = "workloads/first-malloc.json"
ENVIRONMENT = {"XDG_CONFIG_HOME": "/nonexistent", "LC_ALL": "C"}


def run(program, root, *arguments, typed=""):
    done = subprocess.run([program, *map(str, arguments)], cwd=root, input=typed, text=True, capture_output=True,
                          env=ENVIRONMENT)
    if done.returncode:
        raise SystemExit(f"{arguments}: status {done.returncode}: {done.stderr}")
    return done.stdout


def expect(holds, what):
    if not holds:
        raise SystemExit(what)


def exports(program, root, folder):
    """At the first exception; the screen as it was drawn."""
    keys = folder / "keys"
    kinds = ("screen", "events", "state")
    keys.write_text("]x\n" + "".join(f':\n"export {kind} {folder / kind}"\nEnter\n' for kind in kinds) + "Esc\n")
    return run(program, root, "tui", WORKLOAD, "--keys", keys, "--dump-screen", "-", "--size", "160x50", "--ascii")


def check_events(program, root, folder, position):
    whole = folder / "whole"
    run(program, root, "run", WORKLOAD, "--events", whole)
    taken = (folder / "events").read_text()
    expect(whole.read_text().startswith(taken), "the events are not those that run writes")
    expect(json.loads(taken.splitlines()[-1])["n"] == position, "the events do not end where the screen stands")


def check_state(state, screen):
    """What the panels say of the processor and the walk is what the state says."""
    for name in ("rip", "rax", "rdi", "rcx", "cr2", "cr3"):
        expect(f"{int(state['registers'][name], 16):016x}" in screen, f"{name} is another one on the screen")
    for step in state["translation"]["walk"]:
        row = f"[{step['index']}]"
        entry = f"{int(step['entry'], 16):x}"
        expect(any(row in line and entry in line for line in screen.splitlines()), f"the walk lacks {row} {entry}")
    expect(state["why"].split(".")[0] in screen, "WHY is another one on the screen")


def check_questions(program, root):
    told = run(program, root, "tui", WORKLOAD, "--a11y", typed="s\na\na\na\n1\nq\n")
    lines = told.splitlines()
    asked = [line for line in lines if line.startswith("quiz: ")]
    expect(len(asked) == 4, f"two questions and two answers are told in four lines: {asked}")
    expect(asked[0].endswith("?") and asked[2].endswith("?"), "a question is no question")
    expect("event" in asked[1] and ("right!" in asked[3] or "no." in asked[3]), "an answer is no answer")


def main():
    program, root = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        screen = exports(program, root, folder)
        state = json.loads((folder / "state").read_text())
        check_events(program, root, folder, state["event"])
        check_state(state, screen)
        taken = (folder / "screen").read_text().splitlines()
        expect(taken[:-1] == screen.splitlines()[:len(taken) - 1], "the screen is another one than the one drawn")
    check_questions(program, root)
    print("events, state, screen and questions are right")


main()
