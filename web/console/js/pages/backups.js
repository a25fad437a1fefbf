// backups - what was kept, whether it was opened and checked, and one more now.
import {call, may} from "../api.js";
import {alarm, announce, badge, bytes, h, number, t, time, tt} from "../dom.js";
import {Table} from "../table.js";

const LOOK_MS = 500;

async function ended(run, signal, said) {
	for (;;) {
		const state = await call("backup state", {}, {signal});
		if (state.ended >= run)
			return state;
		said.replaceChildren(h("p", {class: "notice"}, t("backup_runs"), " ", String(state.phase ?? "")));
		await new Promise((again) => setTimeout(again, LOOK_MS));
	}
}

export async function show(body, {signal}) {
	const said = h("div", {role: "status"});
	const check = (r) => may("backup verify") && h("button", {type: "button", class: "btn btn-sm btn-outline-secondary",
		"aria-label": `${tt("backup_check")} ${r.backup}`, "data-act": "backup verify", onclick: async () => {
			try {
				const got = await call("backup verify", {backup: r.backup}, {signal});
				said.replaceChildren(h("p", {class: "notice good"}, t(got.opened ? "backup_good" : "backup_whole"), " #" +
					r.backup, ", ", bytes(got.bytes)));
			} catch (e) {
				said.replaceChildren(alarm(e));
			}
		}}, t("backup_check"));
	const table = new Table({caption: "backups", sort: "backup", down: true, empty: "no_backups", columns: [
		{key: "backup", text: "number_of", kind: "number"},
		{key: "at", text: "made_at", show: (r) => time(r.at)},
		{key: "log", text: "log_number", kind: "number", show: (r) => number(r.log)},
		{key: "bytes", text: "size", kind: "number", show: (r) => bytes(r.bytes)},
		{key: "verified_at", text: "verified_at", show: (r) => (r.verified_at ? badge("fresh", time(r.verified_at)) :
			badge("bad", t("not_verified")))},
		{key: "there", text: "there", show: (r) => (r.there ? badge("fresh", "✓") : badge("bad", "✗"))},
		{key: "path", text: "path", kind: "wide"},
		{key: "act", text: "action", of: () => " ", show: check},
	]});
	const load = async () => table.set(await call("backup list", {}, {signal}));
	const now = h("button", {type: "button", class: "btn btn-primary", "data-act": "backup now", onclick: async () => {
		now.disabled = true;
		try {
			const {last} = await ended((await call("backup now")).run, signal, said);
			if (!last.done)
				throw new Error(tt("backup_failed") + " (" + last.error + ")");
			said.replaceChildren();
			announce(tt("backup_done"));
			await load();
		} catch (e) {
			if (!signal.aborted)
				said.replaceChildren(alarm(e));
		}
		now.disabled = false;
	}}, t("backup_now"));

	await load();
	body.append(may("backup now") ? h("div", {class: "filters"}, now) : "", said, table.element);
}
