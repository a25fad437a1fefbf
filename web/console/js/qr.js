// qr - draws what the daemon encoded: rows of "0" and "1", on white in either theme, with its quiet zone.
import {h, tt} from "./dom.js";

const CELL = 4;
const QUIET = 4;

export function qrCanvas(rows) {
	const size = (rows.length + 2 * QUIET) * CELL;
	const canvas = h("canvas", {width: size, height: size, class: "qr", role: "img", "aria-label": tt("qr_of_invitation")});
	const pen = canvas.getContext("2d");
	pen.fillStyle = "#fff";
	pen.fillRect(0, 0, size, size);
	pen.fillStyle = "#000";
	rows.forEach((row, y) => [...row].forEach((c, x) => {
		if (c === "1")
			pen.fillRect((x + QUIET) * CELL, (y + QUIET) * CELL, CELL, CELL);
	}));
	return canvas;
}
