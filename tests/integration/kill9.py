"""kill -9 of the daemon and of clients at random moments during syncs: what a client was told is
saved or sent is there afterwards, and nothing is applied twice."""

import itertools
import os
import random
import signal
import subprocess
import sys
import time

import harness
from harness import check

# A killed entry may be saved all the same: no name is used twice.
numbers = itertools.count(1)


def sleep_random():
    time.sleep(random.random() * random.choice([0.002, 0.02, 0.1, 0.3]))


def add_some(client, saved, count):
    for _ in range(count):
        name = f"Người {next(numbers):05d}"
        if random.random() < 0.3:
            # Killed while it saves: the entry counts only when its id came out.
            p = subprocess.Popen([os.path.join(client.world.bin, "ctxh"), "--home", client.home, "add",
                                  "person", f"full_name={name}"], env=client.world.env,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            sleep_random()
            p.send_signal(signal.SIGKILL)
            out = p.communicate()[0].strip()
            if out:
                saved[out.splitlines()[-1]] = name
        else:
            saved[client.add("person", full_name=name)] = name


def cycle(w, clients, number):
    for c in clients:
        add_some(c[0], c[1], random.randrange(1, 3))
    running = [c[0].popen("sync") for c in clients]
    victim = random.choice(["daemon", "client", "both"])
    sleep_random()
    if victim in ("client", "both"):
        random.choice(running).send_signal(signal.SIGKILL)
    if victim in ("daemon", "both"):
        w.stop(signal.SIGKILL)
    for p in running:
        p.wait(60)
    if w.daemon is None:
        w.start()
    if number % 5 == 0:
        w.ctl("verify")


def held(w):
    rows = w.ctl_json("query", "SELECT lower(hex(id)) AS i, full_name AS n FROM person")
    return {r["i"]: r["n"] for r in rows}, len(rows)


def test(w, args):
    cycles = args.cycles or 15
    w.start()
    w.import_units()
    clients = [(w.client(f"c{i}", "25195"), {}) for i in range(3)]
    for number in range(1, cycles + 1):
        cycle(w, clients, number)
    for c, saved in clients:
        c("sync", code=[0, 4])
        check(c.json("status")["waiting"] == 0, f"{c.name}: something still waits")
        c("verify")
    rows, count = held(w)
    wanted = {k: v for _, saved in clients for k, v in saved.items()}
    missing = [k for k in wanted if k not in rows]
    check(not missing, f"{len(missing)} saved entries are not on the daemon: {missing[:5]}")
    check(count == len(rows), "a record is there twice")
    numbers = w.ctl_json("query", "SELECT device, first, count FROM changeset ORDER BY device, first")
    nxt = {}
    for r in numbers:
        check(r["first"] == nxt.get(r["device"], 1), f"numbers of device {r['device']} have a hole or repeat at {r}")
        nxt[r["device"]] = r["first"] + r["count"]
    w.ctl("verify")
    print(f"{cycles} cycles, {len(wanted)} acknowledged entries, {count} records, 0 lost, 0 twice")


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
