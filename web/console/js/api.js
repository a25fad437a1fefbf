// api - the daemon's API (docs/console.md): one login, one token, one way to call a command.

// What the daemon or the line refused. `message` is for people, as the daemon says it.
export class Refused extends Error {
	constructor(status, code, text) {
		super(text);
		this.status = status;
		this.code = code;
	}
}

const UNREACHABLE = "Không tới được máy chủ, hoặc máy chủ đã ngắt; nếu đang quyết định thì chưa biết đã ghi hay chưa: " +
	"hãy tải lại trang và xem / the daemon cannot be reached, or cut the line; whether a decision was written is " +
	"not known: reload and look";

export const login = {token: "login", me: null, onLost: () => {}, onChanged: () => {}};
// Codes of what a page would not have asked for: the account is another since it was drawn.
const outdated = ["not_allowed_role", "not_in_units", "not_cleared"];

async function ask(path, options) {
	let answer;
	let body;
	try {
		answer = await fetch("/console/api/" + path, options);
		body = await answer.json();
	} catch (e) {
		if (e.name === "AbortError")
			throw e;
		throw new Refused(0, "unreachable", UNREACHABLE);
	}
	if (answer.ok)
		return body;
	const refused = new Refused(answer.status, body.code, body.error ?? answer.statusText);
	if (answer.status === 401 && body.code === "login" && login.me !== null)
		login.onLost(refused);
	if (answer.status === 403 && outdated.includes(body.code))
		void lookAgain().catch(() => {}); // what was refused is told anyway
	throw refused;
}

function post(path, body, more = {}) {
	return ask(path, {
		method: "POST",
		headers: {"Content-Type": "application/json", "X-Ctxh-Token": login.token},
		body: JSON.stringify(body),
		...more,
	});
}

function enter(me) {
	login.token = me.token;
	login.me = me;
	return me;
}

export const whoAmI = async () => enter(await ask("me"));

const rights = ({role, cleared, units, commands}) => JSON.stringify([role, cleared, units, commands]);

// The account may have been given another role or other units since: the pages are then drawn anew.
export async function lookAgain() {
	if (login.me === null)
		return;
	const before = rights(login.me);
	if (rights(await whoAmI()) !== before)
		login.onChanged();
}

export const signIn = async (name, password) => enter(await post("login", {name, password}));
export const setPassword = async (password, fresh) => enter(await post("password", {password, new: fresh}));

export async function signOut() {
	try {
		await post("logout", {});
	} finally {
		login.token = "login";
		login.me = null;
	}
}

// One command of ctxhctl's. `more`: an AbortSignal, say. What it answered; Refused otherwise.
export async function call(command, args = {}, more = {}) {
	return (await post("call", {command, args}, more)).result;
}

export const may = (command) => login.me !== null && login.me.commands.includes(command);

// Sends while the page goes away; nobody hears the answer.
export const callLeaving = (command, args) => void post("call", {command, args}, {keepalive: true}).catch(() => {});
