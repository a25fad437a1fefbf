// decisions - what waits for a person: conflicts beside quarantine, each decided with one click; and what was decided.
import {call, may} from "../api.js";
import {alarm, badge, h, link, number, record, t, time, tt, value} from "../dom.js";
import {codeLabel, fieldLabel, refusal, typeLabel} from "../labels.js";
import {decide} from "../pending.js";
import {reasonBar} from "../reason.js";
import {Undone} from "../undone.js";
import {askWhy} from "../why.js";

const SHOWN = 100; // cards drawn; the rest when these are decided
const LISTED = 50; // decisions of each kind that can be taken back

// Buttons of one card: disabled while their decision waits; the card goes when it is written.
function actions(card, choices, after) {
	const buttons = choices.filter((c) => may(c.command)).map((c) => h("button", {type: "button", class: "btn btn-sm " +
		(c.main ? "btn-primary" : "btn-outline-secondary"), "data-act": c.command, onclick: async () => {
		const args = await c.args();
		if (args === null)
			return;
		const enable = (on) => buttons.forEach((b) => {
			b.disabled = !on;
		});
		enable(false);
		decide(c.command, args, c.words, {done: () => {
			decided(card);
			after();
		}, failed: () => enable(true), undone: () => enable(true)});
	}}, t(c.text)));
	return h("div", {class: "acts"}, buttons);
}

function decided(card) {
	const column = card.closest(".column");
	card.remove();
	if (column === null)
		return; // the list was drawn anew meanwhile
	const left = column.querySelectorAll(".decision").length;
	column.querySelector(".left").textContent = number(left);
	column.querySelector(".empty").hidden = left !== 0;
}

const about = (c) => (c.hidden ? t("hidden") : `${typeLabel(c.type)} · ${fieldLabel(c.type, c.field)}`);

function conflictCard(c, after) {
	const shown = (v) => (c.hidden ? t("hidden") : value(codeLabel(c.type, c.field, v)));
	const name = `${tt("conflict")} ${c.conflict}`;
	const card = h("article", {class: "decision", "data-conflict": c.conflict, "aria-label": name},
		h("h3", {}, "#", String(c.conflict), " ", about(c)),
		h("p", {}, record(c.record), " · ", time(c.at)),
		h("dl", {class: "sides"},
			h("div", {class: "side"}, h("dt", {}, t("stands_now")), h("dd", {class: "value"}, shown(c.kept)),
				h("dd", {}, c.kept_by ?? "–")),
			h("div", {class: "side lost"}, h("dt", {}, t("lost_value")), h("dd", {class: "value"}, shown(c.lost)),
				h("dd", {}, c.lost_by ?? "–"))));
	const args = () => ({conflict: c.conflict});
	card.append(actions(card, [
		{command: "conflict keep", text: "keep", main: true, args, words: `${name}: ${tt("keep")}`},
		{command: "conflict restore", text: "restore", args, words: `${name}: ${tt("restore")}`},
	], after));
	return card;
}

function content(q) {
	if (q.hidden)
		return h("p", {}, t("hidden"));
	if (q.fields === null)
		return h("p", {class: "id"}, q.bytes ?? "–");
	return h("dl", {class: "facts"}, Object.entries(q.fields).flatMap(([f, v]) => [h("dt", {}, fieldLabel(q.type, f)),
		h("dd", {}, value(codeLabel(q.type, f, v)))]));
}

function quarantineCard(q, after) {
	const name = `${tt("kept_back")} ${q.quarantine}`;
	const more = h("details", {ontoggle: async () => {
		if (!more.open || more.dataset.read)
			return;
		more.dataset.read = "yes";
		try {
			const shown = h("div");
			const bar = await reasonBar(async (reason) => {
				const one = await call("quarantine show", {quarantine: q.quarantine, ...(reason ? {reason} : {})});
				shown.replaceChildren(h("p", {}, typeLabel(one.type), " ", record(one.record), " · ", one.author ?? "–"),
					content(one), one.text ? h("p", {}, one.text) : "");
				return one.hidden;
			});
			more.append(bar, shown);
		} catch (e) {
			more.append(alarm(e));
		}
	}}, h("summary", {}, t("whole_change")));
	const card = h("article", {class: "decision", "data-quarantine": q.quarantine, "aria-label": name},
		h("h3", {}, "#", String(q.quarantine), " ", refusal(q.reason)),
		h("p", {}, q.field ? [fieldLabel(q.type ?? null, q.field), " · "] : null, t("device"), " ", link("device/" + q.device, String(q.device)), " · ", t("number"), " ",
			number(q.number), " · ", time(q.at)), more);
	card.append(actions(card, [
		{command: "quarantine replay", text: "replay", main: true, args: () => ({quarantine: q.quarantine}),
			words: `${name}: ${tt("replay")}`},
		{command: "quarantine discard", text: "discard", words: `${name}: ${tt("discard")}`, args: async () => {
			const why = await askWhy("discard", "discard_hint");
			return why === null ? null : {quarantine: q.quarantine, why};
		}},
	], after));
	return card;
}

function column(heading, rows, card, after) {
	return h("section", {class: "column"}, h("h2", {}, t(heading), " ", badge("plain", h("span", {class: "left"},
		number(rows.length)))),
	h("p", {class: "empty", hidden: rows.length !== 0}, t("nothing_waits")),
	rows.slice(0, SHOWN).map((row) => card(row, after)), rows.length > SHOWN ? h("p", {}, t("more_when_decided")) : null);
}

// What the office decided and can take back; asked for when it is opened.
function decidedLists(again) {
	const lists = [];
	if (may("conflict list"))
		lists.push(new Undone({heading: [t("decided_lately"), ": ", t("conflicts")], hint: "decided_hint", empty: "nothing_decided", again,
			command: "conflict reopen", ask: () => call("conflict list", {decided: true, limit: LISTED}),
			args: (c) => ({conflict: c.conflict}), name: (c) => `${tt("conflict")} ${c.conflict}`, columns: [
				{key: "conflict", text: "number_of", kind: "number"},
				{key: "record", text: "record", show: (c) => record(c.record)},
				{key: "field", text: "field", show: about},
				{key: "state", text: "decision", show: (c) => badge("plain", t("decision_" + c.state))},
				{key: "decided_by", text: "decided_by", kind: "wide"},
				{key: "decided_at", text: "decided_at", show: (c) => time(c.decided_at)},
			]}));
	if (may("quarantine list"))
		lists.push(new Undone({heading: [t("decided_lately"), ": ", t("quarantine")], hint: "decided_hint", empty: "nothing_decided", again,
			command: "quarantine reopen", ask: () => call("quarantine list", {decided: true, limit: LISTED}),
			args: (q) => ({quarantine: q.quarantine}), name: (q) => `${tt("kept_back")} ${q.quarantine}`, columns: [
				{key: "quarantine", text: "number_of", kind: "number"},
				{key: "device", text: "device", kind: "number", show: (q) => link("device/" + q.device, String(q.device))},
				{key: "number", text: "number", kind: "number", show: (q) => number(q.number)},
				{key: "reason", text: "why", show: (q) => [refusal(q.reason), q.field ? " · " + fieldLabel(q.type ?? null, q.field) : null]},
				{key: "state", text: "decision", show: (q) => badge("plain", t("decision_" + q.state))},
				{key: "at", text: "decided_at", show: (q) => time(q.at)},
			]}));
	return lists;
}

export async function show(body, {signal}) {
	const columns = h("div", {class: "columns"});
	let bar = null;
	const lists = decidedLists(() => bar.reload());
	const after = (command) => lists.find((list) => list.command === command)?.open();

	async function load(reason) {
		const more = reason ? {reason} : {};
		const conflicts = may("conflict list") ? await call("conflict list", {open: true, ...more}, {signal}) : [];
		const quarantine = may("quarantine list") ? await call("quarantine list", {open: true, ...more}, {signal}) : [];
		columns.replaceChildren(column("conflicts", conflicts, conflictCard, () => after("conflict reopen")),
			column("quarantine", quarantine, quarantineCard, () => after("quarantine reopen")));
		return conflicts.some((c) => c.hidden);
	}

	bar = await reasonBar(load);
	body.append(bar, columns, ...lists.map((list) => list.element));
}
