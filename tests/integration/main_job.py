"""The main job on the real programs: communes record offline, sync, and the office's figures equal what the
import files hold, counted here again by other code."""

import collections
import csv
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import harness
from harness import ROOT, check

# Every facility and course, communes with and without a collaborator.
CODES = ["25195", "25198", "25270", "25320", "25363", "25396", "25432", "25438", "25201", "25204"]


def rows_of(code):
    with open(os.path.join(ROOT, f"tests/data/binhphuoc/{code}.csv"), encoding="utf-8") as f:
        return list(csv.DictReader(f))


def expected():
    """The figures of these communes, straight from their files."""
    rows = [(c, r) for c in CODES for r in rows_of(c)]
    of = lambda kind: [(c, r) for c, r in rows if r["type"] == kind]
    owner = {r["id"]: r["ownership"] for _, r in of("facility")}
    forms = collections.Counter(r["work_form"] for _, r in of("worker_assignment"))
    stays = collections.Counter(owner[r["facility"]] for _, r in of("stay"))
    courses = {r["id"]: r["kind"] for _, r in of("training")}
    money = collections.Counter()
    for _, r in of("budget_line"):
        money[r["funding_source"]] += int(r["disbursed"])
    talks = collections.Counter(r["audience"] for _, r in of("communication") if r["kind"] == "talk")
    return {
        ("CT02", None, "numerator"): len({c for c, _ in of("worker_assignment")}),
        ("CT02", None, "denominator"): 111,
        ("NL01", "full_time", "value"): forms["full_time"],
        ("NL01", "part_time", "value"): forms["part_time"],
        ("ML01", "public", "value"): 1,
        ("ML01", "non_public", "value"): sum(o == "non_public" for o in owner.values()),
        ("ML02", "public", "value"): stays["public"],
        ("ML02", "non_public", "value"): stays["non_public"],
        ("NL03", "classes", "value"): sum(k == "short_course" for k in courses.values()),
        ("TT02", "community", "value"): talks["community"],
        ("TT02", "school", "value"): talks["school"],
        ("TT03", "leaflet", "value"): sum(int(r["quantity"]) for _, r in of("communication") if r["kind"] == "leaflet"),
        ("GS01", None, "value"): 1,
        ("KP01", "central", "value"): money["central"],
        ("KP01", "local", "value"): money["local"],
    }


def commune(w, code):
    c = w.client(code, code)
    c("import", "any", os.path.join(ROOT, f"tests/data/binhphuoc/{code}.csv"))
    count = len(rows_of(code))
    check(c.json("status")["waiting"] == count, f"{code}: not everything waits")
    c("sync")
    status = c.json("status")
    check(status["waiting"] == 0 and status["sent"] == count, f"{code}: {status}")
    # Importing the same file again changes nothing.
    c("import", "any", os.path.join(ROOT, f"tests/data/binhphuoc/{code}.csv"))
    check(c.json("status")["waiting"] == 0, f"{code}: the same file again made changes")
    c("verify")
    return count


def test(w, _args):
    del w.env["CTXH_TEST_KDF_KIB"]
    w.start()
    w.import_units()
    with ThreadPoolExecutor(4) as pool:
        total = sum(pool.map(lambda code: commune(w, code), CODES))
    status = w.ctl_json("status")
    check(sum(status["records"].values()) == total, f"records: {status['records']}, wanted {total}")
    check(status["quarantine"] == 0 and status["conflicts"] == 0, f"status: {status}")

    reports = {}
    for (indicator, code, column), want in expected().items():
        if indicator not in reports:
            reports[indicator] = w.ctl_json("report", "run", indicator, "--unit", "70", "--on", "2021-04-13",
                                            "--from", "2010-01-01", "--to", "2020-12-31")["rows"]
        rows = [r for r in reports[indicator] if code is None or r.get("code") == code]
        got = rows[0].get(column) if rows else None
        check(got == want, f"{indicator} {code} {column}: {got}, wanted {want}")

    log = w.ctl_json("log", "--limit", "1000")
    check(sum(r["applied"] for r in log) == total, "the sync log counts other changes")
    check({r["outcome"] for r in log} == {"ok"}, f"outcomes: {[r['outcome'] for r in log]}")
    w.ctl("verify")
    print(f"{len(CODES)} communes, {total} records, {len(reports)} indicators")


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
