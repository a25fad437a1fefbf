"""What a system needs of the daemon: a watchdog fed only while the writer lives, figures a dashboard can draw, an
upgrade that keeps a verified copy first, a downgrade that is refused, a configuration checked before it counts."""

import glob
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys

import harness
from harness import PATIENCE, check, wait_for

DASHBOARD = os.path.join(harness.ROOT, "packaging/grafana/ctxhd.json")


def ask(w, path):
    """Status and body of a GET on the admin socket."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE)
        s.connect(os.path.join(w.state, "admin.sock"))
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        head, _, body = s.makefile("rb").read().partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


def dashboard(w):
    """Every figure the dashboard draws is one that the daemon exports."""
    status, text = ask(w, "/metrics")
    check(status == 200, f"/metrics: {status}")
    exported = set(re.findall(r"^(ctxh_[a-z_]+) ", text, re.M))
    check("ctxh_devices" in exported and len(exported) > 20, f"few metrics: {exported}")
    check(not [n for n in exported if "_ms" in n], "Prometheus counts in seconds")
    if shutil.which("promtool"):
        r = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        check(r.returncode == 0, f"promtool: {r.stdout}{r.stderr}")
    with open(DASHBOARD, encoding="utf-8") as f:
        board = json.load(f)
    drawn = set()
    for panel in board["panels"]:
        check(panel["type"] == "row" or panel["targets"], f"an empty panel: {panel['title']}")
        for target in panel.get("targets", []):
            names = set(re.findall(r"ctxh_[a-z_]+", target["expr"]))
            check(names, f"draws nothing of ours: {target['expr']}")
            drawn |= names
    check(drawn - exported == set(), f"drawn and not exported: {drawn - exported}")
    check(ask(w, "/healthz") == (200, "ok\n") and ask(w, "/readyz") == (200, "ready\n"), "health")
    print(f"  {len(drawn)} of {len(exported)} metrics are drawn")


def store_gone(w, c):
    """Somebody moves the store's file away: nothing more is acknowledged into it, and nothing is lost."""
    store = os.path.join(w.state, "ctxhd.db")
    os.rename(store, store + ".away")
    wait_for(lambda: ask(w, "/readyz") == (503, "store missing\n"), "/readyz does not say so")
    check(log_has(w, "gone=yes"), "the journal does not say so")
    person = c.add("person", full_name="Thị Còn Đây", sex="nu", birth_date="1951")
    c("sync", code=3)
    check(w.ctl_json("query", "SELECT count(*) AS n FROM person")[0]["n"] == 1, "what came before cannot be read")
    os.rename(store + ".away", store)
    wait_for(lambda: ask(w, "/readyz") == (200, "ready\n"), "/readyz does not say that it is there again")
    c("sync")
    check(w.ctl_json("record", "show", person)["id"] == person, "what waited did not come")
    # Stopped hard, what was written last is in the WAL: a new store beside it would throw that away.
    w.stop(signal.SIGKILL)
    check(os.path.getsize(store + "-wal") > 0, "no WAL: the test proves nothing")
    os.rename(store, store + ".away")
    r = subprocess.run([w.program("ctxhd"), "--state", w.state, "--listen", "127.0.0.1:0"], env=w.env,
                       capture_output=True, text=True, timeout=5 * PATIENCE, check=False)
    check(r.returncode == 1 and "ctxhd.db is not there" in r.stderr, f"exit {r.returncode}: {r.stderr}")
    check(not os.path.exists(store), "a new store was made in its place")
    os.rename(store + ".away", store)
    w.start()
    check(w.ctl_json("record", "show", person)["id"] == person, "what was acknowledged is lost")
    w.ctl("verify")


def copies(w):
    return sorted(os.path.basename(p) for p in glob.glob(os.path.join(w.state, "ctxhd.db.before-*")))


def log_has(w, text):
    with open(os.path.join(w.dir, "ctxhd.log"), encoding="utf-8", errors="replace") as f:
        return text in f.read()


def plant_copy(w):
    """As an upgrade that has just been done leaves it."""
    shutil.copy(os.path.join(w.state, "id"), os.path.join(w.state, "ctxhd.db.before-6"))


def upgrade(w):
    """A store of long ago is copied before it is altered, and nothing of it is lost."""
    state = os.path.join(w.dir, "old")
    os.mkdir(state, 0o700)
    store = os.path.join(state, "ctxhd.db")
    subprocess.run([os.path.join(w.bin, "old_store"), store], check=True, env=w.env)
    with open(store, "rb") as f:
        before = f.read()
    with open(os.path.join(w.dir, "old.log"), "wb") as log:
        p = subprocess.Popen([w.program("ctxhd"), "--state", state, "--listen", "127.0.0.1:0"], env=w.env, stderr=log)
        try:
            wait_for(lambda: os.path.exists(os.path.join(state, "listen")) or p.poll() is not None, "the upgrade")
            with open(log.name, encoding="utf-8") as f:
                said = f.read()
            check("upgrade store from=6 to=" in said, f"the journal does not say that there was an upgrade:\n{said}")
            with open(store + ".before-6", "rb") as f:
                check(f.read() == before, "the copy is not what the store was")
            status = json.loads(w.ctl("--socket", os.path.join(state, "admin.sock"), "query",
                                      "SELECT count(*) AS n FROM person", "--format", "json").stdout)
            check(status[0]["n"] == 1, f"the person is lost: {status}")
        finally:
            p.terminate()
            p.wait(PATIENCE)


def copies_go(w, c):
    """With the first verified backup; and with law's erasure, which the copy would outlive."""
    plant_copy(w)
    w.ctl("backup", "now")
    check(copies(w) == [], f"after a verified backup: {copies(w)}")
    plant_copy(w)
    person = c.add("person", full_name="Điểu Sẽ Xóa", sex="nam", birth_date="1950")
    c("sync")
    check(len(copies(w)) == 1, "a sync took the copy")
    w.ctl("erase", person, "--why", "theo yêu cầu", "--basis", "Luật 91/2025/QH15")
    check(copies(w) == [], f"after an erasure: {copies(w)}")


def downgrade(w):
    """An older program leaves a newer one's store alone and says so."""
    w.stop()
    path = os.path.join(w.state, "ctxhd.db")
    with sqlite3.connect(path) as db:
        newest = db.execute("PRAGMA user_version").fetchone()[0]
        db.execute("PRAGMA user_version=99")
    db.close()
    with open(path, "rb") as f:
        bytes_before = f.read()
    r = subprocess.run([w.program("ctxhd"), "--state", w.state, "--listen", "127.0.0.1:0"], env=w.env,
                       capture_output=True, text=True, timeout=5 * PATIENCE, check=False)
    check(r.returncode == 1, f"exit {r.returncode}")
    check("version 99" in r.stderr and "Install that version again" in r.stderr, r.stderr)
    with open(path, "rb") as f:
        check(f.read() == bytes_before, "the newer store was touched")
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version={newest}")
    db.close()
    w.start()


def settings(w):
    """What is wrong is said with file and line, by --check as by a reload; the daemon goes on."""
    path = os.path.join(w.dir, "ctxhd.yaml")
    with open(path, encoding="utf-8") as f:
        good = f.read()
    lines = good.count("\n")
    for bad in ("limts:\n  disk_free: 1GiB\n", "limits:\n  disk_free: viel\n", "backup:\n  recipient: abc\n",
                "clock_tolerance: 99d\n", "schema: [a, b]\n", "  : :\n"):
        with open(path, "w", encoding="utf-8") as f:
            f.write(good + bad)
        where = re.compile(re.escape(path) + rf":({lines + 1}|{lines + 2}|{lines + 3}):")
        r = w.run("ctxhd", "--check", "--config", path, code=1)
        check(where.search(r.stderr), f"{bad!r}: {r.stderr}")
        w.daemon.send_signal(signal.SIGHUP)
        wait_for(lambda said=r.stderr: log_has(w, said.split(": ", 1)[1].strip()),
                 f"{bad!r}: the journal does not say {r.stderr}")
        check(ask(w, "/readyz")[0] == 200, "a wrong configuration stopped the daemon")
    with open(path, "w", encoding="utf-8") as f:
        f.write(good)
    check(w.run("ctxhd", "--check", "--config", path).stdout == "ok\n", "a right one")
    # What is shipped is right, as it is and with every example in it in force.
    shipped = os.path.join(harness.ROOT, "packaging/ctxhd.yaml")
    w.run("ctxhd", "--check", "--config", shipped)
    with open(shipped, encoding="utf-8") as f:
        text = re.sub(r"^#( *[a-z_]+:.*)$", r"\1", f.read(), flags=re.M)
    text = re.sub(r"^tls_(certificate|key):.*$", "", text, flags=re.M).replace('"…"', '"' + "ab" * 32 + '"')
    with open(path + ".full", "w", encoding="utf-8") as f:
        f.write(text)
    check("keep_days" in text and "public_address: " in text, "examples are gone")
    w.run("ctxhd", "--check", "--config", path + ".full")


class Notify:
    """The service manager's end: counts what it is told."""

    def __init__(self, w):
        self.path = os.path.join(w.dir, "notify")
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.s.bind(self.path)
        self.s.settimeout(0.2)
        self.fed = 0
        w.daemon_env.update(NOTIFY_SOCKET=self.path, WATCHDOG_USEC="3000000")

    def read(self):
        try:
            self.fed += b"WATCHDOG=1" in self.s.recv(4096)
            return True
        except TimeoutError:
            return False


def watchdog(w):
    w.stop()
    fault = os.path.join(w.dir, "fault")
    w.preload = os.path.join(w.bin, "fault_io.so")
    w.env["CTXH_FAULT"] = fault
    notify = Notify(w)
    w.start()

    def fed(more):
        start = notify.fed
        wait_for(lambda: notify.read() and notify.fed >= start + more, "the watchdog is not fed", 5 * PATIENCE)

    fed(3)
    with open(fault, "w", encoding="ascii") as f:
        f.write("stall")
    hung = subprocess.Popen([w.program("ctxhctl"), "account", "add", "nguoixem", "--role", "auditor"], env=w.env,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: notify.read() or os.path.exists(fault + ".stalled"), "nobody syncs")
    wait_for(lambda: os.path.exists(fault + ".stalled"), "the writer does not sync")
    while notify.read():
        if ask(w, "/healthz")[0] == 503:
            break
    notify.fed = 0
    # The loop works all the while and answers; the writer does not, and that is what counts.
    wait_for(lambda: [notify.read(), ask(w, "/healthz")[0] == 503][1], "/healthz does not say so", 5 * PATIENCE)
    check(notify.fed <= 2, f"fed {notify.fed} times while the writer hung")
    os.unlink(fault)
    fed(3)
    wait_for(lambda: [notify.read(), ask(w, "/healthz")[0] == 200][1], "/healthz is not well again")
    check(hung.wait(5 * PATIENCE) == 0, "the command that hung did not end well")


def test(w, _args):
    w.start()
    w.import_units()
    c = w.client("xa", "25195")
    c.add("person", full_name="Điểu K’Ré", sex="nam", birth_date="1950")
    c("sync")
    dashboard(w)
    store_gone(w, c)
    upgrade(w)
    copies_go(w, c)
    downgrade(w)
    settings(w)
    watchdog(w)
    w.ctl("verify")


sys.exit(harness.main(test, __doc__))
