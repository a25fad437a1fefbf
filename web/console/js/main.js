// main - the frame of the console: who is signed in, which page is shown, how it looks.
import {login, lookAgain, may, Refused, signOut, whoAmI} from "./api.js";
import {alarm, announce, h, t, tt, vi} from "./dom.js";
import {showPassword, showSignIn} from "./enter.js";
import {loadLabels} from "./labels.js";
import {flush} from "./pending.js";
import {pages} from "./pages.js";

const main = document.getElementById("main");
const nav = document.getElementById("nav");
const top = document.getElementById("top");

let leaving = new AbortController();
// Until the labels are here an address that changes waits for enter(), which goes to the one it is then.
let isOpen = false;

function themes() {
	const button = h("button", {type: "button", id: "theme", class: "btn btn-sm btn-outline-secondary"});
	const draw = () => button.replaceChildren(t("theme_" + document.documentElement.dataset.choice));
	const order = ["auto", "light", "dark"];
	button.addEventListener("click", () => {
		const now = document.documentElement.dataset.choice;
		window.chooseTheme(order[(order.indexOf(now) + 1) % order.length]);
	});
	document.addEventListener("theme", draw);
	draw();
	return button;
}

function account() {
	if (login.me === null)
		return [];
	return [
		h("span", {class: "who"}, login.me.name, " ", h("span", {class: "mark mark-plain"}, tt("role_" + login.me.role)),
			login.me.bound ? [" ", h("span", {class: "mark mark-stale", "data-units": true}, t("only_units"), " ", login.me.units)] : null),
		h("button", {type: "button", class: "btn btn-sm btn-outline-secondary", onclick: () => showPassword(main, enter)},
			t("change_password")),
		h("button", {type: "button", id: "logout", class: "btn btn-sm btn-outline-secondary", onclick: leave},
			t("sign_out")),
	];
}

function drawTop() {
	top.classList.remove("open");
	top.classList.toggle("out", login.me === null);
	const fold = h("button", {type: "button", id: "menu", class: "btn btn-sm btn-outline-secondary",
		"aria-expanded": "false", "aria-controls": "nav", hidden: login.me === null, onclick: () => {
			const open = nav.classList.toggle("open");
			top.classList.toggle("open", open);
			fold.setAttribute("aria-expanded", String(open));
		}}, t("menu"));
	top.replaceChildren(h("a", {class: "brand", href: "#/"}, h("img", {src: "/console/icon.svg", alt: "", width: 24,
		height: 24}), "ctxh"), fold, h("div", {class: "spring"}), h("div", {class: "tools"}, account(), themes()));
}

const allowed = (page) => page.needs.some(may);

function drawNav() {
	const shown = pages.filter((p) => p.menu && allowed(p));
	nav.hidden = login.me === null;
	nav.replaceChildren(h("ul", {}, shown.map((p) =>
		h("li", {}, h("a", {href: "#/" + p.path, "data-path": p.path}, t(p.text))))));
}

function markNav(path) {
	nav.classList.remove("open");
	top.classList.remove("open");
	document.getElementById("menu")?.setAttribute("aria-expanded", "false");
	for (const a of nav.querySelectorAll("a"))
		if (a.dataset.path === path)
			a.setAttribute("aria-current", "page");
		else
			a.removeAttribute("aria-current");
}

// "#/session/12" is page "session", argument "12". Nothing else is ever in an address.
function wanted() {
	const [path = "", coded = ""] = location.hash.replace(/^#\/?/, "").split("/");
	let argument = "";
	try {
		argument = decodeURIComponent(coded);
	} catch {
		return {argument}; // half an address: no such page
	}
	const page = pages.find((p) => p.path === path && allowed(p));
	return {page: page ?? (path === "" ? pages.find((p) => p.menu && allowed(p)) : undefined), argument};
}

async function route() {
	if (!isOpen)
		return;
	flush();
	leaving.abort();
	leaving = new AbortController();
	const {signal} = leaving;
	const {page, argument} = wanted();
	const title = h("h1", {tabindex: "-1"}, t(page?.text ?? "no_page"));
	const body = h("div", {class: "page", "data-page": page?.path ?? "", "aria-busy": "true"});
	main.replaceChildren(title, body);
	document.title = vi(page?.text ?? "no_page") + " · ctxh";
	markNav(page?.parent ?? page?.path);
	title.focus({preventScroll: true});
	scrollTo(0, 0);
	try {
		if (page === undefined)
			throw new Refused(404, "not_found", tt("no_page_text"));
		const module = await page.load();
		await module.show(body, {argument, signal, title});
	} catch (e) {
		if (!signal.aborted && login.me !== null)
			body.append(alarm(e));
	}
	body.removeAttribute("aria-busy");
}

async function enter() {
	drawTop();
	if (login.me.must_change) {
		nav.hidden = true;
		showPassword(main, enter);
		return;
	}
	await loadLabels();
	drawNav();
	isOpen = true;
	await route();
}

function outside(e) {
	leaving.abort();
	isOpen = false;
	drawTop();
	nav.hidden = true;
	showSignIn(main, enter, e);
}

async function leave() {
	flush();
	await signOut().catch(() => {});
	announce(tt("signed_out"));
	outside();
}

login.onLost = (e) => {
	login.me = null;
	login.token = "login";
	outside(e);
};

login.onChanged = () => {
	drawTop();
	drawNav();
	announce(tt("rights_changed"));
	void route();
};

document.querySelector(".skip").addEventListener("click", (event) => {
	event.preventDefault(); // the part behind # names a page here
	main.focus();
});
addEventListener("hashchange", () => {
	void route();
	void lookAgain().catch(() => {}); // the page itself tells what it could not get
});
addEventListener("pagehide", () => flush(true));

try {
	await whoAmI();
	await enter();
} catch (e) {
	if (login.me === null)
		outside(e.code === "login" ? undefined : e);
	else
		main.replaceChildren(alarm(e));
}
