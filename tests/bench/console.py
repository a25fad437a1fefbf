"""How long an administrator waits: the whole country's communes, 10,000 devices and a million contacts in the store, each
call of the console's pages over TLS and each page in Chromium until it is usable. Prints; asserts nothing."""

import json
import os
import sqlite3
import ssl
import http.client
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../browser"))

# pylint: disable=wrong-import-position
import pages
import world
from world import harness

DAY = 86400000
CALLS = [
    ("me", None), ("types", {}), ("board", {}), ("board", {"packed": True}), ("board", {"attention": True}), ("unit list", {}),
    ("device list", {}), ("device list", {"counted": True, "limit": 100}),
    ("device list", {"counted": True, "limit": 100, "text": "tan phu"}),
    ("device list", {"counted": True, "limit": 100, "sort": "name", "down": True}),
    ("missing", {}), ("log", {"limit": 200}), ("log", {"limit": 200, "unit": "25195"}),
    ("log", {"limit": 200, "device": 77}), ("log", {"limit": 200, "outcome": "refused"}),
    ("log", {"limit": 200, "outcome": "failed"}), ("log", {"limit": 200, "since": "2025-01-01", "until": "2025-01-31"}),
    ("conflict list", {"open": True}), ("conflict list", {"decided": True, "limit": 50}), ("quarantine list", {"open": True}),
    ("quarantine list", {"decided": True, "limit": 50}), ("duplicate list", {"limit": 100}),
    ("unit placing", {}), ("account list", {}), ("audit list", {"limit": 200}), ("backup list", {}), ("health", {}),
    ("health", {"history": True}), ("alert show", {}), ("report list", {}), ("report frozen", {}),
]
PATHS = ["board", "unit/25195", "log", "decisions", "duplicates", "placing", "devices", "units", "accounts", "backups",
         "audit", "health", "reports", "frozen"]


def fill(w, sessions, devices):
    """Rows as merging leaves them; what was made by real devices before stays as it is."""
    db = sqlite3.connect(os.path.join(w.state, "ctxhd.db"))
    db.execute("PRAGMA synchronous=OFF")
    first = db.execute("SELECT max(number) + 1 FROM device").fetchone()[0]
    now = int(time.time() * 1000)
    units = [u for (u,) in db.execute("SELECT unit FROM unit WHERE level = 3 AND last_day > 30000 ORDER BY unit")]
    columns = [c[1] for c in db.execute("PRAGMA table_info(device)")]
    made = {"is_cleared": 0, "state": 0, "shift": 0}
    rows, given = [], []
    for n in range(first, first + devices):
        row = {"number": n, "key": os.urandom(32), "counter": n, "name": f"máy {n}", "author": f"Người {n}",
               "last_number": 50, "chain": os.urandom(32), "seen_number": 50 + (n % 50 == 0), "backed_up": 50,
               "enrolled_at": now - 700 * DAY, "last_contact_at": now - n % 60 * DAY, "clock_offset_ms": 12,
               "last_receipt_at": now - n % 60 * DAY,
               "is_clock_flagged": int(n % 40 == 0), "client_version": "0.1.0", "why": ""}
        rows.append([{**made, **row}.get(c, 0) for c in columns])
        given.append((n, units[n % len(units)]))
    db.executemany(f"INSERT INTO device VALUES({','.join('?' * len(columns))})", rows)
    db.executemany("INSERT INTO device_unit VALUES(?, ?)", given)
    db.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)"
        " INSERT INTO session(device, is_device_known, unit, author, started_at, ended_at, transport, address,"
        " client_version, bytes_in, bytes_out, changesets, applied, conflicts, quarantined, records_out, evictions,"
        " clock_offset_ms, outcome, error) SELECT ?2 + i % ?3, 1, (SELECT unit FROM device_unit WHERE device = ?2 + i % ?3),"
        " 'Người ' || (i % ?3), ?4 + i * 60000, ?4 + i * 60000 + 500, 'network', '10.1.2.3', '0.1.0', 900, 700, 1, 2, 0, 0,"
        " 3, 0, 12, CASE WHEN i % 1000 = 0 THEN 3 WHEN i % 500000 = 1 THEN 4 ELSE 1 END, '' FROM n",
        (sessions, first, devices, now - sessions * 60000))
    for table in ("conflict", "quarantine"):
        columns = [c[1] for c in db.execute(f"PRAGMA table_info({table})")]
        named = ", ".join(f'"{c}"' for c in columns[1:])
        db.execute(f"INSERT INTO {table}({named}) SELECT {named} FROM {table}, (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
                   " SELECT i + 1 FROM n WHERE i < 100) SELECT i FROM n)")
    db.commit()
    told = {t: db.execute(f"SELECT count(*) FROM {t}").fetchone()[0]
            for t in ("device", "session", "conflict", "quarantine")}
    db.close()
    return dict(told, communes=len(units))


def cpu_ms(pid):
    """Of the processor, all threads: others may be at work on it."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1e6


def measure(w, rounds):
    c = http.client.HTTPSConnection("127.0.0.1", w.port, context=ssl._create_unverified_context(), timeout=600)

    def ask(path, body=None, token="login", cookie=None):
        headers = {"Content-Type": "application/json", "X-Ctxh-Token": token, **({"Cookie": cookie} if cookie else {})}
        c.request("GET" if body is None else "POST", "/console/api/" + path, None if body is None else json.dumps(body),
                  headers)
        r = c.getresponse()
        text = r.read()
        harness.check(r.status == 200, f"{path} {body}: {r.status} {text[:200]}")
        return r, text

    r, text = ask("login", {"name": "Lan", "password": world.PASSWORD})
    cookie, token = r.headers["Set-Cookie"].split(";")[0], json.loads(text)["token"]
    print(f"{'call':58} {'first':>7} {'median':>7} {'worst':>7} ms {'daemon CPU':>10} ms {'KiB':>7}")
    for command, args in CALLS:
        times = []
        before = cpu_ms(w.daemon.pid)
        for _ in range(rounds):
            started = time.perf_counter()
            if args is None:
                _, text = ask(command, None, token, cookie)
            else:
                _, text = ask("call", {"command": command, "args": args}, token, cookie)
            times.append((time.perf_counter() - started) * 1e3)
        what = command + (" " + json.dumps(args, ensure_ascii=False) if args else "")
        print(f"{what:58} {times[0]:7.0f} {statistics.median(times):7.0f} {max(times):7.0f}    "
              f"{(cpu_ms(w.daemon.pid) - before) / rounds:10.0f}    {len(text) / 1024:7.0f}")


def browse(w, args, rounds):
    env = dict(os.environ, CTXH_BROWSER_MODULES=pages.modules(args))
    subprocess.run(["node", os.path.join(HERE, "console.mjs"), f"https://127.0.0.1:{w.port}/console/", world.PASSWORD,
                    str(rounds), *PATHS], env=env, check=True)


def test(w, args):
    rounds = args.cycles or 7
    w.start()
    w.import_units(os.path.join(harness.ROOT, "tests/data/units/units_2026.csv"), "2026-01-01")
    invite = lambda: w.ctl("device", "invite", "--unit", "25195").stdout.strip().splitlines()[-1]
    a, b = (harness.Client(w, n) for n in ("Máy Một", "Máy Hai"))
    for c in (a, b):
        c("enrol", invite(), "--name", "máy")
    world.conflicts(a, b, 4)
    world.duplicates(a, 3)
    peer = harness.Peer(w, invite(), is_quiet=True)
    for word in ("good", "wrong_type", "no_such_code"):
        peer(word)
    peer.close()
    world.account(w, "Lan", "administrator")
    w.stop()
    print("  store:", fill(w, args.sessions, args.devices))
    w.start()
    measure(w, rounds)
    browse(w, args, rounds)


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__, {"--sessions": {"type": int, "default": 1000000, "help": "contacts"},
                                          "--devices": {"type": int, "default": 10000, "help": "devices"}}))
