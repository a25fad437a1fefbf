"""Every page and decision of the console in Debian's Chromium, over TLS, from the real daemon: cases.mjs, looks.mjs."""

import json
import os
import subprocess
import sys

import world
from world import harness

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = ("playwright-core", "axe-core")


def modules(args):
    """npm's packages, installed by scripts/test into the build folder."""
    folder = os.environ.get("CTXH_BROWSER_MODULES") or os.path.join(os.path.dirname(os.path.abspath(args.bin)),
                                                                    "browser", "node_modules")
    for package in PACKAGES:
        if not os.path.isdir(os.path.join(folder, package)):
            raise harness.Skipped(f"no {package} in {folder} (scripts/deps browser, tests/browser/install)")
    if not os.path.exists("/usr/bin/chromium"):
        raise harness.Skipped("Chromium is not installed (scripts/deps browser)")
    return folder


def test(w, args):
    env = dict(os.environ, CTXH_BROWSER_MODULES=modules(args))
    path = os.path.join(w.dir, "world.json")
    made = world.make(w)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(made, f)
    command = ["node", os.path.join(HERE, "pages.mjs"), path]
    for option in ("shots", "only"):
        if getattr(args, option):
            command += ["--" + option, getattr(args, option)]
    if args.shots:
        os.makedirs(args.shots, exist_ok=True)
    sys.stdout.flush()
    code = subprocess.run(command, env=env, timeout=30 * harness.PATIENCE, check=False).returncode
    harness.check(code == 0, "see above")
    w.ctl("verify")


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__, {"--shots": {"help": "folder for a picture of every page"},
                                          "--only": {"help": "one case"}}))
