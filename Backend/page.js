function head(status) {
	return status.interfaces.map(i => i.mode + " on " + i.interface);
}

function rows(status, now) {
	const into = make("div", {});
	const away = new Set((status.vips || []).filter(v => !v["on-lo"]).map(v => v.vip));
	make("h2", { text: "What xdp_bkd restores" }, into);
	const add = table([
		{ name: "service", text: true, value: r => endpoint(r) },
		{ name: "state", text: true, kind: () => "state", wide: true, fill: (r, td) => {
			td.textContent = away.has(r.vip) ? "not on lo" : r.permanent ? "permanent" : "for grace";
			if (away.has(r.vip)) make("span", { class: "why", text: "no server answers for it" }, td);
		} },
		{ name: "address", text: true, value: r => r.address },
		{ name: "forward", text: true, value: r => r.forward },
		{ name: "packets", value: r => short(r.packets || 0) },
		{ name: "packets/s", value: r => rate(r.address + endpoint(r) + r.forward, r.packets || 0, now) },
	], into);
	for (const r of status.restores || []) add(r, away.has(r.vip) ? "down" : r.permanent ? "up" : "draining");
	$("rows").replaceChildren(into);
}
