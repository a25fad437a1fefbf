// frozen - reports kept as they were printed once: taken again byte for byte, and what came late.
import {call} from "../api.js";
import {alarm, badge, day, h, number, t, time, tt} from "../dom.js";
import {download} from "../download.js";
import {Table} from "../table.js";

const kinds = {html: "text/html", xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", csv: "text/csv",
	json: "application/json"};

const fromHex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (two) => parseInt(two, 16));

function lateTables(late) {
	const units = new Table({caption: "late", empty: "nothing_late", columns: [
		{key: "unit", text: "unit_code"}, {key: "name", text: "commune"},
		...["records", "changes", "left", "erased"].map((k) => ({key: k, text: "late_" + k, kind: "number"}))]});
	const figures = new Table({caption: "late_figures", empty: "no_late_figures", columns: [
		{key: "indicator", text: "indicator"}, {key: "label", text: "content", of: (r) => r.label ?? r.indicator_label},
		{key: "unit", text: "unit_code"}, {key: "figure", text: "figure"},
		{key: "old", text: "as_frozen", kind: "number", show: (r) => h("span", {class: "old"}, String(r.old ?? "–"))},
		{key: "new", text: "as_now", kind: "number", show: (r) => h("span", {class: "new"}, String(r.new ?? "–"))}]});
	units.set(late.units);
	figures.set(late.figures);
	return [h("h2", {}, t("late"), " #" + late.frozen), units.element, h("h2", {}, t("late_figures")), figures.element];
}

export async function show(body, {signal}) {
	const said = h("div", {"aria-live": "polite", id: "late"});
	const guarded = (run) => () => run().catch((e) => {
		if (!signal.aborted)
			said.replaceChildren(alarm(e));
	});
	const button = (row, text, run, name) => h("button", {type: "button", class: "btn btn-sm btn-outline-secondary",
		"data-act": name ?? text, "aria-label": `${name ?? tt(text)}: ${tt("frozen")} ${row.frozen}`, onclick: guarded(run)},
	name ?? t(text));
	const take = (row, format) => async () => {
		const got = await call("report print", {frozen: row.frozen, format}, {signal});
		download(`${row.id}-${row.unit}-${row.frozen}.${format}`, kinds[format], fromHex(got.body));
	};
	const table = new Table({caption: "frozen", sort: "frozen", down: true, empty: "no_frozen", columns: [
		{key: "frozen", text: "number_of", kind: "number"}, {key: "id", text: "report"},
		{key: "unit_name", text: "unit_of"}, {key: "from", text: "since", show: (r) => day(r.from)}, {key: "to", text: "until", show: (r) => day(r.to)},
		{key: "log", text: "log_number", kind: "number", show: (r) => number(r.log)},
		{key: "at", text: "made_at", show: (r) => time(r.at)}, {key: "who", text: "who"},
		{key: "hash", text: "hash", show: (r) => h("span", {class: "id hash", title: r.hash}, r.hash.slice(0, 12))},
		{key: "act", text: "action", of: () => " ", show: (r) => h("span", {class: "acts"},
			Object.keys(kinds).map((f) => button(r, "take", take(r, f), f)),
			button(r, "late", async () => {
				said.replaceChildren(badge("plain", t("report_runs")));
				said.replaceChildren(...lateTables(await call("report late", {frozen: r.frozen}, {signal})));
			}))}]});

	table.set(await call("report frozen", {}, {signal}));
	body.append(h("p", {}, t("frozen_hint")), h("div", {class: "filters"}, table.finder()), table.element, said);
}
