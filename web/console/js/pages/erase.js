// erase - law's erasure: what would go is shown, then a reason and its basis, then the id typed again. For ever.
import {call} from "../api.js";
import {alarm, badge, h, number, record, t, time} from "../dom.js";
import {fieldLabel, typeLabel} from "../labels.js";
import {field, Table} from "../table.js";
import {askTyped} from "../why.js";

const CONFIRMED = 8; // digits of the id typed again

function told(r) {
	const table = new Table({caption: "pointing", empty: "nothing_points", columns: [
		{key: "record", text: "record", show: (p) => record(p.record)}, {key: "type", text: "type", of: (p) => typeLabel(p.type)},
		{key: "field", text: "field", of: (p) => fieldLabel(p.type, p.field)}]});
	table.set(r.pointing);
	return [h("dl", {class: "facts"}, h("dt", {}, t("would_go")), h("dd", {"data-count": "records"}, number(r.records.length)),
		h("dt", {}, t("in_backups_until")), h("dd", {}, time(r.in_backups_until))),
	h("ul", {}, r.records.map((id) => h("li", {class: "id"}, id))), h("h3", {}, t("pointing")), table.element];
}

// The third step, made anew for each look: what was not looked at cannot be erased.
function erasing(args, seen, said, state) {
	const text = (name) => field("erase_" + name, h("input", {name, class: "form-control", required: true, maxlength: 500,
		autocomplete: "off", pattern: ".*\\S.*"}));
	const form = h("form", {class: "filters", id: "erase-do", onsubmit: async (event) => {
		event.preventDefault();
		const {why, basis} = Object.fromEntries(new FormData(form));
		if (!await askTyped("erase", "erase_sure", seen.records[0].slice(0, CONFIRMED)))
			return;
		form.querySelector("button").disabled = true;
		try {
			const done = await call("erase", {...args, record: seen.records[0], why: why.trim(), basis: basis.trim()});
			said.replaceChildren(h("p", {class: "notice good", role: "status"}, t("erased"), " ", number(done.records.length), " · ",
				t("log_number"), " ", number(done.log)), ...told(done));
			await state();
		} catch (e) {
			form.after(alarm(e));
			form.querySelector("button").disabled = false;
		}
	}}, text("why"), text("basis"), h("button", {class: "btn btn-danger", "data-act": "erase"}, t("erase_do")));
	return form;
}

export async function show(body, {argument, signal}) {
	const said = h("div", {"aria-live": "polite"});
	const swept = h("p");
	const state = async () => {
		const {swept: is} = await call("erase state", {}, {signal});
		swept.replaceChildren(badge(is ? "fresh" : "stale", t(is ? "swept" : "not_swept")));
	};
	const id = h("input", {name: "record", class: "form-control id", required: true, minlength: 8, maxlength: 36, value: argument,
		pattern: "[0-9a-fA-F\\-]+", autocomplete: "off", spellcheck: "false"});
	const along = h("input", {type: "checkbox", class: "form-check-input", id: "erase-along", name: "with_events"});
	const form = h("form", {class: "filters", id: "erase-look", oninput: () => said.replaceChildren(), onsubmit: async (event) => {
		event.preventDefault();
		const args = {record: id.value.trim().toLowerCase(), with_events: along.checked};
		try {
			const seen = await call("erase", {...args, dry_run: true}, {signal});
			said.replaceChildren(...told(seen), h("h2", {}, t("erase")), erasing(args, seen, said, state));
		} catch (e) {
			said.replaceChildren(alarm(e));
		}
	}}, field("record_id", id), h("div", {class: "check"}, along, h("label", {for: "erase-along"}, t("erase_along"))),
	h("button", {class: "btn btn-outline-primary", "data-try": "erase"}, t("erase_look")));
	await state();
	body.append(h("p", {class: "notice"}, t("erase_hint")), swept, form, said);
}
