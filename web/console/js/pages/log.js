// log - every contact of every device, narrowed by unit, device, time and outcome, live if wanted.
import {call} from "../api.js";
import {alarm, announce, h, t, tt} from "../dom.js";
import {follow} from "../live.js";
import {sessionColumns} from "../session_columns.js";
import {choice, field, Table} from "../table.js";

const FIRST = 200;

function asked(form, limit) {
	const args = {limit};
	for (const [key, v] of new FormData(form))
		if (v !== "")
			args[key] = key === "device" ? Number(v) : v;
	return args;
}

function input(text, name, more) {
	return field(text, h("input", {name, class: "form-control", autocomplete: "off", ...more}));
}

export async function show(body, {signal}) {
	const table = new Table({columns: sessionColumns, caption: "log", sort: "session", down: true, empty: "no_sessions"});
	const said = h("div");
	const older = h("button", {type: "button", class: "btn btn-outline-primary", hidden: true}, t("older"));
	let limit = FIRST;
	let following = null;

	async function load() {
		const rows = await call("log", asked(form, limit), {signal});
		said.replaceChildren();
		older.hidden = rows.length < limit;
		table.set(rows);
	}

	const guarded = () => load().catch((e) => {
		if (!signal.aborted)
			said.replaceChildren(alarm(e));
	});
	const form = h("form", {class: "filters", onsubmit: (event) => {
		event.preventDefault();
		limit = FIRST;
		void guarded();
	}},
	input("unit_code", "unit", {maxlength: 20, size: 8}),
	input("device", "device", {type: "number", min: 1, max: 4294967295}),
	input("since", "since", {type: "date"}), input("until", "until", {type: "date"}),
	choice("outcome", [["", "any_outcome"], ["ok", "outcome_ok"], ["partial", "outcome_partial"],
		["refused", "outcome_refused"], ["failed", "outcome_failed"]], "", () => void guarded()),
	h("button", {class: "btn btn-primary"}, t("apply_filter")));
	form.querySelector("select").name = "outcome";

	older.addEventListener("click", () => {
		limit *= 4;
		void guarded();
	});
	const live = h("input", {type: "checkbox", class: "form-check-input", id: "live-view", onchange: () => {
		following?.abort();
		announce(tt(live.checked ? "live_on" : "live_off"));
		if (!live.checked)
			return;
		following = new AbortController();
		signal.addEventListener("abort", () => following.abort());
		follow(following.signal, ["session"], load);
		void guarded();
	}});

	body.append(form, h("div", {class: "filters"}, table.finder(),
		h("div", {class: "check"}, live, h("label", {for: "live-view"}, t("live_view"))), table.exporter("log")),
	said, table.element, older);
	await load();
}
