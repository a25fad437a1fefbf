// device - one device: how it stands, taking it out of use, letting it go on under another number.
import {call, may} from "../api.js";
import {deviceColumns} from "../device_columns.js";
import {alarm, h, link, t, time, value} from "../dom.js";
import {sessionColumns} from "../session_columns.js";
import {Table} from "../table.js";
import {askSure, askWhy} from "../why.js";
import {invitation} from "./devices.js";

const more = {author: "author", unit_names: "communes", cleared: "cleared", seen_number: "seen_number", backed_up: "backed_up",
	former: "former", released_at: "released_at", revoked_at: "revoked_at", why: "why", successors: "successors", key: "key"};

function facts(d) {
	const one = (text, shown) => [h("dt", {}, t(text)), h("dd", {}, shown)];
	return h("dl", {class: "facts"}, deviceColumns.slice(1).map((c) => one(c.text, c.show ? c.show(d) : value(c.of ? c.of(d) :
		d[c.key] ?? "–"))), Object.entries(more).filter(([k]) => d[k] !== null && d[k] !== undefined && value(d[k]) !== "")
		.map(([k, text]) => one(text, k.endsWith("_at") ? time(d[k]) : value(d[k]))));
}

function actions(d, said, again) {
	const act = (text, command, run) => may(command) && h("button", {type: "button", class: "btn btn-outline-primary",
		"data-act": command, onclick: () => run().catch((e) => said.replaceChildren(alarm(e)))}, t(text));
	return h("div", {class: "acts"}, d.state !== "revoked" && act("revoke", "device revoke", async () => {
		const why = await askWhy("revoke", "revoke_hint");
		if (why === null)
			return;
		await call("device revoke", {device: d.number, why});
		await again();
	}), (d.state === "forked" || d.missing > 0) && d.state !== "revoked" && act("release", "device release", async () => {
		if (await askSure("release", "release_hint"))
			said.replaceChildren(invitation(await call("device release", {device: d.number, qr: true})));
	}));
}

export async function show(body, {argument, title, signal}) {
	const said = h("div");
	const top = h("div");
	const load = async () => {
		const d = await call("device show", {device: Number(argument)}, {signal});
		top.replaceChildren(facts(d), actions(d, said, load));
	};
	title.append(" " + argument);
	await load();
	body.append(top, said);
	if (!may("log"))
		return;
	const table = new Table({columns: sessionColumns, caption: "log", empty: "no_sessions"});
	body.append(h("h2", {}, t("last_sessions")), table.element);
	table.set(await call("log", {device: Number(argument), limit: 50}, {signal}));
	body.append(h("p", {}, link("log", t("log"))));
}
