// why - a dialog that asks before something that needs a reason, or cannot be taken back.
import {h, t} from "./dom.js";
import {field} from "./table.js";

function ask(title, hint, control, more = null) {
	return new Promise((resolve) => {
		const id = "why-title";
		const dialog = h("dialog", {"aria-labelledby": id}, h("form", {method: "dialog"},
			h("h2", {id}, t(title)), h("p", {}, t(hint)), more, control ? field("why", control) : null,
			h("div", {class: "acts"},
				h("button", {class: "btn btn-primary", value: "yes", "data-yes": true}, t(title)),
				h("button", {class: "btn btn-outline-secondary", value: "no", formnovalidate: true}, t("cancel")))));
		dialog.addEventListener("close", () => {
			const yes = dialog.returnValue === "yes";
			dialog.remove();
			resolve(yes ? (control?.value.trim() ?? "") : null);
		});
		document.body.append(dialog);
		dialog.showModal();
	});
}

// What was chosen and typed in `controls`, by their names; null: not done after all.
export async function askForm(title, hint, ...controls) {
	const box = h("div", {class: "form"}, controls);
	if (await ask(title, hint, null, box) === null)
		return null;
	return Object.fromEntries([...box.querySelectorAll("input, select")].map((c) => [c.name, c.value]));
}

// The reason; null: not done after all.
export const askWhy = (title, hint) => ask(title, hint, h("input", {class: "form-control", required: true, maxlength: 500,
	autocomplete: "off", autofocus: true, pattern: ".*\\S.*"}));

// Cannot be taken back: done only when the words are typed again. True or false.
export async function askTyped(title, hint, words) {
	const input = h("input", {class: "form-control id", required: true, autocomplete: "off", spellcheck: "false", pattern: words,
		"aria-describedby": "typed-words"});
	const box = h("div", {}, h("p", {id: "typed-words"}, t("type_again"), " ", h("code", {"data-words": true}, words)));
	return (await ask(title, hint, input, box)) === words;
}

export const askSure = async (title, hint) => (await ask(title, hint, null)) !== null;
