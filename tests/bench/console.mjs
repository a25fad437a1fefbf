// console - each page of the console in Chromium: from the address that changes to a page that is drawn and not busy.
// usage: console.mjs URL PASSWORD ROUNDS PATH…
import {launch, open, signIn} from "../browser/browser.mjs";

const [url, password, rounds, ...paths] = process.argv.slice(2);

// In the page: no round trip of the driver's is in the figure. Two frames later it is on the screen.
const go = (path) => new Promise((done) => {
	const started = performance.now();
	const ready = () => document.querySelector(`.page[data-page="${path.split("/")[0]}"]:not([aria-busy])`);
	const seen = new MutationObserver(() => {
		if (!ready())
			return;
		seen.disconnect();
		requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - started)));
	});
	seen.observe(document.getElementById("main"), {childList: true, subtree: true, attributes: true});
	location.hash = "#/" + path;
});
const away = () => new Promise((done) => {
	addEventListener("hashchange", () => setTimeout(done), {once: true});
	location.hash = "#/nowhere" + Math.random();
});

const browser = await launch();
const {page} = await open(browser);
await signIn(page, {url, password}, "Lan");
await page.locator('.page:not([aria-busy])').waitFor();
// The page's own thread, on the processor: others may be at work on it.
const devtools = await page.context().newCDPSession(page);
await devtools.send("Performance.enable", {timeDomain: "threadTicks"});
const busy = async () => (await devtools.send("Performance.getMetrics")).metrics.find((m) => m.name === "TaskDuration").value * 1e3;
console.log("page".padEnd(58), "  first", " median", "  worst", "ms", "page CPU ms");
for (const path of paths) {
	const times = [];
	let cpu = 0;
	for (let i = 0; i < Number(rounds); i++) {
		await page.evaluate(away);
		const before = await busy();
		times.push(await page.evaluate(go, path));
		cpu += await busy() - before;
	}
	const sorted = [...times].sort((a, b) => a - b);
	console.log(path.padEnd(58), ...[times[0], sorted[sorted.length >> 1], sorted.at(-1)].map((t) => t.toFixed(0).padStart(7)),
		"  ", (cpu / rounds).toFixed(0).padStart(11));
}
await browser.close();
