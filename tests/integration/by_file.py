"""By hand: a commune that meets the office only by files, lost, doubled, exchanged, cut, altered and late ones,
files and network in any mixture, a year of it. In the end both sides hold the same and the store is its log."""

import json
import os
import random
import shutil
import sqlite3
import stat
import sys

import harness
from harness import check

NAME = "Điểu K'Ré Bù Gia Mập"
OTHER = "Thị Mré Đăk Ơ"
STEP = 4096


class Courier:
    """Files between one client and the office."""

    def __init__(self, w, client):
        self.w = w
        self.c = client
        self.count = 0
        self.files = []

    def path(self, what):
        self.count += 1
        return os.path.join(self.w.dir, f"{self.c.name}-{self.count}-{what}.ctxh")

    def out(self):
        path = self.path("out")
        self.c("bundle", "out", path)
        self.files.append(path)
        return path

    def office(self, path, code=0):
        """The office takes a file; its return file."""
        back = self.path("return")
        r = self.w.ctl_json("bundle", "in", path, "--out", back, code=code)
        self.files.append(back)
        self.last = r[0] if isinstance(r, list) else r
        return back

    def back(self, path, code=0):
        return self.c("bundle", "in", path, code=code).stdout

    def round(self, office=0, here=0):
        return self.back(self.office(self.out(), code=office), code=here)


def standing(c, record):
    return c.json("show", record)["sync"]


def refused(r, *words):
    text = r.stdout + r.stderr
    for word in words:
        check(word in text, f"“{word}” wanted in: {text}")


def by_file_only(w):
    a = w.client("a", "25195", "--author", "Lê Văn An")
    k = Courier(w, a)
    pid = a.add("person", full_name=NAME, sex="male", phone="0912345678")
    first = k.out()
    check(standing(a, pid) == "waiting", "a file that was written is no receipt")
    check(stat.S_IMODE(os.stat(first).st_mode) == 0o600, "others can read the file")
    back = k.office(first)
    check(k.last["applied"] == 1 and k.last["outcome"] == "ok", f"{k.last}")
    check(standing(a, pid) == "waiting", "nothing is sent before the return file is read")
    k.back(back)
    check(standing(a, pid) == "sent", "the return file holds a receipt")
    rows = w.ctl_json("log", "--device", "1")
    check(rows[0]["transport"] == "file" and rows[0]["outcome"] == "ok", f"{rows[0]}")

    # Lost on the way there, lost on the way back: the next file holds it again.
    second = a.add("person", full_name=OTHER, sex="female")
    os.unlink(k.out())
    third = a.add("person", full_name="Lê Thị Mơ", sex="female")
    k.office(k.out())
    check(k.last["applied"] == 2, f"the second file holds what the lost one held: {k.last}")
    check(standing(a, second) == "waiting", "its return was lost")
    k.round()
    check(k.last["applied"] == 0, f"nothing is taken twice: {k.last}")
    check(standing(a, second) == standing(a, third) == "sent", "sent after all")
    check(w.ctl_json("missing") == [], "nothing is missing")
    return a, k, pid


def doubled_and_late(w, a, k, pid):
    a.add("person", full_name="Một", sex="male")
    one = k.out()
    a.add("person", full_name="Hai", sex="male")
    two = k.out()
    # The younger file first: it holds both. The older one then is only a repeat.
    back_two = k.office(two)
    check(k.last["applied"] == 2, f"{k.last}")
    back_one = k.office(one)
    check(k.last["applied"] == 0 and k.last["changesets"] == 0, f"{k.last}")
    again = k.office(two)
    a("edit", pid, "occupation=nông dân")
    k.back(back_two)
    k.back(back_two)
    k.back(again)
    before = a.json("show", pid)
    k.back(back_one)
    check(a.json("show", pid) == before, "a late return file undid something")
    check(a.json("show", pid)["fields"]["occupation"] == "nông dân", "the draft is on top")
    k.round()
    check(standing(a, pid) == "sent", "sent")
    check("older than what this device has" in k.back(back_one), "old news are named as such")
    # Everything that was ever returned, in any order: nothing moves back.
    status = a.json("status")
    shown = a.json("show", pid)
    for f in random.sample(k.files, len(k.files)):
        if "return" in f:
            k.back(f)
    check(a.json("show", pid) == shown and a.json("status")["sent"] == status["sent"],
          "old return files changed something")


def exchanged(w, a, k):
    b = w.client("b", "25195", "--author", "Trần Thị Bé")
    kb = Courier(w, b)
    out_a, out_b = k.out(), kb.out()
    back_a, back_b = k.office(out_a), kb.office(out_b)
    refused(b("bundle", "in", back_a, code=1), "another device", "number 1")
    refused(a("bundle", "in", out_a, code=1), "other way")
    refused(w.ctl("bundle", "in", back_a, code=1), "other way")
    refused(w.ctl("bundle", "in", os.path.join(harness.ROOT, "README.md"), code=1),
            "not a file of ctxh")
    refused(w.ctl("bundle", "in", out_a, "--out", os.path.join(w.dir, "passphrase"), code=1),
            "not replaced")
    refused(a("bundle", "out", w.passphrase, code=1), "not replaced")
    refused(w.ctl("bundle", "in", out_a, "--out", out_a, code=2), "another name")
    k.back(back_a)
    kb.back(back_b)
    return b, kb


def damaged(w, a, k):
    a.add("person", full_name="Hỏng trên đường", sex="male")
    good = k.out()
    with open(good, "rb") as f:
        whole = f.read()
    sessions = w.ctl_json("log", "--limit", "1000")
    held = w.ctl_json("device", "show", "1")["last_number"]
    bad = os.path.join(w.dir, "bad.ctxh")

    def put(content):
        with open(bad, "wb") as f:
            f.write(content)

    for cut in [0, 1, 7, 8, 39, 40, len(whole) // 2, len(whole) - 1]:
        put(whole[:cut])
        refused(w.ctl("bundle", "in", bad, code=1), "cut short" if cut >= 8 else "not a file of")
    put(whole + b"\0")
    refused(w.ctl("bundle", "in", bad, code=1), "longer")
    for _ in range(40):
        at = random.randrange(len(whole))
        put(whole[:at] + bytes([whole[at] ^ (1 << random.randrange(8))]) + whole[at + 1:])
        r = w.ctl("bundle", "in", bad, code=1)
        check("nothing was changed" in r.stderr, f"byte {at}: {r.stderr}")
    check(w.ctl_json("device", "show", "1")["last_number"] == held, "a damaged file was taken")
    check(len([r for r in w.ctl_json("log", "--limit", "1000") if r["outcome"] != "refused"]) ==
          len([r for r in sessions if r["outcome"] != "refused"]), "a damaged file left a session")
    back = k.office(good)
    with open(back, "rb") as f:
        whole = f.read()
    status = a.json("status")
    for _ in range(20):
        at = random.randrange(len(whole))
        put(whole[:at] + bytes([whole[at] ^ (1 << random.randrange(8))]) + whole[at + 1:])
        refused(a("bundle", "in", bad, code=1), "nothing was changed here")
    put(whole[:-1])
    refused(a("bundle", "in", bad, code=1), "cut short")
    check(a.json("status") == status, "a damaged return file changed something")
    k.back(back)


def mixed(w, a, b, k, kb, pid):
    """Files and network, conflicts between them."""
    b("sync")
    check(b.json("show", pid)["fields"]["full_name"] == NAME, "b sees what came by file")
    a("edit", pid, "occupation=giáo viên")
    f = k.out()
    b("edit", pid, "occupation=thợ may")
    b("sync", code=[0, 4])
    back = k.office(f, code=4)
    check(k.last["conflicts"] == 1 and k.last["outcome"] == "partial", f"{k.last}")
    k.back(back, code=4)
    kb.round(here=[0, 4])
    check(a.json("show", pid)["fields"] == b.json("show", pid)["fields"], "replicas differ")
    check(len([r for r in w.ctl_json("conflict", "list") if r["record"] == pid]) == 1, "conflict")

    # A file is on its way, the network is quicker: the file is a repeat, its return is old news.
    new = a.add("person", full_name="Nhanh hơn tệp", sex="male")
    slow = k.out()
    a("sync", code=[0, 4])
    check(standing(a, new) == "sent", "sent by network")
    back = k.office(slow)
    check(k.last["applied"] == 0, f"{k.last}")
    a.add("person", full_name="Sau nữa", sex="male")
    a("sync", code=[0, 4])
    k.back(back)
    check(a.json("status")["waiting"] == 0, "something went back to waiting")

    # Refused changes come back by file, too.
    own = a.add("person", full_name="Chuyển đi đâu", sex="male")
    a("sync", code=[0, 4])
    a("transfer", own, "--unit", "25198")
    k.round(office=[0, 4], here=[0, 4])


def restored_home(w):
    """A home folder from an older copy must not take a return file that goes on behind it."""
    c = w.client("c", "25195")
    k = Courier(w, c)
    k.round()
    old = c.home + "-old"
    shutil.copytree(c.home, old, ignore=shutil.ignore_patterns("*.sock"))
    c.add("person", full_name="Mới hơn bản sao", sex="male")
    k.round()
    later = k.office(k.out())
    shutil.rmtree(c.home)
    os.rename(old, c.home)
    refused(c("bundle", "in", later, code=1), "has not been")


def restored_office(w):
    """An older state of the office, in a new epoch: the file shows the gap, the next one fills it."""
    e = w.client("e", "25198")
    k = Courier(w, e)
    e.add("person", full_name="Trước bản sao", sex="male")
    k.round()
    w.stop()
    copy = w.state + "-copy"
    shutil.copytree(w.state, copy, ignore=shutil.ignore_patterns("*.sock"))
    w.start()
    lost = e.add("person", full_name="Văn phòng đã mất", sex="male")
    k.round()
    check(standing(e, lost) == "sent", "sent before the accident")
    w.stop()
    with sqlite3.connect(os.path.join(copy, "ctxhd.db")) as db:
        db.execute("DELETE FROM setting WHERE name = 'epoch'")
    db.close()
    shutil.rmtree(w.state)
    os.rename(copy, w.state)
    w.start()
    after = e.add("person", full_name="Sau bản sao", sex="male")
    back = k.office(k.out(), code=4)
    check(k.last["outcome"] == "gap" and k.last["applied"] == 0, f"{k.last}")
    check("lacks earlier changes" in k.back(back, code=4), "the gap is told")
    check(standing(e, lost) == "waiting", "what the office lost waits again")
    k.round()
    check(k.last["applied"] == 2, f"{k.last}")
    check(standing(e, lost) == standing(e, after) == "sent", "sent again")
    # Return files of the epoch that ended have nothing to say any more.
    for f in [f for f in k.files if "return" in f][:2]:
        check("older than what" in k.back(f), "an answer of an ended epoch was taken")
    return e


def forked_and_revoked(w, e):
    """A copied home folder: the first history stays, the second is kept apart; then revoked."""
    f = harness.Client(w, "f")
    shutil.copytree(e.home, f.home, ignore=shutil.ignore_patterns("*.sock"))
    ke, kf = Courier(w, e), Courier(w, f)
    e.add("person", full_name="Bản thứ nhất", sex="male")
    f.add("person", full_name="Bản thứ hai", sex="male")
    ke.round()
    back = kf.office(kf.out(), code=4)
    check(kf.last["outcome"] == "forked" and kf.last["quarantined"] == 1, f"{kf.last}")
    kf.back(back, code=1)
    refused(w.ctl("bundle", "in", ke.out(), code=1), "ctxhctl device release")
    check(w.ctl_json("log", "--limit", "1")[0]["error"] == "forked", "the log says why")
    g = w.client("g", "25198")
    kg = Courier(w, g)
    kg.round()
    out = kg.out()
    number = str(g.json("status")["device"])
    w.ctl("device", "revoke", number, "--why", "mất máy")
    refused(w.ctl("bundle", "in", out, code=1), "revoked")


def many_at_once(w):
    """More change-sets than one request may have: a file holds several requests."""
    h = w.client("h", "25198")
    k = Courier(w, h)
    last = None
    for i in range(70):
        last = h.add("person", full_name=f"Gói {i}", sex="male")
        k.out()
    back = k.office(k.out())
    check(k.last["changesets"] == 70 and k.last["applied"] == 70, f"{k.last}")
    # The network takes only 64 at a time; what the file brought is known there.
    shutil.copytree(h.home, h.home + "-twin", ignore=shutil.ignore_patterns("*.sock"))
    k.back(back)
    check(standing(h, last) == "sent" and h.json("status")["waiting"] == 0, "all of them are sent")
    twin = harness.Client(w, "h-twin")
    twin("sync")
    check(twin.json("status")["waiting"] == 0, "the network tells of all of them, too")
    check(twin.json("show", last) == h.json("show", last), "file and network differ")
    h("verify")
    twin("verify")


def a_year(w):
    """Twelve months by file only; some months the file or its return never arrives."""
    d = w.client("d", "25222", "--author", "Nông Thị Sen")
    k = Courier(w, d)
    people = []
    returns = []
    for month in range(1, 13):
        for i in range(random.randint(1, 4)):
            people.append(d.add("person", full_name=f"Người {month} {i}", sex="female"))
        for p in random.sample(people, min(3, len(people))):
            d("edit", p, f"phone=09{random.randrange(10 ** 8):08d}")
        f = k.out()
        if random.random() < 0.3:
            continue
        if random.random() < 0.3:
            k.office(f)
        returns.append(k.office(f))
        if random.random() < 0.3:
            continue
        k.back(random.choice(returns))
        k.back(returns[-1])
    k.round()
    check(d.json("status")["waiting"] == 0, "a year later something waits")
    for p in people:
        check(standing(d, p) == "sent", f"{p} is not sent")
        held = w.ctl_json("record", "show", p)
        held = held[0] if isinstance(held, list) else held
        here = d.json("show", p)["fields"]
        check(json.dumps(here["phone"]) in json.dumps(held) if "phone" in here else True,
              "the office holds something else")
    check(w.ctl_json("missing") == [], "nothing is missing")
    return k


def silent(couriers):
    """Nothing in any file tells what is in it."""
    words = [NAME, OTHER, "Lê Văn An", "25195", "full_name", "person", "0912345678", "nông dân",
             "Người 1", "schema", "device"]
    for k in couriers:
        for path in k.files:
            if not os.path.exists(path):
                continue
            with open(path, "rb") as f:
                content = f.read()
            check(len(content) % STEP == 0, f"{path}: {len(content)} bytes")
            for word in words:
                check(word.encode() not in content, f"“{word}” stands in {path}")


def test(w, _args):
    w.start()
    w.import_units()
    a, k, pid = by_file_only(w)
    doubled_and_late(w, a, k, pid)
    b, kb = exchanged(w, a, k)
    damaged(w, a, k)
    mixed(w, a, b, k, kb, pid)
    restored_home(w)
    many_at_once(w)
    year = a_year(w)
    silent([k, kb, year])
    for c in [a, b]:
        c("sync", code=[0, 4])
    check(a.json("show", pid)["fields"] == b.json("show", pid)["fields"], "replicas differ")
    for c in [a, b, year.c]:
        c("verify")
    w.ctl("verify")
    check(any(r["what"] == "bundle in" for r in w.ctl_json("audit", "list")), "no audit entry")
    forked_and_revoked(w, restored_office(w))
    w.ctl("verify")


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
