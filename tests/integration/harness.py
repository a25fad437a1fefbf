"""harness - starts the real programs in a folder of its own, on loopback, and ends only what it started."""

import argparse
import glob
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

# How long anything that must happen may take before a test fails: never what it should take. A machine may be slow.
PATIENCE = 120.0

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def options(description, more):
    p = argparse.ArgumentParser(description=description)
    p.add_argument("--bin", required=True, help="folder of ctxh, ctxhd, ctxhctl")
    p.add_argument("--seed", type=int, default=None)
    p.add_argument("--keep", action="store_true", help="leave the folder")
    p.add_argument("--cycles", type=int, default=None)
    p.add_argument("--program", action="append", default=[], metavar="NAME=PATH",
                   help="another ctxh, ctxhd or ctxhctl than the folder's: a planted bug")
    for name, settings in more.items():
        p.add_argument(name, **settings)
    a = p.parse_args()
    if a.seed is None:
        a.seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {a.seed}", flush=True)
    random.seed(a.seed)
    return a


class Failed(Exception):
    pass


class Skipped(Exception):
    """What the test needs cannot be had here; the exit code is ctest's SKIP_RETURN_CODE."""


def check(claim, text):
    if not claim:
        raise Failed(text)


def free_port():
    """Below what the kernel gives to outgoing connections: they must not take it while a daemon is down."""
    while True:
        port = random.SystemRandom().randrange(10000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


class World:
    """A state folder, a daemon and clients; use as a context manager."""

    def __init__(self, args):
        self.args = args
        self.bin = os.path.abspath(args.bin)
        self.programs = dict(p.split("=", 1) for p in args.program)
        self.dir = tempfile.mkdtemp(prefix="ctxh-test-")
        self.state = os.path.join(self.dir, "state")
        self.schema = None
        self.daemon = None
        self.log = open(os.path.join(self.dir, "ctxhd.log"), "ab")
        self.preload = None  # a library put before the daemon's, with its settings in env
        self.daemon_env = {}  # what the daemon's environment has besides
        self.passphrase = os.path.join(self.dir, "passphrase")
        with open(self.passphrase, "w", encoding="utf-8") as f:
            f.write("mật khẩu thử\n")
        os.chmod(self.passphrase, 0o600)
        # Hundreds of commands, and each unlocks; main_job.py does it with the memory of every day.
        self.env = dict(os.environ, CTXH_PASSPHRASE_FILE=self.passphrase,
                        CTXH_ADMIN_SOCKET=os.path.join(self.state, "admin.sock"))
        self.env.setdefault("CTXH_TEST_KDF_KIB", "64")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        self.log.close()
        if kind is not None and kind is not Skipped:
            sys.stderr.write(self.log_end())
        if self.args.keep:
            print("kept", self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def program(self, name):
        return self.programs.get(name) or os.path.join(self.bin, name)

    # ---- daemon

    def start(self, *extra, wait=PATIENCE, by_socket=False, may_die=False):
        """Ready when STATE/listen is there, or (a full disk has no room for it) the admin socket answers.
        With may_die a daemon that is killed meanwhile is no failure; the answer is None."""
        listen = os.path.join(self.state, "listen")
        if os.path.exists(listen):
            os.unlink(listen)
        config = os.path.join(self.dir, "ctxhd.yaml")
        if not os.path.exists(config):
            with open(config, "w", encoding="utf-8") as f:
                f.write(f"listen:\n  - 127.0.0.1:{getattr(self, 'port', 0)}\n")
        command = [self.program("ctxhd"), "--state", self.state, "--config", config]
        if self.schema:
            command += ["--schema", self.schema]
        env = dict(self.env, **self.daemon_env)
        if self.preload:
            env.update(LD_PRELOAD=self.preload, ASAN_OPTIONS="verify_asan_link_order=0")
        self.daemon = subprocess.Popen(command + list(extra), stdout=self.log, stderr=self.log,
                                       env=env)
        end = time.monotonic() + wait
        while not (os.path.exists(listen) if not by_socket else self.readiness() in ("200", "503")):
            code = self.daemon.poll()
            if may_die and code == -signal.SIGKILL:
                self.daemon = None
                return None
            check(code is None, f"ctxhd ended with {code} while starting")
            check(time.monotonic() < end, "ctxhd is not ready in time")
            time.sleep(0.002)
        if by_socket:
            return f"127.0.0.1:{self.port}"
        with open(listen, encoding="utf-8") as f:
            address = f.readline().strip()
        if getattr(self, "port", 0) == 0:
            # The same port after a restart, so that enrolled clients find it.
            self.port = int(address.rsplit(":", 1)[1])
            with open(config, "w", encoding="utf-8") as f:
                f.write(f"listen:\n  - 127.0.0.1:{self.port}\n")
        return address

    def stop(self, how=signal.SIGTERM, wait=PATIENCE):
        if self.daemon is None:
            return None
        is_asked = self.daemon.poll() is None and how == signal.SIGTERM
        if self.daemon.poll() is None:
            self.daemon.send_signal(how)
        code = self.daemon.wait(wait)
        self.daemon = None
        # What a sanitizer finds at the end (memory that nobody freed) is told by the exit code alone.
        check(not is_asked or code == 0, f"asked to end, ctxhd ended with {code}\n{self.log_end()}")
        return code

    def log_end(self):
        with open(os.path.join(self.dir, "ctxhd.log"), errors="replace") as f:
            return "--- ctxhd.log (end)\n" + "".join(f.readlines()[-40:])

    # ---- programs

    def run(self, program, *args, code=0, stdin=None, timeout=5 * PATIENCE, env=None):
        r = subprocess.run([self.program(program), *args], input=stdin,
                           env=dict(self.env, **(env or {})),
                           capture_output=True, text=True, timeout=timeout, check=False)
        wanted = code if isinstance(code, (list, tuple)) else [code]
        check(r.returncode in wanted,
              f"{program} {' '.join(args)}: exit {r.returncode}, wanted {code}\n"
              f"{r.stdout[-2000:]}{r.stderr[-2000:]}")
        return r

    def ctl(self, *args, code=0):
        return self.run("ctxhctl", *args, code=code)

    def ctl_json(self, *args, code=0):
        return json.loads(self.run("ctxhctl", *args, "--format", "json", code=code).stdout)

    def configure(self, text):
        """Settings beside the listener; before the first start, or before a restart."""
        if getattr(self, "port", 0) == 0:
            self.port = free_port()
        with open(os.path.join(self.dir, "ctxhd.yaml"), "w", encoding="utf-8") as f:
            f.write(f"listen: 127.0.0.1:{self.port}\n{text}")

    def get(self, path):
        """What the admin socket answers to a GET, head and all; "" when nobody answers."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE)
            try:
                s.connect(os.path.join(self.state, "admin.sock"))
                s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                return s.makefile("r", encoding="utf-8", newline="").read()
            except OSError:
                return ""

    def readiness(self):
        """The status /readyz answers with, as text; "" when nobody answers."""
        answer = self.get("/readyz")
        return answer.split()[1] if answer.startswith("HTTP/") else ""

    def import_units(self, path=None, date="2021-02-01"):
        path = path or os.path.join(ROOT, "tests/data/units/units_binhphuoc_2021.csv")
        return self.ctl("unit", "import", path, "--from", date)

    def invite(self, unit, *extra):
        return self.ctl("device", "invite", "--unit", unit, "--on", "2021-04-13",
                        *extra).stdout.strip().splitlines()[-1]

    def client(self, name, unit, *extra):
        c = Client(self, name)
        c("enrol", self.invite(unit, *extra), "--name", name)
        return c


class Client:
    def __init__(self, world, name):
        self.world = world
        self.name = name
        self.home = os.path.join(world.dir, "home-" + name)
        self.env = {}  # what its environment has besides: a clock, say

    def __call__(self, *args, code=0, stdin=None):
        return self.world.run("ctxh", "--home", self.home, *args, code=code, stdin=stdin,
                              env=self.env)

    def json(self, *args, code=0):
        return json.loads(self(*args, "--format", "json", code=code).stdout)

    def add(self, kind, /, code=0, **fields):
        r = self("add", kind, *[f"{k}={v}" for k, v in fields.items()], code=code)
        return r.stdout.strip().splitlines()[-1]

    def popen(self, *args):
        return subprocess.Popen([self.world.program("ctxh"), "--home", self.home, *args],
                                env=dict(self.world.env, **self.env), stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)


LIBFAKETIME = "faketime/libfaketime.so.1"


def clock_env(at=None, file=None):
    """The environment of a program whose wall clock is wrong: "@1970-01-01 00:00:05" goes on from
    there, "-20y" is off by so much; a file holds such a word and may change while the program runs.
    Only the wall clock: a dead battery does not touch the time since the start. libfaketime comes
    after ASan's own start, which is why the order of the libraries is not checked."""
    for folder in glob.glob("/usr/lib/*/") + ["/usr/lib/", "/usr/lib64/"]:
        if os.path.exists(os.path.join(folder, LIBFAKETIME)):
            break
    else:
        raise Skipped("libfaketime is not installed (scripts/deps check)")
    env = {"LD_PRELOAD": os.path.join(folder, LIBFAKETIME), "TZ": "UTC", "NO_FAKE_STAT": "1",
           "FAKETIME_DONT_FAKE_MONOTONIC": "1", "ASAN_OPTIONS": "verify_asan_link_order=0"}
    if file is not None:
        return dict(env, FAKETIME_TIMESTAMP_FILE=file, FAKETIME_NO_CACHE="1")
    return dict(env, FAKETIME=at)


class Peer:
    """A device that does what it is told, right or wrong: tests/support/peer.c."""

    def __init__(self, w, invitation, is_quiet=False):
        self.is_quiet = is_quiet
        self.p = subprocess.Popen([os.path.join(w.bin, "peer"), invitation], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        line = self.p.stdout.readline().split()
        self.number = int(line[1]) if line[:1] == ["device"] else 0  # 0: enrolment was refused

    def __call__(self, word, answers=1):
        self.p.stdin.write(word + "\n")
        self.p.stdin.flush()
        got = [self.p.stdout.readline().strip() for _ in range(answers)]
        if not self.is_quiet:
            print(f"  {word:18} {' | '.join(g[:100] for g in got)}")
        return got[0] if answers == 1 else got

    def close(self):
        self.p.stdin.close()
        self.p.wait(PATIENCE)


class Proxy:
    """A line between a client and the daemon that counts what really passes, and can be cut."""

    def __init__(self, w):
        self.port = w.port
        self.up = 0  # bytes from clients
        self.down = 0  # bytes to them
        self.connections = 0
        self.cut_down = None  # a connection ends after so many bytes to the client
        self.cut_up = None  # or so many from it
        self.before_answer = None  # called once, before the next bytes go to a client
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def through(self, invitation):
        """The same invitation with our address in it."""
        return re.sub(r"//[^/]+/", f"//{self.address}/", invitation, count=1)

    def counted(self, call):
        """Bytes up and down while `call` ran."""
        up, down = self.up, self.down
        call()
        return self.up - up, self.down - down

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        with near, socket.create_connection(("127.0.0.1", self.port)) as far:
            passed = {near: 0, far: 0}
            open_sides = [near, far]
            while open_sides:
                ready, _, _ = select.select(open_sides, [], [])
                for side in ready:
                    if not self._pass(side, near, far, passed):
                        return
                    if passed[side] is None:
                        open_sides.remove(side)

    def _pass(self, side, near, far, passed):
        """False: the connection is cut."""
        limit = self.cut_up if side is near else self.cut_down
        try:
            data = side.recv(65536)
            if side is far and data and self.before_answer is not None:
                hook, self.before_answer = self.before_answer, None
                hook()
            other = far if side is near else near
            is_cut = limit is not None and passed[side] + len(data) >= limit
            if is_cut:
                data = data[:limit - passed[side]]
            if not data and not is_cut:
                other.shutdown(socket.SHUT_WR)
                passed[side] = None
                return True
            with self.lock:
                self.up += len(data) if side is near else 0
                self.down += len(data) if side is far else 0
            other.sendall(data)
            passed[side] += len(data)
            return not is_cut
        except OSError:
            return False


def wait_for(what, text, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not what():
        check(time.monotonic() < end, f"not in {seconds} s: {text}")
        time.sleep(0.05)


def main(test, description, more=None):
    """`more`: further options, name to argparse's settings."""
    args = options(description, more or {})
    started = time.monotonic()
    try:
        with World(args) as w:
            test(w, args)
    except Failed as e:
        print(f"FAILED (seed {args.seed}): {e}", flush=True)
        return 1
    except Skipped as e:
        print(f"skipped: {e}", flush=True)
        return 77
    print(f"ok in {time.monotonic() - started:.1f} s", flush=True)
    return 0
