"""A full disk: what does not fit is refused plainly (507), nothing acknowledged is lost, reading and starting
go on, and once there is room the same change-set goes in."""

import os
import subprocess
import sys

import harness
from harness import Peer, Skipped, check

MIB = 1 << 20


class Tmpfs:
    def __init__(self, path, mib):
        self.path = path
        os.mkdir(path, 0o700)
        r = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0700", "tmpfs", path],
                           capture_output=True, text=True, check=False)
        if r.returncode != 0:
            raise Skipped("mounting a tmpfs is not permitted here: " + r.stderr.strip())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.path], check=False)

    def resize(self, mib):
        subprocess.run(["mount", "-o", f"remount,size={mib}m", self.path], check=True)


def count(w):
    # Not by `query`: that is audited, and a full disk has no room for the entry.
    return w.ctl_json("status")["records"]["person"]


def below_the_limit(w, peer):
    """Under limits.disk_free nothing new is taken, but reading goes on."""
    w.stop()
    w.configure("limits:\n  disk_free: 1GiB\n")
    w.start()
    harness.wait_for(lambda: w.readiness() == "503", "the low disk is seen")
    check(peer("idle").startswith("200 ok"), "reading with the disk nearly full")
    check(peer("good").startswith("507 full"), "a push with the disk nearly full")
    w.stop()
    w.configure("limits:\n  disk_free: 0\n")
    w.start()
    check("replay" in peer("replay"), "a refused request played again after a restart")
    check(peer("again").startswith("200 ok"), "the same change-set with room again")


def fill(peer):
    taken = 0
    while True:
        answer = peer("bulk")
        if not answer.startswith("200"):
            return taken, answer
        taken += 1
        check(taken < 200, "the disk never gets full")


def run(w, disk):
    w.configure("limits:\n  disk_free: 0\n")
    w.start()
    w.import_units()
    peer = Peer(w, w.invite("25195"))
    other = Peer(w, w.invite("25198"))
    check(peer("good").startswith("200 ok"), "a push with room")
    below_the_limit(w, peer)
    people = count(w)

    taken, answer = fill(peer)
    check(answer.startswith("507 full"), f"the disk is full: {answer}")
    check(taken > 2, f"only {taken} change-sets fitted")
    for _ in range(3):
        check(peer("again").startswith("507 full"), "still full")
    check(other("bulk").startswith("507 full"), "full for another device too")
    check(w.daemon.poll() is None, "the daemon ended")
    check(count(w) == people + 20 * taken, "what was acknowledged is not all there")
    w.ctl("status")

    check(w.stop() == 0, "stopping with a full disk")
    w.start(by_socket=True)
    check(count(w) == people + 20 * taken, "after a restart with a full disk")
    check(peer("again").startswith("507 full"), "still full after the restart")
    w.stop(9)
    w.start(by_socket=True)
    check(count(w) == people + 20 * taken, "after kill -9 with a full disk")

    disk.resize(128)
    check(peer("again").startswith("200 ok"), "the same change-set, with room again")
    check(other("again").startswith("200 ok"), "the other device's")
    check(peer("good").startswith("200 ok"), "and the next")
    check(count(w) == people + 20 * (taken + 2) + 1, "after there was room")
    peer.close()
    other.close()
    w.ctl("verify")
    with open(os.path.join(w.dir, "ctxhd.log"), encoding="utf-8") as f:
        lines = [line for line in f if line.startswith(("<3>", "<4>"))]
    check(len(lines) < 40, f"{len(lines)} lines for one full disk")


def test(w, _args):
    with Tmpfs(w.state, 24) as disk:
        try:
            run(w, disk)
        finally:
            w.stop(9)


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
