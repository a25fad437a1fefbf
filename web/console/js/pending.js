// pending - a decision is sent a little after it was made, so that it can be taken back with one click.
// Leaving the page sends what waits: a decision made is never lost.
import {call, callLeaving} from "./api.js";
import {alarm, announce, h, t, tt} from "./dom.js";

export const patience = {ms: 8000}; // how long a decision waits; tests have more, or less
const box = document.getElementById("pending");
const waiting = new Map();
let serial = 0;

function hideIfEmpty() {
	box.hidden = box.childElementCount === 0;
}

function take(id) {
	const one = waiting.get(id);
	waiting.delete(id);
	clearTimeout(one?.timer);
	return one;
}

async function send(id) {
	const one = take(id);
	if (one === undefined)
		return;
	one.element.querySelector(".said").replaceChildren(t("sending"));
	for (const b of one.element.querySelectorAll("button"))
		b.disabled = true;
	let result;
	try {
		result = await call(one.command, one.args);
	} catch (e) {
		one.element.replaceChildren(h("strong", {}, one.words), alarm(e), closer(one.element));
		one.failed(e);
		return;
	}
	one.element.remove();
	hideIfEmpty();
	announce(tt("written") + ": " + one.words);
	one.done(result);
}

function closer(element) {
	return h("button", {type: "button", class: "btn btn-sm btn-outline-secondary", onclick: () => {
		element.remove();
		hideIfEmpty();
	}}, t("close"));
}

function undo(id) {
	const one = take(id);
	if (one === undefined)
		return;
	one.element.remove();
	hideIfEmpty();
	announce(tt("taken_back") + ": " + one.words);
	one.undone();
}

// `words` name the decision; one of done(result), failed(error), undone() is called, unless the page is left.
export function decide(command, args, words, {done = () => {}, failed = () => {}, undone = () => {}}) {
	const id = ++serial;
	const element = h("div", {class: "pending", "data-command": command},
		h("strong", {}, words), h("span", {class: "said"}, t("will_be_written")),
		h("button", {type: "button", class: "btn btn-sm btn-primary", "data-undo": true, onclick: () => undo(id)},
			t("undo")),
		h("button", {type: "button", class: "btn btn-sm btn-outline-secondary", "data-now": true,
			onclick: () => send(id)}, t("write_now")));
	box.append(element);
	box.hidden = false;
	announce(words + ". " + tt("will_be_written"));
	waiting.set(id, {command, args, words, done, failed, undone, element, timer: setTimeout(() => send(id), patience.ms)});
}

// Sends all that waits; `leaving`: the page goes away and nobody will hear the answer.
export function flush(leaving = false) {
	for (const [id, one] of waiting) {
		if (!leaving) {
			void send(id);
			continue;
		}
		take(id);
		callLeaving(one.command, one.args);
	}
}
