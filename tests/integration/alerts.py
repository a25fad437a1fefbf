"""Alerts of the real daemon: asked for, once a day over a restart, urgent ones; by file, by a sendmail program, by a
mail server, to a webhook over TLS. Each way refuses what it must: a certificate nobody signed, a secret everybody
can read."""

import base64
import email
import http.server
import json
import os
import re
import socketserver
import sqlite3
import ssl
import subprocess
import sys
import threading

import harness
from harness import check, wait_for

SECRET = "khong-ai-duoc-biet-0123456789"


class Hook:
    """A webhook on loopback that keeps what it was given."""

    def __init__(self, folder, status=200):
        self.got = []
        self.status = status
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((self.path, dict(self.headers), body))
                self.send_response(outer.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(folder, "hook.crt"), os.path.join(folder, "hook.key"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Mailbox:
    """A mail server on loopback that takes everything."""

    def __init__(self):
        self.mails = []
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                to, say = [], lambda line: self.wfile.write(line + b"\r\n")
                say(b"220 here")
                for line in self.rfile:
                    word = line[:4].upper()
                    if word == b"RCPT":
                        to.append(line[8:].strip())
                    if word == b"DATA":
                        say(b"354 go on")
                        text = b""
                        while (line := self.rfile.readline()) not in (b".\r\n", b""):
                            text += line
                        outer.mails.append((to, text))
                    say(b"221 bye" if word == b"QUIT" else b"250 ok")
                    if word == b"QUIT":
                        return

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=hook",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", os.path.join(folder, "hook.key"), "-out",
                    os.path.join(folder, "hook.crt")], check=True, capture_output=True)


def settings(w, **alert):
    lines = "".join(f"  {k}: {json.dumps(v)}\n" for k, v in alert.items())
    w.configure("alert:\n" + lines)


def again(w, **alert):
    w.stop()
    settings(w, **alert)
    w.start()


def ways(result):
    return {row["way"]: row for row in result}


def ask(w, command, code=0):
    return ways(w.ctl_json("alert", command, code=code))


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def by_program(w):
    """A mail as a sendmail program gets it, readable by any mail reader."""
    program = os.path.join(w.dir, "sendmail")
    with open(program, "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\nenv > {w.dir}/env\nls -l /proc/self/fd > {w.dir}/fds\ncat > {w.dir}/mail\n")
    os.chmod(program, 0o700)
    settings(w, mail_to="a@soyte.example,b@soyte.example", mail_by=program, mail_from="ctxhd@soyte.example")
    w.start()
    w.import_units()
    done = ask(w, "send")
    check(done["mail"]["asked"] == done["file"]["asked"] == "sent", f"by program: {done}")
    check(done["webhook"]["on"] is False and done["webhook"]["asked"] is None, f"no webhook is set: {done}")
    mail = email.message_from_bytes(open(os.path.join(w.dir, "mail"), "rb").read())
    text = mail.get_payload(decode=True).decode()
    subject = str(email.header.make_header(email.header.decode_header(mail["Subject"])))
    check(mail["To"] == "a@soyte.example,b@soyte.example" and "Bản tin ngày" in subject, f"mail: {mail['To']} {subject}")
    check(text.startswith(subject) and "Xã chưa liên lạc lần nào" in text, f"text: {text}")
    files = os.listdir(os.path.join(w.state, "alerts"))
    check(len(files) == 1 and read(os.path.join(w.state, "alerts", files[0])) == text, f"files: {files}")
    env = read(os.path.join(w.dir, "env"))
    check("CTXH_" not in env and "PATH=" in env, f"the program's environment: {env}")
    fds = re.findall(r" (\d+) -> (\S+)", read(os.path.join(w.dir, "fds")))
    ours = [to for fd, to in fds if int(fd) > 2 and not to.endswith("/fd")]
    check(fds and not ours, f"the program has descriptors of ours: {fds}")


def show(w):
    """Every format; nothing of it is a secret or a person."""
    shown = w.ctl_json("alert", "show")
    harness.check({"id", "alert", "at", "day", "office", "daemon", "title", "log", "communes", "fresh", "last_backup",
                   "disk_free", "items", "text", "ways"} == set(shown), f"keys of show: {sorted(shown)}")
    check([i["kind"] for i in shown["items"]] == ["never"] and shown["items"][0]["count"] == 111, f"{shown['items']}")
    table = w.ctl("alert", "show").stdout
    check("Đường gửi / Ways" in table and shown["text"].splitlines()[0] in table, table)
    rows = w.ctl("alert", "show", "--format", "csv").stdout
    check(rows.splitlines()[0] == "kind,label,label_en,urgent,count,oldest,detail,advice", rows)
    health = w.ctl_json("health")
    check(ways(health["alerts"])["file"]["on"] is True, f"health: {health['alerts']}")
    check(re.search(r"^ctxh_alerts_total [1-9]", w.get("/metrics"), re.M), "no alert is counted")


def by_server(w):
    box = Mailbox()
    again(w, keep=0, mail_to="a@soyte.example,b@soyte.example", mail_by=f"smtp://127.0.0.1:{box.port}",
          mail_from="ctxhd@soyte.example")
    done = ask(w, "test")
    check(done["mail"]["asked"] == "sent" and done["file"]["asked"] is None, f"by server: {done}")
    to, text = box.mails[0]
    check(to == [b"<a@soyte.example>", b"<b@soyte.example>"], f"recipients: {to}")
    check(b"alerts arrive" in base64.b64decode(text.split(b"\r\n\r\n", 1)[1]), f"mail: {text}")
    box.close()
    failed = ask(w, "test", code=1)
    check(failed["mail"]["asked"] == "failed" and failed["mail"]["error"], f"a server that is gone: {failed}")


def to_webhook(w):
    certificate(w.dir)
    hook = Hook(w.dir)
    secret = os.path.join(w.dir, "secret")
    with open(secret, "w", encoding="ascii") as f:
        f.write(SECRET + "\n")
    os.chmod(secret, 0o600)
    url = f"https://127.0.0.1:{hook.port}/alerts"
    trusted = dict(webhook=url, webhook_secret=secret, webhook_ca=os.path.join(w.dir, "hook.crt"))

    again(w, **trusted)
    done = ask(w, "send")
    check(done["webhook"]["asked"] == "sent", f"webhook: {done}")
    path, headers, body = hook.got.pop()
    sent = json.loads(body)
    check(path == "/alerts" and headers["Authorization"] == "Bearer " + SECRET, f"webhook: {path} {headers}")
    check(headers["Content-Type"] == "application/json" and sent["id"] in headers["Idempotency-Key"], f"{headers}")
    check(sent["alert"] == "daily" and sent["items"][0]["kind"] == "never" and "Bản tin" in sent["text"], f"{sent}")

    again(w, **dict(trusted, webhook=url + "/{secret}"))
    ask(w, "test")
    path, headers, body = hook.got.pop()
    check(path == "/alerts/" + SECRET and "Authorization" not in headers, f"a secret in the address: {path}")
    check(json.loads(body)["alert"] == "test", f"{body}")

    # What must not work, and what is then said: never the secret.
    hook.status = 302
    refused = ask(w, "test", code=4)
    check("302" in refused["webhook"]["error"] and len(hook.got) == 1, f"not followed: {refused}")
    hook.status = 200
    hook.got.clear()
    again(w, **{k: v for k, v in trusted.items() if k != "webhook_ca"})
    refused = ask(w, "test", code=4)
    check(refused["file"]["asked"] == "sent" and refused["webhook"]["asked"] == "failed", f"unsigned: {refused}")
    again(w, **dict(trusted, webhook=url.replace("127.0.0.1", "localhost")))
    ask(w, "test", code=4)
    os.chmod(secret, 0o604)
    again(w, **trusted)
    refused = ask(w, "test", code=4)
    check("chmod" in refused["webhook"]["error"], f"a secret others may read: {refused}")
    # Half of one is none.
    with open(secret, "w", encoding="ascii") as f:
        f.write(SECRET + "x" * 2000)
    os.chmod(secret, 0o600)
    refused = ask(w, "test", code=4)
    check("one line" in refused["webhook"]["error"], f"a secret longer than is read: {refused}")
    check(not hook.got, f"something was sent all the same: {hook.got}")
    log = read(os.path.join(w.dir, "ctxhd.log"))
    check(SECRET not in log and "not sent alert=test way=webhook" in log, "the journal")
    check(SECRET not in json.dumps(w.ctl_json("alert", "show")), "the secret is shown")
    hook.close()


def setting(w, name, value=None):
    """The store's own note; only while the daemon is down."""
    with sqlite3.connect(os.path.join(w.state, "ctxhd.db")) as db:
        if value is not None:
            db.execute("UPDATE setting SET value = ? WHERE name = ?", (value, name))
        row = db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    db.close()
    return row and bytes(row[0]).decode()


def daily(w):
    """Yesterday's is noted: today's comes by itself at the start, and after the next start no second one."""
    again(w, hour=0)
    day = w.ctl_json("alert", "show")["day"]
    w.stop()
    with sqlite3.connect(os.path.join(w.state, "ctxhd.db")) as db:
        db.execute("INSERT OR REPLACE INTO setting(name, value) VALUES('alert:file', CAST('20000 1728000000000' AS BLOB))")
    db.close()
    w.start()
    sent = lambda: ways(w.ctl_json("alert", "show")["ways"])["file"]
    wait_for(lambda: sent()["day"] == day, "the daily alert does not come")
    at = sent()["at"]
    w.stop()
    check(setting(w, "alert:file").startswith("20") and setting(w, "alert:file") != "20000 1728000000000", "not noted")
    w.start()
    ask(w, "test")
    check(sent()["at"] == at, "the daily alert came twice")


def urgent(w):
    """A backup that cannot be made is told at once."""
    with open(os.path.join(w.dir, "no-folder"), "w", encoding="utf-8") as f:
        f.write("x")
    w.stop()
    w.configure(f"backup:\n  folder: {w.dir}/no-folder/x\nalert:\n  folder: {w.dir}/out\n")
    w.start()
    w.ctl("backup", "now", code=1)
    folder = os.path.join(w.dir, "out")
    wait_for(lambda: os.path.isdir(folder) and [n for n in os.listdir(folder) if n.endswith("-urgent.txt")],
             "no urgent alert")
    name = [n for n in os.listdir(folder) if n.endswith("-urgent.txt")][0]
    check("KHẨN: Sao lưu không thành" in read(os.path.join(folder, name)), read(os.path.join(folder, name)))


def test(w, _args):
    by_program(w)
    show(w)
    by_server(w)
    to_webhook(w)
    daily(w)
    urgent(w)
    again(w, keep=0)
    r = w.ctl("alert", "send", code=1)
    check("alert.mail_to" in r.stderr, f"no way is set: {r.stderr}")


sys.exit(harness.main(test, __doc__))
