#!/usr/bin/env python3
"""bench - every figure of docs/performance.md in one run: the real programs on loopback, beside plain SQLite in the same run.

usage: bench.py --bin DIR [--quick | --full | --tiny] [--json FILE] [--only PART,...] [--keep]

Figures, never a pass or fail: what is checked on the way are counts (every change merged once, every record there), and a
wrong one ends the run. --tiny is for ctest: each part at its smallest, and all keys must be there.
"""

import argparse
import contextlib
import csv
import datetime
import http.client
import json
import os
import platform
import resource
import shutil
import signal
import socket
import sqlite3
import ssl
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))
import harness  # noqa: E402
from harness import ROOT, Failed, check  # noqa: E402

# A list of units, the day it is from. The whole country where there are many devices: 1 to 3 are of one commune.
PROVINCE = ("units_binhphuoc_2021.csv", "2021-02-01")
COUNTRY = ("units_2025.csv", "2025-07-01")
BATCH = 200_000        # changes one run of load holds sealed in memory

# rounds: of end to end and floor, in turn. storm: devices, seconds. growth: records; batch: changes measured at each.
SIZES = {
    "tiny": dict(devices=3, sets=2, changes=10, rounds=1, many=6, storm=8, storm_s=1, held=4, people=40, client_rounds=1,
                 growth=[100, 200], batch=60, verify_at=200),
    "quick": dict(devices=100, sets=3, changes=100, rounds=1, many=200, storm=500, storm_s=3, held=200, people=2000,
                  client_rounds=5, growth=[10_000, 50_000], batch=10_000, verify_at=50_000),
    "default": dict(devices=100, sets=10, changes=100, rounds=3, many=1000, storm=2000, storm_s=12, held=1000,
                    people=10_000, client_rounds=31, growth=[10_000, 100_000, 1_000_000], batch=20_000, verify_at=100_000),
    "full": dict(devices=100, sets=10, changes=100, rounds=5, many=1000, storm=10_000, storm_s=60, held=1000,
                 people=10_000, client_rounds=31, growth=[10_000, 100_000, 1_000_000, 5_000_000], batch=20_000,
                 verify_at=1_000_000),
}

# key -> what is asked of it, in the words and numbers of the design; a figure on the wrong side is marked.
BUDGETS = {
    "changes_per_s": (">=", 60_000),
    "ingest_vs_plain_sqlite": ("<=", 1.5),
    "daemon_cpu_s_per_100k": ("<=", 2.4),
    "storm_p99_ms": ("<=", 5000),
    "storm_refused": ("<=", 0),
    "daemon_peak_mib": ("<=", 128),
    "first_sync_bytes_per_record": ("<=", 2 * 1024 * 1024 / 10_000),
    "first_sync_s": ("<=", 3),
    "first_sync_s_at_256kbit": ("<=", 60),
    "one_change_bytes_in": ("<=", 1024),
    "one_change_bytes_out": ("<=", 1024),
    "one_change_round_trips": ("<=", 1),
    "client_start_ms": ("<=", 20),
    "client_add_ms": ("<=", 20),
    "client_search_ms": ("<=", 50),
    "client_peak_mib": ("<=", 16),
    "growth_ratio": ("<=", 1.5),
}
# What a reader of the JSON may count on, whatever the size.
KEYS = ["date", "commit", "machine", "size", "seconds", "merge_vs_plain_sqlite", "one_device_changes_per_s",
        "many_devices_changes_per_s", "load_cpu_s_per_100k", "commits", "fsyncs_per_commit", "disk_bytes_per_change",
        "storm_devices", "storm_p50_ms", "storm_worst_ms", "storm_connections", "first_sync_records", "first_sync_peak_mib",
        "nothing_new_bytes_in", "nothing_new_bytes_out", "nothing_new_round_trips", "client_unlock_ms",
        "client_unlock_peak_mib", "growth", "start_s",
        "bytes_per_record", "reports_s", "verify_changes", "verify_us_per_change", *BUDGETS]


# ---- the office


class Socket(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=3600)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Office(harness.World):
    """A daemon and its load, in a folder of its own."""

    def __init__(self, args, units=PROVINCE):
        super().__init__(args)
        path, self.day = os.path.join(ROOT, "tests/data/units", units[0]), units[1]
        self.devices = os.path.join(self.dir, "devices")
        self.enrolled = 0
        self.empty_bytes = 0
        with open(path, encoding="utf-8") as f:
            self.codes = [row["code"] for row in csv.DictReader(f)]
        self.schema = os.path.join(ROOT, "schema")
        # Enrolment is not what is measured: its rate limits would only make the run longer.
        self.configure("limits:\n  enrol_per_minute: 1000000\n  enrol_per_hour: 1000000\n")
        self.start()
        self.import_units(path, self.day)

    def request(self, method, path, body=None):
        with contextlib.closing(Socket(os.path.join(self.state, "admin.sock"))) as c:
            c.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            return c.getresponse().read().decode()

    def ask(self, command, **given):
        answer = json.loads(self.request("POST", "/v1/call", json.dumps({"command": command, "args": given})))
        check(answer.get("exit_code") == 0, f"{command}: {str(answer)[:500]}")
        return answer["result"]

    def metrics(self):
        lines = self.request("GET", "/metrics").splitlines()
        number = lambda text: float(text) if "." in text else int(text)
        return {k.removeprefix("ctxh_"): number(v) for k, v in (line.split() for line in lines if line[:1] != "#")}

    def cpu_s(self):
        with open(f"/proc/{self.daemon.pid}/stat", encoding="utf-8") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mib(self):
        with open(f"/proc/{self.daemon.pid}/status", encoding="utf-8") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) / 1024

    def enrol(self, count):
        """`count` devices, each of a commune and of the one all share: the first, granted first, as load wants it."""
        def invite(i):
            own = self.codes[1 + i % (len(self.codes) - 1)]
            return self.ask("device invite", units=[self.codes[0], own], on=self.day)["invitation"]

        invitations = os.path.join(self.dir, "invitations")
        with ThreadPoolExecutor(8) as pool, open(invitations, "w", encoding="utf-8") as f:
            f.writelines(text + "\n" for text in pool.map(invite, range(count)))
        check(self.load("enrol", invitations)["enrolled"] == count, "not all are enrolled")
        self.enrolled = count

    def settle(self):
        """Everything so far is what an empty store takes."""
        self.stop()
        self.empty_bytes = self.disk_bytes()
        self.start()

    def load(self, *words, **settings):
        command = [self.program("load"), *words, self.devices]
        for name, value in settings.items():
            command += ["--" + name, str(value)]
        r = subprocess.run(command, capture_output=True, text=True, check=False)
        check(r.returncode == 0, f"{' '.join(command)}: exit {r.returncode}\n{r.stderr[-2000:]}")
        return json.loads(r.stdout)

    def push(self, **settings):
        """One run of load and what the daemon did meanwhile: load's figures, daemon_cpu_s and the metrics' differences."""
        before, cpu = self.metrics(), self.cpu_s()
        got = self.load("push", **settings)
        got["daemon_cpu_s"] = self.cpu_s() - cpu
        after = self.metrics()
        got["metrics"] = {k: after[k] - before[k] for k in after}
        wanted = settings.get("count", self.enrolled) * settings.get("sets", 1) * settings["changes"]
        check(got["changes"] == wanted, f"{got['changes']} changes acknowledged, {wanted} pushed")
        check(got["metrics"]["changes_applied_total"] == wanted, f"merged {got['metrics']['changes_applied_total']} of {wanted}")
        check(got["metrics"]["quarantined_total"] == 0, "changes are in quarantine")
        return got

    def count(self, *tables):
        return sum(self.ask("query", sql=f"SELECT count(*) AS n FROM {t}")["rows"][0]["n"] for t in tables or ["person"])

    def disk_bytes(self):
        """Of the store beyond the empty one. The daemon is down; what still lies in the log beside the file is moved in."""
        path = os.path.join(self.state, "ctxhd.db")
        with contextlib.closing(sqlite3.connect(path)) as db:
            check(db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, "somebody has the store open")
        return os.path.getsize(path) - self.empty_bytes


# ---- 1 and 2: end to end, and the floor


def end_to_end(args, size, devices, sets, units=PROVINCE):
    with Office(args, units) as w:
        w.enrol(devices)
        w.settle()
        got = w.push(sets=sets, changes=size["changes"])
        got["fsyncs_per_commit"] = fsyncs_per_commit(w, size)
        stored = got["changes"] + w.extra
        w.stop()
        got["disk_bytes_per_change"] = w.disk_bytes() / stored
    return got


def fsyncs_per_commit(w, size):
    """Counted by strace over a short push of its own; None where there is no strace or it may not look."""
    w.extra = 0
    if shutil.which("strace") is None:
        return None
    out = os.path.join(w.dir, "strace")
    spy = subprocess.Popen(["strace", "-f", "-q", "-e", "trace=fsync,fdatasync", "-o", out, "-p", str(w.daemon.pid)],
                           stderr=subprocess.PIPE)
    try:
        time.sleep(1)
        if spy.poll() is not None:
            return None
        got = w.push(sets=1, changes=size["changes"], seed=99)
        w.extra = got["changes"]
    finally:
        if spy.poll() is None:
            spy.send_signal(signal.SIGINT)
        spy.wait(30)
        spy.stderr.close()
    with open(out, encoding="utf-8", errors="replace") as f:
        calls = sum(("fsync(" in line or "fdatasync(" in line) and "resumed" not in line for line in f)
    return round(calls / got["metrics"]["writer_commits_total"], 2)


def floor(args, size, got):
    """Plain SQLite and the merge alone over the same rows, as many change-sets a transaction as the daemon had."""
    group = max(1, round(got["metrics"]["changesets_total"] / got["metrics"]["writer_commits_total"]))
    command = [os.path.join(args.bin, "bench_ingest"), args.scratch, size["devices"], size["sets"], size["changes"], group]
    r = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    check(r.returncode == 0, f"bench_ingest: exit {r.returncode}\n{r.stderr[-2000:]}")
    return json.loads(r.stdout)


def part_merge(args, size, out):
    rounds = []
    for _ in range(size["rounds"]):
        got = end_to_end(args, size, size["devices"], size["sets"])
        rounds.append((got, floor(args, size, got)))
    one = end_to_end(args, size, 1, size["sets"])
    many = end_to_end(args, size, size["many"], 1, COUNTRY)
    mid = lambda figure: statistics.median(figure(got, plain) for got, plain in rounds)
    per_100k = lambda got, key: got[key] * 100_000 / got["changes"]
    out.update(
        changes_per_s=mid(lambda got, _: got["changes_per_s"]),
        one_device_changes_per_s=one["changes_per_s"],
        many_devices_changes_per_s=many["changes_per_s"],
        many_devices=size["many"],
        merge_vs_plain_sqlite=mid(lambda got, plain: plain["plain_per_s"] / got["changes_per_s"]),
        ingest_vs_plain_sqlite=mid(lambda _, plain: plain["ratio_wall"]),
        ingest_vs_plain_sqlite_cpu=mid(lambda _, plain: plain["ratio_cpu"]),
        ingest_per_s=mid(lambda _, plain: plain["ingest_per_s"]),
        plain_sqlite_per_s=mid(lambda _, plain: plain["plain_per_s"]),
        daemon_cpu_s_per_100k=mid(lambda got, _: per_100k(got, "daemon_cpu_s")),
        load_cpu_s_per_100k=mid(lambda got, _: per_100k(got, "load_cpu_s")),
        answer_p50_ms=mid(lambda got, _: got["p50_ms"]),
        answer_p99_ms=mid(lambda got, _: got["p99_ms"]),
        commits=mid(lambda got, _: got["metrics"]["writer_commits_total"]),
        changesets_per_commit=mid(lambda _, plain: plain["group"]),
        fsyncs_per_commit=rounds[-1][0]["fsyncs_per_commit"],
        disk_bytes_per_change=mid(lambda got, _: got["disk_bytes_per_change"]),
        conflicts=rounds[-1][0]["metrics"]["conflicts_total"],
    )


# ---- 3: everybody at once


def hold(address, count):
    """`count` connections that asked once and stay: what keep-alive costs the daemon."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the load checks the pin; these only sit there
    host, port = address.rsplit(":", 1)
    held = []
    for _ in range(count):
        c = http.client.HTTPSConnection(host, int(port), context=context, timeout=60)
        c.request("GET", "/v1/schema", headers={"If-None-Match": '"none"'})
        check(c.getresponse().read() != b"", "no schema came")
        held.append(c)
    return held


def part_storm(args, size, out):
    with Office(args, COUNTRY) as w:
        w.enrol(size["storm"])
        held = hold(f"127.0.0.1:{w.port}", size["held"])
        most = [w.metrics()["connections"]]
        is_over = threading.Event()

        def watch():
            while not is_over.wait(0.25):
                most[0] = max(most[0], w.metrics()["connections"])

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            got = w.push(changes=50, within=size["storm_s"], connections=1000, reuse=0)
        finally:
            is_over.set()
            watcher.join()
        check(most[0] >= size["held"], f"only {most[0]} connections were open")
        for c in held:
            c.close()
        out.update(storm_devices=size["storm"], storm_s=got["seconds"], storm_p50_ms=got["p50_ms"],
                   storm_p99_ms=got["p99_ms"], storm_worst_ms=got["worst_ms"], storm_refused=got["refused"],
                   storm_connections=most[0], storm_daemon_cpu_s=got["daemon_cpu_s"], daemon_peak_mib=w.peak_mib())


# ---- 4 and 6: one commune, with the real client


def timed(w, client, *words):
    """Seconds and peak MiB of one run of ctxh."""
    r = subprocess.run([w.program("bench_client"), "run", w.program("ctxh"), client.home, *words], env=w.env,
                       capture_output=True, text=True, check=False)
    check(r.returncode == 0, f"ctxh {' '.join(words)}: {r.stderr[-2000:]}")
    got = json.loads(r.stdout)
    return got["seconds"], got["peak_mib"]


def contacts(w, device, after):
    """The sync log's rows of a device above `after`; a contact's row is complete a little after its answer."""
    rows = []

    def is_complete():
        rows[:] = [r for r in w.ask("log", device=device, limit=100_000) if r["session"] > after]
        return rows and all(r["ended_at"] for r in rows)

    harness.wait_for(is_complete, "the sync log's rows", 30)
    return rows


def put_contact(out, name, rows):
    out[name + "_bytes_in"] = sum(r["bytes_in"] for r in rows)
    out[name + "_bytes_out"] = sum(r["bytes_out"] for r in rows)
    out[name + "_round_trips"] = len(rows)


def first_sync(w, size, out):
    new = w.client("new", w.codes[0])
    device = max(d["number"] for d in w.ask("device list"))
    new("unlock")
    seconds, mib = timed(w, new, "sync")
    rows = contacts(w, device, 0)
    records = sum(r["records_out"] for r in rows)
    check(records == size["people"], f"{records} records came, {size['people']} are there")
    wire = sum(r["bytes_in"] + r["bytes_out"] for r in rows)
    out.update(first_sync_records=records, first_sync_s=seconds, first_sync_peak_mib=mib,
               first_sync_bytes_per_record=wire / records, first_sync_round_trips=len(rows),
               first_sync_s_at_256kbit=wire * 8 / 256_000 * 10_000 / records)
    last = max(r["session"] for r in rows)
    timed(w, new, "sync")
    rows = contacts(w, device, last)
    check(not any(r["applied"] or r["records_out"] for r in rows), "something was new")
    put_contact(out, "nothing_new", rows)
    last = max(r["session"] for r in rows)
    new.add("person", full_name="Điểu Thị Mới", sex="nữ", birth_date="1950")
    timed(w, new, "sync")
    rows = contacts(w, device, last)
    check(sum(r["applied"] for r in rows) == 1, "the change did not arrive")
    put_contact(out, "one_change", rows)
    new("lock")


def part_client(args, size, out):
    with Office(args) as w:
        people = os.path.join(w.dir, "people.csv")
        subprocess.run([os.path.join(ROOT, "scripts/make-demo-data"), "--people", str(size["people"]), people], check=True,
                       stdout=subprocess.DEVNULL)
        # With the passphrase's full cost, which tests are spared; from here on the agent holds the key.
        spared = w.env.pop("CTXH_TEST_KDF_KIB")
        first = w.client("first", w.codes[0])
        w.env["CTXH_TEST_KDF_KIB"] = spared
        first("unlock")
        w.run("ctxh", "--home", first.home, "import", "person", people, timeout=600)
        out["push_all_s"], _ = timed(w, first, "sync")
        check(w.count() == size["people"], "not all people arrived")
        first_sync(w, size, out)
        w.stop()
        # The office is down: what follows is the commune's machine alone.
        command = [w.program("bench_client"), w.program("ctxh"), first.home, people, os.path.join(w.dir, "plain.db"),
                   str(size["client_rounds"])]
        r = subprocess.run(command, env=w.env, capture_output=True, text=True, check=False)
        check(r.returncode == 0, f"bench_client: exit {r.returncode}\n{r.stderr[-2000:]}")
        out.update(json.loads(r.stdout))
        first("verify")
        unlock(w, first, size, out)
        first("lock")


def unlock(w, client, size, out):
    """What the passphrase costs: Argon2id's time and memory, once until the agent ends."""
    took = []
    for _ in range(min(5, size["client_rounds"])):
        client("lock")
        took.append(timed(w, client, "unlock"))
    out["client_unlock_ms"] = statistics.median(s for s, _ in took) * 1000
    out["client_unlock_peak_mib"] = max(mib for _, mib in took)


# ---- 5 and 7: a store that grows


TYPES = ("person", "person_category", "intervention")


def fill(w, size, records, seed):
    """Up to about so many records, in runs load can hold; returns how many there are."""
    there = w.count(*TYPES)
    while records - there >= size["devices"] * size["changes"]:
        sets = max(1, min(records - there, BATCH) // (size["devices"] * size["changes"]))
        seed += 1
        there = w.push(sets=sets, changes=size["changes"], updates=0, shared=0, mix=1, seed=seed)["made"]
    return there


def restart(w):
    """Seconds until the daemon serves what it has. Stopping moves into the file what filling left in the log: it is not
    the next change that costs it."""
    w.stop(wait=600)
    began = time.monotonic()
    w.start(wait=600)
    return time.monotonic() - began


def read_through(w):
    """The store into the page cache, where a daemon that has run for a while has it: a start drops it from there."""
    with open(os.path.join(w.state, "ctxhd.db"), "rb", buffering=0) as f:
        while f.read(1 << 20):
            pass


def grown(w, size, records, pushes, beside=lambda: None):
    """A store of so many records, and what a change costs there: medians over the pushes behind the first. `beside` is
    run before each."""
    changes = size["batch"] // size["devices"] // max(1, size["batch"] // size["devices"] // size["changes"])
    push = lambda seed: w.push(sets=size["batch"] // size["devices"] // changes, changes=changes, updates=20, shared=0,
                               mix=1, seed=seed)
    row = {"records": fill(w, size, records, records), "start_s": round(restart(w), 3)}
    # The first changes read what they touch from the disk.
    cold = push(records - 1)
    row["cold_us_per_change"] = round(cold["seconds"] * 1e6 / cold["changes"], 2)
    read_through(w)
    got = []
    for i in range(pushes):
        beside()
        got.append(push(records - 2 - i))
    check(w.count(*TYPES) == got[-1]["made"], "records and what was made differ")
    mid = lambda figure: round(statistics.median(figure(g) for g in got), 2)
    return {**row, "changes_per_s": mid(lambda g: g["changes_per_s"]),
            "daemon_cpu_us_per_change": mid(lambda g: g["daemon_cpu_s"] * 1e6 / g["changes"]),
            "us_per_change": mid(lambda g: g["seconds"] * 1e6 / g["changes"])}


def part_growth(args, size, out):
    smallest = []

    def small():
        """It grows fast while it is measured: one push each in stores of their own."""
        with Office(args) as w:
            w.enrol(size["devices"])
            smallest.append(grown(w, size, size["growth"][0], 1))

    with Office(args) as w:
        w.enrol(size["devices"])
        w.settle()
        out["growth"] = []
        for records in size["growth"][1:]:
            # The machine is not as fast now as it was when filling began: the two that are compared take turns.
            is_last = records == size["growth"][-1]
            out["growth"].append(grown(w, size, records, size["rounds"], *([small] if is_last else [])))
            if records == size["verify_at"]:
                part_verify(w, out)
        out["growth"].insert(0, {key: statistics.median(row[key] for row in smallest) for key in smallest[0]})
        first, last = out["growth"][0], out["growth"][-1]
        ratio = lambda key: round(last[key] / first[key], 2) if first[key] else 0.0
        part_reports(w, out)
        made, peak = w.count(*TYPES), w.peak_mib()
        w.stop(wait=600)
        wall, cpu = ratio("us_per_change"), ratio("daemon_cpu_us_per_change")
        out.update(growth_ratio=max(wall, cpu), growth_wall_ratio=wall, growth_cpu_ratio=cpu,
                   growth_cold_ratio=ratio("cold_us_per_change"), growth_records=last["records"],
                   start_s=last["start_s"], bytes_per_record=w.disk_bytes() / made, growth_peak_mib=peak)


def part_verify(w, out):
    began = time.monotonic()
    got = w.ask("verify")
    took = time.monotonic() - began
    check(got["found"] == 0, f"verify: {str(got)[:500]}")
    out.update(verify_changes=got["changes"], verify_s=took, verify_us_per_change=took * 1e6 / got["changes"])


def part_reports(w, out):
    """Every report the schema has, over the whole province."""
    reports = w.ask("report list")
    took = {}
    for r in reports:
        began = time.monotonic()
        w.ask("report run", id=r["id"], **{"unit": "70", "from": "2021-01-01", "to": "2021-12-31", "on": w.day})
        took[r["id"]] = time.monotonic() - began
    slowest = max(took, key=took.get)
    out.update(reports=len(took), reports_s=sum(took.values()), slowest_report=slowest, slowest_report_s=took[slowest])


# ---- what comes out


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        name = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo", encoding="utf-8") as f:
        mib = int(f.readline().split()[1]) // 1024
    return {"cpu": name, "cores": os.cpu_count(), "memory_mib": mib, "kernel": platform.release(),
            "load_average": os.getloadavg()[0]}


def commit():
    """With “-dirty” when the tree is not what that commit says; a machine that only tests may lack git."""
    if shutil.which("git") is None:
        return "unknown"
    r = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--exclude=*"], capture_output=True, text=True, check=False)
    return r.stdout.strip() or "unknown"


def is_within(value, budget):
    how, limit = budget
    return value >= limit if how == ">=" else value <= limit


def shown(value):
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def table(out):
    print(f"\n{'':2}{'figure':32}{'value':>16}   budget")
    for key, value in out.items():
        if key in ("machine", "growth"):
            continue
        budget = BUDGETS.get(key)
        mark = "" if budget is None or value is None or is_within(value, budget) else "!"
        asked = f"{budget[0]} {shown(budget[1])}" if budget else ""
        print(f"{mark:2}{key:32}{shown(value):>16}   {asked}")
    for row in out.get("growth", []):
        print("  " + ", ".join(f"{k} {shown(v)}" for k, v in row.items()))
    beyond = [k for k, b in BUDGETS.items() if out.get(k) is not None and not is_within(out[k], b)]
    print(f"\n! beyond its budget: {', '.join(beyond) or 'nothing'}")


PARTS = {"merge": part_merge, "storm": part_storm, "client": part_client, "growth": part_growth}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bin", required=True, help="folder of the programs")
    for name in ("quick", "full", "tiny"):
        p.add_argument("--" + name, dest="size", action="store_const", const=name)
    p.add_argument("--json", metavar="FILE", help="write the figures there too")
    p.add_argument("--only", default=",".join(PARTS), help="some of " + ", ".join(PARTS))
    p.add_argument("--keep", action="store_true", help="leave the folders")
    p.set_defaults(size="default", program=[])
    args = p.parse_args()
    if set(args.only.split(",")) - set(PARTS):
        p.error("--only: some of " + ", ".join(PARTS))
    size = SIZES[args.size]
    # A thousand connections held, a thousand of the load, and the daemon's end of all of them.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    args.bin = os.path.abspath(args.bin)
    args.scratch = os.environ.get("TMPDIR", "/tmp")
    began = time.monotonic()
    out = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "commit": commit(),
           "machine": machine(), "size": args.size}
    try:
        for part in args.only.split(","):
            print(f"{part} …", file=sys.stderr, flush=True)
            PARTS[part](args, size, out)
        out["seconds"] = round(time.monotonic() - began, 1)
        missing = [k for k in KEYS if k not in out]
        check(missing == [] or args.only != ",".join(PARTS), f"no figure for {missing}")
    except Failed as e:
        print(f"bench: {e}", file=sys.stderr)
        return 1
    table(out)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(out, f, ensure_ascii=False, indent=1)
            f.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
