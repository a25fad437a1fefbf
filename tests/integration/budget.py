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


def kept(w):
    """A first sync of 400 people and a backlog of as many, under several budgets."""
    a = Device(w, "a", "25195")
    import_people(a, 400)
    used = settle(a, "--max-bytes", "32768")
    check(all(u + d <= 32768 for u, d, _ in used), f"own backlog: more than 32768 in {used}")
    check(len(used) > 3, f"400 people in {len(used)} contacts of 32768: nothing was tested")
    for budget in (16384, 50000, 200000):
        b = Device(w, f"b{budget}", "25195", "Trần Thị Bé")
        held = []
        used = []
        while not used or len(b.people()) < 400:
            used.append(b.sync("--max-bytes", str(budget)))
            held.append(len(b.people()))
            check(len(used) < 100, f"no end: {held}")
        print(f"  budget {budget}: {len(used)} contacts, most {max(u + d for u, d, _ in used)},"
              f" in all {sum(u + d for u, d, _ in used)}", flush=True)
        check(all(u + d <= budget for u, d, _ in used), f"budget {budget}: {used}")
        check(all(x < y for x, y in zip(held, held[1:])), f"a contact that brought nothing: {held}")
        check(b.people() == a.people(), "not the same people")
    plain = Device(w, "b-plain", "25195", "Trần Thị Bé")
    up, down, lines = plain.sync()
    print(f"  no budget: {up + down} bytes, {lines} connection", flush=True)
    return a



def own_first(w, a):
    """A small own change goes up in a budget that a long list from the office would use up."""
    c = Device(w, "c", "25195", "Trần Thị Bé")
    pid = c.add("person", full_name="Thị Nhỏ", sex="female")
    used = c.sync("--max-bytes", "9000")
    check(used[0] + used[1] <= 9000, f"own change: {used}")
    check(c.json("show", pid)["sync"] in ("sent", "backed-up"), "the own change did not go first")
    check(len(c.people()) < 400, "everything came in 9000 bytes")
    # A notice comes before records: a's value loses against one that c made later, unseen.
    settle(c)
    a.sync()
    a("edit", pid, "occupation=giáo viên")
    c("edit", pid, "occupation=thợ may")
    a.sync()
    c.sync(code=[0, 4])
    d = Device(w, "d", "25195", "Điểu Bớt")
    import_people(d, 300)
    settle(d)
    used = a.sync("--max-bytes", "12000")
    check(used[0] + used[1] <= 12000, f"with a notice: {used}")
    check(a.json("status")["inbox"] == 1, "the notice did not come first")
    check(len(a.people()) < 700, "everything came in 12000 bytes")
    settle(a, "--max-bytes", "40000")
    settle(c)
    check(a.people() == c.people(), "not the same people")


def big_piece(w):
    """One change that is larger than the budget goes alone, and what is behind it goes after it."""
    e = Device(w, "e", "25201")
    big = e.add("person", full_name="Điểu Dài", sex="male", note=note_of(7900))
    small = e.add("person", full_name="Điểu Ngắn", sex="male")
    e.sync("--max-bytes", "5000")
    check(e.json("show", big)["sync"] in ("sent", "backed-up"), "the first piece does not go")
    for _ in range(3):
        e.sync("--max-bytes", "5000")
    check(e.json("show", small)["sync"] in ("sent", "backed-up"), "nothing gets past a big piece")
    f = Device(w, "f", "25201", "Trần Thị Bé")
    for _ in range(4):
        f.sync("--max-bytes", "5000")
    check(f.people() == e.people(), "a big piece does not come down")


def sealed_before(w):
    """A backlog that was sealed for a good line, whose line broke, goes over a paid one."""
    g = Device(w, "g", "25204")
    import_people(g, 300)
    g.line.cut_up = 3000
    g.sync(code=3)
    g.line.cut_up = None
    check(g.waiting() == 300, f"{g.waiting()} wait")
    waiting = [300]
    while waiting[-1] != 0:
        used = g.sync("--max-bytes", "40000")
        check(used[0] + used[1] <= 40000, f"sealed before: {used}")
        waiting.append(g.waiting())
        check(waiting[-1] < waiting[-2], f"a contact that sent nothing: {waiting}")
    check(len(waiting) > 2, f"{waiting}: nothing was tested")


def interrupted(w):
    """A first sync whose line breaks every k bytes goes on where it stopped."""
    h = Device(w, "h", "25207")
    import_people(h, 3000, note=100)
    settle(h)
    plain = Device(w, "i", "25207", "Trần Thị Bé")
    whole = sum(plain.sync()[:2])
    check(whole > 200000, f"a first sync of {whole} bytes")
    for k in (whole // 2, whole // 4, whole // 6):
        j = Device(w, f"j{k}", "25207", "Trần Thị Bé")
        total = cuts = 0
        for _ in range(60):
            j.line.cut_down = k
            up, down, _ = j.sync(code=[0, 3])
            total += up + down
            if len(j.people()) == 3000:
                break
            cuts += 1
        check(cuts > 0, f"cut after {k}: nothing was cut")
        check(j.people() == plain.people(), f"cut after {k}: not the same people")
        print(f"  cut every {k} bytes: {cuts} cuts, {total} bytes, {total / whole:.2f} of {whole}",
              flush=True)
        # Each cut loses less than one answer, and opens a line anew.
        check(total < whole + cuts * 140000, f"cut after {k}: {total} bytes instead of {whole}")
        j.line.cut_down = None
        j.sync()
        j("verify")


def test(w, _args):
    w.start()
    w.import_units()
    a = kept(w)
    own_first(w, a)
    print("  own changes first, then notices", flush=True)
    big_piece(w)
    print("  a piece larger than the budget", flush=True)
    sealed_before(w)
    print("  a backlog sealed before", flush=True)
    interrupted(w)
    w.ctl("verify")


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__))
