"""A client whose disk is full: an entry, a sync, a big pull that do not fit are refused plainly, what was said to be
saved is there, what is there can be read, and once there is room everything goes on where it stopped."""

import json
import os
import sys

import harness
from harness import check
from disk_full import Tmpfs

HERE = "Điểu K'Ré"


def says_full(r):
    text = r.stdout + r.stderr
    check("hết chỗ" in text and "no space left" in text, f"a full disk is told: exit {r.returncode}: {text}")


def fill(home, leave):
    """A file takes all the room but so many bytes."""
    path = os.path.join(os.path.dirname(home), "ballast")
    with open(path, "wb") as f:
        s = os.fstatvfs(f.fileno())
        f.write(b"x" * max(0, s.f_bavail * s.f_frsize - leave))


def free(home):
    os.unlink(os.path.join(os.path.dirname(home), "ballast"))


def people(c):
    return {r["fields"]["full_name"] for r in c.json("list", "person")}


def many(prefix, count):
    return json.dumps([{"full_name": f"{prefix} {i:05d}", "address": "Thôn Bù Gia Phúc 1 " * 10} for i in range(count)])


def entries(c, saved):
    """One after the other, until the disk is full."""
    fill(c.home, 400 << 10)
    for i in range(2000):
        name = f"Người {i:05d}"
        r = c("add", "person", f"full_name={name}", "--even-so", code=[0, 1, 3])
        if r.returncode != 0:
            says_full(r)
            break
        saved.add(name)
    else:
        check(False, "the disk never gets full")
    check(people(c) == saved, "what was said to be saved is not all there, or more is")


def nothing_left(c, saved):
    fill(c.home, 0)
    for words in (["add", "person", "full_name=Không vào được", "--even-so"], ["import", "person", "-", "--even-so"]):
        r = c(*words, code=[1, 3],
              stdin="full_name\n" + "".join(f"Nhập {i:05d}\n" for i in range(500)) if words[0] == "import" else None)
        says_full(r)
    check(people(c) == saved, "reading on a full disk")
    r = c("sync", code=[1, 3])
    says_full(r)
    check(c.json("status")["sent"] == 0, "nothing was sent that was not sealed")
    c("verify")


def pull(w, c, other, saved):
    """More than there is room for comes from the office."""
    fill(c.home, 600 << 10)
    r = c("sync", code=[0, 1, 3])
    check(r.returncode != 0, "the pull is too small for this test")
    says_full(r)
    check(saved <= people(c), "own entries while a pull does not fit")
    c("verify")
    free(c.home)
    c("sync")
    check(people(c) == people(other), "after there was room the clients differ")


def test(w, _args):
    w.start()
    w.import_units()
    other = w.client("other", "25195")
    disk = os.path.join(w.dir, "disk")
    with Tmpfs(disk, 24):
        c = harness.Client(w, "c")
        c.home = os.path.join(disk, "home")
        c("enrol", w.invite("25195"))
        c("sync")
        saved = {HERE}
        c.add("person", full_name=HERE)
        entries(c, saved)
        nothing_left(c, saved)
        free(c.home)
        c("sync")
        check(c.json("status")["waiting"] == 0, "after there was room something waits")
        other("add", "person", "--json", "-", "--even-so", stdin=many("Xa", 2000))
        other("sync")
        pull(w, c, other, saved)
        check(w.ctl_json("status")["records"]["person"] == len(saved) + 2000, "people on the daemon")
        c("verify")
    w.ctl("verify")


if __name__ == "__main__":
    os.environ["CTXH_TEST_KDF_KIB"] = "8"
    sys.exit(harness.main(test, __doc__))
