// looks - every page light, dark and on a phone: what axe finds (names, roles, contrast), and nothing cut or beside the screen.
import {readFileSync} from "node:fs";
import {axeScript, check, open, signIn, visit} from "./browser.mjs";

const paths = (world) => ["board", "unit/25195", "log", `session/${world.session}`, "record", `record/${world.people[0]}`,
	"decisions", "duplicates", "placing", "placing/25204", "devices", "device/1", "units", "import", "accounts", "backups", "audit",
	"verify", "query", "erase", `erase/${world.people[4]}`, "health", "reports", "frozen"];

const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
const axe = readFileSync(axeScript, "utf8");

async function look(page, size, shots, name) {
	if (shots)
		await page.screenshot({path: `${shots}/${name}.png`, fullPage: true});
	const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
	check(wide <= 0, `${name}: ${wide} pixels beside the screen`);
	const cut = await page.evaluate(() => [...document.querySelectorAll(".table-box")].filter((e) =>
		e.scrollWidth > e.clientWidth).map((e) => e.scrollWidth - e.clientWidth));
	check(cut.length === 0, `${name}: tables cut by ${cut}`);
	// What one clicks is seen without moving the table.
	const beside = await page.evaluate(() => [...document.querySelectorAll("td button, td a.btn")].filter((e) =>
		e.getBoundingClientRect().right > innerWidth).length);
	check(beside === 0, `${name}: ${beside} buttons of tables beside the screen`);
	const found = await page.evaluate((tags) => window.axe.run(document, {runOnly: tags, resultTypes: ["violations"]}), rules);
	const told = found.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target} ${n.failureSummary}`).join("; ")}`);
	check(told.length === 0, `${name}: ${told.join("\n  ")}`);
}

async function as(browser, world, size, scheme, shots) {
	const {context, page, faults} = await open(browser, {size, scheme});
	const bad = [];
	const see = async (name) => {
		await look(page, size, shots, `${name.replaceAll("/", "_")}-${size}-${scheme}`).catch((e) => bad.push(e.message));
	};
	await page.goto(world.url);
	await page.locator("#login").waitFor();
	await page.evaluate(axe);
	await see("sign-in");
	await signIn(page, world, "Lan");
	await page.evaluate(axe);
	const known = await page.evaluate(async () => {
		const [{pages}, {may}] = await Promise.all([import("/console/js/pages.js"), import("/console/js/api.js")]);
		return pages.filter((p) => p.needs.some(may)).map((p) => p.path);
	});
	for (const path of paths(world).filter((p) => known.includes(p.split("/")[0]))) {
		await visit(page, path);
		await see(path);
	}
	check(bad.length === 0, bad.join("\n"));
	check(faults.length === 0, faults.join("; "));
	await context.close();
}

export const pages_look_right_by_day = (browser, world, shots) => as(browser, world, "desk", "light", shots);
export const pages_look_right_by_night = (browser, world, shots) => as(browser, world, "desk", "dark", shots);
export const pages_look_right_on_a_phone = (browser, world, shots) => as(browser, world, "phone", "light", shots);
export const pages_look_right_on_a_phone_by_night = (browser, world, shots) => as(browser, world, "phone", "dark", shots);
