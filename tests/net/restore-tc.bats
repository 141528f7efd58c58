#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# restore: tc, with real nginx that listens on its backend's own address and
# nowhere else: the VIP is on no interface, and nothing is written into a
# packet.

# shellcheck disable=SC2154 # `run`

bats_require_minimum_version 1.5.0
load lib

NEAR4=172.19.0.3 NEAR6=2001:db8:19::3 # backend0x
SOURCES="lb-sources: ['172.17.0.0/16', '2001:db8:17::/64']"

setup_file() {
	network
	local backend
	for backend in "${BACKENDS[@]}"; do
		on "$backend" ip address del "$VIP4/32" dev lo
		on "$backend" ip address del "$VIP6/128" dev lo
		on "$backend" ip route change default via 172.19.0.2 advmss 1400
		on "$backend" ip -6 route change default via 2001:db8:19::2 \
			advmss 1380
	done
	serve backend0x 3
	serve backend0y 4
}

teardown_file() {
	network_down
}

# serve BACKEND NUMBER: nginx on port 8088 of its own addresses, and only there;
# one that serves there is stopped before
serve() {
	local at=$BATS_FILE_TMPDIR/$1
	[[ ! -e $at/nginx.pid ]] || kill "$(<"$at/nginx.pid")"
	wait_for 5 silent "$1"
	mkdir -p "$at/tmp"
	cat >"$at/conf" <<-EOF
		pid nginx.pid;
		user root;
		worker_processes 1;
		events {}
		http {
			access_log off;
			include $ROOT/topology/l3dsr/nginx-temp.conf;
			server {
				listen 172.19.0.$2:8088;
				listen [2001:db8:19::$2]:8088;
				client_max_body_size 0;
				location / {
					return 200 "Server name: \$hostname\n";
				}
			}
		}
	EOF
	on "$1" nginx -p "$at/" -e error.log -c "$at/conf" 3>&-
}

silent() { # BACKEND
	! on "$1" ss -Hltn 'sport = :8088' | grep -q .
}

# file RESTORE KEYS...: a service of each VIP, on port 8088, with these keys
file() {
	local head='' keys='' key vip net
	for key in "${@:2}"; do
		case $key in
		lb-sources*) head=$key ;;
		*) keys+=", $key" ;;
		esac
	done
	{
		echo "$head"
		echo "services:"
		for vip in "$VIP4" "$VIP6"; do
			net=172.19.0.
			[[ $vip != *:* ]] || net=2001:db8:19::
			echo "  - {vip: '$vip', port: 8088$keys, backends: [" \
				"{address: '${net}3', restore: $1}," \
				"{address: '${net}4', restore: $1}]}"
		done
	} >"$BATS_TEST_TMPDIR/file"
	echo "$BATS_TEST_TMPDIR/file"
}

# ask ADDRESS REQUESTS [curl's options]
ask() {
	local at=$1
	[[ $at != *:* ]] || at="[$at]"
	on "$CLIENT" curl -sS --max-time 5 -H 'Connection: close' "${@:3}" \
		"http://$at:8088/[1-$2]"
}

# both VIP: both servers answer
both() {
	local said
	said=$(ask "$1" 20)
	[[ $(grep -c '^Server name: backend0' <<<"$said") == 20 ]]
	[[ $(grep -c '^Server name: backend0x' <<<"$said") == [1-9]* ]]
	[[ $(grep -c '^Server name: backend0y' <<<"$said") == [1-9]* ]]
}

serves() { # KEYS...
	detach
	attach generic "$(file tc "$@")"
	both "$VIP4"
	both "$VIP6"
}

# direct: connections to the backend's own address reach it as such
direct() {
	ask "$NEAR4" 1 | grep -qx "Server name: backend0x"
	ask "$NEAR6" 1 | grep -qx "Server name: backend0x"
}

@test "rewrite: a server on its own address answers as the VIP, which no interface has" {
	serves
	[[ ! $(on backend0x ip -o address show to "$VIP4") ]]
	[[ ! $(on backend0x ip -o address show to "$VIP6") ]]
	bkd backend0x show -j restores |
		jq -e '.restores | length == 2 and all(.restore == "tc")'
	run ! ask "$NEAR4" 1 --max-time 0.5
	# started again, while no tool runs
	serve backend0x 3
	both "$VIP4"
	both "$VIP6"
}

@test "dscp and ipip: the same; direct connections stay direct" {
	serves "forward: dscp" "dscp: 10"
	direct
	serves "forward: ipip" "$SOURCES"
	direct
}

@test "negative control: without restore: tc, the same servers refuse" {
	attach generic "$(file lo)"
	run -7 ask "$VIP4" 1
	run -7 ask "$VIP6" 1
}

@test "down puts back what up changed; apply goes from one to the other" {
	detach
	local before
	before=$(state)
	attach generic "$(file tc)"
	[[ $(on backend0x ip route show table local proto 117) == "local $VIP4 dev lo "* ]]
	bkd backend0x apply "$(file lo)" | grep -x "lo: VIP $VIP4 added"
	[[ ! $(on backend0x ip route show table local proto 117) ]]
	bkd backend0x apply "$(file tc)" >"$BATS_TEST_TMPDIR/said"
	grep -x "lo: VIP $VIP4 removed" "$BATS_TEST_TMPDIR/said"
	grep -q 'whose server listens on its own address' "$BATS_TEST_TMPDIR/said"
	both "$VIP4"
	detach
	diff - <(state) <<<"$before"
}

# state: of backend0x, what `up` may change
state() {
	on backend0x ip -o address
	on backend0x ip route show table all
	on backend0x ip -6 route show table all
	on backend0x sysctl net.ipv4.conf.all
	on backend0x bpftool net show
	on backend0x bpftool link show | grep -c sk_lookup || :
}

@test "doctor: the route or the program is gone; apply mends it" {
	attach generic "$(file tc)"
	run -0 bkd backend0x doctor -j -c "$(file tc)"
	on backend0x ip route del local "$VIP4" table local
	on backend0x rm /sys/fs/bpf/l3dsr/bkd-"$LAYOUT"/lookup
	run -3 bkd backend0x doctor -j -c "$(file tc)"
	jq -c '.examinations[] | select(.result == "fail")' <<<"$output"
	jq -e '[.examinations[] | select(.result == "fail").report] | length == 2 and
		any(test("has no local route")) and any(test("bkd_listener is not attached"))' \
		<<<"$output"
	bkd backend0x apply "$(file tc)"
	both "$VIP4"
}
