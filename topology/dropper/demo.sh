# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What TCP makes of segments that are lost by their number; sourced by
# topology/demo

bytes=4
table=

# counted FILE REGEX: how many lines match
counted() {
	grep -cE -- "$2" "$1" || :
}

# attempt TITLE MODE ADDRESS PARITY: runs a client whose first sequence number
# is odd or even. Afterwards its lines, the server's and the trace's are in
# $client, $server and $trace; $seen and $dropped are the dropper's counts.
attempt() {
	local title=$1 mode=$2 address=$3 parity=$4 _ port before
	say "$title"
	on server make -s -C topology/dropper MODE="$mode" >/dev/null
	before=$(on server sh -c 'wc -l </run/server')
	client=$(on client topology/dropper/client.py "$address" \
		--count "$bytes" --first "$parity" --patience 3.5) || :
	port=$(sed -n 's/^from port //p' <<<"$client")
	# another client may have had that port earlier
	server=$(on server tail -n "+$((before + 1))" /run/server |
		sed -n "s/^$port //p")
	trace=$(traced server "xdp_dropper: from port $port, .*")
	read -r _ _ _ seen _ dropped _ < <(on server \
		topology/dropper/dropper detach eth0)
	printf '  client:\n%s\n  server, behind xdp_dropper:\n%s\n  trace_pipe:\n%s\n' \
		"$(indented <<<"$client")" \
		"$(indented <<<"${server:-nothing comes}")" \
		"$(head -n 12 <<<"$trace" | indented)"
	table+=$(printf '  %-26s %9s %5s %12s %9s %7d\n' "$title" \
		"$(grep -q '^connected' <<<"$client" && echo yes || echo no)" \
		"$(counted <(echo "$client") '^sent')" \
		"$(counted <(echo "$server") '^segment')" \
		"$(counted <(echo "$server") '^TCP')" "$dropped")$'\n'
}

indented() {
	sed 's/^ */    /'
}

# in_lines TEXT REGEX COUNT: so many lines match
in_lines() {
	(($(counted <(echo "$1") "$2") == $3))
}

network "a client and a server; xdp_dropper will be on the server's eth0"

say "make, on the server: even sequence numbers to port 8080 are lost"
on server make --no-print-directory -C topology/dropper
on server topology/dropper/dropper detach eth0 >/dev/null
on server sh -c 'topology/dropper/server.py >/run/server 2>&1 </dev/null &
	until grep -qs listening /run/server; do sleep 0.1; done'

attempt "parity, first number even" parity 172.17.0.2 even
promised "no connection" in_lines "$client" '^not connected' 1
promised "nothing comes" in_lines "$server" . 0
promised "the same SYN is lost again" [ "$dropped" -ge 2 -a "$dropped" = "$seen" ]
promised "one number in the trace" [ "$(sort -u <<<"$trace" | wc -l)" = 1 ]

attempt "parity, first number odd" parity 172.17.0.2 odd
promised "a connection" in_lines "$client" '^connected' 1
promised "0 bytes acknowledged" in_lines "$client" ' 0 acknowledged' 1
promised "no even segment" in_lines "$server" ' even ' 0
promised "the SYN" grep -q '^segment .* odd SYN' <<<"$server"
promised "no byte" in_lines "$server" '^TCP' 0

attempt "once, IPv6" once 2001:db8:17::2 even
promised "all acknowledged" in_lines "$client" " $bytes acknowledged" 1
promised "each byte, once, in order" [ "$(sed -n \
	's/^TCP delivers .\(.\).$/\1/p' <<<"$server" | tr -d '\n')" = abcd ]
promised "even segments, when they come again" [ "$(counted \
	<(echo "$server") ' even ')" -gt 0 ]

say "A retransmission has the number of what was lost"
printf '  %-26s %9s %5s %12s %9s %7s\n' '' connected sent 'segments in' \
	delivered dropped
printf '%s' "$table"
[[ $as_promised ]]
