"""kill -9 of the daemon and of clients, over and over, at every kind of moment: what a client was told is saved or
sent is there afterwards, and nothing is applied twice.

Where: all but one in eight at a point (killing.py) chosen among those a run of that kind passes, each as likely: entry,
edit, import, sync (sealing, sending, applying), enrolment, files carried by hand; of the daemon start-up, its first start
ever with every migration, merging, answering, checkpoints, backups, a restore. The rest by the clock, at a random moment.

What must hold after each: the client's numbers are those of what happened, by one or not at all for what was killed; the
daemon holds at least what any client has a receipt for, at most what it sealed. Every so often, and at the end: verify
on both sides, every name exactly once, numbers without gap or repeat."""

import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import harness
import killing
from harness import PATIENCE, Client, Peer, World, check

UNITS = ["25195", "25198", "25201", "25204"]
ACTIVE = 4         # devices at a time, two in a commune
RETIRE_AFTER = 150 # changes: a small vault is a fast cycle
LOOK_EVERY = 400   # kills
BY_CLOCK = 1 / 8
SETTINGS = """limits:
  wal_pages: 100
  enrol_per_minute: 100000
  enrol_per_hour: 1000000
  disk_free: 0
"""


def random_moment():
    time.sleep(random.random() * random.choice([0.003, 0.03, 0.1]))


class Device(Client):
    """A client and what is known of it: `changes` is how many happened, `names` what must be on the daemon."""

    def __init__(self, run, number):
        super().__init__(run.w, f"d{number}")
        self.run = run
        self.kill = killing.Kill(run.w, self.name)
        self.number = 0    # the daemon's
        self.changes = 0
        self.names = set()
        self.ids = {}      # those whose id came out: id to name
        self.settled = []  # ids with a receipt and no edit since: an edit of them is a change of its own

    def killable(self, kind, *args, stdin=None, armed=True):
        """Runs a command that may be killed. Its exit code (-9: it was), what it printed."""
        is_timed = armed and random.random() < BY_CLOCK
        self.kill.reset(self.run.spans.point(kind) if armed and not is_timed else 0)
        p = subprocess.Popen([self.world.program("ctxh"), "--home", self.home, *args], text=True,
                             env=self.kill.env(self.world.env), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if is_timed:
            random_moment()
            p.send_signal(signal.SIGKILL)
        out, err = p.communicate(stdin, 60)
        if p.returncode == -signal.SIGKILL:
            self.run.note("ctxh " + kind, self.kill.what)
        elif p.returncode == 0:
            self.run.spans.seen(kind, self.kill.count)
        self.said = err
        return p.returncode, out.strip()

    def status(self):
        return self.json("status")

    def settle(self, count):
        """What was killed happened wholly or not at all: did it?"""
        s = self.status()
        happened = s["sent"] + s["waiting"] - self.changes
        check(happened in (0, count), f"{self.name}: {happened} changes of an entry of {count}")
        self.changes += happened
        return happened != 0

    def add(self, armed=True):
        name = self.run.new_name()
        code, out = self.killable("add", "add", "person", f"full_name={name}", "--even-so", armed=armed)
        check(code in (0, -signal.SIGKILL), f"add: exit {code}: {self.said}")
        if out:
            self.changes += 1
            self.ids[out.splitlines()[-1]] = name
        elif not self.settle(1):
            return
        self.names.add(name)

    def edit(self):
        if not self.settled:
            return self.add()
        record = self.settled.pop(random.randrange(len(self.settled)))
        name = self.run.new_name()
        code, _ = self.killable("edit", "edit", record, f"full_name={name}")
        check(code in (0, -signal.SIGKILL), f"edit: exit {code}: {self.said}")
        if code == 0:
            self.changes += 1
        elif not self.settle(1):
            return None
        self.names.remove(self.ids[record])
        self.names.add(name)
        self.ids[record] = name
        return None

    def bring_in(self):
        names = [self.run.new_name() for _ in range(5)]
        code, _ = self.killable("import", "import", "person", "-", "--even-so",
                                stdin="full_name\n" + "\n".join(names) + "\n")
        check(code in (0, -signal.SIGKILL), f"import: exit {code}: {self.said}")
        if code == 0:
            self.changes += len(names)
        elif not self.settle(len(names)):
            return
        self.names.update(names)

    def synced(self):
        """After a sync that ended well: everything has a receipt."""
        self.settled = list(self.ids)

    def look(self):
        s = self.status()
        check(s["sent"] + s["waiting"] == self.changes,
              f"{self.name}: {s['sent']} sent and {s['waiting']} waiting, {self.changes} happened")
        return s


class Run:
    def __init__(self, w, args):
        self.w = w
        self.cycles = args.cycles or 100
        self.kills = 0
        self.where = collections.Counter()
        self.spans = killing.Spans()
        self.daemon = killing.Kill(w, "daemon")
        self.key = os.path.join(w.dir, "office.key")
        self.backups = os.path.join(w.dir, "backups")
        self.active = []
        self.retired = []  # (number of the device, changes, names)
        self.born = 0
        self.names = 0
        self.next_look = LOOK_EVERY
        w.preload = self.daemon.preload
        w.env["CTXH_KILL"] = self.daemon.path

    def new_name(self):
        self.names += 1
        return f"Người {self.names:06d}"

    def note(self, who, what):
        self.kills += 1
        when, call, name = (what.split(" ", 2) + ["", ""])[:3] if what else ("", "by the clock", "")
        if not name.startswith(("ctxhd.db", "vault.db", "socket")):
            name = ""  # a document, a key, a temporary file
        self.where[(who, f"{call} {name}".strip())] += 1

    # ---- the daemon

    def start(self, kind="start-up", armed=False):
        """Until it is ready, however often it is killed on the way."""
        while True:
            self.daemon.reset(self.spans.point(kind) if armed else 0)
            if self.w.start(may_die=True, wait=PATIENCE) is not None:
                self.spans.seen(kind, self.daemon.count)
                if not self.daemon.disarm():
                    return
                self.w.daemon.wait(PATIENCE)
            self.note("ctxhd " + kind, self.daemon.what)
            armed = random.random() < 0.3

    def reap(self, doing):
        """Has the daemon met its point? Then it starts again, and what everybody was told is there."""
        if self.daemon.disarm():
            self.w.daemon.wait(PATIENCE)
        if self.w.daemon.poll() is None:
            return False
        code = self.w.stop()
        check(code == -signal.SIGKILL, f"ctxhd ended with {code}")
        self.note("ctxhd " + doing, self.daemon.what)
        self.start(armed=random.random() < 0.15)
        self.held()
        return True

    def arm(self, doing):
        self.daemon.reset(0)
        self.daemon.arm(self.spans.point(doing))

    def ended(self, doing):
        """The daemon came through: so long is it."""
        self.spans.seen(doing, self.daemon.count)

    def held(self):
        """0 acknowledged lost, 0 applied twice, as numbers say."""
        last = {r["number"]: r["last_number"] for r in self.w.ctl_json("device", "list")}
        for number, changes, _ in self.retired:
            check(last[number] == changes, f"device {number} sent {changes}, the daemon holds {last[number]}")
        for d in self.active:
            s = d.look()
            have = last.get(d.number, 0)
            check(have >= s["sent"], f"{d.name} has a receipt for {s['sent']}, the daemon holds {have}")
            check(have <= d.changes, f"{d.name} made {d.changes}, the daemon holds {have}")

    # ---- cycles

    def entry(self):
        d = random.choice(self.active)
        random.choice([d.add, d.add, d.edit, d.bring_in])()

    def sync(self):
        """A client is killed while it seals, sends, applies."""
        d = random.choice(self.active)
        d.add(armed=False)
        code, _ = d.killable("sync", "sync")
        check(code in (0, -signal.SIGKILL), f"sync: exit {code}: {d.said}")
        if code == 0:
            d.synced()
        else:
            d.look()

    def contact(self):
        """The daemon is killed while several sync; one of them perhaps too."""
        some = random.sample(self.active, random.randint(1, 3))
        for d in some:
            d.add(armed=False)
        is_timed = random.random() < BY_CLOCK
        doing = f"serving {len(some)}"
        if is_timed:
            self.daemon.reset(0)
        else:
            self.arm(doing)
        running = []
        for d in some:
            d.kill.reset(self.spans.point("sync") if random.random() < 0.2 else 0)
            running.append(subprocess.Popen(
                [self.w.program("ctxh"), "--home", d.home, "sync"], env=d.kill.env(self.w.env),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        if is_timed:
            random_moment()
            self.w.daemon.send_signal(signal.SIGKILL)
        for d, p in zip(some, running):
            code = p.wait(PATIENCE)
            check(code in (0, 3, -signal.SIGKILL), f"{d.name}: sync: exit {code}")
            if code == 0:
                d.synced()
            elif code == -signal.SIGKILL:
                self.note("ctxh sync", d.kill.what)
        if is_timed:
            self.w.daemon.wait(PATIENCE)
        else:
            time.sleep(0.003)  # a checkpoint comes when all have their answers
        if not self.reap(doing):
            self.ended(doing)

    def restart(self):
        """Killed while idle or at its end, and on the way up."""
        if random.random() < 0.3:
            self.arm("stopping")
            self.w.daemon.send_signal(signal.SIGTERM)
            if self.w.daemon.wait(PATIENCE) == 0:
                self.ended("stopping")
                self.w.daemon = None
                self.start(armed=True)
                return
            self.reap("stopping")
            return
        self.w.stop(signal.SIGKILL)
        self.note("ctxhd idle", "")
        self.start(armed=True)
        self.held()

    def checkpoint(self):
        """Killed while the log is moved into the store, which is once in a while."""
        self.daemon.reset(self.spans.point("checkpoint"), only="ctxhd.db")
        for _ in range(12):
            d = random.choice(self.active)
            d.add(armed=False)
            code = d("sync", code=[0, 3]).returncode
            time.sleep(0.003)
            if self.daemon.what or code == 3:
                break
            d.synced()
        if not self.reap("checkpoint"):
            self.spans.seen("checkpoint", self.daemon.count)

    def enrol(self):
        """A new device, client or daemon killed while it enrols; the same invitation goes on serving."""
        self.born += 1
        d = Device(self, self.born)
        unit = UNITS[self.born // 2 % len(UNITS)]
        invitation = self.w.invite(unit)
        is_daemon = self.kills > 0 and random.random() < 0.4
        if is_daemon:
            self.arm("enrolling")
        code, _ = d.killable("enrol", "enrol", invitation, armed=self.kills > 0 and not is_daemon)
        if not self.reap("enrolling") and is_daemon:
            self.ended("enrolling")
        while code not in (0, 1):
            code = d("enrol", invitation, code=[0, 1, 3]).returncode
        d("sync")
        d.number = d.status()["device"]
        check(d.number not in [x.number for x in self.active] + [x[0] for x in self.retired],
              f"{d.name}: the number {d.number} was given twice")
        self.active.append(d)

    def retire(self, d):
        d("sync", code=[0, 4])
        s = d.look()
        check(s["waiting"] == 0, f"{d.name}: {s['waiting']} wait after a sync")
        d("verify")
        self.active.remove(d)
        self.retired.append((d.number, d.changes, d.names))
        d.kill.close()
        shutil.rmtree(d.home)

    def carry(self):
        """The same by file: client or daemon killed while it is written, merged, read."""
        d = random.choice(self.active)
        d.add(armed=False)
        out, back = (os.path.join(self.w.dir, f) for f in ("out.ctxh", "return.ctxh"))
        code, _ = d.killable("bundle out", "bundle", "out", out, armed=random.random() < 0.5)
        if code != 0:
            d("bundle", "out", out)
        self.arm("bundle in")
        code = self.w.run("ctxhctl", "bundle", "in", out, "--out", back, code=[0, 1, 3, 4]).returncode
        if self.reap("bundle in"):
            self.w.ctl("bundle", "in", out, "--out", back)
        else:
            self.ended("bundle in")
            check(code == 0, f"bundle in: exit {code}")
        code, _ = d.killable("bundle in", "bundle", "in", back, armed=random.random() < 0.5)
        if code != 0:
            d("bundle", "in", back)
        check(d.look()["waiting"] == 0, f"{d.name}: something waits after its return file")

    def back_up(self):
        self.arm("backup")
        code = self.w.run("ctxhctl", "backup", "now", code=[0, 1, 3]).returncode
        if not self.reap("backup"):
            self.ended("backup")
            check(code == 0, f"backup now: exit {code}")

    def restore(self):
        """A new state folder from the newest backup, killed while it is made; again, it is whole."""
        files = sorted(os.listdir(self.backups), key=lambda f: os.stat(os.path.join(self.backups, f)).st_mtime)
        files = [f for f in files if not f.endswith((".part", ".tmp"))]
        if not files:
            return
        with World(self.w.args) as other:
            kill = killing.Kill(other, "restore")
            command = [self.w.program("ctxhd"), "--restore", os.path.join(self.backups, files[-1]),
                       "--state", other.state, "--key", self.key]
            for at in (self.spans.point("restore"), 0):
                kill.reset(at)
                p = subprocess.run(command, env=kill.env(other.env), capture_output=True, text=True, timeout=PATIENCE,
                                   check=False)
                if p.returncode == 0:
                    self.spans.seen("restore", kill.count)
                    break
                check(at != 0 and p.returncode == -signal.SIGKILL, f"restore: exit {p.returncode}: {p.stderr}")
                self.note("ctxhd restore", kill.what)
            other.configure(SETTINGS)
            other.start(wait=PATIENCE)
            other.ctl("verify")

    def birth(self):
        """The first start of a daemon: keys, certificate, every step of the store's making."""
        with World(self.w.args) as other:
            kill = killing.Kill(other, "birth")
            other.preload, other.env["CTXH_KILL"] = kill.preload, kill.path
            other.configure(SETTINGS)
            kill.reset(self.spans.point("first start"))
            if other.start(may_die=True, wait=PATIENCE) is None:
                self.note("ctxhd first start", kill.what)
                kill.reset(0)
                other.start(wait=PATIENCE)
            else:
                self.spans.seen("first start", kill.count)
            kill.disarm()
            other.import_units()
            other.ctl("verify")
            peer = Peer(other, other.invite(UNITS[0]), is_quiet=True)
            check(peer("good").startswith("200 ok"), "a push to a daemon that was killed at its first start")
            peer.close()

    # ---- all of it

    def everything(self):
        """Both sides whole, every name once."""
        for d in self.active:
            d("sync", code=[0, 4])
            check(d.look()["waiting"] == 0, f"{d.name}: something still waits")
            d.synced()
            d("verify")
        self.w.ctl("verify")
        self.held()
        rows = collections.Counter(
            r["n"] for r in self.w.ctl_json("query", "SELECT full_name AS n FROM person"))
        wanted = set().union(*(d.names for d in self.active), *(names for _, _, names in self.retired))
        lost = sorted(wanted - rows.keys())
        check(not lost, f"{len(lost)} acknowledged entries are not on the daemon: {lost[:5]}")
        more = sorted(rows.keys() - wanted)
        check(not more, f"{len(more)} records nobody made: {more[:5]}")
        twice = [n for n, count in rows.items() if count != 1]
        check(not twice, f"there twice: {twice[:5]}")
        expected = {}
        for r in self.w.ctl_json("query", "SELECT device, first, count FROM changeset ORDER BY device, first"):
            check(r["first"] == expected.get(r["device"], 1), f"a hole or a repeat in the numbers: {r}")
            expected[r["device"]] = r["first"] + r["count"]
        return sum(n - 1 for n in expected.values()), len(wanted)

    def cycle(self):
        kind = random.choices(
            [self.entry, self.sync, self.contact, self.restart, self.checkpoint, self.enrol, self.carry,
             self.back_up, self.restore, self.birth], [28, 22, 28, 8, 4, 4, 4, 3, 1, 2])[0]
        kind()
        for d in [d for d in self.active if d.changes > RETIRE_AFTER]:
            self.retire(d)
        while len(self.active) > ACTIVE:
            self.retire(self.active[0])
        while len(self.active) < ACTIVE:
            self.enrol()
        if self.kills >= self.next_look:
            self.next_look += LOOK_EVERY
            changes, _ = self.everything()
            print(f"  {self.kills} kills, {changes} changes, {self.born} devices", flush=True)


def test(w, args):
    run = Run(w, args)
    w.configure(SETTINGS)
    made = w.ctl_json("backup", "keygen", "-o", run.key)
    w.configure(SETTINGS + f"backup:\n  folder: {run.backups}\n  recipient: {made['recipient']}\n"
                "  keep_days: 1\n  keep_weeks: 0\n  keep_months: 0\n")
    os.mkdir(run.backups)
    run.start()
    w.import_units()
    while len(run.active) < ACTIVE:
        run.enrol()
    while run.kills < run.cycles:
        run.cycle()
    changes, names = run.everything()
    for (who, what), count in sorted(run.where.items()):
        print(f"  {who:22} {what:28} {count:6}")
    print(f"{run.kills} kills, {changes} changes of {run.born} devices, {names} records: "
          "0 acknowledged lost, 0 applied twice")


if __name__ == "__main__":
    # A kill leaves the page cache: memory serves as well as a disk, and faster.
    if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK):
        tempfile.tempdir = "/dev/shm"
    os.environ["CTXH_TEST_KDF_KIB"] = "8"
    sys.exit(harness.main(test, __doc__))
