// pages - runs the cases in a browser, one after the other; what fails leaves a picture where --shots says.
// usage: pages.mjs WORLD.json [--shots FOLDER] [--only CASE]
import {readFileSync} from "node:fs";
import {launch} from "./browser.mjs";
import * as cases from "./cases.mjs";
import * as looks from "./looks.mjs";

const [file, ...more] = process.argv.slice(2);
const option = (name) => (more.includes(name) ? more[more.indexOf(name) + 1] : null);
const world = JSON.parse(readFileSync(file, "utf8"));
const shots = option("--shots");
const only = option("--only");

// Pages are looked at before anything is decided, so that there is something on them.
const all = Object.entries({...looks, ...cases}).filter(([name]) => only === null || name === only);
const browser = await launch();
let failed = 0;

for (const [name, run] of all) {
	const started = Date.now();
	try {
		await run(browser, world, shots);
		console.log(`ok      ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
	} catch (e) {
		failed++;
		console.log(`FAILED  ${name}: ${e.message}`);
		for (const context of browser.contexts()) {
			if (shots && context.pages()[0])
				await context.pages()[0].screenshot({path: `${shots}/failed-${name}.png`});
		}
	}
	await Promise.all(browser.contexts().map((c) => c.close()));
}
await browser.close();
process.exit(failed === 0 ? 0 : 1);
