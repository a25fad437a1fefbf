"""An enrolment that is cut short, by kill -9 of the client at any of its points: the same command again ends
well, as its last message said, with schema and units, and it stays one device."""

import os
import random
import signal
import subprocess
import sys
import tempfile

import harness
import killing
from harness import Client, check

STRIDE = 8  # of some 400 points


def enrol(w, c, kill, invitation, at):
    kill.reset(at)
    p = subprocess.run([w.program("ctxh"), "--home", c.home, "enrol", invitation, "--name", c.name],
                       env=kill.env(w.env), capture_output=True, text=True, timeout=harness.PATIENCE, check=False)
    return p


def is_usable(w, c):
    """Types are known, something can be entered and sent."""
    c.add("person", full_name="Điểu K'Ré")
    c("sync")
    check(c.json("status")["sent"] == 1, f"{c.name}: the entry was not sent")
    c("verify")


def test(w, _args):
    w.configure("limits:\n  enrol_per_minute: 10000\n")
    w.start()
    w.import_units()
    kill = killing.Kill(w, "client")
    whole = Client(w, "whole")
    p = enrol(w, whole, kill, w.invite("25195"), 0)
    check(p.returncode == 0, f"enrolment: {p.stderr}")
    points = kill.count
    check(points > 20, f"an enrolment has {points} points")
    r = whole("enrol", w.invite("25195"), code=1)
    check("--home" in r.stderr, f"a second enrolment of a whole device is refused: {r.stderr}")

    cut = 0
    every = range(random.randint(1, STRIDE), points + 1, STRIDE)
    for at in every:
        c = Client(w, f"c{at}")
        invitation = w.invite("25195")
        p = enrol(w, c, kill, invitation, at)
        cut += p.returncode == -signal.SIGKILL
        p = enrol(w, c, kill, invitation, 0)
        is_done = p.returncode == 1 and "--home" in p.stderr  # the cut was behind its last step
        check(p.returncode == 0 or is_done, f"killed at {at} of {points}: exit {p.returncode}: {p.stderr}")
        if random.random() < 0.2 or is_done:
            is_usable(w, c)
    check(cut >= len(every) - 2, f"{cut} of {len(every)} were cut")
    numbers = [r["number"] for r in w.ctl_json("device", "list")]
    check(len(numbers) == len(every) + 1, f"{len(every) + 1} enrolments made {len(numbers)} devices")
    w.ctl("verify")
    print(f"{cut} enrolments cut, each ended well")


if __name__ == "__main__":
    if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK):
        tempfile.tempdir = "/dev/shm"
    os.environ["CTXH_TEST_KDF_KIB"] = "8"
    sys.exit(harness.main(test, __doc__))
