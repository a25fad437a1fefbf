// query - one reading statement over the typed tables; the statement is audited.
import {call, login} from "../api.js";
import {alarm, badge, h, number, t, tt} from "../dom.js";
import {field, Table} from "../table.js";

export async function show(body, {signal}) {
	const said = h("div", {"aria-live": "polite"});
	const sql = h("textarea", {name: "sql", class: "form-control id", rows: 5, required: true, spellcheck: "false",
		autocomplete: "off", placeholder: "SELECT unit, count(*) AS n FROM live_person GROUP BY unit"});
	const reason = login.me.cleared ? field("reason_if_restricted", h("input", {name: "reason", class: "form-control",
		autocomplete: "off", maxlength: 200})) : null;
	const form = h("form", {class: "query", onsubmit: async (event) => {
		event.preventDefault();
		const button = form.querySelector("button");
		const args = Object.fromEntries([...new FormData(form)].filter(([, v]) => v.trim() !== ""));
		button.disabled = true;
		said.replaceChildren(h("p", {class: "notice"}, t("report_runs")));
		try {
			const got = await call("query", args, {signal});
			const table = new Table({caption: "query", empty: "nothing", columns: got.columns.map((name) => ({key: name,
				words: name, kind: typeof got.rows[0]?.[name] === "number" ? "number" : null}))});
			table.set(got.rows);
			said.replaceChildren(h("p", {}, badge(got.cut ? "stale" : "plain", number(got.rows.length), " ", t("rows_found")),
				got.cut ? [" ", badge("bad", t("rows_cut"))] : ""),
			h("div", {class: "filters"}, table.finder(), table.exporter("query")), table.element);
		} catch (e) {
			if (!signal.aborted)
				said.replaceChildren(alarm(e));
		}
		button.disabled = false;
	}}, field("sql", sql), reason, h("p", {}, h("button", {class: "btn btn-primary", "aria-label": tt("run_query")},
		t("run_query"))));
	body.append(h("p", {}, t("query_hint")), form, said);
}
