#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Health checks by what they ask: HTTP, HTTPS, UDP, a port of the application's.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` and its friends

load lib
load run
load status
load checks
bats_require_minimum_version 1.5.0

# apart ADDRESS PATH APPLICATION [WHY]: the last HTTP checks found this of path
# and application
apart() {
	look /status |
		jq -e --arg backend "$1" --arg found "${*:2}" '[.checks[] |
			select(.backend == $backend and .type == "http") |
			"\(.path) \(.application) \(.why // "")" | rtrimstr(" ")] |
			length > 0 and all(. == $found)' >/dev/null
}

@test "application-port: path and application are judged separately" {
	local lost='sent to the backend; no answer from the VIP' address
	# The VIP itself answers with another body.
	sed -i 's/type: http,/type: http, application-port: 8080, body: fine,/' "$FILE"
	run_begin "$FILE"
	run_signal HUP
	for address in "$X4" "$X6"; do wait_for 5 apart "$address" good good; done
	# Backends that lack the application port:
	for address in 172.19.0.4 2001:db8:19::4; do
		wait_for 5 apart "$address" good bad 'port 8080: Connection refused'
	done
	wait_for 5 run_said '10:80/tcp: backend 172.19.0.4 is down: port 8080: Connection refused'
	bkd "$X" down
	for address in "$X4" "$X6"; do
		wait_for 5 apart "$address" bad good "$lost; port 8080 answers"
	done
	wait_for 5 run_said "10:80/tcp: backend $X4 is down: $lost; port 8080 answers"
	second -s stop
	for address in "$X4" "$X6"; do
		wait_for 5 apart "$address" bad bad "$lost; port 8080: Connection refused"
	done
	bkd "$X" up >/dev/null
	for address in "$X4" "$X6"; do
		wait_for 5 apart "$address" good bad 'port 8080: Connection refused'
	done
	run ! run_said "10:80/tcp: backend $X4 is up"
	second
	wait_for 5 is_up_again 1
}

is_up_again() { # TIMES
	(($(grep -c "10:80/tcp: backend $X4 is up" "$RUN.out") == $1))
}

@test "a wrong status, another body, no TLS: the path is still good" {
	sed -i '0,/type: http,/s//type: https,/' "$FILE"
	run_begin "$FILE"
	run_signal HUP
	wait_for 5 run_said "10:80/tcp: backend $X4 is down: no TLS"
	sed -i 's/type: https,/type: http, status: 404, path: \/files\/none,/' "$FILE"
	run_signal HUP
	wait_for 5 is_up_again 1
	sed -i 's/status: 404, //' "$FILE"
	run_signal HUP
	wait_for 5 run_said "10:80/tcp: backend $X4 is down: status 404"
	sed -i 's/path: .files.none/body: backend0x/' "$FILE"
	run_signal HUP
	wait_for 5 is_up_again 2
	sed -i 's/body: backend0x/body: of nobody/' "$FILE"
	run_signal HUP
	wait_for 5 run_said "10:80/tcp: backend $X4 is down: status 200, another body"
}

# A UDP server that never answers, like syslog; its process is $silent.
silent_begin() {
	on "$X" /usr/bin/python3 -c '
import os, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 514))
open(sys.argv[2], "w").write(str(os.getpid()))
while True:
    s.recv(9)' "$VIP4" "$BATS_TEST_TMPDIR/silent" >/dev/null 2>&1 3>&- &
	wait_for 5 test -s "$BATS_TEST_TMPDIR/silent"
	silent=$(<"$BATS_TEST_TMPDIR/silent")
}

@test "udp, a server that never answers: up if the file says so; down if it refuses" {
	local check='type: udp, send: hello, no-answer: up, interval: 1s, timeout: 200ms, rise: 1, fall: 1'
	sed -i "/^services:/a\  - {vip: $VIP4, port: 514, protocol: udp, check: {$check}, backends: [{address: $X4}, {address: 172.19.0.4}]}" "$FILE"
	silent_begin
	lbr apply "$FILE"
	bkd "$X" apply "$FILE" >/dev/null
	bkd backend0y apply "$FILE" >/dev/null
	run_begin "$FILE"
	wait_for 5 found "$X4" 'true unknown unknown sent to the backend; silent'
	# No process has the port there.
	wait_for 5 found 172.19.0.4 'false good bad Connection refused'
	# A check that was not sent does not count as one that nobody answered.
	on "$LB" ip route add blackhole "$X4"
	wait_for 5 found "$X4" 'false bad unknown not sent: fib_blackhole'
	on "$LB" ip route del blackhole "$X4"
	wait_for 5 found "$X4" 'true unknown unknown sent to the backend; silent'
	# By default the server has to answer.
	sed -i 's/no-answer: up, //' "$FILE"
	run_signal HUP
	wait_for 5 found "$X4" 'false bad unknown sent to the backend; no answer from the VIP'
	kill "$silent"
}

@test "https: any certificate is accepted" {
	sed -i '/^services:/a\  - {vip: 192.168.25.10, port: 443, backends: [{address: 172.19.0.3}, {address: 172.19.0.4}], check: {type: https, host: example.org, body: fine, interval: 2s, timeout: 1s, rise: 1, fall: 2}}' "$FILE"
	lbr apply "$FILE" >/dev/null
	bkd "$X" apply "$FILE" >/dev/null
	bkd backend0y apply "$FILE" >/dev/null
	run_begin "$FILE"
	# Only X has a server there.
	wait_for 5 run_said '443/tcp: backend 172.19.0.4 is down: Connection refused'
	wait_for 5 is_also down 172.19.0.4
	[[ $(on "$CLIENT" curl -sSk --max-time 5 "https://$VIP4/[1-5]") == finefinefinefinefine ]]
	run ! run_said "443/tcp: backend $X4 is down"
}

# Starts odd_server.py on X; its process is $odd_server.
odd_server_begin() {
	on "$X" /usr/bin/python3 "$BATS_TEST_DIRNAME/odd_server.py" "$VIP4" "$BATS_TEST_TMPDIR" \
		>/dev/null 2>&1 3>&- &
	wait_for 5 test -s "$BATS_TEST_TMPDIR/odd_server"
	odd_server=$(<"$BATS_TEST_TMPDIR/odd_server")
}

# asks PATH: sets the check of port 8090; the answer must contain `fine`
asks() {
	local check="type: http, path: /$1, body: fine, interval: 400ms, timeout: 200ms, rise: 1, fall: 1"
	sed -i "/port: 8090/d; /^services:/a\  - {vip: $VIP4, port: 8090, check: {$check}, backends: [{address: $X4}]}" "$FILE"
}

odd_server_is() { # "UP PATH APPLICATION WHY"
	look /status | jq -e --arg found "$1" 'any(.checks[];
		.port == 8090 and
		"\(.up) \(.path) \(.application) \(.why // "")" == $found)' >/dev/null
}

@test "http: checks speak HTTP/1.1; a body is read by its chunks or by its length" {
	odd_server_begin
	asks chunks
	bkd "$X" apply "$FILE" >/dev/null
	run_begin "$FILE"
	run_signal HUP
	wait_for 5 odd_server_is 'true good good '
	grep -qx $'Host: 192.168.25.10:8090\r' "$BATS_TEST_TMPDIR/asked"
	grep -qx $'Connection: close\r' "$BATS_TEST_TMPDIR/asked"
	asks length
	run_signal HUP
	wait_for 5 odd_server_is 'false good bad status 200, another body'
	kill "$odd_server"
}

@test "http: a server that never ends its answer is down in time, and delays no other check" {
	local way
	odd_server_begin
	asks headers
	bkd "$X" apply "$FILE" >/dev/null
	run_begin "$FILE"
	for way in headers endless; do
		asks "$way"
		run_signal HUP
		wait_for 5 odd_server_is 'false good bad status 200, another body'
	done
	asks trickle
	run_signal HUP
	wait_for 5 odd_server_is 'false good bad no answer in time'
	run ! run_said '(:80|:7777)/.* is down'
	(($(run_memory) < 20000))
	kill "$odd_server"
}

@test "udp: an answer that comes in fragments" {
	local check="type: udp, send: hello, body: fine, $OFTEN"
	sed -i "/^services:/a\\  - {vip: $VIP4, port: 515, protocol: udp, check: {$check}, backends: [{address: $X4}]}\n  - {vip: '$VIP6', port: 515, protocol: udp, check: {$check}, backends: [{address: '$X6'}]}" "$FILE"
	on "$X" /usr/bin/python3 -c '
import os, select, socket, sys
sockets = []
for vip in sys.argv[1:3]:
    s = socket.socket(socket.AF_INET6 if ":" in vip else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((vip, 515))
    sockets.append(s)
open(sys.argv[3], "w").write(str(os.getpid()))
while True:
    for s in select.select(sockets, [], [])[0]:
        s.sendto(b"x" * 4000 + b"fine", s.recvfrom(99)[1])' \
		"$VIP4" "$VIP6" "$BATS_TEST_TMPDIR/large" >/dev/null 2>&1 3>&- &
	wait_for 5 test -s "$BATS_TEST_TMPDIR/large"
	bkd "$X" apply "$FILE" >/dev/null
	run_begin "$FILE"
	run_signal HUP
	wait_for 5 large 2
	kill "$(<"$BATS_TEST_TMPDIR/large")"
	wait_for 5 large 0
}

large() { # COUNT: so many checks of port 515 are good
	(($(look /status | jq '[.checks[] | select(.port == 515 and
		.up and .application == "good")] | length') == $1))
}

forged_begin() { # VIP PORT FILE: see forger.py
	on "$X" "${PYTHON[@]}" tests/net/forger.py "$@" >"$3.said" 2>&1 3>&- &
}

forged() { # FILE: it has sent some
	local count
	read -r count _ 2>/dev/null <"$1" && ((count > 4))
}

@test "udp: what others may forge takes no backend out that answers in time" {
	local check='type: udp, send: hello, body: fine, interval: 1s, timeout: 500ms, rise: 1, fall: 1'
	local out=$BATS_TEST_TMPDIR/forged vip
	sed -i "/^services:/a\\  - {vip: $VIP4, port: 516, protocol: udp, check: {$check}, backends: [{address: $X4}]}\n  - {vip: '$VIP6', port: 516, protocol: udp, check: {$check}, backends: [{address: '$X6'}]}" "$FILE"
	bkd "$X" apply "$FILE" >/dev/null
	lbr apply "$FILE" >/dev/null
	forged_begin "$VIP4" 516 "$out.4"
	forged_begin "$VIP6" 516 "$out.6"
	run_begin "$FILE"
	for vip in 4 6; do
		wait_for 20 forged "$out.$vip" || { cat "$out.$vip.said"; false; }
		kill "$(cut -d' ' -f2 "$out.$vip")"
	done
	run ! run_said ':516/udp: backend .* is down'
	# With nobody there, it is.
	wait_for 10 run_said "$VIP4:516/udp: backend $X4 is down: Connection refused"
}

refused_often() { # twenty bad checks of port 517 for each of four backends
	look /status | jq -e '[.checks[] | select(.port == 517)] | length == 4 and all(.bad > 20)' >/dev/null
}

@test "udp: a host that refuses datagrams once a second only is no dead path" {
	local check='type: udp, send: hello, body: fine, interval: 200ms, timeout: 100ms, rise: 1, fall: 2'
	sed -i "/^services:/a\\  - {vip: $VIP4, port: 517, protocol: udp, check: {$check}, backends: [{address: $X4}, {address: 172.19.0.4}]}\n  - {vip: '$VIP6', port: 517, protocol: udp, check: {$check}, backends: [{address: '$X6'}, {address: '2001:db8:19::4'}]}" "$FILE"
	for host in "$X" backend0y; do bkd "$host" apply "$FILE" >/dev/null; done
	lbr apply "$FILE" >/dev/null
	run_begin "$FILE"
	wait_for 20 refused_often
	[[ $(grep -c ':517/udp: backend .* is down: Connection refused' "$RUN.out") == 4 ]]
	run ! run_said ':517/udp.*(no answer|its flows move)'
}
