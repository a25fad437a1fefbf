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
	{path: "devices", text: "devices", menu: true, needs: ["device list"], load: () => import("./pages/devices.js")},
	{path: "device", text: "device", parent: "devices", needs: ["device show"], load: () => import("./pages/device.js")},
	{path: "units", text: "units", menu: true, needs: ["unit list"], load: () => import("./pages/units.js")},
	{path: "accounts", text: "accounts", menu: true, needs: ["account list"], load: () => import("./pages/accounts.js")},
	{path: "backups", text: "backups", menu: true, needs: ["backup list"], load: () => import("./pages/backups.js")},
	{path: "audit", text: "audit", menu: true, needs: ["audit list"], load: () => import("./pages/audit.js")},
];
