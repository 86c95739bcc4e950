"""Files are complete or absent, write errors are noticed, and colours are for terminals.

usage: outputs.py PROGRAM SOURCE_DIR
"""
import os
import pathlib
import pty
import signal
import subprocess
import sys
import tempfile
import time

PROGRAM, ROOT = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
LESSON = str(ROOT / "workloads/first-malloc.json")
LONG = ('{"faultline": 1, "name": "long", "script": [{"op": "mmap", "id": "m", "length": "1MiB"},'
        '{"op": "repeat", "times": 1000000, "body": [{"op": "getpid"}, {"op": "write", "at": "m", "length": 4096}]}]}')


def run(*arguments, **keywords):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, **keywords)


def files_appear_whole(folder):
    paths = [str(folder / name) for name in ("page.txt", "events.jsonl", "trace.json")]
    done = run("run", LESSON, "-o", paths[0], "--events", paths[1], "--perfetto", paths[2])
    assert done.returncode == 0 and done.stdout == "" and done.stderr == "", done
    assert sorted(os.listdir(folder)) == ["events.jsonl", "page.txt", "trace.json"]
    assert pathlib.Path(paths[0]).read_text() == run("run", LESSON).stdout


def an_old_file_survives_a_failure(folder):
    old = folder / "old.jsonl"
    old.write_text("precious")
    broken = folder / "broken.ops"
    broken.write_text("m 0 100\nthis is no operation\n")
    done = run("run", str(broken), "--events", str(old), "--quiet")
    assert done.returncode == 2, done
    assert old.read_text() == "precious"
    assert sorted(os.listdir(folder)) == ["broken.ops", "old.jsonl"]


def a_new_file_keeps_mode_and_links_of_the_old(folder):
    (folder / "real.txt").write_text("old")
    (folder / "real.txt").chmod(0o640)
    (folder / "link.txt").symlink_to("real.txt")
    assert run("run", LESSON, "-o", str(folder / "link.txt")).returncode == 0
    assert (folder / "link.txt").is_symlink()
    assert (folder / "real.txt").read_text().startswith("first-malloc")
    assert (folder / "real.txt").stat().st_mode & 0o777 == 0o640


def an_interrupt_leaves_nothing_behind(folder):
    workload = folder / "long.json"
    workload.write_text(LONG)
    process = subprocess.Popen([PROGRAM, "run", str(workload), "--events", str(folder / "events.jsonl"), "--quiet"])
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait() == -signal.SIGINT
    assert os.listdir(folder) == ["long.json"]


def a_full_disk_is_an_error(folder):
    for option in (["-o", "/dev/full"], ["--events", "/dev/full", "--quiet"], ["--perfetto", "/dev/full", "--quiet"]):
        done = run("run", LESSON, *option)
        assert done.returncode == 4 and "/dev/full: cannot be " in done.stderr, done
    with open("/dev/full", "w") as full:
        for arguments in (["run", LESSON], ["list", "ops"], ["--help"], ["explain", "heap", LESSON]):
            done = subprocess.run([PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True)
            assert done.returncode == 4 and done.stderr.count("\n") == 1, (arguments, done)


def a_closed_pipe_is_an_error(folder):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([PROGRAM, "run", LESSON], stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert done.returncode == 4 and "standard output" in done.stderr, done


def on_terminal(environment, *arguments):
    main, side = pty.openpty()
    process = subprocess.Popen([PROGRAM, *arguments], stdout=side, stderr=side, env={**os.environ, **environment})
    os.close(side)
    chunks = []
    while True:
        try:
            chunk = os.read(main, 65536)
        except OSError:
            break
        if not chunk:
            break
        chunks.append(chunk)
    assert process.wait() == 0
    os.close(main)
    return b"".join(chunks).decode()


def has_terminals():
    try:
        for end in pty.openpty():
            os.close(end)
    except OSError:
        return False
    return True


def colours_are_for_terminals_that_want_them(folder):
    escape = "\033["
    if not has_terminals():
        print("SKIPPED: no pseudo-terminals here (is devpts mounted?): colours are NOT checked")
        return
    for arguments in (["run", LESSON], ["run", LESSON, "--story"]):
        assert escape in on_terminal({"TERM": "xterm", "NO_COLOR": ""}, *arguments)
        assert escape not in on_terminal({"TERM": "xterm", "NO_COLOR": "1"}, *arguments).replace("\r\033[K", "")
        assert escape not in on_terminal({"TERM": "dumb", "NO_COLOR": ""}, *arguments).replace("\r\033[K", "")
        assert escape not in run(*arguments).stdout


def timing_is_on_standard_error_only(folder):
    done = run("run", LESSON, "--timing")
    assert done.stdout == run("run", LESSON).stdout
    words = done.stderr.split()
    assert words[:2] == ["timing:", "load"] and words[3:5] == ["ns,", "replay"] and words[6] == "ns", done.stderr


def no_line_ends_in_a_blank(folder):
    for lesson in sorted((ROOT / "workloads").glob("*.json")):
        for arguments in (["--story"], ["--stats", "text"]):
            for line in run("run", str(lesson), *arguments).stdout.splitlines():
                assert line == line.rstrip(), (lesson.name, line)


def main():
    if not os.path.exists("/dev/full"):
        print("SKIPPED: no /dev/full here")
        raise SystemExit(77)
    checks = [files_appear_whole, an_old_file_survives_a_failure, a_new_file_keeps_mode_and_links_of_the_old,
              an_interrupt_leaves_nothing_behind, a_full_disk_is_an_error, a_closed_pipe_is_an_error,
              colours_are_for_terminals_that_want_them, timing_is_on_standard_error_only, no_line_ends_in_a_blank]
    for check in checks:
        with tempfile.TemporaryDirectory() as folder:
            check(pathlib.Path(folder))
        print(f"ok: {check.__name__.replace('_', ' ')}")


main()
