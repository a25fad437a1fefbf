"""A province adds a field and a type by adding a file; the daemon takes it while it runs; a client that has
not heard of it yet goes on, and loses nothing of what others wrote."""

import os
import shutil
import signal
import sys

import harness
from harness import ROOT, check

ADDED = """\
types:
  person:
    extend: true
    fields:
      boat_number: {type: text, vi: Số ghe, en: Boat number}
  boat:
    vi: Ghe
    en: Boat
    kind: register
    sensitivity: basic
    fields:
      plate: {type: text, vi: Biển số, en: Plate, required: true, title: true}
"""

BROKEN = """\
types:
  person:
    extend: true
    fields:
      other_number: {type: colour, vi: Số khác, en: Other number}
"""

TAKEN = """\
types:
  erased:
    vi: Đã xóa
    en: Erased
    kind: register
    sensitivity: basic
    fields:
      plate: {type: text, vi: Biển số, en: Plate, required: true, title: true}
"""


def reload(w, wanted):
    w.daemon.send_signal(signal.SIGHUP)
    versions = []

    def is_there():
        versions[:] = [w.ctl_json("status").get("schema_version")]
        return wanted(versions[0])

    harness.wait_for(is_there, "the schema of the new file")
    return versions[0]


def journal_has(w, text):
    with open(os.path.join(w.dir, "ctxhd.log"), encoding="utf-8", errors="replace") as f:
        return text in f.read()


def test(w, _args):
    w.schema = os.path.join(w.dir, "schema")
    shutil.copytree(os.path.join(ROOT, "schema"), w.schema)
    w.start()
    w.import_units()
    old = w.client("old", "25195")
    new = w.client("new", "25195")
    pid = old.add("person", full_name="Thị Bé")
    old("sync")

    before = w.ctl_json("status")["schema_version"]
    with open(os.path.join(w.schema, "zz_province.yaml"), "w", encoding="utf-8") as f:
        f.write(ADDED)
    after = reload(w, lambda v: v != before)

    new("sync")  # the schema comes with it
    new("edit", pid, "boat_number=BP-0123")
    boat = new.add("boat", plate="BP-77")
    new("sync")

    # `old` edits without having heard of the field, in the same sync that brings it.
    old("edit", pid, "phone=0900000001")
    old("sync")
    old("sync")
    new("sync")
    for c in (old, new):
        fields = c.json("show", pid)["fields"]
        check(fields.get("boat_number") == "BP-0123" and fields.get("phone") == "0900000001",
              f"{c.name}: {fields}")
        check(c.json("show", boat)["fields"]["plate"] == "BP-77", f"{c.name}: no boat")
    rows = w.ctl_json("query", "SELECT boat_number AS b FROM person")
    check(rows == [{"b": "BP-0123"}], f"column: {rows}")

    # A broken file: said plainly, and the schema in force stays.
    with open(os.path.join(w.schema, "zz_province.yaml"), "w", encoding="utf-8") as f:
        f.write(BROKEN)
    config = os.path.join(w.dir, "check.yaml")
    with open(config, "w", encoding="utf-8") as f:
        f.write(f"schema: {w.schema}\n")
    r = w.run("ctxhd", "--check", "--config", config, code=1)
    said = r.stdout + r.stderr
    check("zz_province.yaml:" in said and "other_number" in said, f"--check said: {said}")
    w.daemon.send_signal(signal.SIGHUP)
    harness.wait_for(lambda: journal_has(w, "zz_province.yaml"), "the broken file is named in the journal")
    check(w.ctl_json("status")["schema_version"] == after, "a broken schema came into force")
    check(w.daemon.poll() is None, "the daemon did not survive a broken schema")
    new("sync")
    w.ctl("verify")

    # One that reads well and takes the name of a table of the store's own is told by --check, too.
    with open(os.path.join(w.schema, "zz_province.yaml"), "w", encoding="utf-8") as f:
        f.write(TAKEN)
    r = w.run("ctxhd", "--check", "--config", config, code=1)
    said = r.stdout + r.stderr
    check("zz_province.yaml:2: erased: the name is reserved" in said, f"--check said: {said}")
    w.daemon.send_signal(signal.SIGHUP)
    harness.wait_for(lambda: journal_has(w, "erased: the name is reserved"), "the name is told in the journal")
    check(w.ctl_json("status")["schema_version"] == after, "a schema that cannot be came into force")


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
