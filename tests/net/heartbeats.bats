#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Heartbeats: backends say how they are, and load balancers believe it only of
# whom has the key, once, and in time.

# shellcheck disable=SC2016,SC2034,SC2154 # wait_for's eval; for flows.bash; bats' own

load lib
load run
load status
load flows
bats_require_minimum_version 1.5.0

FLOWS=20 X4=172.19.0.3 Y4=172.19.0.4 X6=2001:db8:19::3 Y6=2001:db8:19::4
HEARTBEATS=("${PYTHON[@]}" "$BATS_TEST_DIRNAME/heartbeats.py")

# The load balancer is on the backends' segment, too.
setup_file() {
	network twolegged
}

teardown_file() {
	network_down
}

# Each host has a folder of its own: the file, and its keys beside it.
setup() {
	local host
	for host in "$LB" "${BACKENDS[@]}"; do mkdir -p "$BATS_TEST_TMPDIR/$host"; done
	KEY=$(openssl rand -hex 32)
	umask 77
	echo "$X4,$X6 $KEY" >"$(keys_of backend0x)"
	echo "$Y4,$Y6 $(openssl rand -hex 32)" >"$(keys_of backend0y)"
	cat "$(keys_of backend0x)" "$(keys_of backend0y)" >"$(keys_of "$LB")"
	fine
}

teardown() {
	run_end
	flows_end
	fine
}

keys_of() { # HOST
	echo "$BATS_TEST_TMPDIR/$1/heartbeat.keys"
}

file_of() { # HOST
	echo "$BATS_TEST_TMPDIR/$1/services.yaml"
}

fine() {
	local host
	for host in "${BACKENDS[@]}"; do on "$host" touch /run/nginx/files/health; done
}

# begin_with CHECK4 CHECK6 [KEYS-OF-THE-FILE]: both programs and tools run, and
# all is up. FALL: this many missing heartbeats are a verdict.
begin_with() {
	local host
	for host in "$LB" "${BACKENDS[@]}"; do
		cat >"$(file_of "$host")" <<-END
			heartbeat-interval: 200ms
			${3-heartbeat-network: [172.19.0.0/16]}
			services:
			  - vip: $VIP4
			    port: 80
			    table-size: 251
			    check: {$1, interval: 200ms, timeout: 100ms, rise: 1, fall: ${FALL:-8}}
			    backends: [{address: $X4}, {address: $Y4}]
			  - vip: $VIP6
			    port: 80
			    table-size: 251
			    check: {$2, interval: 200ms, timeout: 100ms, rise: 1, fall: ${FALL:-8}}
			    backends: [{address: '$X6'}, {address: '$Y6'}]
		END
	done
	lbr up -m generic -i eth0 -i eth1 -c "$(file_of "$LB")" --drop-flows >/dev/null
	run_of "$LB"
	run_begin "$(file_of "$LB")"
	for host in "${BACKENDS[@]}"; do
		bkd "$host" up -m generic -c "$(file_of "$host")" >/dev/null
		speak "$host"
	done
	wait_for 20 all_are up
	run_of "$LB"
}

speak() { # HOST: `bkd run` begins there
	RUN_OPTIONS='-l none' run_of "$1"
	RUN_OPTIONS='-l none' run_begin "$(file_of "$1")"
	run_of "$LB"
}

silence() { # HOST: ... and ends
	run_of "$1"
	run_signal TERM
	run_status >/dev/null
	rm -f "$RUN.pid"
	run_of "$LB"
}

# are STATE ADDRESS...: of each of these backends
are() {
	local found
	found=$(lbr show -j backends | jq -r --args \
		'.backends[] | select(.backend | IN($ARGS.positional[])).health' "${@:2}" | sort -u)
	[[ $found == "$1" ]]
}

all_are() {
	are "$1" "$X4" "$X6" "$Y4" "$Y6"
}

why() { # ADDRESS
	lbr show -j backends | jq -r --arg address "$1" \
		'.backends[] | select(.backend == $address).why'
}

heartbeat() { # ADDRESS: the word for its heartbeats
	look /status | jq -r --arg address "$1" \
		'.checks[] | select(.backend == $address).heartbeat'
}

counted() { # WORD: how many datagrams
	metric lbr_heartbeat_datagrams_total "word=\"$1\""
}

@test "a backend falls silent: it gets no new connections and keeps those it has; it speaks again: back" {
	begin_with 'type: heartbeat' 'type: http, heartbeats: beside'
	begin
	advanced "$FLOWS"
	silence backend0x
	within 6000 are 'application down' "$X4" "$X6"
	[[ $(why "$X4") == 'no heartbeat for 1.6 s' && $(why "$X6") == 'no heartbeat for 1.6 s' ]]
	[[ $(answers "$VIP4" 20) == 'backend0y 20' ]]
	[[ $(answers "$VIP6" 20) == 'backend0y 20' ]]
	are up "$Y4" "$Y6"
	lbr show -j heartbeats | documented lbr '[heartbeats]'
	advanced "$FLOWS"
	speak backend0x
	wait_for 10 all_are up
	advanced "$FLOWS"
	unbroken
}

@test "negative control: without heartbeats in the file, nobody sends, and a silent bkd run is no verdict" {
	begin_with 'type: tcp' 'type: http'
	silence backend0x
	wait_for 5 eval '(($(metric lbr_check_good_total) >= 20))'
	all_are up
	[[ $(counted accepted) == 0 ]]
}

@test "the backend checks itself: what is bad there, and who says so" {
	begin_with 'path: /files/health, heartbeats: alone' 'path: /files/health, heartbeats: beside'
	on backend0x rm /run/nginx/files/health
	wait_for 10 are 'application down' "$X4" "$X6"
	[[ $(why "$X4") == 'heartbeat: status 404' ]]
	wait_for 5 eval '[[ $(why "$X6") == "status 404; heartbeat: status 404" ]]'
	[[ $(heartbeat "$X4") == bad ]]
	fine
	wait_for 5 all_are up
	bkd backend0x down >/dev/null
	wait_for 5 eval '[[ $(why "$X4") == "heartbeat: xdp_bkd is not up there" ]]'
}

@test "another key: silence, told as it is; the right one again: back" {
	begin_with 'type: heartbeat' 'type: http, heartbeats: beside'
	echo "$X4,$X6 $(openssl rand -hex 32)" >"$(keys_of backend0x)"
	wait_for 10 are 'application down' "$X4" "$X6"
	(($(counted wrong-key) > 0))
	lbr show -j heartbeats | jq -e --arg host "$X4" \
		'.heartbeats[] | select(.host == $host) | .why == "wrong key"'
	# a second key of the line is taken, too
	sed -i "s/^$X4.*/& $(cut -d' ' -f2 "$(keys_of backend0x)")/" "$(keys_of "$LB")"
	wait_for 10 all_are up
	chmod 640 "$(keys_of backend0x)"
	run_of backend0x
	wait_for 5 run_said 'others may read or write it \(mode 0640'
}

@test "what was captured and is sent again changes nothing; so too after lbr run or bkd run is restarted" {
	begin_with 'type: heartbeat' 'type: http, heartbeats: beside'
	on client0z "${HEARTBEATS[@]}" hear 12 >"$BATS_TEST_TMPDIR/all"
	grep -i "$(printf '%02x' 172 19 0 3)" "$BATS_TEST_TMPDIR/all" >"$BATS_TEST_TMPDIR/old"
	silence backend0x
	wait_for 10 are 'application down' "$X4" "$X6"
	again() {
		local before after
		before=$(counted replayed)
		on client0z "${HEARTBEATS[@]}" send 172.19.0.6 <"$BATS_TEST_TMPDIR/old"
		on client0z "${HEARTBEATS[@]}" send 172.19.0.6 <"$BATS_TEST_TMPDIR/old"
		wait_for 5 eval '(($(counted replayed) > before))'
	}
	again
	are 'application down' "$X4" "$X6"
	silence "$LB"
	run_begin "$(file_of "$LB")"
	again
	are 'application down' "$X4" "$X6"
	speak backend0x
	wait_for 10 all_are up
	silence backend0x
	again
	wait_for 10 are 'application down' "$X4" "$X6"
	again
	are 'application down' "$X4" "$X6"
}

# said STATE AHEAD: as backend0x would, ten times a second, for 3 s; in the
# background
said() {
	"${HEARTBEATS[@]}" make "$X4" "$KEY" "$VIP4" 80 "$X4" "$1" "$2" 30 |
		on client0z "${HEARTBEATS[@]}" send 172.19.0.6 0.1 3>&- &
	SAYING=$!
}

@test "a wrong clock is told, and is neither a verdict nor believed" {
	begin_with 'type: heartbeat' 'type: http, heartbeats: beside'
	said 2 3600
	wait_for 5 eval '(($(counted wrong-clock) > 0))'
	silence backend0x
	wait_for 10 are 'application down' "$X6" # of which it says nothing
	are up "$X4"                          # though it says `bad`
	[[ $(heartbeat "$X4") == wrong-clock ]]
	lbr show -j heartbeats | jq -e --arg host "$X4" \
		'.heartbeats[] | select(.host == $host) | ."clock-ahead-seconds" > 3590'
	wait "$SAYING"
	wait_for 10 are 'application down' "$X4"
	# with the right clock it is believed
	said 1 0
	wait_for 5 are up "$X4"
	wait "$SAYING"
	said 2 0
	wait_for 5 eval '[[ $(why "$X4") == "heartbeat: said by hand" ]]'
	wait "$SAYING"
}

@test "forged, truncated, foreign, too large, a flood of them: counted, and nothing changes" {
	FALL=60 # a busy machine is no flood
	begin_with 'type: heartbeat' 'type: http, heartbeats: beside'
	local good word one
	good=$("${HEARTBEATS[@]}" make "$X4" "$(openssl rand -hex 32)" "$VIP4" 80 "$X4" 2)
	one=$("${HEARTBEATS[@]}" make 172.19.0.99 "$KEY" "$VIP4" 80 "$X4" 2)
	{
		echo "$good"
		echo "$one"
		echo "${good:0:200}"
		echo "00$good"
		printf '%s%04000d\n' "$good" 0
		echo "${good:0:8}02${good:10}"
	} | on client0z "${HEARTBEATS[@]}" send 172.19.0.6
	for word in wrong-key stranger truncated foreign too-large version; do
		wait_for 5 eval '(($(counted '$word') == 1))'
	done
	# a host may not speak for another
	local y
	y=$(cut -d' ' -f2 "$(keys_of backend0y)")
	"${HEARTBEATS[@]}" make "$Y4" "$y" "$VIP4" 80 "$X4" 2 0.001 |
		on client0z "${HEARTBEATS[@]}" send 172.19.0.6
	for _ in {1..3000}; do echo "$good"; done >"$BATS_TEST_TMPDIR/flood"
	on client0z "${HEARTBEATS[@]}" send 172.19.0.6 <"$BATS_TEST_TMPDIR/flood" 3>&- &
	SAYING=$!
	while kill -0 "$SAYING" 2>/dev/null; do
		within 3000 look /metrics -o /dev/null
	done
	wait "$SAYING"
	(($(counted wrong-key) > 2000))
	are up "$X4" "$X6"
}

@test "over routers: unicast to the load balancer" {
	begin_with 'type: heartbeat' 'type: http, heartbeats: beside' 'heartbeat-to: [172.17.0.2]'
	silence backend0y
	within 6000 are 'application down' "$Y4" "$Y6"
	are up "$X4" "$X6"
}
