// units - communes as the lists have them on a day; lists and successions are imported here.
import {call, may} from "../api.js";
import {counts, dayField, dryRunForm, fileField} from "../dry_run.js";
import {day, h, link, t} from "../dom.js";
import {field, Table} from "../table.js";

async function csvOf(form, names) {
	const file = form.elements.csv.files[0];
	const args = {csv: await file.text(), file: file.name};
	for (const name of names)
		if (form.elements[name].value !== "")
			args[name] = form.elements[name].value;
	return args;
}

// Rows that are left out need not keep the others from coming in.
function leftOut(refused) {
	const table = new Table({caption: "rows_left_out", empty: "nothing", columns: [
		{key: "line", text: "line", kind: "number"}, {key: "why", text: "why", kind: "wide"}]});
	table.set(refused);
	return [h("h3", {}, t("rows_left_out")), table.element];
}

const part = (title, hint, form) => h("details", {class: "decision"}, h("summary", {}, t(title)), h("p", {}, t(hint)), form);

const importing = (done) => part("unit_import", "unit_import_hint", dryRunForm({command: "unit import", id: "unit-import",
	fields: [fileField("csv_file", "csv", ".csv,text/csv"), dayField("list_from", "from"), dayField("list_until", "until", false)],
	argsOf: (form) => csvOf(form, ["from", "until"]), done,
	tell: (r) => ({shown: [counts(r, ["communes", "added", "renamed", "ended"])], may: true})}));

const succeeding = (done) => part("unit_succession", "unit_succession_hint", dryRunForm({command: "unit succession",
	id: "unit-succession", fields: [fileField("csv_file", "csv", ".csv,text/csv"), dayField("succession_on", "on")],
	argsOf: (form) => csvOf(form, ["on"]), done,
	tell: (r) => ({shown: [counts(r, ["rows", "whole", "partial", "suspect", "known"]),
		...(r.refused.length ? leftOut(r.refused) : []),
		r.partial ? h("p", {}, link("placing", t("placing"))) : ""], may: true})}));

export async function show(body, {signal}) {
	const table = new Table({caption: "units", sort: "code", empty: "no_communes", columns: [
		{key: "code", text: "unit_code", show: (r) => link("unit/" + encodeURIComponent(r.code), r.code)},
		{key: "name", text: "commune"}, {key: "type", text: "kind"}, {key: "province_code", text: "province"},
		{key: "from", text: "since", show: (u) => day(u.from)}, {key: "until", text: "until", show: (u) => day(u.until)},
	]});
	const on = h("input", {type: "date", class: "form-control", name: "on", onchange: () => void load()});
	const load = async () => table.set(await call("unit list", on.value === "" ? {} : {on: on.value}, {signal}));

	await load();
	body.append(h("p", {}, t("units_hint")), may("unit import") ? importing(load) : "",
		may("unit succession") ? succeeding(load) : "", h("div", {class: "filters"}, table.finder(), field("as_on_day", on),
			table.exporter("units")), table.element);
}
