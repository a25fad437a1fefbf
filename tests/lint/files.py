#!/usr/bin/env python3
"""files - docs/architecture.md has one line for each module, in the words of its own first comment.

usage: files.py ROOT [--write]      without --write: exit 1 when the document differs
"""

import os
import re
import sys

FOLDERS = ["common/base", "common/model", "common/text", "common/report", "proto", "daemon", "client", "admin", "tests/support",
           "tests/sim", "tests/fault", "tests/bench"]
START, END = "<!-- files -->", "<!-- end of files -->"


def first_sentence(path):
    with open(path, encoding="utf-8") as f:
        text = f.read(1500)
    m = re.match(r"/\*\s*(?:\*\s*)?([\w./ -]+?) - (.+?)(?:\n \*\n|\*/|\n \*/)", text, re.S)
    if not m:
        return None
    words = " ".join(line.strip(" *") for line in m.group(2).splitlines()).strip()
    return re.split(r"(?<=[.;]) |(?<=[.;])$", words)[0].rstrip(".;")


def modules(root, folder):
    names = {}
    for name in sorted(os.listdir(os.path.join(root, folder))):
        stem, ext = os.path.splitext(name)
        if ext in (".c", ".h"):
            names.setdefault(stem, []).append(ext)
    # A source without a header of its own belongs to the module whose name starts its own.
    for stem, exts in sorted(names.items()):
        parent = next((s for s in sorted(names, key=len, reverse=True)
                       if s != stem and stem.startswith(s + "_") and ".h" in names[s]), None)
        if ".h" not in exts and parent and first_sentence(os.path.join(root, folder, stem + ".c")) is None:
            continue
        yield stem, exts


def listing(root):
    out = []
    for folder in FOLDERS:
        if not os.path.isdir(os.path.join(root, folder)):
            continue
        out.append(f"\n`{folder}/`\n\n| module | what |\n|---|---|\n")
        for stem, exts in modules(root, folder):
            said = None
            for ext in sorted(exts, reverse=True):
                said = said or first_sentence(os.path.join(root, folder, stem + ext))
            shown = f"{stem}.[ch]" if len(exts) == 2 else stem + exts[0]
            out.append(f"| `{shown}` | {said or '?'} |\n")
    return "".join(out)


def main():
    root = sys.argv[1]
    path = os.path.join(root, "docs/architecture.md")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    body = listing(root)
    nameless = re.findall(r"\| `([^`]+)` \| \? \|", body)
    for name in nameless:
        print(f"{name}: its first comment does not say what it is")
    head, _, rest = text.partition(START)
    tail = rest.partition(END)[2]
    wanted = f"{head}{START}\n{body}\n{END}{tail}"
    if "--write" in sys.argv:
        with open(path, "w", encoding="utf-8") as f:
            f.write(wanted)
    elif wanted != text:
        print("docs/architecture.md is not what the files say; run tests/lint/files.py . --write")
        return 1
    return 1 if nameless else 0


if __name__ == "__main__":
    sys.exit(main())
