#!/usr/bin/env python3
"""guide - every command the documents for administrators name is there, with the options they give it.

usage: guide.py <repository root> <folder of ctxh, ctxhctl, ctxhd>

Commands are what stands in code: lines of a block that begin with "$ ", and `ctxhctl …` in a line of text. The texts
of alerts (daemon/alert.h) are held to the same. The guide must tell of every kind of alert by its name.
"""

import os
import re
import shlex
import subprocess
import sys

GUIDE = "docs/huong-dan-quan-tri.md"
DOCUMENTS = [GUIDE, "docs/operations.md"]
PROGRAMS = ("ctxh", "ctxhctl", "ctxhd")


def words_of(line):
    """A line of a shell as words, up to what another program takes; None: not one of ours."""
    line = re.sub(r"\s#\s.*$", "", line)
    line = re.split(r"\s(?:\||>|&&)\s|;\s", line)[0]
    try:
        words = shlex.split(line.replace("…", "…"))
    except ValueError:
        words = line.split()
    while words and (words[0] == "sudo" or "=" in words[0]):
        words = words[1:]
    return words if words and os.path.basename(words[0]) in PROGRAMS else None


def commands_in(text):
    """(line number, words) of every command."""
    is_block = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            is_block = not is_block
        elif is_block:
            words = words_of(re.sub(r"^\s*\$ ", "", line)) if line.lstrip().startswith(("$ ", *PROGRAMS)) else None
            if words:
                yield number, words
        else:
            for code in re.findall(r"`([^`]+)`", line):
                words = words_of(code)
                if words and len(words) > 1:
                    yield number, words


class Program:
    """What --help says of a program, asked once."""

    def __init__(self, folder, name):
        self.path = os.path.join(folder, name)
        self.name = name
        self.helps = {}
        text = self.help_of(())
        part = text[text.index("(commands)"):text.index("(options)")] if "(commands)" in text else ""
        self.commands = {n.strip() for n in
                         re.findall(r"^  ([a-z]+(?: [a-z]+)?)(?= {2,}|$| [A-Z\[]| field)", part, re.M)}

    def help_of(self, command):
        if command not in self.helps:
            r = subprocess.run([self.path, *command, "--help"], capture_output=True, text=True, check=False)
            if r.returncode != 0:
                raise SystemExit(f"{self.name} {' '.join(command)} --help: exit {r.returncode}\n{r.stderr}")
            self.helps[command] = r.stdout
        return self.helps[command]

    def global_options(self):
        return set(re.findall(r"--[a-z][a-z-]*", self.help_of(())))

    def wrong_in(self, words):
        """What there is not, or None."""
        options = [w.split("=")[0] for w in words if w.startswith("--")]
        plain = [w for w in words if re.fullmatch(r"[a-z]+", w)]
        if not self.commands:
            command = ()
        elif " ".join(plain[:2]) in self.commands:
            command = tuple(plain[:2])
        elif plain and plain[0] in self.commands:
            command = (plain[0],)
        elif plain and len(plain) == 1 and len(words) == 1:
            # A group in a sentence: `ctxhctl duplicate`.
            return None if any(c.startswith(plain[0] + " ") for c in self.commands) else f"no command {plain[0]}"
        elif not plain and options:
            command = ()
        else:
            return f"no command {' '.join(plain[:2]) or '?'}"
        known = set(re.findall(r"--[a-z][a-z-]*", self.help_of(command))) | self.global_options()
        missing = [o for o in options if o not in known]
        return f"{' '.join(command)}: no option {', '.join(missing)}" if missing else None


def skip_globals(words):
    """`ctxhctl --socket X status`: what stands before the command is not the command."""
    rest = list(words)
    while rest and rest[0].startswith("-"):
        takes = rest[0].split("=")[0] in ("--socket", "--server", "--account", "--fingerprint", "--home", "--state",
                                          "--config", "--format", "--restore", "--key", "--schema", "--listen")
        rest = rest[2:] if takes and "=" not in rest[0] else rest[1:]
    return rest


def check(programs, name, text):
    bad = []
    count = 0
    for number, words in commands_in(text):
        program = programs[os.path.basename(words[0])]
        rest = words[1:]
        wrong = program.wrong_in(rest if program.name == "ctxhd" else
                                 skip_globals(rest) + [w for w in rest if w.startswith("--")])
        count += 1
        if wrong:
            bad.append(f"{name}:{number}: {' '.join(words)}: {wrong}")
    return bad, count


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read()


def main(root, folder):
    programs = {name: Program(folder, name) for name in PROGRAMS}
    bad, counts = [], {}
    for path in DOCUMENTS:
        wrong, counts[path] = check(programs, path, read(root, path))
        bad += wrong
    alerts = read(root, "daemon/alert.h")
    kinds = re.findall(r'X\((\w+), (?:true|false), "([^"]+)"', alerts)
    advice = "\n".join(f"`{c.strip(' .')}`" for c in re.findall(r"ctxhctl [^;\"]+", alerts))
    wrong, counts["daemon/alert.h"] = check(programs, "daemon/alert.h", advice)
    bad += wrong
    guide = read(root, GUIDE)
    bad += [f"{GUIDE}: nothing of the alert {name} ({label})" for name, label in kinds if label not in guide]
    # A check that finds nothing to check proves nothing.
    if len(kinds) < 10 or counts[GUIDE] < 40 or counts["daemon/alert.h"] < 8:
        bad.append(f"too little was found to check: {counts}, {len(kinds)} kinds")
    control, _ = check(programs, "control", "`ctxhctl nonsense list`\n`ctxhctl log --nonsense`\n```\n$ ctxh invent\n```\n")
    if len(control) != 3:
        bad.append(f"what is not there is not found: {control}")
    print("\n".join(bad) if bad else f"{sum(counts.values())} commands")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
