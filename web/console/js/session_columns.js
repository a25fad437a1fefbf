// session_columns - how contacts and changes are shown, wherever they are.
import {badge, bytes, h, link, minute, number, offset, record, t, time, tt, value, vi} from "./dom.js";
import {codeLabel, fieldLabel, refusal, typeLabel} from "./labels.js";

export const outcome = (row) => badge({ok: "fresh", partial: "stale", refused: "bad", failed: "bad"}[row.outcome] ?? "plain",
	row.outcome === null ? t("outcome_open") : t("outcome_" + row.outcome));

const counted = (key, kind) => ({key, text: key, kind: "number", show: (row) =>
	(kind && row[key] > 0 ? badge(kind, number(row[key])) : number(row[key]))});

export const sessionColumns = [
	{key: "session", text: "session_number", kind: "number", show: (row) => link("session/" + row.session, String(row.session))},
	{key: "started_at", text: "started_at", show: (row) => minute(row.started_at)},
	{key: "outcome", text: "outcome", show: outcome},
	{key: "unit", text: "commune", show: (row) => (row.unit ? link("unit/" + encodeURIComponent(row.unit), row.unit) : "–")},
	{key: "device", text: "device", kind: "number", show: (row) =>
		(row.device ? link("device/" + row.device, String(row.device)) : "–")},
	{key: "author", text: "author"},
	{key: "transport", text: "transport", show: (row) => (row.transport === null ? "–" :
		h("span", {title: tt("transport_" + row.transport)}, vi("transport_" + row.transport)))},
	counted("changesets"),
	counted("applied"),
	counted("conflicts", "stale"),
	counted("quarantined", "bad"),
	counted("records_out"),
	counted("evictions"),
	{key: "bytes_in", text: "bytes_in", kind: "number", show: (row) => bytes(row.bytes_in)},
	{key: "bytes_out", text: "bytes_out", kind: "number", show: (row) => bytes(row.bytes_out)},
	{key: "clock_offset_ms", text: "clock_offset", kind: "number", show: (row) => offset(row.clock_offset_ms)},
];

// What the list leaves to the page of one contact.
export const sessionDetails = ["ended_at", "address", "client_version", "error"];

const shown = (row, key) => (row.hidden ? h("span", {class: "hidden-value"}, t("hidden")) :
	h("span", {class: key}, value(codeLabel(row.type, row.field, row[key]))));

const merged = ["applied", "conflict", "parallel", "landed"];
const result = (row) => (merged.includes(row.result) ? badge(row.quarantined ? "bad" : row.result === "applied" ? "fresh" : "stale",
	t("result_" + row.result)) : row.result === null ? "–" : refusal(row.result));

const changed = [
	{key: "type", text: "type", of: (row) => typeLabel(row.type)},
	{key: "field", text: "field", of: (row) => fieldLabel(row.type, row.field)},
	{key: "old", text: "old_value", kind: "wide", show: (row) => shown(row, "old")},
	{key: "new", text: "new_value", kind: "wide", show: (row) => h("span", {}, h("span", {"aria-hidden": "true"}, "→ "),
		shown(row, "new"))},
	{key: "result", text: "result", show: (row) => [result(row), row.kept || row.quarantined || row.hidden ? null : h("small", {class: "below"}, t("lost_write"))]},
];

const written = [
	{key: "author", text: "author"},
	{key: "at", text: "written_at", show: (row) => [time(row.at), row.clock_flagged ? h("small", {class: "below"},
		t("clock_said"), ": ", time(row.raw_at)) : null]},
];

export const changeColumns = [
	{key: "number", text: "number", kind: "number"},
	{key: "record", text: "record", show: (row) => record(row.record)},
	...changed, ...written,
];

export const historyColumns = [
	{key: "log", text: "log_number", kind: "number", show: (row) => (row.session === null ? number(row.log) :
		link("session/" + row.session, number(row.log)))},
	...changed.slice(1), ...written,
	{key: "device", text: "device", kind: "number", show: (row) => (row.device === 0 ? t("office") :
		link("device/" + row.device, String(row.device)))},
	{key: "received_at", text: "received_at", show: (row) => time(row.received_at)},
];
