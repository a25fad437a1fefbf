"""The console over TLS, as a browser meets it: pages and their headers, sign-in, the first password, roles, restricted
reads, what another site or a stranger may not, lock-out, and accounts that change under a login."""

import http.client
import json
import os
import socket
import ssl
import threading
import time

import harness
from harness import check, wait_for

COOKIE = "__Host-ctxh"
GUARDS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                               "connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; "
                               "base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
PASSWORD = "một câu dài của tôi"


class Answer:
    def __init__(self, r):
        self.status = r.status
        self.headers = r.headers
        self.body = r.read()

    def json(self):
        return json.loads(self.body)


class Browser:
    """One browser: its cookie, its token, and every answer looked at for what all must carry."""

    secrets = set()  # of all of them: cookies, tokens, passwords

    def __init__(self, w):
        self.port = w.port
        self.cookie = None
        self.token = "login"
        self.context = ssl._create_unverified_context()

    def send(self, method, path, body=None, headers=None, want=200):
        c = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=120)
        fields = {"Cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {}
        if method == "POST":
            fields.update({"Content-Type": "application/json", "X-Ctxh-Token": self.token,
                           "Origin": f"https://127.0.0.1:{self.port}", "Sec-Fetch-Site": "same-origin"})
        fields.update(headers or {})
        fields = {k: v for k, v in fields.items() if v is not None}
        c.request(method, path, None if body is None else json.dumps(body), fields)
        a = Answer(c.getresponse())
        c.close()
        for name, value in GUARDS.items():
            check(a.headers[name] == value, f"{method} {path}: {name} is {a.headers[name]}")
        check("/api/" not in path or a.headers["Cache-Control"] == "no-store", f"{path} may be kept")
        check(want is None or a.status == want, f"{method} {path}: {a.status}, wanted {want}: {a.body[:300]}")
        return a

    def get(self, path, **how):
        return self.send("GET", path, **how)

    def post(self, path, body, **how):
        return self.send("POST", "/console/api/" + path, body, **how)

    def take(self, a):
        """As a browser keeps a cookie; gives what it was told."""
        set_cookie = a.headers["Set-Cookie"]
        check(set_cookie is not None, "no cookie")
        value, *attributes = [p.strip() for p in set_cookie.split(";")]
        name, self.cookie = value.split("=")
        check(name == COOKIE and len(self.cookie) == 64, f"the cookie: {set_cookie}")
        check(sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"], f"the cookie: {attributes}")
        me = a.json()
        Browser.secrets |= {self.cookie, me["token"]}
        check(me["token"] not in (self.cookie, self.token), "a token that was there before")
        self.token = me["token"]
        return me

    def login(self, name, password):
        self.cookie, self.token = None, "login"
        Browser.secrets.add(password)
        return self.take(self.post("login", {"name": name, "password": password}))

    def call(self, command, want=200, **args):
        return self.post("call", {"command": command, "args": args}, want=want).json()


def add(w, name, role, *more):
    """An account with a password of its own."""
    made = w.ctl_json("account", "add", name, "--role", role, *more)
    b = Browser(w)
    b.login(name, made["password"])
    b.take(b.post("password", {"password": made["password"], "new": PASSWORD}))
    return b


def code_of(a):
    return a.json()["code"]


def pages(w):
    b = Browser(w)
    page = b.get("/console/")
    check(b"<html" in page.body and page.headers["Content-Type"] == "text/html; charset=utf-8", "no page")
    check(b"<script>" not in page.body and b" style=" not in page.body, "inline script or style")
    again = b.get("/console/", headers={"If-None-Match": page.headers["ETag"]}, want=304)
    check(again.body == b"", "a 304 with a body")
    check(b.get("/console", want=308).headers["Location"] == "/console/", "/console leads nowhere")
    check(b.get("/console/js/main.js").headers["Content-Type"] == "text/javascript; charset=utf-8", "a script's type")
    head = b.send("HEAD", "/console/")
    check(head.body == b"" and head.headers["ETag"] == page.headers["ETag"], "HEAD")
    for path in ("/console/../schema/people.yaml", "/console/%2e%2e/%2e%2e/etc/passwd", "/console/..%2f..%2fetc/passwd",
                 "/console//etc/passwd", "/console/shared/../../../etc/passwd"):
        check(code_of(b.get(path, want=404)) == "not_found", path)
    b.send("POST", "/console/", {}, want=405)
    # Devices' paths are where they were, in their own language.
    raw = http.client.HTTPSConnection("127.0.0.1", w.port, context=b.context, timeout=60)
    raw.request("GET", "/consolex")
    check(raw.getresponse().headers["Content-Type"] == "application/msgpack", "/consolex is the console's")


def strangers(w):
    b = Browser(w)
    for path in ("me", "call", "events", "anything", ""):
        check(code_of(b.get("/console/api/" + path, want=401)) == "login", path)
    check(code_of(b.post("call", {"command": "status", "args": {}}, want=401)) == "login", "a call without a login")
    bodies = {b.get("/console/api/" + p, want=401).body for p in ("me", "x")}
    check(len(bodies) == 1, f"401 is told differently: {bodies}")
    # Nobody's big body is read.
    check(b.post("call", {"command": "x", "args": {"csv": "x" * 20000}}, want=None).status in (401, 413), "a big body")
    for cookie in ("0" * 64, "", "x", "0" * 1500):
        b.cookie = cookie
        b.get("/console/api/me", want=401)


def first_login(w):
    made = w.ctl_json("account", "add", "Lan", "--role", "administrator")
    check(made["address"] == f"127.0.0.1:{w.port}" and len(made["fingerprint"]) == 64, f"account add: {made}")
    b = Browser(w)
    wrong = [b.post("login", {"name": n, "password": p}, want=401).body
             for n, p in (("Lan", "sai sai sai sai"), ("Không ai", "sai sai sai sai"))]
    check(wrong[0] == wrong[1], f"an unknown name is told: {wrong}")
    me = b.login("Lan", made["password"])
    check(me["must_change"] and me["commands"] == [] and me["name"] == "Lan", f"the first login: {me}")
    check(code_of(b.post("call", {"command": "status", "args": {}}, want=403)) == "change_password",
          "a first password is enough")
    for new in ("ngắn", "aaaaaaaaaaaaaaaa", "mật khẩu của lan", made["password"], None):
        check(code_of(b.post("password", {"password": made["password"], "new": new}, want=400)) == "password",
              f"the new password {new} is taken")
    check(code_of(b.post("password", {"password": "sai sai sai sai", "new": PASSWORD}, want=403)) == "wrong",
          "changed without the old one")
    old = b.cookie
    me = b.take(b.post("password", {"password": made["password"], "new": PASSWORD}))
    check(not me["must_change"] and "account add" in me["commands"], f"after the change: {me}")
    check(b.cookie != old, "the same login before and after")
    check(b.call("status")["result"]["communes"]["never"] == 111, "status over the console")
    stale = Browser(w)
    stale.cookie = old
    stale.get("/console/api/me", want=401)
    stale.post("login", {"name": "Lan", "password": made["password"]}, want=401)
    return b


def foreign(w, lan):
    """What a page of another site could make a browser send."""
    call = {"command": "status", "args": {}}
    for headers in ({"X-Ctxh-Token": None}, {"X-Ctxh-Token": ""}, {"X-Ctxh-Token": "login"}, {"X-Ctxh-Token": "0" * 64},
                    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
                    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": f"http://127.0.0.1:{w.port}"},
                    {"Content-Type": "text/plain"}, {"Content-Type": None},
                    {"Content-Type": "application/x-www-form-urlencoded"}):
        for path in ("call", "logout", "password"):
            a = lan.post(path, call, headers=headers, want=403)
            check(code_of(a) == "foreign", f"{path} with {headers}: {a.body}")
        a = Browser(w).post("login", {"name": "Lan", "password": PASSWORD},
                            headers={**headers, **({"X-Ctxh-Token": "x"} if "X-Ctxh-Token" in headers else {})},
                            want=403)
        check(code_of(a) == "foreign" and a.headers["Set-Cookie"] is None, f"login with {headers}")
    # ctxhctl says neither where it comes from nor whether it is a browser.
    lan.post("call", call, headers={"Origin": None, "Sec-Fetch-Site": None})
    # A cookie somebody planted is not taken over by a login.
    planted = Browser(w)
    planted.cookie = "ab" * 32
    me = planted.take(planted.post("login", {"name": "Lan", "password": PASSWORD}))
    check(planted.cookie != "ab" * 32 and me["name"] == "Lan", "a planted cookie became a login")
    fixed = Browser(w)
    fixed.cookie = "ab" * 32
    fixed.get("/console/api/me", want=401)


def roles(w, lan):
    reviewer = add(w, "Minh", "reviewer")
    reporter = add(w, "Phú", "reporter")
    auditor = add(w, "Uyên", "auditor")
    allowed = {"reviewer": reviewer, "reporter": reporter, "auditor": auditor}
    for who, command, want in (("reviewer", "conflict list", 200), ("reviewer", "account list", 403),
                               ("reviewer", "query", 403), ("reporter", "report list", 200),
                               ("reporter", "log", 403), ("reporter", "record show", 403),
                               ("auditor", "audit list", 200), ("auditor", "account list", 200),
                               ("auditor", "backup now", 403), ("auditor", "device revoke", 403)):
        answer = allowed[who].call(command, want=want)
        check(want == 200 or answer["code"] == "not_allowed_role", f"{who} {command}: {answer}")
        check((command in allowed[who].get("/console/api/me").json()["commands"]) == (want == 200), f"me of {who}")
    check(lan.call("no such thing", want=404)["exit_code"] == 2, "an unknown command")
    check(lan.call("record show", want=403, record="00000000", reason="xem")["code"] == "not_cleared", "no clearance")
    check(lan.call("account add", want=403, name="X", role="auditor", clearance="restricted")["code"] == "not_cleared",
          "who has no clearance gives one")
    lan.post("call", {"command": "status"}, want=400)
    lan.post("call", [], want=400)
    made = lan.call("account add", name="Thử", role="reporter")["result"]
    check(made["password"], f"account add by an account: {made}")
    audit = w.ctl_json("audit", "list", "--limit", "1000")
    check(any(e["who"] == "account:Lan" and e["what"] == "account add" and e["detail"]["account"] == "Thử"
              for e in audit), f"the audit does not name the account: {audit[:5]}")
    check(any(e["who"] == "account:Lan" and e["what"] == "login" for e in audit), "a login is not in the audit")
    check(PASSWORD not in json.dumps(audit, ensure_ascii=False) and made["password"] not in json.dumps(audit),
          "a password is in the audit")
    return reviewer


def restricted(w, lan):
    """Hidden; shown to the cleared who gives a reason; and that is in the audit before he sees it."""
    client = w.client("Máy kín", "25195", "--clearance", "restricted")
    person = client.add("person", full_name="Người Thử Kín", sex="nữ")
    record = client.add("hiv_record", person=person, state="infected")
    client("sync")
    hidden = lan.call("record show", record=record)["result"]
    check(hidden["hidden"] and "infected" not in json.dumps(hidden), f"shown without a reason: {hidden}")
    check(lan.call("record show", want=403, record=record, reason="tò mò")["code"] == "not_cleared", "no clearance")
    cleared = add(w, "Kín", "auditor", "--clearance", "restricted")
    check(cleared.call("record show", record=record)["result"]["hidden"], "shown without a reason")
    shown = cleared.call("record show", record=record, reason="kiểm tra định kỳ")["result"]
    check(shown["fields"]["state"]["value"] == "infected", f"record show: {shown}")
    entry = w.ctl_json("audit", "list", "--limit", "1")[0]
    check(entry["who"] == "account:Kín" and entry["detail"].get("reason") == "kiểm tra định kỳ", f"the audit: {entry}")


def changed(w, lan):
    """A login ends with what it rests on."""
    b = add(w, "Tạm", "auditor")
    b.get("/console/api/me")
    w.ctl("account", "reset", "Tạm")
    b.get("/console/api/me", want=401)
    no_login = {"X-Ctxh-Token": "login"}
    b.post("login", {"name": "Tạm", "password": PASSWORD}, headers=no_login, want=401)
    made = w.ctl_json("account", "reset", "Tạm")
    b.login("Tạm", made["password"])
    kept = b.cookie
    lan.call("account remove", name="Tạm")
    b.cookie = kept
    b.get("/console/api/me", want=401)
    b.post("call", {"command": "status", "args": {}}, want=401)
    b.post("login", {"name": "Tạm", "password": made["password"]}, headers=no_login, want=401)
    out = add(w, "Ra", "auditor")
    cookie = out.cookie
    gone = out.post("logout", {})
    check("Max-Age=0" in gone.headers["Set-Cookie"], "the cookie stays in the browser")
    out.cookie = cookie
    out.get("/console/api/me", want=401)


class Events:
    """An open page: what it is told, event by event."""

    def __init__(self, w, browser):
        raw = socket.create_connection(("127.0.0.1", w.port), timeout=120)
        self.socket = browser.context.wrap_socket(raw)
        self.socket.sendall((f"GET /console/api/events HTTP/1.1\r\nHost: 127.0.0.1:{w.port}\r\n"
                             f"Cookie: {COOKIE}={browser.cookie}\r\n\r\n").encode())
        self.response = http.client.HTTPResponse(self.socket)
        self.response.begin()
        check(self.response.status == 200, f"events: {self.response.status}")
        check(self.response.headers["Content-Type"] == "text/event-stream; charset=utf-8", "the type of events")
        check(self.response.headers["Cache-Control"] == "no-store", "events may be kept")
        check(self.read() == {"retry": "5000"}, "the first event")

    def read(self):
        """The next event's fields; None at the end. Heartbeats are passed over, but not for ever."""
        event = {}
        patience = time.monotonic() + harness.PATIENCE
        while True:
            check(time.monotonic() < patience, "told nothing")
            line = self.response.readline().decode()
            if line == "":
                return None
            line = line.rstrip("\n")
            if line == "" and event:
                return event
            if line == "" or line.startswith(":"):
                continue
            name, value = line.split(": ", 1)
            event[name] = value

    def until(self, name, what=lambda data: True):
        while True:
            event = self.read()
            check(event is not None, f"no event {name}")
            if event.get("event") == name and what(json.loads(event["data"])):
                return json.loads(event["data"])

    def close(self):
        self.response.close()
        self.socket.close()


def live(w, lan):
    """Contacts and decisions as they happen; a login that ends takes its page along; pages are bounded."""
    reporter = add(w, "Báo cáo", "reporter")
    page, other = Events(w, lan), Events(w, reporter)
    client = w.client("Máy sống", "25198")
    client.add("person", full_name="Người Mới")
    client("sync")
    row = page.until("session", lambda r: r["unit"] == "25198" and r["applied"] == 1)
    check(row["outcome"] == "ok" and row["session"] == w.ctl_json("log", "--limit", "1")[0]["session"], f"told: {row}")
    check(page.until("board", lambda b: b["units"] is not None and "25198" in b["units"]), "the board")
    w.ctl("device", "invite", "--unit", "25198", "--on", "2021-04-13")
    page.until("board", lambda b: b["units"] is None)
    told = [other.read() for _ in range(2)]
    check({e["event"] for e in told} == {"board"}, f"a reporter is told of {told}")
    # A page that is open is no work: but its login ends with the account.
    w.ctl("account", "remove", "Báo cáo")
    other.until("end")
    check(other.read() is None, "more behind the end")
    pages = [page] + [Events(w, lan) for _ in range(7)]
    full = lan.get("/console/api/events", want=503)
    check(code_of(full) == "busy" and full.headers["Retry-After"], "a ninth page")
    for p in pages[1:]:
        p.close()
    # Nobody watches a page with nothing to say: the heartbeat finds out that it is gone.
    wait_for(lambda: lan.get("/console/api/me").status == 200 and opened(w) == 1, "gone pages are noticed", 600)
    return page


def opened(w):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(os.path.join(w.state, "admin.sock"))
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        text = s.makefile().read()
    return int([l for l in text.splitlines() if l.startswith("ctxh_console_pages ")][0].split()[1])


def remote(w):
    """ctxhctl from another machine: over TLS, the key pinned, an account's rights, nothing left behind."""
    made = w.ctl_json("account", "add", "Xa", "--role", "auditor")
    secret, chosen = os.path.join(w.dir, "secret"), os.path.join(w.dir, "chosen")
    for path, text in ((secret, made["password"]), (chosen, PASSWORD)):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text + "\n")
    env = {"CTXH_PASSWORD_FILE": secret, "CTXH_NEW_PASSWORD_FILE": chosen, "CTXH_ADMIN_SOCKET": "/nowhere"}
    at = ("--server", f"127.0.0.1:{w.port}", "--account", "Xa", "--fingerprint", made["fingerprint"])

    def ctl(*args, code=0):
        return w.run("ctxhctl", *at, *args, code=code, env=env)

    said = ctl("status", code=1).stderr
    check(f"{' '.join(at)} account password" in said, f"a first password is enough, or no way on: {said}")
    check("Đã đổi mật khẩu" in ctl("account", "password").stdout, "nobody says that the password was changed")
    env["CTXH_PASSWORD_FILE"] = chosen
    check(json.loads(ctl("board", "--format", "json").stdout)["totals"]["communes"] == 111, "board from afar")
    check("account:Xa" in ctl("audit", "list").stdout, "the audit from afar")
    check("vai trò" in ctl("backup", "now", code=1).stderr.lower(), "an auditor makes a backup")
    check("--socket" in ctl("bundle", "in", secret, code=1).stderr, "a file from afar")
    check(ctl("nothing", code=2).stdout == "", "an unknown command")
    other = made["fingerprint"][:-2] + ("00" if made["fingerprint"][-2:] != "00" else "11")
    wrong = w.run("ctxhctl", *at[:-1], other, "status", code=1, env=env)
    check("--fingerprint" in wrong.stderr and wrong.stdout == "", f"another key is taken: {wrong.stderr}")
    untrusted = w.run("ctxhctl", *at[:-2], "status", code=1, env=env)
    check("--fingerprint" in untrusted.stderr, "a certificate nobody trusts is taken")
    w.run("ctxhctl", *at[:2], "status", code=2, env=env)
    for bad in (("--server", "http://127.0.0.1", *at[2:]), ("--server", "127.0.0.1", *at[2:]), (*at[:-1], "abc")):
        said = w.run("ctxhctl", *bad, "status", code=2, env=env).stderr
        check("MÁY:CỔNG" in said and "HOST:PORT" in said, f"{bad}: {said}")
    w.run("ctxhctl", "--server", f"127.0.0.1:{harness.free_port()}", *at[2:], "status", code=3, env=env)
    with open(secret, "w", encoding="utf-8") as f:
        f.write("sai sai sai sai\n")
    env["CTXH_PASSWORD_FILE"] = secret
    check("mật khẩu" in ctl("status", code=1).stderr, "a wrong password")


def many(w, count, name):
    """Tries at once on kept connections; how each was answered."""
    statuses = []
    lock = threading.Lock()

    def work(part):
        c = http.client.HTTPSConnection("127.0.0.1", w.port, context=ssl._create_unverified_context(), timeout=300)
        for i in range(part):
            c.request("POST", "/console/api/login", json.dumps({"name": name(i), "password": "sai sai sai sai"}),
                      {"Content-Type": "application/json", "X-Ctxh-Token": "login"})
            r = c.getresponse()
            r.read()
            with lock:
                statuses.append(r.status)
        c.close()

    threads = [threading.Thread(target=work, args=(count // 20,)) for _ in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return statuses


def cpu_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def guessing(w, count):
    """Most of many tries are refused before a password is looked at, and a good one of another kind goes on."""
    before = cpu_of(w.daemon.pid)
    statuses = many(w, count, lambda i: "Minh")
    check(len(statuses) == count and set(statuses) <= {401, 429, 503}, f"answers: {set(statuses)}")
    judged = statuses.count(401)
    # 5 free ones, then 1, 2, 4 … s apart: however slow the machine, a doubling wait lets few through.
    check(judged <= 5 + 1 + 20, f"{judged} of {count} tries were judged")
    print(f"  {count} tries: {judged} judged, {statuses.count(429)} told to wait, {statuses.count(503)} busy; "
          f"{cpu_of(w.daemon.pid) - before:.1f} s of CPU")
    b = Browser(w)
    locked = b.post("login", {"name": "Minh", "password": PASSWORD}, want=None)
    check(locked.status in (429, 200), f"after guessing: {locked.status}")
    if locked.status == 429:
        check(int(locked.headers["Retry-After"]) >= 1 and code_of(locked) == "locked", "no time to wait")
    nobody = b.post("login", {"name": "Không ai cả", "password": PASSWORD}, want=None)
    check(nobody.status in (429, 401), f"nobody: {nobody.status}")
    audit = [e for e in w.ctl_json("audit", "list", "--limit", "1000") if e["what"] == "login locked"]
    check(audit and all("address" in e["detail"] for e in audit), "lock-outs are not in the audit")
    check(len(audit) <= 60, f"{len(audit)} lock-outs in the audit")
    check("sai sai" not in json.dumps(audit, ensure_ascii=False), "what was typed is in the audit")
    check(w.ctl_json("status")["log"] >= 1, "the office's own commands are held up")


def journal_is_silent(w):
    """Even at its most talkative the daemon writes no password, cookie, token, or what was typed as one."""
    with open(os.path.join(w.dir, "ctxhd.log"), encoding="utf-8", errors="replace") as f:
        text = f.read()
    check("<7>" in text, "the journal is not at its most talkative")
    told = [s for s in {*Browser.secrets, PASSWORD, "sai sai sai sai"} if s in text]
    check(not told, f"a secret in the journal: {len(told)} of {len(Browser.secrets)}")


def over(w):
    """A login ends when its time is over, also one that is used all the while."""
    w.stop()
    w.configure("limits:\n  login_life: 2s\n")
    w.start()
    b = Browser(w)
    b.login("Uyên", PASSWORD)
    wait_for(lambda: b.get("/console/api/me", want=None).status == 401, "a login ends when its time is over")


def apart(w):
    """console_listen: there, and nowhere else; none: nowhere."""
    w.stop()
    other = harness.free_port()
    w.configure(f"console_listen: 127.0.0.1:{other}\n")
    w.start()
    b = Browser(w)
    c = http.client.HTTPSConnection("127.0.0.1", w.port, context=b.context, timeout=60)
    c.request("GET", "/console/")
    r = c.getresponse()
    check(r.status == 404 and r.headers["Content-Type"] == "application/msgpack", "still with the devices")
    b.port = other
    check(b.get("/", want=308).headers["Location"] == "/console/", "/ leads nowhere")
    b.get("/console/")
    b.get("/v1/schema", want=404)
    b.login("Uyên", PASSWORD)
    w.stop()
    w.configure("console_listen: none\n")
    w.start()
    c = http.client.HTTPSConnection("127.0.0.1", w.port, context=b.context, timeout=60)
    c.request("GET", "/console/")
    check(c.getresponse().status == 404, "none is somewhere")


def test(w, args):
    w.configure("log_level: debug\n")
    w.start()
    w.import_units()
    pages(w)
    strangers(w)
    lan = first_login(w)
    foreign(w, lan)
    roles(w, lan)
    restricted(w, lan)
    changed(w, lan)
    remote(w)
    page = live(w, lan)
    guessing(w, args.cycles or 400)
    journal_is_silent(w)
    apart(w)
    check(page.until("end") == {} and page.read() is None, "the page is not told that the daemon stopped")
    over(w)


if __name__ == "__main__":
    raise SystemExit(harness.main(test, __doc__))
