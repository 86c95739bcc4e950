"""Studies: the same bytes whatever happens on the way.

usage: batch.py PROGRAM SOURCE_DIR CASE

Each case is a function of this file.
"""
import filecmp
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
STUDY = "examples/studies/memory.json"
POINTS = 45
SBIN = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
SLURM_CONF = """ClusterName=faultline
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CryptoType=crypto/munge
SlurmctldPort={controller}
SlurmdPort={daemon}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SwitchType=switch/none
MailProg=/bin/true
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES State=UP
"""


class World:
    def __init__(self, program, root, folder):
        self.program, self.root, self.folder = program, root, folder

    def path(self, name):
        return str(self.folder / name)

    def command(self, *arguments):
        return [self.program, "batch", *arguments]

    def batch(self, *arguments, expect=0):
        done = subprocess.run(self.command(*arguments), cwd=self.root, text=True, capture_output=True)
        if done.returncode != expect:
            fail(f"{' '.join(arguments)}: exit status {done.returncode}, not {expect}\n{done.stderr}")
        return done

    def reference(self):
        self.batch(STUDY, "-o", self.path("reference"))
        return self.path("reference")


def fail(why):
    print(why)
    raise SystemExit(1)


def skip(why):
    print(f"SKIPPED: {why}; this was NOT tested")
    raise SystemExit(SKIPPED)


def assert_same(one, other):
    names = sorted(os.listdir(one))
    if names != sorted(os.listdir(other)):
        fail(f"{one} has {names}, {other} has {sorted(os.listdir(other))}")
    _, different, unread = filecmp.cmpfiles(one, other, names, shallow=False)
    if different or unread:
        fail(f"{one} and {other} differ in {different + unread}")


def jobs(world):
    """However many processes: the same bytes."""
    reference = world.reference()
    for count in ("1", "2", "4", "64"):
        world.batch(STUDY, "--jobs", count, "-o", world.path(count))
        assert_same(reference, world.path(count))


def like_run(world):
    """A point has the digest and the numbers that run prints with the same settings."""
    import csv
    import json
    row = list(csv.DictReader(open(world.reference() + "/results.csv", newline="")))[7]
    keys = ["machine.memory", "libc", "seed"]
    settings = [f"{key}={row[key]}" for key in keys] + [f"kernel.seed={row['seed']}"]
    arguments = [part for setting in settings for part in ("--set", setting)]
    printed = subprocess.run([world.program, "run", "examples/studies/churn.json", "--stats", "json", *arguments],
                             cwd=world.root, text=True, capture_output=True, check=True).stdout
    stats = json.loads(printed)
    if row["digest"] != stats["workload"]["digest"]:
        fail(f"digest {row['digest']}, run has {stats['workload']['digest']}")
    for name, value in stats["machine"].items():
        if row[name] != str(value):
            fail(f"{name}: {row[name]}, run has {value}")


def seeds(world):
    """Repetitions differ from each other, and only by their seed."""
    import csv
    rows = list(csv.DictReader(open(world.reference() + "/results.csv", newline="")))
    for first in range(0, POINTS, 3):
        group = rows[first:first + 3]
        if len({row["cycles"] for row in group}) != 3:
            fail(f"points {first + 1} to {first + 3} take the same time with different seeds")
        if len({row["heap.mallocs"] for row in group}) != 1:
            fail(f"points {first + 1} to {first + 3} do not do the same")


def traces(world):
    """A point's time series is that of run with the same settings; its histograms count every request."""
    import csv
    reference = pathlib.Path(world.reference())

    def table(name):
        return list(csv.DictReader(open(reference / name, newline="")))
    row = table("results.csv")[7]
    samples = [sample for sample in table("series.csv") if sample["point"] == row["point"]]
    if not 128 <= len(samples) <= 256:
        fail(f"{len(samples)} samples of {row['operations']} operations")
    settings = [f"{key}={row[key]}" for key in ("machine.memory", "libc", "seed")] + [f"kernel.seed={row['seed']}"]
    arguments = [part for setting in settings for part in ("--set", setting)]
    printed = subprocess.run([world.program, "run", "examples/studies/churn.json", "--sample",
                              samples[1]["operations"] + "ops", *arguments], cwd=world.root, text=True,
                             capture_output=True, check=True).stdout
    told = list(csv.DictReader(printed.splitlines()))
    if len(told) != len(samples):
        fail(f"{len(samples)} samples, run has {len(told)}")
    for ours, theirs in zip(samples, told):
        for name in ours:
            if name != "point" and ours[name] != theirs[name]:
                fail(f"sample {ours['sample']}: {name} is {ours[name]}, run has {theirs[name]}")
    counts = [line for line in table("histograms.csv") if line["point"] == row["point"]]
    for histogram, column in (("size", "heap.mallocs"), ("lifetime", "heap.frees"), ("alive", "heap.live_blocks")):
        total = sum(int(line["count"]) for line in counts if line["histogram"] == histogram)
        if total != int(row[column]):
            fail(f"{histogram}: {total}, {column} is {row[column]}")


def slices(world):
    """Slices in any order, merged: the same bytes; an incomplete set is refused and leaves nothing."""
    reference = world.reference()
    parts = [world.path(f"slice-{number}") for number in (1, 2, 3, 4)]
    for number, part in enumerate(parts, 1):
        world.batch(STUDY, "--point", f"{number}/4", "-o", part)
    world.batch("--merge", *parts[1:], "-o", world.path("merged"), expect=2)
    world.batch("--merge", *parts, parts[0], "-o", world.path("merged"), expect=2)
    world.batch("--merge", *reversed(parts), "-o", world.path("merged"), "--sqlite", world.path("merged.db"))
    assert_same(reference, world.path("merged"))
    world.batch(STUDY, "--resume", "-o", reference, "--sqlite", world.path("whole.db"))
    if not filecmp.cmp(world.path("merged.db"), world.path("whole.db"), shallow=False):
        fail("the database of the merged study differs")


def database(world):
    """What the database says is what the table says, and its numbers are numbers."""
    import csv
    import sqlite3
    reference = world.reference()
    world.batch(STUDY, "--resume", "-o", reference, "--sqlite", world.path("a.db"))
    connection = sqlite3.connect(world.path("a.db"))
    rows = [list(map(str, row)) for row in connection.execute("select * from points order by point")]
    table = list(csv.reader(open(reference + "/results.csv", newline="")))[1:]
    message = 9
    for row, line in zip(rows, table):
        row[message] = "" if row[message] == "None" else row[message]
        if row != line:
            fail(f"the database has {row}, the table {line}")
    sums = connection.execute('select sum("faults.minor"), count(*) from points').fetchone()
    if sums[1] != POINTS or sums[0] != sum(int(line["faults.minor"]) for line in
                                           csv.DictReader(open(reference + "/results.csv", newline=""))):
        fail(f"sums differ: {sums}")
    if connection.execute("select count(*) from phases").fetchone()[0] != POINTS * 3:
        fail("every point has three phases")


def run_until(world, folder, seconds, number):
    """Starts or resumes, sends a signal after a while, and says whether it had finished before."""
    process = subprocess.Popen(world.command(STUDY, "--resume", "--jobs", "2", "-o", folder), cwd=world.root,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        process.wait()
        return False


def saved(folder):
    try:
        return max((pathlib.Path(folder) / "journal").read_bytes().count(b"\n") - 1, 0)
    except FileNotFoundError:
        return 0


def kill(world):
    """kill -9 at 20 random moments: no finished point is lost, and the end is the same."""
    started = time.monotonic()
    reference = world.reference()
    whole = time.monotonic() - started
    generator = random.Random(7)
    for moment in range(20):
        folder = world.path(f"killed-{moment}")
        runs = 0
        done = False
        while not done and runs < 4:
            before = saved(folder)
            done = run_until(world, folder, generator.uniform(0.0, whole), signal.SIGKILL)
            runs += 1
            if saved(folder) < before:
                fail(f"there were {before} finished points, after a kill {saved(folder)}")
        world.batch(STUDY, "--resume", "-o", folder)
        assert_same(reference, folder)
        shutil.rmtree(folder)


def interrupt(world):
    """Ctrl-C ends by the signal, keeps what is finished and can go on."""
    reference = world.reference()
    folder = world.path("interrupted")
    process = subprocess.Popen(world.command(STUDY, "--jobs", "1", "-o", folder), cwd=world.root,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while saved(folder) < 2 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    told = process.communicate()[1]
    if process.returncode != -signal.SIGINT:
        fail(f"ended with {process.returncode}, not by SIGINT: {told}")
    if "--resume" not in told and saved(folder) < POINTS:
        fail(f"nobody is told how to go on: {told}")
    world.batch(STUDY, "--resume", "-o", folder)
    assert_same(reference, folder)


def damage(world):
    """A journal that was cut off or damaged: what is whole is kept, the rest is run again."""
    reference = world.reference()
    journal = pathlib.Path(reference) / "journal"
    whole = journal.read_bytes()
    generator = random.Random(3)
    for _ in range(12):
        folder = pathlib.Path(world.path("damaged"))
        folder.mkdir()
        cut = bytearray(whole[:generator.randrange(len(whole) + 1)])
        head = whole.index(b"\n") + 1
        if len(cut) > head and generator.random() < 0.5:
            cut[generator.randrange(head, len(cut))] ^= 1 << generator.randrange(8)
        (folder / "journal").write_bytes(cut)
        world.batch(STUDY, "--resume", "-o", str(folder))
        assert_same(reference, str(folder))
        shutil.rmtree(folder)


def refusals(world):
    """What must not be overwritten or mixed is refused."""
    reference = world.reference()
    world.batch(STUDY, "-o", reference, expect=2)
    world.batch(STUDY, "--set", "machine.cpus=2", "--resume", "-o", reference, expect=2)
    world.batch(STUDY, "--point", "1/2", "--resume", "-o", reference, expect=2)
    slow = subprocess.Popen(world.command(STUDY, "--jobs", "1", "-o", world.path("busy")), cwd=world.root,
                            stdout=subprocess.DEVNULL)
    while saved(world.path("busy")) < 1 and slow.poll() is None:
        time.sleep(0.005)
    if slow.poll() is None:
        world.batch(STUDY, "--resume", "-o", world.path("busy"), expect=2)
    slow.wait()


def failing(world):
    """A point that fails is told in its row and stops no other."""
    import csv
    done = world.batch("workloads/first-malloc.json", "--sweep", "machine.memory=1MiB,64MiB", "--sweep",
                       "libc=glibc,best-fit", "-o", world.path("failing"), expect=2)
    rows = list(csv.DictReader(open(world.path("failing/results.csv"), newline="")))
    statuses = [row["status"] for row in rows]
    if statuses != ["bad_input", "bad_input", "ok", "expect_failed"]:
        fail(f"the points ended {statuses}")
    if rows[0]["faults.minor"] != "" or "machine.memory" not in rows[0]["message"]:
        fail("a world that was never born has statistics, or no message")
    if "3 of 4 points failed" not in done.stderr:
        fail(done.stderr)


def on_a_terminal(world, columns, *arguments):
    """What it writes to a terminal of so many columns."""
    import fcntl
    import pty
    import struct
    import termios
    try:
        mine, its = pty.openpty()
    except OSError as why:
        skip(f"no terminal can be had here: {why}")
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(world.command(*arguments), cwd=world.root, stdout=subprocess.DEVNULL, stderr=its)
    os.close(its)
    told = b""
    try:
        while more := os.read(mine, 4096):
            told += more
    except OSError:  # the end of a terminal
        pass
    os.close(mine)
    process.wait()
    return told.decode()


def progress(world):
    """The line on a terminal: never wider than it, without sequences, gone at the end; in a pipe there is none."""
    for columns in (100, 30):
        told = on_a_terminal(world, columns, STUDY, "--jobs", "1", "-o", world.path(f"at-{columns}"))
        lines = [line for line in told.split("\r") if line.strip()]
        if not lines or any(len(line) >= columns for line in lines) or "\033" in told:
            fail(f"{columns} columns: {told!r}")
        if f"/{POINTS} points" not in lines[-1] or told.split("\r")[-2].strip():
            fail(f"{columns} columns: {lines[-1]!r}, then {told[-80:]!r}")
        if columns == 100 and ("/s, " not in told or " left; best cycles " not in told):
            fail(told)
    if on_a_terminal(world, 80, STUDY, "--quiet", "-o", world.path("quiet")):
        fail("quiet is not quiet")
    if world.batch(STUDY, "-o", world.path("pipe")).stderr:
        fail("it shows its progress to a pipe")


def hit_a_worker(world, folder, number):
    """Starts a study and sends a signal to one of the processes that run its points."""
    process = subprocess.Popen(world.command(STUDY, "--jobs", "2", "-o", folder), cwd=world.root,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while saved(folder) < 2:
        time.sleep(0.01)
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        process.kill()
        process.wait()
        skip("this kernel does not say whose child a process is")
    os.kill(int(children.read_text().split()[0]), number)
    told = process.communicate()[1]
    return process.returncode, told


def bug(world):
    """A world that takes its process down is one failed point; the others go on, and are as ever."""
    import csv
    reference = list(csv.DictReader(open(world.reference() + "/results.csv", newline="")))
    status, told = hit_a_worker(world, world.path("bug"), signal.SIGABRT)
    if status != 5 or "1 of 45 points failed" not in told:
        fail(f"exit status {status}: {told}")
    rows = list(csv.DictReader(open(world.path("bug/results.csv"), newline="")))
    broken = [row for row in rows if row["status"] == "bug"]
    if len(broken) != 1 or "SIGABRT" not in broken[0]["message"] or broken[0]["cycles"] != "":
        fail(f"the broken points are {broken}")
    for row, wanted in zip(rows, reference):
        if row["digest"] != wanted["digest"] or (row["status"] == "ok" and row != wanted):
            fail(f"point {row['point']} is {row}")


def outside(world):
    """A process that is killed from outside is no result: the point is run again."""
    reference = world.reference()
    status, told = hit_a_worker(world, world.path("outside"), signal.SIGKILL)
    if status != 4 or "signal 9" not in told or "--resume" not in told:
        fail(f"exit status {status}: {told}")
    world.batch(STUDY, "--resume", "-o", world.path("outside"))
    assert_same(reference, world.path("outside"))


def full_disk(world):
    """A full disk is a clear error; with room the study goes on."""
    reference = world.reference()
    disk = world.path("disk")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], stderr=subprocess.DEVNULL).returncode:
        skip("no tmpfs can be mounted here: that takes root")
    try:
        done = world.batch(STUDY, "-o", f"{disk}/study", expect=4)
        if "No space left on device" not in done.stderr or "--resume" not in done.stderr:
            fail(f"the error does not say what to do: {done.stderr}")
        before = saved(f"{disk}/study")
        subprocess.run(["mount", "-o", "remount,size=2m", disk], check=True)
        world.batch(STUDY, "--resume", "-o", f"{disk}/study", expect=4)
        if not before <= saved(f"{disk}/study"):
            fail("finished points were lost")
        subprocess.run(["mount", "-o", "remount,size=32m", disk], check=True)
        world.batch(STUDY, "--resume", "-o", f"{disk}/study")
        assert_same(reference, f"{disk}/study")
    finally:
        subprocess.run(["umount", disk], check=True)


def parallel(world):
    """The recipe for GNU parallel."""
    if not shutil.which("parallel"):
        skip("GNU parallel is not installed")
    reference = world.reference()
    subprocess.run(["sh", "examples/studies/parallel.sh", STUDY, world.path("out"), "3"], cwd=world.root, check=True,
                   env={**os.environ, "FAULTLINE": world.program}, stdout=subprocess.DEVNULL)
    assert_same(reference, world.path("out/all"))


class Cluster:
    """A cluster of one node, on this machine, for one test: munged, slurmctld and slurmd with folders of their own."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []
        self.environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}

    def start(self):
        host = socket.gethostname().split(".")[0]
        (self.folder / "state").mkdir()
        (self.folder / "spool").mkdir()
        (self.folder / "munge.key").write_bytes(os.urandom(1024))
        (self.folder / "munge.key").chmod(0o400)
        (self.folder / "slurm.conf").write_text(SLURM_CONF.format(
            folder=self.folder, host=host, cpus=os.cpu_count(), controller=free_port(), daemon=free_port()))
        names = {"socket": "sock", "key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        self.run("munged", "--foreground", "--force",
                 *(f"--{option}={self.folder}/munge.{ending}" for option, ending in names.items()))
        self.run("slurmctld", "-D", "-f", f"{self.folder}/slurm.conf")
        self.run("slurmd", "-D", "-f", f"{self.folder}/slurm.conf")

    def run(self, *command):
        log = open(self.folder / f"{command[0]}.out", "w")
        self.processes.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log))

    def says(self, *command):
        return subprocess.run(command, env=self.environment, text=True, capture_output=True, timeout=30).stdout

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, is_so, seconds=60):
    for _ in range(seconds * 5):
        if is_so():
            return
        time.sleep(0.2)
    fail(f"{what}: not within {seconds} s")


def slurm(world):
    """The recipe for Slurm: a job array on a real cluster of one node."""
    missing = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if not shutil.which(name, path=SBIN)]
    if missing:
        skip(f"{', '.join(missing)} not installed")
    if os.geteuid() != 0:
        skip("slurmd runs jobs as root only")
    os.environ["PATH"] = SBIN
    reference = world.reference()
    # The daemons refuse folders that others may write to.
    world.folder.chmod(0o755)
    home = world.folder / "cluster"
    home.mkdir()
    cluster = Cluster(home)
    try:
        cluster.start()
        wait_for("the node is idle", lambda: "idle" in cluster.says("sinfo", "-h", "-o", "%T"))
        out = world.path("out")
        subprocess.run(["sh", "examples/studies/slurm.sh", STUDY, out, "5"], cwd=world.root, check=True,
                       env={**cluster.environment, "FAULTLINE": world.program}, stdout=subprocess.DEVNULL)
        wait_for("all jobs end", lambda: not cluster.says("squeue", "-h").strip(), 120)
        if not os.path.exists(out + "/all/results.csv"):
            fail("\n".join(path.read_text() for path in sorted(pathlib.Path(out).glob("*.log"))))
        assert_same(reference, out + "/all")
    finally:
        cluster.stop()


CASES = [jobs, like_run, seeds, traces, slices, database, kill, interrupt, damage, refusals, failing, progress, bug, outside, full_disk, parallel, slurm]


def main():
    program, root, case = sys.argv[1:4]
    with tempfile.TemporaryDirectory() as folder:
        world = World(os.path.abspath(program), root, pathlib.Path(folder))
        next(function for function in CASES if function.__name__ == case)(world)
    print(f"{case}: good")


main()
