// table - rows that can be sorted, narrowed and taken along as CSV. Stacked on a phone.
import {fold, h, number, t, tt, value} from "./dom.js";
import {download} from "./download.js";

// Rows drawn at once; more on demand. On a phone each is as tall as a card.
export const PAGE = matchMedia("(max-width: 640px)").matches ? 40 : 100;

const MANY = 12; // more columns than this stand closer

const order = new Intl.Collator("vi");

function compare(a, b) {
	if (a === null || a === undefined || b === null || b === undefined)
		return (a ?? null) === (b ?? null) ? 0 : (a ?? null) === null ? 1 : -1;
	return typeof a === "number" && typeof b === "number" ? a - b : order.compare(String(a), String(b));
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
		this.texts = new WeakMap();
		this.head = columns.map((c) => this.#header(c));
		this.body = h("tbody");
		this.left = h("span", {class: "left"});
		const growing = (text, count, left) => h("button", {type: "button", class: "btn btn-outline-primary",
			onclick: () => this.grow(count)}, t(text), left && [" ", left]);
		this.more = h("p", {class: "more", hidden: true}, growing("more", PAGE, this.left), " ", growing("all_rows", Infinity));
		this.empty = h("p", {class: "empty"}, t(empty));
		this.table = h("table", {class: "table table-sm rows" + (columns.length > MANY ? " dense" : "")}, h("caption", {class: "unseen"}, tt(caption)),
			h("thead", {}, h("tr", {}, this.head)), this.body);
		this.element = h("div", {class: "table-box", onprinted: () => this.grow(Infinity)}, this.table, this.empty, this.more);
	}

	#header(column) {
		const button = h("button", {type: "button", class: "sort", onclick: () => this.sortBy(column.key)},
			column.words ?? t(column.text), h("span", {class: "arrow", "aria-hidden": "true"}));
		return h("th", {scope: "col", "data-key": column.key, class: column.kind}, button);
	}

	sortBy(key) {
		this.down = this.sort === key && !this.down;
		this.sort = key;
		this.changed();
	}

	// Other rows are wanted, or in another order; `isTyping`: others soon.
	changed() {
		this.draw();
	}

	// How many more; the first of them is at hand.
	grow(count) {
		const first = this.drawn;
		this.drawn += count;
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

	// What is looked for in a row, made once.
	#text(row) {
		if (!this.texts.has(row))
			this.texts.set(row, this.columns.map((c) => fold(value(Table.of(c, row)))).join("\n"));
		return this.texts.get(row);
	}

	// Those the filters leave.
	kept() {
		const words = fold(this.words).split(/\s+/).filter(Boolean);
		return this.rows.filter((row) => this.keep(row) && words.every((w) => this.#text(row).includes(w)));
	}

	// The same in the order shown.
	seen() {
		const rows = this.kept();
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
		const total = this.total ?? rows.length;
		for (const th of this.head) {
			const is = th.dataset.key === this.sort;
			if (is)
				th.setAttribute("aria-sort", this.down ? "descending" : "ascending");
			else
				th.removeAttribute("aria-sort");
			th.querySelector(".arrow").textContent = is ? (this.down ? "▼" : "▲") : "";
		}
		this.body.replaceChildren(...rows.slice(0, this.drawn).map((r) => this.#row(r)));
		this.table.hidden = total === 0;
		this.empty.hidden = total !== 0;
		this.more.hidden = total <= this.drawn;
		this.left.textContent = `(${number(this.drawn)} / ${number(total)})`;
	}

	// A box of words to look for.
	finder() {
		const input = h("input", {type: "search", class: "form-control", autocomplete: "off", "data-find": true,
			oninput: () => {
				this.words = input.value;
				this.changed(true);
			}});
		return field("find", input);
	}

	exporter(name) {
		return h("button", {type: "button", class: "btn btn-outline-secondary", "data-export": name,
			onclick: async () => download(name + ".csv", "text/csv;charset=utf-8", this.csv(await this.whole()))}, t("export_csv"));
	}

	// All the filters leave, whatever is drawn.
	async whole() {
		return this.seen();
	}

	csv(rows) {
		const lines = [this.columns.map((c) => c.key), ...rows.map((row) =>
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

// On paper nothing is behind a button.
addEventListener("beforeprint", () => {
	for (const box of document.querySelectorAll(".table-box"))
		box.dispatchEvent(new Event("printed"));
});

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
