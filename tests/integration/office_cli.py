"""Each command of ctxhctl in all three formats, with every filter: JSON and CSV have the keys of docs/cli.md, a
table is for people and fits 80 columns; and docs/cli.md, the man pages and --help name the same commands."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys

import harness
from harness import ROOT, check

LOG = """session device unit author started_at ended_at transport address client_version bytes_in bytes_out
    changesets applied conflicts quarantined records_out evictions clock_offset_ms outcome error""".split()
DEVICE = """number name units enrolled_at revoked_at last_contact last_number missing clock_offset_ms
    client_version state""".split()
CHANGE = "record type field old new result author number at device".split()
CONFLICT = "conflict record type field kept lost kept_by lost_by at state".split()
QUARANTINE = "quarantine device number reason field at state mended_by".split()
RECORD = "id type unit unit_name deleted voided merged_into hidden fields history".split()
MISSING = "device name units held missing missing_count last_contact state".split()
AUDIT = "entry at who what detail hash".split()
VERIFY = "log changesets changes records invariants found differences".split()
UNIT = "code name type province_code from until unit".split()
STATUS = "version epoch log devices records last_backup quarantine conflicts communes".split()
REPORT = "id label unit from to on as_of as_of_at past schema communes stale_units stale quarantined erased rows".split()
FROZEN = "frozen id unit unit_name from to on log at who hash".split()
PERIOD = ("--unit", "70", "--on", "2021-04-13", "--from", "01/01/2020", "--to", "2020-12-31")


def has_keys(what, row, keys):
    lacking = [k for k in keys if k not in row]
    check(not lacking, f"{what}: no {lacking} in {row}")


def each_format(w, command, keys=(), rows=None, code=0):
    """Runs it three times; gives the JSON. `keys` are those of the rows, or of the object."""
    what = " ".join(command)
    got = json.loads(w.ctl(*command, "--format", "json", code=code).stdout)
    shown = got if isinstance(got, list) else [got]
    for row in shown[:1]:
        has_keys(what, row, keys)
    table = w.run("ctxhctl", *command, code=code).stdout
    check("{" not in table and "null" not in table, f"{what}: a table of JSON: {table[:300]}")
    check(table.strip() != "", f"{what}: an empty table")
    text = w.ctl(*command, "--format", "csv", code=code).stdout
    lines = list(csv.reader(io.StringIO(text)))
    check(len({len(line) for line in lines}) <= 1, f"{what}: rows of CSV are not equally long")
    if rows is not None:
        check(len(shown) == rows, f"{what}: {len(shown)} rows, not {rows}")
        check(len(lines) == rows + 1, f"{what}: {len(lines)} lines of CSV for {rows} rows")
        for key in keys:
            check(key in lines[0], f"{what}: no {key} in {lines[0]}")
    return got


def fits(w, *command):
    """The same at 80 columns: COLUMNS does for a pipe what a terminal tells by itself."""
    env = dict(w.env, COLUMNS="80")
    out = subprocess.run([os.path.join(w.bin, "ctxhctl"), *command], env=env, capture_output=True, text=True,
                         timeout=harness.PATIENCE, check=False).stdout
    for line in out.splitlines():
        check(len(line) <= 80 or ": " in line, f"{' '.join(command)}: {len(line)} columns: {line}")
    return out


def says(w, code, words, *command):
    r = w.ctl(*command, code=code)
    text = r.stderr
    check(r.stdout == "", f"{' '.join(command)}: also printed {r.stdout}")
    for word in words:
        check(word in text, f"{' '.join(command)}: no “{word}” in {text}")
    if code == 1:
        check(" / " in text, f"{' '.join(command)}: one language only: {text}")


def fill(w):
    """Two devices that conflict, a change in quarantine, a record that moved."""
    one = w.client("Máy một", "25195", "--author", "Lê Văn An")
    two = w.client("Máy hai", "25195")
    other = w.client("Máy ba", "25198")
    person = one.add("person", full_name="Điểu K’Ré", sex="nam", birth_date="1950", monthly_income="1.234.567")
    one("sync")
    two("sync")
    one("edit", person, "hamlet=Ấp 1")
    two("edit", person, "hamlet=Sóc Bù Nho")
    one("sync")
    two("sync", code=4)
    one("sync")
    notices = one.json("inbox")
    check([n["kind"] for n in notices] == ["conflict"], f"inbox: {notices}")
    has_keys("inbox", notices[0], "id kind record type field kept lost by at text".split())
    check("Sóc Bù Nho" in one("inbox").stdout, "the inbox does not say what was kept")
    moved = one.add("person", full_name="Người Chuyển Đi")
    one("transfer", moved, "--unit", "25198")
    one("sync")
    one("show", moved, code=1)
    other("sync")
    check(other.json("show", moved)["unit"] == "25198", "a record moved before it was sent did not arrive")
    return one, two, person


def listings(w, person):
    sessions = each_format(w, ("log",), LOG)
    check(all(s["outcome"] in ("ok", "partial", "refused", "failed") for s in sessions), f"outcomes: {sessions}")
    for option in (("--unit", "25195"), ("--device", "2"), ("--since", "2026-01-01"), ("--since", "01/01/2020"),
                   ("--outcome", "partial"), ("--limit", "1")):
        rows = each_format(w, ("log", *option), LOG)
        check(0 < len(rows) <= len(sessions), f"log {option}: {rows}")
    check(each_format(w, ("log", "--until", "2020-01-01")) == [], "log --until an old day")
    partial = w.ctl_json("log", "--outcome", "partial")[0]["session"]
    session = each_format(w, ("log", "show", str(partial)), LOG + ["changes"])
    has_keys("a change", session["changes"][0], CHANGE)
    check("Sóc Bù Nho" in w.ctl("log", "show", str(partial)).stdout, "log show lacks the new value")

    record = each_format(w, ("record", "show", person), RECORD)
    check(record["id"] == person and record["fields"]["full_name"]["value"] == "Điểu K’Ré", f"record: {record}")
    check(w.ctl_json("record", "show", person[:20])["id"] == person, "record show by a prefix")
    check(person in w.ctl("record", "show", person).stdout, "record show has the id whole")

    words_for_people(w, person, partial)
    health = each_format(w, ("health",), ["at", "started_at", "ready", "disk_low", "alerts", "metrics"])
    check(health["ready"] is True and health["metrics"]["devices"] >= 0, f"health: {health}")
    check("Đối tượng (người)" in w.ctl("status").stdout, "status counts types by their names")
    each_format(w, ("alert", "show"), ["id", "alert", "at", "day", "title", "items", "text", "ways"])
    fits(w, "duplicate", "list")
    each_format(w, ("status",), STATUS)
    each_format(w, ("device", "list"), DEVICE, rows=3)
    each_format(w, ("device", "show", "1"), ["number", "units", "state"], rows=1)
    each_format(w, ("missing",), MISSING)
    check(len(each_format(w, ("conflict", "list"), CONFLICT, rows=1)) == 1, "one conflict")
    each_format(w, ("conflict", "list", "--open"), CONFLICT, rows=1)
    conflict = each_format(w, ("conflict", "show", "1"), CONFLICT, rows=1)
    check(conflict["kept"] == "Sóc Bù Nho" and conflict["lost"] == "Ấp 1", f"conflict: {conflict}")
    each_format(w, ("quarantine", "list"), QUARANTINE, rows=0)
    each_format(w, ("audit", "list"), AUDIT)
    each_format(w, ("audit", "list", "--limit", "2"), AUDIT, rows=2)
    check(each_format(w, ("verify",), VERIFY)["found"] == 0, "verify finds something")
    each_format(w, ("unit", "list", "--province", "70", "--on", "13/04/2021"), UNIT, rows=111)
    sections = w.ctl("report", "list").stdout
    check("Mạng lưới" in sections and "network" not in sections, f"report list has codes: {sections}")
    check(w.ctl_json("report", "list")[1]["section"] == "programme", "programs are given codes")
    check("Phường Tân Phú" in fits(w, "board"), "the name of a commune is cut at 80 columns")
    for command in (("board", "--unit", "25195"), ("log",), ("log", "show", str(partial)), ("device", "list"), ("conflict", "list"),
                    ("quarantine", "list"), ("audit", "list"), ("unit", "list"), ("report", "list"),
                    ("record", "show", person)):
        fits(w, *command)
    check(person[:20] in fits(w, "conflict", "list"), "an id is cut further than commands take it")


def words_for_people(w, person, session):
    """Tables have labels where JSON and CSV have names and codes; no colour goes into a pipe."""
    for command, words, code in ((("log", "--outcome", "partial"), ("một phần",), "partial"),
                                 (("log", "show", str(session)), ("một phần", "Thôn, ấp, khu phố", "xung đột"), "hamlet"),
                                 (("conflict", "list"), ("Thôn, ấp, khu phố", "chờ quyết định"), "hamlet"),
                                 (("conflict", "show", "1"), ("Đối tượng (người)", "Thôn, ấp, khu phố"), "hamlet"),
                                 (("record", "show", person), ("Giới tính", "Nam"), "male"),
                                 (("device", "list"), ("đang dùng",), "active")):
        table = w.ctl(*command).stdout
        for word in words:
            check(word in table, f"{command}: no “{word}” in {table}")
        check(code not in table and "\x1b" not in table, f"{command}: “{code}” or a colour in {table}")
        for fmt in ("json", "csv"):
            check(code in w.ctl(*command, "--format", fmt).stdout, f"{command} {fmt}: no {code}")


def questions(w):
    rows = each_format(w, ("query", "SELECT full_name, monthly_income FROM person ORDER BY 1"), rows=2)
    check({r["monthly_income"] for r in rows} == {1234567, None}, f"query: {rows}")
    for sql, word in (("DELETE FROM person", "not allowed"), ("SELECT * FROM invitation", "not allowed"),
                      ("SELEC", "wrong"), ("SELECT 1; SELECT 2", "wrong"), ("PRAGMA user_version", "not allowed"),
                      ("SELECT * FROM hiv_record", "--reason")):
        says(w, 1, (word,), "query", sql)
    each_format(w, ("query", "SELECT * FROM hiv_record", "--reason", "kiểm tra"), rows=0)
    check(any("kiểm tra" in json.dumps(a["detail"], ensure_ascii=False) for a in w.ctl_json("audit", "list")),
          "the reason is not in the audit")

    reports = {r["id"] for r in each_format(w, ("report", "list"), ["id", "label"])}
    check({"annual", "CT02", "KP01"} <= reports, f"reports: {reports}")
    report = each_format(w, ("report", "run", "annual", *PERIOD), REPORT)
    for row in report["rows"]:
        has_keys("a row of the report", row, ["indicator", "unit"])
    report = each_format(w, ("report", "run", "CT02", *PERIOD), REPORT)
    check(report["rows"][0]["denominator"] == 111, f"CT02: {report}")
    path = os.path.join(w.dir, "report.csv")
    w.ctl("report", "run", "CT02", *PERIOD, "--format", "csv", "-o", path)
    with open(path, encoding="utf-8") as f:
        check(f.readline().startswith("indicator,"), "the report's file")
    says(w, 1, ("NOPE",), "report", "run", "NOPE", *PERIOD)
    says(w, 2, ("begins",), "report", "run", "CT02", "--unit", "70", "--from", "2020-12-31", "--to", "2020-01-01")
    says(w, 2, ("date",), "report", "run", "CT02", "--unit", "70", "--from", "x", "--to", "2020-01-01")
    says(w, 1, ("123",), "report", "run", "CT02", "--unit", "123", "--from", "2020-01-01", "--to", "2020-12-31")
    says(w, 2, ("xlsx",), "report", "run", "CT02", *PERIOD, "--format", "pdf")
    says(w, 2, ("xlsx",), "report", "list", "--format", "xlsx")
    each_format(w, ("report", "freeze", "CT02", *PERIOD), FROZEN)
    each_format(w, ("report", "frozen"), FROZEN, rows=3)  # each of the three formats froze one
    each_format(w, ("report", "print", "1"), REPORT)
    fits(w, "report", "frozen")
    fits(w, "report", "late", "1")
    fits(w, "report", "run", "annual", *PERIOD)
    each_format(w, ("report", "late", "1"), ["frozen", "id", "log", "as_of", "schema_changed", "units", "figures"])
    says(w, 1, ("/no/such",), "report", "run", "CT02", *PERIOD, "-o", "/no/such/file")
    says(w, 2, ("--unit",), "report", "run", "CT02")


def own_records(w):
    """What the office itself keeps comes in from a file, all or none."""
    keys = ["new", "change", "same", "refused", "log", "rows"]
    target = {"type": "target", "unit": "70", "fields": {"indicator": "CT02", "year": 2020, "value": 100}}
    path = os.path.join(w.dir, "records.json")

    def put(what):
        with open(path, "w", encoding="utf-8") as f:
            f.write(what if isinstance(what, str) else json.dumps(what, ensure_ascii=False))

    put([target])
    dry = each_format(w, ("import", "accept", path, "--dry-run"), keys)
    check(dry["new"] == 1 and dry["log"] is None, f"dry run: {dry}")
    done = w.ctl_json("import", "accept", path)
    check(done["new"] == 1 and done["log"] > 0, f"import accept: {done}")
    put(dict(target, id=done["rows"][0]["id"]))
    again = w.ctl_json("import", "accept", path)
    check(again["same"] == 1 and again["log"] is None, f"the same again: {again}")
    report = w.ctl_json("report", "run", "CT02", *PERIOD)
    check(report["rows"][0]["target"] == 100.0, f"the target is not in the report: {report['rows'][0]}")
    put([target, dict(target, unit="99999")])
    refused = each_format(w, ("import", "accept", path), keys, code=4)
    check(refused["rows"][1]["code"] == "no_such_unit" and refused["log"] is None, f"refused: {refused}")
    fits(w, "import", "accept", path)
    put("{")
    says(w, 1, ("bad JSON",), "import", "accept", path)
    says(w, 1, ("/no/such",), "import", "accept", "/no/such")


def mistyped(w):
    """Every option that is a number, a time or one of few words, with a value it cannot have: usage."""
    units = os.path.join(harness.ROOT, "tests/data/units/units_binhphuoc_2021.csv")
    report = ("report", "run", "CT02", "--unit", "70", "--from", "2020-01-01", "--to", "2020-12-31")
    invite = ("device", "invite", "--unit", "25195")
    for command, option, values in (
            (invite, "--expires", ("x", "72", "h", "0h", "31d", "-1h", "72hh", "9999999m")),
            (invite, "--on", ("x", "2021-02-30", "31/02/2021", "2021")), (invite, "--clearance", ("x",)),
            (("device", "release", "1"), "--expires", ("x",)),
            (("log",), "--since", ("hôm qua", "2021-13-01", "25:00")), (("log",), "--until", ("x", "2021-02-30")),
            (("log",), "--limit", ("0", "-1", "x", "1x", "99999999999999999999")), (("log",), "--device", ("-1", "4294967296")),
            (("log",), "--outcome", ("nope",)), (("unit", "list"), "--on", ("x",)),
            (("device", "list"), "--state", ("x",)), (("device", "list"), "--limit", ("0", "x")),
            (("unit", "import", units, "--from", "2021-02-01"), "--until", ("x", "2020-01-01")),
            (("unit", "import", units), "--from", ("x",)), (("unit", "succession", units), "--on", ("x",)),
            (("unit", "placing", "--unit", "25195"), "--limit", ("0", "x")), (("duplicate", "list"), "--limit", ("x",)),
            (("audit", "list"), "--limit", ("x", "0")), (report, "--on", ("x",)), (report, "--at", ("x", "0", "1.5")),
            (("report", "freeze", *report[2:]), "--on", ("x",)), (("account", "add", "an"), "--role", ("x",)),
            (("account", "add", "an", "--role", "auditor"), "--clearance", ("x",))):
        for value in values:
            says(w, 2, (option.strip("-"),), *command, f"{option}={value}")


def wrong_arguments(w):
    for command, word in ((("log", "show", "x"), "number"), (("log", "--limit", "0"), "limit"),
                          (("log", "--device", "x"), "device"), (("device", "revoke", "1"), "--why"),
                          (("device", "invite"), "--unit"), (("nope",), "unknown command"),
                          (("device",), "device invite"), (("log", "--nope"), "unknown option"),
                          (("unit", "import", "x.csv"), "--from"), (("--format", "xml", "log"), "csv"),
                          (("account", "units", "an"), "--all"), (("account", "units", "an", "25195", "--all"), "--all"),
                          (("account", "role", "an", "x"), "reviewer"), (("account", "role", "an"), "ROLE"),
                          (("record", "show", "abc"), "32")):
        says(w, 2, (word,), *command)
    mistyped(w)
    for command, word in ((("log", "show", "999"), "999"), (("log", "--unit", "1"), "1"),
                          (("device", "show", "99"), "99"), (("conflict", "show", "99"), "99"),
                          (("quarantine", "show", "99"), "99"), (("quarantine", "replay", "99"), "99"),
                          (("quarantine", "discard", "99", "--why", "thử"), "99"), (("conflict", "keep", "99"), "99"),
                          (("conflict", "restore", "99"), "99"), (("record", "show", "01234567"), "missing"),
                          (("device", "invite", "--unit", "1"), "unit list"), (("board", "--unit", "1"), "unit list"),
                          (("board", "--province", "99"), "99"), (("unit", "list", "--province", "99"), "99"),
                          (("unit", "import", "/no/such", "--from", "2021-02-01"), "/no/such")):
        says(w, 1, (word,), *command)
    for known in (("--unit", "25195"), ("--unit", "689"), ("--province", "70")):
        check(w.ctl_json("board", *known)["rows"] != [], f"board {known}")
    far = w.ctl("foo", code=2).stderr
    check("did you mean" not in far, f"a suggestion that is nothing alike: {far}")
    says(w, 3, ("/no/such",), "--socket", "/no/such", "status")
    says(w, 3, ("nothing was changed",), "--socket", "/" + "n" * 120, "status")


def follow(w, client):
    p = subprocess.Popen([os.path.join(w.bin, "ctxhctl"), "log", "--follow", "--limit", "1", "--format", "json"],
                         env=w.env, stdout=subprocess.PIPE, text=True)
    try:
        first = json.loads(p.stdout.readline())
        client("sync")
        has_keys("log --follow", first, LOG)
        second = json.loads(p.stdout.readline())
        check(second["session"] > first["session"] and second["outcome"] == "ok", f"follow: {first} {second}")
        p.send_signal(signal.SIGINT)
        check(p.wait(harness.PATIENCE) == 0, "log --follow ends well when told to")
    finally:
        if p.poll() is None:
            p.kill()
        p.stdout.close()


def follow_filtered(w, one, two):
    """Filters combine while the log grows: only what fits all of them is told."""
    p = subprocess.Popen([os.path.join(w.bin, "ctxhctl"), "log", "--follow", "--limit", "1", "--format", "csv",
                          "--device", "2", "--unit", "25195", "--outcome", "ok", "--since", "2020-01-01"],
                         env=w.env, stdout=subprocess.PIPE, text=True)
    try:
        lines = csv.DictReader(iter(p.stdout.readline, ""))
        first = next(lines)
        one("sync")
        two("sync")
        second = next(lines)
        check(first["device"] == second["device"] == "2" and int(second["session"]) > int(first["session"]),
              f"follow with filters: {first} {second}")
        p.send_signal(signal.SIGINT)
        check(p.wait(harness.PATIENCE) == 0, "log --follow with filters ends well")
    finally:
        if p.poll() is None:
            p.kill()
        p.stdout.close()


def revocation(w, client):
    each_format(w, ("device", "list"), DEVICE, rows=3)
    w.ctl("device", "revoke", "2", "--why", "mất máy")
    says(w, 1, ("revoked",), "device", "revoke", "2", "--why", "mất máy")
    r = client("sync", code=1)
    check("revoked" in r.stderr and "kept here" in r.stderr, f"a revoked device hears: {r.stderr}")
    state = {d["number"]: d["state"] for d in w.ctl_json("device", "list")}
    check(state[2] == "revoked", f"states: {state}")
    check("mất máy" in w.ctl("device", "show", "2").stdout, "device show lacks the reason")


def commands_of_help(w, program):
    text = w.run(program, "--help").stdout
    text = text[text.index("(commands)"):text.index("(options)")]
    names = re.findall(r"^  ([a-z]+(?: [a-z]+)?)(?= {2,}|$| [A-Z\[]| field)", text, re.M)
    return {n.strip() for n in names}


def commands_of_manual(w, heading):
    """Those of docs/cli.md that have no ° behind them, and those that have."""
    with open(os.path.join(ROOT, "docs/cli.md"), encoding="utf-8") as f:
        part = f.read().split(heading)[1].split("\n## ")[0]
    there, later = set(), set()
    for line in part.splitlines():
        if not line.startswith("| `"):
            continue
        for code, mark in re.findall(r"`([^`]+)`(°?)", line[:line.index(" |", 3)]):
            name = re.match(r"[a-z]+(?: [a-z|\\]+)?", re.sub(r" (?:--|[A-Z\[]|field).*", "", code)).group()
            name = name.replace("\\", "")
            first, _, rest = name.partition(" ")
            for second in rest.split("|"):
                (later if mark else there).add(f"{first} {second}".strip())
    return there, later


def manuals(w):
    for program, heading, page in (("ctxhctl", "## ctxhctl", "ctxhctl.8"), ("ctxh", "## ctxh:", "ctxh.1")):
        have = commands_of_help(w, program)
        there, later = commands_of_manual(w, heading)
        there.discard("inbox --all")
        check(have == there, f"{program}: --help and docs/cli.md differ: {sorted(have ^ there)}")
        check(not have & later, f"{program}: marked ° and there: {have & later}")
        with open(os.path.join(ROOT, "packaging/man", page), encoding="utf-8") as f:
            text = f.read().replace("\\-", "-").replace('"', "").replace("\\fI", "").replace("\\fP", "")
        for name in sorted(have):
            check(re.search(r"\b" + re.escape(name.split()[-1]) + r"\b", text), f"{page}: no {name}")
        for name in sorted(have):
            for option in re.findall(r"--[a-z-]+", w.run(program, *name.split(), "--help").stdout):
                check(option in text, f"{page}: {name} has {option}")


def test(w, _args):
    w.start()
    says_import = w.import_units().stdout
    check("111" in says_import, f"unit import: {says_import}")
    one, two, person = fill(w)
    listings(w, person)
    questions(w)
    own_records(w)
    wrong_arguments(w)
    follow(w, one)
    follow_filtered(w, one, two)
    revocation(w, two)
    manuals(w)
    w.stop()
    says(w, 3, ("nothing was changed",), "status")
    r = one("sync", code=3)
    check("nothing is lost" in r.stderr, f"sync without an office: {r.stderr}")


sys.exit(harness.main(test, __doc__))
