"""A bad line: every client sends its changes over a line that loses packets both ways and resets connections, from the
enrolment on. In the end each change is there exactly once: in the numbers, the log, the state, the receipts, the sync log.

The clients are the real program, one home each, all at once; entries (half of them several to a command), edits of
what was sent before, a sync every so often, again until it ends well, as a person would. Two share a commune."""

import collections
import json
import os
import random
import sys
import tempfile
import threading
import time

import badline
import harness
from harness import Client, check

EDITS = 0.1
TRIES = 200
SETTINGS = """limits:
  enrol_per_minute: 100000
  enrol_per_hour: 1000000
  connections_per_address: 4096
  disk_free: 0
"""


class Commune(Client):
    """A client that works through its plan by itself."""

    def __init__(self, w, number, invitation, plan):
        super().__init__(w, f"c{number}")
        self.invitation = invitation
        self.plan = plan
        self.random = random.Random(f"{w.args.seed} {number}")
        self.names = {}   # id to name
        self.sent = []    # ids with a receipt and no edit since
        self.made = 0
        self.tries = []   # how many each contact took
        self.seconds = [] # how long each took
        self.error = None

    def until_well(self, *args):
        began = time.monotonic()
        for tries in range(1, TRIES + 1):
            code = self(*args, code=[0, 3]).returncode
            if code == 0:
                self.tries.append(tries)
                self.seconds.append(time.monotonic() - began)
                return
        check(False, f"{self.name}: {args[0]} never ends well")

    def name_of(self, what):
        return f"{what} {self.name} {self.made:05d}"

    def enter(self, count):
        """New people, one to a command or all in one; and edits."""
        edits = min(sum(self.random.random() < EDITS for _ in range(count)), len(self.sent))
        for _ in range(edits):
            record = self.sent.pop(self.random.randrange(len(self.sent)))
            self.made += 1
            self.names[record] = self.name_of("Tên mới")
            self("edit", record, f"full_name={self.names[record]}")
        names = []
        for _ in range(count - edits):
            self.made += 1
            names.append(self.name_of("Người"))
        if names:
            text = json.dumps([{"full_name": n} for n in names], ensure_ascii=False)
            ids = self("add", "person", "--json", "-", "--even-so", stdin=text).stdout.split()
            check(len(ids) == len(names), f"{self.name}: {len(ids)} ids of {len(names)} people")
            self.names.update(zip(ids, names))

    def work(self):
        try:
            self.until_well("enrol", self.invitation)
            for count in self.plan:
                self.enter(count)
                self.until_well("sync")
                self.sent = list(self.names)
        except Exception as e:  # told by the thread that waits
            self.error = e


def plan_of(changes, contacts):
    """So many changes in so many contacts, no two alike."""
    cuts = sorted(random.sample(range(1, changes), contacts - 1)) if contacts > 1 else []
    return [b - a for a, b in zip([0] + cuts, cuts + [changes])]


def communes(w, count):
    rows = [u["code"] for u in w.ctl_json("unit", "list", "--on", "2021-04-13")]
    check(len(rows) * 2 >= count, f"{len(rows)} communes for {count} clients")
    return [rows[i // 2] for i in range(count)]


def run_all(clients):
    threads = [threading.Thread(target=c.work, daemon=True) for c in clients]
    for t in threads:
        t.start()
    began = time.monotonic()
    told = began
    for t in threads:
        while t.is_alive():
            t.join(5)
            if time.monotonic() - told > 60:
                told = time.monotonic()
                done = sum(len(c.tries) for c in clients)
                print(f"  {told - began:.0f} s: {done} contacts ended well", flush=True)
    for c in clients:
        if c.error is not None:
            raise c.error


def exactly_once(w, clients, changes):
    """All the places where a change leaves a trace."""
    for c in clients:
        s = c.json("status")
        c.number = s["device"]
        check(s["sent"] == changes and s["waiting"] == 0,
              f"{c.name}: receipts for {s['sent']}, {s['waiting']} waiting, {changes} made")
        check(s["inbox"] == 0, f"{c.name}: {s['inbox']} notices")
        c("verify")
    for r in w.ctl_json("device", "list"):
        check(r["last_number"] == changes and not r["missing"], f"device {r}")
    check(len({c.number for c in clients}) == len(clients) == len(w.ctl_json("device", "list")),
          "as many devices as clients")

    expected = collections.Counter()
    rows = w.ctl_json("query", "SELECT device, first, count FROM changeset WHERE device > 0 ORDER BY device, first")
    for r in rows:
        check(r["first"] == expected[r["device"]] + 1, f"a hole or a repeat in the log at {r}")
        expected[r["device"]] += r["count"]
    check(sum(expected.values()) == changes * len(clients), f"{sum(expected.values())} changes in the log")

    names = {k: v for c in clients for k, v in c.names.items()}
    held = w.ctl_json("query", "SELECT lower(hex(id)) AS i, full_name AS n FROM person")
    check(len(held) == len(names), f"{len(held)} people on the daemon, {len(names)} entered")
    wrong = [r for r in held if names.get(r["i"]) != r["n"]]
    check(not wrong, f"{len(wrong)} people are not what was written: {wrong[:3]}")
    check(not w.ctl_json("quarantine", "list") and not w.ctl_json("conflict", "list"),
          "quarantine and conflicts are empty")

    # Its log: as much applied as was made, each change-set in one session alone.
    total = w.ctl_json("query", "SELECT count(*) AS sessions, sum(applied) AS applied, sum(changesets) AS sets"
                       " FROM session")[0]
    check(total["sets"] == len(rows), f"the sync log says {total['sets']} change-sets, there are {len(rows)}")
    check(total["applied"] == changes * len(clients), f"the sync log says {total['applied']} were applied")
    w.ctl("verify")
    return total, len(rows)


def history(w, clients):
    """Some records' histories: every write of them once."""
    for c in random.sample(clients, min(5, len(clients))):
        record = random.choice(list(c.names))
        shown = w.ctl_json("record", "show", record)
        shown = shown[0] if isinstance(shown, list) else shown
        writes = [(h["device"], h["number"], h["field"]) for h in shown["history"]]
        check(len(writes) == len(set(writes)), f"{record}: a write is in its history twice: {writes}")


def test(w, args):
    changes, loss = args.changes, args.loss
    w.configure(SETTINGS)
    w.start()
    w.import_units()
    codes = communes(w, args.clients)
    line = badline.make(w.port, loss, args.reset)
    w.configure(SETTINGS + f"public_address: {line.address}\n")
    w.stop()
    w.start()
    contacts = args.contacts or max(1, changes // 40)
    clients = [Commune(w, i, w.invite(code), plan_of(changes, contacts)) for i, code in enumerate(codes)]
    began = time.monotonic()
    run_all(clients)
    took = time.monotonic() - began
    line.heal()
    total, sets = exactly_once(w, clients, changes)
    history(w, clients)
    tries = [t for c in clients for t in c.tries]
    seconds = sorted(s for c in clients for s in c.seconds)
    print(f"  {line.text}")
    print(f"  {len(tries)} contacts in {took:.0f} s, {sum(t > 1 for t in tries)} of them at a second or later try "
          f"(at most {max(tries)}); half within {seconds[len(seconds) // 2]:.1f} s, "
          f"99 of 100 within {seconds[len(seconds) * 99 // 100]:.1f} s")
    print(f"  sync log: {total['sessions']} sessions, {sets} change-sets; {total['sessions'] - sets} sessions brought "
          "what was there already, or nothing")
    print(f"lossy: {len(clients)} clients, {changes} changes each, {loss:.0%} loss each way: "
          f"{changes * len(clients)} changes, each exactly once")


if __name__ == "__main__":
    badline.enter()
    if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK):
        tempfile.tempdir = "/dev/shm"
    os.environ["CTXH_TEST_KDF_KIB"] = "8"
    sys.exit(harness.main(test, __doc__, {
        "--clients": {"type": int, "default": 8},
        "--changes": {"type": int, "default": 50, "help": "of each client"},
        "--contacts": {"type": int, "default": None, "help": "in which it sends them"},
        "--loss": {"type": float, "default": 0.3, "help": "share of packets, each way"},
        "--reset": {"type": float, "default": 0.005, "help": "share of packets answered with a reset"},
    }))
