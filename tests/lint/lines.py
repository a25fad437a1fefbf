#!/usr/bin/env python3
"""lines - every line the daemon can write to the journal stands in docs/operations.md, with cause and effect.

usage: lines.py <repository root>

Levels err, warn, notice; `info` is one line a contact, `debug` is for developers. A line is known there by its tag and
its first words, up to the first value.
"""

import glob
import os
import re
import sys

CALL = re.compile(r'\blog_(err|warn|notice)\(\s*((?:"(?:[^"\\]|\\.)*"\s*(?:PRI\w+\s*)?)+)')
PIECE = re.compile(r'"((?:[^"\\]|\\.)*)"')


def beginnings(text):
    """(level, "tag: first words") of every line a source file writes."""
    tag = re.search(r'^#define LOG_TAG "(\w+)"', text, re.M)
    for call in CALL.finditer(text):
        words = "".join(PIECE.findall(call[2]))
        yield call[1], f"{tag[1] if tag else '?'}: {re.split('[=%]', words)[0].strip()}"


def lacking(text, document):
    """What is written and not explained. `error=` and the like may stand behind the words."""
    return [(level, line) for level, line in beginnings(text)
            if line not in document and re.sub(r" \w+$", "", line) + " …" not in document]


def main():
    root = sys.argv[1]
    with open(os.path.join(root, "docs/operations.md"), encoding="utf-8") as f:
        document = f.read()
    # It is of use only if it notices.
    planted = '#define LOG_TAG "store"\nlog_warn("never heard of x=%d", 1);\nlog_err("%s", text);\n'
    if [line for _, line in lacking(planted, document)] != ["store: never heard of x"]:
        print(f"lines.py does not notice: {lacking(planted, document)}")
        return 1
    bad = count = 0
    for path in sorted(glob.glob(os.path.join(root, "daemon/*.c"))):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        count += sum(1 for _ in beginnings(text))
        for level, line in lacking(text, document):
            print(f"{os.path.relpath(path, root)}: {level} “{line}” is not in docs/operations.md")
            bad = 1
    print(f"{count} lines")
    return bad if count > 40 else 1


if __name__ == "__main__":
    sys.exit(main())
