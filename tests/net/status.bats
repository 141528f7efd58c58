#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What `lbr run` tells who looks: metrics, JSON, a page.

# shellcheck disable=SC2016,SC2034,SC2154 # `run` and its friends; wait_for's eval

load lib
load run
load status
bats_require_minimum_version 1.5.0

X=backend0x

setup() {
	FILE=$BATS_TEST_TMPDIR/services.yaml
	services "$FILE" "s/^\( *\)protocol: tcp/&\n\1check: {type: http, $OFTEN}/"
	lbr apply "$FILE" >/dev/null
}

teardown() {
	run_end
}

@test "metrics: they equal what a client sent; promtool finds nothing" {
	local before after
	run_begin "$FILE"
	wait_for 5 eval '(($(metric lbr_check_good_total) >= 4))'
	before=$(metric lbr_service_flows_total 'vip="192.168.25.10",port="80"')
	answers "$VIP4" 25 >/dev/null
	after=$(metric lbr_service_flows_total 'vip="192.168.25.10",port="80"')
	((after - before == 25))
	[[ $(metric lbr_backend_flows_total 'vip="192.168.25.10",port="80"') == "$after" ]]
	[[ $(metric lbr_packets_total 'forwarded') == $(metric lbr_service_packets_total) ]]
	wait_for 5 eval '[[ $(metric lbr_backend_up) == 8 && $(metric lbr_check_up) == 4 ]]'
	before=$(metric lbr_packets_total 'unmatched')
	on "$CLIENT" curl -s --max-time 0.3 "http://$VIP4:9/" || :
	(($(metric lbr_packets_total 'unmatched') > before))
	[[ $(look /metrics -I) == *'text/plain; version=0.0.4'* ]]
	linted lbr_packets_total
}

@test "status: path and application are told apart" {
	local check='.checks[] | select(.backend == "172.19.0.3")'
	run_begin "$FILE"
	wait_for 5 eval '[[ $(look /status | jq -r "$check | .path + .application") == goodgood ]]'
	bkd "$X" down >/dev/null
	wait_for 5 eval '[[ $(look /status | jq -r "$check | .path + .application") == badunknown ]]'
	wait_for 5 eval '[[ $(look /status | jq -r ".backends[0].state") == down ]]'
	bkd "$X" up >/dev/null
	on "$X" nginx -p /run/nginx/ -c "$ROOT/topology/l3dsr/nginx.conf" -s stop
	wait_for 5 eval '[[ $(look /status | jq -r "$check | .path + .application") == goodbad ]]'
	on "$X" nginx -p /run/nginx/ -c "$ROOT/topology/l3dsr/nginx.conf" 3>&-
	wait_for 5 eval '[[ $(look /status | jq -r "$check | .path + .application") == goodgood ]]'
}

@test "read-only, on loopback unless told otherwise" {
	run_begin "$FILE"
	[[ $(code /) == 200 && $(code /status) == 200 && $(code '/metrics?a=b') == 200 ]]
	[[ $(code /etc/passwd) == 404 && $(code / -X POST) == 405 && $(code / -X DELETE) == 405 ]]
	[[ $(code / -H "A: $(printf '%5000s' x)") == 431 ]]
	[[ $(look / -I -X HEAD) == *'Content-Length: '* ]]
	run ! on "$CLIENT" curl -sS --max-time 2 http://172.17.0.2:8404/
	run_end
	run_begin "$FILE" env
	run_end
	run ! lbr run -c "$FILE" -l localhost
	[[ $output == *'cannot listen on localhost: Invalid argument'* ]]
	# What it had changed on the host is put back.
	run ! on "$LB" ip link show lbr-check0
}

@test "a request for a foreign host name (DNS rebinding) is refused" {
	run_begin "$FILE"
	local name
	for name in localhost:8404 LOCALHOST 127.0.0.1 '[::1]:8404' 172.17.0.2:80 "$LB:8404"; do
		[[ $(code /status -H "Host: $name") == 200 ]]
	done
	for name in attacker.example attacker.example:8404 127.0.0.1.attacker.example \
		localhost.attacker.example "$LB.attacker.example"; do
		[[ $(code /status -H "Host: $name") == 421 && $(code / -H "Host: $name") == 421 ]]
	done
	[[ $(code / --http1.0 -H 'Host:') == 200 ]]
}

# thousands FILE: writes many services without checks, and two with
thousands() {
	local port
	services "$1" "s/^\( *\)protocol: tcp/&\n\1check: {type: http, $OFTEN}/"
	for ((port = 1000; port < 2000; port++)); do
		printf '  - {vip: %s, port: %s, protocol: tcp, scheduler: round-robin, backends: [%s, %s]}\n' \
			"$VIP4" "$port" '{address: 172.19.0.3}' '{address: 172.19.0.4}'
	done >>"$1"
}

@test "60 clients at once ask for a page of a thousand services: no check is late" {
	thousands "$FILE"
	lbr apply "$FILE" >/dev/null
	run_begin "$FILE"
	wait_for 20 eval '(($(metric lbr_check_good_total) >= 8))'
	# shellcheck disable=SC2016
	run on "$LB" bash -c 'seq 180 | xargs -P 60 -I{} curl -sS -m 20 -o /dev/null \
		-w "%{http_code} %{size_download} %{time_total}\n" http://127.0.0.1:8404/metrics'
	echo "$output" | sort | uniq -c
	[[ $(cut -d' ' -f1 <<<"$output" | sort -u) == 200 ]]
	(($(cut -d' ' -f2 <<<"$output" | sort -n | head -n 1) > 1000000))
	[[ $(metric lbr_check_bad_total) == 0 ]]
	run ! run_said 'is down'
}

@test "10,000 slow clients: it takes little memory, and no check is late" {
	local before after good
	sed -i "s/$OFTEN/interval: 2s, timeout: 1s, rise: 1, fall: 2/" "$FILE"
	lbr apply "$FILE" >/dev/null
	run_begin "$FILE"
	wait_for 20 eval '(($(metric lbr_check_good_total) >= 4))'
	before=$(run_memory)
	slow_clients 10000
	good=$(metric lbr_check_good_total)
	after=$(run_memory)
	echo "memory: $before kB before, $after kB with them"
	((after - before < 4096))
	wait_for 20 eval '(($(metric lbr_check_good_total) > good + 10))'
	[[ $(metric lbr_check_bad_total) == 0 ]]
	run ! run_said 'is down'
	# In the end they are thrown out, because their time is over.
	wait "$SLOW"
}

@test "valgrind finds no leak and no read of uninitialised memory" {
	command -v valgrind >/dev/null || skip 'no valgrind'
	# Each check makes two requests, the second of which is refused.
	sed -i "/vip: $VIP6/,\$s/type: http,/type: http, application-port: 9,/" "$FILE"
	lbr apply "$FILE" >/dev/null
	run_begin "$FILE" "${VALGRIND[@]}"
	wait_for 60 eval '(($(metric lbr_check_good_total) + $(metric lbr_check_bad_total) >= 4))'
	look / >/dev/null
	look /status >/dev/null
	code / -X POST
	bkd "$X" down >/dev/null
	wait_for 60 run_said 'backend 172.19.0.3 is down'
	wait_for 60 run_said 'backend 2001:db8:19::4 is down: .*port 9: Connection refused'
	bkd "$X" up >/dev/null
	sed -i 's/weight: 1}/weight: 3}/' "$FILE"
	run_signal HUP
	wait_for 60 run_said 'weight 1 -> 3'
	wait_for 60 run_said 'backend 172.19.0.3 is up'
	run_signal TERM
	[[ $(run_status) == 0 ]]
}

@test "the page in a browser: each backend and its state" {
	command -v chromium >/dev/null || skip 'no chromium'
	local page=$BATS_TEST_TMPDIR/page up='<tr class="up">'
	run_begin "$FILE"
	bkd "$X" down >/dev/null
	wait_for 5 run_said '^~ backend 172.19.0.3 .* -> down'
	wait_for 5 run_said '^~ backend 2001:db8:19::3 .* -> down'
	wait_for 10 browse "$up" 6
	# In the table of backends, and in no other.
	[[ $(grep -o '<tr class="down"><td[^>]*>172.19.0.3<' "$page" | wc -l) == 1 ]]
	grep -q 'sent to the backend; no answer from the VIP' "$page"
	grep -q '<h1 id="host">lbdsr0a</h1>' "$page"
	grep -q '<div id="trouble" role="alert" class=""></div>' "$page"
	bkd "$X" up >/dev/null
	wait_for 5 run_said '^~ backend 172.19.0.3 .* -> up'
	wait_for 5 run_said '^~ backend 2001:db8:19::3 .* -> up'
	wait_for 10 browse "$up" 8
}

@test "JSON: keys and types are those of the manual" {
	local part missed summary=('[interfaces]' '[services]' '[backends]' '[workers]'
		'[queues]' '[waits]' '[reasons]')
	run_begin "$FILE"
	answers "$VIP4" 10 >/dev/null
	answers "$VIP6" 10 >/dev/null
	wait_for 5 answered
	lbr show -j | documented lbr show "${summary[@]}"
	look /status | documented lbr show "${summary[@]}" /status
	for part in interfaces services backends flows next-hops path-mtus; do
		lbr show -j "$part" | documented lbr "[$part]"
	done
	# A packet whose TTL ends here counts for its service.
	on "$CLIENT" /usr/bin/python3 -c "import socket; s = socket.socket(2, 2)
s.setsockopt(0, socket.IP_TTL, 1); s.sendto(b'x', ('$VIP4', 7777))"
	lbr show -j reasons | documented lbr '[reasons]' '[reasons-by-service]'
	lbr explain -j 172.17.0.4:1 192.168.25.10:80 | documented lbr watch explain
	printf '172.17.0.4:%s 192.168.25.10:80 syn\n' 1 2 | lbr explain -j | documented lbr watch explain
	lbr explain -j 172.17.0.4:1 192.168.25.10:9 | documented lbr watch explain
	lbr doctor -j | documented lbr doctor
	{ grep -v '^drain-timeout' "$FILE"; echo "drain-timeout: 7s"; } >"$BATS_TEST_TMPDIR/other"
	{ lbr plan -j "$BATS_TEST_TMPDIR/other" || [[ $? == 4 ]]; } | documented lbr plan
	# tunnel.bats has a router that reports a path MTU, workers.bats workers,
	# nat-flows.bats flows by nat.
	missed=$(unmet lbr)
	echo "not met: $missed"
	[[ $missed == $'heartbeats\nnat\nnat-flows\nnat-sources\npath-mtus\nqueues\nwaits\nworkers' ]]
}
