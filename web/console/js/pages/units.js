// units - communes as the lists have them on a day.
import {call} from "../api.js";
import {h, link, t} from "../dom.js";
import {field, Table} from "../table.js";

export async function show(body, {signal}) {
	const table = new Table({caption: "units", sort: "code", empty: "no_communes", columns: [
		{key: "code", text: "unit_code", show: (r) => link("unit/" + encodeURIComponent(r.code), r.code)},
		{key: "name", text: "commune"}, {key: "type", text: "kind"}, {key: "province_code", text: "province"},
		{key: "from", text: "since"}, {key: "until", text: "until"},
	]});
	const on = h("input", {type: "date", class: "form-control", name: "on", onchange: () => void load()});
	const load = async () => table.set(await call("unit list", on.value === "" ? {} : {on: on.value}, {signal}));

	await load();
	body.append(h("p", {}, t("units_hint")), h("div", {class: "filters"}, table.finder(), field("as_on_day", on),
		table.exporter("units")), table.element);
}
