// A state as a class; "last resort" contains a blank.
const word = state => state.replace(" ", "-");

function head(status) {
	return [short(status["flow-table-entries"]) + " of " + short(status["flow-table-size"]) + " flows"];
}

// Of `scheduler: workers`: the backends' threads, and what waits for one.
function threads(status, service, into) {
	const mine = r => endpoint(r) === endpoint(service);
	for (const q of (status.queues || []).filter(mine)) {
		const wait = q["from-queue"] ? Math.round(q["waited-ms"] / q["from-queue"]) + " ms on average" : "";
		make("p", { class: q.queued ? "word degraded" : "word", text: q.queued + " of " + q.size + " requests wait; " +
			short(q["from-queue"]) + " of " + short(q.sent) + " sent had waited " + wait }, into);
		const add = table([
			{ name: "backend", text: true, value: w => w.backend },
			{ name: "threads", value: w => w.threads },
			{ name: "free", value: w => w.free },
			{ name: "busy", value: w => w.busy },
			{ name: "given up", value: w => short(w["given-up"]) },
		], into);
		for (const w of status.workers.filter(mine)) add(w, w.free ? "up" : "draining");
	}
}

function rows(status, now) {
	const into = make("div", {});
	for (const service of status.services || []) {
		const key = r => endpoint(r) + " " + r.backend;
		const checks = new Map(status.checks.map(c => [key(c), c]));
		const mine = status.backends.filter(b => endpoint(b) === endpoint(service));
		const serve = mine.filter(b => b.state !== "draining" && b.state !== "removing");
		const up = serve.filter(b => b.state === "up").length;
		const h2 = make("h2", { text: endpoint(service) + " " }, into);
		make("span", { class: "word " + word(service.state), text: service.state + " for " + ago(service.since, now.at) }, h2);
		make("small", { text: " " + [service.scheduler, up + " of " + serve.length + " up",
			...service.announced ? [service.announced === "withdrawn" ? "VIP withdrawn" : "VIP announced as " + service.announced] : [],
			...service.why ? [service.why] : []].join(", ") }, h2);
		const result = name => ({
			name, text: true,
			kind: b => (checks.get(key(b)) || { [name]: "unknown" })[name],
			value: b => (checks.get(key(b)) || { [name]: "not checked" })[name],
		});
		const add = table([
			{ name: "backend", text: true, value: b => b.backend },
			{ name: "state", text: true, kind: () => "state", fill: (b, td) => {
				td.textContent = b.state + " for " + ago(b.since, now.at);
				if (b.why) make("span", { class: "why", text: b.why }, td);
			}, wide: true },
			result("path"), result("application"),
			...mine.some(b => (checks.get(key(b)) || {}).heartbeat) ? [result("heartbeat")] : [],
			{ name: "check", value: b => { const c = checks.get(key(b)); return c ? c.type + " " + (c["duration-seconds"] * 1000).toFixed(1) + " ms" : ""; } },
			{ name: "accepts", text: true, value: b => b.accepts },
			{ name: "weight", value: b => b.weight },
			{ name: "flows", value: b => short(b["flows-total"]) },
			{ name: "active flows", value: b => short(b["active-flows"]) },
			{ name: "flows/s", value: b => rate("f" + key(b), b["flows-total"], now) },
			{ name: "packets/s", value: b => rate("p" + key(b), b.packets, now) },
			{ name: "bytes/s", value: b => rate("b" + key(b), b.bytes, now) },
		], into);
		for (const b of mine) add(b, word(b.state));
		threads(status, service, into);
	}
	$("rows").replaceChildren(into);
}
