"""The shells' completion as people meet it: real bash, zsh and fish with the installed scripts, asked by Tab where a
shell can be asked in no other way. A shell that is not installed is passed over, and said."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time

import harness
from harness import PATIENCE, check

FOLDER = None  # build/*/completion
ENV = None

# What is typed, what must be offered, what must not.
CASES = [
    ("ctxhctl dev", {"device"}, {"status"}),
    ("ctxhctl device ", {"invite", "list", "show", "revoke", "release"}, {"device", "status"}),
    ("ctxhctl quarantine d", {"discard"}, {"replay"}),
    ("ctxhctl device invite --", {"--unit", "--qr", "--clearance", "--socket", "--help"}, {"--attention"}),
    ("ctxhctl --format ", {"table", "json", "csv"}, {"status"}),
    ("ctxhctl log --outcome p", {"partial"}, {"ok"}),
    ("ctxh ", {"add", "sync", "search", "enrol"}, {"device"}),
    ("ctxh bundle ", {"out", "in"}, {"sync"}),
    ("ctxh sync --", {"--max-bytes", "--watch", "--digest", "--home"}, {"--where"}),
    ("ctxh list person --format js", {"json"}, {"csv"}),
]


def bash(line):
    """The function bash would call, with the variables it would set."""
    words = line.split(" ")
    script = f"""
    set -u
    source '{FOLDER}/bash/{words[0]}'
    complete -p {words[0]} | grep -q -- '-F _{words[0]}' || exit 9
    COMP_WORDS=({" ".join(f"'{w}'" for w in words)}); COMP_CWORD={len(words) - 1}
    compopt() {{ :; }}
    _{words[0]} {words[0]}
    printf '%s\\n' "${{COMPREPLY[@]-}}"
    """
    r = subprocess.run(["bash", "--norc", "-c", script], env=ENV, capture_output=True, text=True,
                       timeout=PATIENCE, check=False)
    check(r.returncode == 0 and not r.stderr, f"bash: {line!r}: {r.returncode} {r.stderr}")
    return set(r.stdout.split())


def fish(line):
    r = subprocess.run(["fish", "--no-config", "-c",
                        f"source {FOLDER}/fish/{line.split()[0]}.fish; complete -C {line!r}"],
                       env=ENV, capture_output=True, text=True, timeout=PATIENCE, check=False)
    check(r.returncode == 0 and not r.stderr, f"fish: {line!r}: {r.returncode} {r.stderr}")
    return {row.split("\t")[0] for row in r.stdout.splitlines()}


class Terminal:
    """A shell at a terminal; what it shows is read until it shows what was waited for."""

    def __init__(self, command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, dict(ENV, TERM="dumb", PS1="READY> ", COLUMNS="200"))
        self.shown = ""

    def send(self, text):
        os.write(self.fd, text.encode())

    def until(self, pattern):
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.shown):
            check(time.monotonic() < end, f"the terminal never showed {pattern!r}:\n{self.shown[-2000:]}")
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.shown += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    check(False, f"the shell ended:\n{self.shown[-2000:]}")
        got, self.shown = self.shown, ""
        return got

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


PROMPT = "READY> "
# What zsh's line editor says when it has taken the terminal over: what is sent earlier the kernel echoes.
ZSH_READY = PROMPT + "\x1b\\[\\?2004h"


def tab_in_bash():
    """One Tab at a prompt: the one candidate is put into the line."""
    t = Terminal(["bash", "--norc", "--noprofile", "-i"])
    t.until(PROMPT)
    t.send(f"source '{FOLDER}/bash/ctxhctl'; echo sour''ced\n")
    t.until("sourced\\r?\\n[^>]*" + PROMPT)
    t.send("ctxhctl quar\tdisc\t --he\t")
    t.until(r"ctxhctl quarantine discard +--help")
    t.close()


def zsh(t, line):
    """Tab at a prompt: the one candidate is in the line, or the candidates are listed below."""
    t.send(line + "\t")
    t.send("\x15echo zz''done\n")  # Ctrl-U: forget the line
    return t.until("zzdone\\r?\\n[^>]*" + ZSH_READY)


def tab_in_zsh(w):
    folder = os.path.join(w.dir, "zsh")
    os.mkdir(folder)
    for name in ("_ctxh", "_ctxhctl"):
        shutil.copy(os.path.join(FOLDER, "zsh", name), folder)
    t = Terminal(["zsh", "-f", "-i"])
    t.until(ZSH_READY)
    t.send(f"fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -d {w.dir}/zdump; echo set''up\n")
    t.until("setup\\r?\\n[^>]*" + ZSH_READY)
    for line, wanted, unwanted in CASES:
        shown = zsh(t, line)
        for word in wanted:
            check(word in shown, f"zsh: {line!r} does not offer {word}:\n{shown}")
        for word in unwanted:
            check(not re.search(rf"^{re.escape(word)} +--", shown, re.M), f"zsh: {line!r} offers {word}:\n{shown}")
    t.close()


def files(w):
    """Where a file is wanted, files are offered; where a folder is, only folders."""
    for name in ("ho-so.csv", "ho-so.yaml"):
        with open(os.path.join(w.dir, name), "w", encoding="ascii"):
            pass
    os.makedirs(os.path.join(w.dir, "ho-folder"))
    begin = os.path.join(w.dir, "ho-")
    want = {begin + "so.csv", begin + "so.yaml", begin + "folder"}
    check(bash(f"ctxh import person {begin}") == want, "bash: files")
    check(bash(f"ctxh --home {begin}") == {begin + "folder"}, "bash: folders")
    check(bash("ctxh list person --format = j") == {"json"}, "bash: a value behind =, which bash splits off")
    if shutil.which("fish"):
        got = {p.rstrip("/") for p in fish(f"ctxh import person {begin}")}
        check(got == want, f"fish: files: {got}")
        got = fish(f"ctxh --home={begin}")
        check({p.rstrip("/") for p in got} == {"--home=" + begin + "folder"}, f"fish: folders: {got}")
        check(fish("ctxh list person --format=j") == {"--format=json"}, "fish: a value inside the word")


def test(w, _args):
    global FOLDER, ENV
    FOLDER = os.path.join(os.path.dirname(w.bin), "completion")
    ENV = dict(os.environ, PATH=w.bin + ":" + os.environ["PATH"], HOME=w.dir, LC_ALL="C.UTF-8")
    for name, ask in (("bash", bash), ("fish", fish)):
        if not shutil.which(name):
            print(f"  {name} is not installed")
            continue
        for line, wanted, unwanted in CASES:
            got = ask(line)
            check(wanted <= got, f"{name}: {line!r} lacks {wanted - got}, has {got}")
            check(not unwanted & got, f"{name}: {line!r} offers {unwanted & got}")
        print(f"  {name}: {len(CASES)} lines")
    files(w)
    try:
        tab_in_bash()
    except FileNotFoundError as e:
        print(f"  no terminals here: {e}")
        return
    print("  bash: Tab at a prompt")
    if shutil.which("zsh"):
        tab_in_zsh(w)
        print(f"  zsh: {len(CASES)} lines, Tab at a prompt")
    else:
        print("  zsh is not installed")


sys.exit(harness.main(test, __doc__))
