"""What strangers, broken lines and operators do to the daemon's edge: slow and silent peers, garbage, bodies
too long, doubtful framing, floods, half-open connections, reloads of what is broken, SIGTERM in the middle, a
second daemon, sockets handed over. After each of them a good peer is served at once."""

import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

import harness
from harness import PATIENCE, ROOT, check, wait_for

GET = b"GET /v1/units HTTP/1.1\r\nHost: a\r\n\r\n"
LIMITS = """\
listen: 127.0.0.1:{port}
limits:
  header: {deadline}s
  body: {deadline}s
  idle: {idle}s
  disk_free: 0
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Edge:
    """The daemon as the network sees it."""

    def __init__(self, w):
        self.w = w
        self.context = ssl.create_default_context()
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE

    def raw(self, timeout=PATIENCE):
        s = socket.create_connection(("127.0.0.1", self.w.port), timeout)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def tls(self, timeout=PATIENCE):
        return self.context.wrap_socket(self.raw(timeout))

    def certificate(self):
        with self.tls() as s:
            return s.getpeercert(binary_form=True)

    def good(self, what):
        """A good request is answered."""
        with self.tls() as s:
            s.sendall(GET)
            status = answer(s)[0]
        check(status == 200, f"after {what}: a good request got {status}")

    def admin(self, path):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE)
            s.connect(os.path.join(self.w.state, "admin.sock"))
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            status, body, _ = answer(s)
            return status, body.decode()

    def metric(self, name):
        return int(re.search(rf"^ctxh_{name} (\d+)", self.admin("/metrics")[1], re.M)[1])


def answer(s):
    """(status, body, headers); status 0: closed without an answer."""
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            more = s.recv(65536)
            if not more:
                return 0, b"", b""
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        while length and len(body) < int(length[1]):
            more = s.recv(65536)
            if not more:
                break
            body += more
        return int(head.split()[1]), body, head
    except OSError:
        return 0, b"", b""


def post(length, extra=b"", path=b"/v1/sync"):
    return b"POST " + path + b" HTTP/1.1\r\nHost: a\r\n" + extra + \
        b"Content-Length: %d\r\n\r\n" % length


def closed_by_daemon(socks, drip=None):
    """How many of them the daemon closed, while each drips on."""
    end = time.monotonic() + PATIENCE
    left = list(socks)
    while left and time.monotonic() < end:
        for s in list(left):
            s.settimeout(0)
            try:
                if s.recv(1000) == b"":
                    left.remove(s)
                    continue
            except (BlockingIOError, ssl.SSLWantReadError):
                pass
            except OSError:
                left.remove(s)
                continue
            try:
                if drip:
                    s.settimeout(1)
                    s.sendall(drip)
            except OSError:
                left.remove(s)
        time.sleep(0.2)
    for s in socks:
        s.close()
    return len(socks) - len(left)


def slow_peers(e):
    def begun(s, words):
        s.sendall(words)
        return s

    kinds = {
        "silent TCP": ([e.raw() for _ in range(30)], None),
        "silent TLS": ([e.tls() for _ in range(30)], None),
        "dripping head": ([begun(e.tls(), b"GET /v1/units HTTP/1.1\r\nHost: a\r\n") for _ in range(30)],
                          b"X-a: b\r\n"),
        "dripping body": ([begun(e.tls(), post(1000)) for _ in range(30)], b"z"),
    }
    e.good("slow peers began")
    for kind, (socks, drip) in kinds.items():
        n = closed_by_daemon(socks, drip)
        check(n == len(socks), f"{kind}: {n} of {len(socks)} were cut")
    e.good("slow peers")


def idle_connections(e):
    # Of those before, the daemon closed some and has not cleared them away yet.
    wait_for(lambda: e.metric("connections") <= 5, "connections of before are left over")
    socks = []
    for _ in range(200):
        s = e.tls()
        s.sendall(GET)
        check(answer(s)[0] == 200, "one of 200 was not answered")
        socks.append(s)
    check(e.metric("connections") >= 200, "200 connections are not there")
    e.good("200 idle connections")
    n = closed_by_daemon(socks)
    check(n == 200, f"{n} of 200 idle connections were closed")
    wait_for(lambda: e.metric("connections") <= 5, "connections are left over")


def garbage(e):
    for noise in (os.urandom(3000), GET, b"\x16\x03\x01\xff\xff" + os.urandom(100), b"\0" * 5000):
        with e.raw() as s:
            s.sendall(noise)
            s.settimeout(8)
            try:
                while s.recv(4096):
                    pass
            except OSError:
                pass
    for noise in (os.urandom(3000), b"GET\r\n\r\n", b"\r\n" * 50 + b"x\r\n\r\n",
                  b"GET /v1/units HTTP/7.0\r\nHost: a\r\n\r\n"):
        with e.tls() as s:
            s.sendall(noise)
            check(answer(s)[0] != 200, f"{noise[:20]} was served")
    for body in (b"", os.urandom(2000), b"\xdd\xff\xff\xff\xff", b"\x96" * 4000):
        with e.tls() as s:
            s.sendall(post(len(body)) + body)
            check(answer(s)[0] in (400, 413), "garbage is refused")
    e.good("garbage")


def too_long(e):
    for extra, send_all in ((b"", True), (b"Expect: 100-continue\r\n", False)):
        with e.tls() as s:
            s.sendall(post(5 << 20, extra))
            if send_all:
                try:
                    s.sendall(b"x" * (5 << 20))
                except OSError:
                    pass
            check(answer(s)[0] == 413, f"5 MiB with {extra}: not 413")
    with e.tls() as s:
        s.sendall(post(10**10))
        check(answer(s)[0] == 413, "10 GB announced: not 413")
    with e.tls() as s:
        s.sendall(post(9000, path=b"/v1/enrol") + b"x" * 9000)
        check(answer(s)[0] == 413, "an enrolment of 9 kB: not 413")
    sent = 0
    with e.tls() as s:
        s.sendall(b"POST /v1/sync HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while sent < 64 << 20:
                s.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                sent += 65536
        except OSError:
            pass
    check(sent < 32 << 20, f"chunks without end: {sent} bytes went in")
    e.good("bodies too long")


def framing(e):
    head = b"POST /v1/sync HTTP/1.1\r\nHost: a\r\n"
    smuggled = b"GET /v1/units HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    for doubtful in (b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                     b"Content-Length: 6\r\nContent-Length: 5\r\n\r\nabcdef",
                     b"Content-Length : 6\r\n\r\nabcdef",
                     b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                     b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"):
        with e.tls() as s:
            s.sendall(head + doubtful + smuggled)
            s.settimeout(8)
            data = b""
            try:
                while True:
                    more = s.recv(65536)
                    if not more:
                        break
                    data += more
            except OSError:
                pass
        statuses = re.findall(rb"HTTP/1\.1 (\d+)", data)
        check(b"200" not in statuses, f"{doubtful!r}: a smuggled request was served: {statuses}")
    e.good("doubtful framing")


def vanishing(e):
    for i in range(90):
        s = e.tls() if i % 2 else e.raw()
        if i % 2:
            s.sendall(post(2 << 20) + b"x" * 30000 if i % 3 else b"POST /v1/sy")
        if i % 5 == 0:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    wait_for(lambda: e.metric("connections") <= 3, "vanished peers are left over")
    wait_for(lambda: e.metric("body_bytes") == 0, "the body budget is not given back")
    with e.tls() as s:  # a FIN right behind the request
        s.sendall(GET)
        socket.socket.shutdown(s, socket.SHUT_WR)
        check(answer(s)[0] == 200, "a request with a FIN behind it")
    e.good("vanishing peers")


def many_uploads(e):
    """Sixty bodies of 4 MB at once stay within the budget."""
    body = b"x" * (4 << 20)
    got = []

    def upload():
        try:
            with e.tls() as s:
                s.sendall(post(len(body)))
                for at in range(0, len(body), 1 << 19):
                    s.sendall(body[at:at + (1 << 19)])
                    time.sleep(0.05)
                return answer(s)[0]
        except OSError:
            return 0

    def one():
        # A body's deadline passes on a machine that is busy enough: as a client would, once more.
        for _ in range(5):
            status = upload()
            if status != 0:
                break
        got.append(status)

    threads = [threading.Thread(target=one) for _ in range(60)]
    peak = 0
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        peak = max(peak, e.metric("body_bytes"))
        time.sleep(0.05)
    check(16 << 20 <= peak <= 64 << 20, f"bodies took {peak} bytes")
    check(got.count(400) >= 55, f"uploads of garbage: {got}")
    e.good("many uploads")
    print(f"  60 uploads of 4 MiB: peak {peak >> 20} MiB, {got.count(400)} answered")


def log_is_bounded(w, e):
    lines = os.path.getsize(os.path.join(w.dir, "ctxhd.log"))
    for _ in range(300):
        with e.raw() as s:
            s.sendall(b"\0" * 50)
    grown = os.path.getsize(os.path.join(w.dir, "ctxhd.log")) - lines
    check(grown < 30000, f"300 bad handshakes wrote {grown} bytes of log")


def schema_tag(e):
    with e.tls() as s:
        s.sendall(b"GET /v1/schema HTTP/1.1\r\nHost: a\r\n\r\n")
        status, _, head = answer(s)
    check(status == 200, f"the schema: {status}")
    return re.search(rb'ETag: ("[0-9a-f]+")', head)[1]


def log_has(w, text):
    with open(os.path.join(w.dir, "ctxhd.log"), encoding="utf-8", errors="replace") as f:
        return text in f.read()


def reloads(w, e):
    tag = schema_tag(e)
    broken = os.path.join(w.schema, "zz_broken.yaml")
    with open(broken, "w", encoding="utf-8") as f:
        f.write("types:\n  - name: 7 7\n")
    w.daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: log_has(w, "zz_broken.yaml"), "a broken schema is not said")
    check(schema_tag(e) == tag, "a broken schema was taken")
    os.unlink(broken)

    config = os.path.join(w.dir, "ctxhd.yaml")
    with open(config, encoding="utf-8") as f:
        text = f.read()
    for bad, said in (("limts: 3\n", "limts"), ("admin_socket: /tmp/x\n", "admin_socket")):
        with open(config, "w", encoding="utf-8") as f:
            f.write(text + bad)
        w.daemon.send_signal(signal.SIGHUP)
        wait_for(lambda s=said: log_has(w, s), f"{said}: a bad configuration is not said")
    with open(config, "w", encoding="utf-8") as f:
        f.write(text)

    # A new certificate: new handshakes see it, an old connection lives on.
    other = os.path.join(w.dir, "other")
    p = subprocess.Popen([os.path.join(w.bin, "ctxhd"), "--state", other, "--listen", "127.0.0.1:0"],
                         stdout=w.log, stderr=w.log, env=w.env)
    wait_for(lambda: os.path.exists(os.path.join(other, "listen")), "the other daemon")
    p.send_signal(signal.SIGTERM)
    check(p.wait(PATIENCE) == 0, "the other daemon did not end well")
    old = e.certificate()
    held = e.tls()
    for name in ("tls.key", "tls.crt"):
        shutil.copy(os.path.join(other, name), os.path.join(w.state, name))
    w.daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: e.certificate() != old, "the new certificate is not served")
    held.sendall(GET)
    check(answer(held)[0] == 200, "the old connection died with the old certificate")
    held.close()
    new = e.certificate()
    with open(os.path.join(w.state, "tls.crt"), "w", encoding="utf-8") as f:
        f.write("junk")
    w.daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: log_has(w, "tls.crt"), "a broken certificate is not said")
    check(e.certificate() == new, "a broken certificate was taken")
    shutil.copy(os.path.join(other, "tls.crt"), os.path.join(w.state, "tls.crt"))
    e.good("reloads")


def second_daemon(w):
    r = subprocess.run([os.path.join(w.bin, "ctxhd"), "--state", w.state, "--listen", "127.0.0.1:0"],
                       capture_output=True, text=True, timeout=PATIENCE, check=False, env=w.env)
    check(r.returncode == 1, f"a second daemon on the state: exit {r.returncode}")
    check("another daemon" in r.stderr, f"a second daemon is not told why: {r.stderr}")
    check(os.path.exists(os.path.join(w.state, "listen")), "it removed the first one's file")
    check(os.path.exists(os.path.join(w.state, "admin.sock")), "it removed the first one's socket")


def stop_in_the_middle(w, e):
    # No deadline may pass meanwhile: whatever ends then, ends because of the stop.
    check(w.stop() == 0, "the exit code of SIGTERM without anything in the middle")
    with open(os.path.join(w.dir, "ctxhd.yaml"), "w", encoding="utf-8") as f:
        f.write(LIMITS.format(port=w.port, deadline=600, idle=600))
    w.start()
    body = b"\xc1" * 200000
    half = [e.tls() for _ in range(20)]
    for s in half:
        s.sendall(post(len(body)) + body[:1000])
    idle = [e.tls() for _ in range(20)]
    for s in idle:
        s.sendall(GET)
        answer(s)
    # All twenty are in the middle: their heads were read, their bodies are taken in.
    wait_for(lambda: e.metric("body_bytes") >= 20 * len(body), "the twenty to be taken in")
    w.daemon.send_signal(signal.SIGTERM)
    wait_for(lambda: not os.path.exists(os.path.join(w.state, "listen")), "the listen file stays")
    try:
        e.raw(2).close()
        refused = False
    except OSError:
        refused = True
    got = []
    for s in half:
        s.sendall(body[1000:])
    for s in half:
        status, _, head = answer(s)
        got.append(status)
        check(status == 0 or b"Connection: close" in head, "an answer while stopping keeps the connection")
        s.close()
    check(got == [400] * 20, f"requests in flight at SIGTERM: {got}")
    check(refused, "a new connection was taken while stopping")
    for s in idle:
        check(closed_by_daemon([s]) == 1, "an idle connection stays open")
    check(w.daemon.wait(PATIENCE) == 0, "the exit code of SIGTERM")
    w.daemon = None
    check(not os.path.exists(os.path.join(w.state, "admin.sock")), "the admin socket stays")
    check(not os.path.exists(os.path.join(w.state, "ctxhd.db-wal")), "the WAL stays unmerged")


def wrong_permissions(w):
    os.chmod(os.path.join(w.state, "sign.key"), 0o644)
    r = subprocess.run([os.path.join(w.bin, "ctxhd"), "--state", w.state, "--listen", "127.0.0.1:0"],
                       capture_output=True, text=True, timeout=PATIENCE, check=False, env=w.env)
    os.chmod(os.path.join(w.state, "sign.key"), 0o600)
    check(r.returncode == 1 and "sign.key" in r.stderr, f"a key others can read: {r.returncode}")


def killed_and_back(w, e):
    w.start()
    id_before = open(os.path.join(w.state, "id"), encoding="utf-8").read()
    w.stop(signal.SIGKILL)
    w.start()
    check(open(os.path.join(w.state, "id"), encoding="utf-8").read() == id_before, "another id")
    e.good("kill -9")
    check(w.stop() == 0, "stop after kill -9")


def handed_over(w):
    """As systemd does: listeners from outside, readiness and watchdog by datagram."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    port = listener.getsockname()[1]
    queued = socket.create_connection(("127.0.0.1", port), 10)  # before the daemon exists
    orders = os.path.join(w.dir, "orders.sock")
    admin = socket.socket(socket.AF_UNIX)
    admin.bind(orders)
    admin.listen(64)
    settings = os.path.join(w.dir, "handed-over.yaml")
    with open(settings, "w", encoding="utf-8") as f:
        f.write("admin_socket: /nowhere\n")
    path = os.path.join(w.dir, "notify")
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(path)
    notify.settimeout(PATIENCE)
    env = dict(w.env, LISTEN_FDS="2", NOTIFY_SOCKET=path, WATCHDOG_USEC="3000000")
    command = f"export LISTEN_PID=$$ WATCHDOG_PID=$$; exec '{w.bin}/ctxhd' --state '{w.state}' --listen 127.0.0.1:1 --config '{settings}'"

    def hand_over():
        for at, s in enumerate((listener.fileno(), admin.fileno())):
            os.dup2(s, 10 + at)
        for at in range(2):
            os.dup2(10 + at, 3 + at)

    p = subprocess.Popen(["sh", "-c", command], env=env, stdout=w.log, stderr=w.log, close_fds=False,
                         preexec_fn=hand_over)
    try:
        check(b"READY=1" in notify.recv(4096), "READY is not told")
        with open(os.path.join(w.dir, "ctxhd.log"), encoding="utf-8", errors="replace") as f:
            said = f.read()
        for ignored in (f"listen=127.0.0.1:1 ignored=yes in_use=127.0.0.1:{port} ",
                        f"admin_socket=/nowhere ignored=yes in_use={orders} "):
            check(ignored in said, f"a setting was ignored without a word: {ignored}")
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with context.wrap_socket(queued) as s:
            s.sendall(GET)
            check(answer(s)[0] == 200, "the request that waited")
        check(b"WATCHDOG=1" in notify.recv(4096), "the watchdog is not fed")
        os.kill(p.pid, signal.SIGTERM)
        while b"STOPPING=1" not in notify.recv(4096):
            pass
        check(p.wait(PATIENCE) == 0, "exit of the one with a listener handed over")
        # The socket is still the service manager's: who connects now waits for the next daemon.
        socket.create_connection(("127.0.0.1", port), 5).close()
    finally:
        if p.poll() is None:
            p.kill()
            p.wait()
        notify.close()
        listener.close()


def check_option(w):
    config = os.path.join(w.dir, "bad.yaml")
    for text, code in (("listen: 127.0.0.1:0\n", 0), ("lissten: x\n", 1), ("schema: /nonexistent\n", 1)):
        with open(config, "w", encoding="utf-8") as f:
            f.write(text)
        w.run("ctxhd", "--check", "--config", config, code=code)
    w.run("ctxhd", code=2)
    w.run("ctxhd", "--nonsense", code=2)
    check("--state" in w.run("ctxhd", "--help").stdout, "--help says nothing")
    w.run("ctxhd", "--version")


def test(w, _args):
    check_option(w)
    w.port = free_port()
    w.schema = os.path.join(w.dir, "schema")
    shutil.copytree(os.path.join(ROOT, "schema"), w.schema)
    with open(os.path.join(w.dir, "ctxhd.yaml"), "w", encoding="utf-8") as f:
        f.write(LIMITS.format(port=w.port, deadline=5, idle=60))
    w.start()
    e = Edge(w)
    e.good("the start")
    check(e.admin("/healthz")[0] == 200 and e.admin("/readyz")[0] == 200, "health")
    for step in (slow_peers, idle_connections, garbage, too_long, framing, vanishing, many_uploads):
        began = time.monotonic()
        step(e)
        print(f"  {step.__name__:18} {time.monotonic() - began:5.1f} s", flush=True)
    log_is_bounded(w, e)
    second_daemon(w)
    reloads(w, e)
    check(e.admin("/healthz")[0] == 200, "healthy after all that")
    stop_in_the_middle(w, e)
    wrong_permissions(w)
    killed_and_back(w, e)
    handed_over(w)


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
