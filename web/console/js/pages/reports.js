// reports - an indicator or the annual report, computed now; the page prints.
import {call, login, may} from "../api.js";
import {alarm, badge, h, link, number, t, time} from "../dom.js";
import {choice, field, Table} from "../table.js";
import {askSure} from "../why.js";

const last = new Date().getFullYear() - 1;

const part = (row, key) => (row[key] === undefined || row[key] === null ? "–" :
	typeof row[key] === "number" ? number(row[key]) : String(row[key]));
const figure = (key) => ({key, text: key === "value" ? "figure" : key, kind: "number", of: (r) => r[key] ?? null,
	show: (r) => part(r, key)});

const columns = [
	{key: "indicator", text: "indicator", show: (r) => h("span", {title: r.indicator_label ?? ""}, r.indicator)},
	{key: "label", text: "content", kind: "wide", of: (r) => r.label ?? r.indicator_label ?? "",
		show: (r) => [r.label ?? r.indicator_label, r.label && r.indicator_label && r.label !== r.indicator_label ?
			h("small", {class: "below"}, r.indicator_label) : null]},
	...["value", "numerator", "denominator", "target", "persons", "person_times"].map(figure),
];

// Kept for ever as it is now; taken again on its own page.
function freezing(args, said) {
	const button = h("button", {type: "button", class: "btn btn-outline-primary", "data-act": "report freeze",
		onclick: async () => {
			if (!await askSure("freeze", "freeze_hint"))
				return;
			button.disabled = true;
			try {
				const kept = await call("report freeze", args);
				said.replaceChildren(h("p", {class: "notice good", role: "status"}, t("frozen_as"), " ",
					link("frozen", "#" + kept.frozen)));
			} catch (e) {
				said.replaceChildren(alarm(e));
				button.disabled = false;
			}
		}}, t("freeze"));
	return button;
}

function answered(r, table, more) {
	const stale = r.stale_units.length;
	return [
		h("h2", {}, r.label ?? r.id, ": ", r.unit_name, ", ", r.from, " – ", r.to),
		h("p", {}, t("as_of_log"), " ", number(r.as_of), r.as_of_at ? [", ", time(r.as_of_at)] : "", " · ",
			badge(stale ? "stale" : "fresh", t("stale_units"), " ", number(stale)), " ",
			badge(r.quarantined ? "bad" : "fresh", t("quarantine"), " ", number(r.quarantined))),
		stale ? h("details", {}, h("summary", {}, t("stale_units")), h("p", {}, r.stale_units.join(", "))) : null,
		h("div", {class: "filters"}, table.finder(), table.exporter(`${r.id}-${r.unit}-${r.from}-${r.to}`),
			h("button", {type: "button", class: "btn btn-outline-primary", onclick: () => print()}, t("print")), more),
		table.element,
	].filter(Boolean);
}

export async function show(body, {signal}) {
	const all = await call("report list", {}, {signal});
	const said = h("div");
	const result = h("div", {id: "report", "aria-live": "polite"});
	const input = (name, text, more) => field(text, h("input", {name, class: "form-control", required: true,
		autocomplete: "off", ...more}));
	const which = choice("report", all.map((r) => [r.id, null, `${r.id}: ${r.label}`.slice(0, 90)]), "annual", () => {});
	which.querySelector("select").name = "id";
	const reason = login.me.cleared ? field("reason_if_restricted", h("input", {name: "reason", class: "form-control",
		autocomplete: "off"})) : null;
	const form = h("form", {class: "filters", onsubmit: async (event) => {
		event.preventDefault();
		const args = Object.fromEntries([...new FormData(form)].filter(([, v]) => v !== ""));
		const button = form.querySelector("button");
		button.disabled = true;
		said.replaceChildren(h("p", {class: "notice"}, t("report_runs")));
		try {
			const r = await call("report run", args, {signal});
			const table = new Table({columns, caption: "reports", empty: "nothing"});
			table.set(r.rows);
			said.replaceChildren();
			result.replaceChildren(...answered(r, table, may("report freeze") ? freezing({...args, at: r.as_of}, said) : null));
		} catch (e) {
			if (!signal.aborted)
				said.replaceChildren(alarm(e));
		}
		button.disabled = false;
	}}, which, input("unit", "unit_or_province", {maxlength: 20}), input("from", "since", {type: "date", value: `${last}-01-01`}),
	input("to", "until", {type: "date", value: `${last}-12-31`}), input("on", "units_as_on", {type: "date", required: false}),
	reason, h("button", {class: "btn btn-primary"}, t("report_run")));
	body.append(may("report run") ? form : "", said, result);
}
