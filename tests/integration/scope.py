"""Accounts that were given units: every command of the console aimed at what is not theirs, over the API and by
`ctxhctl --server`, tells and changes nothing; the same aimed at their own works, and the office's account may both."""

import csv
import json
import os

import console
from harness import Peer, check

PERIOD = {"from": "2020-01-01", "to": "2020-12-31", "on": "2021-04-13"}
OFFICE = """status health query verify|unit import|unit succession|import accept|backup now|backup state|backup list|
    backup verify|audit list|audit checkpoint|audit verify|alert show|alert send|alert test|alert state|erase|
    erase state|account add|account list|account reset|account remove|account units|account role"""
OFFICE = {c.strip() for part in OFFICE.split("|") for c in (part.split() if "status" in part else [part])}
NOTHING_OF_UNITS = {"types", "report list"}


class Side:
    """One district with something of everything; `marks` are what only it has."""

    def __init__(self, w, tag, code, divided, heir):
        self.code, self.divided, self.heir = code, divided, heir
        one, two = (w.client(f"Máy {tag} {n}", code, "--author", f"Người ghi {tag}") for n in (1, 2))
        torn = w.client(f"Máy chia {tag}", divided)
        self.client = one
        self.people = [one.add("person", full_name=f"Thị Mốc {tag} {n}", sex="female", birth_date=f"196{n}")
                       for n in range(3)]
        for c in (one, two):
            c("sync")
        for n, person in enumerate(self.people):
            one("edit", person, f"occupation=giáo viên {tag} {n}")
            two("edit", person, f"occupation=thợ may {tag} {n}")
        for c in (one, two):
            c("sync", code=[0, 4])
        self.pair = [one.add("person", full_name=f"Điểu Đôi {tag}", sex="male", birth_date="1970-01-01")]
        one("add", "person", f"full_name=Điểu Đôi {tag}", "sex=male", "birth_date=1970-01-01", "--even-so")
        one("sync", code=[0, 4])
        self.waiting = torn.add("person", full_name=f"Lâm Chờ {tag}", sex="male", birth_date="1951")
        torn("sync")
        peer = Peer(w, w.invite(code), is_quiet=True)
        for word in ("good", "no_such_code", "no_such_code", "gap"):
            peer(word)
        peer.close()
        self.device = peer.number

    def divide(self, w):
        path = os.path.join(w.dir, f"divided_{self.divided}.csv")
        with open(path, "w", encoding="utf-8", newline="") as f:
            out = csv.writer(f)
            out.writerow(["old_code", "new_code", "part"])
            out.writerows([[self.divided, self.code, "partial"], [self.divided, self.heir, "partial"]])
        w.ctl("unit", "succession", path, "--on", "2021-06-01", code=[0, 4])

    def look(self, w):
        """Numbers only the daemon knows, asked by who may everything."""
        tag = self.code
        pairs = [p for p in w.ctl_json("duplicate", "list") if p["keep_unit"] == tag]
        self.pair = [pairs[0]["keep"], pairs[0]["other"]]
        self.devices = [d["number"] for d in w.ctl_json("device", "list") if set(d["units"]) <= {tag, self.divided}]
        self.sessions = [s["session"] for s in w.ctl_json("log", "--limit", "1000") if s["device"] in self.devices]
        self.session = next(s["session"] for s in w.ctl_json("log", "--limit", "1000")
                            if s["device"] in self.devices and s["conflicts"])
        self.conflicts = [c["conflict"] for c in w.ctl_json("conflict", "list") if c["record"] in self.people]
        self.quarantine = [q["quarantine"] for q in w.ctl_json("quarantine", "list") if q["device"] in self.devices]
        self.frozen = w.ctl_json("report", "freeze", "CT02", "--unit", tag, "--from", PERIOD["from"], "--to",
                                 PERIOD["to"], "--on", PERIOD["on"])["frozen"]
        check(len(self.conflicts) == 3 and len(self.quarantine) >= 2, f"{self.conflicts} {self.quarantine}")

    def marks(self, command):
        found = {*self.people, *self.pair, self.waiting, self.code, self.divided, self.heir}
        if command == "board":
            return found  # its numbers are counts
        found |= {("device", d) for d in self.devices} | {("session", s) for s in self.sessions}
        found |= {("conflict", c) for c in self.conflicts} | {("quarantine", q) for q in self.quarantine}
        found.add(("frozen", self.frozen))
        if command.startswith("device"):
            found |= {("number", d) for d in self.devices}
        return found


def things(j, key=None):
    """Every string, and every number with its key."""
    if isinstance(j, dict):
        return {x for k, v in j.items() for x in {k} | things(v, k)}
    if isinstance(j, list):
        return {x for v in j for x in things(v, key)}
    return {j} if isinstance(j, str) else {(key, j)} if isinstance(j, int) else set()


# What a list of each must have of one's own.
LISTS = {
    "board": lambda s: {s.code}, "unit list": lambda s: {s.code, s.heir}, "unit placing": lambda s: {s.divided},
    "device list": lambda s: {("number", s.device)}, "log": lambda s: {("session", s.session)},
    "missing": lambda s: {("device", s.device)}, "conflict list": lambda s: {("conflict", s.conflicts[0])},
    "quarantine list": lambda s: {("quarantine", s.quarantine[0])}, "duplicate list": lambda s: set(s.pair),
    "report frozen": lambda s: {("frozen", s.frozen)},
}
# Aimed at a side. Reading first, as often as one likes; then what is decided, once a side.
READS = [
    ("board", lambda s: {"unit": s.code}, None),
    ("log", lambda s: {"unit": s.code}, None),
    ("log", lambda s: {"device": s.device}, None),
    ("unit placing", lambda s: {"unit": s.divided}, ["unit", "placing", "--unit", "{divided}"]),
    ("device show", lambda s: {"device": s.device}, ["device", "show", "{device}"]),
    ("log show", lambda s: {"session": s.session}, ["log", "show", "{session}"]),
    ("record show", lambda s: {"record": s.people[0]}, ["record", "show", "{person}"]),
    ("record show", lambda s: {"record": s.waiting}, ["record", "show", "{waiting}"]),
    ("conflict show", lambda s: {"conflict": s.conflicts[0]}, ["conflict", "show", "{conflict}"]),
    ("quarantine show", lambda s: {"quarantine": s.quarantine[0]}, ["quarantine", "show", "{quarantine}"]),
    ("report run", lambda s: dict(PERIOD, id="CT02", unit=s.code), ["report", "run", "CT02", "--unit", "{code}",
        "--from", "2020-01-01", "--to", "2020-12-31", "--on", "2021-04-13"]),
    ("report print", lambda s: {"frozen": s.frozen, "format": "csv"}, ["report", "print", "{frozen}"]),
    ("report late", lambda s: {"frozen": s.frozen}, ["report", "late", "{frozen}"]),
]
WRITES = [
    ("conflict keep", lambda s: {"conflict": s.conflicts[0]}, ["conflict", "keep", "{conflict}"]),
    ("conflict restore", lambda s: {"conflict": s.conflicts[1]}, ["conflict", "restore", "{conflict}"]),
    ("conflict reopen", lambda s: {"conflict": s.conflicts[0]}, ["conflict", "reopen", "{conflict}"]),
    ("quarantine discard", lambda s: {"quarantine": s.quarantine[0], "why": "thử"},
     ["quarantine", "discard", "{quarantine}", "--why", "thử"]),
    ("quarantine reopen", lambda s: {"quarantine": s.quarantine[0]}, ["quarantine", "reopen", "{quarantine}"]),
    ("quarantine replay", lambda s: {"quarantine": s.quarantine[1]}, ["quarantine", "replay", "{quarantine}"]),
    ("duplicate join", lambda s: {"keep": s.pair[0], "other": s.pair[1]}, ["duplicate", "join", "{pair}", "{other}"]),
    ("duplicate split", lambda s: {"record": s.pair[1]}, ["duplicate", "split", "{other}"]),
    ("duplicate distinct", lambda s: {"one": s.pair[0], "other": s.pair[1]},
     ["duplicate", "distinct", "{pair}", "{other}"]),
    ("duplicate reopen", lambda s: {"one": s.pair[0], "other": s.pair[1]},
     ["duplicate", "reopen", "{pair}", "{other}"]),
    ("unit place", lambda s: {"record": s.waiting, "unit": s.code}, ["unit", "place", "{waiting}", "--unit", "{code}"]),
    ("report freeze", lambda s: dict(PERIOD, id="CT02", unit=s.heir), ["report", "freeze", "CT02", "--unit", "{heir}",
        "--from", "2020-01-01", "--to", "2020-12-31", "--on", "2021-04-13"]),
    ("device invite", lambda s: {"units": [s.code]}, ["device", "invite", "--unit", "{code}"]),
    ("device release", lambda s: {"device": s.device}, ["device", "release", "{device}"]),
    ("device revoke", lambda s: {"device": s.device, "why": "thử"}, ["device", "revoke", "{device}", "--why", "thử"]),
]
# Which account of the district calls it; the administrator where the role has it.
CALLERS = {"report freeze": "Phú A"}


def ask(b, command, args, want=None):
    return b.post("call", {"command": command, "args": args}, want=want)


def is_refused(answer):
    return answer.status in (400, 403, 404)


def every_command_is_looked_at(lan):
    known = {c for c, *_ in READS + WRITES} | set(LISTS) | OFFICE | NOTHING_OF_UNITS
    commands = set(lan.get("/console/api/me").json()["commands"])
    check(commands == known, f"no case for {commands - known}; no command {known - commands}")


def office_commands(accounts):
    for command in sorted(OFFICE):
        for name, b in accounts.items():
            a = ask(b, command, {}, want=403)
            check(a.json()["code"] in ("not_in_units", "not_allowed_role"), f"{name} {command}: {a.body}")
        check(ask(accounts["Quản A"], command, {}).json()["code"] == "not_in_units", f"{command}: not for its units")
        check(command not in accounts["Quản A"].get("/console/api/me").json()["commands"], f"me offers {command}")


def lists(b, lan, own, foreign):
    for command, must in LISTS.items():
        seen = things(ask(b, command, {}, want=200).json()["result"])
        check(must(own) <= seen, f"{command}: own {must(own) - seen} are not there")
        check(not foreign.marks(command) & seen, f"{command}: tells {foreign.marks(command) & seen}")
        whole = things(ask(lan, command, {}, want=200).json()["result"])
        check(must(own) | must(foreign) <= whole, f"{command}: the office does not see all")


def reads(b, lan, own, foreign):
    for command, args, _ in READS:
        check(ask(b, command, args(own), want=200).json()["exit_code"] in (0, 4), command)
        check(ask(lan, command, args(foreign), want=200), command)
        a = ask(b, command, args(foreign))
        told = things(a.json()) & foreign.marks(command) - set(map(str, args(foreign).values()))
        check(not told, f"{command} {args(foreign)}: {told}")
        rows = a.json().get("result")
        rows = rows["rows"] if command == "board" and rows else rows
        check(is_refused(a) or rows == [], f"{command} {args(foreign)}: {a.status} {a.body[:200]}")
    for args in ({"record": foreign.people[0][:8]}, {"record": foreign.people[0][:16]}):
        check(foreign.people[0].encode() not in ask(b, "record show", args).body, f"a prefix {args} finds another's")
    # What is not there and what is another's are told alike.
    there, absent = (ask(b, "record show", {"record": r}) for r in (foreign.people[0], "f" * 32))
    check((there.status, there.body) == (absent.status, absent.body), f"{there.body} is not {absent.body}")
    there, absent = (ask(b, "conflict show", {"conflict": c}) for c in (foreign.conflicts[0], 999999))
    check(there.body.replace(f" {foreign.conflicts[0]};".encode(), b" 999999;") == absent.body, f"told: {there.body}")


def standing(w):
    """What a decision would change."""
    return [w.ctl_json("status")["log"], w.ctl_json("conflict", "list"), w.ctl_json("quarantine", "list"),
            [(d["number"], d["state"]) for d in w.ctl_json("device", "list")], w.ctl_json("unit", "placing"),
            len(w.ctl_json("report", "frozen")), w.ctl_json("duplicate", "list")]


def by_hand(w, name, cli, side):
    """The same as ctxhctl asks it from another machine."""
    words = {"code": side.code, "divided": side.divided, "heir": side.heir, "device": side.device,
             "session": side.session, "person": side.people[0], "waiting": side.waiting,
             "conflict": side.conflicts[2], "quarantine": side.quarantine[0], "frozen": side.frozen,
             "pair": side.pair[0], "other": side.pair[1]}
    return w.run("ctxhctl", "--server", f"127.0.0.1:{w.port}", "--account", name, "--fingerprint", w.fingerprint,
                 *(c.format(**words) for c in cli), code=[1, 4, 0], env=dict(w.env, CTXH_PASSWORD_FILE=w.password))


def nothing_elsewhere(w, accounts, foreign):
    before = standing(w)
    for command, args, cli in WRITES:
        name = CALLERS.get(command, "Quản A")
        a = ask(accounts[name], command, args(foreign))
        check(is_refused(a), f"{name} {command} {args(foreign)}: {a.status} {a.body[:200]}")
        if command in ("conflict keep", "conflict restore", "conflict reopen", "quarantine discard",
                       "quarantine reopen"):
            check(is_refused(ask(accounts["Minh A"], command, args(foreign))), f"the reviewer: {command}")
    for command, _, cli in READS + WRITES:
        if cli is None:
            continue
        name = CALLERS.get(command, "Quản A")
        r = by_hand(w, name, cli, foreign)
        check(r.returncode == 1 and " / " in r.stderr and r.stdout in ("", "Không có gì. / Nothing.\n"),
              f"ctxhctl {cli}: {r.returncode} {r.stdout}")
    check(standing(w) == before, "something changed")


def own_is_decided(accounts, own, foreign):
    a = ask(accounts["Quản A"], "unit place", {"record": own.waiting, "unit": foreign.code})
    check(a.status == 403, f"placed in another district: {a.body}")
    a = ask(accounts["Quản A"], "duplicate join", {"keep": own.people[0], "other": foreign.people[0]})
    check(is_refused(a), f"joined with another district's: {a.body}")
    a = ask(accounts["Quản A"], "device invite", {"units": [own.code, foreign.code]})
    check(a.status == 403, f"invited to another district: {a.body}")
    decide(accounts["Quản A"], own, {c: accounts[n] for c, n in CALLERS.items()})


def decide(b, side, others):
    for command, args, _ in WRITES:
        a = ask(others.get(command, b), command, args(side))
        # What was joined and split is told apart; a code that is not there is not let in.
        want = (400,) if command == "quarantine replay" else (200,)
        check(a.status in want, f"{command} {args(side)}: {a.status} {a.body[:300]}")


def made(c, name, code):
    return c("add", "person", f"full_name={name}", "--unit", code).stdout.split()[0]


def shared(w, accounts, own, foreign):
    """A device of both districts: seen, not decided about; and of its contact only what is one's own."""
    c = w.client("Máy chung", f"{own.code},{foreign.code}")
    mine = made(c, "Thị Của Tôi", own.code)
    theirs = made(c, "Thị Của Kia", foreign.code)
    c("sync")
    quan = accounts["Quản A"]
    device = next(d["number"] for d in w.ctl_json("device", "list") if d["name"] == "Máy chung")
    session = next(s["session"] for s in w.ctl_json("log") if s["device"] == device and s["applied"])
    check(device in [d["number"] for d in ask(quan, "device list", {}, want=200).json()["result"]], "not seen")
    told = ask(quan, "log show", {"session": session}, want=200).body.decode()
    check(mine in told and theirs not in told and "Của Kia" not in told, f"log show: {told}")
    for command, more in (("device revoke", {"why": "thử"}), ("device release", {})):
        check(ask(quan, command, dict(more, device=device)).status == 403, f"{command} of a shared device")
    # What goes away is not seen any more; what comes is.
    check(ask(quan, "record show", {"record": mine}, want=200), "its own")
    c("transfer", mine, "--unit", foreign.code)
    c("sync")
    check(ask(quan, "record show", {"record": mine}, want=404), "seen after it went away")
    c("transfer", theirs, "--unit", own.code)
    c("sync")
    check(ask(quan, "record show", {"record": theirs}, want=200), "not seen after it came")


def where_it_belongs(w, accounts, own, foreign):
    """The office restored which commune a record is in; who has the district takes that back only to one of its own."""
    third = "25201"
    one, two = (w.client(f"Máy ba xã {n}", f"{own.code},{own.heir},{third},{foreign.code}") for n in (1, 2))
    person = made(one, "Thị Ở Đâu", own.code)
    for c in (one, two):
        c("sync")
    one("transfer", person, "--unit", own.heir)
    two("transfer", person, "--unit", third)
    for c in (one, two, one):
        c("sync", code=[0, 4])
    number = next(c["conflict"] for c in w.ctl_json("conflict", "list", "--open") if c["record"] == person)
    one("transfer", person, "--unit", foreign.code)
    one("sync", code=[0, 4])
    w.ctl("conflict", "restore", str(number))
    quan = accounts["Quản A"]
    check(ask(quan, "conflict show", {"conflict": number}, want=200), "it came back, and is not seen")
    before = w.ctl_json("record", "show", person)
    a = ask(quan, "conflict reopen", {"conflict": number})
    check(a.status == 403, f"sent to another district: {a.status} {a.body}")
    check(w.ctl_json("record", "show", person) == before, "refused, and done")
    check(w.ctl_json("conflict", "reopen", str(number))["stands"] == foreign.code, "the office takes it back")


def commune_alone(w, own):
    """One commune of the district: neither the others nor what waits between it and another."""
    b = console.add(w, "Xã A", "reviewer", "--unit", own.code)
    seen = things(ask(b, "device list", {}, want=200).json()["result"])
    check(("number", own.device) in seen and own.divided not in seen, f"devices of another commune: {seen}")
    check([u["code"] for u in ask(b, "unit list", {}, want=200).json()["result"]] == [own.code], "unit list")
    check(ask(b, "unit placing", {}, want=200).json()["result"] == [], "what waits between two communes")
    check(ask(b, "record show", {"record": own.waiting}).status == 404, "a record that waits between two")
    check(ask(b, "board", {}, want=200).json()["result"]["totals"]["communes"] == 1, "the board")


def live(w, accounts, own, foreign):
    """Pages are told of contacts they may see, and the office of all."""
    page, office = console.Events(w, accounts["Quản A"]), console.Events(w, accounts["Lan"])
    foreign.client("sync")
    own.client("sync")
    told = page.until("session")
    check(told["device"] in own.devices, f"told of {told}")
    check(office.until("session")["device"] in foreign.devices, "the office is told of all")


def given_others(w, accounts, own, foreign):
    """Another district in place of its own, a role less, the whole office: the login it has goes on with that at once,
    by every way in, and a page that was open is told nothing of what was taken away."""
    b = console.add(w, "Dời", "administrator", "--unit", "689")
    lan = accounts["Lan"]
    lists(b, lan, own, foreign)
    reads(b, lan, own, foreign)
    page = console.Events(w, b)
    given = w.ctl_json("account", "units", "Dời", "688")
    check(given["units"] == ["688"], f"account units: {given}")
    me = b.get("/console/api/me").json()
    check(me["bound"] and me["units"] == "688", f"me: {me}")
    foreign.client("sync")
    ended(page)
    # The same that it had before, aimed the other way round.
    lists(b, lan, foreign, own)
    reads(b, lan, foreign, own)
    before = standing(w)
    for command, args, cli in WRITES:
        if command != "report freeze":
            check(is_refused(ask(b, command, args(own))), f"{command} of what was taken away")
        if cli is not None:
            check(by_hand(w, "Dời", cli, own).returncode == 1, f"ctxhctl {cli}")
    check(standing(w) == before, "something changed")
    page, office = console.Events(w, b), console.Events(w, lan)
    own.client("sync")
    foreign.client("sync")
    check(office.until("session")["device"] in own.devices, "the office is told of both")
    check(page.until("session")["device"] in foreign.devices, "told of what was taken away")
    whole(w, b, lan, own, foreign)
    entries = [e for e in w.ctl_json("audit", "list", "--limit", "1000")
               if e["what"] in ("account units", "account role") and e["detail"]["account"] == "Dời"]
    check([(e["who"].split(":")[0], e["detail"]["was"]) for e in reversed(entries)]
          == [("uid", ["689"]), ("account", ["688"]), ("account", "administrator"), ("uid", [])], f"audit: {entries}")


def ended(page):
    """Nothing of any contact behind what was changed; what it was told before the end."""
    told = []
    while not told or told[-1].get("event") != "end":
        told.append(page.read())
        check(told[-1].get("event") in ("end", "board"), f"told behind what was changed: {told}")
    check(page.read() is None, "told more behind the end")
    return told


def whole(w, b, lan, own, foreign):
    check(ask(b, "account units", {"name": "Dời", "all": True}).status == 403, "gives itself the whole office")
    ask(lan, "account units", {"name": "Dời", "all": True}, want=200)
    me = b.get("/console/api/me").json()
    check(not me["bound"] and me["units"] == "", f"me: {me}")
    seen = things(ask(b, "device list", {}, want=200).json()["result"])
    check({("number", own.device), ("number", foreign.device)} <= seen, "the whole office is not seen")
    ask(b, "status", {}, want=200)
    page, office = console.Events(w, b), console.Events(w, lan)
    own.client("sync")
    check(page.until("session")["device"] in own.devices, "the whole office's page")
    ask(lan, "account role", {"name": "Dời", "role": "reporter"}, want=200)
    check("log" not in b.get("/console/api/me").json()["commands"], "me")
    for command in ("log", "device list", "conflict list", "status"):
        ask(b, command, {}, want=200 if command == "status" else 403)
    ended(page)
    page = console.Events(w, b)
    w.ctl("account", "units", "Dời", own.code)
    foreign.client("sync")
    office.until("session", lambda s: s["device"] in foreign.devices)
    check(foreign.code not in json.dumps(ended(page)), "told of what was taken away")
    ask(b, "status", {}, want=403)
    check(things(ask(b, "board", {}, want=200).json()["result"]["rows"]) & {foreign.code} == set(), "the board")


def accounts_have_units(w):
    listed = {a["name"]: a["units"] for a in w.ctl_json("account", "list")}
    check(listed["Quản A"] == ["689"] and listed["Lan"] == [], f"account list: {listed}")
    for codes in ("00001", "25195,00001"):
        r = w.ctl("account", "add", "Sai", "--role", "reviewer", "--unit", codes, code=1)
        check("00001" in r.stderr and "Sai" not in str(w.ctl_json("account", "list")), f"made: {r.stderr}")
    entry = next(e for e in w.ctl_json("audit", "list", "--limit", "1000")
                 if e["what"] == "account add" and e["detail"]["account"] == "Quản A")
    check(entry["detail"]["units"] == ["689"], f"the audit: {entry}")


def test(w, _args):
    w.start()
    w.import_units()
    own, foreign = Side(w, "A", "25195", "25204", "25198"), Side(w, "B", "25217", "25220", "25249")
    own.divide(w)
    foreign.divide(w)
    own.look(w)
    foreign.look(w)
    lan = console.add(w, "Lan", "administrator")
    accounts = {name: console.add(w, name, role, "--unit", "689")
                for name, role in (("Quản A", "administrator"), ("Minh A", "reviewer"), ("Phú A", "reporter"),
                                   ("Uyên A", "auditor"))}
    me = accounts["Quản A"].get("/console/api/me").json()
    check(me["bound"] and me["units"] == "689", f"me: {me}")
    w.password = os.path.join(w.dir, "password")
    with open(w.password, "w", encoding="utf-8") as f:
        f.write(console.PASSWORD + "\n")
    os.chmod(w.password, 0o600)
    w.fingerprint = w.ctl_json("account", "reset", w.ctl_json("account", "add", "Dấu", "--role", "auditor")["name"])[
        "fingerprint"]
    every_command_is_looked_at(lan)
    accounts_have_units(w)
    office_commands(accounts)
    lists(accounts["Quản A"], lan, own, foreign)
    lists(accounts["Uyên A"], lan, own, foreign)
    reads(accounts["Quản A"], lan, own, foreign)
    nothing_elsewhere(w, accounts, foreign)
    given_others(w, dict(accounts, Lan=lan), own, foreign)
    commune_alone(w, own)
    where_it_belongs(w, accounts, own, foreign)
    live(w, dict(accounts, Lan=lan), own, foreign)
    own_is_decided(accounts, own, foreign)
    # The same calls, which nobody let near: only the units stood against them.
    decide(lan, foreign, {})
    shared(w, accounts, own, foreign)
    w.ctl("verify")
    print(f"  {len(READS) + len(WRITES) + len(LISTS) + len(OFFICE)} ways in, each refused")


if __name__ == "__main__":
    raise SystemExit(console.harness.main(test, __doc__))
