// pages - every page: its path, the commands one of which an account must be allowed, its title.
export const pages = [
	{path: "board", text: "board", menu: true, needs: ["board"], load: () => import("./pages/board.js")},
	{path: "unit", text: "commune", parent: "board", needs: ["board"], load: () => import("./pages/unit.js")},
	{path: "log", text: "log", menu: true, needs: ["log"], load: () => import("./pages/log.js")},
	{path: "session", text: "session", parent: "log", needs: ["log show"], load: () => import("./pages/session.js")},
	{path: "record", text: "record", menu: true, needs: ["record show"], load: () => import("./pages/record.js")},
	{path: "decisions", text: "decisions", menu: true, needs: ["conflict list", "quarantine list"],
		load: () => import("./pages/decisions.js")},
	{path: "duplicates", text: "duplicates", menu: true, needs: ["duplicate list"], load: () => import("./pages/duplicates.js")},
	{path: "placing", text: "placing", menu: true, needs: ["unit placing"], load: () => import("./pages/placing.js")},
];
