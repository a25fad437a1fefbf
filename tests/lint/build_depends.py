#!/usr/bin/env python3
"""build_depends - debian/control asks for the libraries that scripts/deps installs to build, and for no other.

usage: build_depends.py ROOT
"""

import os
import re
import sys

# What only the tests need, and what scripts/deps has for machines with nothing on them.
NOT_TO_BUILD = {"libcmocka-dev", "libc6-dev"}


def libraries(names):
    return {n for n in names if n.endswith("-dev")} - NOT_TO_BUILD


def main():
    root = sys.argv[1]
    with open(os.path.join(root, "scripts/deps"), encoding="utf-8") as f:
        installed = libraries(re.search(r"packages_build='([^']*)'", f.read())[1].split())
    with open(os.path.join(root, "debian/control"), encoding="utf-8") as f:
        field = re.search(r"^Build-Depends:\n((?: .*\n)+)", f.read(), re.M)[1]
    asked = libraries(re.findall(r"^ ([a-z0-9.+-]+)", field, re.M))
    for name in sorted(installed ^ asked):
        print(f"{name}: only in {'scripts/deps' if name in installed else 'debian/control'}")
    return 1 if installed != asked or not asked else 0


if __name__ == "__main__":
    sys.exit(main())
