// health - how the daemon itself stands, how it stood in the last days, how that moves while the page is open, and what
// it tells by itself.
import {alertsPart} from "../alerts.js";
import {call} from "../api.js";
import {badge, bytes, h, number, t, time, tt, when} from "../dom.js";
import {metricsPart} from "../metrics_table.js";
import {choice} from "../table.js";

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
const MIB = PAGE_BYTES / 2 ** 20;
// What is drawn: from two looks of this page, and from a point of the daemon's own.
const lines = [
	["last_commit", (now) => now.commit_last_ms, (p) => p.commit_ms],
	["queue", (now) => now.writer_waiting, (p) => p.waiting],
	["wal", (now) => now.wal_pages * MIB, (p) => p.wal_pages * MIB, "MiB"],
	["syncs_a_minute", (now, before, s) => (now.syncs_total - before.syncs_total) / s * 60,
		(p) => p.syncs / Math.max(1, p.span_ms) * 60000],
];
const spans = {live: 0, day: 86400000, week: 7 * 86400000};
const POINT_MS = 300000; // between two of the daemon's points

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

async function chart(library, text, unit) {
	const canvas = h("canvas", {role: "img", "aria-label": tt(text)});
	const box = h("figure", {class: "chart"}, h("figcaption", {}, t(text), unit ? ` (${unit})` : ""), h("div", {}, canvas));
	const drawn = new library.Chart(canvas, {type: "line", data: {labels: [], datasets: [{data: [], pointRadius: 1,
		borderWidth: 2, tension: 0.2}]}, options: {animation: false, maintainAspectRatio: false, responsive: true,
		scales: {x: {ticks: {maxTicksLimit: 6, maxRotation: 0}, grid: {}}, y: {beginAtZero: true,
		ticks: {}, grid: {}}}, plugins: {legend: {display: false}}}});
	const paint = () => {
		drawn.data.datasets[0].borderColor = colour("--act");
		for (const axis of ["x", "y"]) {
			drawn.options.scales[axis].ticks.color = colour("--soft");
			drawn.options.scales[axis].grid.color = colour("--rule");
		}
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
		return await Promise.all(lines.map(([text, , , unit]) => chart(library, text, unit)));
	} catch {
		return null;
	}
}

export async function show(body, {signal}) {
	const facts = h("dl", {class: "facts"});
	const marks = h("p");
	const drawn = await charts();
	const alerts = alertsPart(signal);
	const metrics = metricsPart();
	let before = null;
	let span = "day";
	let asked = 0;
	const seen = []; // by this page: {at, values}

	// "14:05", the day where there are several, the second where that is what matters.
	const label = (at) => ({live: when(at).slice(11), day: when(at).slice(11, 16), week: when(at).slice(0, 5) + when(at).slice(10, 16)})[span];

	function draw(points) {
		drawn?.forEach((one, i) => {
			one.drawn.data.labels = points.map((p) => label(p.at));
			one.drawn.data.datasets[0].data = points.map((p) => p.values[i]);
			one.drawn.update();
		});
	}

	async function drawPast() {
		const {history} = await call("health", {history: true}, {signal});
		const points = history.rows.map((row) => Object.fromEntries(row.map((v, i) => [history.keys[i], v])));
		const since = Date.now() - spans[span];
		asked = Date.now();
		if (span !== "live")
			draw(points.filter((p) => new Date(p.at) >= since).map((p) => ({at: p.at, values: lines.map(([, , of]) => of(p))})));
	}

	const redraw = async () => (span === "live" ? draw(seen) : drawPast());

	async function look() {
		const now = await call("health", {}, {signal});
		const m = now.metrics;
		marks.replaceChildren(badge(now.ready ? "fresh" : "bad", t(now.ready ? "ready" : "not_ready")), " ",
			now.disk_low ? badge("bad", t("disk_low")) : badge("fresh", t("disk_enough")), " ", t("running_since"), " ",
			time(now.started_at), " · ", t("as_of"), " ", time(now.at));
		facts.replaceChildren(...figures.flatMap(([text, of]) => [h("dt", {}, t(text)), h("dd", {"data-figure": text}, of(m))]));
		alerts.set(now.alerts);
		metrics.set(m);
		const seconds = before === null ? 1 : Math.max(0.001, (new Date(now.at) - new Date(before.at)) / 1000);
		seen.push({at: now.at, values: lines.map(([, of]) => Math.max(0, of(m, before?.metrics ?? m, seconds)))});
		if (seen.length > KEPT)
			seen.shift();
		before = now;
		if (drawn !== null && (span === "live" || Date.now() - asked >= POINT_MS))
			await redraw();
	}

	const spanChoice = choice("chart_span", Object.keys(spans).map((s) => [s, "span_" + s]), span, (v) => {
		span = v;
		redraw().catch(() => {}); // the next look tells
	});
	spanChoice.classList.add("wide");
	body.append(marks, facts, drawn === null ? h("p", {class: "notice"}, t("no_charts")) : h("div", {},
		h("div", {class: "filters"}, spanChoice), h("div", {class: "charts"}, drawn.map((one) => one.box))), alerts.element,
	metrics.element);
	await Promise.all([look(), alerts.look()]);
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
