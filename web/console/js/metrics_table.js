// metrics_table - every figure the daemon counts, by the names Prometheus is given.
import {h, number, t, tt} from "./dom.js";
import {text} from "./text.js";
import {Table} from "./table.js";

const label = (name) => (text["metric_" + name] === undefined ? name : tt("metric_" + name));

export function metricsPart() {
	const table = new Table({caption: "every_figure", sort: "words", columns: [
		{key: "words", text: "figure_name", kind: "wide", show: (m) => (text["metric_" + m.name] === undefined ? m.name :
			t("metric_" + m.name))},
		{key: "value", text: "figure", kind: "number", show: (m) => number(m.value)},
		{key: "name", text: "prometheus_name", show: (m) => h("span", {class: "id"}, "ctxh_" + m.name)},
	]});
	const element = h("details", {"data-part": "metrics"}, h("summary", {}, t("every_figure")), h("div", {class: "filters"},
		table.finder(), table.exporter("metrics")), table.element);
	return {element, set: (metrics) => table.set(Object.entries(metrics).map(([name, value]) => ({name, value, words: label(name)})))};
}
