"""Clocks that are wrong by decades, on both sides, with the real programs: 1970, 2038, 2106, a battery
that is dead at each start, jumps while running. Every entry arrives, in the order it was made; the
time the device gave, the time that counts and a flag are stored and shown; the device is listed; the
pinned key lets the device in whatever the certificate's dates say, and nobody else. (libfaketime)"""

import datetime
import os
import re
import subprocess
import sys
import time

import harness
from harness import check, clock_env

UTC = datetime.timezone.utc


def parse(iso):
    return datetime.datetime.fromisoformat(iso.replace("Z", "+00:00"))


def put_clock(path, word):
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(word + "\n")
    os.rename(path + ".new", path)


def offset_of(start):
    """How far a clock that begins at `start` is from ours, in ms."""
    return (parse(start + "Z") - datetime.datetime.now(UTC)).total_seconds() * 1000


def history(w, record, field):
    """Of one field, oldest first."""
    rows = w.ctl_json("record", "show", record)["history"]
    return [r for r in reversed(rows) if r["field"] == field]


def in_order(rows, what):
    numbers = [r["number"] for r in rows]
    times = [r["at"] for r in rows]
    check(numbers == sorted(numbers), f"{what}: numbers {numbers}")
    check(times == sorted(times), f"{what}: times that count are not in the order made: {times}")


def close_to(ms, wanted):
    return abs(ms - wanted) < 300000


def told(w, c, name, start, is_off):
    """What the office shows of a device whose clock begins at `start` each time."""
    number = c.json("status")["device"]
    wanted = offset_of(start)
    row = next(d for d in w.ctl_json("device", "list") if d["number"] == number)
    check(close_to(row["clock_offset_ms"], wanted),
          f"{name}: clock_offset_ms {row['clock_offset_ms']}, wanted about {wanted:.0f}")
    check(close_to(c.json("status")["clock_offset_ms"], wanted), f"{name}: {c.json('status')}")
    people = c("status").stdout
    check(re.search(r"Clock offset: (0|[+-]\d+ (năm|ngày|giờ|phút|giây|ms))$", people, re.M), f"{name}: for people:\n{people}")
    log = w.ctl_json("log", "--device", str(number), "--limit", "1")[0]
    check(log["outcome"] == "ok" and close_to(log["clock_offset_ms"], wanted), f"{log}")
    shown = w.ctl_json("log", "show", str(log["session"]))["changes"]
    check(shown and all(r["clock_flagged"] == is_off for r in shown), f"{name}: log show {shown}")
    people = w.ctl("log", "show", str(log["session"])).stdout
    check(("đồng hồ máy" in people) == is_off, f"{name}: for people:\n{people}")


def wrong_clock(w, name, start, is_off):
    """One device with one clock: each program start begins at `start`, as with a dead battery."""
    c = harness.Client(w, name)
    c.env = clock_env(at="@" + start)
    c("enrol", w.invite("25195", "--author", "Lê Văn An"), "--name", name)
    ids = [c.add("person", full_name=f"Điểu {name} {n}", sex="male", birth_date=f"19{70 + n}")
           for n in range(4)]
    before = time.time()
    c("sync")
    after = time.time()
    rows = [history(w, i, "full_name")[0] for i in ids]
    in_order(rows, name)
    for r in rows:
        check(r["result"] == "applied" and r["clock_flagged"] == is_off, f"{name}: {r}")
        check(before - 120 < parse(r["at"]).timestamp() <= after + 1,
              f"{name}: mended to {r['at']}, which is not the present")
        gone = (parse(r["raw_at"]) - parse(start + "Z")).total_seconds()
        check(-1 < gone < 300, f"{name}: raw time {r['raw_at']}, its clock began at {start}")
    for step in range(3):
        c("edit", ids[0], f"occupation=bước {step}")
        c("sync")
    rows = history(w, ids[0], "occupation")
    check([r["new"] for r in rows] == ["bước 0", "bước 1", "bước 2"], f"{name}: {rows}")
    in_order(rows, name)
    check(w.ctl_json("record", "show", ids[0])["fields"]["occupation"]["value"] == "bước 2",
          f"{name}: the last entry does not count")
    check(c.json("show", ids[0])["fields"]["occupation"] == "bước 2", f"{name}: at the client")
    told(w, c, name, start, is_off)


def jumps(w):
    """One device whose clock is another one at every command."""
    c = w.client("nhay", "25198", "--author", "Trần Thị Bé")
    pid = c.add("person", full_name="Thị Nhảy", sex="female", occupation="bước 0")
    c("sync")
    starts = ["+20y", "@1970-01-01 00:00:00", "@2106-02-07 06:28:10", "-20y",
              "@2038-01-19 03:14:05", "@2000-01-01 00:00:00", "@1970-01-01 00:00:00", "+0"]
    others = []
    for step, start in enumerate(starts, 1):
        c.env = clock_env(at=start)
        c("edit", pid, f"occupation=bước {step}")
        others.append(c.add("person", full_name=f"Người {step}", sex="male", birth_date=str(1950 + step)))
        if step % 3 != 1:
            c("sync")
    c.env = {}
    c("sync")
    rows = history(w, pid, "occupation")
    # What was not sent yet is mended in place: 3 and 4, 6 and 7 went together.
    seen = [r["new"] for r in rows]
    check(seen[-1] == "bước 8" and seen == sorted(seen), f"jumps: {rows}")
    in_order(rows, "jumps")
    in_order([history(w, i, "full_name")[0] for i in others], "jumps, others")
    check(w.ctl_json("record", "show", pid)["fields"]["occupation"]["value"] == "bước 8",
          "the last entry does not count after jumps")
    # Nothing ahead of the present stays behind: a device with a right clock can edit it.
    d = w.client("dung", "25198", "--author", "Lê Văn An")
    d("sync")
    d("edit", pid, "occupation=người có đồng hồ đúng")
    d("sync")
    c("sync")
    for x in (c, d):
        check(x.json("show", pid)["fields"]["occupation"] == "người có đồng hồ đúng",
              "an edit made later does not count")
    check(not [r for r in w.ctl_json("conflict", "list") if r["record"] == pid],
          "an edit of a value its author saw became a conflict")


def under_way(w):
    """The device's clock jumps while a request is on its way to the office."""
    line = harness.Proxy(w)
    c = harness.Client(w, "duong")
    c("enrol", line.through(w.invite("25201", "--author", "Lê Văn An")), "--name", "duong")
    pid = c.add("person", full_name="Điểu Đường", sex="male", occupation="bước 0")
    c("sync")
    word = os.path.join(w.dir, "duong.clock")
    jumps_made = ["+20y", "-20y", "@1970-01-01 00:00:00", "@2106-02-07 06:28:10", "+0"]
    put_clock(word, "+0")
    c.env = clock_env(file=word)
    for step, jump in enumerate(jumps_made, 1):
        c("edit", pid, f"occupation=bước {step}")
        line.before_answer = lambda j=jump: put_clock(word, j)
        c("sync")
        check(line.before_answer is None, "the clock did not jump under way")
        check(c.json("show", pid)["sync"] in ("sent", "backed-up"), "not under a receipt")
    rows = history(w, pid, "occupation")
    check([r["new"] for r in rows] == [f"bước {n}" for n in range(6)], f"under way: {rows}")
    in_order(rows, "under way")
    c.env = {}
    c("sync")
    c("verify")
    line.close()


def daemon_jumps(w):
    """The office's own clock jumps while it runs, with one device that is right all the time."""
    word = os.path.join(w.dir, "daemon.clock")

    w.stop()
    put_clock(word, "+0")
    w.daemon_env = clock_env(file=word)
    w.start()
    a = w.client("a", "25204", "--author", "Lê Văn An")
    b = w.client("b", "25204", "--author", "Trần Thị Bé")
    pid = a.add("person", full_name="Điểu Giờ", sex="male", occupation="bước 0")
    a("sync")
    b("sync")
    clocks = ["+20y", "+0", "-20y", "@1970-01-01 00:00:30", "@2038-01-19 03:14:05",
              "@2106-02-07 06:28:12", "@2000-01-01 00:00:00", "+0"]
    for step, clock in enumerate(clocks, 1):
        put_clock(word, clock)
        c = (a, b)[step % 2]
        c("sync")
        c("edit", pid, f"occupation=bước {step}")
        c("sync")
        a("sync")
        b("sync")
        for x in (a, b):
            got = x.json("show", pid)
            check(got["fields"]["occupation"] == f"bước {step}" and got["sync"] != "waiting",
                  f"the office at {clock}: {got}")
    rows = history(w, pid, "occupation")
    check([r["new"] for r in rows] == [f"bước {n}" for n in range(9)], f"daemon jumps: {rows}")
    stamps = [r["at"] for r in rows]
    check(stamps == sorted(stamps), f"daemon jumps: {stamps}")
    check(all(r["result"] == "applied" for r in rows), f"daemon jumps: {rows}")
    check(not [r for r in w.ctl_json("conflict", "list") if r["record"] == pid],
          "an edit of a value its author saw became a conflict")
    # Across a restart in another time nothing changes.
    w.stop()
    put_clock(word, "@1970-01-01 00:00:05")
    w.start()
    b("edit", pid, "occupation=sau khi khởi động lại")
    b("sync")
    a("sync")
    check(a.json("show", pid)["fields"]["occupation"] == "sau khi khởi động lại", "after restart")
    w.ctl("verify")
    w.stop()
    w.daemon_env = {}
    w.start()


def certificate(at, key, path, *source):
    """A certificate for this key, or a new one, valid for one day in the year of `at`."""
    subprocess.run(["openssl", "req", "-x509", *source, "-out", path, "-days", "1", "-subj",
                    "/CN=ctxhd"], capture_output=True, check=True,
                   env={**os.environ, **clock_env(at=at)})
    os.chmod(key, 0o600)


def pinning(w):
    """A certificate long expired, or not valid yet, by either clock: the key decides, only the key."""
    key, crt = os.path.join(w.state, "tls.key"), os.path.join(w.state, "tls.crt")
    c = w.client("ghim", "25195", "--author", "Lê Văn An")
    for valid in ["@2001-01-01 00:00:00", "@2090-01-01 00:00:00"]:
        w.stop()
        certificate(valid, key, crt, "-key", key)
        w.start()
        for at in ["@1970-01-01 00:00:00", "+0", "@2106-02-07 06:28:10"]:
            c.env = clock_env(at=at)
            c("sync")
    # Control: another key is refused under every clock.
    pid = c.add("person", full_name="Thị Ghim", sex="female")
    for path in (key, crt):
        os.rename(path, path + ".kept")
    w.stop()
    certificate("+0", key, crt, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", key)
    w.start()
    for at in ["@1970-01-01 00:00:00", "+0"]:
        c.env = clock_env(at=at)
        c("sync", code=1)
    check(c.json("show", pid)["sync"] in ("draft", "waiting"), "sent to another key")
    w.stop()
    for path in (key, crt):
        os.rename(path + ".kept", path)
    w.start()
    c("sync")
    check(c.json("show", pid)["sync"] in ("sent", "backed-up"), "not sent to the right key")


def test(w, _args):
    clock_env(at="+0")
    w.start()
    w.import_units()
    now = datetime.datetime.now(UTC)
    for name, start in [
            ("duoi1970", "1970-01-01 00:00:00"), ("pin2000", "2000-01-01 00:00:00"),
            ("cham20", f"{now.year - 20}-06-01 08:00:00"), ("nhanh20", f"{now.year + 20}-06-01 08:00:00"),
            ("qua2038", "2038-01-19 03:14:07"), ("qua2106", "2106-02-07 06:28:15")]:
        wrong_clock(w, name, start, True)
        print(f"  {name} {start}", flush=True)
    jumps(w)
    print("  jumps of a device", flush=True)
    under_way(w)
    print("  jumps while a request is under way", flush=True)
    daemon_jumps(w)
    print("  jumps of the office", flush=True)
    pinning(w)
    print("  pinned key", flush=True)
    w.ctl("verify")


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
