// browser - Debian's Chromium, driven by playwright-core: signs in, waits for conditions, never for a time.
import {createRequire} from "node:module";
import {join} from "node:path";

const modules = process.env.CTXH_BROWSER_MODULES;
const require = createRequire(join(modules, "x.js"));
const {chromium} = require("playwright-core");

const PATIENCE = Number(process.env.CTXH_PATIENCE_MS ?? 120000); // how long what must happen may take on a slow machine; never what it should take

export const axeScript = require.resolve("axe-core");

export const sizes = {desk: {width: 1366, height: 768}, phone: {width: 390, height: 844}};

export function launch() {
	return chromium.launch({executablePath: "/usr/bin/chromium", args: ["--headless", "--no-sandbox", "--disable-gpu",
		"--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--disable-dev-shm-usage"]});
}

// A fresh profile; what pages say on their console, and what the policy refuses, is an error of ours.
export async function open(browser, {size = "desk", scheme = "light"} = {}) {
	const context = await browser.newContext({viewport: sizes[size], colorScheme: scheme, ignoreHTTPSErrors: true,
		locale: "vi-VN", acceptDownloads: true});
	const page = await context.newPage();
	const faults = [];
	page.setDefaultTimeout(PATIENCE);
	page.on("pageerror", (e) => faults.push(String(e)));
	page.on("console", (m) => {
		// What the API refuses, the browser reports too; pages show it.
		if (m.type() === "error" && !m.text().startsWith("Failed to load resource"))
			faults.push(m.text());
	});
	page.on("response", (r) => {
		if (r.status() === 404 && !r.url().includes("/api/"))
			faults.push("404 " + r.url());
	});
	return {context, page, faults};
}

export async function signIn(page, world, name, password = world.password) {
	await page.goto(world.url);
	await page.getByLabel("Tên tài khoản").fill(name);
	await page.getByLabel("Mật khẩu").fill(password);
	await page.keyboard.press("Enter");
	await page.locator("#logout").waitFor({state: "attached"});
}

// Goes there and waits until the page has all it asked for; no link of it leads nowhere.
export async function visit(page, path) {
	await page.evaluate((to) => {
		location.hash = to;
	}, "#/" + path);
	await page.locator(`.page[data-page="${path.split("/")[0]}"]:not([aria-busy])`).waitFor();
	const nowhere = await page.evaluate(() => [...document.querySelectorAll("a[href^='#/']")].map((a) => a.getAttribute("href"))
		.filter((href) => /\/(null|undefined|NaN|0)(\/|$)/.test(href)));
	check(nowhere.length === 0, `${path}: links to ${nowhere}`);
}

// How long decisions wait to be written: on a slow machine eight seconds are over before the next click.
export const decisionsWait = (page, ms = 2 ** 30) => page.evaluate(async (wait) => {
	(await import("/console/js/pending.js")).patience.ms = wait;
}, ms);

export function check(claim, words) {
	if (!claim)
		throw new Error(words);
}

export const count = (page, selector) => page.locator(selector).count();
