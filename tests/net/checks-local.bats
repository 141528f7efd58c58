#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Health checks where the VIP is an address of the load balancer, too: on eth0
# (VRRP), on lo (BGP). What this host is, serves, filters and drops does not
# matter to them.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` and its friends

load lib
load run
load status
load modes
bats_require_minimum_version 1.5.0

X=backend0x X4=172.19.0.3 X6=2001:db8:19::3
Y4=172.19.0.4 Y6=2001:db8:19::4

# ms MILLISECONDS: as many for a check; more where the kernel is emulated
ms() {
	echo "$(($1 * ${PATIENCE:-3} / 3))ms"
}

# Port 443 on both backends, with a certificate of more than 7 kB; and the file
# that all hosts use.
setup_file() {
	local mode backend names often long
	cd "$BATS_FILE_TMPDIR" || return
	names=$(printf 'DNS:name-%03d.of-a-long-list.example.org,' {1..170})
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -addext \
		"subjectAltName=${names%,}" -keyout key -out cert 2>/dev/null
	(($(openssl x509 -in cert -outform der | wc -c) > 7000))
	nginx_conf tls >tls.conf <<-END
		server {
			listen 443 ssl;
			listen [::]:443 ssl;
			ssl_certificate $PWD/cert;
			ssl_certificate_key $PWD/key;
			location / { return 200 "fine"; }
		}
	END
	often="interval: $(ms 400), timeout: $(ms 200), rise: 1, fall: 2"
	long="interval: $(ms 1000), timeout: $(ms 500), rise: 1, fall: 2"
	services services.yaml \
		"s/^\( *\)protocol: tcp/&\n\1check: {type: http, $often}/" \
		"s/^\( *\)protocol: udp/&\n\1check: {type: udp, send: hello, body: hello, $often}/"
	cat >>services.yaml <<-END
		  - {vip: $VIP4, port: 443, check: {type: https, body: fine, $long},
		     backends: [{address: $X4}, {address: $Y4}]}
		  - {vip: '$VIP6', port: 443, check: {type: https, body: fine, $long},
		     backends: [{address: '$X6'}, {address: '$Y6'}]}
	END
	for mode in generic native; do
		if [[ $mode == native ]]; then network --native; else network; fi
		export "RUN_$mode=$TOPO_RUN"
		attach "$mode" "$PWD/services.yaml"
		for backend in "${BACKENDS[@]}"; do
			on "$backend" nginx -p /run/nginx/ -c "$PWD/tls.conf" -e tls.log 3>&-
		done
	done
}

setup() {
	FILE=$BATS_FILE_TMPDIR/services.yaml
}

teardown() {
	run_end
	vip_off
	on "$LB" nft flush ruleset
	on "$LB" sysctl -qw net.ipv4.conf.all.rp_filter=0
	[[ ! ${own-} ]] || kill "$own"
}

vip_on() { # DEVICE
	on "$LB" ip addr add "$VIP4/32" dev "$1"
	on "$LB" ip addr add "$VIP6/128" dev "$1" nodad
}

vip_off() {
	local device
	for device in eth0 lo; do
		on "$LB" ip addr del "$VIP4/32" dev "$device" 2>/dev/null || :
		on "$LB" ip addr del "$VIP6/128" dev "$device" 2>/dev/null || :
	done
}

# all_good: each of the twelve checks has had good answers since $before was
# taken
all_good() {
	look /status | jq -e --argjson before "$before" '[.checks[]] as $now |
		($now | length) == 12 and ($now | all(.path == "good" and
			.application == "good")) and
		([range(12) | $now[.].good > $before[.]] | all)' >/dev/null
}

since_now() {
	before=$(look /status | jq -c '[.checks[].good]')
}

# parted WHY: all checks of X are down for this reason, and none of the other
# backend
parted() {
	look /status | jq -e --arg why "$1" --arg x4 "$X4" --arg x6 "$X6" '.checks |
		all(if .backend == $x4 or .backend == $x6
			then (.up | not) and (.why == $why) else .up end)' >/dev/null
}

# works MODE: checks work with the VIP on each device, and with each value of
# rp_filter in $filters
works() {
	local where filter
	over "$1"
	run_begin "$FILE"
	for where in none eth0 lo; do
		vip_off
		[[ $where == none ]] || vip_on "$where"
		for filter in $filters; do
			on "$LB" sysctl -qw "net.ipv4.conf.all.rp_filter=$filter"
			since_now
			wait_for 10 all_good
		done
		bkd "$X" down >/dev/null
		wait_for 10 parted 'sent to the backend; no answer from the VIP'
		bkd "$X" up -c "$FILE" >/dev/null
	done
	since_now
	wait_for 10 all_good
}

@test "the VIP nowhere, on eth0, on lo; rp_filter off and strict: generic" {
	filters='0 1'
	works generic
}

@test "the VIP nowhere, on eth0, on lo; rp_filter strict: native" {
	filters=1
	works native
}

# A server of the load balancer's own, on port 80 of the VIP; its process is $own.
own_begin() {
	on "$LB" /usr/bin/python3 -c '
import os, socket, sys
s = socket.socket()
s.bind((sys.argv[1], 80))
s.listen()
open(sys.argv[2], "w").write(str(os.getpid()))
while True:
    c = s.accept()[0]
    c.recv(4096)
    c.sendall(b"HTTP/1.0 200 OK\r\n\r\nown")
    c.close()' "$VIP4" "$BATS_TEST_TMPDIR/own" >/dev/null 2>&1 3>&- &
	wait_for 5 test -s "$BATS_TEST_TMPDIR/own"
	own=$(<"$BATS_TEST_TMPDIR/own")
}

dead() { # the refusal is reported for X's web server and for no other
	look /status | jq -e --arg x "$X4" '[.checks[] | select(.vip == "192.168.25.10" and .port == 80) |
		"\(.backend == $x) \(.up) \(.why // "")"] | sort ==
		["false true ", "true false Connection refused"]' >/dev/null
}

@test "a server of the load balancer's own on the VIP does not mislead checks" {
	over generic
	vip_on lo
	own_begin
	[[ $(on "$LB" curl -s --max-time 5 "http://$VIP4/") == own ]]
	run_begin "$FILE"
	on "$X" nginx -p /run/nginx/ -c "$ROOT/topology/l3dsr/nginx.conf" -s stop
	wait_for 10 dead
	on "$X" nginx -p /run/nginx/ -c "$ROOT/topology/l3dsr/nginx.conf" 3>&-
	since_now
	wait_for 10 all_good
}

@test "checks work behind a firewall that drops all that the host sends and gets" {
	over generic
	vip_on eth0
	on "$LB" nft -f - <<-'END'
		table inet drops {
			chain input {
				type filter hook input priority 0; policy drop;
				iifname lo accept
				meta l4proto ipv6-icmp accept
			}
			chain output {
				type filter hook output priority 0; policy drop;
				oifname lo accept
				meta l4proto ipv6-icmp accept
			}
		}
	END
	run ! on "$LB" curl -s --max-time 0.5 "http://$X4:80/"
	run_begin "$FILE"
	before='[0,0,0,0,0,0,0,0,0,0,0,0]'
	wait_for 10 all_good
	bkd "$X" down >/dev/null
	wait_for 10 parted 'sent to the backend; no answer from the VIP'
	bkd "$X" up -c "$FILE" >/dev/null
}
