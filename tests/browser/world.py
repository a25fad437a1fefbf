"""A small office for the pages' tests: 111 communes, a few devices, and something of everything people decide."""

import csv
import http.client
import json
import os
import ssl
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))

# pylint: disable=wrong-import-position
import harness
from harness import Peer, check

PASSWORD = "một câu dài của tôi"


def post(w, path, body, token="login", cookie=None):
    c = http.client.HTTPSConnection("127.0.0.1", w.port, context=ssl._create_unverified_context(), timeout=120)
    headers = {"Content-Type": "application/json", "X-Ctxh-Token": token}
    if cookie:
        headers["Cookie"] = cookie
    c.request("POST", "/console/api/" + path, json.dumps(body), headers)
    r = c.getresponse()
    answer = json.loads(r.read())
    check(r.status == 200, f"{path}: {r.status} {answer}")
    return answer, (r.headers["Set-Cookie"] or "").split(";")[0]


def account(w, name, role, *more):
    """With a password of its own; the browser signs in with it."""
    made = w.ctl_json("account", "add", name, "--role", role, *more)
    me, cookie = post(w, "login", {"name": name, "password": made["password"]})
    post(w, "password", {"password": made["password"], "new": PASSWORD}, me["token"], cookie)


def sync(*clients):
    for c in clients:
        c("sync", code=[0, 4])


def conflicts(a, b, count):
    """So many people whose occupation both wrote at once."""
    people = [a.add("person", full_name=f"Thị Cùng Ghi {n}", sex="female", birth_date=f"196{n}") for n in range(count)]
    sync(a, b)
    for n, one in enumerate(people):
        a("edit", one, f"occupation=giáo viên {n}")
        b("edit", one, f"occupation=thợ may {n}")
    sync(a, b)
    return people


def duplicates(a, count):
    for n in range(count):
        for _ in range(2):
            a("add", "person", f"full_name=Điểu Có Đôi {n}", "sex=male", f"birth_date=1970-01-0{n + 1}", "--even-so")
    sync(a)


def divided(w, c, count):
    """The commune 25204 divided between two others: its records wait for a place."""
    people = [c.add("person", full_name=f"Lâm Chờ Xếp {n}", sex="male", birth_date=f"195{n}") for n in range(count)]
    sync(c)
    path = os.path.join(w.dir, "divided.csv")
    with open(path, "w", encoding="utf-8", newline="") as f:
        out = csv.writer(f)
        out.writerow(["old_code", "new_code", "part"])
        out.writerows([["25204", "25195", "partial"], ["25204", "25198", "partial"]])
    w.ctl("unit", "succession", path, "--on", "2021-06-01", code=[0, 4])
    return people


def refused(w):
    """Three changes in quarantine, a clock of 2099, a device with missing numbers and one set aside."""
    peer = Peer(w, w.invite("25198"), is_quiet=True)
    for word in ("good", "wrong_type", "no_such_code", "out_of_scope", "clock_2099", "gap"):
        peer(word)
    peer.close()
    peer = Peer(w, w.invite("25201"), is_quiet=True)
    peer("good")
    peer("fork")
    peer.close()


def restricted(w):
    c = w.client("Máy kín", "25207", "--clearance", "restricted")
    person = c.add("person", full_name="Thị Kín", sex="female")
    hidden = c.add("hiv_record", person=person, state="infected")
    sync(c)
    return hidden


def make(w):
    """What the browser's cases need to know."""
    w.start()
    w.import_units()
    a, b = (w.client(name, "25195", "--author", author)
            for name, author in (("Máy Một", "Lê Văn An"), ("Máy Hai", "Trần Thị Bình")))
    c = w.client("Máy Ba", "25204")
    people = conflicts(a, b, 5)
    duplicates(a, 3)
    waiting = divided(w, c, 3)
    refused(w)
    hidden = restricted(w)
    for name, role in (("Lan", "administrator"), ("Minh", "reviewer"), ("Phú", "reporter"), ("Uyên", "auditor")):
        account(w, name, role)
    account(w, "Kín", "administrator", "--clearance", "restricted")
    account(w, "Xã", "administrator", "--unit", "25198")
    first = w.ctl_json("account", "add", "Mới", "--role", "reporter")
    return {"url": f"https://127.0.0.1:{w.port}/console/", "password": PASSWORD, "first": first["password"],
            "people": people, "waiting": waiting, "hidden": hidden,
            "session": next(r["session"] for r in w.ctl_json("log") if r["conflicts"])}
