// reason - restricted values are shown to who is cleared and says why; the audit keeps it.
import {login} from "./api.js";
import {alarm, h, t} from "./dom.js";
import {field} from "./table.js";

// `load(reason)` draws and tells whether anything is hidden. It has been called once when this returns.
export async function reasonBar(load) {
	const said = h("div");
	let given; // the reason stands for what is loaded again on the same page
	const input = h("input", {class: "form-control", required: true, maxlength: 200, autocomplete: "off", name: "reason"});
	const form = h("form", {class: "filters reason", hidden: true, onsubmit: async (event) => {
		event.preventDefault();
		said.replaceChildren();
		try {
			form.hidden = !await load(given = input.value);
		} catch (e) {
			said.replaceChildren(alarm(e));
		}
	}}, h("p", {}, t("restricted_here")), field("reason", input), h("button", {class: "btn btn-primary"}, t("show_restricted")));
	const hides = await load();
	const bar = h("div", {}, form, said);

	form.hidden = !hides || !login.me.cleared;
	if (hides && !login.me.cleared)
		bar.prepend(h("p", {class: "notice"}, t("restricted_not_you")));
	bar.reload = () => load(given);
	return bar;
}
