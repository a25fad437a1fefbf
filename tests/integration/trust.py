"""Who may speak, and what others can do in a device's name: forged requests, replays across restarts and
kill -9, one invitation used twice at once, guessed codes, revocation, reloads that cross a stop."""

import os
import signal
import sys
import threading
import time

import harness
from harness import Peer, check


def log_of(w, device):
    return w.ctl_json("log", "--device", str(device), "--limit", "1000")


def forged(w):
    """What a stranger says in a device's name is no contact of that device."""
    peer = Peer(w, w.invite("25195"))
    check(peer("good").startswith("200 ok"), "a good push")
    before = w.ctl_json("device", "show", str(peer.number))
    rows = len(log_of(w, peer.number))
    check(peer("wrong_signature").startswith("401 unknown_device"), "a forged request")
    strangers = [r for r in w.ctl_json("log", "--limit", "5") if r["error"] == "unknown_device"]
    check(strangers, "a forged request is not in the log")
    check(strangers[0]["unit"] in (None, "", 0), f"a forged request has the device's unit: {strangers}")
    check(len(log_of(w, peer.number)) == rows, "a forged request is in the device's log")
    check(w.ctl_json("device", "show", str(peer.number)) == before, "a forged request changed the device")
    peer.close()


def alike(w):
    """No such device and not its key: the same bytes."""
    peer = Peer(w, w.invite("25195"))
    wrong, unknown = peer("wrong_signature"), peer("unknown_device")
    check(wrong == unknown, f"{wrong} is not {unknown}")
    peer.close()


def replays(w):
    """A request that was taken once is never taken again, whatever happened to the daemon."""
    peer = Peer(w, w.invite("25195"))
    for how, word in ((signal.SIGTERM, "idle"), (signal.SIGKILL, "idle"), (signal.SIGKILL, "good")):
        check(peer(word).startswith("200 ok"), word)
        w.stop(how)
        w.start()
        check("replay" in peer("replay"), f"{word} played again after signal {how}")
    check(peer("foreign_changeset").startswith("400 bad_signature"), "refused after its counter was taken")
    check(log_of(w, peer.number)[0]["error"] == "bad_signature", "who asked for the log has its row on the disk")
    w.stop(signal.SIGKILL)
    w.start()
    check("replay" in peer("replay"), "a refused request played again after kill -9")
    check(peer("good").startswith("200 ok"), "the device goes on")
    peer.close()


def one_code_twice(w):
    for _ in range(5):
        invitation = w.invite("25195")
        peers = []

        def enrol():
            peers.append(Peer(w, invitation))
        threads = [threading.Thread(target=enrol) for _ in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        check(sum(p.number != 0 for p in peers) == 1, f"one code enrolled {[p.number for p in peers]}")
        for p in peers:
            p.close()


def guessing(w):
    """Guessing codes is limited, and does not keep others out."""
    invitation = w.invite("25195")
    wrong = invitation.rsplit("/", 1)[0] + "/AAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AA"
    r = w.run("ctxh", "--home", os.path.join(w.dir, "home-guess"), "enrol", wrong, code=[1, 2])
    check("Traceback" not in r.stderr and r.stderr.strip(), "a wrong code is said")
    peer = Peer(w, invitation)
    check(peer.number != 0, "the right code after a wrong one")
    peer.close()


def revoked(w):
    peer = Peer(w, w.invite("25195"))
    check(peer("good").startswith("200 ok"), "before")
    w.ctl("device", "revoke", str(peer.number), "--why", "thử")
    check(peer("idle").startswith("403 revoked"), "the next request")
    check(peer("wrong_signature").startswith("401 unknown_device"), "only its key learns of it")
    check(log_of(w, peer.number)[0]["error"] == "revoked", "its contact is not in the log")
    peer.close()


def log_has_no_names(w):
    with open(os.path.join(w.dir, "ctxhd.log"), encoding="utf-8") as f:
        text = f.read()
    for word in ("Tên Thử", "Người lạ", "thử"):
        check(word not in text, f"the journal names {word}")


def modes(w):
    for name in os.listdir(w.state):
        mode = os.lstat(os.path.join(w.state, name)).st_mode & 0o777
        wanted = 0o660 if name == "admin.sock" else 0o600
        check(mode == wanted, f"{name} has mode {mode:o}")
    check(os.stat(w.state).st_mode & 0o777 == 0o700, "the state folder is open to others")


def stop_while_reloading(w):
    for pause in (0, 0.001, 0.003, 0.01, 0.02, 0.03, 0.05):
        for _ in range(3):
            w.daemon.send_signal(signal.SIGHUP)
            time.sleep(pause)
        code = w.stop()
        check(code == 0, f"SIGHUP and SIGTERM after {pause}: exit {code}")
        w.start()


def test(w, _args):
    w.configure("limits:\n  disk_free: 0\n  refused_per_minute: 1000\n")
    w.start("--log", "info")
    w.import_units()
    modes(w)
    forged(w)
    alike(w)
    one_code_twice(w)
    guessing(w)
    revoked(w)
    replays(w)
    stop_while_reloading(w)
    log_has_no_names(w)
    w.ctl("verify")


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
