// verify - the records are rebuilt from the log and compared, every invariant is checked; nothing is changed.
import {call} from "../api.js";
import {alarm, badge, h, number, t} from "../dom.js";
import {counts} from "../dry_run.js";
import {Table} from "../table.js";

function told(r) {
	const table = new Table({caption: "differences", empty: "no_differences", columns: [
		{key: "invariant", text: "invariant"}, {key: "table", text: "table"}, {key: "key", text: "key"},
		{key: "text", text: "detail", kind: "wide"}]});
	table.set(r.differences);
	return [h("p", {}, badge(r.found === 0 ? "fresh" : "bad", t(r.found === 0 ? "verify_good" : "verify_bad"), " ", number(r.found))),
		counts(r, ["log", "changesets", "changes", "records", "invariants"]), table.element];
}

export async function show(body, {signal}) {
	const said = h("div", {role: "status"});
	const button = h("button", {type: "button", class: "btn btn-primary", "data-act": "verify", onclick: async () => {
		button.disabled = true;
		said.replaceChildren(h("p", {class: "notice"}, t("verify_runs")));
		try {
			said.replaceChildren(...told(await call("verify", {}, {signal})));
		} catch (e) {
			if (!signal.aborted)
				said.replaceChildren(alarm(e));
		}
		button.disabled = false;
	}}, t("verify_run"));
	body.append(h("p", {}, t("verify_hint")), h("p", {}, button), said);
}
