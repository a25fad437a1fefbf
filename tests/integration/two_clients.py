"""Two clients of one commune edit one person offline: different fields, then the same field.
Whoever syncs first, all three replicas end the same, and the lost value is in one conflict row."""

import sys

import harness
from harness import check


def person(w, a, b, order, name):
    pid = a.add("person", full_name=name, sex="male", phone="0912345678")
    a("sync")
    b("sync")
    check(b.json("show", pid)["fields"]["full_name"] == name, "b does not see the person")

    # Different fields: no conflict.
    a("edit", pid, "occupation=nông dân")
    b("edit", pid, "phone=0987654321")
    for c in order:
        c("sync", code=[0, 4])
    for c in order:
        c("sync", code=[0, 4])
    ra, rb = a.json("show", pid), b.json("show", pid)
    check(ra["fields"] == rb["fields"], f"replicas differ: {ra} {rb}")
    check(ra["fields"]["occupation"] == "nông dân" and ra["fields"]["phone"] == "0987654321",
          f"an edit is missing: {ra}")
    rows = [r for r in w.ctl_json("conflict", "list") if r["record"] == pid]
    check(rows == [], f"different fields made a conflict: {rows}")

    # The same field: the later wins, the other is kept.
    a("edit", pid, "occupation=giáo viên")
    b("edit", pid, "occupation=thợ may")
    for c in order:
        c("sync", code=[0, 4])
    for c in order:
        c("sync", code=[0, 4])
    ra, rb = a.json("show", pid), b.json("show", pid)
    check(ra["fields"] == rb["fields"], f"replicas differ: {ra} {rb}")
    check(ra["fields"]["occupation"] == "thợ may", f"the later write did not win: {ra}")
    rows = [r for r in w.ctl_json("conflict", "list") if r["record"] == pid]
    check(len(rows) == 1, f"one conflict wanted: {rows}")
    row = rows[0]
    check(row["field"] == "occupation" and row["kept"] == "thợ may" and row["lost"] == "giáo viên",
          f"conflict says {row}")
    check(row["kept_by"] == "Trần Thị Bé" and row["lost_by"] == "Lê Văn An", f"authors: {row}")
    return ra["fields"]


def receipts(w, client):
    """What the office signed is printed whole, and reaches as far as the client says it does."""
    rows = client.json("receipts")
    status = client.json("status")
    check(rows and all(r["signed"] for r in rows), f"a receipt is not signed: {rows}")
    numbers = [r["number"] for r in rows]
    check(numbers == sorted(numbers) and numbers[-1] > 0, f"receipts fall back: {numbers}")
    check(status["waiting"] == 0 and rows[-1]["at"] <= status["last_receipt"], f"{status} and {rows[-1]}")
    check(all(r["device"] == status["device"] and r["chain"] in r["receipt"] for r in rows),
          "a receipt is another's, or its bytes hold another chain")
    device = [d for d in w.ctl_json("device", "list") if d["number"] == status["device"]][0]
    check(device["last_number"] == numbers[-1], f"the daemon holds {device}")


def test(w, _args):
    w.start()
    w.import_units()
    a = w.client("a", "25195", "--author", "Lê Văn An")
    b = w.client("b", "25195", "--author", "Trần Thị Bé")
    first = person(w, a, b, [a, b], "Điểu K'Ré")
    second = person(w, a, b, [b, a], "Thị Mré")
    for fields in (first, second):
        del fields["full_name"]
    check(first == second, f"order of syncs changed the result: {first} {second}")
    receipts(w, a)
    receipts(w, b)
    w.ctl("verify")


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
