// duplicates - people who may be there twice, side by side: join, or say that they are two.
import {call, may} from "../api.js";
import {alarm, badge, h, link, record, t, time, tt, value} from "../dom.js";
import {codeLabel, fieldLabel} from "../labels.js";
import {decide} from "../pending.js";
import {reasonBar} from "../reason.js";
import {Table} from "../table.js";
import {Undone} from "../undone.js";

const APART = 100; // pairs told apart that are listed

const side = (row, which) => h("div", {class: "side"},
	h("p", {class: "value"}, row[which + "_name"] ?? (row.hidden ? t("hidden") : "–")),
	h("p", {}, row[which + "_birth"] ?? "–", " · ", row[which + "_unit"] ? link("unit/" +
		encodeURIComponent(row[which + "_unit"]), row[which + "_unit"]) : "–"),
	h("p", {}, record(row[which])));

// Every field of both, those that differ marked; what is restricted with a reason.
async function compare(row) {
	const shown = h("div");
	const bar = await reasonBar(async (reason) => {
		const both = await Promise.all([row.keep, row.other].map((id) => call("record show", {record: id,
			...(reason ? {reason} : {})})));
		shown.replaceChildren(sideBySide(...both));
		return both.some((one) => one.hidden || Object.values(one.fields).some((f) => f.hidden));
	});
	return h("div", {}, bar, shown);
}

function sideBySide(a, b) {
	const names = [...new Set([...Object.keys(a.fields), ...Object.keys(b.fields)])];
	const of = (one, name) => (one.fields[name]?.hidden ? tt("hidden") : one.fields[name]?.value ?? null);
	const shown = (key, name, v) => h("span", {}, value(codeLabel("person", name, v)));
	const table = new Table({caption: "compare", mark: (r) => (r.same ? null : "differs"), columns: [
		{key: "name", text: "field", of: (r) => fieldLabel("person", r.name)},
		{key: "keep", text: "first_record", kind: "wide", show: (r) => shown("keep", r.name, r.keep)},
		{key: "other", text: "second_record", kind: "wide", show: (r) => shown("other", r.name, r.other)},
		{key: "same", text: "same", of: (r) => (r.same ? "=" : "≠")},
	]});
	table.set(names.map((name) => {
		const [x, y] = [of(a, name), of(b, name)];
		return {name, keep: x, other: y, same: JSON.stringify(x) === JSON.stringify(y)};
	}));
	return table.element;
}

function card(row, after) {
	const name = `${row.keep_name ?? tt("hidden")} (${row.keep.slice(0, 16)}, ${row.other.slice(0, 16)})`;
	const details = h("details", {ontoggle: async () => {
		if (!details.open || details.dataset.read)
			return;
		details.dataset.read = "yes";
		details.append(await compare(row).catch(alarm));
	}}, h("summary", {}, t("compare")));
	const one = h("article", {class: "decision", "data-keep": row.keep, "data-other": row.other, "aria-label": name},
		h("h3", {}, badge(row.likeness === "name" ? "plain" : "stale", t("like_" + row.likeness)), " ",
			row.across ? badge("plain", t("across")) : null),
		h("div", {class: "sides"}, side(row, "keep"), side(row, "other")), details);
	const act = (command, args, text, main, done) => {
		if (!may(command))
			return null;
		return h("button", {type: "button", class: "btn btn-sm " + (main ? "btn-primary" : "btn-outline-secondary"),
			"data-act": text, onclick: () => {
				const enable = (on) => one.querySelectorAll(".acts button").forEach((b) => {
					b.disabled = !on;
				});
				enable(false);
				decide(command, args, `${name}: ${tt(text)}`, {done, failed: () => enable(true), undone: () => enable(true)});
			}}, t(text));
	};
	// A join is undone by a split, for ever; so the card stays and offers it.
	const joined = (gone, stays) => () => {
		one.querySelector(".acts").replaceChildren(h("span", {class: "notice good"}, t("joined"), " ", record(stays)),
			act("duplicate split", {record: gone}, "split", false, () => one.remove()) ?? "");
	};
	one.append(h("div", {class: "acts"}, row.likeness === "circle" ?
		[act("duplicate split", {record: row.other}, "split", true, () => one.remove())] : [
			act("duplicate join", {keep: row.keep, other: row.other}, "join_keep_first", true, joined(row.other, row.keep)),
			act("duplicate join", {keep: row.other, other: row.keep}, "join_keep_second", false, joined(row.keep, row.other)),
			act("duplicate distinct", {one: row.keep, other: row.other}, "two_people", false, () => {
				one.remove();
				after();
			})]));
	return one;
}

const toldApart = (again) => new Undone({heading: t("told_apart"), hint: "told_apart_hint", empty: "none_apart", again,
	command: "duplicate reopen", ask: () => call("duplicate list", {distinct: true, limit: APART}),
	args: (row) => ({one: row.keep, other: row.other}),
	name: (row) => `${row.keep_name ?? tt("hidden")} (${row.keep.slice(0, 16)}, ${row.other.slice(0, 16)})`, columns: [
		{key: "keep", text: "first_record", show: (row) => record(row.keep)},
		{key: "keep_name", text: "first_name", kind: "wide"},
		{key: "other", text: "second_record", show: (row) => record(row.other)},
		{key: "other_name", text: "second_name", kind: "wide"},
		{key: "decided_by", text: "decided_by", kind: "wide"},
		{key: "decided_at", text: "decided_at", show: (row) => time(row.decided_at)},
	]});

export async function show(body, {signal}) {
	const list = h("div", {class: "cards"});
	let bar = null;
	const apart = toldApart(() => bar.reload());
	bar = await reasonBar(async (reason) => {
		const rows = await call("duplicate list", {limit: 100, ...(reason ? {reason} : {})}, {signal});
		list.replaceChildren(...rows.map((row) => card(row, () => apart.open())));
		if (rows.length === 0)
			list.append(h("p", {class: "empty"}, t("no_duplicates")));
		return rows.some((r) => r.hidden);
	});
	body.append(h("p", {}, t("duplicates_hint")), bar, list, apart.element);
}
