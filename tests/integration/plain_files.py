"""Files that are no database: exports, reports, files by hand, keys, backups, restores, the list of erasures, a client's
home. The n-th call that opens, writes, syncs, renames or makes one fails, or the disk is full from there on, or a write
does half; for every n with --full, else for a few. Then: a clear error that names the file and its exit code, under the
final name what was there before or the whole new file, nothing left beside it, the store as it was, and the same command
goes once the disk is well."""

import collections
import glob
import json
import mmap
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time

import harness
from harness import check

SHARED = struct.Struct("=QQQQ256s256s")  # calls so far, the one that fails, hits, how, files that count, the first hit
EIO, FULL, SHORT = range(3)
HOW = ("EIO", "full", "short")
SAMPLE = 1  # of each case and kind of fault, in a short run


class Disk:
    """fault_io's n-th, of programs that run with its environment."""

    def __init__(self, w):
        self.path = os.path.join(w.dir, "nth")
        with open(self.path, "wb") as f:
            f.truncate(SHARED.size)
        with open(self.path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), SHARED.size)
        self.env = {"LD_PRELOAD": os.path.join(w.bin, "fault_io.so"), "CTXH_FAULT_NTH": self.path,
                    "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def arm(self, n, how, under):
        self.map[:] = SHARED.pack(0, n, 0, how, under.encode(), b"")

    def heal(self):
        struct.pack_into("=Q", self.map, 8, 0)

    def count(self, under):
        """Counts calls without harming one; read by calls()."""
        self.arm(1 << 62, EIO, under)

    @property
    def calls(self):
        return SHARED.unpack(self.map[:])[0]

    @property
    def hits(self):
        return SHARED.unpack(self.map[:])[2]

    @property
    def what(self):
        return SHARED.unpack(self.map[:])[5].rstrip(b"\0").decode()


def read(path):
    if not os.path.exists(path):
        return None
    with open(path, "rb") as f:
        return f.read()


class Case:
    """One command over one file."""

    name = ""
    may_pass = ()  # faults that may be borne in silence: how what fault_io says of them begins
    code = 1

    def __init__(self, w, disk):
        self.w = w
        self.disk = disk
        self.under = self.path = ""

    def prepare(self, n):
        """Before the n-th run."""

    def run(self):
        """The command, with or without a fault: code, stderr."""
        raise NotImplementedError

    def whole(self):
        """Is what stands under the final name all of it? Raises Failed."""

    def kept(self, code):
        """After a fault, healed: what was there is there, and nothing besides."""

    def is_done(self, code, said):
        """Of the command run again."""
        return code == 0

    def command(self, program, *args):
        env = dict(self.w.env, **self.disk.env)
        r = subprocess.run([self.w.program(program), *args], env=env, capture_output=True, text=True,
                           timeout=harness.PATIENCE, check=False)
        return r.returncode, r.stderr


class OneFile(Case):
    """A file with a name the user gave, over an older one in every second run."""

    file = "x"
    replaces = True

    def __init__(self, w, disk):
        super().__init__(w, disk)
        self.under = os.path.join(w.dir, "out-" + self.name.replace(" ", "-").replace("/", "-"))
        os.makedirs(self.under)
        self.path = os.path.join(self.under, self.file)
        self.older = None

    def prepare(self, n):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.older = None
        if self.replaces and n % 2 == 1:
            self.older = self.older_content()
            with open(self.path, "wb") as f:
                f.write(self.older)

    def older_content(self):
        return "một tệp cũ\n".encode()

    def kept(self, code):
        left = sorted(os.listdir(self.under))
        check(left in ([], [self.file]), f"left beside it: {left}")
        if read(self.path) != self.older:
            self.whole()


class Export(OneFile):
    name = "export"
    file = "người.csv"

    def run(self):
        return self.command("ctxh", "--home", self.w.client_a.home, "export", "person", "-o", self.path)

    def whole(self):
        rows = read(self.path).decode("utf-8-sig").strip().split("\n")
        check(len(rows) == 1 + self.w.people, f"{len(rows)} rows of {self.w.people} people")


class BundleOut(OneFile):
    name = "bundle out"
    file = "mang-đi.ctxh"

    def older_content(self):
        return self.w.older_bundle

    def run(self):
        return self.command("ctxh", "--home", self.w.client_a.home, "bundle", "out", self.path)

    def whole(self):
        r = self.w.ctl("bundle", "in", self.path, code=[0, 1, 4])
        check("cut" not in r.stderr and "not a file" not in r.stderr, r.stderr)


class BundleReturn(OneFile):
    name = "bundle in --out"
    file = "trả-về.ctxh"

    def older_content(self):
        return self.w.older_bundle

    def run(self):
        return self.command("ctxhctl", "bundle", "in", self.w.bundle, "--out", self.path)

    def whole(self):
        self.w.client_a("bundle", "in", self.path, code=[0, 4])


class Report(OneFile):
    form = "csv"
    command_line = ("report", "run", "annual", "--unit", "70", "--from", "2020-01-01", "--to", "2020-12-31")
    marks = {"csv": b"\n", "xlsx": b"PK\x05\x06", "html": b"</html>"}

    @property
    def name(self):
        return "report " + self.form

    def run(self):
        return self.command("ctxhctl", *self.command_line, "--format", self.form, "-o", self.path)

    def whole(self):
        check(self.marks[self.form] in read(self.path)[-64:], f"a report cut short: {read(self.path)[-64:]}")


class ReportHtml(Report):
    form = "html"


class ReportXlsx(Report):
    form = "xlsx"


class Checkpoint(OneFile):
    name = "audit checkpoint"

    def run(self):
        return self.command("ctxhctl", "audit", "checkpoint", "-o", self.path)

    def whole(self):
        self.w.ctl("audit", "verify", self.path)


class Keygen(OneFile):
    name = "backup keygen"
    replaces = False
    length = len("ctxh-backup-key-1\n") + 64 + 1

    def run(self):
        return self.command("ctxhctl", "backup", "keygen", "-o", self.path)

    def whole(self):
        check(read(self.path).startswith(b"ctxh-backup-key-1\n") and len(read(self.path)) == self.length, "half a key")


def by_sqlite(folder):
    """Behind the commit the log is emptied, by the way; and SQLite goes on where the folder of a new log cannot be
    synced. That it hears what fails before the commit is fault_client's."""
    return (os.path.join(folder, "vault.db"), folder + " ")


class Home(Case):
    """A command of the client: everything in its home."""

    def __init__(self, w, disk):
        super().__init__(w, disk)
        self.under = self.path = w.client_b.home
        self.may_pass = by_sqlite(self.under)
        self.before = None

    def args(self):
        raise NotImplementedError

    def run(self):
        return self.command("ctxh", "--home", self.w.client_b.home, *self.args())

    def kept(self, code):
        self.w.client_b("verify")


class Add(Home):
    name = "add"
    count = 0

    def prepare(self, n):
        self.before = len(self.w.client_b.json("list", "person"))

    def args(self):
        Add.count += 1
        return ("add", "person", f"full_name=Người số {Add.count}", "--even-so")

    def kept(self, code):
        super().kept(code)
        now = len(self.w.client_b.json("list", "person"))
        # What failed behind the commit is told as failed and is there: it was not acknowledged.
        check(now == self.before + 1 if code == 0 else now in (self.before, self.before + 1), f"{now} people, {self.before} before")
        self.before = self.before if code == 0 else now

    def whole(self):
        now = len(self.w.client_b.json("list", "person"))
        check(now == self.before + 1, f"{now} people, {self.before} before")


class BundleIn(Home):
    name = "bundle in"

    def prepare(self, n):
        out = os.path.join(self.w.dir, "b.ctxh")
        self.back = os.path.join(self.w.dir, "b-back.ctxh")
        self.w.client_b("add", "person", f"full_name=Theo tệp {n}", "--even-so")
        self.w.client_b("bundle", "out", out)
        self.w.ctl("bundle", "in", out, "--out", self.back, code=[0, 4])

    def args(self):
        return ("bundle", "in", self.back)


class Passphrase(Home):
    name = "passphrase"

    def __init__(self, w, disk):
        super().__init__(w, disk)
        new = os.path.join(w.dir, "new-passphrase")
        shutil.copy(w.passphrase, new)
        os.chmod(new, 0o600)
        w.env["CTXH_NEW_PASSPHRASE_FILE"] = new

    def args(self):
        return ("passphrase",)


class Enrol(Case):
    """The first command in a home: the key, the vault."""

    name = "enrol"
    code = (1, 3)

    def __init__(self, w, disk):
        super().__init__(w, disk)
        self.under = self.path = os.path.join(w.dir, "home-new")
        self.may_pass = by_sqlite(self.under)

    def prepare(self, n):
        shutil.rmtree(self.path, ignore_errors=True)
        self.invitation = self.w.invite("25195")

    def run(self):
        return self.command("ctxh", "--home", self.path, "enrol", self.invitation, "--name", "mới")

    def is_done(self, code, said):
        """What the last sync failed for may be there all the same."""
        return code == 0 or (code == 1 and "enrolled already" in said)

    def whole(self):
        self.w.run("ctxh", "--home", self.path, "verify")
        check(json.loads(self.w.run("ctxh", "--home", self.path, "status", "--format", "json").stdout)["device"] > 0, "no device")


class Restore(Case):
    """A state folder from a backup, whole or not there."""

    name = "restore"

    def __init__(self, w, disk):
        super().__init__(w, disk)
        self.under = os.path.join(w.dir, "restored")
        os.makedirs(self.under)
        self.path = os.path.join(self.under, "state")
        # SQLite opens what it cannot open for writing for reading, which is all that a check needs; its folder is
        # synced once more at the end; what the check rebuilds for itself is closed and deleted.
        self.may_pass = (f"{self.path}.part/rebuild-", f"{self.path}.part/ctxhd.db ", f"{self.path}.part/ctxhd.db-wal ", f"{self.path}.part ")

    def prepare(self, n):
        shutil.rmtree(self.path, ignore_errors=True)

    def run(self):
        return self.command("ctxhctl", "restore", self.w.backup_file, "--state", self.path, "--key", self.w.key)

    def kept(self, code):
        left = os.listdir(self.under)
        check(left in ([], ["state"]), f"left: {left}")
        if left:
            self.whole()
        check(bool(left) == (code == 0), f"exit {code} and {left}")
        if left:
            self.starts()

    def starts(self):
        log = os.path.join(self.w.dir, "restored.log")
        with open(log, "wb") as f:
            p = subprocess.Popen([self.w.program("ctxhd"), "--state", self.path, "--listen", "127.0.0.1:0"], stdout=f, stderr=f)
        harness.wait_for(lambda: p.poll() is not None or os.path.exists(os.path.join(self.path, "listen")), "the restored daemon")
        check(p.poll() is None, f"ctxhd does not start on it: {read(log).decode()}")
        p.send_signal(signal.SIGTERM)
        check(p.wait(harness.PATIENCE) == 0, "it does not end well")

    def whole(self):
        have = set(os.listdir(self.path))
        check({"id", "sign.key", "tls.key", "tls.crt", "ctxhd.db", "backup.pub"} <= have, f"a state of {have}")


class BackupNow(Case):
    """The daemon's: it goes on whatever ails its backup."""

    name = "backup now"

    def __init__(self, w, disk):
        super().__init__(w, disk)
        self.under = os.path.join(w.state, "backup")
        self.path = self.under
        # Is the key here is asked for a warning alone; the rest is as for Restore.
        self.may_pass = tuple(os.path.join(w.state, name) for name in (
            "backup.key ", "backup.tmp.check/ctxhd.db ", "backup.tmp.check/ctxhd.db-wal ", "backup.tmp.check/rebuild-", "backup.tmp.check "))
        self.before = None

    def files(self):
        return sorted(glob.glob(os.path.join(self.under, "*"))) + glob.glob(os.path.join(self.w.state, "backup.tmp*"))

    def rows(self):
        return [r["backup"] for r in self.w.ctl_json("backup", "list")]

    def prepare(self, n):
        self.before = self.files(), self.rows()

    def run(self):
        r = self.w.ctl("backup", "now", code=[0, 1])
        return r.returncode, r.stderr

    def kept(self, code):
        if code != 0:
            check((self.files(), self.rows()) == self.before, f"{self.files()} {self.rows()}, before: {self.before}")
        check(self.w.daemon.poll() is None, "the daemon ended")

    def whole(self):
        new = [b for b in self.rows() if b not in self.before[1]]
        check(len(new) == 1, f"new backups: {new}")
        self.w.ctl("backup", "verify", str(new[0]), "--key", self.w.key)


class Erasures(Case):
    """The list beside the backups, which a sweep writes: it is no reason to stop, and the next start mends it."""

    name = "list of erasures"
    code = 0

    def __init__(self, w, disk):
        super().__init__(w, disk)
        self.under = os.path.join(w.state, "erasures")
        self.path = self.under
        self.length = 0

    def prepare(self, n):
        self.record = self.w.client_c.add("person", full_name=f"Xóa {n}", code=[0])
        self.w.client_c("sync")
        self.older = read(self.path)

    def run(self):
        r = self.w.ctl("erase", self.record, "--why", "thử", "--basis", "thử", code=[0, 1])
        harness.wait_for(lambda: self.w.ctl_json("erase", self.record, "--why", "thử", "--basis", "thử", code=[0, 1])["swept"], "the sweep")
        return r.returncode, r.stderr

    def kept(self, code):
        check(not os.path.exists(self.path + "~"), "left beside it")

    def whole(self):
        self.w.stop()
        self.w.start()
        harness.wait_for(lambda: len(read(self.path) or b"") > self.length, "the list to grow")
        now = read(self.path)
        check(now.startswith(b"CTXHERA1"), "no list")
        self.length = len(now)


CASES = (Export, BundleOut, BundleReturn, Report, ReportHtml, ReportXlsx, Checkpoint, Keygen, Add, BundleIn, Passphrase, Enrol,
         Restore, BackupNow, Erasures)


def one(case, n, how):
    """One run with a fault; False: the run ended before the n-th call."""
    disk = case.disk
    case.prepare(n)
    disk.arm(n, how, case.under)
    code, said = case.run()
    calls, hits, what = disk.calls, disk.hits, disk.what
    disk.heal()
    at = f"{case.name}, {HOW[how]} at call {n} ({what}): "
    try:
        if hits == 0 and calls < n:
            return False
        if hits == 0 or how == SHORT:
            check(code == 0, f"exit {code} without a fault: {said}")
        elif code == 0 and case.code != 0 and not any((what + " ").split(" ", 1)[-1].startswith(m) for m in case.may_pass):
            check(False, "the fault was borne in silence")
        elif code != 0:
            codes = case.code if isinstance(case.code, tuple) else (case.code,)
            check(code in codes, f"exit {code}: {said}")
            check(any(name in said for name in (case.path, os.path.basename(case.path), what.split("/")[-1])),
                  f"no file is named: {said}")
        case.kept(code)
        if code == 0:
            case.whole()
        else:
            code, said = case.run()
            check(case.is_done(code, said), f"again: exit {code}: {said}")
            case.whole()
    except harness.Failed as e:
        raise harness.Failed(at + str(e)) from e
    return True


def all_of(case, args):
    began = time.monotonic()
    points = collections.Counter()
    calls = set()
    for how in (EIO, FULL, SHORT):
        if args.full:
            n = 1
            while one(case, n, how):
                points[HOW[how]] += 1
                calls.add(case.disk.what.split(" ")[0])
                n += 1
            continue
        case.prepare(0)
        case.disk.count(case.under)
        code, said = case.run()
        last = case.disk.calls
        case.disk.heal()
        check(code == 0, f"{case.name}: exit {code}: {said}")
        case.whole()
        # The last is where all is in its place but not yet known to be on the disk.
        for n in {*random.sample(range(1, last + 1), min(SAMPLE, last)), last}:
            points[HOW[how]] += one(case, n, how)
    print(f"  {case.name:18} " + "  ".join(f"{how} {points[how]:4}" for how in HOW) + f"  {time.monotonic() - began:6.1f} s", flush=True)
    return sum(points.values())


def set_up(w, disk):
    w.key = os.path.join(w.dir, "office.key")
    recipient = w.ctl_json("backup", "keygen", "-o", w.key)["recipient"]
    w.configure(f"backup:\n  recipient: {recipient}\n")
    w.preload = disk.env["LD_PRELOAD"]
    w.daemon_env = {k: v for k, v in disk.env.items() if k != "LD_PRELOAD"}
    w.start()
    w.import_units()
    w.client_a, w.client_b, w.client_c = (w.client(name, "25195") for name in "abc")
    w.people = 30
    for i in range(w.people):
        w.client_a.add("person", full_name=f"Điểu K’Ré {i}", sex="male", code=[0, 4])
    w.people = len(w.client_a.json("list", "person"))
    w.bundle = os.path.join(w.dir, "a.ctxh")
    w.client_a("bundle", "out", w.bundle)
    w.older_bundle = read(w.bundle)
    w.ctl("backup", "now")
    w.backup_file = glob.glob(os.path.join(w.state, "backup", "*.backup"))[0]


def test(w, args):
    disk = Disk(w)
    set_up(w, disk)
    points = 0
    for kind in CASES:
        if args.only and kind.__name__ != args.only:
            continue
        points += all_of(kind(w, disk), args)
    w.ctl("verify")
    check(points > 0, "nothing was tried")
    print(f"{points} points")


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__, {"--full": {"action": "store_true", "help": "every n"},
                                          "--only": {"default": "", "help": "one case, by the name of its class"}}))
