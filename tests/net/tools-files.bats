#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Files that are refused change nothing, and say why; files that are applied
# change what they say they change, and break no connection.

load lib
bats_require_minimum_version 1.5.0

setup_file() {
	network
	attach generic
}

teardown_file() {
	network_down
}

setup() {
	file=$BATS_TEST_TMPDIR/services.yaml
}

teardown() {
	[[ ! ${held-} ]] || exec 7>&-
	lbr apply >/dev/null
}

PINS=/sys/fs/bpf/l3dsr/lbr-$LAYOUT

# The whole running state of the LB, except what packets change: the output of
# `show`, and every map; of large maps a digest.
state() {
	lbr show -j | jq -S 'del(.reasons) |
		del(.services[]["flows-total", "packets", "bytes"],
			.backends[]["active-flows", "flows-total", "packets", "bytes"])'
	# shellcheck disable=SC2016
	on "$LB" bash -c '
		dump() { bpftool map dump "$@"; }
		for map in generations control interfaces changes; do
			dump pinned "$0/$map"
		done
		slot=$(bpftool -j map lookup pinned "$0/control" key 0 0 0 0 |
			jq -r ".value[0]")
		for map in services backends; do
			bpftool -j map lookup pinned "$0/$map" \
				key "$((slot - 1))" 0 0 0 | sha256sum
		done
		dump pinned "$0/tables"
		bpftool -j map dump pinned "$0/tables" |
			jq -r ".[].value | arrays | reverse | map(.[2:]) | add" |
			while read -r id; do
				dump id "$((16#$id))" | sha256sum
			done' "$PINS"
}

# hold VIP: opens a connection that carries data until let_go
hold() {
	held=$BATS_TEST_TMPDIR/held
	mkfifo "$held.in"
	on "$CLIENT" curl -sSf --max-time 900 -D "$held.head" -T - \
		"$(url "$1" "upload/held")" <"$held.in" >"$held.out" 2>&1 3>&- &
	holder=$!
	exec 7>"$held.in"
	say "begun"
}

# Data flows: so the connection is established and forwarded.
say() {
	local before
	before=$(reason forwarded)
	echo "$1" | tee -a "$held.said" >&7
	wait_for 5 more_than "$before"
}

more_than() {
	(($(reason forwarded) > $1))
}

# let_go: ends the connection; fails unless all data arrived at one backend
let_go() {
	local server
	say "let go"
	exec 7>&-
	wait "$holder" || {
		cat "$held.out"
		return 1
	}
	server=$(tr -d '\r' <"$held.head" | sed -n 's/^Server-Name: //p')
	on "$server" cat /run/nginx/files/held | diff - "$held.said"
}

# refused CAUSE: $file is refused for this cause, at the line marked `# here`
# (or line 1)
refused() {
	local line before tool status
	line=$(grep -an '# here' "$file" | cut -d: -f1)
	before=$(state)
	hold "$VIP4"
	for tool in lbr "bkd backend0x"; do
		for verb in "check" "up -c" "apply"; do
			status=1
			[[ $verb != check ]] || status=3
			# shellcheck disable=SC2086
			run -$status $tool $verb "$file"
			echo "$tool $verb: $output"
			[[ ${lines[0]} == "${tool%% *}: $file:${line:-1}: "*"$1"* ]]
			# the message quotes no raw bytes of the file
			[[ ! $output =~ [^[:print:][:space:]] ]]
		done
	done
	diff <(echo "$before") <(state)
	let_go
	balanced "$VIP4" 20 1 19
}

@test "refused, and nothing changes: unknown key" {
	cat >"$file" <<-'END'
		services:
		  - vip: 192.168.25.10
		    port: 80
		    wieght: 3 # here
		    backends: [{address: 172.19.0.3}]
	END
	refused '"wieght"'
}

@test "refused, and nothing changes: bad address" {
	cat >"$file" <<-'END'
		services:
		  - vip: 192.168.25.10
		    port: 80
		    backends:
		      - {address: 172.19.0.3}
		      - {address: 172.19.0.300} # here
	END
	refused 'address "172.19.0.300": must be an IPv4 or IPv6'
}

@test "refused, and nothing changes: duplicate service" {
	cat >"$file" <<-'END'
		services:
		  - {vip: 192.168.25.10, port: 80, backends: [{address: 172.19.0.3}]}
		  - {vip: 192.168.25.10, port: 81, backends: [{address: 172.19.0.3}]}
		  - {vip: 192.168.25.10, port: 80, backends: [{address: 172.19.0.4}]} # here
	END
	refused '192.168.25.10 port 80 is repeated; the first is on line 2'
}

@test "refused, and nothing changes: port 70000" {
	cat >"$file" <<-'END'
		services:
		  - vip: 192.168.25.10
		    port: 70000 # here
		    backends: [{address: 172.19.0.3}]
	END
	refused 'port "70000": must be a number from 1 to 65535'
}

@test "refused, and nothing changes: two services that a backend cannot tell apart" {
	cat >"$file" <<-'END'
		services:
		  - {vip: 192.168.25.10, port: 80, backends: [{address: 172.19.0.3}]}
		  - {vip: 192.168.25.11, port: 80, backends: [{address: 172.19.0.3}]} # here
	END
	refused '172.19.0.3'
}

@test "refused, and nothing changes: any beside a port, to the same backend" {
	cat >"$file" <<-'END'
		services:
		  - {vip: 192.168.25.10, port: 80, backends: [{address: 172.19.0.3}]}
		  - {vip: 192.168.25.11, port: any, backends: [{address: 172.19.0.3}]} # here
	END
	refused '172.19.0.3'
}

@test "refused, and nothing changes: 20 kB of noise" {
	{ # the first line is never text by chance
		printf '\xff'
		head -c 20K /dev/urandom
	} >"$file"
	refused 'not YAML'
}

@test "refused, and nothing changes: empty" {
	: >"$file"
	refused 'the file is empty'
}

@test "refused, and nothing changes: two documents" {
	services "$file"
	printf -- '--- # here\nservices: []\n' >>"$file"
	refused 'a second document begins here'
}

@test "a file that is not there is refused by name" {
	run -3 lbr check /nonexistent.yaml
	[[ $output == "lbr: /nonexistent.yaml: No such file or directory" ]]
	run -1 lbr apply /nonexistent.yaml
	[[ ${lines[0]} == "lbr: /nonexistent.yaml: No such file or directory" ]]
}

@test "check accepts the scenario's file, without a word on stderr" {
	run -0 --separate-stderr lbr check
	[[ $output == "/etc/l3dsr/services.yaml: 4 services, 8 backends: valid, digest "* ]]
	[[ ! $stderr ]]
}

@test "singular and plural are right in messages" {
	cat >"$file" <<-'END'
		services:
		  - {vip: 192.168.25.10, port: 80, backends: [{address: 172.19.0.3}]}
	END
	run -0 lbr check -c "$file"
	[[ $output == "$file: 1 service, 1 backend: valid, digest "* ]]
	run -0 lbr up -c "$file"
	[[ ${lines[-1]} == "$file: 1 service" ]]
}

# on_back LAST: the backend whose address ends so
on_back() {
	echo "${BACKENDS[$1 - 3]}"
}

# change FROM TO: replaces its first occurrence, which is in the IPv4 web
# service
change() {
	services "$file" "0,/$1/s/$1/$2/"
}

@test "apply prints the difference; apply -n prints it and changes nothing" {
	local before
	change '0.3, weight: 1' '0.3, weight: 3'
	before=$(lbr show -j | jq 'del(.reasons, .backends[]."active-flows")')
	run -0 lbr apply --dry-run "$file"
	[[ $output == "~ backend 172.19.0.3 of 192.168.25.10:80/tcp weight 1 -> 3" ]]
	diff <(echo "$before") <(lbr show -j | jq 'del(.reasons, .backends[]."active-flows")')

	run -0 lbr apply "$file"
	[[ $output == "~ backend 172.19.0.3 of 192.168.25.10:80/tcp weight 1 -> 3" ]]
	run -0 lbr apply "$file"
	[[ $output == "$file: nothing that packets meet changes" ]]
	[[ $(lbr show -j | jq .generation) == $(($(jq .generation <<<"$before") + 1)) ]]
}

@test "a change that only the host meets is not reported as no change" {
	services "$file"
	local source='eth0: IPv4 is sent from 172.17.9.9, not 172.17.0.2'
	lbr apply "$file"
	on "$LB" ip -4 address flush dev eth0
	on "$LB" ip address add 172.17.9.9/32 dev eth0
	on "$LB" ip address add 172.17.0.2/16 dev eth0
	on "$LB" ip route replace 172.19.0.0/16 via 172.17.0.3
	run -0 lbr apply -n "$file"
	[[ $output == "$source" ]]
	run -0 lbr apply "$file"
	[[ $output == *"$source"* && $output != *nothing* ]]
	on "$LB" sysctl -qw net.ipv4.conf.eth0.forwarding=0
	run -0 lbr apply "$file"
	[[ $output == *forwarding* && $output != *nothing* ]]
	run -0 lbr apply "$file"
	[[ $output == "$file: nothing that packets meet changes" ]]
	on "$LB" ip address del 172.17.9.9/32 dev eth0
	lbr apply "$file"
}

@test "a weight of 3 to 1 sends three of four connections there" {
	change '0.3, weight: 1' '0.3, weight: 3'
	lbr apply "$file"
	run -0 answers "$VIP4" 400
	echo "$output"
	# 300 expected, five standard deviations to either side
	n=$(sed -n 's/^backend0x //p' <<<"$output")
	((n > 255 && n < 345))
	[[ $output == *"backend0y $((400 - n))"* ]]
}

@test "drain: no new connections, and existing ones stay until they end" {
	local last other=4
	hold "$VIP4"
	# One of the two holds the connection, so each is drained in turn.
	for last in 3 4; do
		change "0.$last, weight: 1" "0.$last, weight: 1, drain: true"
		run -0 lbr apply "$file"
		[[ $output == *"~ backend 172.19.0.$last of 192.168.25.10:80/tcp up -> draining"* ]]
		[[ $(lbr show -j backends | jq -r '.backends[] |
			select(.state == "draining") | .backend') == "172.19.0.$last" ]]
		[[ $(answers "$VIP4" 40) == "$(on_back "$other") 40" ]]
		say "while 172.19.0.$last drains"
		other=$last
	done
	let_go
}

@test "a service that leaves the file is not served; a new one is" {
	services "$file" 's/port: 7777/port: 7778/'
	run -0 lbr apply "$file"
	[[ $output == *"- service 192.168.25.10:7777/udp maglev"* ]]
	[[ $output == *"+ service 192.168.25.10:7778/udp maglev"* ]]
	rises unmatched on "$CLIENT" bash -c "echo >/dev/udp/$VIP4/7777"
	rises forwarded on "$CLIENT" bash -c "echo >/dev/udp/$VIP4/7778"
}
