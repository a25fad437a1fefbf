// live - calls back when the daemon has something new, until `signal` aborts.
// Asks every few seconds, and not while the page is out of sight.
const EVERY_MS = 3000;

export function follow(signal, changed) {
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
