// dry_run - what changes much is tried first: nothing is written until the same was seen as a dry run.
import {call} from "./api.js";
import {alarm, badge, h, t} from "./dom.js";
import {field} from "./table.js";

export const fileField = (text, name, accept) => field(text, h("input", {type: "file", name, accept, required: true,
	class: "form-control"}));
export const dayField = (text, name, required = true) => field(text, h("input", {type: "date", name, required,
	class: "form-control"}));

// `argsOf(form)`: the command's arguments, or throws words for people; `tell(result)`: what it would do, or did, and
// whether that may be done.
export function dryRunForm({command, id, fields, argsOf, tell, done = () => {}}) {
	const said = h("div", {role: "status"});
	const apply = h("button", {type: "button", class: "btn btn-primary", "data-apply": command, disabled: true}, t("apply"));
	let tried = null;
	const forget = () => {
		tried = null;
		apply.disabled = true;
	};
	const form = h("form", {class: "filters", id, oninput: () => {
		forget();
		said.replaceChildren();
	}}, fields, h("button", {class: "btn btn-outline-primary", "data-try": command}, t("dry_run")), apply);
	const run = async (args, isTry) => {
		said.replaceChildren(h("p", {class: "notice"}, t(isTry ? "trying" : "sending")));
		try {
			const result = await call(command, isTry ? {...args, dry_run: true} : args);
			const {shown, may} = tell(result);
			said.replaceChildren(h("p", {}, badge(isTry ? "plain" : "fresh", t(isTry ? "tried" : "written"))), ...shown);
			return may;
		} catch (e) {
			said.replaceChildren(alarm(e));
			return false;
		}
	};
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		forget();
		let args;
		try {
			args = await argsOf(form);
		} catch (e) {
			said.replaceChildren(alarm(e));
			return;
		}
		if (await run(args, true)) {
			tried = args;
			apply.disabled = false;
		}
	});
	apply.addEventListener("click", async () => {
		const args = tried;
		forget();
		if (args !== null && await run(args, false))
			await done();
	});
	return h("div", {}, form, said);
}

// Numbers of an answer, by its keys.
export const counts = (result, keys) => h("dl", {class: "facts"}, keys.flatMap((k) =>
	[h("dt", {}, t("count_" + k)), h("dd", {"data-count": k}, String(result[k] ?? "–"))]));
