// device_columns - how devices are listed, wherever they are.
import {badge, h, link, number, offset, t, time} from "./dom.js";

const kinds = {active: "fresh", stale: "stale", never: "never", forked: "bad", revoked: "plain"};
const TOLERANCE_MS = 300000; // beyond it a clock is pointed at; the daemon's own default

export const deviceState = (row) => badge(kinds[row.state] ?? "plain", t("device_" + row.state));

const clock = (row) => (Math.abs(row.clock_offset_ms) > TOLERANCE_MS ? badge("bad", offset(row.clock_offset_ms)) :
	offset(row.clock_offset_ms));

export const deviceColumns = [
	{key: "number", text: "device", kind: "number", show: (row) => link("device/" + row.number, String(row.number))},
	{key: "name", text: "name"},
	{key: "state", text: "state", show: deviceState},
	{key: "units", text: "communes", of: (row) => row.units.join(", "), show: (row) => row.units.map((u) =>
		[link("unit/" + encodeURIComponent(u), u), " "])},
	{key: "last_contact", text: "last_contact", show: (row) => time(row.last_contact)},
	{key: "last_number", text: "last_number", kind: "number", show: (row) => number(row.last_number)},
	{key: "missing", text: "missing", kind: "number", show: (row) => (row.missing > 0 ? badge("bad", number(row.missing)) : "0")},
	{key: "clock_offset_ms", text: "clock_offset", kind: "number", show: clock},
	{key: "client_version", text: "client_version"},
	{key: "enrolled_at", text: "enrolled_at", show: (row) => h("span", {}, time(row.enrolled_at))},
];
