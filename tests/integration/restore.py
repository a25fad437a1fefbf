"""The drill: the daemon's disk is lost, the office restores from its last backup, and what comes out is what a run
without the accident has. Clients keep what is not backed up, send it again, pull anew; nothing is lost untold.
The negative control is a client that forgot its change-sets when they were only durable: it loses, and is told so."""

import os
import shutil
import signal
import sqlite3
import sys

import harness
from harness import World, check, wait_for

EARLY = ["Điểu K'Ré", "Thị Mré", "Nguyễn Văn Hòa", "Lê Thị Bưởi", "Trần Quốc Toản", "Hoàng Văn Thụ"]
LATE = ["Điểu Ong", "Thị Hiền", "Phạm Ngũ Lão"]


def outbox(client):
    """First number and count of every change-set a client keeps; bodies are sealed, numbers are not."""
    path = next(os.path.join(client.home, f) for f in os.listdir(client.home) if f.endswith(".db"))
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return db.execute("SELECT first, count FROM outbox ORDER BY first").fetchall()
    finally:
        db.close()


def sync_all(clients, rounds=2):
    for _ in range(rounds):
        for c in clients:
            c("sync", code=[0, 4])


def standing(client, pid):
    return client.json("show", pid)["sync"]


def folder_of(w, name):
    path = os.path.join(w.dir, name)
    os.makedirs(path, exist_ok=True)
    return path


def set_up(w):
    """A recipient whose secret the daemon never sees, and a folder that outlives its disk."""
    w.safe = folder_of(w, "safe")
    w.key = os.path.join(w.safe, "office.key")
    made = w.ctl_json("backup", "keygen", "-o", w.key)
    check(os.stat(w.key).st_mode & 0o777 == 0o600, "others can read the key")
    w.ctl("backup", "keygen", "-o", w.key, code=1)  # never over an old one
    w.settings = f"backup:\n  folder: {folder_of(w, 'backups')}\n  recipient: {made['recipient']}\n"
    w.configure(w.settings)
    w.start()
    w.import_units()


def before_backup(w):
    a = w.client("a", "25195", "--author", "Lê Văn An")
    b = w.client("b", "25195", "--author", "Trần Thị Bé")
    c = w.client("c", "25198", "--author", "Võ Văn Cảnh")
    ids = {name: a.add("person", full_name=name, sex="male", phone="0912345678") for name in EARLY}
    ids["Bùi Xuân"] = c.add("person", full_name="Bùi Xuân", sex="female")
    sync_all([a, b, c])
    b("edit", ids[EARLY[0]], "occupation=nông dân")
    sync_all([b, a])
    return (a, b, c), ids


def after_backup(clients, ids):
    a, b, c = clients
    ids.update({name: a.add("person", full_name=name, sex="female") for name in LATE})
    a("edit", ids[EARLY[1]], "phone=0987654321")
    ids["Cao Bá"] = c.add("person", full_name="Cao Bá", sex="male")
    sync_all(clients)
    b("edit", ids[EARLY[1]], "occupation=thợ may")
    b("edit", ids[LATE[0]], "occupation=giáo viên")
    sync_all(clients)
    # Written, not sent: its base is a number of the history that is about to be lost.
    b("edit", ids[EARLY[2]], "phone=0909090909")


def lose_and_restore(w):
    """kill -9, the disk gone; only the backups and the key in the safe are left."""
    w.stop(signal.SIGKILL)
    shutil.rmtree(w.state)
    files = sorted(os.listdir(os.path.join(w.dir, "backups")))
    check(len(files) == 1, f"backups: {files}")
    backup = os.path.join(w.dir, "backups", files[0])
    new = os.path.join(w.dir, "state-2")
    r = w.ctl("restore", backup, "--state", new, code=1)
    check("--key" in r.stderr and not os.path.exists(new), f"without a key: {r.stderr}")
    w.ctl("restore", backup, "--state", new, "--key", w.key)
    w.ctl("restore", backup, "--state", new, "--key", w.key, code=1)
    w.state = new
    w.env["CTXH_ADMIN_SOCKET"] = os.path.join(new, "admin.sock")
    w.start()


def forgetful(w, client):
    """The same device, its change-sets gone at `durable`."""
    home = client.home + "-forgetful"
    shutil.copytree(client.home, home)
    other = harness.Client(w, client.name + "-forgetful")
    check(other.home == home, "another home")
    path = next(os.path.join(home, f) for f in os.listdir(home) if f.endswith(".db"))
    db = sqlite3.connect(path)
    db.execute("DELETE FROM outbox")
    db.commit()
    db.close()
    return other


def fields_of(w, ids):
    got = {}
    for name, pid in ids.items():
        fields = w.ctl_json("record", "show", pid)["fields"]
        got[name] = {f: v["value"] for f, v in fields.items()}
    return got


def story(w, with_accident):
    set_up(w)
    clients, ids = before_backup(w)
    a, b, c = clients
    epoch = a.json("status")["epoch"]
    check(standing(a, ids[EARLY[0]]) == "sent" and outbox(a), "durable is not yet backed up")

    made = w.ctl_json("backup", "now")
    check(not made["key_here"], "the secret is on the machine")
    sync_all(clients, 1)
    check(all(standing(a, ids[n]) == "backed-up" for n in EARLY[1:]), "what the backup holds is not backed-up")
    check(outbox(a) == [] and outbox(c) == [], f"kept for nothing: {outbox(a)} {outbox(c)}")
    backup_verify(w, made)

    after_backup(clients, ids)
    check(standing(a, ids[LATE[0]]) == "sent", standing(a, ids[LATE[0]]))
    kept = {x.name: outbox(x) for x in clients}
    check(all(kept.values()), f"sent is not backed up, and must be kept: {kept}")
    waiting = b.json("status")["waiting"]

    if with_accident:
        pruned = forgetful(w, c)
        lose_and_restore(w)
        check(w.ctl_json("status")["log"] == made["log"], "the restored log ends elsewhere")
        r = pruned("sync", code=1)
        check("thiếu" in r.stderr + r.stdout or "missing" in r.stderr + r.stdout, f"an untold loss: {r.stderr}")
        check(b.json("status")["waiting"] == waiting, "b forgot what it had not sent")
    # Whoever made a record comes before those who edited it: an edit of a record the office lost goes to quarantine,
    # whole, until then.
    sync_all([a, c, b])
    if with_accident:
        check(a.json("status")["epoch"] != epoch, "no new epoch")
    for x in clients:
        status = x.json("status")
        check(status["waiting"] == 0, f"{x.name}: {status}")
        x("verify")
    w.ctl("verify")
    check(w.ctl_json("missing") == [], "numbers are missing")
    check(w.ctl_json("quarantine", "list") == [], f"refused: {w.ctl_json('quarantine', 'list')}")
    for name, pid in ids.items():
        for x in (c,) if name in ("Bùi Xuân", "Cao Bá") else (a, b):
            office = fields_of(w, {name: pid})[name]
            here = x.json("show", pid)["fields"]
            check(all(office.get(f) == v for f, v in here.items()), f"{x.name} {name}: {here}, office {office}")

    w.ctl("backup", "now")
    sync_all(clients, 1)
    check(all(standing(a, ids[n]) == "backed-up" for n in LATE), "the second backup tells nobody")
    check(outbox(a) == [], f"a keeps {outbox(a)}")
    return fields_of(w, ids)


def backup_verify(w, made):
    number = str(made["backup"])
    rows = w.ctl_json("backup", "list")
    check([r["backup"] for r in rows] == [made["backup"]] and rows[0]["verified_at"] and rows[0]["there"], f"{rows}")
    check(not w.ctl_json("backup", "verify", number)["opened"], "opened without a key")
    opened = w.ctl_json("backup", "verify", number, "--key", w.key)
    check(opened["opened"] and opened["log"] == made["log"], f"{opened}")
    other = os.path.join(w.safe, "other.key")
    w.ctl("backup", "keygen", "-o", other)
    said = w.ctl("backup", "verify", number, "--key", other, code=1).stderr
    check("another one" in said and "not good" not in said, f"a wrong key is told as a bad backup: {said}")
    said = w.ctl("backup", "verify", number, "--key", w.passphrase, code=1).stderr
    check("no key file" in said, f"what is no key is not named so: {said}")
    # One bit of it, in the middle.
    path = rows[0]["path"]
    with open(path, "r+b") as f:
        f.seek(made["bytes"] // 2)
        byte = f.read(1)
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte[0] ^ 1]))
    w.ctl("backup", "verify", number, code=1)
    w.ctl("backup", "verify", number, "--key", w.key, code=1)
    with open(path, "r+b") as f:
        f.seek(made["bytes"] // 2)
        f.write(byte)
    w.ctl("backup", "verify", number, "--key", w.key)


def by_the_clock(w):
    """Backups make themselves, and the rule keeps one of a day."""
    folder = os.path.join(w.dir, "backups")
    w.stop()
    w.configure(w.settings + "  every: 1s\n  keep_days: 1\n  keep_weeks: 0\n  keep_months: 0\n")
    w.start()
    first = w.ctl_json("backup", "list")[0]["backup"]
    wait_for(lambda: w.ctl_json("backup", "list")[0]["backup"] >= first + 3, "three backups by the clock")
    wait_for(lambda: len([f for f in os.listdir(folder) if f.endswith(".backup")]) <= 2, "the rule")
    check(len(w.ctl_json("backup", "list")) == 1, "one of a day stays")
    w.stop()
    check(not os.path.exists(os.path.join(w.state, "backup.key")), "a key nobody asked for")


def unset(w, args):
    """Nothing configured: a key is made and somebody is told to move it; a restore finds it by itself."""
    w.start()
    r = w.ctl("backup", "now")
    check("WARNING" in r.stderr and "backup.key" in r.stderr, f"no warning: {r.stderr}")
    row = w.ctl_json("backup", "list")[0]
    check(w.ctl_json("backup", "verify", "1")["opened"], "the key beside the store is not used")
    new = os.path.join(w.dir, "new")
    w.ctl("restore", "1", "--state", new)  # by number, while the daemon lives
    w.ctl("restore", row["path"], "--state", new + "-2")
    key = os.path.join(w.state, "backup.key")
    os.rename(key, os.path.join(w.dir, "moved.key"))
    r = w.ctl("backup", "now")
    check("backup.key" not in r.stderr and not os.path.exists(key), "it was moved, and is missed")
    w.ctl("restore", "2", "--state", new + "-3", code=1)
    w.ctl("restore", "2", "--state", new + "-3", "--key", os.path.join(w.dir, "moved.key"))


def test(w, args):
    got = story(w, True)
    by_the_clock(w)
    with World(args) as plain:
        want = story(plain, False)
    check(got == want, f"with the accident: {got}\nwithout: {want}")
    with World(args) as plain:
        unset(plain, args)
    print(f"{len(got)} records equal with and without the accident")


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
