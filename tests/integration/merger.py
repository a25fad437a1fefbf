"""The mergers of 1 July 2025 with the real programs and lists. The 111 communes of Bình Phước become
40; devices of old and new communes see what all predecessors recorded; a report of 2020 does not
change by a byte; a divided commune's records wait and are placed; suspect rows are refused with a
word why; people of two communes that bore one code are never mixed up; a person who moves takes
along what the old commune still writes offline."""

import csv
import os
import sys

import harness
from harness import ROOT, check

UNITS = os.path.join(ROOT, "tests/data/units")
MAP = os.path.join(UNITS, "units_map_binhphuoc.csv")
INDICATORS = ("annual", "CT03", "CTH01", "CTH08")

# Of An Giang (89 before, 91 after): one commune is divided, and false matches beside true rows.
AN_GIANG = """old_code,old_name,old_district_code,old_province_code,old_province_name,new_code,new_name,part,check
30316,Phường Châu Phú B,884,89,Tỉnh An Giang,30316,Phường Châu Đốc,whole,
30319,Phường Châu Phú A,884,89,Tỉnh An Giang,30316,Phường Châu Đốc,whole,
30325,Phường Núi Sam,884,89,Tỉnh An Giang,30325,Phường Vĩnh Tế,whole,
30331,Xã Vĩnh Tế,884,89,Tỉnh An Giang,30325,Phường Vĩnh Tế,whole,
30331,Xã Vĩnh Tế,884,89,Tỉnh An Giang,30337,Xã An Phú,partial,suspect_homonym
30334,Xã Vĩnh Châu,884,89,Tỉnh An Giang,30316,Phường Châu Đốc,partial,
30334,Xã Vĩnh Châu,884,89,Tỉnh An Giang,30325,Phường Vĩnh Tế,partial,
30355,Xã Phú Hội,886,89,Tỉnh An Giang,30346,Xã Nhơn Hội,partial,suspect_homonym
"""


def map_rows():
    with open(MAP, encoding="utf-8") as f:
        return list(csv.DictReader(f))


def enrol(w, name, code, on, author):
    c = harness.Client(w, name)
    r = w.ctl("device", "invite", "--unit", code, "--on", on, "--author", author)
    c("enrol", r.stdout.strip().splitlines()[-1], "--name", name)
    return c


def fill(c, tag, count=3):
    """People of one commune with help given in 2020, and some later."""
    ids = []
    for n in range(count):
        p = c.add("person", full_name=f"Điểu K’Ré {tag}", sex="male", birth_date=f"{1950 + n}-03-0{n + 1}",
                  hamlet=f"Ấp {tag} {n}")
        for given in ("2020-05-17", "2020-11-02", "2024-02-29"):
            c.add("intervention", person=p, kind="EMG_RICE", given_on=given, rice_kg=str(10 + n),
                  amount="250000")
        ids.append(p)
    c("sync")
    return ids


def people(c):
    return {r["id"]: r for r in c.json("list", "person")}


def reports(w, communes):
    """The bytes of every report: each old commune and the province, as they were in 2020."""
    out = {}
    for code in communes + ["70"]:
        for what in INDICATORS:
            r = w.ctl("report", "run", what, "--unit", code, "--on", "2021-04-13", "--from", "2020-01-01",
                      "--to", "2020-12-31", "--format", "json")
            out[code, what] = r.stdout
    return out


def same_reports(before, after, when):
    for key, text in before.items():
        check(after[key] == text, f"{when}: report {key} changed:\n{text}\n{after[key]}")


def merge(w, on_map):
    w.ctl("unit", "import", os.path.join(UNITS, "units_2025.csv"), "--from", "2025-07-01")
    rows = map_rows()
    check(len(rows) == 111 and len({r["new_code"] for r in rows}) == 40, "another map")
    done = w.ctl_json("unit", "succession", on_map, "--on", "2025-07-01")
    check((done["rows"], done["whole"], done["partial"], done["suspect"]) == (111, 111, 0, 0) and
          done["refused"] == [], f"{done}")
    there = {u["code"] for u in w.ctl_json("unit", "list", "--province", "75", "--on", "2025-07-01")}
    check({r["new_code"] for r in rows} <= there, "a new commune is missing")
    check(w.ctl_json("unit", "list", "--province", "70", "--on", "2025-07-01") == [],
          "an old commune goes on")
    check(len(w.ctl_json("unit", "list", "--province", "70", "--on", "2025-06-30")) == 111,
          "an old commune is gone from the past")
    again = w.ctl_json("unit", "succession", on_map, "--on", "2025-07-01")
    check(again["known"] == 111, f"again: {again}")


def one_code_two_communes(w, old, new, ids):
    """25195 was Tân Phú and is Bình Phước, which Tân Phú became part of."""
    here = people(new)
    check({here[i]["unit"] for i in ids["25195"]} == {"25195@2021-02-01"}, "Tân Phú is not told apart")
    check({here[i]["unit"] for i in ids["25198"]} == {"25198"}, "a code that is gone needs no day")
    own = new.add("person", full_name="Điểu K’Ré Bình Phước", sex="male", birth_date="1990")
    check(new.json("show", own)["unit"] == "25195", "a new record is not in the new commune")
    back = old.add("person", full_name="Thị Tân Phú", sex="female", birth_date="1991",)
    check(old.json("show", back)["unit"] == "25195", "the old commune's device does not go on in the new")
    new("sync")
    old("sync")
    new("sync")
    check(set(people(old)) == set(people(new)), "old and new device differ")

    # Lists, search: each says which.
    found = {r["unit"] for r in new.json("search", "dieu k're") if r["id"] in ids["25195"] + [own]}
    check(found == {"25195", "25195@2021-02-01"}, f"search mixes them up: {found}")
    check("25195@2021-02-01" in new("list", "person").stdout, "the table mixes them up")

    # A sheet that goes out and comes back moves nobody.
    sheet = os.path.join(w.dir, "person.csv")
    new("export", "person", "-o", sheet)
    new("import", "person", sheet)
    check(new.json("status")["waiting"] == 0, "an export that came back unchanged changed something")
    with open(sheet, encoding="utf-8-sig") as f:
        rows = list(csv.DictReader(f))
    for r in rows:
        r["occupation"] = "nông dân"
    rows.append(dict.fromkeys(rows[0], "") | {"unit": "25195", "full_name": "Mới Từ Bảng", "sex": "male"})
    with open(sheet, "w", encoding="utf-8", newline="") as f:
        out = csv.DictWriter(f, rows[0])
        out.writeheader()
        out.writerows(rows)
    before = {i: r["unit"] for i, r in people(new).items()}
    new("import", "person", sheet)
    new("sync")
    after = people(new)
    check(all(after[i]["unit"] == unit for i, unit in before.items()), "an import moved people")
    check({r["unit"] for i, r in after.items() if i not in before} == {"25195"}, "a new row went astray")
    check(w.ctl_json("record", "show", ids["25195"][0])["unit"] == "25195@2021-02-01", "record show")
    check(w.ctl_json("record", "show", own)["unit"] == "25195", "record show of a new one")
    new("add", "person", "full_name=Không Đâu", "--unit", "25195@1999-01-01", code=1)

    # The office: invitations, the log, reports.
    devices = {d["name"]: d["units"] for d in w.ctl_json("device", "list")}
    check(devices["tanphu"] == ["25195@2021-02-01"] and devices["binhphuoc"] == ["25195"], f"{devices}")
    past = w.ctl_json("log", "--unit", "25195@2021-02-01")
    now = w.ctl_json("log", "--unit", "25195")
    check(past and now and not {r["session"] for r in past} & {r["session"] for r in now},
          "the log mixes them up")
    period = ("--from", "2020-01-01", "--to", "2020-12-31", "--format", "json")
    by_day = w.ctl("report", "run", "CTH01", "--unit", "25195", "--on", "2021-04-13", *period).stdout
    by_code = w.ctl("report", "run", "CTH01", "--unit", "25195@2021-02-01", "--on", "2021-04-13",
                    *period).stdout
    merged = w.ctl("report", "run", "CTH01", "--unit", "25195", "--on", "2025-07-01", *period).stdout
    check(by_day == by_code and by_day != merged, "the report mixes them up")
    w.ctl("report", "run", "CTH01", "--unit", "25195@1999-01-01", *period, code=1)
    return own


def renamed(w):
    """On 30 April 2026 ten communes change their names and go on."""
    w.ctl("unit", "import", os.path.join(UNITS, "units_2026.csv"), "--from", "2026-04-30")
    code = "25270"
    c = enrol(w, "locninh", code, "2026-05-01", "Lê Văn An")
    shown = c("status").stdout
    check("Phường Lộc Ninh" in shown, f"the old name: {shown}")
    p = c.add("person", full_name="Thị Lộc Ninh", sex="female")
    check(c.json("show", p)["unit"] == code, "not in the renamed commune")
    c("sync")


def divided(w):
    """30334 was divided; 30355 has only a suspect row; 30331 a suspect one beside a true one."""
    path = os.path.join(w.dir, "angiang.csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write(AN_GIANG)
    old = enrol(w, "vinhchau", "30334", "2025-06-30", "Lê Văn An")
    ids = [old("add", "person", f"full_name=Chờ Xếp {n}", "sex=male", f"birth_date={1960 + n}", "--unit",
               "30334").stdout.strip() for n in range(3)]
    helps = [old.add("intervention", person=i, kind="EMG_RICE", given_on="2025-05-03", rice_kg="15")
             for i in (ids[0], ids[2])]
    old("sync")
    r = w.ctl("unit", "succession", path, "--on", "2025-07-01", "--format", "json", code=4)
    lines = r.stderr.strip().splitlines()
    check(len(lines) == 2 and "30331 → 30337" in lines[0] and "30355 → 30346" in lines[1] and
          all("trùng tên" in s and "homonym" not in s and "false match" in s for s in lines),
          f"why they were refused: {r.stderr}")
    wait = {p["code"]: p for p in w.ctl_json("unit", "placing")}
    check(wait["30334"]["records"] == 5 and wait["30334"]["into"] == ["30316", "30325"] and
          wait["30355"]["records"] == 0, f"placing list: {wait}")
    rows = {r["record"]: r for r in w.ctl_json("unit", "placing", "--unit", "30334")}
    check(set(rows) == set(ids + helps), f"the records that wait: {rows}")
    check(rows[ids[0]]["title"] == "Chờ Xếp 0 · 1960" and rows[helps[0]]["belongs_to"] == ids[0] and
          rows[helps[0]]["belongs_to_unit"] == "30334", f"what tells them apart: {rows}")
    check(rows[helps[0]]["title"] == "2025-05-03 · Hỗ trợ lương thực",
          f"a title for people has codes: {rows[helps[0]]}")
    check(len(w.ctl_json("unit", "placing", "--unit", "30334", "--limit", "2", code=4)) == 2, "--limit")
    w.ctl("unit", "placing", "--unit", "30316", code=1)
    west = enrol(w, "chaudoc", "30316", "2025-07-01", "Trần Thị Bé")
    east = enrol(w, "vinhte", "30325", "2025-07-01", "Điểu Bớt")
    for c in (west, east):
        c("sync")
        check(people(c) == {}, "records of a divided commune are seen before they are placed")
    strange = west.add("person", full_name="Không Chờ", sex="male")
    west("sync")
    w.ctl("unit", "place", strange, "--unit", "30325", code=1)
    w.ctl("unit", "place", ids[0], "--unit", "91", code=1)
    placed = w.ctl_json("unit", "place", ids[0], ids[1], "--unit", "30316")
    check([(p["from"], p["to"], p["along"]) for p in placed] == [("30334", "30316", 1), ("30334", "30316", 0)], f"{placed}")
    w.ctl("unit", "place", ids[0], "--unit", "30325", code=1)
    # An offline device goes on writing for somebody who was placed: the list says where to put it.
    late = old.add("intervention", person=ids[0], kind="EMG_RICE", given_on="2025-06-03", rice_kg="5")
    old("sync", code=[0, 4])
    rows = {r["record"]: r for r in w.ctl_json("unit", "placing", "--unit", "30334")}
    check(rows[late]["belongs_to_unit"] == "30316", f"where a late one belongs: {rows}")
    w.ctl("unit", "place", late, "--unit", "30316")
    w.ctl("unit", "place", ids[2], "--unit", "30325")
    for c in (west, east, old):
        c("sync", code=[0, 4])
    check({r["id"] for r in west.json("list", "intervention")} == {helps[0], late} and
          {r["id"] for r in east.json("list", "intervention")} == {helps[1]}, "help did not go along")
    check(set(people(west)) == {ids[0], ids[1], strange} and set(people(east)) == {ids[2]},
          "placed records are not where they were placed")
    check(people(old) == {}, "the divided commune's device keeps what was placed elsewhere")
    check({p["code"]: p["records"] for p in w.ctl_json("unit", "placing")}["30334"] == 0,
          "the placing list still counts them")


def moved(w):
    """A person moves while another device of the old commune writes offline."""
    x1 = enrol(w, "x1", "25201", "2021-04-13", "Lê Văn An")
    x2 = enrol(w, "x2", "25201", "2021-04-13", "Trần Thị Bé")
    y = enrol(w, "y", "25270", "2025-07-01", "Điểu Bớt")
    p = x1.add("person", full_name="Thị Chuyển", sex="female", birth_date="1970", hamlet="Ấp 1")
    x1("sync")
    x2("sync")
    x2("edit", p, "phone=0912345678")
    x1("transfer", p, "--unit", "25270")
    x1("sync", code=[0, 4])
    y("sync")
    check(people(y)[p]["fields"]["hamlet"] == "Ấp 1", "the new commune does not have it whole")
    check(p not in people(x1), "the device that moved it was not evicted")
    check(p in people(x2), "evicted before its own work was acknowledged")
    x2("sync", code=[0, 4])
    check(p not in people(x2), "the old commune's other device was not evicted")
    check(x2.json("status")["waiting"] == 0, "the offline edit did not go")
    y("sync", code=[0, 4])
    fields = people(y)[p]["fields"]
    check(fields["phone"] == "0912345678" and fields["full_name"] == "Thị Chuyển", f"landed: {fields}")
    for c in (x2, y):
        told = [i for i in c.json("inbox") if i["record"] == p]
        check(any(i["kind"] == "landed" for i in told), f"{c.name} was not told: {told}")
    rows = [r for r in w.ctl_json("record", "show", p)["history"] if r["field"] == "phone"]
    check(rows[0]["result"] == "landed" and rows[0]["kept"], f"history: {rows}")
    check(not [q for q in w.ctl_json("quarantine", "list") if q["record"] == p], "in quarantine")
    x2("edit", p, "phone=0999", code=1)


def office_clock_fell_back(w, old):
    """A server that starts in 1970 does not take the new communes away."""
    old("sync")
    w.stop()
    w.daemon_env = harness.clock_env(at="@1970-01-01 00:00:00")
    w.start()
    p = old.add("person", full_name="Trong Đêm 1970", sex="male")
    held = len(people(old))
    old("sync")
    check(len(people(old)) == held, "records went away")
    check(w.ctl_json("quarantine", "list", "--open") == [], "an entry was put into quarantine")
    w.stop()
    w.daemon_env = {}
    w.start()
    check(w.ctl_json("record", "show", p)["unit"] == "25195", "not in the new commune")


def test(w, _args):
    w.start()
    w.import_units()
    w.ctl("unit", "import", os.path.join(UNITS, "units_2025_pre_merger.csv"), "--from", "2025-03-01")
    communes = ["25195", "25198", "25366", "25387"]
    names = {"25195": "tanphu", "25198": "tandong", "25366": "thuanloi", "25387": "nhabich"}
    devices = {c: enrol(w, names[c], c, "2021-04-13", "Lê Văn An") for c in communes}
    ids = {c: fill(devices[c], names[c]) for c in communes}
    before = reports(w, communes)
    merge(w, MAP)
    same_reports(before, reports(w, communes), "after the merger")
    print("  111 communes became 40; reports of 2020 stand", flush=True)

    heir = {r["old_code"]: r["new_code"] for r in map_rows()}
    new = enrol(w, "binhphuoc", "25195", "2025-07-01", "Điểu Bớt")
    new("sync")
    of_new = [i for c in communes for i in ids[c] if heir[c] == "25195"]
    check(set(people(new)) == set(of_new) and len(of_new) == 6, "not what all predecessors recorded")
    check(len(new.json("list", "intervention")) == 18, "not all their events")
    for c in communes:
        devices[c]("sync")
        mine = [i for d in communes for i in ids[d] if heir[d] == heir[c]]
        check(set(people(devices[c])) == set(mine), f"{c}: not what all predecessors recorded")
    one_code_two_communes(w, devices["25195"], new, ids)
    print("  two communes of one code", flush=True)
    divided(w)
    print("  a divided commune's records were placed", flush=True)
    moved(w)
    print("  a person moved", flush=True)
    renamed(w)
    print("  renamed communes go on", flush=True)
    same = reports(w, communes)
    for key, text in before.items():
        old_rows, new_rows = (harness.json.loads(t)["rows"] for t in (text, same[key]))
        check(old_rows == new_rows, f"report {key} of 2020 changed later:\n{old_rows}\n{new_rows}")
    office_clock_fell_back(w, devices["25195"])
    w.ctl("verify")
    for c in devices.values():
        c("verify")


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
