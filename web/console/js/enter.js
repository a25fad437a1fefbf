// enter - signing in, and a password of one's own.
import {setPassword, signIn} from "./api.js";
import {alarm, h, t, tt} from "./dom.js";
import {field} from "./table.js";

function page(main, title, form) {
	const heading = h("h1", {tabindex: "-1"}, t(title));
	main.replaceChildren(h("div", {class: "enter"}, heading, form));
	document.title = tt(title) + " · ctxh";
	form.querySelector("input").focus();
}

// `act` gets the form's values; what it refuses is shown above the button, passwords are emptied.
function submits(form, act) {
	const said = form.querySelector(".said");
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		const button = form.querySelector("button");
		button.disabled = true;
		said.replaceChildren();
		try {
			await act(Object.fromEntries(new FormData(form)));
		} catch (e) {
			said.replaceChildren(alarm(e));
			for (const input of form.querySelectorAll("input[type=password]"))
				input.value = "";
			form.querySelector("input[type=password]").focus();
		}
		button.disabled = false;
	});
}

export function showSignIn(main, entered, refused) {
	const form = h("form", {id: "login"},
		h("div", {class: "said"}, refused ? alarm(refused) : null),
		field("account_name", h("input", {name: "name", class: "form-control", autocomplete: "username", required: true,
			maxlength: 64, autocapitalize: "none", spellcheck: "false"})),
		field("password", h("input", {name: "password", type: "password", class: "form-control",
			autocomplete: "current-password", required: true})),
		h("button", {class: "btn btn-primary"}, t("sign_in")));
	submits(form, async ({name, password}) => {
		await signIn(name, password);
		await entered();
	});
	page(main, "sign_in_title", form);
}

export function showPassword(main, entered) {
	const hint = h("p", {id: "password-rule"}, t("password_rule"));
	const form = h("form", {id: "password"}, hint,
		h("div", {class: "said"}),
		field("password_now", h("input", {name: "password", type: "password", class: "form-control",
			autocomplete: "current-password", required: true})),
		field("password_new", h("input", {name: "fresh", type: "password", class: "form-control",
			autocomplete: "new-password", required: true, "aria-describedby": "password-rule"})),
		field("password_again", h("input", {name: "again", type: "password", class: "form-control",
			autocomplete: "new-password", required: true})),
		h("button", {class: "btn btn-primary"}, t("set_password")));
	submits(form, async ({password, fresh, again}) => {
		if (fresh !== again)
			throw new Error(tt("password_differs"));
		await setPassword(password, fresh);
		await entered();
	});
	page(main, "set_password", form);
}
