"""Disks that were copied or rolled back, and numbers that are lost: recognised by the chain, set aside, everything kept,
and released to an identity of its own that loses nothing. A copy under its old number is the negative control: the
office takes nothing from it."""

import os
import random
import shutil
import signal
import sys
import time

import harness
from harness import Client, World, check


def copy(w, client, name):
    """A disk image: the whole home, put on another machine."""
    twin = Client(w, name)
    shutil.copytree(client.home, twin.home)
    return twin


def release(w, number):
    line = w.ctl("device", "release", str(number)).stdout.strip().splitlines()
    check(len(line) == 1 and line[0].startswith("ctxh://"), f"one line: {line}")
    return line[0]


def refused_as_forked(client):
    r = client("sync", code=1)
    check("forked" in r.stderr, r.stderr)
    r = client("status")
    check("ctxh enrol" in r.stderr, f"what to do: {r.stderr}")


def go_on(w, client, number):
    """Released, enrolled again, everything sent. The new number."""
    r = client("enrol", release(w, number))
    check(f"{number}" in r.stdout, r.stdout)
    client("sync", code=[0, 4])
    status = client.json("status")
    check(status["waiting"] == 0, f"{client.name}: {status}")
    client("verify")
    return status["device"]


def forked_rows(w):
    return [q for q in w.ctl_json("quarantine", "list") if q["reason"] == "forked"]


def fields(w, pid):
    return {f: v["value"] for f, v in w.ctl_json("record", "show", pid)["fields"].items()}


def sound(w):
    found = w.ctl_json("verify")
    check(found["found"] == 0, f"{found}")


def changes_of(w, pid):
    """The changes that made a record, as the office merged them."""
    return {(h["device"], h["number"]) for h in w.ctl_json("record", "show", pid)["history"]}


def cloned(w):
    """Two copies write; both are set aside, both go on."""
    a = w.client("a", "25195", "--author", "Lê Văn An")
    other = w.client("neighbour", "25195", "--author", "Trần Thị Bé")
    old = a.add("person", full_name="Điểu K'Ré", sex="male", phone="0912345678")
    a("sync")
    number = a.json("status")["device"]
    draft = a.add("person", full_name="Nháp Trước Khi Chép", sex="female")
    b = copy(w, a, "b")

    mine = a.add("person", full_name="Bản Chính", sex="male")
    a("edit", old, "occupation=nông dân", "phone=0900000001")
    theirs = b.add("person", full_name="Bản Sao", sex="female")
    b("edit", old, "hamlet=Thôn 2", "phone=0900000002")
    a("sync")
    other("sync")
    other("edit", draft, "full_name=Người Khác Đã Sửa")
    other("sync")

    # A home that was not set aside keeps what it is.
    r = a("enrol", w.invite("25195"), code=1)
    check("ctxh sync" in r.stderr and a.json("status")["device"] == number, r.stderr)
    r = w.ctl("device", "release", str(number), code=1)
    check("at work" in r.stderr, r.stderr)
    refused_as_forked(b)
    refused_as_forked(a)
    check([d["state"] for d in w.ctl_json("device", "list") if d["number"] == number] == ["forked"], "set aside")
    waiting = forked_rows(w)
    check(len(waiting) == 3 and all(q["state"] == "open" for q in waiting), f"{waiting}")
    check(w.ctl_json("missing") == [], "numbers of another history are not missing")

    # Not any invitation, not in any folder.
    r = b("enrol", w.invite("25195"), code=1)
    check("other_home" in r.stderr, r.stderr)
    line = release(w, number)
    fresh = Client(w, "fresh")
    fresh("enrol", line, code=1)
    other("sync")
    check(b.json("status")["device"] == number, "nothing changed")
    shown = w.ctl_json("device", "show", str(number))
    check(shown["released_at"] and shown["release_expires_at"] and shown["successors"] == [], f"{shown}")

    second = go_on(w, b, number)
    third = go_on(w, a, number)
    check(len({number, second, third}) == 3, "identities of their own")
    shown = w.ctl_json("device", "show", str(number))
    check(shown["state"] == "forked" and shown["successors"] == [second, third], f"{shown}")
    check(w.ctl_json("device", "show", str(third))["former"] == number, "whose place it took")
    audit = [x["what"] for x in w.ctl_json("audit", "list")]
    check(audit.count("device release") == 3, f"{audit}")

    rows = forked_rows(w)
    check([q["state"] for q in rows] == ["resent"] * 3, f"{rows}")
    check(str(second) in w.ctl_json("quarantine", "show", str(rows[0]["quarantine"]))["why"], "who sent it")
    r = w.ctl("quarantine", "replay", str(rows[0]["quarantine"]), code=1)
    check("resent" in r.stderr, r.stderr)
    got = fields(w, old)
    check(got["occupation"] == "nông dân" and got["hamlet"] == "Thôn 2", f"{got}")
    check(got["phone"] == "0900000002", f"the later of two: {got}")
    lost = [c for c in w.ctl_json("conflict", "list") if c["record"] == old]
    check([c["lost"] for c in lost] == ["0900000001"], f"what lost is told: {lost}")
    check(fields(w, draft)["full_name"] == "Người Khác Đã Sửa", "a repeat undid what came after it")
    check(not [c for c in w.ctl_json("conflict", "list") if c["record"] == draft], "a repeat is no conflict")
    check(len(changes_of(w, draft)) == 2, "once, and the neighbour's edit")
    for pid in (mine, theirs):
        check(len(changes_of(w, pid)) == 1, f"{pid} exactly once")
    for c in (a, b, other):
        c("sync", code=[0, 4])
        c("verify")
        for pid in (old, draft, mine, theirs):
            here = c.json("show", pid)
            check(here["fields"]["full_name"] == fields(w, pid)["full_name"] and here["sync"] == "sent", f"{here}")
    check(any(i["kind"] == "conflict" for i in a.json("inbox")), "the author of what lost is told")
    sound(w)
    again(w, a)


def again(w, a):
    """A successor's disk is copied, too."""
    number = a.json("status")["device"]
    twin = copy(w, a, "twin")
    x = a.add("person", full_name="Lần Hai Chính", sex="male")
    y = twin.add("person", full_name="Lần Hai Sao", sex="male")
    a("sync")
    refused_as_forked(twin)
    go_on(w, twin, number)
    check(fields(w, x)["full_name"] and fields(w, y)["full_name"] == "Lần Hai Sao", "both are there")
    sound(w)


def rolled_back(w):
    """The user put an older copy of the folder back."""
    c = w.client("rolled", "25198", "--author", "Võ Văn Cảnh")
    other = w.client("rolled-neighbour", "25198")
    old = c.add("person", full_name="Trước", sex="male")
    c("sync")
    number = c.json("status")["device"]
    draft = c.add("person", full_name="Lúc Sao Lưu Chưa Gửi", sex="male")
    saved = copy(w, c, "saved")
    untouched = copy(w, c, "untouched")
    c("edit", old, "full_name=Sau Khi Sao Lưu")
    late = c.add("person", full_name="Sau Đó", sex="female")
    c("sync")
    other("sync")
    other("edit", draft, "occupation=giáo viên", "full_name=Đã Sửa Tên")
    other("sync")
    shutil.rmtree(c.home)
    os.rename(saved.home, c.home)
    new = c.add("person", full_name="Sau Khi Phục Hồi", sex="female")
    refused_as_forked(c)
    go_on(w, c, number)
    check(not [q for q in forked_rows(w) if q["state"] == "open"], "all of it came again")
    c("sync", code=[0, 4])
    for pid, name in ((old, "Sau Khi Sao Lưu"), (late, "Sau Đó"), (draft, "Đã Sửa Tên"), (new, "Sau Khi Phục Hồi")):
        check(fields(w, pid)["full_name"] == name, f"{name}: {fields(w, pid)}")
        check(c.json("show", pid)["fields"]["full_name"] == name, f"{name} on the device")
    check(not [x for x in w.ctl_json("conflict", "list") if x["record"] == draft], "a repeat is no conflict")
    # The old number takes nothing, whoever holds its key.
    refused_as_forked(untouched)
    sound(w)


def rolled_back_and_silent(w):
    """Nothing new was written on the older copy: what it says it sealed gives it away."""
    c = w.client("silent", "25198")
    c.add("person", full_name="Một", sex="male")
    c("sync")
    number = c.json("status")["device"]
    saved = copy(w, c, "silent-saved")
    c.add("person", full_name="Hai", sex="male")
    c("sync")
    refused_as_forked(saved)
    go_on(w, saved, number)
    check(len(saved.json("list", "person")) == len(go_on_and_list(w, c, number)), "both see the same")
    sound(w)


def go_on_and_list(w, c, number):
    refused_as_forked(c)
    go_on(w, c, number)
    return c.json("list", "person")


def by_file(w):
    f = w.client("carried", "25201")
    twin = copy(w, f, "carried-twin")
    number = f.json("status")["device"]
    mine = f.add("person", full_name="Mang Đi", sex="male")
    theirs = twin.add("person", full_name="Mang Đi Bản Sao", sex="male")
    out = os.path.join(w.dir, "out.ctxh")
    back = os.path.join(w.dir, "back.ctxh")
    f("bundle", "out", out)
    w.ctl("bundle", "in", out, "--out", back)
    f("bundle", "in", back)
    twin("bundle", "out", out)
    check(w.ctl_json("bundle", "in", out, "--out", back, code=4)["outcome"] == "forked", "recognised by file")
    r = twin("bundle", "in", back, code=1)
    check("forked" in r.stderr, r.stderr)
    twin("enrol", release(w, number))
    # What was on its way to the number that is no more changes nothing.
    r = twin("bundle", "in", back, code=1)
    twin("bundle", "out", out)
    w.ctl("bundle", "in", out, "--out", back)
    twin("bundle", "in", back)
    twin("verify")
    check(twin.json("show", theirs)["sync"] == "sent" and fields(w, mine)["full_name"] == "Mang Đi", "both are there")
    check(not [q for q in forked_rows(w) if q["state"] == "open"], "all of it came again")
    sound(w)


def revoked(w):
    c = w.client("revoked", "25201")
    c.add("person", full_name="Chưa Gửi", sex="male")
    number = c.json("status")["device"]
    w.ctl("device", "revoke", str(number), "--why", "mất máy")
    c("sync", code=1)
    r = w.ctl("device", "release", str(number), code=1)
    check("revoked" in r.stderr, r.stderr)
    r = c("enrol", w.invite("25201"), code=1)
    check("thu hồi" in r.stderr and c.json("status")["waiting"] == 1, r.stderr)
    c("verify")


def cut_short(w, cycles):
    """kill -9 at any moment of taking the new identity; the same command again ends it."""
    c = w.client("cut", "25204")
    number = c.json("status")["device"]
    twin = copy(w, c, "cut-twin")
    ids = [c.add("person", full_name=f"Người {i}", sex="male") for i in range(5)]
    twin.add("person", full_name="Bản kia", sex="male")
    twin("sync")
    refused_as_forked(c)
    before = len(w.ctl_json("device", "list"))
    for i in range(cycles):
        victim = copy(w, c, f"victim-{i}")
        line = release(w, number)
        p = victim.popen("enrol", line)
        time.sleep(random.random() * 0.6)
        p.send_signal(signal.SIGKILL)
        p.wait(harness.PATIENCE)
        if victim.json("status")["device"] == number:
            victim("enrol", line)
        victim("sync", code=[0, 4])
        victim("verify")
        status = victim.json("status")
        check(status["device"] != number and status["waiting"] == 0, f"{status}")
        check(len(w.ctl_json("device", "list")) == before + i + 1, "one device for one release")
    for pid in ids:
        check(len(changes_of(w, pid)) == 1, "sent by every copy, written once")
    sound(w)


def gap(w):
    """The office's disk is lost and only an older backup is there; what came after it was pruned on the device."""
    folder = os.path.join(w.dir, "backups")
    os.makedirs(folder)
    w.stop()
    w.configure(f"backup:\n  folder: {folder}\n")
    w.start()
    c = w.client("gap", "25207", "--author", "Đỗ Thị Sương")
    number = c.json("status")["device"]
    early = c.add("person", full_name="Trước Bản Sao Lưu", sex="female")
    c("sync")
    w.ctl("backup", "now")
    first = os.path.join(folder, os.listdir(folder)[0])
    kept = first + ".kept"
    shutil.copy(first, kept)
    c("sync")
    unknown = w.client("unknown", "25207")
    u = unknown.add("person", full_name="Máy Văn Phòng Quên", sex="male")
    unknown("sync")
    c("edit", early, "phone=0911111111")
    late = c.add("person", full_name="Sau Bản Sao Lưu", sex="male", phone="0922222222")
    c("sync")
    w.ctl("backup", "now")
    c("sync")
    unknown("sync")
    check(c.json("show", late)["sync"] == "backed-up", "pruned")
    last = c.add("person", full_name="Chưa Gửi", sex="male")
    c("bundle", "out", os.path.join(w.dir, "sealed.ctxh"))  # sealed, with an epoch that ends

    w.stop(signal.SIGKILL)
    new = os.path.join(w.dir, "state-2")
    w.ctl("restore", kept, "--state", new, "--key", os.path.join(w.state, "backup.key"))
    w.state = new
    w.env["CTXH_ADMIN_SOCKET"] = os.path.join(new, "admin.sock")
    w.start()

    r = c("sync", code=1)
    check("thiếu 2" in r.stderr and "lacks 2" in r.stderr, f"the device says what is missing: {r.stderr}")
    check("device release" in c("status").stderr, "and what to do")
    row = w.ctl_json("missing", code=4)
    check([(m["device"], m["name"], m["units"], m["held"], m["missing"], m["missing_count"]) for m in row]
          == [(number, "gap", ["25207"], "1-1", "2-4", 3)], f"{row}")
    r = c("enrol", release(w, number))
    check("2" in r.stdout, r.stdout)
    c("sync", code=[0, 4])
    check(w.ctl_json("missing") == [], "decided")
    check(fields(w, early)["phone"] == "0911111111", f"{fields(w, early)}")
    check(fields(w, late)["full_name"] == "Sau Bản Sao Lưu" and fields(w, late)["phone"] == "0922222222", "came back")
    check(fields(w, last)["full_name"] == "Chưa Gửi", "what was never sent")
    for pid in (early, late, last):
        check(c.json("show", pid)["sync"] == "sent", f"{c.json('show', pid)}")
    c("verify")

    r = unknown("sync", code=1)
    check("unknown_device" in r.stderr and "ctxh enrol" in unknown("status").stderr, r.stderr)
    unknown("enrol", w.invite("25207"))
    unknown("sync", code=[0, 4])
    unknown("verify")
    check(fields(w, u)["full_name"] == "Máy Văn Phòng Quên", "a device enrolled after the backup lost nothing")
    check(unknown.json("show", u)["sync"] == "sent", "and says so")
    check(w.ctl_json("quarantine", "list", "--open") == [], "nothing was refused")
    sound(w)


def test(w, args):
    w.start()
    w.import_units()
    cloned(w)
    rolled_back(w)
    rolled_back_and_silent(w)
    by_file(w)
    revoked(w)
    cut_short(w, args.cycles or 5)
    gap(w)


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
