#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What the tools say: help, refusals of wrong commands, show, trace.

# shellcheck disable=SC2030,SC2031,SC2086,SC2153,SC2154 # `run` and its friends

load lib
bats_require_minimum_version 1.5.0

setup_file() {
	network
	attach generic
	# Next hops are resolved, so every request gets the same answer of the
	# FIB.
	get "$VIP4" >/dev/null
	get "$VIP6" >/dev/null
}

teardown_file() {
	network_down
}

VERBS=(up down apply check show trace doctor)

@test "--help names every verb, on stdout, with status 0" {
	local tool verb
	for tool in lbr "bkd backend0x"; do
		run -0 --separate-stderr $tool --help
		[[ ! $stderr ]]
		for verb in "${VERBS[@]}"; do
			[[ $output == *"  ${tool%% *} $verb"* ]]
		done
		[[ $output == *"0 done, 1 failed, 2 usage, 3 a problem found"* ]]
		for verb in "${VERBS[@]}"; do
			run -0 --separate-stderr $tool "$verb" --help
			[[ ! $stderr && ${lines[0]} == "${tool%% *} $verb"* ]]
			diff <(echo "$output") <($tool help "$verb")
			diff <(echo "$output") <($tool "$verb" -h)
		done
	done
}

# unexplained: options of the usage line (the first line of stdin) that the help
# does not explain
unexplained() {
	local usage help letter
	read -r usage
	help=$(cat)
	for letter in $(grep -o '\[-[a-z]' <<<"$usage" | tr -d '[-'); do
		grep -A 1 "^  -$letter, --[a-z]" <<<"$help" | grep -q '^ \{8\}[a-zA-Z]' ||
			echo "$letter"
	done
}

@test "--help explains every option of the usage line, in 80 columns" {
	local tool verb letters
	for tool in lbr "bkd backend0x"; do
		for verb in "${VERBS[@]}"; do
			run -0 $tool "$verb" --help
			[[ ! $(unexplained <<<"$output") ]]
			(($(tail -n +2 <<<"$output" | grep -v '^|' | grep -cE '.{81}') == 0))
		done
	done
	# negative control: an option without its line is noticed
	letters=$(for verb in "${VERBS[@]}"; do bkd backend0x "$verb" --help; done |
		sed -n 's/^  -\([a-z]\), --.*/\1/p' | sort -u | tr -d '\n')
	[[ $letters == achijmntw ]]
	[[ $(lbr up --help | sed '/^  -m/d' | unexplained) == m ]]
}

@test "--version is one line" {
	run -0 lbr --version
	[[ $output =~ ^lbr\ [0-9]+\.[0-9]+\ \(map\ layout\ v[0-9]+\)$ ]]
	run -0 bkd backend0x --version
	[[ $output =~ ^bkd\ [0-9]+\.[0-9]+\ \(map\ layout\ v[0-9]+\)$ ]]
}

# misused WORDS...: exits with 2, repeats the words, gives a hint, prints
# nothing on stdout
misused() {
	local tool
	for tool in lbr "bkd backend0x"; do
		run -2 --separate-stderr $tool "$@"
		echo "$tool $*: $output, $stderr"
		[[ ! $output ]]
		[[ ${stderr_lines[0]} == "${tool%% *}: cannot "*"${*: -1}"* ]]
		[[ ${stderr_lines[1]} =~ ^\ \ (usage|try):\  ]]
		((${#stderr_lines[@]} == 2))
	done
}

@test "wrong words: status 2, the words back, and what would be right" {
	local verb
	misused frobnicate
	for verb in "${VERBS[@]}"; do
		misused "$verb" --frobnicate
	done
	misused show nonsense
	misused show services backends
	misused trace sometimes
	misused up -m nativ
	misused up -t sometimes
	misused up -m "native|generic"
	misused up -m ""
	misused up -c
	misused show --json=1
	misused down now
	misused apply one two
	misused check --dry-run
}

@test "no verb at all: status 2" {
	run -2 lbr
	[[ ${lines[1]} == "  try: lbr --help" ]]
}

@test "wrong words change nothing: it still runs" {
	answers "$VIP4" 10
	[[ $(lbr show -j interfaces | jq -r '.interfaces[].program') == xdp_lbr ]]
}

# same_as_text TOOL... SECTION: column titles are the keys of -j, and cells its
# values, as people read them: "-" for null, "no" for false, local time for
# seconds since 1970
same_as_text() {
	local section=${*: -1} show=("${@:1:$#-1}" show) text json again
	json=$("${show[@]}" -j "$section" 2>&1)
	until # no packet came between the two
		text=$("${show[@]}" --all "$section" 2>&1) || return
		again=$("${show[@]}" -j "$section" 2>&1) || return
		[[ $again == "$json" ]]
	do
		json=$again
	done
	[[ $text == "$section:"* ]]
	diff <(jq -r --arg s "$section" '.[$s] |
			(.[0] | keys_unsorted | map(ascii_upcase | sub("_"; "-"; "g"))),
			(.[] | to_entries | map(.key as $key | .value |
				if . == null or . == [] then "-"
				elif type == "boolean" then if . then "yes" else "no" end
				elif $key == "since" or $key == "until"
				then strflocaltime("%FT%T%z")
				else tostring end)) | join(" ")' <<<"$json") \
		<(tail -n +2 <<<"$text" | sed '/^[a-z]/,$d' | sed -E 's/^ +//; s/ +$//; s/  +/ /g')
}

@test "show: each section says the same as text and as JSON" {
	local section
	answers "$VIP4" 10
	answers "$VIP6" 10
	for section in interfaces services backends flows next-hops reasons; do
		same_as_text lbr "$section"
	done
	for section in interfaces restores reasons; do
		same_as_text bkd backend0x "$section"
	done
}

# idle_is_hidden: from the first look to the last, no packet of a new reason came
idle_is_hidden() {
	local json counted idle text hidden
	json=$(lbr show -j reasons)
	counted=$(jq -r '.reasons[] | select(.packets > 0).reason' <<<"$json")
	idle=$(jq '[.reasons[] | select(.packets == 0)] | length' <<<"$json")
	hidden="without a packet, and not shown: $idle (-a shows them)"
	text=$(lbr show reasons)
	[[ $counted == *forwarded* ]] && ((idle > 0)) &&
		diff <(echo "$counted") \
			<(sed '1,2d; /^[a-z]/,$d' <<<"$text" | awk '{ print $1 }') &&
		[[ $(tail -n 1 <<<"$text") == "$hidden" ]] &&
		[[ $(lbr show | tail -n 1) == "$hidden" ]] || return
	text=$(lbr show -a reasons)
	[[ $text != *"not shown"* ]] &&
		(($(tail -n +2 <<<"$text" | sed '/^[a-z]/,$d' | wc -l) ==
			1 + $(wc -w <<<"$counted") + idle))
}

@test "show: reasons without a packet are counted and not shown, but with -a" {
	answers "$VIP4" 10
	wait_for 10 idle_is_hidden
}

@test "show -j: the keys are those that are promised" {
	run -0 lbr show -j
	[[ $(jq -c 'keys_unsorted' <<<"$output") == \
		'["schema","generation","digest","trace","flows-not-remembered","interfaces","services","backends","workers","queues","waits","reasons"]' ]]
	diff <(jq -c '.services[0], .backends[0], .interfaces[0], .reasons[0] |
		keys_unsorted' <<<"$output") - <<-'END'
		["vip","port","protocol","state","since","fit","announced","scheduler","forward","dscp","checksum","table-size","moved-slots","backends","until","flows-total","packets","bytes","why"]
		["vip","port","protocol","backend","backend-port","weight","state","since","health","accepts","overrides","active-flows","until","flows-total","packets","bytes","why"]
		["interface","program","mode","id"]
		["reason","action","packets","meaning"]
	END
	run -0 lbr show -j flows
	[[ $(jq -c '.flows[0] | keys_unsorted' <<<"$output") == \
		'["client","client-port","vip","port","protocol","backend"]' ]]
	run -0 lbr show -j next-hops
	[[ $(jq -c '."next-hops"[0] | keys_unsorted' <<<"$output") == \
		'["backend","interface","via","mac","neighbour","managed","sent-by","mtu","mtu-by","cached-by","why"]' ]]
	run -0 bkd backend0x show -j
	[[ $(jq -c 'keys_unsorted' <<<"$output") == \
		'["schema","generation","digest","trace","interfaces","restores","reasons"]' ]]
}

@test "show: the digest is of what the file means, the same at both ends" {
	local digest other
	digest=$(lbr show -j | jq -r .digest)
	[[ $digest =~ ^[0-9a-f]{16}$ ]]
	[[ $(bkd backend0x show -j | jq -r .digest) == "$digest" ]]
	other=$BATS_TEST_TMPDIR/other.yaml
	services "$other" '1i # another comment' '1i grace: 600s'
	bkd backend0x apply "$other"
	[[ $(bkd backend0x show -j | jq -r .digest) == "$digest" ]]
	services "$other" '0,/weight: 1/s//weight: 2/'
	bkd backend0x apply "$other"
	[[ $(bkd backend0x show -j | jq -r .digest) != "$digest" ]]
	bkd backend0x apply
}

@test "show: the numbers are those of the traffic" {
	local before after names
	before=$(lbr show -j)
	names=$(answers "$VIP4" 30 | sort)
	after=$(lbr show -j)
	flows() { # JSON ADDRESS
		jq --arg address "$2" '.backends[] | select(.protocol == "tcp" and
			.backend == $address) | ."flows-total"' <<<"$1"
	}
	diff <(echo "$names") - <<-END
		backend0x $(($(flows "$after" 172.19.0.3) - $(flows "$before" 172.19.0.3)))
		backend0y $(($(flows "$after" 172.19.0.4) - $(flows "$before" 172.19.0.4)))
	END
	wait_for 5 counted_alike # a connection's last packets may still be coming
}

# Packets to backends equal forwarded packets, counted both ways.
counted_alike() {
	lbr show -j | jq -e '([.backends[].packets] | add) ==
		([.services[].packets] | add) and
		([.backends[].packets] | add) == ([.reasons[] | select(.reason |
			IN("forwarded", "redirected", "neighbour_unresolved",
				"super_packet")) |
			.packets] | add)' >/dev/null
}

@test "show flows: a connection is there, with its backend" {
	local port server
	read -r port server < <(on "$CLIENT" curl -sS -w '%{local_port}\n' \
		"$(url "$VIP4")" |
		awk -F': ' '$1 == "Server name" { n = $2 } END { print $0, n }')
	[[ $(lbr show -j flows | jq -r --argjson port "$port" \
		'.flows[] | select(.client == "172.17.0.4" and ."client-port" == $port) | .backend') == \
		"$(on "$server" ip -4 -o address show dev eth0 |
			grep -o '172.19.0.[34]')" ]]
}

# traced MODE VIP: prints what both programs trace of one curl, known by its
# port. The trace is the machine's and keeps lines of others, maybe of the same
# port: only lines younger than the request are looked at, and none is consumed.
traced() {
	local port host since
	lbr trace "$1" >/dev/null
	for host in "${BACKENDS[@]}"; do
		bkd "$host" trace "$1" >/dev/null
	done
	aged # else the line would say that the next hop was remembered
	since=$(trace_lines | tail -n 1 | cut -f 1)
	port=$(on "$CLIENT" curl -sS -o /dev/null -w '%{local_port}' \
		-H 'Connection: close' "$(url "$2")")
	trace_lines | awk -F '\t' -v since="${since:-0}" -v port=":$port > " \
		'$1 > since && index($2, port) { print $2 }'
}

# prints time, tab and message
trace_lines() {
	on "$LB" sed -nE 's/.* ([0-9.]+): bpf_trace_printk: /\1\t/p' \
		/sys/kernel/tracing/trace
}

@test "trace new: one line of each program for one curl, IPv4" {
	since 5.16 || skip "no trace before Linux 5.16"
	run -0 traced new "$VIP4"
	echo "$output"
	((${#lines[@]} == 2))
	[[ ${lines[0]} =~ ^"xdp_lbr lbdsr0a eth0: 172.17.0.4:"[0-9]+" > 192.168.25.10:80 tcp syn, flow new, backend "(172.19.0.[34])", fib SUCCESS via 172.17.0.3 02:42:ac:11:00:03 dev eth0 02:42:ac:11:00:02, forwarded XDP_TX"$ ]]
	address=${BASH_REMATCH[1]}
	[[ ${lines[1]} =~ ^"xdp_bkd backend0"[xy]" eth0: 172.17.0.4:"[0-9]+" > $address:80 tcp syn, VIP 192.168.25.10, restored XDP_PASS"$ ]]
}

@test "trace new: one line of each program for one curl, IPv6" {
	since 5.16 || skip "no trace before Linux 5.16"
	local client=2001:0db8:0017:0000:0000:0000:0000:0004
	local vip=2001:0db8:0025:0000:0000:0000:0000:0010
	local router=2001:0db8:0017:0000:0000:0000:0000:0003
	run -0 traced new "$VIP6"
	echo "$output"
	((${#lines[@]} == 2))
	[[ ${lines[0]} =~ ^"xdp_lbr lbdsr0a eth0: [$client]:"[0-9]+" > [$vip]:80 tcp syn, flow new, backend "(2001:.*:000[34])", fib SUCCESS via $router 02:42:ac:11:00:03 dev eth0 02:42:ac:11:00:02, forwarded XDP_TX"$ ]]
	address=${BASH_REMATCH[1]}
	[[ ${lines[1]} =~ ^"xdp_bkd backend0"[xy]" eth0: [$client]:"[0-9]+" > [$address]:80 tcp syn, VIP $vip, restored XDP_PASS"$ ]]
}

@test "trace off: no line" {
	run -0 traced off "$VIP4"
	echo "$output"
	((${#lines[@]} == 0))
}

@test "trace all: a line for each packet, each of the flow's own backend" {
	since 5.16 || skip "no trace before Linux 5.16"
	run -0 traced all "$VIP4"
	echo "$output"
	((${#lines[@]} > 6))
	(($(grep -c '^xdp_lbr ' <<<"$output") == $(grep -c '^xdp_bkd ' <<<"$output")))
	(($(grep -c 'flow new' <<<"$output") <= 2))
	(($(grep -c 'flow known' <<<"$output") > 1))
	(($(grep -o 'backend 172.19.0.[34]' <<<"$output" | sort -u | wc -l) == 1))
}

@test "trace: says what is on, and how to read it" {
	since 5.16 || skip "no trace before Linux 5.16"
	run -0 lbr trace new
	[[ $output == "trace new; read it with: cat /sys/kernel/tracing/trace_pipe" ]]
	run -0 lbr trace
	[[ $output == "trace new; "* ]]
	[[ $(lbr show -j | jq -r .trace) == new ]]
	run -0 lbr trace off
	[[ $(lbr show -j | jq -r .trace) == off ]]
}

@test "where it is not up: show, apply and trace say so, with status 1" {
	local verb
	for verb in show apply trace; do
		run -1 --separate-stderr on "$ROUTER" LoadBalancer/lbr "$verb"
		[[ ! $output && $stderr == *"not up here"* && $stderr == *"try: lbr up"* ]]
	done
}
