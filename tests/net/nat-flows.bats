#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# forward: nat: health checks, how flows end, and what is told of them

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # `run` and its friends

load lib
load run
load status
load flows
load nat
bats_require_minimum_version 1.5.0

HELD=${HELD:-100} ROUNDS=${ROUNDS:-1} PAUSE=${PAUSE:-0.2}
export TALK_LIMIT=200

teardown() {
	flows_end
	run_end
}

# checked: the file with checks of TCP and UDP; `lbr run` makes them
checked() {
	local often='interval: 200ms, timeout: 100ms, rise: 1, fall: 2'
	on lb sh -c 'sed "s/port: 80,/& check: {type: http, status: 200, $0},/
		s/port: 7777,/& check: {send: x, body: x, $0},/
		s/port: 9,/& check: {no-answer: up, $0},/" /run/nat.yaml >/run/checks.yaml' "$often"
	up
	lbr apply /run/checks.yaml >/dev/null
	run_begin /run/checks.yaml
	wait_for 5 found 4 true good good ''
}

# found COUNT UP PATH APPLICATION WHY: what so many checks of h2 and h3 have
# found, but for those of port 9
found() {
	look /status | jq -e --arg found "${*:2}" --argjson count "$1" '
		[.checks[] | select(.port != 9) |
		"\(.up) \(.path) \(.application) \(.why // "")" | select(. == $found)] |
		length >= $count' >/dev/null
}

@test "checks: from nat-source to the backend itself, without a namespace" {
	checked
	wait_for 5 found 8 true good good ''
	run ! on lb ip link show lbr-check1
	on h2 tail -n 8 /run/nginx/access.log | cut -d' ' -f1 | sort -u |
		diff - <(printf '%s\n' "$SOURCE4" "$SOURCE6" | sort)
	# nobody listens there, and says so
	wait_for 5 run_said "$VIP4:9/udp: backend 10.0.0.2 is down: Connection refused"
	# negative control: another method's checks go to the VIP
	on lb sed -i '/port: 80,/s/forward: nat/forward: l2/' /run/checks.yaml
	lbr apply /run/checks.yaml >/dev/null
	wait_for 5 on lb ip link show lbr-check1
}

@test "checks: an application that is down, a path that is down, and back" {
	checked
	wait_for 5 found 8 true good good ''
	on h2 sh -c 'kill -STOP $(cat /run/nginx/nginx.pid) $(pgrep -P $(cat /run/nginx/nginx.pid))'
	wait_for 5 found 2 false good bad 'no answer in time'
	answers "$VIP4" 6 | diff - <(echo "h3 6")
	on h2 sh -c 'kill -CONT $(cat /run/nginx/nginx.pid) $(pgrep -P $(cat /run/nginx/nginx.pid))'
	wait_for 5 found 8 true good good ''
	on wires ip link set h2-eth0 down
	wait_for 5 found 2 false bad unknown 'not reached: no answer'
	answers "$VIP4" 6 | diff - <(echo "h3 6")
	lbr doctor -j -c /run/checks.yaml >"$BATS_TEST_TMPDIR/doctor" || :
	jq -e --arg command "ping -c 1 $SOURCE4" 'any(.examinations[]; .try == $command)' \
		"$BATS_TEST_TMPDIR/doctor"
	on wires ip link set h2-eth0 up
	wait_for 10 found 8 true good good ''
}

@test "refused: before Linux 5.12, by name, and nothing is changed" {
	! since 5.12 || skip "this is Linux 5.12 or later"
	run -1 up
	[[ $output == *"cannot use forward: nat: it needs Linux 5.12, "* ]]
	run ! on lb tc filter show dev eth0 ingress | grep .
}

# phase PORT: of the flow from this port of h1
phase() {
	lbr show -j nat-flows | jq -r --argjson port "$1" \
		'."nat-flows"[] | select(.client == "10.0.0.1" and ."client-port" == $port).phase'
}

is_in() { # PHASE PORT
	[[ $(phase "$2") == "$1" ]]
}

resting() {
	lbr show -j nat-sources | jq --arg source "$SOURCE4" \
		'."nat-sources"[] | select(.source == $source).resting'
}

@test "FIN closes a flow, and its port rests; an aborted one is reset" {
	local port
	up
	port=$(on h1 curl -sS --max-time 5 -o /dev/null -w '%{local_port}' "http://$VIP4/")
	wait_for 5 is_in closed "$port"
	(($(resting) > 0))
	port=$(on h1 "${PYTHON[@]}" -c '
import socket, struct, sys
s = socket.create_connection((sys.argv[1], 80), 5)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
print(s.getsockname()[1])' "$VIP4")
	wait_for 5 is_in reset "$port"
}

@test "a RST that a stranger sends only shortens: the connection goes on" {
	local said port
	up
	coproc holds "$VIP4" 1
	read -rt 20 said <&"${COPROC[0]}"
	port=$(lbr show -j nat-flows | jq -r '[."nat-flows"[] |
		select(.client == "10.0.0.1" and .phase == "established")][0]."client-port"')
	on h4 "${PYTHON[@]}" -c '
import sys
from scapy.all import IP, TCP, Ether, sendp, getmacbyip
sendp(Ether(dst=getmacbyip(sys.argv[1])) / IP(src="10.0.0.1", dst=sys.argv[1]) /
    TCP(sport=int(sys.argv[2]), dport=80, flags="R", seq=1), iface="eth0", verbose=0)' \
		"$VIP4" "$port"
	wait_for 5 is_in reset "$port"
	echo again >&"${COPROC[1]}"
	read -rt 20 said <&"${COPROC[0]}"
	[[ $said == answered ]]
	is_in established "$port"
}

@test "an idle flow of UDP ends by itself, and its port rests" {
	on lb sh -c 'sed "1i udp-idle: 1s" /run/nat.yaml >/run/idle.yaml'
	up
	lbr apply /run/idle.yaml >/dev/null
	on h1 "${PYTHON[@]}" -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.0.0.1", 5353))
s.connect((sys.argv[1], 7777))
s.settimeout(5)
s.send(b"x")
s.recv(100)' "$VIP4"
	wait_for 10 is_in "" 5353
	(($(resting) > 0))
}

@test "held connections go on while everything is changed: 0 broken" {
	local i step
	on lb sh -c 'cd /run && sed "s/{address: 10.0.0.2}, //" nat.yaml >one.yaml &&
		sed "s/address: 10.0.0.2}/address: 10.0.0.2, weight: 3}/" nat.yaml >heavy.yaml &&
		sed "s/forward: nat/scheduler: random, &/" nat.yaml >random.yaml'
	up
	talk "$VIP4" "$HELD" "$PAUSE" 10
	advanced "$HELD"
	for ((i = 0; i < ROUNDS; i++)); do
		for step in 'apply /run/one.yaml' 'apply /run/nat.yaml' 'drain 10.0.0.2' \
			'undrain 10.0.0.2' 'weight 10.0.0.2 3' 'apply /run/nat.yaml' \
			'apply /run/random.yaml' 'up -c /run/heavy.yaml' 'apply /run/nat.yaml'; do
			# shellcheck disable=SC2086 # words
			lbr $step >/dev/null
			advanced "$HELD"
		done
	done
	run -0 tell finish
	echo "# $output" >&3
	[[ $output == "$HELD held, "*" asked, 0 broken" ]]
}

# narrowed SOURCE: a server has learned that its path there takes 1300 bytes
narrowed() {
	local server
	for server in h2 h3; do
		on "$server" ip route get "$1" | grep -q ' mtu 1300' && return
	done
	return 1
}

@test "merged replies whose segments are too big are answered, and come smaller" {
	local vip server
	up
	on lb ip link set eth0 mtu 1300
	for vip in "$VIP4" "$VIP6"; do
		[[ $(on h1 sh -c 'curl -sS --max-time 20 "$0" | wc -c' "$(url "$vip" files/big)") == 1000000 ]]
	done
	narrowed "$SOURCE4"
	narrowed "$SOURCE6"
	(($(reason too_big_answered) >= 2))
	on lb ip link set eth0 mtu 1500
	for server in h2 h3; do
		on "$server" nstat -asz IcmpInCsumErrors Icmp6InErrors | awk '$2 ~ /^[0-9]/ && $2 > 0 { exit 1 }'
		on "$server" sh -c 'ip route flush cache; ip -6 route flush cache'
	done
}

# traced MODE: prints what lbr_nat traces of one curl, known by its port
traced() {
	local port since
	lbr trace "$1" >/dev/null
	since=$(trace_lines | tail -n 1 | cut -f 1)
	port=$(on h1 curl -sS --max-time 5 -o /dev/null -w '%{local_port}' "http://$VIP4/")
	lbr trace off >/dev/null
	trace_lines | awk -F '\t' -v since="${since:-0}" -v port="10.0.0.1:$port" \
		'$1 > since && $2 ~ /^lbr_nat lb eth0: / && index($2, port) { print $2 }'
}

trace_lines() {
	on lb sed -nE 's/.* ([0-9.]+): bpf_trace_printk: /\1\t/p' /sys/kernel/tracing/trace
}

@test "show, explain, metrics and trace know of flows by nat" {
	up
	on h1 curl -sS --max-time 5 -o /dev/null "http://$VIP4/"
	local part
	for part in nat-sources nat-flows; do
		lbr show -j "$part" | "$BATS_TEST_DIRNAME/documented.py" "$ROOT/build/man/lbr.8" "[$part]"
	done
	lbr show -j nat-flows | jq -e --arg source "$SOURCE4" 'any(."nat-flows"[];
		.client == "10.0.0.1" and .source == $source and .phase == "closed")'
	lbr explain -j --syn 10.0.0.1:9999 "$VIP4:80" | "$BATS_TEST_DIRNAME/documented.py" \
		"$ROOT/build/man/lbr.8" watch explain
	lbr explain --syn 10.0.0.1:9999 "$VIP4:80" | grep -qE \
		"nat: +$SOURCE4:[0-9]+ > 10.0.0.[23]:80, row [0-9]+ of 131072: a new flow$"
	run_begin /run/nat.yaml
	(($(metric lbr_nat_resting_ports "source=\"$SOURCE4\"") > 0))
	(($(metric lbr_nat_ports) == 2 * (65536 - 10240)))
	run_end
	since 5.16 || skip "no trace before Linux 5.16"
	run -0 traced new
	((${#lines[@]} == 1))
	[[ $output =~ "> $VIP4:80 tcp syn, flow new, as $SOURCE4:"[0-9]+" > 10.0.0."[23]":80, translated XDP_REDIRECT"$ ]]
	run -0 traced all
	[[ $output =~ "10.0.0."[23]":80 > $SOURCE4:"[0-9]+" tcp, flow known, as $VIP4:80 > 10.0.0.1:"[0-9]+", returned XDP_REDIRECT" ]]
}
