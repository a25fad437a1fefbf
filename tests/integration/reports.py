"""The yearly report of Bình Phước 2010-2020 from the demo's records: published figures, every format read by other code,
as of an earlier log number, frozen, printed again byte for byte, what came late, and a frozen report somebody changed."""

import csv
import datetime
import glob
import html.parser
import io
import json
import os
import pty
import sqlite3
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile

import harness
from harness import ROOT, check

PERIOD = ("--unit", "70", "--on", "2021-04-13", "--from", "2010-01-01", "--to", "2020-12-31")
FORMATS = ("table", "json", "csv", "xlsx", "html")
FIGURES = ("value", "numerator", "denominator", "target", "persons", "person_times")
LATE = ("25198", "25432", "25438")  # sent after the freezing; a facility and residents among it
EVIL = '=HYPERLINK("http://x","a")<script>'


# ---- the demo's records, through one device of the province

def rows_of(code):
    with open(os.path.join(ROOT, f"tests/data/binhphuoc/{code}.csv"), encoding="utf-8") as f:
        return [dict(r, unit=code) for r in csv.DictReader(f)]


def all_codes():
    return sorted(os.path.basename(p)[:5] for p in glob.glob(os.path.join(ROOT, "tests/data/binhphuoc/2*.csv")))


def send(w, client, codes):
    rows = [r for code in codes for r in rows_of(code)]
    path = os.path.join(w.dir, "import.csv")
    with open(path, "w", encoding="utf-8", newline="") as f:
        out = csv.DictWriter(f, list(dict.fromkeys(k for r in rows for k in r)))
        out.writeheader()
        out.writerows(rows)
    client("import", "any", path)
    client("sync")
    check(client.json("status")["waiting"] == 0, "not everything was sent")
    return len(rows)


def printed(w, *command):
    """The bytes of each format; XLSX goes to a file, the others to stdout."""
    out = {}
    for f in FORMATS:
        path = os.path.join(w.dir, "printed")
        extra = ("-o", path) if f == "xlsx" else ()
        r = subprocess.run([w.program("ctxhctl"), *command, "--format", f, *extra], env=w.env, capture_output=True,
                           timeout=120, check=False)
        check(r.returncode == 0, f"{command} {f}: {r.returncode} {r.stderr}")
        if extra:
            with open(path, "rb") as g:
                out[f] = g.read()
        else:
            out[f] = r.stdout
    return out


# ---- XLSX, read without the library that wrote it

NS = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def sheets_of(data):
    """{sheet name: {(row, column): value}}; dates as datetime. Fails at any formula."""
    z = zipfile.ZipFile(io.BytesIO(data))
    check(z.testzip() is None, "xlsx: damaged zip")
    check(not [n for n in z.namelist() if "vba" in n.lower() or "external" in n.lower()], f"xlsx: {z.namelist()}")
    shared = ["".join(t.text or "" for t in si.iter(f"{{{NS['s']}}}t"))
              for si in ET.fromstring(z.read("xl/sharedStrings.xml")).findall("s:si", NS)]
    styles = ET.fromstring(z.read("xl/styles.xml"))
    formats = {int(f.get("numFmtId")): f.get("formatCode") for f in styles.iter(f"{{{NS['s']}}}numFmt")}
    cells = [formats.get(int(x.get("numFmtId")), "") for x in styles.find("s:cellXfs", NS)]
    targets = {r.get("Id"): r.get("Target") for r in ET.fromstring(z.read("xl/_rels/workbook.xml.rels"))}
    out = {}
    for sheet in ET.fromstring(z.read("xl/workbook.xml")).find("s:sheets", NS):
        root = ET.fromstring(z.read("xl/" + targets[sheet.get(RELATION)]))
        check(root.find(".//s:f", NS) is None, f"xlsx: a formula in {sheet.get('name')}")
        values = {}
        for c in root.iter(f"{{{NS['s']}}}c"):
            v = c.find("s:v", NS)
            if v is None:
                continue
            column = 0
            for letter in c.get("r").rstrip("0123456789"):
                column = column * 26 + ord(letter) - 64
            row = int(c.get("r").lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
            kind = c.get("t", "n")
            check(kind in ("s", "n"), f"xlsx: a cell of type {kind}")
            value = shared[int(v.text)] if kind == "s" else float(v.text)
            if kind == "n" and "yy" in cells[int(c.get("s", "0"))]:
                value = datetime.datetime(1899, 12, 30) + datetime.timedelta(days=value)
            values[row, column] = value
        out[sheet.get("name")] = values
    return out


def check_xlsx(data, report):
    sheets = sheets_of(data)
    names = list(sheets)
    check(names[:4] == ["Mục tiêu", "1. Truyền thông", "2. Mạng lưới, năng lực", "3. Can thiệp, trợ giúp"]
          and names[-1] == "Chất lượng số liệu", f"sheets: {names}")
    found = 0
    for name in names[:-1]:
        s = sheets[name]
        check(s[3, 2] == datetime.datetime(2010, 1, 1) and s[3, 3] == datetime.datetime(2020, 12, 31),
              f"{name}: the period is {s[3, 2]} to {s[3, 3]}")
        check(s[4, 3] == report["as_of"], f"{name}: log number {s[4, 3]}")
        at = 7
        while (at, 1) in s:
            row = next(r for r in report["rows"] if r["indicator"] == s[at, 1] and r["code"] == s.get((at, 4)))
            for i, key in enumerate(FIGURES):
                want = row.get(key)
                check(s.get((at, 9 + i)) == want, f"{s[at, 1]} {row['code']} {key}: {s.get((at, 9 + i))}, not {want}")
            check(row["label"] == s.get((at, 5)), f"label {s.get((at, 5))}")
            found += 1
            at += 1
    check(found == len(report["rows"]), f"xlsx has {found} rows, not {len(report['rows'])}")
    quality = sheets["Chất lượng số liệu"]
    check([quality[r, 3] for r in (6, 7, 8, 9)] == [111, len(report["stale_units"]), report["quarantined"],
                                                    report["erased"]], f"quality: {quality}")


# ---- HTML, read by a parser that knows nothing of us

class Page(html.parser.HTMLParser):
    VOID = {"meta", "br", "link", "img", "input"}

    def __init__(self):
        super().__init__()
        self.open, self.text, self.tags, self.widths, self.attributes = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "tr":
            self.widths.append(0)
        if tag in ("td", "th"):
            self.widths[-1] += int(dict(attrs).get("colspan", "1"))
            check(tag == "td" or dict(attrs).get("scope") in ("col", "row", "rowgroup"), f"th without scope: {attrs}")

    def handle_endtag(self, tag):
        check(self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}")
        self.open.pop()

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)


def check_html(data, words, tables):
    page = Page()
    page.feed(data.decode("utf-8"))
    page.close()
    text = " ".join(" ".join(page.text).split())
    check(not page.open, f"html: left open: {page.open}")
    check(not set(page.tags) & {"script", "iframe", "img", "link", "form", "object"}, f"html: {set(page.tags)}")
    check(not [a for a in page.attributes if a.startswith("on") or a in ("src", "style")], "html: handlers or sources")
    check(page.tags.count("table") == tables, f"html: {page.tags.count('table')} tables")
    for word in words:
        check(word in text, f"html: no “{word}”")
    return text


# ---- the parts of the test

def published(w):
    r = subprocess.run([os.path.join(ROOT, "scripts/compare-figures"), w.program("ctxhctl"),
                        os.path.join(ROOT, "tests/data/binhphuoc/published.csv"), "--", *PERIOD],
                       env=w.env, capture_output=True, text=True, timeout=300, check=False)
    check(r.returncode == 0, f"figures differ from the published ones:\n{r.stdout}{r.stderr}")


def late(w, early, counts):
    got = json.loads(w.ctl("report", "late", "1", "--format", "json", code=4).stdout)
    now = w.ctl_json("report", "run", "annual", *PERIOD)
    check(not got["schema_changed"] and got["log"] == early["as_of"] and got["as_of"] == now["as_of"], f"late: {got}")
    units = {u["unit"]: u["records"] for u in got["units"]}
    check(units == counts, f"late units: {units}, wanted {counts}")
    key = lambda r: (r["indicator"], r["code"], r["unit"])
    old = {key(r): r for r in early["rows"]}
    want = {(*key(r), f): (old.get(key(r), {}).get(f), r.get(f)) for r in now["rows"] for f in FIGURES
            if old.get(key(r), {}).get(f) != r.get(f)}
    have = {(*key(f), f["figure"]): (f["old"], f["new"]) for f in got["figures"]}
    check(have == want, f"late figures: {set(have.items()) ^ set(want.items())}")
    check(have["CT02", "all", "70", "numerator"] == (102, 105), f"late: {have['CT02', 'all', '70', 'numerator']}")
    table = w.ctl("report", "late", "1", code=4).stdout
    check("102" in table and "Phường Tân Đồng" in table and "94,6 %" in table, f"late as a table: {table}")
    lines = list(csv.DictReader(io.StringIO(w.ctl("report", "late", "1", "--format", "csv", code=4).stdout)))
    check(len(lines) == len(want), "late as CSV")


def evil_names(w):
    """A list may bring any name: it is text in a sheet, and text on a page."""
    path = os.path.join(w.dir, "evil.csv")
    with open(path, "w", encoding="utf-8", newline="") as f:
        csv.writer(f).writerows([["code", "name", "type", "district_code", "district_name", "province_code"],
                                 ["99001", EVIL, "Xã", "990", "=1+1", "99"]])
    w.ctl("unit", "import", path, "--from", "2021-02-01")
    period = ("--unit", "990", "--on", "2021-04-13", "--from", "2010-01-01", "--to", "2020-12-31")
    bytes_of = printed(w, "report", "run", "annual", *period)
    sheets = sheets_of(bytes_of["xlsx"])
    texts = [v for s in sheets.values() for v in s.values() if isinstance(v, str)]
    check(EVIL in texts and "=1+1" in texts, f"names are lost: {[t for t in texts if t.startswith('=')]}")
    check_html(bytes_of["html"], [EVIL.replace("\n", " "), "=1+1"], 7)


def on_a_terminal(w):
    """XLSX is no text for a terminal: said before anything is asked."""
    try:
        master, slave = pty.openpty()
    except OSError as why:
        print(f"  not looked at on a terminal, there is none to be had: {why}", flush=True)
        return
    try:
        r = subprocess.run([w.program("ctxhctl"), "report", "run", "NL01", *PERIOD, "--format", "xlsx"], env=w.env,
                           stdout=slave, stderr=subprocess.PIPE, timeout=60, check=False)
        check(r.returncode == 2 and b"-o FILE" in r.stderr, f"xlsx on a terminal: {r}")
    finally:
        os.close(master)
        os.close(slave)


def refusals(w):
    for code, word, command in ((2, "xlsx, html", ("log", "--format", "xlsx")), (2, "pdf", ("report", "list", "--format", "pdf")),
                                (2, "html", ("report", "run", "NL01", *PERIOD, "--format", "pdf")),
                                (1, "999999", ("report", "run", "NL01", *PERIOD, "--at", "999999")),
                                (2, "whole number", ("report", "run", "NL01", *PERIOD, "--at", "0")),
                                (2, "--unit", ("report", "freeze", "annual")),
                                (1, "report frozen", ("report", "print", "77")), (1, "report frozen", ("report", "late", "77")),
                                (2, "number", ("report", "print", "x"))):
        r = w.ctl(*command, code=code)
        check(word in r.stderr or code == 2 and "format" in r.stderr, f"{command}: {r.stderr}")
        check(r.stdout == "", f"{command} also printed {r.stdout}")


def changed(w, frozen):
    """Somebody alters the file: verify finds it, and the altered report is not printed."""
    w.stop()
    with sqlite3.connect(os.path.join(w.state, "ctxhd.db")) as db:
        db.execute("UPDATE report_document SET body = CAST('x' AS BLOB), size = 1 WHERE frozen = 1 AND format = 'csv'")
    db.close()
    w.start()
    found = w.ctl_json("verify", code=4)
    check([d["invariant"] for d in found["differences"]] == ["S14"], f"verify: {found}")
    r = w.ctl("report", "print", "1", "--format", "html", code=1)
    check("verify" in r.stderr, f"an altered report: {r.stderr}")
    again = printed(w, "report", "print", "2")
    check(again == frozen, "the other one cannot be printed any more")


def test(w, _args):
    w.start()
    w.import_units()
    codes = all_codes()
    client = w.client("tinh", "70")
    send(w, client, [c for c in codes if c not in LATE])
    early = w.ctl_json("report", "run", "annual", *PERIOD)
    first = printed(w, "report", "run", "annual", *PERIOD)
    frozen = w.ctl_json("report", "freeze", "annual", *PERIOD)
    check(frozen["frozen"] == 1 and frozen["log"] == early["as_of"], f"freeze: {frozen}")
    check(json.loads(first["json"]) == early, "the file is another report")

    counts = {c: send(w, client, [c]) for c in LATE}
    published(w)
    whole = w.ctl_json("report", "run", "annual", *PERIOD)
    bytes_of = printed(w, "report", "run", "annual", *PERIOD)
    check_xlsx(bytes_of["xlsx"], whole)
    check_html(bytes_of["html"], ["Nội dung 1.", "Nội dung 2.", "Nội dung 3.", "94,6 %", "105", "111", "14.257 triệu đồng",
                                  "1.332", "Tỉnh Bình Phước (70)", "01/01/2010 – 31/12/2020", "<5", "Kinh phí"], 6)

    then = w.ctl_json("report", "run", "annual", *PERIOD, "--at", str(early["as_of"]))
    check(then["rows"] == early["rows"] and then["as_of"] == early["as_of"] and then["past"], "as of the earlier number")
    check(then["rows"] != whole["rows"], "nothing came meanwhile: this proves nothing")
    check(not [n for n in os.listdir(w.state) if n.startswith("rebuild-")], f"left behind: {os.listdir(w.state)}")

    check(printed(w, "report", "print", "1") == first, "the frozen report is printed otherwise")
    late(w, early, counts)
    client_person = client.json("list", "person")[0]["id"]
    w.ctl("erase", client_person, "--why", "người ấy yêu cầu", "--basis", "Luật 91/2025/QH15", "--with-events")
    check(w.ctl_json("report", "run", "NL01", *PERIOD, "--at", str(early["as_of"]))["erased"] >= 1,
          "erased since is not said")
    check("erased by law since" in w.ctl("report", "run", "NL01", *PERIOD, "--at", str(early["as_of"])).stdout,
          "nor in the table")
    w.ctl("report", "freeze", "NL01", *PERIOD, "--at", str(early["as_of"]))
    second = printed(w, "report", "print", "2")
    w.stop()
    w.start()
    check(printed(w, "report", "print", "1") == first, "after an erasure and a restart")
    listed = w.ctl_json("report", "frozen")
    check([f["frozen"] for f in listed] == [2, 1] and listed[1] == frozen, f"frozen: {listed}")
    check(w.ctl_json("verify")["found"] == 0, "verify finds something")
    audited = [a["detail"].get("hash") for a in w.ctl_json("audit", "list", "--limit", "100") if a["what"] == "report freeze"]
    check(audited == [f["hash"] for f in listed], f"audit: {audited}")

    evil_names(w)
    on_a_terminal(w)
    refusals(w)
    changed(w, second)


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
