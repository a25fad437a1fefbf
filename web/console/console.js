// The console's first page: sign in, set a password of one's own, see who one is.
// The API is docs/console.md; a POST carries the token that `login` and `me` give.
let token = "login";

const at = (id) => document.getElementById(id);

function show(id) {
	for (const one of ["login", "password", "me"])
		at(one).hidden = one !== id;
	at(id).querySelector("input, button").focus();
}

function say(text) {
	at("say").textContent = text;
}

async function ask(path, body) {
	const options = body === undefined ? {} : {
		method: "POST",
		headers: {"Content-Type": "application/json", "X-Ctxh-Token": token},
		body: JSON.stringify(body),
	};
	const answer = await fetch("/console/api/" + path, options);
	const got = await answer.json();
	return {ok: answer.ok, code: got.code, error: got.error, got};
}

function enter(me) {
	token = me.token;
	at("name").textContent = me.name;
	at("role").textContent = me.role;
	at("version").textContent = me.version;
	show(me.must_change ? "password" : "me");
}

async function send(event, path) {
	event.preventDefault();
	const form = event.target;
	say("…");
	const {ok, error, got} = await ask(path, Object.fromEntries(new FormData(form)));
	say(ok ? "" : error);
	form.querySelector("input[type=password]").value = "";
	if (ok) {
		form.reset();
		enter(got);
	}
}

at("login").addEventListener("submit", (event) => send(event, "login"));
at("password").addEventListener("submit", (event) => send(event, "password"));
at("logout").addEventListener("click", async () => {
	await ask("logout", {});
	token = "login";
	show("login");
});

const {ok, got} = await ask("me");
if (ok)
	enter(got);
else
	show("login");
