// session - one contact whole: its figures, and every change it brought, old and new.
import {call} from "../api.js";
import {h, t, time, value} from "../dom.js";
import {reasonBar} from "../reason.js";
import {changeColumns, sessionColumns, sessionDetails} from "../session_columns.js";
import {Table} from "../table.js";

export async function show(body, {argument, title}) {
	const facts = h("dl", {class: "facts"});
	const table = new Table({columns: changeColumns, caption: "changes", empty: "no_changes"});

	async function load(reason) {
		const one = await call("log show", {session: Number(argument), ...(reason ? {reason} : {})});
		facts.replaceChildren(...sessionColumns.map((c) => [h("dt", {}, t(c.text)), h("dd", {"data-key": c.key},
			c.show ? c.show(one) : value(one[c.key] ?? "–"))]).flat(), ...sessionDetails.filter((k) => one[k] !== null).map((k) =>
			[h("dt", {}, t(k)), h("dd", {"data-key": k}, k === "ended_at" ? time(one[k]) : value(one[k]))]).flat());
		table.set(one.changes);
		return one.changes.some((c) => c.hidden);
	}

	title.append(" " + argument);
	const bar = await reasonBar(load);
	body.append(facts, h("h2", {}, t("changes")), bar, h("div", {class: "filters"}, table.finder(),
		table.exporter("session-" + argument)), table.element);
}
