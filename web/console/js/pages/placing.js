// placing - records of divided communes, and where each goes.
import {call, may} from "../api.js";
import {alarm, h, link, number, record, t, tt} from "../dom.js";
import {typeLabel} from "../labels.js";
import {decide} from "../pending.js";
import {reasonBar} from "../reason.js";
import {Table} from "../table.js";

async function communes(body) {
	const table = new Table({caption: "placing", empty: "nothing_waits", columns: [
		{key: "code", text: "unit_code", show: (r) => link("placing/" + encodeURIComponent(r.code), r.code)},
		{key: "name", text: "commune"},
		{key: "into", text: "divided_into", of: (r) => r.into.join(", ")},
		{key: "records", text: "records_waiting", kind: "number", show: (r) => number(r.records)},
	]});
	table.set(await call("unit placing"));
	body.append(h("p", {}, t("placing_hint")), table.element);
}

function buttons(row, into, reload) {
	const box = h("span", {class: "acts"});
	const enable = (on) => box.querySelectorAll("button").forEach((b) => {
		b.disabled = !on;
	});
	box.append(...into.map((unit) => h("button", {type: "button", class: "btn btn-sm btn-outline-primary", "data-place": unit,
		"aria-label": `${tt("place_in")} ${unit}: ${row.title ?? row.record.slice(0, 16)}`, onclick: () => {
			enable(false);
			decide("unit place", {record: row.record, unit}, `${tt("place_in")} ${unit}: ${row.title ?? row.record.slice(0, 16)}`,
				{done: reload, failed: () => enable(true), undone: () => enable(true)});
		}}, "→ " + unit)));
	return box;
}

async function records(body, code, signal) {
	const waiting = (await call("unit placing", {}, {signal})).find((u) => u.code === code);
	const into = waiting?.into ?? [];
	const again = () => void bar.reload().catch((e) => body.prepend(alarm(e)));
	const table = new Table({caption: "placing", empty: "nothing_waits", columns: [
		{key: "title", text: "record", show: (r) => [r.hidden ? t("hidden") : r.title, " ", record(r.record)]},
		{key: "type", text: "type", of: (r) => typeLabel(r.type)},
		{key: "belongs_to", text: "belongs_to", show: (r) => (r.belongs_to ? [record(r.belongs_to), " ",
			r.belongs_to_unit ?? ""] : "–")},
		...(may("unit place") ? [{key: "place", text: "place_in", of: () => " ", show: (r) => buttons(r, into, again)}] : []),
	]});
	const bar = await reasonBar(async (reason) => {
		const rows = await call("unit placing", {unit: code, limit: 500, ...(reason ? {reason} : {})}, {signal});
		table.set(rows);
		return rows.some((r) => r.hidden);
	});
	body.append(h("p", {}, link("placing", t("placing")), " · ", t("divided_into"), ": ", into.join(", ")), bar,
		h("div", {class: "filters"}, table.finder()), table.element);
}

export async function show(body, {argument, title, signal}) {
	if (argument === "") {
		await communes(body);
		return;
	}
	title.append(" " + argument);
	await records(body, argument, signal);
}
