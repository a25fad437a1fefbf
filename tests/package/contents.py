#!/usr/bin/env python3
"""contents - builds the Debian packages, has lintian look at them, and compares what is in them with contents.txt.

usage: contents.py --out FOLDER [--write]     --write: contents.txt is what was built
"""

import argparse
import difflib
import glob
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LIST = os.path.join(HERE, "contents.txt")
PACKAGES = ("ctxh", "ctxhctl", "ctxhd")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


# Whole folders of the source: what is in them is in the package, and is not listed one by one.
FOLDERS = {"/usr/share/ctxh/web": "web", "/usr/share/ctxh/schema": "schema"}


def source_files(folder):
    """As git knows them; the tree may have an editor's leavings."""
    git = ["git", "-c", "safe.directory=" + ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(git + [folder], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return {n[len(folder) + 1:] for n in names if n and os.path.exists(os.path.join(ROOT, n))}


def listing(deb):
    """Mode, owner and path of every file, without sizes and times; what it needs of ctxh's own packages."""
    out = []
    found = {folder: set() for folder in FOLDERS}
    for line in subprocess.run(["dpkg-deb", "--contents", deb], check=True, capture_output=True, text=True).stdout.splitlines():
        mode, owner, _, _, _, path = line.split(None, 5)
        path = path.removeprefix(".")
        folder = next((f for f in FOLDERS if path.startswith(f + "/")), None)
        # Which documents there are is debian/*.docs' to say; debhelper fails when one is missing.
        if mode.startswith("d") or (path.startswith("/usr/share/doc/") and path.endswith((".md", ".md.gz"))):
            continue
        if folder is None or mode != "-rw-r--r--" or owner != "root/root":
            out.append(f"  {mode} {owner} {path}")
        else:
            found[folder].add(path[len(folder) + 1:])
    for folder, names in found.items():
        if names and names == source_files(FOLDERS[folder]):
            out.append(f"  -rw-r--r-- root/root {folder}/… as in {FOLDERS[folder]}/")
        elif names:
            out.append(f"  {folder}: other than {FOLDERS[folder]}/: {sorted(names ^ source_files(FOLDERS[folder]))}")
    control = subprocess.run(["dpkg-deb", "--ctrl-tarfile", deb], check=True, capture_output=True).stdout
    names = subprocess.run(["tar", "-t"], input=control, check=True, capture_output=True).stdout.decode().split()
    out += [f"  control {n[2:]}" for n in sorted(names) if n != "./"]
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--out", required=True)
    p.add_argument("--write", action="store_true")
    args = p.parse_args()
    for tool in ("dh", "lintian", "dpkg-buildpackage", "git"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed (scripts/deps package)")
    if not os.path.exists(os.path.join(ROOT, ".git")):
        skip("not a git checkout")
    r = subprocess.run([os.path.join(ROOT, "scripts/package"), "--out", args.out], check=False)
    if r.returncode != 0:
        print("scripts/package failed, or lintian has a word to say")
        return 1
    lines = []
    for name in PACKAGES:
        debs = glob.glob(os.path.join(args.out, f"{name}_*.deb"))
        if len(debs) != 1:
            print(f"{name}: {debs}")
            return 1
        lines += [name] + listing(debs[0])
    text = "".join(line + "\n" for line in lines)
    if args.write:
        with open(LIST, "w", encoding="utf-8") as f:
            f.write(text)
        return 0
    with open(LIST, encoding="utf-8") as f:
        wanted = f.read()
    sys.stdout.writelines(difflib.unified_diff(wanted.splitlines(True), text.splitlines(True), "contents.txt", "built"))
    return 0 if text == wanted else 1


if __name__ == "__main__":
    sys.exit(main())
