"""badline - a line that loses packets and resets connections.

Really at packet level where the machine allows: the test runs in a network namespace of its own, whose loopback drops
packets of both directions and answers some with a TCP reset (nftables). Where not (no nft, no right to make a
namespace), a proxy before the daemon stalls and cuts connections instead."""

import json
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

INSIDE = "CTXH_BAD_LINE_INSIDE"
# GSO off: else one packet of the loopback is 64 KiB.
UP = "ip link set lo up && ip link set lo mtu 1500 && ip link set dev lo gso_max_segs 1"


def enter():
    """Begins this program anew in a namespace; returns when it is in one, or cannot be."""
    if os.environ.get(INSIDE) is not None:
        return
    os.environ[INSIDE] = "0"
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if not all(shutil.which(p) for p in ("unshare", "ip", "nft")):
        return
    own = ["unshare", "-n"] if os.getuid() == 0 else ["unshare", "-rn"]
    if subprocess.run(own + ["sh", "-c", UP + " && nft add table inet bad"], check=False,
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
        os.environ[INSIDE] = "1"
        os.execvp(own[0], own + ["sh", "-c", UP + ' && exec "$@"', "sh", sys.executable] + sys.argv)


def is_packets():
    return os.environ.get(INSIDE) == "1"


class Packets:
    """Drops and resets of one port, in the namespace's nftables."""

    def __init__(self, port, loss, reset):
        self.port = port
        ways = ("dport", "sport")
        rules = "\n".join(
            # A reset of our own making goes through: the other end notices by itself, later.
            ["tcp flags & rst == rst accept"] +
            [f"tcp {way} {port} numgen random mod 1000 < {int(loss * 1000)} counter drop" for way in ways] +
            [f"tcp {way} {port} numgen random mod 10000 < {int(reset * 10000)} counter reject with tcp reset"
             for way in ways] +
            [f"tcp {way} {port} counter accept" for way in ways])
        chain = "type filter hook input priority 0; policy accept;\n" + rules
        subprocess.run(["nft", "-f", "-"], text=True, check=True,
                       input="table inet bad {\nchain line {\n" + chain + "\n}\n}\n")
        self.address = f"127.0.0.1:{port}"

    def heal(self):
        self.text = self.figures()
        subprocess.run(["nft", "flush", "table", "inet", "bad"], check=True)

    def figures(self):
        out = subprocess.run(["nft", "-j", "list", "table", "inet", "bad"], check=True, text=True,
                             capture_output=True).stdout
        n = [e["counter"]["packets"] for r in json.loads(out)["nftables"] if "rule" in r
             for e in r["rule"]["expr"] if "counter" in e]
        sent = [n[0] + n[2] + n[4], n[1] + n[3] + n[5]]
        return (f"packets there {sent[0]}, lost {n[0] / max(sent[0], 1):.1%}, reset {n[2]}; "
                f"back {sent[1]}, lost {n[1] / max(sent[1], 1):.1%}, reset {n[3]}")


class Proxy:
    """Stalls and cuts, where packets cannot be touched."""

    def __init__(self, port, loss, reset):
        self.port = port
        self.loss = loss
        self.reset = reset * 10  # a chunk is several packets
        self.counts = [0, 0, 0]  # chunks, stalls, resets
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                return
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(a, b), daemon=True).start()

    def carry(self, a, b):
        try:
            while data := a.recv(4096):
                self.counts[0] += 1
                if random.random() < self.reset:
                    self.counts[2] += 1
                    for s in (a, b):
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
                while random.random() < self.loss:
                    self.counts[1] += 1
                    time.sleep(0.2)
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def heal(self):
        self.text = "no packet loss on this machine, a proxy instead: %d pieces, %d stalls, %d resets" % tuple(self.counts)
        self.loss = self.reset = 0


def make(port, loss, reset):
    return (Packets if is_packets() else Proxy)(port, loss, reset)
