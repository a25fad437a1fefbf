"""killing - kill -9 of a program at a chosen point, by tests/support/kill_io.c. The points are before, in the
middle of and after every call that changes something on the disk or on the line."""

import collections
import mmap
import os
import random
import struct

NUMBERS = struct.Struct("=QQ64s112s")  # points passed, the point to be killed at, files that count, what it was


class Kill:
    """Shared memory with the programs that run under it, one at a time."""

    def __init__(self, w, name):
        self.path = os.path.join(w.dir, "kill-" + name)
        with open(self.path, "wb") as f:
            f.truncate(NUMBERS.size)
        with open(self.path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), NUMBERS.size)
        self.preload = os.path.join(w.bin, "kill_io.so")

    def env(self, env):
        return dict(env, LD_PRELOAD=self.preload, CTXH_KILL=self.path, ASAN_OPTIONS="verify_asan_link_order=0")

    @property
    def count(self):
        return NUMBERS.unpack(self.map[:])[0]

    @property
    def what(self):
        """"before pwrite ctxhd.db-wal"; "" when nothing was killed here."""
        return NUMBERS.unpack(self.map[:])[3].rstrip(b"\0").decode()

    def reset(self, at=0, only=""):
        """Counts anew, all files or that one; the at-th point kills, 0: none does."""
        self.map[:] = NUMBERS.pack(0, at, only.encode(), b"")

    def arm(self, further):
        """Kills the program that runs already, so many points further on."""
        struct.pack_into("=Q", self.map, 8, self.count + further)

    def disarm(self):
        """Did it pass the point? Then it is dead, or about to be."""
        count, at, _, _ = NUMBERS.unpack(self.map[:])
        struct.pack_into("=Q", self.map, 8, 0)
        return at != 0 and count >= at

    def close(self):
        self.map.close()
        os.unlink(self.path)


class Spans:
    """How many points a run of a kind passes, learnt from those that came through."""

    def __init__(self):
        self.recent = collections.defaultdict(lambda: collections.deque([20], maxlen=20))

    def seen(self, kind, count):
        self.recent[kind].append(count)

    def point(self, kind):
        """Any of them, each as likely; a few beyond, so that growth is noticed."""
        return random.randint(1, random.choice(self.recent[kind]) + 4)
