// labels - what the schema calls types, fields and codes, in Vietnamese; their names where it is not known.
import {call, may} from "./api.js";
import {badge, t} from "./dom.js";
import {text} from "./text.js";

let types = {};

export async function loadLabels() {
	if (may("types") && Object.keys(types).length === 0)
		types = (await call("types")).types;
}

const own = {unit: ["Đơn vị", "Unit"], deleted: ["Xóa", "Deleted"], voided: ["Hủy bỏ", "Voided"],
	merged_into: ["Gộp vào", "Joined to"]};

export const typeLabel = (type) => (type === null ? "–" : types[type]?.vi ?? type);

export function fieldLabel(type, field) {
	if (field === null)
		return "–";
	return types[type]?.fields[field]?.vi ?? own[field]?.[0] ?? field;
}

// A code as its label, where the field has a list.
export function codeLabel(type, field, value) {
	const codes = types[type]?.fields[field]?.codes;
	if (codes === undefined || value === null)
		return value;
	return Array.isArray(value) ? value.map((v) => codes[v] ?? v) : codes[value] ?? value;
}

// Why something was refused: its code, as everywhere, and what that means.
export const refusal = (code) => [badge("bad", code ?? "–"), " ", text["reason_" + code] === undefined ? null : t("reason_" + code)];
