// dom - elements, and how times, numbers and values are written for people.
import {text} from "./text.js";

// h("p", {class: "x", onclick: f, hidden: true}, "text", node, [nodes]); null and false are left out.
export function h(tag, props, ...children) {
	const e = document.createElement(tag);
	for (const [key, value] of Object.entries(props ?? {})) {
		if (value === null || value === undefined || value === false)
			continue;
		if (key.startsWith("on"))
			e.addEventListener(key.slice(2), value);
		else
			e.setAttribute(key, value === true ? "" : value);
	}
	e.append(...children.flat(3).filter((c) => c !== null && c !== undefined && c !== false));
	return e;
}

function pair(key) {
	const found = text[key];
	if (found === undefined)
		throw new Error("no text called " + key);
	return found;
}

// Vietnamese, and English small beside it.
export function t(key) {
	const [vi, en] = pair(key);
	return h("span", {class: "pair"}, vi, " ", h("small", {lang: "en"}, en));
}

// Where only a plain string can stand: names for screen readers, titles, choices.
export const tt = (key) => pair(key).join(" / ");
export const vi = (key) => pair(key)[0];

const zone = "Asia/Ho_Chi_Minh";
const second = new Intl.DateTimeFormat("vi-VN", {timeZone: zone, day: "2-digit", month: "2-digit", year: "numeric",
	hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false});
const count = new Intl.NumberFormat("vi-VN");

export function when(iso) {
	if (iso === null || iso === undefined)
		return "–";
	const p = Object.fromEntries(second.formatToParts(new Date(iso)).map((x) => [x.type, x.value]));
	return `${p.day}/${p.month}/${p.year} ${p.hour}:${p.minute}:${p.second}`;
}

export const time = (iso) => (iso ? h("time", {datetime: iso, title: iso}, when(iso)) : "–");
export const minute = (iso) => (iso ? h("time", {datetime: iso, title: when(iso)}, when(iso).slice(0, 16)) : "–");
// "2021-02-01" as people write it; null and what is no day as a dash.
export const day = (iso) => (/^\d{4}-\d\d-\d\d$/.test(iso ?? "") ? h("time", {datetime: iso}, iso.split("-").reverse().join("/")) : "–");
export const number = (n) => (n === null || n === undefined ? "–" : count.format(n));

export function bytes(n) {
	for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]])
		if (n >= size)
			return (n / size).toLocaleString("vi-VN", {maximumFractionDigits: 1}) + " " + unit;
	return number(n) + " B";
}

// A clock's difference: "+1 giờ 02 phút".
export function offset(ms) {
	const s = Math.round(Math.abs(ms ?? 0) / 1000);
	if (s === 0)
		return "0";
	const sign = ms < 0 ? "−" : "+";
	if (s < 120)
		return `${sign}${s} s`;
	if (s < 7200)
		return `${sign}${Math.round(s / 60)} min`;
	return s < 172800 ? `${sign}${Math.round(s / 3600)} h` : `${sign}${number(Math.round(s / 86400))} d`;
}

// Any value of a record, as text.
export function value(v) {
	if (v === null || v === undefined)
		return "∅";
	if (typeof v === "boolean")
		return v ? "✓" : "✗";
	if (typeof v === "number")
		return number(v);
	if (Array.isArray(v))
		return v.map(value).join(", ");
	return typeof v === "object" ? JSON.stringify(v) : v;
}

const fixed = {Đ: "D", đ: "d"};
// For looking up with and without diacritics.
export const fold = (s) => String(s ?? "").normalize("NFD").replace(/\p{M}/gu, "").replace(/[Đđ]/g, (c) => fixed[c])
	.toLowerCase();

export const short = (id) => (id ? id.slice(0, 16) : "");
export const link = (to, ...children) => h("a", {href: "#/" + to}, ...children);
export const record = (id) => (id ? h("a", {href: "#/record/" + id, class: "id"}, short(id)) : "–");
export const badge = (kind, ...children) => h("span", {class: "mark mark-" + kind}, ...children);

// What screen readers are told of.
export function announce(words) {
	document.getElementById("live").textContent = words;
}

export const alarm = (e) => h("div", {class: "notice bad", role: "alert"}, sentences(e.message ?? String(e)));

// "Việt / English" as the daemon writes it, the English below.
function sentences(message) {
	const cut = message.indexOf(" / ");
	if (cut < 0 || message.indexOf(" / ", cut + 3) >= 0)
		return message;
	return [h("span", {}, message.slice(0, cut)), h("small", {lang: "en", class: "below"}, message.slice(cut + 3))];
}
