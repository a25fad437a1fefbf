// live - calls back when the daemon has something new, until `signal` aborts: its events, and where these
// cannot be had a look every few seconds, not while the page is out of sight.
import {lookAgain} from "./api.js";

const EVERY_MS = 3000;

function poll(signal, changed) {
	let timer = 0;
	const later = () => {
		if (!signal.aborted)
			timer = setTimeout(look, EVERY_MS);
	};
	const look = async () => {
		if (!document.hidden)
			await changed().catch(() => {}); // the next look tells, or the login is gone and so is the page
		later();
	};
	signal.addEventListener("abort", () => clearTimeout(timer));
	later();
}

// One after the other: what comes meanwhile is one more time.
function inTurn(changed) {
	let busy = false;
	let again = false;
	const run = async () => {
		again = busy;
		if (busy)
			return;
		busy = true;
		await changed().catch(() => {}); // as above
		busy = false;
		if (again)
			void run();
	};
	return run;
}

// kinds: "session", "board" (docs/console.md).
export function follow(signal, kinds, changed) {
	const source = new EventSource("/console/api/events");
	const tell = inTurn(changed);
	for (const kind of [...kinds, "lost"])
		source.addEventListener(kind, tell);
	source.addEventListener("end", async () => {
		source.close();
		await lookAgain().catch(() => {}); // the login is over, or the account is another: then so is the page
		if (!signal.aborted)
			poll(signal, changed); // tells when the daemon is there again
	});
	source.addEventListener("error", () => {
		// A line that broke is taken up again by the browser; one that was refused is not.
		if (source.readyState !== EventSource.CLOSED || signal.aborted)
			return;
		poll(signal, changed);
	});
	signal.addEventListener("abort", () => source.close());
}
