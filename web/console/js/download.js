// download - hands the browser a file that was made here.
import {h} from "./dom.js";

const KEPT_MS = 60000; // long enough for a slow disk to take it

export function download(name, type, content) {
	const url = URL.createObjectURL(new Blob([content], {type}));
	h("a", {href: url, download: name}).click();
	setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
