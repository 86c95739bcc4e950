"""What a study costs: points a second with one and two jobs, how busy its workers are, memory a job, and against a loop
of the shell over `faultline run`. Measures and judges nothing. On a machine that others use, too, the clock on the wall
says little: compare processor time, and the share of the time in which a worker ran or wanted to.

usage: study.py PROGRAM [POINTS [OPERATIONS]]
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

PROGRAM = os.path.abspath(sys.argv[1])
POINTS = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
OPERATIONS = int(sys.argv[3]) if len(sys.argv) > 3 else 100000
LOOP = 20
LIBCS = ["glibc", "first-fit"]


def write_workload(path):
    """Every operation is written out, as in a recording: reading them is work, too."""
    generator, live, script = random.Random(1), [], []
    while len(script) < OPERATIONS:
        if len(live) > 500:
            script.append({"op": "free", "id": live.pop(generator.randrange(len(live)))})
            continue
        name = f"b{len(script)}"
        live.append(name)
        script.append({"op": "malloc", "id": name, "size": generator.choice((24, 40, 100, 600, 3000))})
        script.append({"op": "write", "at": name, "length": 16})
    path.write_text(json.dumps({"faultline": 1, "name": "recorded", "script": script}))


class Workers(threading.Thread):
    """The largest resident set of any child of the process, and how long each of them ran or waited for a core."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.largest, self.wanted = pid, 0, {}

    @staticmethod
    def resident(pid):
        try:
            fields = pathlib.Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return 0
        return next((int(line.split()[1]) for line in fields.splitlines() if line.startswith("VmHWM")), 0)

    def run(self):
        while True:
            try:
                children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
                for child in children:
                    ran, waited, _ = map(int, pathlib.Path(f"/proc/{child}/schedstat").read_text().split())
                    self.wanted[child] = (ran + waited) / 1e9
                    self.largest = max(self.largest, self.resident(child))
            except OSError:
                if not os.path.exists(f"/proc/{self.pid}/task"):
                    return
            time.sleep(0.05)


def measure(command):
    """Wall seconds, processor seconds, and what its workers did."""
    before, start = os.times(), time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    workers = Workers(process.pid)
    workers.start()
    status = process.wait()
    wall, after = time.monotonic() - start, os.times()
    assert status == 0, command
    return wall, after.children_user + after.children_system - before.children_user - before.children_system, workers


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        workload = folder / "recorded.json"
        write_workload(workload)
        seeds = POINTS // len(LIBCS)
        sweep = [str(workload), "--sweep", "libc=" + ",".join(LIBCS), "--repeat", f"seeds=1..{seeds}"]
        print(f"{len(LIBCS) * seeds} points of {OPERATIONS} operations, a document of {workload.stat().st_size >> 10} KiB")
        print(f"{'':16}{'points/s':>10}{'wall s':>10}{'cpu s':>10}{'cpu ms/point':>14}{'busy':>9}{'MiB a job':>11}")
        for jobs in (1, 2):
            wall, cpu, workers = measure([PROGRAM, "batch", *sweep, "--jobs", str(jobs), "-o", str(folder / str(jobs))])
            points = len(LIBCS) * seeds
            print(f"batch --jobs {jobs:<3}{points / wall:10.1f}{wall:10.1f}{cpu:10.1f}{cpu * 1000 / points:14.2f}"
                  f"{sum(workers.wanted.values()) / wall / jobs:9.1%}{workers.largest / 1024:11.1f}")
        loop = " && ".join(f"'{PROGRAM}' run '{workload}' --stats json --set libc={LIBCS[i % len(LIBCS)]} --set seed={i + 1} "
                           f"--set kernel.seed={i + 1} > /dev/null" for i in range(LOOP))
        wall, cpu, _ = measure(["sh", "-c", loop])
        print(f"{'shell loop':16}{LOOP / wall:10.1f}{wall:10.1f}{cpu:10.1f}{cpu * 1000 / LOOP:14.2f}")


main()
