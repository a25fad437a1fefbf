// devices - every device, and inviting one more.
import {call, may} from "../api.js";
import {deviceColumns} from "../device_columns.js";
import {alarm, badge, h, link, t, time} from "../dom.js";
import {PagedTable} from "../paged.js";
import {qrCanvas} from "../qr.js";
import {choice, field, Table} from "../table.js";

// The invitation is shown once, to be typed, sent, or photographed.
export function invitation(made) {
	return h("div", {class: "notice good invitation", role: "status"},
		h("p", {}, t("invitation_made"), " ", time(made.expires_at)),
		h("p", {}, h("code", {"data-invitation": true}, made.invitation)),
		made.qr ? qrCanvas(made.qr) : null);
}

function inviting() {
	const said = h("div");
	const name = (n, text, more) => field(text, h("input", {name: n, class: "form-control", autocomplete: "off", ...more}));
	const cleared = h("input", {type: "checkbox", class: "form-check-input", id: "invite-cleared", name: "cleared"});
	const expires = choice("expires", [["24h", "hours_24"], ["72h", "hours_72"], ["7d", "days_7"], ["30d", "days_30"]], "72h",
		() => {});
	expires.querySelector("select").name = "expires";
	const form = h("form", {class: "filters", onsubmit: async (event) => {
		event.preventDefault();
		const given = Object.fromEntries(new FormData(form));
		const args = {units: given.units.split(/[\s,;]+/).filter(Boolean), expires: given.expires, qr: true};
		if (given.author.trim() !== "")
			args.author = given.author.trim();
		if (given.cleared)
			args.clearance = "restricted";
		try {
			said.replaceChildren(invitation(await call("device invite", args)));
			form.reset();
		} catch (e) {
			said.replaceChildren(alarm(e));
		}
	}},
	name("units", "invite_units", {required: true, placeholder: "25195"}), name("author", "invite_author", {maxlength: 100}),
	expires, h("div", {class: "check"}, cleared, h("label", {for: "invite-cleared"}, t("invite_cleared"))),
	h("button", {class: "btn btn-primary"}, t("invite")));
	return h("details", {class: "decision", id: "invite"}, h("summary", {}, t("invite_title")), form, said);
}

export async function show(body, {signal}) {
	const states = ["active", "stale", "never", "forked", "revoked"];
	let state = "";
	const table = new PagedTable({columns: deviceColumns, caption: "devices", sort: "number", empty: "no_devices",
		ask: (asked) => call("device list", {...asked, state: state || undefined, counted: true}, {signal})});
	body.append(may("device invite") ? inviting() : "", h("div", {class: "filters"}, table.finder(),
		choice("state", [["", "which_all"], ...states.map((s) => [s, "device_" + s])], "", (v) => {
			state = v;
			table.changed();
		}), table.exporter("devices")), table.element);
	await table.load();
	if (may("missing")) {
		const rows = await call("missing", {}, {signal});
		if (rows.length === 0)
			return;
		const missing = new Table({caption: "missing", columns: [
			{key: "device", text: "device", kind: "number", show: (r) => link("device/" + r.device, String(r.device))}, {key: "name", text: "name"},
			{key: "units", text: "communes", of: (r) => r.units.join(", ")},
			{key: "held", text: "numbers_held"},
			{key: "missing", text: "numbers_missing", show: (r) => badge("bad", r.missing)},
			{key: "last_contact", text: "last_contact", show: (r) => time(r.last_contact)}]});
		missing.set(rows);
		body.append(h("h2", {}, t("missing_title")), h("p", {}, t("missing_hint")), missing.element);
	}
}
