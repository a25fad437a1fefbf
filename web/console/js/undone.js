// undone - decisions that can be taken back, in a list that is asked for when it is opened.
import {may} from "./api.js";
import {alarm, h, t, tt} from "./dom.js";
import {decide} from "./pending.js";
import {Table} from "./table.js";

// `ask()` gives the rows; `args(row)` are those of `command`, which takes one back, and `name(row)` is what people call
// it; `again()` is called when one was taken back.
export class Undone {
	constructor({heading, hint, empty, ask, command, args, name, columns, again}) {
		const act = {key: "act", text: "action", of: () => " ", show: (row) => this.#button(row)};
		this.ask = ask;
		this.command = command;
		this.args = args;
		this.name = name;
		this.again = again;
		this.table = new Table({caption: "decided_lately", empty, columns: may(command) ? [...columns, act] : columns});
		this.said = h("div");
		this.element = h("details", {class: "undone", "data-undone": command, ontoggle: () => this.reload()},
			h("summary", {}, heading), h("p", {}, t(hint)), this.said, this.table.element);
	}

	// One more can be taken back: it is to be seen.
	open() {
		if (this.element.open)
			void this.reload();
		this.element.open = true; // and "toggle" asks
	}

	async reload() {
		if (!this.element.open)
			return;
		try {
			this.table.set(await this.ask());
			this.said.replaceChildren();
		} catch (e) {
			this.said.replaceChildren(alarm(e));
		}
	}

	#button(row) {
		const words = `${this.name(row)}: ${tt("take_back")}`;
		const button = h("button", {type: "button", class: "btn btn-sm btn-outline-secondary", "data-act": this.command,
			"aria-label": words, onclick: () => {
				button.disabled = true;
				decide(this.command, this.args(row), words, {
					done: () => {
						void this.reload();
						this.again();
					},
					failed: () => {
						button.disabled = false;
					},
					undone: () => {
						button.disabled = false;
					}});
			}}, t("take_back"));
		return button;
	}
}
