// health - how the daemon itself stands, and how that moves while the page is open.
import {call} from "../api.js";
import {badge, bytes, h, number, t, time, tt} from "../dom.js";

const EVERY_MS = 5000;
const KEPT = 240; // points of a line: twenty minutes
const PAGE_BYTES = 4096;

// Numbers as they stand, and as rates between two looks.
const figures = [
	["disk_free", (m) => bytes(m.disk_free_bytes)], ["wal", (m) => bytes(m.wal_pages * PAGE_BYTES)],
	["queue", (m) => number(m.writer_waiting)], ["last_commit", (m) => `${number(m.commit_last_ms)} ms`],
	["mean_commit", (m) => `${number(m.writer_commits_total ? Math.round(m.commit_ms_total / m.writer_commits_total) : 0)} ms`],
	["commits", (m) => number(m.writer_commits_total)], ["checkpoints", (m) => number(m.writer_checkpoints_total)],
	["connections", (m) => number(m.connections)], ["syncs", (m) => number(m.syncs_total)],
	["refused_syncs", (m) => number(m.syncs_refused_total)], ["applied", (m) => number(m.changes_applied_total)],
	["device_count", (m) => number(m.devices)],
];
const lines = [
	["last_commit", (now) => now.commit_last_ms], ["queue", (now) => now.writer_waiting],
	["wal", (now) => now.wal_pages * PAGE_BYTES / 2 ** 20, "MiB"],
	["syncs_a_minute", (now, before, s) => (now.syncs_total - before.syncs_total) / s * 60],
];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

async function chart(library, text, unit) {
	const canvas = h("canvas", {role: "img", "aria-label": tt(text)});
	const box = h("figure", {class: "chart"}, h("figcaption", {}, t(text), unit ? ` (${unit})` : ""), h("div", {}, canvas));
	const drawn = new library.Chart(canvas, {type: "line", data: {labels: [], datasets: [{data: [], pointRadius: 1,
		borderWidth: 2, tension: 0.2}]}, options: {animation: false, maintainAspectRatio: false, responsive: true,
		scales: {x: {display: false}, y: {beginAtZero: true}}, plugins: {legend: {display: false}}}});
	const paint = () => {
		drawn.data.datasets[0].borderColor = colour("--act");
		drawn.options.scales.y.ticks.color = colour("--soft");
		drawn.options.scales.y.grid.color = colour("--rule");
		drawn.update();
	};
	paint();
	return {box, drawn, paint};
}

// Chart.js may not be installed: the figures stand without it.
async function charts() {
	try {
		const library = await import("/console/lib/chart.mjs");
		library.Chart.register(library.LineController, library.LineElement, library.PointElement, library.LinearScale,
			library.CategoryScale);
		return await Promise.all(lines.map(([text, , unit]) => chart(library, text, unit)));
	} catch {
		return null;
	}
}

export async function show(body, {signal}) {
	const facts = h("dl", {class: "facts"});
	const marks = h("p");
	const drawn = await charts();
	let before = null;

	async function look() {
		const now = await call("health", {}, {signal});
		const m = now.metrics;
		marks.replaceChildren(badge(now.ready ? "fresh" : "bad", t(now.ready ? "ready" : "not_ready")), " ",
			now.disk_low ? badge("bad", t("disk_low")) : badge("fresh", t("disk_enough")), " ", t("running_since"), " ",
			time(now.started_at), " · ", t("as_of"), " ", time(now.at));
		facts.replaceChildren(...figures.flatMap(([text, of]) => [h("dt", {}, t(text)), h("dd", {"data-figure": text}, of(m))]));
		const seconds = before === null ? 1 : Math.max(0.001, (new Date(now.at) - new Date(before.at)) / 1000);
		drawn?.forEach((one, i) => {
			const {labels, datasets: [{data}]} = one.drawn.data;
			labels.push(now.at);
			data.push(Math.max(0, lines[i][1](m, before?.metrics ?? m, seconds)));
			if (data.length > KEPT) {
				labels.shift();
				data.shift();
			}
			one.drawn.update();
		});
		before = now;
	}

	body.append(marks, facts, drawn === null ? h("p", {class: "notice"}, t("no_charts")) :
		h("div", {class: "charts"}, drawn.map((one) => one.box)));
	await look();
	const timer = setInterval(() => {
		if (!document.hidden)
			look().catch(() => {}); // the next look tells
	}, EVERY_MS);
	const repaint = () => drawn?.forEach((one) => one.paint());
	document.addEventListener("theme", repaint, {signal});
	signal.addEventListener("abort", () => {
		clearInterval(timer);
		drawn?.forEach((one) => one.drawn.destroy());
	});
}
