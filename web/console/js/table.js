// table - rows that can be sorted, narrowed and taken along as CSV. Stacked on a phone.
import {fold, h, number, t, tt, value} from "./dom.js";
import {download} from "./download.js";

// Rows drawn at once; more on demand. On a phone each is as tall as a card.
const PAGE = matchMedia("(max-width: 640px)").matches ? 40 : 200;

function compare(a, b) {
	if (a === null || a === undefined || b === null || b === undefined)
		return (a ?? null) === (b ?? null) ? 0 : (a ?? null) === null ? 1 : -1;
	return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "vi");
}

// A cell without a value; what a record holds is shown by value() itself.
const plain = (v) => (v === null || v === undefined ? "–" : value(v));

// columns: {key, text, of?(row) for sorting and CSV, show?(row) for the cell, kind?: "number"|"wide"}
export class Table {
	constructor({columns, caption, empty = "nothing", sort = null, down = false, mark = null}) {
		this.columns = columns;
		this.sort = sort;
		this.down = down;
		this.mark = mark;
		this.rows = [];
		this.words = "";
		this.drawn = PAGE;
		this.keep = () => true;
		this.head = columns.map((c) => this.#header(c));
		this.body = h("tbody");
		this.left = h("span", {class: "left"});
		this.more = h("button", {type: "button", class: "btn btn-outline-primary", hidden: true,
			onclick: () => this.#grow()}, t("more"), " ", this.left);
		this.empty = h("p", {class: "empty"}, t(empty));
		this.table = h("table", {class: "table table-sm rows"}, h("caption", {class: "unseen"}, tt(caption)),
			h("thead", {}, h("tr", {}, this.head)), this.body);
		this.element = h("div", {class: "table-box"}, this.table, this.empty, this.more);
	}

	#header(column) {
		const button = h("button", {type: "button", class: "sort", onclick: () => this.#sortBy(column.key)},
			column.words ?? t(column.text), h("span", {class: "arrow", "aria-hidden": "true"}));
		return h("th", {scope: "col", "data-key": column.key, class: column.kind}, button);
	}

	#sortBy(key) {
		this.down = this.sort === key && !this.down;
		this.sort = key;
		this.draw();
	}

	#grow() {
		const first = this.drawn;
		this.drawn += PAGE;
		this.draw();
		this.body.rows[first]?.querySelector("a, button")?.focus();
	}

	static of(column, row) {
		return column.of ? column.of(row) : row[column.key];
	}

	set(rows) {
		this.rows = rows;
		this.draw();
	}

	// Those the filters leave, in the order shown.
	seen() {
		const words = fold(this.words).split(/\s+/).filter(Boolean);
		const rows = this.rows.filter((row) => this.keep(row) && words.every((w) =>
			this.columns.some((c) => fold(value(Table.of(c, row))).includes(w))));
		const column = this.columns.find((c) => c.key === this.sort);
		if (column !== undefined)
			rows.sort((a, b) => compare(Table.of(column, a), Table.of(column, b)) * (this.down ? -1 : 1));
		return rows;
	}

	#row(row) {
		const cells = this.columns.map((c) => {
			const shown = c.show ? c.show(row) : plain(Table.of(c, row));
			const bare = [0, null, undefined, "", false].includes(Table.of(c, row)) ? " bare" : ""; // left out on a phone
			return h("td", {class: (c.kind ?? "") + bare, "data-label": c.words ?? tt(c.text)}, shown);
		});
		return h("tr", {class: this.mark?.(row)}, cells);
	}

	draw() {
		const rows = this.seen();
		for (const th of this.head) {
			const is = th.dataset.key === this.sort;
			if (is)
				th.setAttribute("aria-sort", this.down ? "descending" : "ascending");
			else
				th.removeAttribute("aria-sort");
			th.querySelector(".arrow").textContent = is ? (this.down ? "▼" : "▲") : "";
		}
		this.body.replaceChildren(...rows.slice(0, this.drawn).map((r) => this.#row(r)));
		this.table.hidden = rows.length === 0;
		this.empty.hidden = rows.length !== 0;
		this.more.hidden = rows.length <= this.drawn;
		this.left.textContent = `(${number(this.drawn)} / ${number(rows.length)})`;
		this.onDrawn?.(rows);
	}

	// A box of words to look for.
	finder() {
		const input = h("input", {type: "search", class: "form-control", autocomplete: "off", "data-find": true,
			oninput: () => {
				this.words = input.value;
				this.draw();
			}});
		return field("find", input);
	}

	exporter(name) {
		return h("button", {type: "button", class: "btn btn-outline-secondary", "data-export": name,
			onclick: () => download(name + ".csv", "text/csv;charset=utf-8", this.csv())}, t("export_csv"));
	}

	csv() {
		const lines = [this.columns.map((c) => c.key), ...this.seen().map((row) =>
			this.columns.map((c) => Table.of(c, row)))];
		return "\ufeff" + lines.map((l) => l.map(cell).join(",")).join("\r\n") + "\r\n";
	}
}

// What a spreadsheet would take for a formula is text.
function cell(v) {
	let s = v === null || v === undefined ? "" : typeof v === "object" ? JSON.stringify(v) : String(v);
	if (typeof v === "string" && /^[=+@\t\r-]/.test(s))
		s = "'" + s;
	return /[",\r\n]/.test(s) ? '"' + s.replaceAll('"', '""') + '"' : s;
}

let serial = 0;

// A label and its control.
export function field(text, control) {
	control.id ||= "f" + ++serial;
	return h("div", {class: "field"}, h("label", {for: control.id}, t(text)), control);
}

// choices: [[value, text key]], or [value, null, words].
export function choice(text, choices, chosen, onchange) {
	const select = h("select", {class: "form-select", onchange: () => onchange(select.value)},
		choices.map(([v, key, words]) => h("option", {value: v, selected: v === chosen}, words ?? tt(key))));
	return field(text, select);
}
