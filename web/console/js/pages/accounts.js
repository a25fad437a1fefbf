// accounts - who may sign in here, as what.
import {call, login, may} from "../api.js";
import {alarm, badge, h, t, time, tt, vi} from "../dom.js";
import {choice, field, Table} from "../table.js";
import {askForm, askSure} from "../why.js";

const codesOf = (words) => words.split(/[\s,;]+/).filter(Boolean);
const roles = ["administrator", "reviewer", "reporter", "auditor"];

// A first password is shown once.
const first = (made) => h("div", {class: "notice good", role: "status"}, h("p", {}, t("first_password"), " ", made.name, ":"),
	h("p", {}, h("code", {"data-password": true}, made.password)), made.fingerprint ? h("p", {}, t("fingerprint"), " ",
		h("span", {class: "id"}, made.fingerprint)) : null);

function adding(said, again) {
	const name = h("input", {name: "name", class: "form-control", required: true, maxlength: 64, autocomplete: "off"});
	const role = choice("role", roles.map((r) => [r, "role_" + r]), "reporter", () => {});
	const units = h("input", {name: "units", class: "form-control", autocomplete: "off", placeholder: "689"});
	const cleared = h("input", {type: "checkbox", class: "form-check-input", id: "account-cleared"});
	const form = h("form", {class: "filters", onsubmit: async (event) => {
		event.preventDefault();
		try {
			const args = {name: name.value.trim(), role: role.querySelector("select").value};
			const codes = codesOf(units.value);
			if (codes.length !== 0)
				args.units = codes;
			const made = await call("account add", cleared.checked ? {...args, clearance: "restricted"} : args);
			said.replaceChildren(first({...made, name: args.name}));
			form.reset();
			await again();
		} catch (e) {
			said.replaceChildren(alarm(e));
		}
	}}, field("account_name", name), role, field("account_units", units), login.me.cleared ? h("div", {class: "check"}, cleared,
		h("label", {for: "account-cleared"}, t("cleared"))) : null, h("button", {class: "btn btn-primary"}, t("account_add")));
	return form;
}

// What is asked before a role or units are changed; null: not done after all.
async function askRole(row) {
	const role = choice("role", roles.map((r) => [r, "role_" + r]), row.role, () => {});
	role.querySelector("select").name = "role";
	const given = await askForm("account_role", "account_role_hint", h("p", {}, h("strong", {}, row.name)), role);
	return given && {name: row.name, role: given.role};
}

async function askUnits(row) {
	const codes = h("input", {name: "codes", class: "form-control", autocomplete: "off", value: row.units.join(", ")});
	const only = (v) => {
		codes.disabled = v === "office";
		codes.required = v === "units";
	};
	const reach = choice("account_reach", [["office", "reach_office"], ["units", "reach_units"]],
		row.units.length === 0 ? "office" : "units", only);
	reach.querySelector("select").name = "reach";
	only(row.units.length === 0 ? "office" : "units");
	const given = await askForm("account_units_change", "account_units_hint", h("p", {}, h("strong", {}, row.name)), reach,
		field("units", codes));
	return given && (given.reach === "office" ? {name: row.name, all: true} : {name: row.name, units: codesOf(given.codes)});
}

export async function show(body, {signal}) {
	const said = h("div");
	const act = (row, command, text, run) => may(command) && h("button", {type: "button", class: "btn btn-sm btn-outline-secondary",
		"data-act": command, "aria-label": `${tt(text)}: ${row.name}`,
		onclick: () => run().catch((e) => said.replaceChildren(alarm(e)))}, t(text));
	const change = async (command, asked) => {
		const args = await asked;
		if (args === null)
			return;
		await call(command, args);
		said.replaceChildren();
		await load();
	};
	const table = new Table({caption: "accounts", sort: "name", columns: [
		{key: "name", text: "account_name"},
		{key: "role", text: "role", show: (r) => t("role_" + r.role)},
		{key: "units", text: "units", of: (r) => r.units.join(", ") || vi("whole_office"), show: (r) => (r.units.length === 0 ? t("whole_office") :
			r.units.join(", "))},
		{key: "cleared", text: "state", of: (r) => Number(r.cleared) * 2 + Number(r.must_change), show: (r) => [r.cleared ?
			badge("stale", t("cleared")) : null, " ", r.must_change ? badge("stale", t("must_change")) : null]},
		{key: "login_at", text: "login_at", show: (r) => time(r.login_at)},
		{key: "act", text: "action", of: () => " ", show: (r) => h("span", {class: "acts"},
			act(r, "account units", "units", () => change("account units", askUnits(r))),
			act(r, "account role", "role", () => change("account role", askRole(r))),
			act(r, "account reset", "account_reset", async () => {
				if (!await askSure("account_reset", "account_reset_hint"))
					return;
				said.replaceChildren(first({...await call("account reset", {name: r.name}), name: r.name}));
				await load();
			}),
			act(r, "account remove", "remove", async () => {
				if (!await askSure("account_remove", "account_remove_hint"))
					return;
				await call("account remove", {name: r.name});
				await load();
			}))},
	]});
	const load = async () => table.set(await call("account list", {}, {signal}));

	await load();
	body.append(may("account add") ? adding(said, load) : "", said, h("div", {class: "filters"}, table.finder()), table.element);
}
