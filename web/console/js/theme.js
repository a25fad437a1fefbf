// Light or dark before anything is drawn. The choice is a preference, the only thing kept here.
(() => {
	const system = matchMedia("(prefers-color-scheme: dark)");
	const chosen = () => {
		try {
			return localStorage.getItem("theme");
		} catch {
			return null; // storage is switched off: the system's choice stands
		}
	};
	const apply = () => {
		const choice = chosen();
		document.documentElement.dataset.choice = choice ?? "auto";
		document.documentElement.dataset.theme = choice ?? (system.matches ? "dark" : "light");
		document.dispatchEvent(new Event("theme"));
	};
	system.addEventListener("change", apply);
	window.chooseTheme = (choice) => {
		try {
			if (choice === "auto")
				localStorage.removeItem("theme");
			else
				localStorage.setItem("theme", choice);
		} catch {
			// Not kept: the system's choice stands.
		}
		apply();
	};
	apply();
})();
