"""Every command of ctxhctl on the demo's data, in the order an office would type them, beside docs/transcript-ctxhctl.md:
what the document shows is what the programs print. Times, ids, keys, sizes and the like are another run's; all else must
be the same. A command that --help names and the transcript lacks fails, too.

--write makes the document anew (by hand, with an optimised build: python3 tests/integration/transcript.py --bin
build/release/bin --write).
"""

import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys

import harness
from harness import ROOT, Peer, check

DOCUMENT = os.path.join(ROOT, "docs/transcript-ctxhctl.md")
WIDTH = "240"  # no cell is cut: where one would be depends on what changes
HEAD = 14  # lines of one answer that are kept, unless said otherwise
PLACE = "/srv/ctxh"  # stands for the test's own folder

INTRODUCTION = """# Every command of `ctxhctl`, once

Mỗi lệnh của `ctxhctl`, chạy thật trên dữ liệu trình diễn: bốn xã của Bình Phước (`tests/data/binhphuoc`), hai người cùng
sửa một ô, một máy gửi điều sai, một xã bị chia. Bảng dài chỉ giữ phần đầu.

A real run, not written by hand: `tests/integration/transcript.py` starts the daemon and the communes' clients, runs what
stands here, and fails when an answer differs in more than times, ids, keys and sizes, or when `ctxhctl --help` has a
command that is missing here. What each option means: `docs/cli.md`, `man ctxhctl`; what to do when: `docs/huong-dan-quan-tri.md`.
"""


class Book:
    """What was run and what came, as a document."""

    def __init__(self, w):
        self.w = w
        self.parts = [INTRODUCTION]
        self.block = []
        self.run_commands = set()
        self.env = dict(w.env, COLUMNS=WIDTH)

    def heading(self, words):
        self.close()
        self.parts.append(f"\n## {words}\n")

    def say(self, words):
        self.close()
        self.parts.append(f"\n{words}\n")

    def close(self):
        if self.block:
            self.parts.append("\n```\n" + "\n".join(self.block) + "\n```\n")
        self.block = []

    def run(self, *args, keep=HEAD, code=0, env=None, before=()):
        """`before`: options in front of the command, which the document does not repeat. Gives what it printed."""
        r = subprocess.run([self.w.program("ctxhctl"), *before, *args], env=dict(self.env, **(env or {})), cwd=self.w.dir,
                           capture_output=True, text=True, timeout=5 * harness.PATIENCE, check=False)
        check(r.returncode == code, f"{args}: exit {r.returncode}\n{r.stdout[-2000:]}{r.stderr[-2000:]}")
        lines = (r.stdout + r.stderr).replace(self.w.dir, PLACE).rstrip("\n").split("\n") if r.stdout + r.stderr else []
        shown = "ctxhctl " + " ".join(shlex.quote(a) if re.search(r"[^\w./:,=@%+-]", a) else a for a in args)
        self.block.append("$ " + shown.replace(self.w.dir, PLACE))
        if len(lines) > keep + 1:
            lines = lines[:keep] + [f"… {len(lines) - keep} dòng nữa / more lines"]
        self.block += [line.rstrip() for line in lines]
        if code != 0:
            self.block.append(f"(mã thoát / exit code {code})")
        self.run_commands.add(tuple(args[:2]))
        return r.stdout

    def text(self):
        self.close()
        return "".join(self.parts)


# ---- what differs from run to run

UNSTABLE = [
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z?(?:[+-]\d\d:\d\d)?", "<time>"),
    (r"\b\d{8}T\d{6}Z", "<time>"),
    (r"\d\d/\d\d/\d{4} \d\d:\d\d(?::\d\d)?(?:[.,]\d+)?", "<time>"),
    (r"(?:\d\d/\d\d/20(?:2[4-9]|[3-9]\d)|20(?:2[4-9]|[3-9]\d)-\d\d-\d\d)(?:-\d+)?", "<day>"),
    (r"ctxh\S*//\S+", "<invitation>"),
    (r"\b[0-9a-f]{12,}\b", "<id>"),
    (r"(?<=: )[A-Za-z0-9]{4,6}(?:-[A-Za-z0-9]{4,6}){2,}", "<password>"),
    (r"\b127\.0\.0\.1(?::\d+)?", "<address>"),
    (r"uid:\d+", "<caller>"),
    (r"\b0\.\d+\.\d+\b", "<version>"),
    (r"[\d.,]+ (?:[KMGT]i?B|B|byte)\b", "<size>"),
    (r"(?<![\w-])[+−-]?[\d.,]+ (?:ms|s|giây|phút|min|giờ|h)(?!\w)", "<span>"),
]
# Commands whose answers have counts of bytes, of milliseconds and of the daemon's own work.
LOOSE = ("log", "health", "backup", "status", "alert", "device", "bundle", "restore", "audit", "board", "verify")


def canonical(text):
    out = []
    is_loose = False
    for line in text.split("\n"):
        if line.startswith("$ ctxhctl "):
            is_loose = line.split()[2] in LOOSE
        for pattern, name in UNSTABLE:
            line = re.sub(pattern, name, line)
        if is_loose and not line.startswith("$"):
            line = re.sub(r"(?<![\w<])[+−-]?\d[\d.,]*(?!\w)", "#", line)
        line = re.sub(r"[─-]{3,}", "---", line)
        out.append(re.sub(r"\s+", " ", line).strip())
    return out


# ---- the office

COMMUNES = ("25195", "25198", "25201", "25204")


def communes(w, b):
    b.heading("1. Đơn vị và máy / units and devices")
    shutil.copy(os.path.join(ROOT, "tests/data/units/units_binhphuoc_2021.csv"), w.dir)
    b.run("unit", "import", "units_binhphuoc_2021.csv", "--from", "2021-02-01")
    b.run("unit", "list", "--on", "2021-04-13", keep=6)
    b.run("device", "invite", "--unit", "25207", "--on", "2021-04-13", "--author", "Trần Văn Chờ")
    clients = {}
    for code in COMMUNES:
        clients[code] = w.client(f"Máy xã {code}", code, "--author", f"CTV xã {code}")
        clients[code]("import", "any", os.path.join(ROOT, f"tests/data/binhphuoc/{code}.csv"))
        clients[code]("sync")
    b.say("Bốn xã kết nạp máy của mình, nhập sổ, đồng bộ (`ctxh enrol`, `import`, `sync`). Văn phòng thấy:")
    b.run("device", "list")
    b.run("device", "show", "2")
    return clients


def happenings(w, clients):
    """Two who edit one field; two records of one man; a device that is wrong."""
    one = clients["25195"]
    two = w.client("Máy thứ hai", "25195", "--author", "Trần Thị Bình")
    people = [one.add("person", full_name=name, sex="female", birth_date=born)
              for name, born in (("Thị Mai", "1962-03-04"), ("Thị Lan", "1957"))]
    one("sync")
    two("sync")
    for n, person in enumerate(people):
        one("edit", person, f"hamlet=Ấp {n + 1}")
        two("edit", person, f"hamlet=Sóc Bù Nho {n + 1}")
    one("sync")
    two("sync", code=4)
    one("sync")
    doubles = [one.add("person", full_name="Điểu Hai Lần", sex="male", birth_date="1970-01-01"),
               one("add", "person", "full_name=Điểu Hai Lần", "sex=male", "birth_date=1970-01-01", "--even-so").stdout
               .split()[0]]
    one("sync")
    peer = Peer(w, w.invite("25210", "--author", "Người lạ"), is_quiet=True)
    for word in ("good", "wrong_type", "no_such_code", "gap"):
        peer(word)
    peer.close()
    return people, doubles


def looking(w, b, people):
    b.heading("2. Nhìn qua mỗi ngày / a look every day")
    b.run("status", keep=24)
    b.run("board", "--attention", keep=8)
    b.run("missing", code=4)
    b.run("health", keep=20)
    b.run("log", "--limit", "6")
    partial = w.ctl_json("log", "--outcome", "partial", "--unit", "25195")[0]["session"]
    b.run("log", "show", str(partial), keep=20)
    b.run("record", "show", people[0], keep=20)


def deciding(b, doubles):
    b.heading("3. Quyết định, và rút lại / deciding, and taking it back")
    b.run("conflict", "list", "--open")
    b.run("conflict", "show", "1", keep=20)
    b.run("conflict", "restore", "1")
    b.run("conflict", "keep", "2")
    b.run("conflict", "list", "--decided")
    b.run("conflict", "reopen", "1")
    b.run("quarantine", "list", "--open")
    b.run("quarantine", "show", "2", keep=20)
    b.run("quarantine", "replay", "2", code=1)
    b.run("quarantine", "discard", "2", "--why", "mã giới tính không có; xã đã ghi lại")
    b.run("quarantine", "reopen", "2")
    b.run("duplicate", "list", "--limit", "3")
    b.run("duplicate", "join", *doubles)
    b.run("duplicate", "split", doubles[1])
    b.run("duplicate", "distinct", *doubles)
    b.run("duplicate", "list", "--distinct")
    b.run("duplicate", "reopen", *doubles)


def placing(w, b, clients):
    b.heading("4. Xã bị chia / a commune that was divided")
    person = clients["25204"].add("person", full_name="Lâm Chờ Xếp", sex="male", birth_date="1951")
    clients["25204"]("sync")
    with open(os.path.join(w.dir, "chia.csv"), "w", encoding="utf-8") as f:
        f.write("old_code,new_code,part\n25204,25195,partial\n25204,25198,partial\n")
    b.run("unit", "succession", "chia.csv", "--on", "2021-06-01")
    b.run("unit", "placing")
    b.run("unit", "placing", "--unit", "25204", keep=6)
    b.run("unit", "place", person, "--unit", "25198")


PERIOD = ("--unit", "70", "--on", "2021-04-13", "--from", "2020-01-01", "--to", "2020-12-31")


def asking(w, b):
    b.heading("5. Báo cáo và câu hỏi / reports and questions")
    b.run("query", "SELECT u.code, u.name, count(*) AS workers FROM worker_assignment a JOIN commune u ON u.unit = a.unit "
          "GROUP BY 1, 2 ORDER BY 1")
    b.run("report", "list", keep=8)
    b.run("report", "run", "CT02", *PERIOD, keep=20)
    b.run("report", "freeze", "CT02", *PERIOD)
    with open(os.path.join(w.dir, "chi-tieu.json"), "w", encoding="utf-8") as f:
        f.write('[{"type": "target", "unit": "70", "fields": {"indicator": "CT02", "year": 2020, "value": 100}}]\n')
    b.run("import", "accept", "chi-tieu.json")
    b.run("report", "frozen")
    b.run("report", "print", "1", keep=8)
    b.run("report", "late", "1", keep=20, code=4)


def carrying(w, b, clients):
    b.heading("6. Bằng USB / by hand")
    c = clients["25201"]
    c.add("person", full_name="Thị Đường Xa", sex="female", birth_date="1960")
    c("bundle", "out", os.path.join(w.dir, "xa-25201.ctxh"))
    b.run("bundle", "in", "xa-25201.ctxh", "--out", "xa-25201-tra-ve.ctxh")
    c("bundle", "in", os.path.join(w.dir, "xa-25201-tra-ve.ctxh"))


def accounts(w, b):
    b.heading("7. Tài khoản, và từ máy khác / accounts, and from another machine")
    b.run("account", "add", "Lan", "--role", "administrator")
    made = w.ctl_json("account", "add", "Uyên", "--role", "auditor")
    for name, text in (("first", made["password"]), ("chosen", "một câu dài của tôi")):
        with open(os.path.join(w.dir, name), "w", encoding="utf-8") as f:
            f.write(text + "\n")
    b.say("Từ máy khác, với `--server`, `--account`, `--fingerprint` (dưới đây không nhắc lại); mật khẩu gõ vào, hay từ tệp.")
    before = ("--server", f"127.0.0.1:{w.port}", "--account", "Uyên", "--fingerprint", made["fingerprint"])
    b.run("account", "password", before=before, env={"CTXH_PASSWORD_FILE": "first", "CTXH_NEW_PASSWORD_FILE": "chosen",
                                                     "CTXH_ADMIN_SOCKET": "/nowhere"})
    b.run("account", "list")
    b.run("account", "units", "Lan", "25195,25201")
    b.run("account", "units", "Lan", "--all")
    b.run("account", "role", "Lan", "reviewer")
    b.run("account", "reset", "Lan")
    b.run("account", "remove", "Lan")


def keeping(w, b, people):
    b.heading("8. Sao lưu, vết, kiểm tra, xóa theo luật / backups, audit, verify, erasure")
    b.run("backup", "keygen", "-o", "van-phong.key")
    b.run("backup", "now")
    b.run("backup", "list")
    b.run("backup", "verify", "1")
    kept = w.ctl_json("backup", "list")[0]["path"]
    b.run("restore", kept, "--state", "phuc-hoi", "--key", os.path.join(w.state, "backup.key"), keep=20)
    b.run("alert", "show", keep=24)
    b.run("alert", "send")
    b.run("alert", "test")
    b.run("erase", people[1], "--why", "người này yêu cầu", "--basis", "Luật Bảo vệ dữ liệu cá nhân", "--dry-run")
    b.run("erase", people[1], "--why", "người này yêu cầu", "--basis", "Luật Bảo vệ dữ liệu cá nhân")
    b.run("audit", "list", "--limit", "4")
    b.run("audit", "checkpoint", "-o", "moc.vet")
    b.run("audit", "verify")
    b.run("audit", "verify", "moc.vet")
    b.run("verify")


def parting(w, b):
    b.heading("9. Máy mất, máy hỏng / devices lost and broken")
    b.run("device", "revoke", "3", "--why", "mất máy")
    peer = Peer(w, w.invite("25213"), is_quiet=True)
    peer("good")
    peer("fork")
    peer.close()
    b.run("device", "release", str(peer.number))


def commands(w):
    text = w.run("ctxhctl", "--help").stdout
    text = text[text.index("(commands)"):text.index("(options)")]
    return {n.strip() for n in re.findall(r"^  ([a-z]+(?: [a-z]+)?)(?= {2,}|$| [A-Z\[]| field)", text, re.M)}


def compare(written, now):
    """Lines of the document that another run would not print."""
    lines = list(difflib.unified_diff(canonical(written), canonical(now), "docs/transcript-ctxhctl.md", "this run",
                                      lineterm="", n=2))
    check(not lines, "the document says otherwise; if the programs are right, make it anew with --write:\n" +
          "\n".join(lines[:80]))


def test(w, args):
    b = Book(w)
    w.start()
    clients = communes(w, b)
    people, doubles = happenings(w, clients)
    looking(w, b, people)
    deciding(b, doubles)
    placing(w, b, clients)
    asking(w, b)
    carrying(w, b, clients)
    accounts(w, b)
    keeping(w, b, people)
    parting(w, b)
    text = b.text()
    run = {" ".join(c) for c in b.run_commands} | {c[0] for c in b.run_commands}
    lacking = commands(w) - run
    check(not lacking, f"no run of {sorted(lacking)}")
    if args.write:
        with open(DOCUMENT, "w", encoding="utf-8") as f:
            f.write(text)
        return
    # The comparison is of use only if it notices.
    check(canonical(text) != canonical(text.replace("đã giữ", "đã mất", 1)), "a changed word goes unnoticed")
    with open(DOCUMENT, encoding="utf-8") as f:
        compare(f.read(), text)


if __name__ == "__main__":
    sys.exit(harness.main(test, __doc__, {"--write": {"action": "store_true", "help": "make the document anew"}}))
