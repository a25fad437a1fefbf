"""web - the console's pages keep their rules: text in text.js, no inline script or style, nothing from elsewhere, small modules.
usage: web.py <repository root>"""

import os
import re
import shutil
import subprocess
import sys

LINES_MOST = 300
USES = re.compile(r'\b(?:t|tt|vi)\("([a-z0-9_]+)"\)')
COLUMNS = re.compile(r'\b(?:text|caption|empty): "([a-z0-9_]+)"(?! \+)')
NAMED = re.compile(r'"([a-z0-9_]+)"|\b([a-z0-9_]+):')
PREFIXES = ("state_", "role_", "theme_", "outcome_", "device_", "like_", "late_", "result_",
            "count_", "erase_", "import_", "span_", "decision_", "way_", "alert_", "metric_", "reason_", "transport_")  # the rest of the key is a value of the API
FORBIDDEN = {
    "innerHTML and its like": re.compile(r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\()"),
    "a style attribute": re.compile(r"\bstyle=|[\"']style[\"']|\bstyle:|\.cssText"),
    "an inline handler": re.compile(r"<[^>]*\son[a-z]+="),
    "something from elsewhere": re.compile(r"(?<!xmlns=\")https?://"),
    "a kept value": re.compile(r"sessionStorage|indexedDB|document\.cookie"),
}


# theme.js is a script, all others are modules.
PARSE = """
const {readFileSync} = require("node:fs"), vm = require("node:vm");
for (const path of process.argv.slice(1)) {
	try {
		const text = readFileSync(path, "utf8"), how = {filename: path, identifier: path};
		path.endsWith("/theme.js") ? new vm.Script(text, how) : new vm.SourceTextModule(text, how);
	} catch (e) {
		console.log(path + ": " + (e.stack ?? e).split("\\n").slice(0, 5).join(" "));
		process.exitCode = 1;
	}
}
"""


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def files(folder):
    for top, _, names in os.walk(folder):
        for name in sorted(names):
            yield os.path.join(top, name)


def check_file(path, text, bad):
    if path.endswith(".js") and text.count("\n") > LINES_MOST and not path.endswith("/text.js"):
        bad.append(f"{path}: more than {LINES_MOST} lines")
    for what, pattern in FORBIDDEN.items():
        for n, line in enumerate(text.split("\n"), 1):
            if what == "a style attribute" and path.endswith(".css"):
                continue
            if pattern.search(line) and not line.lstrip().startswith("//"):
                bad.append(f"{path}:{n}: {what}")
    if path.endswith(".html") and re.search(r"<script(?![^>]*\ssrc=)|<style", text):
        bad.append(f"{path}: inline script or style")
    if "localStorage" in text and not path.endswith("/theme.js"):
        bad.append(f"{path}: only theme.js keeps a preference")


def check_text(scripts, bad):
    words = next(text for path, text in scripts.items() if path.endswith("/text.js"))
    keys = re.findall(r"^\t([a-z0-9_]+): \[", words, re.M)
    for key in sorted({k for k in keys if keys.count(k) > 1}):
        bad.append(f"text.js: {key} twice")
    named = set()
    for path, text in scripts.items():
        if path.endswith("/text.js"):
            continue
        for key in USES.findall(text):
            if key not in keys:
                bad.append(f"{path}: no text called {key}")
        for key in COLUMNS.findall(text):
            if key not in keys:
                bad.append(f"{path}: no text called {key}")
        named.update(a or b for a, b in NAMED.findall(text))
    for key in keys:
        if key not in named and not key.startswith(PREFIXES):
            bad.append(f"text.js: nobody says {key}")


SHARED = ("device_", "like_", "result_", "reason_", "decision_", "transport_")  # ctxhctl has words for these, too
APART = {"reason_forked"}  # there a device's state


def check_labels(root, scripts, bad):
    """One thing has one name, in the console and in ctxhctl's tables."""
    words = next(text for path, text in scripts.items() if path.endswith("/text.js"))
    texts = dict(re.findall(r'^\t([a-z0-9_]+): \["([^"]*)"', words, re.M))
    labels = dict(re.findall(r'\{"(\w+)", "([^"]+)", TABLE_', read(os.path.join(root, "admin/labels.c")).split("own_fields")[0]))
    if len(labels) < 30:
        bad.append("admin/labels.c: no words found")
    for code, word in labels.items():
        for key in (prefix + code for prefix in SHARED):
            if key not in APART and texts.get(key, word) != word:
                bad.append(f"text.js: {key} is “{texts[key]}”, in admin/labels.c “{word}”")


def check_syntax(paths, bad):
    """One node for all of them; without one the browser's tests are what finds it."""
    node = shutil.which("node")
    if node is None:
        return
    r = subprocess.run([node, "--no-warnings", "--experimental-vm-modules", "-e", PARSE, *paths], text=True,
                       capture_output=True, check=False)
    if r.returncode != 0:
        bad.append(r.stdout + r.stderr)


def main(root):
    bad = []
    scripts = {}
    for path in files(os.path.join(root, "web")):
        if not path.endswith((".js", ".html", ".css", ".svg")):
            bad.append(f"{path}: what is it?")
            continue
        text = read(path)
        check_file(path, text, bad)
        if path.endswith(".js"):
            scripts[path] = text
    check_text(scripts, bad)
    check_labels(root, scripts, bad)
    check_syntax([*scripts, *(p for p in files(os.path.join(root, "tests/browser")) if p.endswith(".mjs"))], bad)
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
