"""What law's erasure costs in a large store: how long the daemon writes nothing else, how much disk it takes meanwhile,
and what devices and administrators meet until it is over. By hand; figures, never pass or fail."""

import json
import os
import re
import subprocess
import sys
import threading
import time

import bench
import harness

PEOPLE = 200_000  # one run of load


def grow(w, records):
    while w.count() < records:
        w.push(sets=PEOPLE // w.enrolled // 100, changes=100, seed=w.count() + 1)


class Watch:
    """Somebody syncs, somebody asks, and the disk is looked at, until it is over."""

    def __init__(self, w):
        self.w = w
        self.is_over = threading.Event()
        self.syncs, self.questions, self.disk = [], [], []
        self.threads = [threading.Thread(target=self._repeat, args=(f,)) for f in (self._sync, self._ask, self._look)]
        for t in self.threads:
            t.start()

    def end(self):
        self.is_over.set()
        for t in self.threads:
            t.join()

    def _repeat(self, what):
        while not self.is_over.is_set():
            what()

    def _timed(self, to, what):
        began = time.monotonic()
        got = what()
        to.append((time.monotonic() - began, got))

    def _sync(self):
        """All devices at once, each with ten entries."""
        self._timed(self.syncs, lambda: self.w.load("push", sets=1, changes=10, connections=self.w.enrolled,
                                                    seed=len(self.syncs)))

    def _ask(self):
        self._timed(self.questions, lambda: self.w.ask("status") and None)
        time.sleep(0.2)

    def _look(self):
        fds = f"/proc/{self.w.daemon.pid}/fd"
        try:
            files = [os.path.join(self.w.state, f) for f in os.listdir(self.w.state)]
            # The new file has no name while it is made.
            files += [os.path.join(fds, f) for f in os.listdir(fds)
                      if os.readlink(os.path.join(fds, f)).endswith(" (deleted)")]
            self.disk.append(sum(os.stat(f).st_size for f in files if os.path.isfile(f)))
        except FileNotFoundError:
            pass  # gone between the two
        time.sleep(0.05)


def main(args):
    with bench.Office(args) as w:
        w.enrol(100)
        grow(w, args.records)
        w.stop()
        w.start()
        one = w.ask("query", sql="SELECT lower(hex(id)) AS id FROM person LIMIT 1 OFFSET 7777")["rows"][0]["id"]
        path = os.path.join(w.state, "ctxhd.db")
        before, cpu, began = os.path.getsize(path), w.cpu_s(), time.monotonic()
        watch = Watch(w)
        r = json.loads(w.ctl("erase", one, "--why", "theo yêu cầu", "--basis", "thử", "--format", "json").stdout)
        took = time.monotonic() - began
        watch.end()
        with open(os.path.join(w.dir, "ctxhd.log"), encoding="utf-8") as f:
            swept = int(re.findall(r"swept ms=(\d+)", f.read())[-1])
        print(json.dumps({
            "records": args.records, "store_mib": before >> 20, "load_average": os.getloadavg()[0],
            "erase_s": round(took, 1), "sweep_s": swept / 1000, "daemon_cpu_s": round(w.cpu_s() - cpu, 1),
            "all_files_at_most_mib": max(watch.disk) >> 20,
            "syncs": sum(g["devices"] for _, g in watch.syncs), "worst_sync_ms": max(g["worst_ms"] for _, g in watch.syncs),
            "told_to_come_again": sum(g["refused"] for _, g in watch.syncs),
            "failed_syncs": sum(g["failed"] for _, g in watch.syncs),
            "slowest_status_s": round(max(s for s, _ in watch.questions), 1), "erased": r}, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main(harness.options(__doc__, {"--records": {"type": int, "default": 1_000_000}})))
