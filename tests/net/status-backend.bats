#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What `bkd run` tells who looks, and that restoring does not depend on it.

# shellcheck disable=SC2016,SC2034,SC2154 # `run` and its friends; wait_for's eval

load lib
load run
load status
bats_require_minimum_version 1.5.0

X=backend0x

setup() {
	FILE=$BATS_TEST_TMPDIR/services.yaml
	services "$FILE"
	run_of "$X"
}

teardown() {
	run_end
}

# The metrics equal what show prints, once no more packets come.
as_shown() {
	[[ $(metric bkd_packets_total '"restored"') == $(reason restored "$X") ]] &&
		[[ $(metric bkd_service_packets_total) == $(metric bkd_packets_total '"restored"') ]] &&
		[[ $(metric bkd_service_packets_total 'vip="192.168.25.10",port="80",protocol="tcp",address="172.19.0.3"') == \
			$(bkd "$X" show -j restores | jq '.restores[0].packets') ]] &&
		[[ $(metric bkd_packets_total) == $(bkd "$X" show -j reasons | jq '[.reasons[].packets] | add') ]]
}

@test "bkd run: its metrics equal what was restored; promtool finds nothing" {
	local before
	run_begin "$FILE"
	before=$(metric bkd_packets_total '"restored"')
	balanced "$VIP4" 20 1 19
	(($(metric bkd_packets_total '"restored"') > before))
	wait_for 10 as_shown
	[[ $(metric bkd_service_restored) == 4 ]]
	linted bkd_packets_total
}

@test "bkd run: a changed method gets a row of its own; the old row stays until its grace is over" {
	run_begin "$FILE"
	[[ $(metric bkd_service_restored 'forward="rewrite"') == 4 ]]
	sed -i 's/forward: rewrite/forward: ipip/; $ a lb-sources: [172.17.0.0/16, "2001:db8:17::/64"]\ngrace: 10min' "$FILE"
	run_signal HUP
	wait_for 5 eval '[[ $(metric bkd_service_restored "forward=\"ipip\"") == 4 ]]'
	[[ $(look /metrics | grep -c "^bkd_service_restored.*rewrite.* 0$") == 4 ]]
	linted bkd_packets_total
	sed -i 's/forward: ipip/forward: rewrite/; s/grace: 10min/grace: 1s\ndrain-timeout: 0s/' "$FILE"
	run_signal HUP
	wait_for 5 eval '[[ $(metric bkd_service_restored "forward=\"rewrite\"") == 4 ]]'
	wait_for 10 eval '[[ $(look /metrics | grep -c ^bkd_service_restored) == 4 ]]'
	bkd "$X" down >/dev/null
	bkd "$X" up -m generic >/dev/null
}

@test "bkd run: says if xdp_bkd is not up, its mode, its file, and a VIP that is not on lo" {
	bkd "$X" down >/dev/null
	run_begin "$FILE"
	[[ $(metric bkd_up) == 0 && ! $(metric bkd_attached) ]]
	[[ $(look /status | jq .up) == false ]]
	bkd "$X" up -m generic -c "$FILE" >/dev/null
	[[ $(metric bkd_up) == 1 && $(metric bkd_attached 'interface="eth0",mode="generic"') == 1 ]]
	[[ $(metric bkd_file_info "$(lbr show -j | jq -r .digest)") == 1 ]]
	[[ $(metric bkd_vip_on_lo) == 2 ]]
	on "$X" ip address del "$VIP4/32" dev lo
	wait_for 5 run_said "^lo: VIP $VIP4 added"
	[[ $(metric bkd_vip_on_lo) == 2 ]]
	# the second time within a minute, it is left alone
	on "$X" ip address del "$VIP4/32" dev lo
	wait_for 5 run_said "^$VIP4: changed back twice"
	[[ $(metric bkd_vip_on_lo "$VIP4") == 0 && $(metric bkd_vip_on_lo "$VIP6") == 1 ]]
	on "$X" ip address add "$VIP4/32" dev lo
	[[ $(metric bkd_vip_on_lo) == 2 ]]
	sed -i '0,/weight: 1/s//weight: 2/' "$FILE"
	run_signal HUP
	wait_for 5 eval '[[ $(metric bkd_generation) == 2 ]]'
	[[ ! $(metric bkd_file_info "$(lbr show -j | jq -r .digest)") && $(metric bkd_file_info) == 1 ]]
	bkd "$X" down >/dev/null
	on "$X" ip link add name 'a"b' type veth peer name ab
	bkd "$X" up -i 'a"b' >/dev/null
	[[ $(metric bkd_up) == 1 && $(metric bkd_attached) == 1 ]]
	look /metrics | grep -qxF 'bkd_attached{interface="a\"b",mode="generic"} 1'
	on "$X" ip link del ab
	[[ $(metric bkd_up) == 0 && ! $(metric bkd_attached) ]]
	bkd "$X" down >/dev/null
	bkd "$X" up -m generic >/dev/null
}

@test "bkd run: SIGHUP applies the file; killed, it is missed by no packet" {
	run_begin "$FILE"
	sed -i 's/port: 7777/port: 7778/' "$FILE"
	run_signal HUP
	wait_for 5 run_said '^\+ restore 172.19.0.3:7778/udp to 192.168.25.10'
	services "$FILE"
	run_signal HUP
	wait_for 5 run_said '^~ restore 172.19.0.3:7778/udp .* for `grace` and `drain-timeout` only'
	run -1 bkd "$X" run
	[[ $output == "bkd: cannot run: another \`bkd run\` does"* ]]
	run_signal KILL
	[[ $(run_status) == 137 ]]
	balanced "$VIP4" 20 1 19
	run_begin "$FILE"
	run_signal TERM
	[[ $(run_status) == 0 ]]
}

@test "bkd run: read-only, on loopback unless told otherwise" {
	run_begin "$FILE"
	[[ $(code /) == 200 && $(code /status) == 200 && $(code '/metrics?a=b') == 200 ]]
	[[ $(code /etc/passwd) == 404 && $(code / -X POST) == 405 ]]
	run -7 on "$ROUTER" curl -sS --max-time 2 http://172.19.0.3:8405/
	run_end
	RUN_OPTIONS='-l 172.19.0.3:8405' run_begin "$FILE"
	on "$ROUTER" curl -sSf --max-time 2 -o /dev/null http://172.19.0.3:8405/
	run_end
	RUN_OPTIONS='-l none' run_begin "$FILE"
	[[ $(code / || :) == 000 ]]
}

@test "bkd run: 3,000 slow clients: it takes little memory, and others are answered" {
	local before after
	run_begin "$FILE"
	look /status >/dev/null
	before=$(run_memory)
	slow_clients 3000
	[[ $(metric bkd_up) == 1 ]]
	after=$(run_memory)
	echo "memory: $before kB before, $after kB with them"
	((after - before < 4096))
	wait "$SLOW"
}

@test "bkd run: valgrind finds no leak and no read of uninitialised memory" {
	command -v valgrind >/dev/null || skip 'no valgrind'
	run_begin "$FILE" "${VALGRIND[@]}"
	look / >/dev/null
	look /status >/dev/null
	look /metrics >/dev/null
	code / -X POST
	sed -i 's/port: 7777/port: 7779/' "$FILE"
	run_signal HUP
	wait_for 60 run_said '^\+ restore 172.19.0.3:7779/udp'
	bkd "$X" down >/dev/null
	[[ $(metric bkd_up) == 0 ]]
	look / >/dev/null
	bkd "$X" up -m generic -c "$FILE" >/dev/null
	[[ $(metric bkd_up) == 1 ]]
	run_signal TERM
	[[ $(run_status) == 0 ]]
}

@test "bkd run: the page in a browser: what is restored, and what cannot be answered" {
	command -v chromium >/dev/null || skip 'no chromium'
	balanced "$VIP4" 20 1 19
	run_begin "$FILE"
	on "$X" ip address del "$VIP6/128" dev lo
	browse '<tr class="down"><td[^>]*>\[2001:db8:25::10\]:80/tcp<' 1
	on "$X" ip address add "$VIP6/128" dev lo
	browse '<tr class="down"><td[^>]*>\[2001:db8:25::10\]:80/tcp<' 0
	browse '<td[^>]*>restored<' 1
	grep -q '<h1 id="host">backend0x</h1>' "$BATS_TEST_TMPDIR/page"
	grep -q 'generic on eth0, bkd run for' "$BATS_TEST_TMPDIR/page"
	grep -q '<div id="trouble" role="alert" class=""></div>' "$BATS_TEST_TMPDIR/page"
	bkd "$X" down >/dev/null
	browse 'xdp_bkd is not up on this host</div>' 1
	bkd "$X" up -m generic >/dev/null
}

@test "JSON: keys and types are those of the manual, of bkd" {
	local summary=('[interfaces]' '[restores]' '[reasons]')
	run_begin "$FILE"
	bkd "$X" show -j | documented bkd show "${summary[@]}"
	bkd "$X" show -j restores | documented bkd '[restores]'
	bkd "$X" doctor -j | documented bkd doctor
	look /status | documented bkd show "${summary[@]}" /status
	[[ ! $(unmet bkd) ]]
}
