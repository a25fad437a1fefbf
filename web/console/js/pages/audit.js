// audit - who did what here, in a chain nobody can change unseen.
import {call, may} from "../api.js";
import {alarm, h, number, t, time, value} from "../dom.js";
import {download} from "../download.js";
import {Table} from "../table.js";

const FIRST = 200;

export async function show(body, {signal}) {
	const said = h("div", {role: "status"});
	let limit = FIRST;
	const table = new Table({caption: "audit", sort: "entry", down: true, columns: [
		{key: "entry", text: "number_of", kind: "number"},
		{key: "at", text: "written_at", show: (r) => time(r.at)},
		{key: "who", text: "who"}, {key: "what", text: "what"},
		{key: "detail", text: "detail", kind: "wide", show: (r) => (r.detail === null ? "–" : value(r.detail))},
		{key: "hash", text: "hash", show: (r) => h("span", {class: "id hash", title: r.hash}, r.hash?.slice(0, 12) ?? "–")},
	]});
	const older = h("button", {type: "button", class: "btn btn-outline-primary", onclick: () => {
		limit *= 4;
		load().catch((e) => said.replaceChildren(alarm(e)));
	}}, t("older"));
	const load = async () => {
		const rows = await call("audit list", {limit}, {signal});
		older.hidden = rows.length < limit;
		table.set(rows);
	};
	const verify = h("button", {type: "button", class: "btn btn-primary", "data-act": "audit verify", onclick: async () => {
		try {
			const got = await call("audit verify", {}, {signal});
			said.replaceChildren(h("p", {class: "notice good"}, t("audit_whole"), " ", number(got.entries)));
		} catch (e) {
			said.replaceChildren(alarm(e));
		}
	}}, t("audit_verify"));

	// What `ctxhctl audit verify FILE` reads, without a daemon.
	const checkpoint = h("button", {type: "button", class: "btn btn-outline-secondary", "data-act": "audit checkpoint", onclick: async () => {
		try {
			const got = await call("audit checkpoint", {}, {signal});
			download("audit-checkpoint.json", "application/json", JSON.stringify(got, null, 2) + "\n");
			said.replaceChildren(h("p", {class: "notice"}, t("checkpoint_saved")));
		} catch (e) {
			said.replaceChildren(alarm(e));
		}
	}}, t("audit_checkpoint"));

	await load();
	body.append(h("div", {class: "filters"}, table.finder(), may("audit verify") ? verify : "", may("audit checkpoint") ? checkpoint : "", table.exporter("audit")), said,
		table.element, older);
}
