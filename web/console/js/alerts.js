// alerts - what goes out by itself: by which ways, how the last tries went, and what would go out now.
import {call, may} from "./api.js";
import {alarm, announce, badge, day, h, link, number, t, time, tt} from "./dom.js";
import {Table} from "./table.js";

const LOOK_MS = 500;
// Where what is told of can be looked at.
const pageOf = {backup_failed: "backups", backup_old: "backups", disk: "health", forked: "devices", quarantine: "decisions",
	conflicts: "decisions", missing: "devices", quiet: "board", never: "board", clocks: "devices", released: "devices",
	placing: "placing", undelivered: "health"};

const said = (way) => (way.asked === null ? null : badge(way.asked === "sent" ? "fresh" : "bad", t("alert_" + way.asked)));

const waysTable = () => new Table({caption: "alert_ways", columns: [
	{key: "way", text: "alert_way", of: (w) => tt("way_" + w.way), show: (w) => t("way_" + w.way)},
	{key: "on", text: "state", of: (w) => tt(w.on ? "way_on" : "way_off"), show: (w) => (w.on ? badge("fresh", t("way_on")) : badge("plain", t("way_off")))},
	{key: "day", text: "alert_day", show: (w) => day(w.day)},
	{key: "at", text: "alert_at", show: (w) => time(w.at)},
	{key: "tries", text: "alert_tries", kind: "number", show: (w) => (w.tries ? badge("bad", number(w.tries)) : "0")},
	{key: "error", text: "error"},
	{key: "asked", text: "alert_asked", show: (w) => said(w) ?? "–"},
]});

const about = (row) => [row.unit ? link("unit/" + encodeURIComponent(row.unit), `${row.unit} ${row.unit_name ?? ""}`) : null, " ",
	row.device ? link("device/" + row.device, `${tt("device")} ${row.device}`, row.device_name ? ` (${row.device_name})` : "") : null,
	" ", row.text, row.count ? " · " + number(row.count) : null, row.at ? [" · ", time(row.at)] : null];

function item(one) {
	const rows = one.rows.length === 0 ? null : h("details", {}, h("summary", {}, t("alert_rows"), " (",
		number(one.rows.length + one.more), ")"), h("ul", {}, one.rows.map((r) => h("li", {}, about(r)))),
	one.more ? h("p", {}, t("alert_more"), " ", number(one.more)) : null);
	return h("li", {"data-alert": one.kind}, badge(one.urgent ? "bad" : "stale", h("span", {class: "pair"}, one.label, " ",
		h("small", {lang: "en"}, one.label_en))), " ", number(one.count), one.oldest ? [" · ", t("alert_oldest"), " ",
		time(one.oldest)] : null, one.detail ? h("p", {}, one.detail) : null, h("p", {}, h("code", {}, one.advice),
		pageOf[one.kind] ? [" · ", link(pageOf[one.kind], t("look"))] : null), rows);
}

function draw(box, alert) {
	box.replaceChildren(h("p", {}, h("strong", {"data-alert-title": true}, alert.title), " · ", time(alert.at)),
		alert.items.length === 0 ? h("p", {class: "empty"}, t("nothing_to_tell")) : h("ul", {class: "items"}, alert.items.map(item)),
		h("details", {}, h("summary", {}, t("alert_text")), h("pre", {}, alert.text)));
}

// What was asked for is sent on the daemon's side of things; its end is asked for.
async function send(command, signal) {
	const {run} = await call(command);
	if (!run)
		throw new Error(tt("alert_busy"));
	for (;;) {
		const state = await call("alert state", {}, {signal});
		if (state.ended >= run)
			return state.ways;
		await new Promise((again) => setTimeout(again, LOOK_MS));
	}
}

// `set(ways)` with those of the daemon's health; `look()` asks what would go out now.
export function alertsPart(signal) {
	const ways = waysTable();
	const now = h("div");
	const told = h("div", {role: "status"});
	const set = (rows) => ways.set(rows);
	const buttons = [["alert send", "alert_send"], ["alert test", "alert_test"]].filter(([command]) => may(command)).map(
		([command, text]) => h("button", {type: "button", class: "btn btn-sm btn-outline-secondary", "data-act": command,
			onclick: async () => {
				buttons.forEach((b) => b.setAttribute("disabled", ""));
				told.replaceChildren(h("p", {class: "notice"}, t("sending")));
				try {
					const got = await send(command, signal);
					set(got);
					told.replaceChildren();
					announce(got.filter((w) => w.on).map((w) => `${tt("way_" + w.way)}: ${w.asked ? tt("alert_" + w.asked) : "–"}`)
						.join("; "));
				} catch (e) {
					if (!signal.aborted)
						told.replaceChildren(alarm(e));
				}
				buttons.forEach((b) => b.removeAttribute("disabled"));
			}}, t(text)));

	async function look() {
		if (!may("alert show"))
			return;
		try {
			draw(now, await call("alert show", {}, {signal}));
		} catch (e) {
			if (!signal.aborted)
				now.replaceChildren(alarm(e));
		}
	}

	const element = h("section", {"data-part": "alerts"}, h("h2", {}, t("alerts")), h("p", {}, t("alerts_hint")), ways.element,
		buttons.length === 0 ? null : h("div", {class: "acts"}, buttons), told, h("h3", {}, t("would_go_out")), now);
	return {element, set, look};
}
