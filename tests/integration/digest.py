"""Both sides can prove that they hold the same: with every type of the demo data all is equal in one round trip; a
difference planted in a vault or in the daemon's store is found, repaired by exchanging its bucket, told and logged, and then
all is equal again."""

import os
import re
import sqlite3
import subprocess
import sys

import harness
from harness import ROOT, check

CODES = ["25195", "25270", "25320"]


def sync(c, code=0):
    return c("sync", "--digest", code=code).stdout


def equal(c, units=1):
    out = sync(c)
    check(f"Compared: {units} units are the same" in out, f"{c.name}: {out}")


def plant(w, c, *order):
    """The record as the vault has it is altered, as a bug or a disk would."""
    subprocess.run([os.path.join(w.bin, "plant"), c.home, w.passphrase, *order], check=True, timeout=harness.PATIENCE)


def alter_daemon(w, *statements):
    """The same in the daemon's store, while it is down."""
    check(w.stop() == 0, "ctxhd did not end well")
    db = sqlite3.connect(os.path.join(w.state, "ctxhd.db"))
    for text, values in statements:
        check(db.execute(text, values).rowcount == 1, f"not one row: {text}")
    db.commit()
    db.close()
    w.start()


def newest(w, device):
    rows = w.ctl_json("log", "--device", str(device), "--limit", "10")
    check(all(r["outcome"] and r["ended_at"] for r in rows), f"a contact that is over is open in the log: {rows}")
    return rows


def found(w, c, text, inbox_kind="digest"):
    """One contact finds it and says so; the sync log has it; what follows is equal."""
    device = c.json("status")["device"]
    before = newest(w, device)[0]["session"]
    out = sync(c, code=4)
    check("Compared: 1 of 1 units differed" in out or "not at the office" in out, out)
    rows = [r for r in newest(w, device) if r["session"] > before]
    partial = [r for r in rows if r["outcome"] == "partial"]
    check(partial and re.fullmatch(text, partial[0]["error"]), f"log: {[(r['outcome'], r['error']) for r in rows]}")
    check(any(n["kind"] == inbox_kind for n in c.json("inbox")), f"inbox: {c.json('inbox')}")
    c("verify")
    return rows


def all_types_are_equal(w):
    clients = {}
    for code in CODES:
        c = clients[code] = w.client(code, code)
        c("import", "any", os.path.join(ROOT, f"tests/data/binhphuoc/{code}.csv"))
        c("sync")
        equal(c)
        row = newest(w, c.json("status")["device"])[0]
        check(row["outcome"] == "ok" and row["error"] is None, f"log: {row}")
        # The question is three bytes, the answer about 45: still one request, one answer.
        check(row["bytes_out"] < 400, f"an idle comparison took {row['bytes_out']} bytes")
    second = w.client("second", CODES[0])
    second("sync")
    equal(second)
    return clients[CODES[0]], second


def people(c, count):
    ids = [c.add("person", full_name=f"Điểu Thử {i}", sex="female", birth_date=f"{1950 + i}") for i in range(count)]
    sync(c)
    return ids


def show(c, record):
    return c.json("show", record)


def in_the_vault(w, c, ids):
    print("a value in a vault")
    plant(w, c, "value", ids[3], "full_name", "Bị hỏng")
    check(show(c, ids[3])["fields"]["full_name"] == "Bị hỏng", "nothing was planted")
    rows = found(w, c, r"digest: unit 25195, bucket \d+, records sent \d+")
    check(len(rows) == 2, f"{len(rows)} requests instead of two")
    check(show(c, ids[3])["fields"]["full_name"] == "Điểu Thử 3", "not repaired")
    kept = [n for n in c.json("inbox") if n["record"] == ids[3]]
    check(len(kept) == 1 and kept[0]["lost"] == "Bị hỏng" and kept[0]["field"] == "full_name", f"inbox: {kept}")
    c("inbox", "show", kept[0]["id"])
    equal(c)

    print("a stamp, and a record that is gone")
    plant(w, c, "stamp", ids[4], "sex")
    plant(w, c, "forget", ids[5])
    found(w, c, r"digest: unit 25195, bucket(s \d+ from)? \d+, records sent \d+")
    check(show(c, ids[5])["fields"]["full_name"] == "Điểu Thử 5", "the record did not come again")
    equal(c)

    print("with work of our own on top that has not been sent")
    plant(w, c, "value", ids[6], "full_name", "Bị hỏng")
    c("edit", ids[6], "sex=male")
    found(w, c, r"digest: unit 25195, bucket \d+, records sent \d+")
    fields = show(c, ids[6])["fields"]
    check(fields["full_name"] == "Điểu Thử 6" and fields["sex"] == "male", f"{fields}")
    equal(c)


def in_the_daemon(w, c, second, ids):
    print("a value in the daemon's store")
    key = bytes.fromhex(ids[7])
    alter_daemon(w, ("UPDATE person SET full_name = ? WHERE id = ?", ("Sửa lén", key)))
    found(w, c, r"digest: unit 25195, bucket \d+, records sent \d+")
    kept = [n for n in c.json("inbox") if n["record"] == ids[7]]
    check(len(kept) == 1 and kept[0]["lost"] == "Điểu Thử 7" and kept[0]["kept"] == "Sửa lén", f"inbox: {kept}")
    equal(c)
    # The log is the evidence of which side was right.
    check("S4" in w.ctl("verify", code=[1, 4]).stdout, "verify does not find the altered row")
    # The person who knows restores it with one action, and everybody has it.
    c("inbox", "restore", kept[0]["id"])
    equal(c)
    # The other device gets the restored value by the ordinary pull.
    equal(second)
    check(show(second, ids[7])["fields"]["full_name"] == "Điểu Thử 7", "the other device has another name")

    print("a record the daemon lost")
    alter_daemon(w, ("DELETE FROM person WHERE id = ?", (bytes.fromhex(ids[8]),)))
    rows = found(w, c, r"digest: (unit 25195, bucket \d+, records sent \d+|missing person [0-9a-f]{32})", "digest_missing")
    check(any(r["error"] == f"digest: missing person {ids[8]}" for r in rows), f"{[r['error'] for r in rows]}")
    check(show(c, ids[8])["fields"]["full_name"] == "Điểu Thử 8", "an acknowledged record was dropped")
    with open(os.path.join(w.dir, "ctxhd.log"), encoding="utf-8", errors="replace") as f:
        log = f.read()
    check(f"missing person {ids[8]}" in log, "the journal does not name the missing record")
    check("Điểu" not in log, "a name is in the journal")
    # An edit brings all of it back.
    c("edit", ids[8], "sex=male")
    equal(c)
    record = w.ctl_json("record", "show", ids[8])
    check("Điểu Thử 8" in str(record), f"the record did not come back whole: {record}")
    sync(second, code=[0, 4])
    equal(second)


def by_itself(w, c, ids):
    print("by itself, once a day")
    plant(w, c, "value", ids[9], "full_name", "Bị hỏng")
    c("sync")
    check(show(c, ids[9])["fields"]["full_name"] == "Bị hỏng", "it compared twice in a day")
    row = newest(w, c.json("status")["device"])[0]
    check(row["outcome"] == "ok", f"log: {row}")
    found(w, c, r"digest: unit 25195, bucket \d+, records sent \d+")


def test(w, _args):
    w.start()
    w.import_units()
    first, second = all_types_are_equal(w)
    ids = people(first, 40)
    equal(second)
    in_the_vault(w, first, ids)
    in_the_daemon(w, first, second, ids)
    by_itself(w, first, ids)
    fresh = w.client("fresh", CODES[0])
    fresh("sync")
    equal(fresh)


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
