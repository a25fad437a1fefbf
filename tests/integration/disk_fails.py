"""A disk that fails (EIO): the daemon ends with 70 at once, whoever met the fault; nothing that was
acknowledged is lost, and what was not goes in when the disk is well again."""

import os
import sys

import harness
from harness import Peer, check


class Disk:
    def __init__(self, w):
        self.path = os.path.join(w.dir, "fault")
        w.preload = os.path.join(w.bin, "fault_io.so")
        w.env["CTXH_FAULT"] = self.path

    def fail(self, call):
        with open(self.path + "~", "w", encoding="ascii") as f:
            f.write(call)
        os.rename(self.path + "~", self.path)

    def heal(self):
        os.unlink(self.path)


def count(w):
    return w.ctl_json("query", "SELECT count(*) AS n FROM person")[0]["n"]


def open_sessions(w):
    return w.ctl_json("query", "SELECT count(*) AS n FROM session WHERE outcome = 0")[0]["n"]


def dies(w, what):
    code = w.daemon.wait(harness.PATIENCE)
    check(code == 70, f"{what}: exit {code}, not 70")
    w.daemon = None


def test(w, _args):
    disk = Disk(w)
    w.start()
    w.import_units()
    peer = Peer(w, w.invite("25195"))
    acknowledged = 0
    for call in ("fdatasync", "pwrite"):
        check(peer("good").startswith("200 ok"), "a push before the fault")
        acknowledged += 1
        disk.fail(call)
        answer = peer("good")
        check(not answer.startswith("200"), f"{call} failed and the push was acknowledged: {answer}")
        dies(w, f"{call} fails while writing")
        disk.heal()
        w.start()
        check(count(w) in (acknowledged, acknowledged + 1), "what was acknowledged is not all there")
        check(peer("again").startswith("200 ok"), "the same change-set after the fault")
        acknowledged += 1
        check(count(w) == acknowledged, "something is there twice, or lost")

    # A reader that met the fault cannot be trusted either, nor used again.
    check(peer("bulk").startswith("200 ok"), "a push nobody has read yet")
    acknowledged += 20
    # The end of the session is a write behind its answer: with it goes what a reader had in memory.
    check(open_sessions(w) == 0, "the session is open after its answer")
    disk.fail("pread")
    w.ctl("query", "SELECT sum(length(full_name)) FROM person", code=[0, 1, 3])
    dies(w, "pread fails while reading")
    disk.heal()
    w.start()
    check(count(w) == acknowledged, "after a failing read")
    check(peer("good").startswith("200 ok"), "a push after all")
    peer.close()
    w.ctl("verify")


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
