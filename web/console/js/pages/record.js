// record - one record: what stands, who wrote it, and everything that ever happened to it.
import {call, may} from "../api.js";
import {alarm, badge, h, link, number, record, t, time, tt, value} from "../dom.js";
import {codeLabel, fieldLabel, typeLabel} from "../labels.js";
import {decide} from "../pending.js";
import {reasonBar} from "../reason.js";
import {historyColumns} from "../session_columns.js";
import {field, Table} from "../table.js";

const standing = (type) => [
	{key: "field", text: "field", of: (f) => fieldLabel(type, f.field)},
	{key: "value", text: "value", kind: "wide", show: (f) => (f.hidden ? t("hidden") : [value(codeLabel(type, f.field, f.value)),
		f.resolved ? [" → ", record(f.resolved)] : null])},
	{key: "author", text: "author"},
	{key: "device", text: "device", kind: "number", of: (f) => f.stamp?.device ?? null, show: (f) =>
		(f.stamp?.device ? link("device/" + f.stamp.device, String(f.stamp.device)) : t("office"))},
	{key: "at", text: "written_at", of: (f) => f.stamp?.at ?? null, show: (f) => time(f.stamp?.at)},
	{key: "log", text: "log_number", kind: "number", show: (f) => number(f.log)},
];

function head(one) {
	const marks = [one.deleted && badge("bad", t("deleted")), one.voided && badge("bad", t("voided")),
		one.merged_into && badge("stale", t("joined_to"), " ", record(one.stands))];
	return [
		h("dl", {class: "facts"},
			h("dt", {}, t("record")), h("dd", {class: "id"}, one.id),
			h("dt", {}, t("type")), h("dd", {}, one.hidden ? t("hidden") : typeLabel(one.type)),
			h("dt", {}, t("commune")), h("dd", {}, one.unit ? link("unit/" + encodeURIComponent(one.unit), one.unit_name ??
				one.unit) : "–")),
		h("p", {}, marks.filter(Boolean).map((m) => [m, " "])),
	];
}

// Taking a joined record out of the other again.
function split(one, again) {
	if (!one.merged_into || !may("duplicate split"))
		return [];
	const button = h("button", {type: "button", class: "btn btn-outline-primary", "data-act": "split", onclick: () => {
		button.disabled = true;
		const back = () => {
			button.disabled = false;
		};
		decide("duplicate split", {record: one.id}, `${tt("split")} ${one.id.slice(0, 16)}`,
			{done: again, failed: back, undone: back});
	}}, t("split"));
	return [button];
}

const erasing = (one) => (may("erase") ? [h("p", {}, link("erase/" + one.id, t("erase")))] : []);

function lookup() {
	const input = h("input", {class: "form-control id", required: true, minlength: 8, maxlength: 32, pattern: "[0-9a-fA-F]+",
		autocomplete: "off", spellcheck: "false", name: "record"});
	return h("form", {class: "filters", onsubmit: (event) => {
		event.preventDefault();
		location.hash = "#/record/" + input.value.toLowerCase();
	}}, field("record_id", input), h("button", {class: "btn btn-primary"}, t("look_up")));
}

export async function show(body, {argument, signal}) {
	if (argument === "") {
		body.append(h("p", {}, t("record_hint")), lookup());
		return;
	}
	const top = h("div");
	const table = h("div");
	const history = new Table({columns: historyColumns, caption: "history", empty: "nothing"});

	async function load(reason) {
		const one = await call("record show", {record: argument, ...(reason ? {reason} : {})}, {signal});
		const fields = new Table({columns: standing(one.type), caption: "what_stands", empty: "nothing"});
		fields.set(Object.entries(one.fields).map(([name, f]) => ({field: name, ...f})));
		top.replaceChildren(...head(one), ...erasing(one), ...split(one, () => void load().catch((e) => top.prepend(alarm(e)))));
		table.replaceChildren(fields.element);
		history.set(one.history);
		return one.hidden || Object.values(one.fields).some((f) => f.hidden) || one.history.some((c) => c.hidden);
	}

	const bar = await reasonBar(load);
	body.append(top, bar, h("h2", {}, t("what_stands")), table, h("h2", {}, t("history")),
		h("div", {class: "filters"}, history.finder()), history.element);
}
