"""Law's erasure: a person with events, conflicts, refused changes, files and two clients is erased. What was written
of him is then in no byte of the office's folder, of the homes, of files; everything else is as it was and verifies."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import harness
import killing
from harness import Client, check

# Whatever of these is found afterwards was not erased.
CANARIES = ["Điểu Kanh Xuân Trừng", "067199344771", "0977123459", "thợ rèn Lộc Tấn", "thợ may Lộc Thuận",
            "gãy tay trái ở rẫy điều", "Thôn Chín Suối Vàng"]
STAYS = "Thị Mré Ở Lại Đây"
WHY, BASIS = "Người được ghi yêu cầu", "Luật 91/2025/QH15"


def one(r):
    return r[0] if isinstance(r, list) else r


def files_under(folder):
    return [os.path.join(d, f) for d, _, names in os.walk(folder) for f in names if f != "admin.sock"]


def found(w, folder, texts=None):
    """(file, how, text) of every canary in the raw bytes of a folder, or inside what zstd packed there."""
    r = subprocess.run([os.path.join(w.bin, "raw_search"), *(texts or CANARIES), "--",
                        *[f for f in files_under(folder) if os.path.isfile(f)]],
                       capture_output=True, text=True, check=True)
    return [tuple(line.split("\t")) for line in r.stdout.splitlines()]


def bodies(w):
    """Bodies of the log may be longer than a page: read as SQLite does, from a copy."""
    folder = os.path.join(w.dir, "bodies")
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    for end in ("", "-wal"):
        path = os.path.join(w.state, "ctxhd.db" + end)
        if os.path.exists(path):
            shutil.copy(path, os.path.join(folder, "copy.db" + end))
    with sqlite3.connect(os.path.join(folder, "copy.db")) as db:
        for log, body in db.execute("SELECT log, body FROM changeset"):
            with open(os.path.join(folder, f"body-{log}"), "wb") as f:
                f.write(body)
    db.close()
    hits = found(w, folder)
    shutil.rmtree(folder)
    return hits


def in_vault(w, c):
    r = subprocess.run([os.path.join(w.bin, "vault_dump"), c.home, "mật khẩu thử"], capture_output=True,
                       check=False)
    check(r.returncode == 0, f"the vault of {c.name} does not open: {r.stderr.decode()}")
    return [t for t in CANARIES if t.encode() in r.stdout]


def sealed_rows(c, record):
    """What the vault holds of a record, as sealed: these bytes must be overwritten, not only let go."""
    with sqlite3.connect(os.path.join(c.home, "vault.db")) as db:
        rows = [bytes(b) for (b,) in db.execute("SELECT body FROM record WHERE id = ?", (bytes.fromhex(record),))]
        rows += [bytes(b) for (b,) in db.execute("SELECT body FROM change WHERE id = ?", (bytes.fromhex(record),))]
    db.close()
    return rows


def raw_holds(c, pieces):
    """A window of 24 bytes of any of them, anywhere in the home."""
    data = b"".join(open(f, "rb").read() for f in files_under(c.home))
    return any(p[at:at + 24] in data for p in pieces for at in range(0, len(p) - 24, 24))


def prepare(w):
    """A person of whom something lies in every place that can hold it, and one who stays."""
    a = w.client("a", "25195", "--author", "Lê Văn An")
    b = w.client("b", "25195", "--author", "Trần Thị Bé")
    pid = a.add("person", full_name=CANARIES[0], sex="male", identity_number=CANARIES[1], phone=CANARIES[2],
                hamlet=CANARIES[6])
    other = a.add("person", full_name=STAYS, sex="female", phone="0912000111")
    a("sync")
    b("sync")
    # A conflict, told to its loser.
    a("edit", pid, f"occupation={CANARIES[3]}")
    b("edit", pid, f"occupation={CANARIES[4]}")
    a("sync", code=[0, 4])
    b("sync", code=[0, 4])
    a("sync", code=[0, 4])
    event = a("add", "intervention", f"person={pid}", "given_on=2021-05-06", "kind=EMG_RICE",
              f"result={CANARIES[5]}").stdout.split()[-1]
    a("sync", code=[0, 4])
    # A question in the audit, with his name in it.
    w.ctl("query", f"SELECT count(*) FROM person WHERE full_name = '{CANARIES[0]}'")
    # Edits of his that come later: over the network, and by a file that is on its way.
    b("edit", pid, f"phone={CANARIES[2]}1", f"occupation={CANARIES[3]}", code=[0, 1])
    out = os.path.join(w.dir, "late.ctxh")
    b("bundle", "out", out)
    a("edit", pid, f"occupation={CANARIES[4]}")
    return a, b, pid, other, event, out


def before(w, a, b, pid):
    """The search finds them while they are there; else finding nothing would say nothing."""
    hits = {t for _, _, t in found(w, w.state)} | {t for _, _, t in bodies(w)}
    check(hits >= set(CANARIES), f"control: the search misses {set(CANARIES) - hits}")
    for c in (a, b):
        check(len(in_vault(w, c)) >= 5, f"control: the vault of {c.name} shows {in_vault(w, c)}")
    pieces = {c.name: sealed_rows(c, pid) for c in (a, b)}
    for c in (a, b):
        check(pieces[c.name] and raw_holds(c, pieces[c.name]), f"control: sealed rows of {c.name}")
    return pieces


def nothing_at_the_office(w, when):
    hits = found(w, w.state) + bodies(w)
    check(hits == [], f"{when}: {hits}")
    with open(os.path.join(w.dir, "ctxhd.log"), encoding="utf-8", errors="replace") as f:
        text = f.read()
    check(not any(t in text for t in CANARIES), f"{when}: the daemon's log names him")


def sound(w):
    r = one(w.ctl_json("verify"))
    check(r["found"] == 0, f"verify: {r}")


def erase_is_refused_when_it_should(w, pid, event):
    w.ctl("erase", pid, "--basis", BASIS, code=[1, 2])
    w.ctl("erase", "00112233445566778899aabbccddeeff", "--why", WHY, "--basis", BASIS, code=1)
    r = w.ctl("erase", pid, "--why", f"{CANARIES[0]} yêu cầu", "--basis", BASIS, code=1)
    check("nothing was erased" in r.stderr, r.stderr)
    r = one(w.ctl_json("erase", pid, "--why", WHY, "--basis", BASIS, "--dry-run"))
    check([p["record"] for p in r["pointing"]] == [event], f"who points at him: {r}")
    check(w.ctl_json("record", "show", pid) is not None, "a dry run erased")


def clients_forget(w, a, b, pid, other, pieces, late):
    for c in (a, b, a, b):
        c("sync", code=[0, 4])
    nothing_at_the_office(w, "after late edits over the network")
    for c in (a, b):
        check(in_vault(w, c) == [], f"{c.name} still holds {in_vault(w, c)}")
        check(not raw_holds(c, pieces[c.name]), f"{c.name}: sealed rows are still in the file")
        c("show", pid, code=1)
        check(c.json("show", other)["fields"]["full_name"] == STAYS, f"{c.name} lost the other one")
        check(CANARIES[0] not in c("search", "Điểu Kanh", code=[0, 1]).stdout, "the search knows him")
        c("verify")
    back = os.path.join(w.dir, "return.ctxh")
    w.ctl("bundle", "in", late, "--out", back, code=[0, 4])
    nothing_at_the_office(w, "after a late file")
    b("bundle", "in", back, code=[0, 4])
    check(in_vault(w, b) == [], f"b by file: {in_vault(w, b)}")


def late_edits_are_told(w):
    rows = [r for r in w.ctl_json("quarantine", "list") if r["reason"] == "erased"]
    check(rows and all(r["state"] == "erased" for r in rows), f"late edits: {rows}")
    number = rows[0]["quarantine"]
    w.ctl("quarantine", "replay", str(number), code=1)
    w.ctl("quarantine", "list", "--open")


def comes_not_back(w, a, b, pid, other, backup):
    """From a backup that still holds him: the list beside it, or kept elsewhere, erases him again, and devices send
    him no more."""
    w.stop()
    check("CTXHERA1" in open(os.path.join(w.state, "backup", "erasures"), "rb").read(8).decode(), "no list")
    shutil.move(w.state, w.state + ".lost")
    backup = backup.replace(w.state, w.state + ".lost")
    elsewhere = os.path.join(w.dir, "elsewhere")
    shutil.move(w.state + ".lost/backup/erasures", elsewhere)
    os.unlink(w.state + ".lost/erasures")
    r = w.run("ctxhctl", "restore", backup, "--state", w.state)
    check("No list of erasures" in r.stdout, f"without a list: {r.stdout}")
    shutil.rmtree(w.state)
    for name, content in (("not-there", None), ("altered", b"CTXHERA1" + b"x" * 200)):
        path = os.path.join(w.dir, name)
        if content is not None:
            with open(path, "wb") as f:
                f.write(content)
        r = w.run("ctxhctl", "restore", backup, "--state", w.state, "--erasures", path, code=1)
        check(not os.path.exists(w.state) and "was not made" in r.stderr, f"{name}: {r.stderr}")
    r = w.run("ctxhctl", "restore", backup, "--state", w.state, "--erasures", elsewhere)
    check("2" in [line.split(":")[-1].strip() for line in r.stdout.splitlines()], f"erased again: {r.stdout}")
    shutil.rmtree(w.state + ".lost")
    w.start()
    harness.wait_for(lambda: one(w.ctl_json("erase", pid, "--why", WHY, "--basis", BASIS))["swept"], "swept")
    nothing_at_the_office(w, "after a restore")
    for c in (a, b, a, b):
        c("sync", code=[0, 4])
    nothing_at_the_office(w, "after a restore, devices came")
    check([t for c in (a, b) for t in in_vault(w, c)] == [], "a device got him back")
    check(b.json("show", other)["fields"]["full_name"] == STAYS, "the other one is lost")
    check(w.ctl_json("missing") == [], "devices could not send again what the backup lacked")
    sound(w)


ENTRIES = ["Entries", "Chain head"]
OF_FILE = ["The daemon's key", "Log number"]


def labels(r):
    """The English labels of a table of one object."""
    return [line.split(" / ")[1].split(":")[0] for line in r.stdout.splitlines()]


def audit_is_pinned(w, mark):
    """Details went, the chain verifies; the checkpoint of before is verified offline, and altered ones are not."""
    check(one(w.ctl_json("audit", "verify"))["entries"] > 2, "the audit has no entries")
    r = one(w.ctl_json("audit", "verify", mark, "--socket", os.path.join(w.state, "admin.sock")))
    check(r["continues"] is True, f"the audit does not go on from its checkpoint: {r}")
    # Rows of what was not asked are not there, empty or not.
    check(labels(w.ctl("audit", "verify")) == ENTRIES, "audit verify")
    check(labels(w.ctl("audit", "verify", mark, "--socket", os.path.join(w.state, "admin.sock"))) ==
          ENTRIES + OF_FILE + ["The daemon continues this chain"], "audit verify of a file with a daemon")
    env, w.env = w.env, {k: v for k, v in w.env.items() if k != "CTXH_ADMIN_SOCKET"}
    check(labels(w.ctl("audit", "verify", mark)) == ENTRIES + OF_FILE, "audit verify of a file")
    text = open(mark, encoding="utf-8").read()
    for old, new in (('"what": "query"', '"what": "querx"'), ('"entries": ', '"entries": 1'), ('"number": ', '"number": 1')):
        check(old in text, f"the checkpoint has no {old}")
        bad = mark + ".bad"
        with open(bad, "w", encoding="utf-8") as f:
            f.write(text.replace(old, new, 1))
        w.ctl("audit", "verify", bad, code=1)
    w.env = env


def killed_in_the_middle(w, a, cycles):
    """kill -9 at any moment of an erasure: it happened wholly or not at all, and the next start ends the sweep."""
    outcomes = {"done": 0, "not done": 0}
    for i in range(cycles):
        name = f"{CANARIES[0]} {i}"
        pid = a.add("person", full_name=name, sex="male", code=[0, 4])
        a("sync", code=[0, 4])
        p = subprocess.Popen([w.program("ctxhctl"), "erase", pid, "--why", WHY, "--basis", BASIS], env=w.env,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0, 0.25))
        w.stop(signal.SIGKILL)
        p.wait()
        w.start()
        sound(w)
        there = w.ctl("record", "show", pid, code=[0, 1]).returncode == 0
        outcomes["not done" if there else "done"] += 1
        if there:
            check(one(w.ctl_json("record", "show", pid))["fields"]["full_name"]["value"] == name, "half erased")
        r = one(w.ctl_json("erase", pid, "--why", WHY, "--basis", BASIS))
        check(r["swept"], f"not swept: {r}")
        nothing_at_the_office(w, f"kill {i}, {'not done' if there else 'done'} before")
        sound(w)
    print(f"killed: {outcomes}")


def device_killed_in_the_middle(w, a, cycles):
    """kill -9 of a device anywhere in the contact that tells it: what was taken out is in no byte of its home once
    anybody opens that again, without a network."""
    pid = a.add("person", full_name=f"{CANARIES[0]} cuối", sex="male", code=[0, 4])
    a("sync", code=[0, 4])
    c = w.client("c", "25195")
    c("sync", code=[0, 4])
    pieces = sealed_rows(c, pid)
    w.ctl("erase", pid, "--why", WHY, "--basis", BASIS)
    kill = killing.Kill(w, "device")

    def contact(i, point):
        """A copy of the home, and its contact up to this point."""
        v = Client(w, f"victim-{i}")
        shutil.copytree(c.home, v.home)
        kill.reset(point)
        subprocess.run([w.program("ctxh"), "--home", v.home, "sync"], env=kill.env(w.env), check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return v

    v = contact("whole", 0)
    points = kill.count
    check(v("show", pid, code=1) and not raw_holds(v, pieces), "a whole contact left something")
    outcomes = {"not yet": 0, "left something": 0, "swept": 0}
    for i in range(cycles):
        v = contact(i, 1 + (i * points + random.randrange(points)) // cycles)
        is_left = raw_holds(v, pieces)
        if v("show", pid, code=[0, 1]).returncode == 0:
            outcomes["not yet"] += 1
            continue
        outcomes["left something" if is_left else "swept"] += 1
        check(not raw_holds(v, pieces), f"kill at {kill.what}: what was erased is still in the home")
        v("verify")
    kill.close()
    print(f"device killed: {outcomes} at {points} points")
    check(outcomes["left something"] > 0, "control: no kill fell between taking out and sweeping")


def without_sweeping(w, pid):
    """Negative control of the search of free pages: deleted as SQLite does without secure_delete."""
    folder = os.path.join(w.dir, "control")
    os.mkdir(folder)
    for end in ("", "-wal"):
        path = os.path.join(w.state, "ctxhd.db" + end)
        if os.path.exists(path):
            shutil.copy(path, os.path.join(folder, "ctxhd.db" + end))
    db = sqlite3.connect(os.path.join(folder, "ctxhd.db"))
    db.execute("PRAGMA secure_delete=OFF")
    db.execute("DELETE FROM person WHERE id = ?", (bytes.fromhex(pid),))
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    check(found(w, folder), "control: without secure_delete the search finds nothing")
    shutil.rmtree(folder)


def test(w, args):
    w.start()
    w.import_units()
    a, b, pid, other, event, late = prepare(w)
    pieces = before(w, a, b, pid)
    without_sweeping(w, pid)
    erase_is_refused_when_it_should(w, pid, event)

    backup = one(w.ctl_json("backup", "now"))["path"]
    mark = os.path.join(w.dir, "mark.json")
    w.ctl("audit", "checkpoint", "-o", mark)
    a("edit", other, "occupation=làm rẫy")
    a("sync", code=[0, 4])

    # He alone: what was given to him stays, and points at nobody.
    r = one(w.ctl_json("erase", pid, "--why", WHY, "--basis", BASIS))
    check(r["swept"] and r["changes"] >= 3 and r["audits"] >= 1 and len(r["pointing"]) == 1, f"erase: {r}")
    check({t for _, _, t in found(w, w.state) + bodies(w)} == {CANARIES[5]}, "only the event's text is left")
    sound(w)
    # Once more, with it: an erasure can go on where another stopped.
    r = one(w.ctl_json("erase", pid, "--why", WHY, "--basis", BASIS, "--with-events"))
    check(sorted(r["records"]) == sorted([pid, event]) and r["pointing"] == [], f"with events: {r}")
    nothing_at_the_office(w, "after erase")
    sound(w)
    check("xóa theo luật" in w.ctl("record", "show", pid, code=1).stderr, "nobody says that the law took it")
    check(w.ctl_json("record", "show", other)["fields"]["full_name"]["value"] == STAYS, "the other one")

    audit_is_pinned(w, mark)
    clients_forget(w, a, b, pid, other, pieces, late)
    late_edits_are_told(w)
    sound(w)

    # The same after a restart, and the other person goes on as ever.
    check(w.stop(signal.SIGKILL) is not None, "killed")
    w.start()
    nothing_at_the_office(w, "after a restart")
    a("edit", other, "occupation=nông dân")
    a("sync")
    b("sync")
    check(b.json("show", other)["fields"]["occupation"] == "nông dân", "the other one no longer syncs")
    sound(w)
    comes_not_back(w, a, b, pid, other, backup)
    killed_in_the_middle(w, a, args.cycles or 5)
    device_killed_in_the_middle(w, a, 3 * (args.cycles or 5))


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
