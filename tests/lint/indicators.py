#!/usr/bin/env python3
"""indicators - run every indicator of schema/ over a small province with known figures.

usage: indicators.py <repository root>

Makes the tables and views that docs/schema.md promises to a query, in memory, from the
YAML itself; a query that does not parse, a row without a code, or a figure other than the
expected one fails. The figures are those Bình Phước published for 2010-2020.
"""
import glob
import os
import re
import sqlite3
import sys

import yaml

COLUMN = {"integer": "INTEGER", "money": "INTEGER", "bool": "INTEGER", "unit": "INTEGER", "reference": "BLOB"}
KNOWN = {"code", "label_vi", "label_en", "value", "numerator", "denominator", "target", "persons",
         "person_times"}
PROVINCE = 1
COMMUNES = range(100, 211)  # 111 of them
bad = []


def load(root):
    merged = {"types": {}, "lists": {}, "queries": {}, "indicators": {}}
    for path in sorted(glob.glob(os.path.join(root, "schema", "*.yaml"))):
        with open(path, encoding="utf-8") as f:
            for key, part in yaml.load(f, yaml.BaseLoader).items():
                merged[key].update(part)
    return merged


def quote(text):
    return "'" + text.replace("'", "''") + "'"


def expand(schema, text):
    """{name}: a named query, or a code list as rows."""
    def one(match):
        name = match.group(1)
        if name in schema["queries"]:
            return "(" + expand(schema, schema["queries"][name]) + ")"
        rows = ",".join(
            "(%s,%s,%s,%s,%d)" % (quote(code), quote(c["vi"]), quote(c["en"]),
                                  quote(c.get("sensitivity", "public")), i)
            for i, (code, c) in enumerate(schema["lists"][name]["codes"].items()))
        return ("(SELECT column1 AS code, column2 AS vi, column3 AS en, column4 AS sensitivity, "
                "column5 AS position FROM (VALUES %s))" % rows)
    return re.sub(r"\{([a-z0-9_]+)\}", one, text)


class Province:
    def __init__(self, schema):
        self.db = sqlite3.connect(":memory:")
        self.serial = 0
        run = self.db.execute
        run("CREATE TEMP TABLE scope(unit INTEGER PRIMARY KEY, commune INTEGER, code TEXT)")
        run("CREATE TEMP TABLE communes(unit INTEGER, code TEXT, name TEXT)")
        for name, t in schema["types"].items():
            fields = "".join(", %s %s" % (n, COLUMN.get(f["type"], "TEXT")) for n, f in t["fields"].items())
            run("CREATE TABLE %s (id BLOB, unit INTEGER, deleted INTEGER DEFAULT 0, voided INTEGER DEFAULT 0,"
                " merged_into BLOB, corrects BLOB, log INTEGER DEFAULT 1%s)" % (name, fields))
            run("CREATE TEMP VIEW live_%s AS SELECT * FROM %s r WHERE deleted = 0 AND voided = 0 AND"
                " merged_into IS NULL AND unit IN (SELECT unit FROM scope) AND NOT EXISTS(SELECT 1 FROM %s c WHERE"
                " c.corrects = r.id AND c.deleted = 0 AND c.voided = 0 AND c.merged_into IS NULL)"
                % (name, name, name))
        run("INSERT INTO scope VALUES (?, ?, '70')", (PROVINCE, PROVINCE))
        for u in COMMUNES:
            run("INSERT INTO scope VALUES (?, ?, ?)", (u, u, "25%03d" % u))
            run("INSERT INTO communes VALUES (?, ?, ?)", (u, "25%03d" % u, "Xã %d" % u))

    def add(self, table, unit=PROVINCE, **fields):
        self.serial += 1
        key = self.serial.to_bytes(16, "big")
        names = ["id", "unit", *fields]
        self.db.execute("INSERT INTO %s (%s) VALUES (%s)" % (table, ", ".join(names), ", ".join("?" * len(names))),
                        [key, unit, *fields.values()])
        return key

    def fill(self):
        add = self.add
        workers = []
        for i, u in enumerate(COMMUNES):
            if i < 105:
                w = add("worker", u, full_name="Nguyễn Văn %d" % i)
                workers.append(w)
                add("worker_assignment", u, worker=w, role="collaborator", started_on="2014-06-01",
                    work_form="full_time" if i < 53 else "part_time", monthly_allowance=1490000)
        gone = add("worker", 100, full_name="Trần Thị Bé")
        add("worker_assignment", 100, worker=gone, role="collaborator", work_form="full_time",
            started_on="2014-06-01", ended_on="2016-05-31")
        public = add("facility", name="Trung tâm Bảo trợ xã hội", kind="general", ownership="public",
                     status="active", founded_on="2000-01-01")
        add("facility", name="Trung tâm CTXH", kind="social_work_centre", ownership="public", status="merged",
            founded_on="2011-11-04", closed_on="2020-12-27")
        private = [add("facility", name="Mái ấm %d" % i, kind="child", ownership="non_public", status="active")
                   for i in range(5)]
        for i in range(5):
            add("facility", name="Tổ CTXH %d" % i, kind="hospital_team", ownership="public", status="active")
        for i in range(190):
            p = add("person", full_name="Điểu %d" % i, birth_date="~10@2015-05-01" if i % 2 else "2010", sex="male",
                    ethnicity="xtieng")
            add("stay", person=p, facility=public if i < 52 else private[i % 5], kind="care",
                entered_on="2018-01-01", left_on="2019-01-01" if i in (0, 60) else None)
            add("person_category", person=p, scheme="child_priority", priority_group="1", since_on="2018-01-01")
            if i < 95:
                add("intervention", 100, person=p, given_on="2020-03-01", kind="GIFT", amount=500000)
        courses = [add("training", kind="short_course", name="Lớp %d" % i, starts_on="201%d-05-01" % i)
                   for i in range(5)]
        for i in range(1332):
            who = {"worker": workers[i]} if i < len(workers) else {
                "attendee_name": "Lê Văn An", "workplace": "UBND xã %d" % i}
            add("training_attendance", training=courses[i % 5], **who)
            if i < 200:
                add("training_attendance", training=courses[(i + 1) % 5], **who)
        degree = add("training", kind="long_course", name="Đại học CTXH", starts_on="2015-04-07",
                     ends_on="2019-06-30")
        for i in range(82):
            add("training_attendance", training=degree, attendee_name="Phạm Thị %d" % i, attendee_birth="1990",
                status="completed" if i < 51 else "dropped")
        for i in range(105):
            add("communication", kind="talk", topic="Luật", audience="community", held_on="2015-04-18", attendees=40)
        add("communication", kind="talk", topic="Tai nạn", audience="school", held_on="2016-04-18", quantity=45)
        add("communication", kind="leaflet", topic="Tờ rơi", held_on="2017-04-18", quantity=85000)
        add("service_model", kind="trusted_shelter", status="pilot", started_on="2015-01-01")
        add("supervision", held_on="2018-10-10", inspected="Huyện Lộc Ninh")
        for year in range(2011, 2021):
            add("budget_line", year=year, funding_source="central", content="capacity", disbursed=1425700000)
            add("budget_line", year=year, funding_source="local", content="allowance", disbursed=229000000)
        add("contact", 100, received_at="2020-05-01T07:30:00+07:00", intervened_at="2020-05-01T19:30:00+07:00",
            channel="phone", **{"class": "urgent_protection"})
        add("contact", 100, received_at="2020-05-01T07:30:00+07:00", intervened_at="2020-05-01T13:31:00Z",
            channel="phone", **{"class": "urgent_protection"})


EXPECTED = {  # indicator, code -> column -> figure
    ("CT02", "all"): {"value": 94.6, "numerator": 105, "denominator": 111},
    ("CT03", "at_least_one"): {"numerator": 105, "denominator": 111},
    ("CT04", "all"): {"value": 100.0, "numerator": 105, "denominator": 105},
    ("CT08", "all"): {"value": 50.0, "numerator": 95, "denominator": 190},
    ("NL01", "full_time"): {"value": 53, "persons": 53},
    ("NL01", "part_time"): {"value": 52},
    ("NL01", "half_time"): {"value": 0},
    ("NL02", "all"): {"numerator": 1, "denominator": 52.5},
    ("ML01", "public"): {"value": 1},
    ("ML01", "non_public"): {"value": 5},
    ("ML02", "public"): {"value": 51, "persons": 51},
    ("ML02", "non_public"): {"value": 137, "persons": 137},
    ("ML04", "all"): {"value": 1},
    ("ML05", "all"): {"value": 5},
    ("NL03", "classes"): {"value": 5, "persons": 1332, "person_times": 1532},
    ("NL03", "persons"): {"value": 1332},
    ("NL03", "long_course"): {"value": 1},
    ("NL04", "enrolled"): {"value": 82},
    ("NL04", "graduated"): {"value": 51},
    ("TT02", "community"): {"value": 105, "person_times": 4200},
    ("TT02", "school"): {"value": 45},
    ("TT03", "leaflet"): {"value": 85000},
    ("CTH03", "all"): {"value": 50.0, "numerator": 1, "denominator": 2},
    ("CTH04", "all"): {"persons": 95, "person_times": 95},
    ("CTH04", "age.4_15"): {"persons": 95},
    ("CTH04", "ethnicity.minority"): {"persons": 95},
    ("CTH04", "group.child_priority"): {"persons": 95},
    ("CTH05", "all"): {"value": 50.0},
    ("KP01", "central"): {"value": 14257000000},
    ("KP01", "local"): {"value": 2290000000},
    ("KP01", "local.allowance"): {"value": 2290000000},
    ("GS01", "all"): {"value": 1},
}


def main():
    schema = load(sys.argv[1])
    province = Province(schema)
    # On empty tables first: nothing may fail for want of data.
    for filled in (False, True):
        if filled:
            province.fill()
        seen = {}
        for name, indicator in schema["indicators"].items():
            try:
                rows = province.db.execute(expand(schema, indicator["sql"]),
                                           {"from": "2010-01-01", "to": "2020-12-31", "on": "2020-12-31"})
                columns = [c[0] for c in rows.description]
                rows = [dict(zip(columns, r)) for r in rows]
            except sqlite3.Error as e:
                bad.append("%s: %s" % (name, e))
                continue
            if not {"code", "label_vi", "label_en", "value"} <= set(columns) or set(columns) - KNOWN:
                bad.append("%s: columns %s" % (name, columns))
            for row in rows:
                if not row["code"] or not row["label_vi"] or not row["label_en"] or (name, row["code"]) in seen:
                    bad.append("%s: row without or with a second code: %s" % (name, row))
                seen[name, row["code"]] = row
        for (name, code), figures in EXPECTED.items() if filled else ():
            row = seen.get((name, code), {})
            for column, want in figures.items():
                if row.get(column) != want:
                    bad.append("%s %s: %s is %s, not %s" % (name, code, column, row.get(column), want))
    for line in bad:
        print(line)
    sys.exit(bool(bad))


main()
