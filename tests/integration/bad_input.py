"""Bad input of every kind, from a peer that speaks the protocol: each gets its clear answer, each is in the
sync log, nothing refused is dropped, and the next good request goes through."""

import os
import sys

import harness
from harness import Peer, check


def quarantine(w):
    return w.ctl_json("quarantine", "list")


def test(w, _args):
    w.start()
    w.import_units()
    peer = Peer(w, w.invite("25195"))

    check(peer("good").startswith("200 ok"), "a good push")
    for word, status, code in (
            ("garbage", "400", "bad_request"), ("empty", "400", "bad_request"),
            ("bomb", "400", "bad_request"), ("truncated", "400", "bad_request"),
            ("version_2", "400", "bad_request"),
            ("too_long", "413", None), ("wrong_signature", "401", "unknown_device"),
            ("unknown_device", "401", "unknown_device")):
        answer = peer(word)
        check(answer.startswith(status) and (code is None or code in answer), f"{word}: {answer}")
    answer = peer("foreign_changeset")
    check(answer[0] == "4", f"a change-set signed by another key: {answer}")

    check("unknown_field" in peer("unknown_field"), "an unknown field is told")
    for word, code in (("wrong_type", "wrong_type"), ("no_such_code", "no_such_code"),
                       ("out_of_scope", "out_of_scope")):
        answer = peer(word)
        check(answer.startswith("200 ok") and f"{code}(quarantined)" in answer, f"{word}: {answer}")
    kept = quarantine(w)
    check(sorted(q["reason"] for q in kept) == ["no_such_code", "out_of_scope", "wrong_type"],
          f"quarantine: {kept}")

    check(peer("clock_2099").startswith("200 ok"), "a clock in 2099 is no reason to refuse")
    device = w.ctl_json("device", "show", str(peer.number))
    device = device[0] if isinstance(device, list) else device
    check(device["clock_offset_ms"] > 0, f"the clock is not listed as wrong: {device}")
    records = w.ctl_json("query", "SELECT max(log) AS m, count(*) AS n FROM person")
    check(records[0]["n"] >= 3, f"records: {records}")

    check(peer("good").startswith("200 ok"), "a good push between")
    check("replay" in peer("replay"), "the same request again")
    first, again = peer("repeat", answers=2)
    check(first.startswith("200") and again.startswith("200"), "the same change-set again")
    n = w.ctl_json("query", "SELECT count(*) AS n FROM person")[0]["n"]
    check("gap" in peer("gap"), "numbers missing")
    check(w.ctl_json("query", "SELECT count(*) AS n FROM person")[0]["n"] == n, "a gap changed something")
    check(peer("good").startswith("200 ok"), "after the gap was answered")

    check("forked" in peer("fork"), "a forked chain")
    check(any(d["state"] == "forked" for d in w.ctl_json("device", "list")), "the device is set aside")
    check(any("fork" in q["reason"] for q in quarantine(w)), "its changes are kept")
    peer.close()

    peer = Peer(w, w.invite("25195"))
    check(peer("good").startswith("200 ok"), "second device")
    w.ctl("device", "revoke", str(peer.number), "--why", "máy bị mất")
    check("revoked" in peer("good"), "a revoked device")
    peer.close()

    r = w.run("ctxh", "--home", os.path.join(w.dir, "home-x"), "enrol",
              w.invite("25195").rsplit("/", 1)[0] + "/AAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AA", code=[1, 2])
    check(r.stderr.strip() != "", "a wrong code is said")

    outcomes = [r["outcome"] for r in w.ctl_json("log", "--limit", "100")]
    errors = " ".join(str(r["error"]) for r in w.ctl_json("log", "--limit", "100"))
    check(outcomes.count("refused") >= 8, f"refused contacts are in the log: {outcomes}")
    for word in ("bad_request", "unknown_device", "replay", "gap", "forked", "revoked", "too_big"):
        check(word in errors, f"the log does not say {word}: {errors}")
    w.ctl("verify")


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
