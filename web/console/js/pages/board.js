// board - every commune at once: what is fresh, stale, was never heard of; what somebody should look at.
import {call} from "../api.js";
import {badge, h, link, minute, number, t, time, tt} from "../dom.js";
import {follow} from "../live.js";
import {choice, Table} from "../table.js";

const signs = {fresh: "●", stale: "◐", never: "○"};
const worries = ["missing", "forked", "clock_off", "quarantine", "conflicts"];
const kinds = /^(Phường|Xã|Thị trấn|Đặc khu) /;
const provinceKinds = /^(Tỉnh|Thành phố) /;
const MANY = 400; // more communes than this are squares without names
const FEW = 3; // fewer groups than this have the whole width

const worried = (row) => worries.some((w) => row[w] > 0);
const needsLook = (row) => row.state !== "fresh" || worried(row);

function told(row) {
	const more = worries.filter((w) => row[w] > 0).map((w) => `${tt(w)} ${row[w]}`);
	return [`${row.name}, ${row.code}`, tt("state_" + row.state), ...more].join("; ");
}

function tile(row, small) {
	const words = told(row);
	const isWorried = worried(row);
	return h("a", {href: "#/unit/" + encodeURIComponent(row.code), class: `tile mark-${row.state}${isWorried ? " worried" : ""}`,
		title: words, "aria-label": words},
	isWorried ? "!" : signs[row.state], small ? null : h("span", {class: "name"}, row.name.replace(kinds, "")));
}

// Rows as lists of values, of which each key and each province's name came once.
async function load(signal) {
	const {at, totals, keys, provinces, rows} = await call("board", {packed: true}, {signal});
	return {at, totals, provinces, rows: rows.map((values) => {
		const row = {};
		for (let i = 0; i < keys.length; i++)
			row[keys[i]] = values[i];
		row.province_name = provinces[row.province_code] ?? null;
		return row;
	})};
}

// Districts where there are any, else provinces.
function groups(rows) {
	const found = new Map();
	for (const row of rows) {
		const key = row.district_code ?? row.province_code ?? "";
		if (!found.has(key))
			found.set(key, {name: row.district_name ?? row.province_name ?? "–", rows: []});
		found.get(key).rows.push(row);
	}
	return [...found.values()];
}

// `pick(province)` leaves one province, whose communes then have room for their names.
function drawMap(rows, pick) {
	const many = rows.length > MANY;
	const found = groups(rows);
	return h("div", {class: "map" + (many ? " many" : found.length < FEW ? " few" : "")}, found.map((g) => {
		const fresh = g.rows.filter((r) => r.state === "fresh").length;
		const name = many ? h("button", {type: "button", class: "sort", "data-province": g.rows[0].province_code,
			onclick: () => pick(g.rows[0].province_code)}, g.name) : g.name;
		return h("section", {class: "district"}, h("h2", {}, name, " ", h("small", {}, `${fresh}/${g.rows.length}`)),
			h("div", {class: "tiles" + (many ? " small" : "")}, g.rows.map((r) => tile(r, many))));
	}));
}

const positive = (key) => ({key, text: key, kind: "number", show: (row) =>
	(row[key] > 0 ? badge("bad", number(row[key])) : "0")});

const columns = [
	{key: "state", text: "state", show: (row) => badge(row.state, signs[row.state], " ", t("state_" + row.state))},
	{key: "code", text: "unit_code"},
	{key: "name", text: "commune", show: (row) => link("unit/" + encodeURIComponent(row.code), row.name)},
	{key: "district_name", text: "district", show: (row) => row.district_name ??
		row.province_name?.replace(provinceKinds, "")},
	{key: "last_contact", text: "last_contact", show: (row) => minute(row.last_contact)},
	{key: "last_receipt", text: "last_receipt", show: (row) => minute(row.last_receipt)},
	{key: "devices", text: "device_count", kind: "number", show: (row) => number(row.devices)},
	...worries.map(positive),
];

// A count that leaves its communes when it is pressed. `kind(n)`: how it looks.
function card(text, kind, pick) {
	const figure = h("strong");
	const button = h("button", {type: "button", "data-figure": text, onclick: pick}, figure, " ", t(text));
	return {button, set: (n) => {
		figure.textContent = number(n);
		button.className = "card-figure mark-" + kind(n);
	}};
}

export async function show(body, {signal}) {
	const board = await load(signal);
	const table = new Table({columns, caption: "board", sort: "state", empty: "no_communes"});
	const map = h("div", {id: "map"});
	const filter = {state: "all", province: "", as: "map"};
	const fits = {all: () => true, attention: needsLook, worried, fresh: (r) => r.state === "fresh",
		stale: (r) => r.state === "stale", never: (r) => r.state === "never"};

	table.keep = (row) => fits[filter.state](row) && (filter.province === "" || row.province_code === filter.province);
	// Only what is looked at is drawn. The daemon's rows are by code, as the map is.
	const redraw = () => {
		const isMap = filter.as === "map";
		const rows = isMap ? table.kept() : [];
		table.element.hidden = isMap;
		map.hidden = !isMap;
		map.replaceChildren(!isMap ? "" : rows.length === 0 ? h("p", {class: "empty"}, t("no_communes")) :
			drawMap(rows, pickProvince));
		if (!isMap)
			table.draw();
	};
	table.changed = redraw;
	const draw = (key) => (v) => {
		filter[key] = v;
		redraw();
	};
	const state = choice("show_which", [["all", "which_all"], ["attention", "which_attention"], ["worried", "which_worried"],
		["fresh", "state_fresh"], ["stale", "state_stale"], ["never", "state_never"]], "all", draw("state"));
	const pick = (v) => () => {
		state.querySelector("select").value = v;
		draw("state")(v);
	};
	const provinces = Object.entries(board.provinces).sort(([a], [b]) => (a < b ? -1 : 1));
	const province = choice("province", [["", "all_provinces"], ...provinces.map(([c, n]) => [c, null, n])], "",
		draw("province"));
	const pickProvince = (code) => {
		const select = province.querySelector("select");
		select.value = code;
		draw("province")(code);
		select.focus();
	};
	const cards = new Map([["communes", card("which_all", () => "plain", pick("all"))],
		...Object.keys(signs).map((s) => [s, card("state_" + s, () => s, pick(s))]),
		...worries.map((w) => [w, card(w, (n) => (n > 0 ? "bad" : "plain"), pick("worried"))])]);
	const asOf = h("small");
	const take = ({at, totals, rows}) => {
		for (const [key, one] of cards)
			one.set(totals[key]);
		asOf.replaceChildren(t("as_of"), ": ", time(at));
		table.rows = rows;
		redraw();
	};

	body.append(
		h("div", {class: "figures"}, [...cards.values()].map((one) => one.button)),
		h("div", {class: "filters"},
			table.finder(), state,
			provinces.length > 1 ? province : null,
			choice("show_as", [["map", "as_map"], ["table", "as_table"]], "map", draw("as")),
			table.exporter("board")),
		h("p", {class: "legend"}, Object.entries(signs).map(([s, sign]) =>
			[badge(s, sign, " ", t("state_" + s)), " "]), badge("bad", "! ", t("which_worried")), " ",
		asOf),
		map, table.element);
	take(board);
	follow(signal, ["board"], async () => take(await load(signal)));
}
