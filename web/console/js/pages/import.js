// import - records the office itself keeps, from a file: targets, populations. Tried first, all or none.
import {badge, h, record, t} from "../dom.js";
import {counts, dryRunForm, fileField} from "../dry_run.js";
import {fieldLabel, typeLabel} from "../labels.js";
import {Table} from "../table.js";

const kinds = {new: "fresh", change: "stale", same: "plain", refused: "bad"};

function rows(result) {
	const table = new Table({caption: "import", empty: "nothing", columns: [
		{key: "row", text: "line", kind: "number"},
		{key: "type", text: "type", of: (r) => typeLabel(r.type)},
		{key: "result", text: "result", show: (r) => badge(kinds[r.result] ?? "plain", t("import_" + r.result))},
		{key: "id", text: "record", show: (r) => record(r.id)},
		{key: "field", text: "field", of: (r) => fieldLabel(r.type, r.field)},
		{key: "why", text: "why", kind: "wide", of: (r) => r.why ?? r.code},
	]});
	table.set(result.rows);
	return table.element;
}

async function argsOf(form) {
	const file = form.elements.records.files[0];
	const read = JSON.parse(await file.text());
	return {records: Array.isArray(read) ? read : [read], file: file.name};
}

export async function show(body) {
	body.append(h("p", {}, t("import_hint")), dryRunForm({command: "import accept", id: "import-accept",
		fields: [fileField("json_file", "records", ".json,application/json")], argsOf,
		tell: (r) => ({shown: [counts(r, ["new", "change", "same", "refused"]), rows(r)],
			may: r.refused === 0 && r.new + r.change > 0})}));
}
