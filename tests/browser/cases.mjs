// cases - what people do in the console, one function each.
import {readFileSync} from "node:fs";
import {request} from "node:https";
import {check, count, decisionsWait, open, signIn, visit} from "./browser.mjs";

const gone = (locator) => locator.waitFor({state: "detached"});

async function into(browser, world, name, run) {
	const {context, page, faults} = await open(browser);
	await signIn(page, world, name);
	await decisionsWait(page);
	await run(page);
	check(faults.length === 0, "the page complained: " + faults.join("; "));
	await context.close();
}

// A wrong request is a contact of nobody, and in the log.
function stranger(world) {
	return new Promise((done, failed) => {
		const r = request(new URL("/v1/sync", world.url), {method: "POST", rejectUnauthorized: false,
			headers: {"Content-Type": "application/msgpack"}}, (answer) => answer.resume().on("end", done));
		r.on("error", failed);
		r.end("garbage");
	});
}

export async function first_password_then_out(browser, world) {
	const {context, page, faults} = await open(browser);
	await page.goto(world.url);
	await page.getByLabel("Tên tài khoản").fill("Mới");
	await page.getByLabel("Mật khẩu").fill("sai hết cả rồi");
	await page.keyboard.press("Enter");
	await page.getByRole("alert").waitFor();
	check(await page.getByLabel("Mật khẩu").inputValue() === "", "a wrong password stays on the screen");
	await page.getByLabel("Mật khẩu").fill(world.first);
	await page.keyboard.press("Enter");
	await page.locator("#password").waitFor();
	check(await count(page, "#nav a") === 0, "pages before a password of one's own");
	await page.getByLabel("Mật khẩu đang dùng").fill(world.first);
	await page.getByLabel("Mật khẩu mới New", {exact: false}).first().fill(world.password);
	await page.getByLabel("một lần nữa").fill("khác hẳn câu kia");
	await page.keyboard.press("Enter");
	await page.getByRole("alert").waitFor();
	for (const [label, words] of [["Mật khẩu đang dùng", world.first], ["một lần nữa", world.password]])
		await page.getByLabel(label).fill(words);
	await page.getByLabel("Mật khẩu mới New", {exact: false}).first().fill(world.password);
	await page.keyboard.press("Enter");
	await page.locator("#nav a").first().waitFor();
	await page.locator("#logout").click();
	await page.locator("#login").waitFor();
	await page.reload();
	await page.locator("#login").waitFor();
	check(await page.evaluate(() => sessionStorage.length + localStorage.length) === 0, "something is kept in the browser");
	check(faults.length === 0, faults.join("; "));
	await context.close();
}

export const log_and_session = (browser, world) => into(browser, world, "Lan", async (page) => {
	await visit(page, "log");
	const all = await count(page, "tbody tr");
	check(all > 5, `only ${all} contacts`);
	await page.locator("select[name=outcome]").selectOption("refused");
	// The newest may be a refused one before it is asked for, too.
	await page.waitForFunction(() => [...document.querySelectorAll("tbody tr")].every((r) => r.textContent.includes("từ chối")));
	check(await page.locator("tbody tr").count() < all, "the filter narrows nothing");
	await page.locator("select[name=outcome]").selectOption("");
	await page.waitForFunction((n) => document.querySelectorAll("tbody tr").length === n, all);
	await page.locator("input[data-find]").fill("tu choi");
	await page.locator("input[data-find]").fill("25204");
	await page.locator("tbody tr", {hasText: "25204"}).first().waitFor();
	check(await count(page, "tbody tr") === await page.locator("tbody tr", {hasText: "25204"}).count(), "find");
	await page.locator("input[data-find]").fill("");
	await page.locator("th[data-key=applied] button").click();
	check(await page.locator("th[data-key=applied]").getAttribute("aria-sort") === "ascending", "sorted, untold");
	const [file] = await Promise.all([page.waitForEvent("download"), page.locator("[data-export=log]").click()]);
	const csv = readFileSync(await file.path(), "utf8");
	check(csv.startsWith("\ufeffsession,started_at,outcome,") && csv.split("\r\n").length === all + 2, csv.slice(0, 200));
	await visit(page, "session/" + world.session);
	const change = page.locator("tbody tr", {hasText: "giáo viên"}).first();
	await change.waitFor();
	check((await change.innerText()).includes("→"), "old and new are not shown");
	await change.locator("a.id").click();
	await page.locator('.page[data-page="record"]:not([aria-busy])').waitFor();
});

export const live_view_shows_a_contact = (browser, world) => into(browser, world, "Lan", async (page) => {
	await visit(page, "log");
	const before = Number(await page.locator("tbody tr a").first().innerText());
	await page.getByLabel("Xem trực tiếp").check();
	await stranger(world);
	await page.waitForFunction((n) => Number(document.querySelector("tbody tr a").textContent) > n, before);
});

export const record_and_reason = (browser, world) => into(browser, world, "Kín", async (page) => {
	await visit(page, "record/" + world.people[0]);
	await page.getByText("Thị Cùng Ghi 0").first().waitFor();
	check(await page.locator("table").count() === 2, "no history");
	await visit(page, "record/" + world.hidden);
	check(await page.getByText("Nhiễm HIV").count() === 0, "restricted, and shown");
	await page.getByLabel("Lý do xem").fill("kiểm tra định kỳ");
	await page.getByRole("button", {name: "Xem dữ liệu hạn chế"}).click();
	await page.getByText("Nhiễm HIV").first().waitFor();
	check(page.url().endsWith("#/record/" + world.hidden), "more than the id is in the address");
});

export const not_cleared_is_told = (browser, world) => into(browser, world, "Lan", async (page) => {
	await visit(page, "record/" + world.hidden);
	await page.getByText("tài khoản này không được xem").waitFor();
	check(await page.getByLabel("Lý do xem").isVisible() === false, "asked for a reason in vain");
});

export const conflicts_are_decided = (browser, world) => into(browser, world, "Minh", async (page) => {
	await visit(page, "decisions");
	const cards = page.locator("[data-conflict]");
	const before = await cards.count();
	check(before >= 3, `${before} conflicts`);
	const [one, two] = [cards.nth(0), cards.nth(1)];
	const numbers = [await one.getAttribute("data-conflict"), await two.getAttribute("data-conflict")];
	await one.locator('[data-act="conflict keep"]').click();
	check(await one.locator('[data-act="conflict restore"]').isDisabled(), "decided twice");
	await page.locator("[data-undo]").click();
	await page.locator(".pending").waitFor({state: "detached"});
	check(await one.locator('[data-act="conflict keep"]').isEnabled(), "taken back, but still waiting");
	await visit(page, "log");
	await visit(page, "decisions");
	check(await cards.count() === before, "what was taken back was written");
	await page.locator(`[data-conflict="${numbers[0]}"] [data-act="conflict keep"]`).click();
	await page.locator("[data-now]").click();
	await gone(page.locator(`[data-conflict="${numbers[0]}"]`));
	// Nobody does anything more: it is written by itself.
	await decisionsWait(page, 100);
	await page.locator(`[data-conflict="${numbers[1]}"] [data-act="conflict restore"]`).click();
	await gone(page.locator(`[data-conflict="${numbers[1]}"]`));
	await page.reload();
	await page.locator('.page[data-page="decisions"]:not([aria-busy])').waitFor();
	check(await cards.count() === before - 2, "two were decided");
	await visit(page, "record/" + world.people[Number(numbers[1]) - 1]);
	await page.getByText("giáo viên").first().waitFor();
	// Both decisions are taken back, long after they were written.
	await decisionsWait(page);
	await visit(page, "decisions");
	const list = page.locator('[data-undone="conflict reopen"]');
	await list.locator("summary").click();
	for (const number of numbers) {
		await list.locator("tbody tr", {hasText: number}).first().waitFor();
		await list.locator(`button[aria-label^="Xung đột / Conflict ${number}:"]`).click();
		await page.locator("[data-now]").click();
		await page.locator(`[data-conflict="${number}"]`).waitFor();
		await gone(list.locator(`button[aria-label^="Xung đột / Conflict ${number}:"]`));
	}
	check(await cards.count() === before, "what was taken back is not open again");
	await visit(page, "record/" + world.people[Number(numbers[1]) - 1]);
	check((await page.locator("tr", {hasText: "Nghề"}).first().innerText()).includes("thợ may"), "the value it had replaced is not back");
	await visit(page, "decisions");
	await page.locator(`[data-conflict="${numbers[0]}"] [data-act="conflict keep"]`).click();
	await page.locator("[data-now]").click();
	// What was just decided is at hand.
	await list.locator("tbody tr").first().waitFor();
});

export const quarantine_is_decided = (browser, world) => into(browser, world, "Minh", async (page) => {
	await visit(page, "decisions");
	const one = page.locator("[data-quarantine]", {hasText: "no_such_code"});
	await one.locator("summary").click();
	await one.locator("dl.facts").waitFor();
	await one.locator('[data-act="quarantine replay"]').click();
	await page.locator("[data-now]").click();
	await page.locator(".pending [role=alert]").waitFor();
	check((await page.locator(".pending [role=alert]").innerText()).includes("vẫn được giữ"), "what was kept is not said");
	await page.locator(".pending").getByRole("button", {name: "Đóng"}).click();
	await one.locator('[data-act="quarantine discard"]').click();
	await page.locator("dialog").getByLabel("Lý do").fill("mã cũ");
	await page.keyboard.press("Escape");
	check(await page.locator(".pending").count() === 0 && await one.count() === 1, "given up, and done");
	await one.locator('[data-act="quarantine discard"]').click();
	const discard = async () => {
		await one.locator('[data-act="quarantine discard"]').click();
		await page.locator("dialog").getByLabel("Lý do").fill("mã cũ, đã báo xã");
		await page.keyboard.press("Enter");
		await page.locator("[data-now]").click();
		await gone(one);
	};
	await page.locator("dialog").getByRole("button", {name: "Thôi"}).click();
	await discard();
	await page.locator('[data-undone="quarantine reopen"] [data-act="quarantine reopen"]').click();
	await page.locator("[data-now]").click();
	await one.waitFor();
	await discard();
});

export const leaving_the_page_writes_what_waits = (browser, world) => into(browser, world, "Minh", async (page) => {
	await visit(page, "decisions");
	const before = await count(page, "[data-conflict]");
	await page.locator('[data-act="conflict keep"]').first().click();
	await visit(page, "log");
	await page.locator(".pending").waitFor({state: "detached"});
	await visit(page, "decisions");
	check(await count(page, "[data-conflict]") === before - 1, "a decision was lost on leaving");
});

export const duplicates_are_decided = (browser, world) => into(browser, world, "Minh", async (page) => {
	await visit(page, "duplicates");
	const pairs = page.locator("article", {hasText: "Có Đôi"});
	check(await pairs.count() === 3, `${await pairs.count()} pairs`);
	const first = pairs.nth(0);
	await first.locator("summary").click();
	await first.locator("table").waitFor();
	await first.locator('[data-act="join_keep_first"]').click();
	await page.locator("[data-now]").click();
	await first.locator('[data-act="split"]').click();
	await page.locator("[data-now]").click();
	await page.locator(".pending").waitFor({state: "detached"});
	check(await pairs.count() === 2, "what was split stays as a pair");
	await pairs.nth(0).locator('[data-act="two_people"]').click();
	await page.locator("[data-now]").click();
	await page.locator(".pending").waitFor({state: "detached"});
	// Told apart by mistake, and taken back; then once more.
	await page.locator('[data-act="duplicate reopen"]').click();
	await page.locator("[data-now]").click();
	await page.waitForFunction(() => [...document.querySelectorAll("article")].filter((a) => a.textContent.includes("Có Đôi")).length === 3);
	await pairs.nth(0).locator('[data-act="two_people"]').click();
	await page.locator("[data-now]").click();
	await page.locator(".pending").waitFor({state: "detached"});
	await page.reload();
	await page.locator('.page[data-page="duplicates"]:not([aria-busy])').waitFor();
	check(await pairs.count() === 2, `split is a pair again, two people are not: ${await pairs.count()}`);
});

export const records_are_placed = (browser, world) => into(browser, world, "Minh", async (page) => {
	await visit(page, "placing");
	await page.getByRole("link", {name: "25204"}).click();
	await page.locator("tbody tr").first().waitFor();
	const before = await count(page, "tbody tr");
	await page.locator('[data-place="25198"]').first().click();
	await page.locator("[data-now]").click();
	await page.waitForFunction((n) => document.querySelectorAll("tbody tr").length === n, before - 1);
});

export const roles_see_what_they_may = async (browser, world) => {
	await into(browser, world, "Phú", async (page) => {
		check(await page.locator('#nav [data-path="log"]').count() === 0, "a reporter sees the log");
		await page.evaluate(() => {
			location.hash = "#/log";
		});
		await page.getByRole("alert").waitFor();
	});
	await into(browser, world, "Uyên", async (page) => {
		await visit(page, "decisions");
		check(await count(page, "[data-conflict]") > 0, "an auditor sees no conflicts");
		check(await count(page, "[data-act]") === 0, "an auditor decides");
	});
};

// More devices than the first screenful, as the daemon would tell of them; and what it is asked.
function devices(asked) {
	const all = Array.from({length: 450}, (_, i) => ({number: i + 1, name: `Máy ${i + 1}`, units: ["25195"], state: i % 9 === 0 ? "stale" : "active",
		enrolled_at: "2026-01-02T03:04:05.000Z", revoked_at: null, last_contact: "2026-11-20T10:00:00.000Z", last_number: 5, missing: 0,
		clock_offset_ms: 0, client_version: "0.1.0"}));
	const left = all.filter((d) => (!asked.state || d.state === asked.state) && (!asked.text || d.name.endsWith(asked.text)));
	const rows = asked.down ? left.reverse() : left;
	return {total: rows.length, rows: rows.slice(asked.offset ?? 0, (asked.offset ?? 0) + (asked.limit ?? Infinity))};
}

export const devices_come_a_screenful_at_a_time = async (browser, world) => {
	const {context, page, faults} = await open(browser);
	const asked = [];
	await page.route("**/console/api/call", (route) => {
		const {command, args} = route.request().postDataJSON();
		if (command !== "device list")
			return route.continue();
		asked.push(args);
		return route.fulfill({json: {exit_code: 0, result: devices(args)}});
	});
	await signIn(page, world, "Lan");
	await visit(page, "devices");
	check(await page.locator(".count").innerText() === "Đang hiện Shown 100 / 450", await page.locator(".count").innerText());
	check(asked.length === 1 && asked[0].limit === 100 && asked[0].offset === 0, "more than a screenful: " + JSON.stringify(asked));
	const more = page.locator(".table-box").first().locator(".more button");
	await more.first().focus();
	await page.keyboard.press("Enter");
	await page.locator("tbody tr").nth(199).waitFor();
	check(await page.evaluate(() => document.activeElement.closest("tr")?.rowIndex) === 101, "the first new row is not at hand");
	await more.last().focus();
	await page.keyboard.press("Enter");
	await page.locator("tbody tr").nth(449).waitFor();
	check(await more.first().isHidden(), "more than all");
	// Over all of them, not over what is here.
	await page.locator("input[data-find]").fill("449");
	await page.waitForFunction(() => document.querySelector(".table-box tbody").rows.length === 1);
	check(asked.at(-1).text === "449" && asked.at(-1).offset === 0, JSON.stringify(asked.at(-1)));
	await page.locator("input[data-find]").fill("");
	await page.getByLabel("Tình trạng").selectOption("stale");
	await page.waitForFunction(() => document.querySelector(".table-box tbody").rows.length === 50);
	await page.getByLabel("Tình trạng").selectOption("");
	await page.waitForFunction(() => document.querySelector(".table-box tbody").rows.length === 100);
	await page.locator("th[data-key=number] button").click();
	await page.waitForFunction(() => document.querySelector(".table-box tbody tr a").textContent === "450");
	check(asked.at(-1).sort === "number" && asked.at(-1).down === true, JSON.stringify(asked.at(-1)));
	const [file] = await Promise.all([page.waitForEvent("download"), page.locator("[data-export=devices]").click()]);
	const csv = readFileSync(await file.path(), "utf8");
	check(csv.split("\r\n").length === 452, "the file has only what is shown");
	check(faults.length === 0, faults.join("; "));
	await context.close();
};

export const devices_invited_and_revoked = (browser, world) => into(browser, world, "Lan", async (page) => {
	await visit(page, "devices");
	await page.locator("#invite summary").click();
	await page.getByLabel("Mã các xã").fill("25195 25198");
	await page.locator("#invite form button").click();
	check((await page.locator("[data-invitation]").innerText()).startsWith("ctxh"), "no invitation");
	await page.getByLabel("Mã các xã").fill("00001");
	await page.locator("#invite form button").click();
	await page.locator("#invite [role=alert]").waitFor();
	await page.locator("tbody tr", {hasText: "25201"}).locator("a").first().click();
	await page.locator('[data-act="device release"]').click();
	await page.locator("dialog [data-yes]").click();
	await page.locator("[data-invitation]").waitFor();
	await page.locator('[data-act="device revoke"]').click();
	await page.locator("dialog").getByLabel("Lý do").fill("máy hỏng");
	await page.keyboard.press("Enter");
	await page.getByText("đã thu hồi").first().waitFor();
	check(await page.locator('[data-act="device revoke"]').count() === 0, "revoked twice");
});

export const accounts_are_kept = (browser, world) => into(browser, world, "Lan", async (page) => {
	await visit(page, "accounts");
	await page.getByLabel("Tên tài khoản").fill("Tạm");
	await page.getByLabel("Vai trò Role").selectOption("auditor");
	await page.getByRole("button", {name: "Thêm tài khoản"}).click();
	await page.locator("[data-password]").waitFor();
	const row = page.locator("tbody tr", {hasText: "Tạm"});
	await row.locator('[data-act="account role"]').focus();
	await page.keyboard.press("Enter");
	await page.locator("dialog").getByLabel("Vai trò Role").selectOption("reviewer");
	await page.locator("dialog [data-yes]").focus();
	await page.keyboard.press("Enter");
	await row.getByText("xét duyệt").waitFor();
	await row.locator('[data-act="account units"]').click();
	await page.locator("dialog").getByLabel("Thấy và quyết định").selectOption("units");
	await page.locator("dialog").locator("input[name=codes]").fill("00001");
	await page.keyboard.press("Enter");
	await page.getByRole("alert").waitFor();
	check(await row.getByText("cả văn phòng").count() === 1, "a unit that is not there was given");
	await row.locator('[data-act="account units"]').click();
	await page.locator("dialog").getByLabel("Thấy và quyết định").selectOption("units");
	await page.locator("dialog").locator("input[name=codes]").fill("25195, 25198");
	await page.keyboard.press("Enter");
	await row.getByText("25195, 25198").waitFor();
	check(await page.getByRole("alert").count() === 0, "an error of before stays");
	await row.locator('[data-act="account reset"]').click();
	await page.locator("dialog [data-yes]").click();
	await row.waitFor();
	await row.locator('[data-act="account remove"]').click();
	await page.locator("dialog [data-yes]").click();
	await gone(row);
});

export const backups_and_audit = (browser, world) => into(browser, world, "Lan", async (page) => {
	await visit(page, "backups");
	await page.locator('[data-act="backup now"]').click();
	await page.locator('tbody [data-act="backup verify"]').first().click();
	await page.locator(".notice.good").waitFor();
	await visit(page, "audit");
	await page.getByText("account add").first().waitFor();
	await page.locator('[data-act="audit verify"]').click();
	await page.locator(".notice.good").waitFor();
	const [file] = await Promise.all([page.waitForEvent("download"), page.locator('[data-act="audit checkpoint"]').click()]);
	const {signature, audit} = JSON.parse(readFileSync(await file.path(), "utf8"));
	check(signature && audit.length > 0, "no checkpoint");
});

export const health_tells_all_it_knows = (browser, world) => into(browser, world, "Lan", async (page) => {
	await visit(page, "health");
	const health = await page.evaluate(async () => (await import("/console/js/api.js")).call("health", {}));
	await page.locator("[data-part=metrics] summary").click();
	const shown = await page.locator("[data-part=metrics] tbody .id").allInnerTexts();
	check(JSON.stringify([...shown].sort()) === JSON.stringify(Object.keys(health.metrics).map((m) => "ctxh_" + m).sort()),
		"figures that are not shown, or are none: " + shown);
	const words = await page.evaluate(async (names) => {
		const {text} = await import("/console/js/text.js");
		return names.filter((n) => text["metric_" + n] === undefined);
	}, Object.keys(health.metrics));
	check(words.length === 0, "figures without words: " + words);
	const ways = page.locator("[data-part=alerts] tbody tr");
	check(await ways.count() === health.alerts.length && health.alerts.length === 3, "ways: " + await ways.count());
	for (const key of Object.keys(health.alerts[0]))
		check(await page.locator(`[data-part=alerts] th[data-key=${key}]`).count() === 1, "no column for " + key);
	// What would go out now is what the command says.
	const alert = await page.evaluate(async () => (await import("/console/js/api.js")).call("alert show", {}));
	check(await page.locator("[data-alert-title]").innerText() === alert.title, "another title");
	check(await count(page, "[data-alert]") === alert.items.length && alert.items.length > 2, "items");
	await page.locator('[data-alert="conflicts"] a').first().click();
	await page.locator('.page[data-page="decisions"]:not([aria-busy])').waitFor();
	await visit(page, "health");
	await page.locator('[data-act="alert test"]').click();
	await page.locator("[data-part=alerts] [role=alert], [data-part=alerts] td .mark-fresh").first().waitFor();
});

export const health_and_its_charts = (browser, world) => into(browser, world, "Lan", async (page) => {
	await visit(page, "health");
	await page.locator("[data-figure=last_commit]").waitFor();
	check(await count(page, "canvas") === 4 || await page.getByText("libjs-chart.js").count() === 1, "neither charts nor why");
	if (await count(page, "canvas") === 0)
		return;
	// Before the page was opened the daemon looked by itself.
	for (const span of ["week", "live", "day"]) {
		await page.getByLabel("Biểu đồ").selectOption(span);
		await page.waitForFunction(() => document.querySelectorAll("canvas").length === 4);
	}
	const past = await page.evaluate(async () => (await (await import("/console/js/api.js")).call("health", {history: true})).history);
	check(past.rows.length > 0 && past.keys.includes("commit_ms"), "no history: " + JSON.stringify(past).slice(0, 200));
});

export const reports_are_run = (browser, world) => into(browser, world, "Phú", async (page) => {
	await visit(page, "reports");
	await page.getByLabel("Mã đơn vị").fill("70");
	await page.getByLabel("Đơn vị theo ngày").fill("2021-04-13");
	await page.getByRole("button", {name: "Tính"}).click();
	await page.locator("#report tbody tr").first().waitFor();
	await page.locator('[data-act="report freeze"]').click();
	await page.locator("dialog [data-yes]").click();
	await page.locator(".notice.good a").click();
	await page.locator("tbody tr").first().waitFor();
	const [file] = await Promise.all([page.waitForEvent("download"), page.locator('[data-act="html"]').first().click()]);
	check(readFileSync(await file.path(), "utf8").includes("Bình Phước"), "the frozen page is not what was frozen");
	await page.locator('[data-act="late"]').first().click();
	await page.locator("#late h2").first().waitFor();
	await visit(page, "reports");
	await page.getByLabel("Mã đơn vị").fill("nowhere");
	await page.getByRole("button", {name: "Tính"}).click();
	await page.getByRole("alert").waitFor();
});

const csv = (name, rows) => ({name, mimeType: "text/csv", buffer: Buffer.from(rows.map((r) => r.join(",") + "\n").join(""))});

export const lists_are_tried_then_imported = (browser, world) => into(browser, world, "Lan", async (page) => {
	await visit(page, "units");
	await page.locator("summary", {hasText: "Nhập danh mục"}).click();
	const form = page.locator("#unit-import");
	const apply = form.locator("[data-apply]");
	const list = (name) => csv("danh-muc.csv", [["code", "name", "type", "district_code", "district_name", "province_code",
		"province_name"], ["00004", name, "Phường", "001", "Quận Ba Đình", "01", "Thành phố Hà Nội"]]);
	await form.getByLabel("Tệp CSV").setInputFiles(list("Phường Zyx"));
	await form.getByLabel("Có hiệu lực từ").fill("2021-03-01");
	check(await apply.isDisabled(), "applied without having been tried");
	await form.locator("[data-try]").click();
	await page.locator('[data-count="added"]').waitFor();
	await page.locator("input[data-find]").fill("phuong zyx");
	await page.locator(".empty").waitFor();
	// Another file than the one that was tried is tried again.
	await form.getByLabel("Tệp CSV").setInputFiles(list("Phường Zyx Hai"));
	check(await apply.isDisabled(), "what was not tried can be applied");
	await form.locator("[data-try]").click();
	await page.waitForFunction(() => document.querySelector('[data-apply="unit import"]').disabled === false);
	await apply.click();
	await page.locator("tbody tr", {hasText: "Phường Zyx Hai"}).waitFor();
	await form.getByLabel("Tệp CSV").setInputFiles(csv("sai.csv", [["code", "name"], ["x", "y"]]));
	await form.locator("[data-try]").click();
	await page.getByRole("alert").waitFor();
	check(await apply.isDisabled(), "a wrong list can be applied");
	await page.locator("summary", {hasText: "Nhập bảng sắp xếp"}).click();
	const map = page.locator("#unit-succession");
	await map.getByLabel("Tệp CSV").setInputFiles(csv("sap-xep.csv", [["old_code", "new_code", "part"], ["25207", "25195", "whole"]]));
	await map.getByLabel("Ngày sắp xếp").fill("2021-07-01");
	await map.locator("[data-try]").click();
	await page.locator('[data-count="whole"]').waitFor();
	check(await page.locator('[data-count="whole"]').innerText() === "1", "one whole succession");
});

export const records_of_the_office_are_tried_then_imported = (browser, world) => into(browser, world, "Lan", async (page) => {
	await visit(page, "import");
	const file = (value) => ({name: "chi-tieu.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify([{type:
		"target", unit: "70", fields: {indicator: "CT02", year: 2020, value}}]))});
	const choose = page.getByLabel("Tệp JSON");
	await choose.setInputFiles(file("không phải số"));
	await page.locator("[data-try]").click();
	await page.locator(".mark-bad", {hasText: "không nhận"}).waitFor();
	check(await page.locator("[data-apply]").isDisabled(), "what is refused can be written");
	await choose.setInputFiles(file(100));
	await page.locator("[data-try]").click();
	await page.waitForFunction(() => document.querySelector("[data-apply]").disabled === false);
	await page.locator("[data-apply]").click();
	await page.locator(".mark", {hasText: "Đã ghi"}).waitFor();
	await page.locator("tbody a.id").click();
	await page.locator('.page[data-page="record"]:not([aria-busy])').waitFor();
	await page.getByText("CT02").first().waitFor();
});

export const questions_are_asked_and_audited = (browser, world) => into(browser, world, "Kín", async (page) => {
	await visit(page, "query");
	const sql = page.getByLabel("Câu lệnh");
	await sql.fill("SELECT full_name AS ten FROM person WHERE full_name LIKE 'Thị Cùng Ghi%' ORDER BY 1");
	await page.getByRole("button", {name: "Chạy"}).click();
	await page.locator("tbody tr", {hasText: "Thị Cùng Ghi 0"}).waitFor();
	const [taken] = await Promise.all([page.waitForEvent("download"), page.locator("[data-export=query]").click()]);
	check(readFileSync(await taken.path(), "utf8").startsWith("\ufefften\r\n"), "the columns are not those asked for");
	await sql.fill("SELECT * FROM hiv_record");
	await page.getByRole("button", {name: "Chạy"}).click();
	await page.getByRole("alert").waitFor();
	await page.getByLabel("Lý do, nếu có số hạn chế").fill("đối chiếu sổ gốc");
	await page.getByRole("button", {name: "Chạy"}).click();
	await page.locator("tbody tr", {hasText: "infected"}).waitFor();
	await visit(page, "audit");
	await page.locator("tbody tr", {hasText: "đối chiếu sổ gốc"}).first().waitFor();
});

export const the_store_is_verified = (browser, world) => into(browser, world, "Uyên", async (page) => {
	await visit(page, "verify");
	await page.locator('[data-act="verify"]').click();
	await page.locator(".mark-fresh", {hasText: "đúng như nhật ký"}).waitFor();
});

export const erasing_asks_twice = (browser, world) => into(browser, world, "Lan", async (page) => {
	const id = world.people[4];
	await visit(page, "record/" + id);
	await page.getByRole("link", {name: "Xóa theo luật"}).last().click();
	await page.locator('.page[data-page="erase"]:not([aria-busy])').waitFor();
	await page.locator("[data-try]").click();
	await page.locator('[data-count="records"]').waitFor();
	await page.locator("#erase-do").getByLabel("Lý do").fill("người ấy yêu cầu");
	await page.locator("#erase-do").getByLabel("Căn cứ pháp luật").fill("Luật Bảo vệ dữ liệu cá nhân, điều 14");
	await page.locator('[data-act="erase"]').click();
	await page.locator("dialog input").fill("00000000");
	await page.keyboard.press("Enter");
	check(await page.locator("dialog").isVisible(), "erased with other digits");
	await page.keyboard.press("Escape");
	await page.locator("dialog").waitFor({state: "detached"});
	check(await page.locator(".notice.good").count() === 0, "given up, and erased");
	await page.locator('[data-act="erase"]').click();
	await page.locator("dialog input").fill(await page.locator("dialog [data-words]").innerText());
	await page.keyboard.press("Enter");
	await page.locator(".notice.good", {hasText: "Đã xóa"}).waitFor();
	await visit(page, "record/" + id);
	await page.getByRole("alert").waitFor();
});

export const an_account_of_a_commune_sees_it_alone = (browser, world) => into(browser, world, "Xã", async (page) => {
	check((await page.locator("[data-units]").innerText()).includes("25198"), "what it may see is not told");
	for (const path of ["audit", "query", "accounts", "import", "health"])
		check(await page.locator(`#nav [data-path="${path}"]`).count() === 0, `offered: ${path}`);
	await visit(page, "board");
	check(await count(page, ".tile") === 1, `${await count(page, ".tile")} tiles`);
	await visit(page, "decisions");
	check(await count(page, "[data-conflict]") === 0, "conflicts of another commune");
	await visit(page, "log");
	check(await page.locator("tbody tr").count() > 0 && await page.locator("tbody tr", {hasText: "25195"}).count() === 0,
		"contacts of another commune");
	// Nothing of one's own yet is no refusal.
	for (const path of ["duplicates", "placing", "frozen", "devices", "units"]) {
		await visit(page, path);
		check(await page.getByRole("alert").count() === 0, `${path}: ${await page.getByRole("alert").allInnerTexts()}`);
	}
	await visit(page, "record/" + world.people[0]);
	await page.getByRole("alert").waitFor();
});

// Neither loaded anew nor signed in again: the open page is told, and another one asks.
export const other_rights_are_seen_at_once = (browser, world) => into(browser, world, "Lan", async (lan) => {
	const change = (command, args) => lan.evaluate(async ([c, a]) => (await import("/console/js/api.js")).call(c, a), [command, args]);
	await into(browser, world, "Uyên", async (page) => {
		await visit(page, "board");
		await change("account units", {name: "Uyên", units: ["25198"]});
		await page.locator("[data-units]", {hasText: "25198"}).waitFor();
		await page.waitForFunction(() => document.querySelectorAll(".tile").length === 1);
		check(await page.locator('#nav [data-path="audit"]').count() === 0, "still offered what is the whole office's");
		await change("account units", {name: "Uyên", all: true});
		await page.waitForFunction(() => document.querySelectorAll(".tile").length > 100);
		await visit(page, "units");
		await change("account role", {name: "Uyên", role: "reporter"});
		await page.evaluate(() => {
			location.hash = "#/log";
		});
		await page.locator("#top .who", {hasText: "báo cáo"}).waitFor();
		await page.waitForFunction(() => document.querySelector('#nav [data-path="log"]') === null);
		await change("account role", {name: "Uyên", role: "auditor"});
	});
});

export const units_on_a_day = (browser, world) => into(browser, world, "Phú", async (page) => {
	await visit(page, "units");
	await page.locator("input[data-find]").fill("tan phu");
	await page.locator("tbody tr", {hasText: "Phường Tân Phú"}).waitFor();
	await page.locator("input[name=on]").fill("2019-01-01");
	await page.locator(".empty").waitFor();
});

export const keyboard_and_theme = (browser, world) => into(browser, world, "Lan", async (page) => {
	await visit(page, "log");
	check(await page.evaluate(() => document.activeElement.tagName) === "H1", "the new page's heading has no focus");
	await page.locator(".skip").focus();
	await page.keyboard.press("Enter");
	check(await page.evaluate(() => document.activeElement.id) === "main", "the skip link skips nothing");
	await page.keyboard.press("Tab");
	check(await page.evaluate(() => document.querySelector("main").contains(document.activeElement)), "lost behind the skip link");
	for (let stop = 0; stop < 15; stop++) {
		const ring = await page.evaluate(() => {
			const {outlineStyle, outlineWidth} = getComputedStyle(document.activeElement);
			return `${document.activeElement.outerHTML.slice(0, 80)}: ${outlineStyle} ${outlineWidth}`;
		});
		check(/solid [2-9]px$|auto/.test(ring), "where one is cannot be seen: " + ring);
		await page.keyboard.press("Tab");
	}
	await page.locator("#theme").focus();
	await page.keyboard.press("Enter");
	await page.keyboard.press("Enter");
	check(await page.evaluate(() => document.documentElement.dataset.theme) === "dark", "not dark");
	await page.reload();
	await page.locator("#logout").waitFor();
	check(await page.evaluate(() => document.documentElement.dataset.theme) === "dark", "the choice is not kept");
	check(await page.evaluate(() => JSON.stringify(Object.keys(localStorage)) + sessionStorage.length) === '["theme"]0',
		"more than a preference is kept");
});

// The country of 34 provinces without districts, as the daemon would tell of it.
function country() {
	const rows = Array.from({length: 3321}, (_, i) => ({code: String(i).padStart(5, "0"), name: `Xã Tên Dài ${i}`, district_code: null,
		district_name: null, province_code: String(i % 34).padStart(2, "0"), province_name: `Tỉnh Thừa Thiên ${i % 34}`,
		state: ["fresh", "stale", "never"][i % 3], devices: 1, forked: 0, clock_off: 0, missing: i % 50 === 0 ? 12 : 0, quarantine: 0,
		conflicts: 0, last_contact: "2026-11-20T10:00:00.000Z", last_receipt: "2026-11-20T10:00:00.000Z"}));
	return {at: "2026-11-22T10:00:00.000Z", rows, totals: {communes: 3321, fresh: 1107, stale: 1107, never: 1107, missing: 67,
		forked: 0, clock_off: 0, quarantine: 0, conflicts: 0}};
}

function packed({at, rows, totals}) {
	const keys = Object.keys(rows[0]).filter((k) => k !== "province_name");
	return {at, totals, keys, provinces: Object.fromEntries(rows.map((r) => [r.province_code, r.province_name])),
		rows: rows.map((r) => keys.map((k) => r[k]))};
}

async function country_on(browser, world, size) {
	const {context, page, faults} = await open(browser, {size});
	const board = packed(country());
	await page.route("**/console/api/call", (route) => (route.request().postDataJSON().command === "board" ?
		route.fulfill({json: {exit_code: 0, result: board}}) : route.continue()));
	await signIn(page, world, "Phú");
	await visit(page, "board");
	check(await count(page, ".tile") === 3321 && await count(page, ".tile .name") === 0, "not a square a commune");
	await page.locator('[data-province="07"]').focus();
	await page.keyboard.press("Enter");
	await page.locator(".tile .name").first().waitFor();
	check(await count(page, ".tile") === 98, `${await count(page, ".tile")} communes of one province`);
	const below = await page.evaluate(() => Math.max(...[...document.querySelectorAll(".tile")].map((e) =>
		e.getBoundingClientRect().bottom)) - innerHeight);
	check(size === "phone" || below <= 0, `${below} pixels of a province below the screen`);
	await page.locator("select").nth(1).selectOption("");
	await page.getByLabel("Cách hiện").selectOption("table");
	const more = page.locator(".table-box .more button").first();
	check((await more.innerText()).includes(size === "phone" ? "(40 / 3.321)" : "(100 / 3.321)"), await more.innerText());
	const drawn = await count(page, "tbody tr");
	await more.click();
	check(await count(page, "tbody tr") === 2 * drawn, "no more rows");
	check(await page.evaluate(() => document.activeElement.closest("tr")?.rowIndex) === drawn + 1, "the first new row is not at hand");
	const box = page.locator(".table-box");
	check(await box.evaluate((e) => e.scrollWidth <= e.clientWidth), "columns beside the screen");
	check(faults.length === 0, faults.join("; "));
	await context.close();
}

export const the_country_fits_the_screen = (browser, world) => country_on(browser, world, "desk");
export const the_country_fits_a_phone = (browser, world) => country_on(browser, world, "phone");

export const board_shows_every_commune = (browser, world) => into(browser, world, "Phú", async (page) => {
	await visit(page, "board");
	// Of 111 one was divided.
	check(await count(page, ".tile") === 110, `${await count(page, ".tile")} tiles`);
	const inside = await page.evaluate(() => [...document.querySelectorAll(".tile")].every((e) =>
		e.getBoundingClientRect().bottom <= innerHeight));
	check(inside, "not all communes are seen at once on 1366x768");
	await page.locator('[data-figure="state_fresh"]').click();
	await page.waitForFunction(() => document.querySelectorAll(".tile").length === 4);
	await page.getByLabel("Cách hiện").selectOption("table");
	await page.locator("tbody tr").first().waitFor();
	await page.locator("th[data-key=name] button").click();
	await page.locator("tbody tr", {hasText: "25195"}).locator("a").click();
	await page.locator('.page[data-page="unit"]:not([aria-busy])').waitFor();
	await page.getByText("Phường Tân Phú").first().waitFor();
});
