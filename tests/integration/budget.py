"""`ctxh sync --max-bytes N` keeps to N, counted at a proxy, both ways; what matters most goes first; what
was cut off goes on where it stopped; a backlog bigger than the budget goes in several contacts, each
of which gets on, whatever is in the way."""

import os
import random
import sys

import harness
from harness import check

# TLS and HTTP of one contact, at most: handshake with certificate, heads, tickets. Not in N.
LINE = 6000


def note_of(n):
    """Text that does not compress: a budget met only by luck of zstd is no budget."""
    return "".join(random.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(n))


class Device(harness.Client):
    """Every byte of it goes over a proxy of its own."""

    def __init__(self, w, name, unit, author="Lê Văn An"):
        super().__init__(w, name)
        self.line = harness.Proxy(w)
        self("enrol", self.line.through(w.invite(unit, "--author", author)), "--name", name)

    def sync(self, *args, code=0):
        """Bytes up, bytes down, and how many connections they were."""
        before = self.line.connections
        up, down = self.line.counted(lambda: self("sync", *args, code=code))
        return up, down, self.line.connections - before

    def waiting(self):
        return self.json("status")["waiting"]

    def people(self):
        return {r["id"]: r["fields"] for r in self.json("list", "person")}


def import_people(c, count, note=200):
    path = os.path.join(c.world.dir, f"{c.name}.csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write("full_name,sex,birth_date,note\n")
        for n in range(count):
            f.write(f"Điểu {c.name} {n},male,{1930 + n % 80},{note_of(note)}\n")
    c("import", "person", path, "--even-so")


def settle(c, *args):
    """Until nothing waits on either side; the bytes of each contact."""
    used = []
    while True:
        used.append(c.sync(*args, code=[0, 4]))
        check(len(used) < 300, "no end of it")
        if c.waiting() == 0 and used[-1][0] < LINE and used[-1][1] < LINE:
            return used
