#!/usr/bin/env python3
"""settings - every key of the configuration stands in docs/operations.md, with its default and whether it takes a
restart, and nothing else does.

usage: settings.py <repository root>"""
import os
import re
import sys

GIB = 1 << 30
DAY_MS = 86400000
UNITS = {"ms": 1, "s": 1000, "m": 60000, "h": 3600000, "d": DAY_MS, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": GIB, "": 1}
KEY = re.compile(r'^\t\{"([a-z_.]+)",\s*KEY_(\w+),\s*(true|false),.*, ([^,]+)\},$', re.M)
ROW = re.compile(r"^\| `([a-z_.]+)` \| (.*?) \| (\[\*\])? ?\| .+ \|$", re.M)


def number(text):
    found = re.fullmatch(r"`([0-9]+)([A-Za-z]*)`", text)
    return int(found[1]) * UNITS[found[2]] if found else None


def main(root):
    with open(os.path.join(root, "daemon/config.c"), encoding="utf-8") as f:
        keys = {m[1]: m for m in KEY.finditer(f.read())}
    with open(os.path.join(root, "docs/operations.md"), encoding="utf-8") as f:
        chapter = f.read().split("\n## Every setting\n")[1].split("\n## ")[0]
    rows = {m[1]: m for m in ROW.finditer(chapter)}
    bad = [f"{name}: in daemon/config.c, and no row of docs/operations.md" for name in keys if name not in rows]
    bad += [f"{name}: a row of docs/operations.md, and not in daemon/config.c" for name in rows if name not in keys]
    for name, row in rows.items():
        if name not in keys:
            continue
        _, kind, is_fixed, preset = keys[name].groups()
        if (row[3] is not None) != (is_fixed == "true"):
            bad.append(f"{name}: [*] is for what takes a restart, and {is_fixed}")
        if kind not in ("TEXT", "LIST") and number(row[2]) != eval(preset):  # of our own source
            bad.append(f"{name}: {row[2]} is not {preset}")
    print("\n".join(bad) or f"{len(rows)} settings")
    return 1 if bad or len(rows) < 20 else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
