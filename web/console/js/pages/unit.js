// unit - one commune: how it stands, its devices, its last contacts.
import {call, may} from "../api.js";
import {badge, h, number, t, time} from "../dom.js";
import {deviceColumns} from "../device_columns.js";
import {sessionColumns} from "../session_columns.js";
import {Table} from "../table.js";

const figures = ["devices", "missing", "forked", "clock_off", "quarantine", "conflicts"];

function facts(row) {
	const one = (key, shown) => [h("dt", {}, t(key)), h("dd", {"data-key": key}, shown)];
	return h("dl", {class: "facts"},
		one("unit_code", row.code), one("district", row.district_name ?? "–"), one("province", row.province_name ?? "–"),
		one("state", badge(row.state, t("state_" + row.state))),
		one("last_contact", time(row.last_contact)), one("last_receipt", time(row.last_receipt)),
		figures.map((f) => one(f === "devices" ? "device_count" : f, number(row[f]))));
}

async function part(body, heading, columns, caption, empty, rows) {
	const table = new Table({columns, caption, empty});
	body.append(h("h2", {}, t(heading)), table.element);
	table.set(await rows);
}

export async function show(body, {argument, title, signal}) {
	const row = (await call("board", {unit: argument})).rows.find((r) => r.code === argument);

	title.append(" " + (row?.name ?? argument));
	if (row === undefined)
		body.append(h("p", {class: "notice"}, t("not_on_board")));
	else
		body.append(facts(row));
	if (may("device list"))
		await part(body, "devices", deviceColumns, "devices", "no_devices",
			call("device list", {unit: argument}, {signal}));
	if (may("log"))
		await part(body, "last_sessions", sessionColumns, "log", "no_sessions",
			call("log", {unit: argument, limit: 50}, {signal}));
}
