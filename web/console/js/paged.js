// paged - a table whose rows the daemon filters and sorts, all of them, and gives a screenful at a time.
import {alarm, announce, h, number, t, tt} from "./dom.js";
import {PAGE, Table} from "./table.js";

const PAUSE_MS = 200; // somebody types on

// ask({offset, limit, sort, down, text}): {total, rows}; with an undefined `limit` all of them.
export class PagedTable extends Table {
	constructor({ask, ...more}) {
		super(more);
		this.ask = ask;
		this.total = 0;
		this.turn = 0;
		this.shown = h("span");
		this.failed = h("div");
		this.element.prepend(this.failed, h("p", {class: "small count"}, t("rows_shown"), " ", this.shown));
	}

	kept() {
		return this.rows;
	}

	seen() {
		return this.rows;
	}

	#asked(offset, limit) {
		return this.ask({offset, limit: limit === Infinity ? undefined : limit, sort: this.sort, down: this.down, text: this.words.trim()});
	}

	// From `offset` on; what was asked for before and comes late is nobody's.
	async load(offset = 0, limit = PAGE) {
		const turn = ++this.turn;
		try {
			const got = await this.#asked(offset, limit);
			if (turn !== this.turn)
				return;
			this.failed.replaceChildren();
			this.total = got.total;
			this.rows = offset === 0 ? got.rows : [...this.rows, ...got.rows];
			this.drawn = this.rows.length;
			this.draw();
		} catch (e) {
			if (turn === this.turn && e.name !== "AbortError")
				this.failed.replaceChildren(alarm(e));
		}
	}

	draw() {
		super.draw();
		this.shown.textContent = `${number(this.rows.length)} / ${number(this.total)}`;
	}

	async #anew() {
		await this.load();
		announce(`${tt("rows_shown")} ${this.shown.textContent}`);
	}

	changed(isTyping = false) {
		clearTimeout(this.timer);
		this.timer = setTimeout(() => void this.#anew(), isTyping ? PAUSE_MS : 0);
	}

	async grow(count) {
		const first = this.rows.length;
		await this.load(first, count);
		this.body.rows[first]?.querySelector("a, button")?.focus();
	}

	async whole() {
		return (await this.#asked(0, Infinity)).rows;
	}
}
