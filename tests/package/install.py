#!/usr/bin/env python3
"""install - the packages in a fresh Debian: installed, started as the unit says, a client enrolled, upgraded from the
packages of an older commit without loss, downgraded in vain, purged, installed again, and run by systemd where it can be.

usage: install.py [--out FOLDER] [--base FOLDER] [--old FOLDER] [--new FOLDER]      as root; wants a mirror of Debian
  --out    where to work (default: build/install)
  --base   a system debootstrap made (default: OUT/base, made once)
  --old    packages to begin with (default: OUT/old, of PREVIOUS, made once)
  --new    packages to end with (default: OUT/new, of the working tree, made anew)
"""

import argparse
import glob
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PATIENCE = 300.0

# The last commit whose store lacks the frozen reports: what it leaves has to be altered.
PREVIOUS = "ae778df60dfbe5207a13a8b1d10dd14d741ef89e"
STATE = "/var/lib/ctxhd"
SOCKET = "/run/ctxhd/admin.sock"
PEOPLE = ["Điểu K’Ré", "Lê Văn An", "Nguyễn Thị Bình", "Thị Mai", "Trần Văn Cường"]


class Failed(Exception):
    pass


def check(claim, text):
    if not claim:
        raise Failed(text)


def say(text):
    print(f"\n== {text}", flush=True)


def run(command, code=0, quiet=False, **more):
    r = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    shown = r.stdout + r.stderr
    check(code is None or r.returncode == code, f"{' '.join(command)}: exit {r.returncode}\n{shown[-3000:]}")
    if not quiet:
        print("".join(f"   {line}\n" for line in shown.splitlines()), end="", flush=True)
    return r


class System:
    """A root folder with a Debian in it."""

    def __init__(self, path):
        self.path = path
        self.daemon = None
        self.env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                    "DEBIAN_FRONTEND": "noninteractive", "COLUMNS": "120"}
        for name, value in os.environ.items():
            if name.lower().endswith("_proxy"):
                self.env[name] = value

    def __call__(self, *command, user="root", code=0, quiet=False, env=None):
        home = "/root" if user == "root" else f"/home/{user}"
        if not quiet:
            print(f" {'#' if user == 'root' else '$'} {' '.join(command)}", flush=True)
        inside = ["chroot", self.path] if user == "root" else ["chroot", f"--userspec={user}:", "--groups=" + self.groups(user), self.path]
        return run(inside + list(command), code=code, quiet=quiet, env=dict(self.env, HOME=home, **(env or {})), cwd="/")

    def groups(self, user):
        return ",".join(subprocess.run(["chroot", self.path, "id", "-G", user], capture_output=True, text=True,
                                       check=True).stdout.split())

    def file(self, path):
        return self.path + path

    def read(self, path):
        with open(self.file(path), encoding="utf-8") as f:
            return f.read()

    def exists(self, path):
        return os.path.lexists(self.file(path))

    def apt(self, *words, code=0):
        return self("apt-get", "-y", "-qq", "-o", "Dpkg::Use-Pty=0",
                    # dpkg asks whose configuration counts when both changed; nobody is here to press Enter.
                    "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold", *words, code=code, quiet=True)

    def install(self, folder, *more):
        """Its packages by apt, as an administrator would; what dpkg and the packages say."""
        inside = "/root/packages"
        shutil.rmtree(self.file(inside), ignore_errors=True)
        os.makedirs(self.file(inside))
        names = []
        for deb in sorted(glob.glob(os.path.join(folder, "ctxh*.deb"))):
            if "dbgsym" not in deb:
                shutil.copy(deb, self.file(inside))
                names.append(f"{inside}/{os.path.basename(deb)}")
        check(len(names) == 3, f"{folder}: {names}")
        print(f" # apt-get install {' '.join(os.path.basename(n) for n in names)}", flush=True)
        said = self.apt("install", *more, *names).stdout
        for line in re.findall(r"^(?:ctxhd:|Unpacking ctxh|Setting up ctxh|  [1-5]\.|Từng bước|Back up).*", said, re.M):
            print(f"   {line}")
        return said

    # ---- the service, as the unit says, without a service manager

    def unit(self, name, key):
        return re.findall(rf"^{key}=(.*)$", self.read(f"/lib/systemd/system/{name}"), re.M)

    def listeners(self):
        """Those of ctxhd.socket; the port is any free one."""
        named = self.unit("ctxhd.socket", "ListenStream")
        check(named == ["8443", SOCKET], f"ctxhd.socket: {named}")
        tcp = socket.create_server(("127.0.0.1", getattr(self, "port", 0)))
        self.port = tcp.getsockname()[1]
        os.makedirs(self.file(os.path.dirname(SOCKET)), exist_ok=True)
        if self.exists(SOCKET):
            os.unlink(self.file(SOCKET))
        admin = socket.socket(socket.AF_UNIX)
        admin.bind(self.file(SOCKET))
        group = self.unit("ctxhd.socket", "SocketGroup")[0]
        os.chown(self.file(SOCKET), 0, int(re.search(rf"^{group}:x:(\d+)", self.read("/etc/group"), re.M)[1]))
        os.chmod(self.file(SOCKET), int(self.unit("ctxhd.socket", "SocketMode")[0], 8))
        admin.listen(64)
        return [tcp, admin]

    def start(self, may_fail=False):
        """Ready, or (may_fail) what it said when it ended."""
        user = self.unit("ctxhd.service", "User")[0]
        before, = self.unit("ctxhd.service", "ExecStartPre")
        command, = self.unit("ctxhd.service", "ExecStart")
        self(*before.split(), user=user, quiet=True)
        sockets = self.listeners()
        path = self.file("/run/notify")
        if os.path.exists(path):
            os.unlink(path)
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(path)
        os.chmod(path, 0o666)
        notify.settimeout(0.5)
        said_path = self.file("/root/ctxhd.log")
        command = command.replace("${STATE_DIRECTORY}", STATE)
        shell = f"export LISTEN_PID=$$; exec chroot --userspec={user}:{user} {self.path} {command}"

        def hand_over():
            for at, s in enumerate(sockets):
                os.dup2(s.fileno(), 10 + at)
            for at in range(len(sockets)):
                os.dup2(10 + at, 3 + at)

        with open(said_path, "w", encoding="utf-8") as log:
            self.daemon = subprocess.Popen(
                ["sh", "-c", shell], stderr=log, close_fds=False, preexec_fn=hand_over, cwd="/",
                env=dict(self.env, LISTEN_FDS=str(len(sockets)), NOTIFY_SOCKET="/run/notify"))
        for s in sockets:
            s.close()
        end = time.monotonic() + PATIENCE
        is_ready = False
        while not is_ready and self.daemon.poll() is None:
            check(time.monotonic() < end, "the daemon is not ready")
            try:
                is_ready = b"READY=1" in notify.recv(4096)
            except TimeoutError:
                pass
        notify.close()
        said = self.read("/root/ctxhd.log")
        print("".join(f"   {line}\n" for line in said.splitlines()), end="", flush=True)
        check(is_ready or may_fail, "the daemon ended while starting")
        return said

    def stop(self):
        if self.daemon is not None:
            self.daemon.send_signal(signal.SIGTERM)
            code = self.daemon.wait(PATIENCE)
            self.daemon = None
            check(code == 0, f"the daemon ended with {code}")

    def ctl(self, *words, **more):
        return self("ctxhctl", *words, user="quantri", **more)

    def ctl_json(self, *words):
        return json.loads(self.ctl(*words, "--format", "json", quiet=True).stdout)

    def client(self, *words, **more):
        return self("ctxh", *words, user="xa", env={"CTXH_PASSPHRASE_FILE": "/home/xa/passphrase"}, **more)


# ---- making the system

def make_base(base):
    if os.path.exists(os.path.join(base, "etc/debian_version")):
        return
    say(f"debootstrap --variant=minbase into {base}")
    run(["debootstrap", "--variant=minbase", "bookworm", base + ".part"], quiet=True)
    os.rename(base + ".part", base)


def copy_settings(root):
    """Mirror, proxy and resolver of this machine; Debian's own sources alone."""
    for path in ("/etc/apt/sources.list", "/etc/apt/sources.list.d/debian.sources", "/etc/resolv.conf"):
        if os.path.exists(path):
            shutil.copy(path, root + path)
    if os.path.exists("/etc/apt/sources.list.d/debian.sources") and not os.path.exists("/etc/apt/sources.list"):
        with open(root + "/etc/apt/sources.list", "w", encoding="utf-8"):
            pass
    for path in glob.glob("/etc/apt/apt.conf.d/*"):
        with open(path, encoding="utf-8") as f:
            if re.search(r"Proxy|Acquire::Check", f.read()):
                shutil.copy(path, root + path)


def make_system(base, path):
    if os.path.exists(path):
        shutil.rmtree(path)
    run(["cp", "-a", base, path], quiet=True)
    copy_settings(path)
    run(["mount", "-t", "proc", "proc", path + "/proc"], quiet=True)
    s = System(path)
    s.apt("update")
    return s


def people(s):
    for name in ("quantri", "xa", "nguoila"):
        s("useradd", "--create-home", "--shell", "/bin/bash", name, quiet=True)
    s("usermod", "-aG", "ctxh-admin", "quantri")
    path = s.file("/home/xa/passphrase")
    with open(path, "w", encoding="utf-8") as f:
        f.write("mật khẩu của xã\n")
    shutil.chown(path, int(s("id", "-u", "xa", quiet=True).stdout), -1)
    os.chmod(path, 0o600)


# ---- what must hold

def counts(s):
    status = s.ctl_json("status")
    return {key: status[key] for key in ("epoch", "log", "devices", "records") if key in status}


def first_install(s, folder):
    said = s.install(folder)
    for word in ("đã cài xong", "installed. What comes next", "ctxhctl device invite"):
        check(word in said, f"the postinst does not say “{word}”:\n{said[-3000:]}")
    user = re.search(r"^ctxhd:x:(\d+):(\d+):[^:]*:/var/lib/ctxhd:/usr/sbin/nologin$", s.read("/etc/passwd"), re.M)
    check(user is not None, "there is no user ctxhd")
    for path in (STATE, "/var/backups/ctxhd"):
        st = os.stat(s.file(path))
        check((st.st_mode & 0o777, st.st_uid) == (0o700, int(user[1])), f"{path}: {st.st_mode:o}, {st.st_uid}")
    for path in ("/etc/ctxh/ctxhd.yaml", "/usr/share/ctxh/schema/people.yaml", "/usr/share/ctxh/units/units_2026.csv",
                 "/usr/share/ctxh/web/console/index.html", "/usr/share/javascript/bootstrap5", "/usr/share/man/man8/ctxhd.8.gz",
                 "/etc/systemd/system/multi-user.target.wants/ctxhd.service", "/etc/systemd/system/sockets.target.wants/ctxhd.socket"):
        check(s.exists(path), f"{path} is not there")
    for path in ("/etc/systemd/system/timers.target.wants/ctxh-metrics.timer",
                 "/etc/systemd/user/timers.target.wants/ctxh-sync.timer"):
        check(not s.exists(path), f"{path}: nobody asked for it")


def complaints(s, *words):
    """Of our units; curl is only suggested, and whoever wants the figures installs it."""
    said = s("systemd-analyze", "verify", "--man=no", *words, code=None, quiet=True, env={"XDG_RUNTIME_DIR": "/run"}).stderr
    return [line for line in said.splitlines() if "ctxh" in line and "/usr/bin/curl" not in line]


def units_are_right(s):
    for unit in ("ctxhd.service", "ctxhd.socket", "ctxh-metrics.service", "ctxh-metrics.timer"):
        said = complaints(s, f"/lib/systemd/system/{unit}")
        check(not said, f"{unit}: {said}")
    for unit in ("ctxh-sync.service", "ctxh-sync.timer"):
        said = complaints(s, "--user", f"/usr/lib/systemd/user/{unit}")
        check(not said, f"{unit}: {said}")
    s("systemd-analyze", "security", "--offline=true", "--threshold=20", "ctxhd.service", quiet=True)


def completes(s):
    check(s("ctxhctl", "--complete", "device", "inv", quiet=True).stdout.startswith("invite\t"), "completion")
    check(s("bash", "-c", "source /usr/share/bash-completion/completions/ctxh && complete -p ctxh", quiet=True).stdout,
          "bash's completion")


def page(s, path):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("127.0.0.1", s.port), PATIENCE)) as c:
        c.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return c.makefile("rb").readline().split()[1].decode()


def enrol_and_sync(s):
    env = {"CTXH_ADMIN_SOCKET": SOCKET}
    s.env.update(env)  # programs of PREVIOUS look for it elsewhere
    s("ctxhctl", "status", user="nguoila", code=None)
    check(s("ctxhctl", "status", user="nguoila", code=None, quiet=True).returncode != 0, "a stranger may give orders")
    s.ctl("unit", "import", "/usr/share/ctxh/units/units_binhphuoc_2021.csv", "--from", "2021-02-01")
    invitation = s.ctl("device", "invite", "--unit", "25195", "--on", "2021-04-13").stdout.split()[-1]
    s.client("enrol", invitation, "--name", "may-xa", "--author", "Lê Văn An")
    for name in PEOPLE:
        s.client("add", "person", f"full_name={name}", "sex=nam", "birth_date=1950", quiet=True)
    s.client("sync")
    s.ctl("log", "--limit", "1")
    check(counts(s)["records"]["person"] == len(PEOPLE), f"not all came: {counts(s)}")


def upgrade(s, folder):
    with open(s.file("/etc/ctxh/ctxhd.yaml"), "a", encoding="utf-8") as f:
        f.write("clock_tolerance: 7m\n")
    keys = {name: open(s.file(f"{STATE}/{name}"), "rb").read() for name in ("id", "sign.key", "tls.key")}
    before = counts(s)
    s.client("add", "person", "full_name=Ghi Trước Nâng Cấp", "sex=nu", "birth_date=1960", quiet=True)
    s.stop()
    said = s.install(folder)
    check("What comes next" not in said, "an upgrade talks as a first installation does")
    check("clock_tolerance: 7m" in s.read("/etc/ctxh/ctxhd.yaml"), "the configuration was replaced")
    said = s.start()
    check(re.search(r"upgrade store from=10 to=\d+ kept=/var/lib/ctxhd/ctxhd.db.before-10", said), "no copy was kept")
    check(s.exists(f"{STATE}/ctxhd.db.before-10"), "the copy is not there")
    del s.env["CTXH_ADMIN_SOCKET"]  # from now on programs find it by themselves
    s.ctl("status")
    check(counts(s) == before, f"before {before}, after {counts(s)}")
    for name, content in keys.items():
        check(open(s.file(f"{STATE}/{name}"), "rb").read() == content, f"{name} is another one")
    s.ctl("verify")
    s.client("sync")
    s.client("verify")
    check(counts(s)["records"]["person"] == len(PEOPLE) + 1, "what was recorded before the upgrade did not come")
    s.ctl("backup", "now")
    check(not s.exists(f"{STATE}/ctxhd.db.before-10"), "the copy stays after a verified backup")
    check((page(s, "/console/"), page(s, "/console/lib/bootstrap.min.css")) == ("200", "200"), "the console's pages")


def bad_settings(s):
    """What ExecReload does first: the daemon at work hears nothing of a wrong file."""
    path = s.file("/etc/ctxh/ctxhd.yaml")
    good = s.read("/etc/ctxh/ctxhd.yaml")
    with open(path, "a", encoding="utf-8") as f:
        f.write("limits:\n  disk_free: viel\n")
    first, second = s.unit("ctxhd.service", "ExecReload")
    r = s(*first.split(), user="ctxhd", code=1)
    check(re.search(r"/etc/ctxh/ctxhd.yaml:\d+: limits.disk_free", r.stderr), r.stderr)
    check(second.startswith("/usr/bin/kill -HUP"), second)
    s.ctl("status", quiet=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(good)


def downgrade(s, old, new):
    s.stop()
    with open(s.file(f"{STATE}/ctxhd.db"), "rb") as f:
        before = f.read()
    s.install(old, "--allow-downgrades")
    said = s.start(may_fail=True)
    check(s.daemon.wait(PATIENCE) == 1 and re.search(r"the store has version \d+, this program knows 10", said), said)
    s.daemon = None
    with open(s.file(f"{STATE}/ctxhd.db"), "rb") as f:
        check(f.read() == before, "the older program touched the newer one's store")
    s.install(new)
    s.start()
    s.ctl("verify")


def purge(s, new):
    before = counts(s)
    s.stop()
    print(" # apt-get purge ctxhd ctxhctl ctxh", flush=True)
    said = s.apt("purge", "ctxhd", "ctxhctl", "ctxh").stdout
    for line in re.findall(r"^ctxhd: (?:GIỮ|KEPT).*", said, re.M):
        print(f"   {line}")
    check(f"KEPT {STATE}" in said and f"GIỮ LẠI {STATE}" in said, f"purge does not say what it kept:\n{said[-2000:]}")
    check(not s.exists("/etc/ctxh/ctxhd.yaml") and not s.exists("/usr/sbin/ctxhd"), "purge left more than the register")
    for name in ("ctxhd.db", "id", "sign.key", "tls.key", "backup"):
        check(s.exists(f"{STATE}/{name}"), f"purge took {name}")
    check(s.exists("/home/xa/.local/share/ctxh"), "purge took a commune's folder")
    said = s.install(new)
    check("it goes on with the register found in" in said, "the register that was there is not mentioned")
    s.start()
    check(counts(s) == before, f"before the purge {before}, after {counts(s)}")
    s.ctl("verify")
    s.stop()


class Booted:
    """systemd as the first process of namespaces of its own, on that system."""

    def __init__(self, s):
        self.s = s
        mounts = [line.split() for line in open("/proc/mounts", encoding="utf-8")]
        roots = [m[1] for m in mounts if m[2] == "cgroup2"]
        if not roots:
            raise Failed("there is no cgroup2 here")
        self.group = os.path.join(roots[0], f"ctxh-install-{os.getpid()}")
        os.makedirs(self.group, exist_ok=True)
        root = s.path
        script = f"""set -e
            mount --make-rprivate /
            mount --bind {root} {root}
            mount -t proc proc {root}/proc
            mount -t sysfs -o ro sysfs {root}/sys
            mount -t tmpfs tmpfs {root}/run
            mount -t tmpfs tmpfs {root}/tmp
            mount -t cgroup2 cgroup2 {root}/sys/fs/cgroup
            ip link set lo up
            exec chroot {root} /usr/bin/env -i container=other /lib/systemd/systemd --show-status=0"""
        self.p = subprocess.Popen(
            ["sh", "-c", f"echo $$ >{self.group}/cgroup.procs; exec unshare --mount --pid --fork --net --ipc --uts "
             "--cgroup --kill-child sh -c \"$0\"", script], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            self.wait(lambda: self.first() is not None and self("systemctl", "is-system-running", code=None).stdout in
                      ("running\n", "degraded\n"), "systemd")
        except Failed:
            self.close()
            raise

    def first(self):
        """The first process, once it is systemd; as this process sees it."""
        if self.p.poll() is not None:
            raise Failed("systemd cannot be run here")
        with open(f"/proc/{self.p.pid}/task/{self.p.pid}/children", encoding="ascii") as f:
            children = f.read().split()
        for child in children:
            with open(f"/proc/{child}/comm", encoding="utf-8") as f:
                if f.read() == "systemd\n":
                    return child
        return None

    def wait(self, what, text):
        end = time.monotonic() + PATIENCE
        while not what():
            check(time.monotonic() < end, f"never: {text}")
            time.sleep(0.5)

    def __call__(self, *command, code=0, user=None, show=False, env=None):
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        env = [f"{k}={v}" for k, v in dict(self.s.env, **(env or {})).items()]
        if show:
            print(f" {'$' if user else '#'} {' '.join(command)}", flush=True)
        return run(["nsenter", "-t", self.first(), "-m", "-p", "-n", "-i", "-u", "-C", "chroot", self.s.path, "env", "-i",
                    *env, *as_user, *command], code=code, quiet=not show)

    def close(self):
        self.p.kill()
        self.p.wait()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                # Children first.
                for folder, _, _ in os.walk(self.group, topdown=False):
                    os.rmdir(folder)
                return
            except OSError:
                time.sleep(0.2)


def by_systemd(s):
    """The unit as it is, with all that it forbids: what the daemon needs it still has."""
    path = s.file("/etc/ctxh/ctxhd.yaml")
    with open(path, "a", encoding="utf-8") as f:
        f.write('public_address: "127.0.0.1:8443"\nbackup:\n  folder: /var/backups/ctxhd\n')
    try:
        b = Booted(s)
    except Failed as e:
        print(f"   not tried: {e}")
        return
    try:
        b("systemctl", "start", "ctxhd", show=True)
        home = ("--home", "/home/xa/hai")
        env = {"CTXH_PASSPHRASE_FILE": "/home/xa/passphrase", "HOME": "/home/xa"}
        invitation = b("ctxhctl", "device", "invite", "--unit", "25195", "--on", "2021-04-13", user="quantri").stdout.split()[-1]
        b("ctxh", *home, "enrol", invitation, "--author", "Lê Văn An", user="xa", env=env)
        b("ctxh", *home, "add", "person", "full_name=Điểu Mới", "sex=nam", "birth_date=1951", user="xa", env=env)
        b("ctxh", *home, "sync", user="xa", env=env, show=True)
        said = b("journalctl", "-u", "ctxhd", "CTXH_DEVICE=2", "CTXH_UNIT=25195", "CTXH_RESULT=ok", "-o", "cat", "--no-pager",
                 show=True).stdout
        check("session=" in said and "Điểu" not in said, f"the journal by fields: {said!r}")

        good = s.read("/etc/ctxh/ctxhd.yaml")
        with open(path, "a", encoding="utf-8") as f:
            f.write("limts: 3\n")
        b("systemctl", "reload", "ctxhd", code=1, show=True)
        check(re.search(r"/etc/ctxh/ctxhd.yaml:\d+: limts: unknown key",
                        b("journalctl", "-u", "ctxhd", "-o", "cat", "--no-pager", "-n", "10", show=True).stdout), "the line is not named")
        with open(path, "w", encoding="utf-8") as f:
            f.write(good)
        b("systemctl", "reload", "ctxhd", show=True)
        b.wait(lambda: "reload: done" in b("journalctl", "-u", "ctxhd", "-o", "cat", "--no-pager").stdout, "a right reload")

        # The socket keeps what comes while the daemon restarts.
        b("systemctl", "restart", "--no-block", "ctxhd", show=True)
        b("ctxh", *home, "sync", user="xa", env=env, show=True)
        check("/var/backups/ctxhd/" in b("ctxhctl", "backup", "now").stdout, "a backup on the other disk")

        # A daemon that stands still is started anew.
        b("sh", "-c", "kill -STOP $(systemctl show ctxhd -p MainPID --value)", show=True)
        b.wait(lambda: b("systemctl", "show", "ctxhd", "-p", "NRestarts", "--value").stdout == "1\n", "the watchdog")
        b.wait(lambda: b("systemctl", "is-active", "ctxhd", code=None).stdout == "active\n", "the restart")
        print("".join(f"   {line}\n" for line in b("journalctl", "-u", "ctxhd", "-o", "cat", "--no-pager", "-g", "atchdog").stdout.splitlines()), end="")
        b("ctxhctl", "verify", user="quantri", show=True)
    finally:
        b.close()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("out", "base", "old", "new"):
        p.add_argument("--" + name)
    a = p.parse_args()
    if os.geteuid() != 0 or not shutil.which("debootstrap") or not shutil.which("unshare"):
        print("skipped: wants root, debootstrap and unshare")
        return 77
    if os.environ.get("CTXH_INSTALL_INSIDE") is None:
        # Mounts and processes of the test end with it, however it ends.
        os.environ["CTXH_INSTALL_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--mount-proc", "--pid", "--fork", "--kill-child", sys.executable] + sys.argv)
    out = os.path.abspath(a.out or os.path.join(ROOT, "build/install"))
    os.makedirs(out, exist_ok=True)
    old = a.old or os.path.join(out, "old")
    new = a.new or os.path.join(out, "new")
    package = os.path.join(ROOT, "scripts/package")
    if not glob.glob(os.path.join(old, "*.deb")):
        say(f"packages of {PREVIOUS[:12]}")
        run([package, "--commit", PREVIOUS, "--version", "0.0.9", "--out", old], quiet=True)
    if not a.new:
        say("packages of the working tree")
        run([package, "--out", new])
    base = a.base or os.path.join(out, "base")
    make_base(base)
    s = make_system(base, os.path.join(out, "root"))
    try:
        say("installed")
        first_install(s, old)
        units_are_right(s)
        people(s)
        say("started as the unit says; a commune enrolled and synced")
        s.start()
        enrol_and_sync(s)
        say("upgraded")
        upgrade(s, new)
        units_are_right(s)
        completes(s)
        say("a wrong configuration")
        bad_settings(s)
        say("downgraded, in vain")
        downgrade(s, old, new)
        say("purged, and installed again")
        purge(s, new)
        say("run by systemd")
        by_systemd(s)
    except Failed as e:
        print(f"\nFAILED: {e}")
        return 1
    finally:
        if s.daemon is not None and s.daemon.poll() is None:
            s.daemon.kill()
    print("\nok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
