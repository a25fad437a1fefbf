"""Two collaborators write the same things at once, and people decide: the office keeps or restores, the one
whose value lost restores it from the inbox. Deleted but edited, both ways; an event written twice; people
who are there twice. After each of it both replicas agree with the office, both authors have been told, and verify
finds nothing."""

import sys

import harness
from harness import check


def sync(*clients):
    """The first one once more: it has then what the others brought."""
    for c in (*clients, clients[0]):
        c("sync", code=[0, 4])


def fields(client, pid):
    return client.json("show", pid)["fields"]


def agree(w, a, b, pid, **want):
    sync(a, b)
    office = w.ctl_json("record", "show", pid)
    for name, value in want.items():
        got = [fields(c, pid).get(name) for c in (a, b)] + [office["fields"][name]["value"]]
        check(got == [value] * 3, f"{name}: {got}, wanted {value}")
    return office


def clash(w, a, b, name, of_a, of_b):
    """A person both know, and a field both write at once; b's is the later one. The open conflict."""
    pid = a.add("person", full_name=name)
    sync(a, b)
    a("edit", pid, f"occupation={of_a}")
    b("edit", pid, f"occupation={of_b}")
    sync(a, b)
    return pid, open_conflict(w, pid)


def open_conflict(w, pid):
    rows = [r for r in w.ctl_json("conflict", "list", "--open") if r["record"] == pid]
    check(len(rows) == 1, f"one open conflict wanted: {rows}")
    return rows[0]


def notices(client, pid, kind, *more):
    return [n for n in client.json("inbox", *more) if n["record"] == pid and n["kind"] == kind]


def told(a, b, pid, kept, lost):
    for c in (a, b):
        found = notices(c, pid, "decided")
        check(len(found) == 1 and found[0]["kept"] == kept and found[0]["lost"] == lost, f"told: {found}")
        check(found[0]["by"].startswith("uid:"), f"by whom: {found}")
        check("đã quyết định" in c("inbox").stdout, "the inbox does not name the decision")


def refused(run, *command, words=()):
    r = run(*command, code=1)
    for word in words:
        check(word in r.stderr, f"{command}: {r.stderr}")
    check(" / " in r.stderr, f"{command}: one language only: {r.stderr}")


# ---- the office

def kept_by_the_office(w, a, b):
    pid, row = clash(w, a, b, "Thị Giữ", "giáo viên", "thợ may")
    done = w.ctl_json("conflict", "keep", str(row["conflict"]))
    check(done["stands"] == "thợ may" and done["state"] == "kept" and done["log"] is None, f"keep: {done}")
    agree(w, a, b, pid, occupation="thợ may")
    told(a, b, pid, "thợ may", "giáo viên")
    shown = w.ctl_json("conflict", "show", str(row["conflict"]))
    check(shown["state"] == "kept" and shown["decided_by"].startswith("uid:") and shown["decided_at"],
          f"show: {shown}")
    refused(w.ctl, "conflict", "restore", str(row["conflict"]), words=("kept", shown["decided_by"]))
    refused(w.ctl, "conflict", "keep", "999", words=("999",))


def restored_by_the_office(w, a, b):
    pid, row = clash(w, a, b, "Thị Lấy Lại", "giáo viên", "thợ may")
    # It was changed once more meanwhile: the answer says what is replaced.
    b("edit", pid, "occupation=thợ nề")
    sync(a, b)
    done = w.ctl_json("conflict", "restore", str(row["conflict"]))
    check(done["stands"] == "giáo viên" and done["replaced"] == "thợ nề", f"restore: {done}")
    office = agree(w, a, b, pid, occupation="giáo viên")
    check(office["history"][0]["device"] == 0 and office["history"][0]["author"].startswith("uid:"),
          f"history: {office['history'][0]}")
    told(a, b, pid, "giáo viên", "thợ nề")
    check("conflict restore" in [e["what"] for e in w.ctl_json("audit", "list")], "no audit entry")


def taken_back_by_the_office(w, a, b):
    pid, row = clash(w, a, b, "Thị Rút Lại", "giáo viên", "thợ may")
    number = str(row["conflict"])
    refused(w.ctl, "conflict", "reopen", number, words=("not decided",))
    w.ctl("conflict", "restore", number)
    agree(w, a, b, pid, occupation="giáo viên")
    check(number in [str(c["conflict"]) for c in w.ctl_json("conflict", "list", "--decided")], "not among the decided")
    done = w.ctl_json("conflict", "reopen", number)
    check(done["stands"] == "thợ may" and done["state"] == "open" and done["log"], f"reopen: {done}")
    office = agree(w, a, b, pid, occupation="thợ may")
    check([h["device"] for h in office["history"][:2]] == [0, 0], f"history: {office['history'][:2]}")
    for c in (a, b):
        found = notices(c, pid, "reopened")
        check(len(found) == 1 and found[0]["kept"] == "thợ may" and found[0]["lost"] == "giáo viên", f"told: {found}")
        check("xem xét lại" in c("inbox").stdout, "the inbox does not name it")
    check(open_conflict(w, pid)["conflict"] == row["conflict"], "it is not open")
    # Decided anew, and the loser may still have the last word.
    w.ctl("conflict", "keep", number)
    w.ctl("conflict", "reopen", number)
    a("edit", pid, "occupation=giáo viên")
    agree(w, a, b, pid, occupation="giáo viên")
    shown = w.ctl_json("conflict", "show", number)
    check(shown["state"] == "restored" and shown["decided_by"] == "Lê Văn An", f"the office's list: {shown}")
    refused(w.ctl, "conflict", "reopen", number, words=("Lê Văn An",))
    audit = [e["what"] for e in w.ctl_json("audit", "list")]
    check(audit.count("conflict reopen") == 2, f"audit: {audit}")


# ---- the client whose value lost

def restored_by_the_loser(w, a, b):
    pid, row = clash(w, a, b, "Thị Tự Lấy", "giáo viên", "thợ may")
    found = notices(a, pid, "conflict")
    check(len(found) == 1 and found[0]["lost"] == "giáo viên", f"inbox: {found}")
    check(notices(b, pid, "conflict") == [], "the winner is told of a loss")
    number = found[0]["id"]
    check(f"inbox restore {number}" in a("inbox", "show", number).stdout, "inbox show does not say how")
    a("inbox", "restore", number)
    check(fields(a, pid)["occupation"] == "giáo viên" and a.json("show", pid)["sync"] == "draft", "not a draft")
    check(notices(a, pid, "conflict") == [], "the notice is still open")
    check(notices(a, pid, "conflict", "--all")[0]["state"] == "restored", "the notice is not marked")
    refused(a, "inbox", "restore", number, words=("before",))
    agree(w, a, b, pid, occupation="giáo viên")
    shown = w.ctl_json("conflict", "show", str(row["conflict"]))
    check(shown["state"] == "restored" and shown["decided_by"] == "Lê Văn An", f"the office's list: {shown}")
    check(shown["decided_device"] == 1, f"which device: {shown}")
    refused(w.ctl, "conflict", "keep", str(row["conflict"]), words=("Lê Văn An",))


def restored_at_once(w, a, b):
    """The office and the loser at the same time: one value, no new conflict; no ping-pong in any case."""
    pid, row = clash(w, a, b, "Thị Cùng Lúc", "giáo viên", "thợ may")
    before = len(w.ctl_json("conflict", "list"))
    a("inbox", "restore", notices(a, pid, "conflict")[0]["id"])
    b("edit", pid, "occupation=thợ mộc")
    sync(a, b)
    sync(a, b)
    after = len(w.ctl_json("conflict", "list"))
    check(after <= before + 1, f"{after - before} new conflicts")
    agree(w, a, b, pid, occupation="thợ mộc")
    again, _ = clash(w, a, b, "Thị Một Lần", "giáo viên", "thợ may")
    a("inbox", "restore", notices(a, again, "conflict")[0]["id"])
    w.ctl("conflict", "restore", str(open_conflict(w, again)["conflict"]))
    before = len(w.ctl_json("conflict", "list"))
    agree(w, a, b, again, occupation="giáo viên")
    check(len(w.ctl_json("conflict", "list")) == before, "the same value twice is a conflict")


def gone_from_the_commune(w, a, b, other):
    pid, row = clash(w, a, b, "Thị Đi Xa", "giáo viên", "thợ may")
    b("transfer", pid, "--unit", "25198")
    sync(b, a)
    refused(a, "inbox", "restore", notices(a, pid, "conflict")[0]["id"], words=("conflict restore",))
    done = w.ctl_json("conflict", "restore", str(row["conflict"]))
    check(done["stands"] == "giáo viên", f"restore: {done}")
    sync(other, a, b)
    check(fields(other, pid)["occupation"] == "giáo viên", "the new commune does not have it")
    found = notices(a, pid, "decided")
    check(len(found) == 1 and found[0]["kept"] is None and found[0]["lost"] is None,
          f"who no longer sees the record is told values of it: {found}")


# ---- deleted but edited

def deletion_wins(w, a, b, how):
    """b deletes later than a edits. The edit lost; restored, the record is back with it."""
    pid = a.add("person", full_name="Thị Xóa Sau " + how)
    sync(a, b)
    a("edit", pid, "occupation=giáo viên")
    b("delete", pid, "--why", "nhập nhầm")
    sync(a, b)
    row = open_conflict(w, pid)
    check(row["field"] == "deleted" and row["kept"] == "nhập nhầm" and row["lost"] is None, f"conflict: {row}")
    check(a.json("show", pid)["deleted"], "the deletion did not win")
    check("Đã xóa vì / Deleted, because: nhập nhầm" in b("show", pid).stdout, "people do not read that it is deleted")
    return pid, row


def deletion_loses(w, a, b, how):
    pid = a.add("person", full_name="Thị Xóa Trước " + how)
    sync(a, b)
    a("delete", pid, "--why", "nhập nhầm")
    b("edit", pid, "occupation=thợ may")
    sync(a, b)
    row = open_conflict(w, pid)
    check(row["field"] == "deleted" and row["lost"] == "nhập nhầm" and row["kept"] is None, f"conflict: {row}")
    check(not a.json("show", pid)["deleted"], "the edit did not bring it back")
    check("Deleted, because" not in a("show", pid).stdout, "people read that it is deleted")
    told = a("inbox", "show", notices(a, pid, "conflict")[0]["id"]).stdout
    check("Xóa (deleted)" in told and ": không xóa" in told and "Đối tượng (người)" in told and "chưa xem" in told,
          f"not in the words of people:\n{told}")
    return pid, row


def deleted_but_edited(w, a, b):
    pid, row = deletion_wins(w, a, b, "Một")
    w.ctl("conflict", "restore", str(row["conflict"]))
    agree(w, a, b, pid, occupation="giáo viên")
    check(not a.json("show", pid)["deleted"] and not b.json("show", pid)["deleted"], "it is not back")
    pid, row = deletion_wins(w, a, b, "Hai")
    a("inbox", "restore", notices(a, pid, "conflict")[0]["id"])
    agree(w, a, b, pid, occupation="giáo viên")
    check(not b.json("show", pid)["deleted"], "the loser did not bring it back")
    check(w.ctl_json("conflict", "show", str(row["conflict"]))["state"] == "restored", "the row is open")
    pid, row = deletion_loses(w, a, b, "Một")
    w.ctl("conflict", "restore", str(row["conflict"]))
    sync(a, b)
    check(a.json("show", pid)["deleted"] and b.json("show", pid)["deleted"], "it is not deleted again")
    pid, row = deletion_loses(w, a, b, "Hai")
    a("inbox", "restore", notices(a, pid, "conflict")[0]["id"])
    sync(a, b)
    check(a.json("show", pid)["deleted"] and b.json("show", pid)["deleted"], "the loser did not delete it again")
    check(w.ctl_json("conflict", "show", str(row["conflict"]))["state"] == "restored", "the row is open")


# ---- an event

def help_given(client, person, day, *more):
    r = client("add", "intervention", f"person={person}", f"given_on={day}", "kind=EMG_GOODS", *more)
    return r.stdout.strip()


def event_written_twice(w, a, b):
    """Only a broken disk can do that: the same id, made twice."""
    person = a.add("person", full_name="Thị Sự Kiện")
    sync(a, b)
    one = help_given(a, person, "2025-08-01")
    text = f'{{"id": "{one}", "person": "{person}", "given_on": "2025-08-02", "kind": "EMG_GOODS"}}'
    b("add", "intervention", "--json", "-", stdin=text)
    sync(a, b)
    row = open_conflict(w, one)
    check(row["field"] == "given_on", f"conflict: {row}")
    stands = row["kept"]
    refused(w.ctl, "conflict", "restore", str(row["conflict"]), words=("corrects=", "void"))
    loser = a if notices(a, one, "conflict") else b
    refused(loser, "inbox", "restore", notices(loser, one, "conflict")[0]["id"], words=("corrects",))
    agree(w, a, b, one, given_on=stands)
    # What the refusal says to do.
    loser("void", one, "--why", "ghi sai ngày")
    help_given(loser, person, row["lost"], f"corrects={one}")
    sync(a, b)
    w.ctl("conflict", "keep", str(row["conflict"]))


# ---- doubles

def doubles(w, a, b, other):
    number = "070150000001"
    one = a.add("person", full_name="Thị Trùng", birth_date="1950", identity_number=number)
    two = other.add("person", full_name="Điểu Trùng", birth_date="1951", identity_number=number)
    first = b.add("person", full_name="Lê Thị Hai", birth_date="1960")
    second = b("add", "person", "full_name=Lê Thị Hai", "birth_date=1960", "--even-so").stdout.strip()
    given = help_given(other, two, "2025-08-03")
    sync(a, b, other)

    rows = w.ctl_json("duplicate", "list")
    check([r["likeness"] for r in rows[:2]] == ["identity_number", "name_birth"], f"list: {rows}")
    check({rows[0]["keep"], rows[0]["other"]} == {one, two} and rows[0]["across"], f"list: {rows[0]}")
    check("Lê Thị Hai" in w.ctl("duplicate", "list").stdout, "the table lacks the names")
    check(len(w.ctl_json("duplicate", "list", "--limit", "1")) == 1, "--limit")

    check(w.ctl_json("duplicate", "join", one, two)["into"] == one, "join")
    refused(w.ctl, "duplicate", "join", two, one, words=("split",))
    w.ctl("duplicate", "distinct", first, second)
    refused(w.ctl, "duplicate", "distinct", second, first, words=("uid:",))
    w.ctl("duplicate", "reopen", first, second)
    check([r for r in w.ctl_json("duplicate", "list") if {r["keep"], r["other"]} == {first, second}], "not listed again")
    w.ctl("duplicate", "distinct", first, second)
    left = w.ctl_json("duplicate", "list")
    check(not [r for r in left if {r["keep"], r["other"]} & {one, two, first, second}], f"still listed: {left}")

    sync(a, b, other)
    check(fields(other, two)["merged_into"] == one, "the join did not arrive")
    shown = w.ctl_json("record", "show", given)["fields"]["person"]
    check(shown["value"] == two and shown["resolved"] == one, f"the reference does not lead on: {shown}")
    check(two in w.ctl("record", "show", given).stdout and one in w.ctl("record", "show", given).stdout,
          "people do not see where the reference leads")

    check(w.ctl_json("duplicate", "split", two)["from"] == one, "split")
    sync(other, a)
    check("merged_into" not in fields(other, two), "the split did not arrive")
    check(len([r for r in w.ctl_json("duplicate", "list") if r["likeness"] == "identity_number"]) == 1, "not listed")
    audit = [e["what"] for e in w.ctl_json("audit", "list")]
    check({"duplicate join", "duplicate split", "duplicate distinct"} <= set(audit), f"audit: {audit}")

    # In one commune: the client's own page shows the one that stands.
    w.ctl("duplicate", "join", first, second)
    helped = help_given(b, second, "2025-08-04")
    sync(b, a)
    check(first[:12] in a("show", helped).stdout, a("show", helped).stdout)


def test(w, _args):
    w.start()
    w.import_units()
    a = w.client("a", "25195", "--author", "Lê Văn An")
    b = w.client("b", "25195", "--author", "Trần Thị Bé")
    other = w.client("c", "25198", "--author", "Phạm Thị Cúc")
    kept_by_the_office(w, a, b)
    restored_by_the_office(w, a, b)
    taken_back_by_the_office(w, a, b)
    restored_by_the_loser(w, a, b)
    restored_at_once(w, a, b)
    gone_from_the_commune(w, a, b, other)
    deleted_but_edited(w, a, b)
    event_written_twice(w, a, b)
    doubles(w, a, b, other)
    check(w.ctl_json("verify")["found"] == 0, "verify finds something")
    for c in (a, b, other):
        c("verify")


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
