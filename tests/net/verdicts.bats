#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What a verdict does to connections: a server that answers its check badly
# keeps those it has; one that cannot be reached loses them. FLOWS connections
# are held open and ask again and again meanwhile.

# shellcheck disable=SC2016,SC2034,SC2154 # wait_for's eval; for flows.bash; bats' own

load lib
load run
load status
load flows
bats_require_minimum_version 1.5.0

FLOWS=40 X4=172.19.0.3 Y4=172.19.0.4

setup_file() {
	network
	attach generic
}

# One service, whose check asks for a file that tests can remove.
setup() {
	FILE=$BATS_TEST_TMPDIR/services.yaml
	cat >"$FILE" <<-EOF
		services:
		  - vip: $VIP4
		    port: 80
		    check: {type: http, path: /files/health, $OFTEN}
		    backends: [{address: $X4}, {address: $Y4}]
	EOF
	fine "${BACKENDS[@]}"
	lbr up -m generic -c "$FILE" --drop-flows >/dev/null
}

teardown() {
	run_end
	flows_end
	fine "${BACKENDS[@]}"
	on backend0x nft delete table inet refusing 2>/dev/null || :
	bkd backend0x up -m generic >/dev/null
}

fine() { # HOST...
	local host
	for host in "$@"; do on "$host" touch /run/nginx/files/health; done
}

bad() { # HOST...
	local host
	for host in "$@"; do on "$host" rm /run/nginx/files/health; done
}

# is ADDRESS FIELD WORD: in the output of `show backends`
is() {
	[[ $(lbr show -j backends | jq -r --arg address "$1" --arg field "$2" \
		'.backends[] | select(.backend == $address and .state != "removing")[$field]') == "$3" ]]
}

# service FIELD WORD
service() {
	[[ $(lbr show -j services | jq -r --arg field "$1" '.services[0][$field]') == "$2" ]]
}

held() { # starts the flows, and `lbr run`, which finds that both backends are up
	run_begin "$FILE"
	wait_for 10 answered
	begin
	advanced "$FLOWS"
}

forgetting() {
	# and the generation before is not asked where a flow was
	sed -i -e '1i handshake-grace: 0s' -e '/check:/i\    flows: second-chance' "$FILE"
	# up, not apply: after apply, flows would be remembered as before
	lbr down >/dev/null
	lbr up -m generic -c "$FILE" >/dev/null
}

@test "a server answers its check badly: no connection breaks, new ones go elsewhere" {
	held
	bad backend0x
	wait_for 5 is "$X4" state down
	is "$X4" health 'application down'
	is "$X4" accepts 'its own'
	is "$X4" why 'status 404'
	service state degraded
	service why "1 of 2 down; $X4: status 404"
	[[ $(answers "$VIP4" 20) == 'backend0y 20' ]]
	advanced "$FLOWS"
	fine backend0x
	wait_for 5 is "$X4" state up
	service state up
	advanced "$FLOWS"
	unbroken
	run_said "~ backend $X4 of $VIP4:80/tcp up -> down, keeps its flows"
	run_said "~ service $VIP4:80/tcp up -> degraded"
}

@test "on-down: move: the connections of that server break" {
	sed -i '/check:/i\    on-down: move' "$FILE"
	lbr apply "$FILE" >/dev/null
	held
	bad backend0x
	wait_for 5 is "$X4" accepts none
	run_said "~ backend $X4 of $VIP4:80/tcp up -> down, its flows move"
	tell advance
	some_broken
}

@test "a server refuses new connections: no connection breaks" {
	held
	on backend0x nft 'add table inet refusing
		add chain inet refusing input { type filter hook input priority 0; }
		add rule inet refusing input tcp dport 80 tcp flags & (syn | ack) == syn reject with tcp reset'
	wait_for 5 is "$X4" state down
	is "$X4" why 'Connection refused'
	[[ $(answers "$VIP4" 20) == 'backend0y 20' ]]
	advanced "$FLOWS"
	unbroken
}

@test "all servers answer badly at once: no connection breaks, new ones are served; so too after lbr run is restarted" {
	held
	bad backend0x
	bad backend0y
	wait_for 5 is "$X4" state 'last resort'
	wait_for 5 is "$Y4" state 'last resort'
	service state down
	service why "2 of 2 down; $X4: status 404"
	advanced "$FLOWS"
	answers "$VIP4" 40 | shared 40 5 35
	run_end
	is "$X4" why 'status 404; when `lbr run` ended'
	run_begin "$FILE"
	wait_for 5 eval '(($(metric lbr_check_bad_total) >= 8))'
	is "$X4" state 'last resort'
	is "$Y4" state 'last resort'
	advanced "$FLOWS"
	fine backend0x
	wait_for 5 is "$X4" state up
	is "$Y4" state down
	service state degraded
	advanced "$FLOWS"
	unbroken
}

@test "the path is dead: its connections move within interval x fall; of the others none breaks" {
	held
	bkd backend0x down >/dev/null
	within 4000 is "$X4" accepts none # 0.8 s, and the time that a busy machine takes
	is "$X4" health 'path down'
	is "$X4" why 'sent to the backend; no answer from the VIP'
	# The other server has none of these connections, so one that moved is
	# noticed.
	wait_for 5 eval '! advanced "$FLOWS"'
	[[ $(answers "$VIP4" 20) == 'backend0y 20' ]]
	bkd backend0x up -m generic >/dev/null
}

# Only what a health check makes necessary is remembered.
@test "flows: second-chance: a server answers its check badly, and is back: no connection breaks" {
	forgetting
	held
	[[ $(lbr show -j flows | jq '.flows | length') == 0 ]]
	bad backend0x
	wait_for 5 is "$X4" state down
	is "$X4" accepts 'its own'
	[[ $(answers "$VIP4" 20) == 'backend0y 20' ]]
	advanced "$FLOWS"
	unbroken
	# These connections begin at deputies, and stay there.
	begin
	advanced "$FLOWS"
	fine backend0x
	wait_for 5 is "$X4" state up
	advanced "$FLOWS"
	answers "$VIP4" 40 | shared 40 5 35
	unbroken
}

@test "flows: second-chance: the path is dead, and is back: flows elsewhere do not break" {
	forgetting
	held
	bkd backend0x down >/dev/null
	wait_for 5 is "$X4" accepts none
	is "$X4" health 'path down'
	tell advance
	[[ $(answers "$VIP4" 20) == 'backend0y 20' ]]
	some_broken
	((broken < FLOWS))
	run ! grep -v ', backend0x, ' "$BATS_TEST_TMPDIR/broken"
	begin
	advanced "$FLOWS"
	bkd backend0x up -m generic >/dev/null
	wait_for 5 is "$X4" state up
	advanced "$FLOWS"
	answers "$VIP4" 40 | shared 40 5 35
	unbroken
}

@test "lbr run is restarted: fall holds, except for a backend of which nothing is known" {
	sed -i 's/fall: 2/fall: 100/' "$FILE"
	lbr apply "$FILE" >/dev/null
	run_begin "$FILE"
	wait_for 10 answered
	run_end
	bad backend0x
	run_begin "$FILE"
	wait_for 5 eval '(($(metric lbr_check_bad_total) >= 3))'
	is "$X4" state up
	is "$X4" health up
	# This service is new, so its first check decides; and xdp_bkd does not
	# restore its packets.
	sed -i 's/port: 80/port: 81/' "$FILE"
	run_signal HUP
	wait_for 5 is "$X4" health 'path down'
}

@test "lbr run is stopped for a while, again and again: no backend is blamed for that" {
	local pid i good
	sed -i 's/fall: 2/fall: 1/' "$FILE"
	lbr apply "$FILE" >/dev/null
	run_begin "$FILE"
	wait_for 10 answered
	pid=$(<"$RUN.pid")
	for i in {1..8}; do
		kill -STOP "$pid"
		read -rt "0.3$i" <> <(:) || : # longer than an answer may take
		kill -CONT "$pid"
		read -rt "0.0$i" <> <(:) || :
	done
	good=$(metric lbr_check_good_total)
	wait_for 5 eval '(($(metric lbr_check_good_total) > good + 4))'
	[[ $(metric lbr_check_bad_total) == 0 ]]
	run ! run_said 'is down'
}

@test "the last backend is drained: drain warns, and doctor says so and how it is undone" {
	local undo
	lbr drain "$X4"
	run --separate-stderr lbr drain -s "$VIP4:80" "$Y4"
	((status == 0))
	[[ $stderr == *"all new connections to $VIP4:80/tcp are dropped now"*"try: lbr undrain $Y4 -s $VIP4:80"* ]]
	[[ $output == *"~ service $VIP4:80/tcp up -> drained"* ]]
	service state drained
	rises no_backend on "$CLIENT" curl -s --max-time 0.3 "http://$VIP4/"
	run -3 lbr doctor -j -c "$FILE"
	undo=$(jq -r '.examinations[] | select(.examination == "services" and .result == "fail").try' <<<"$output")
	[[ $undo == "lbr undrain $X4 -s $VIP4:80/tcp" ]]
	on "$LB" env PATH="$ROOT/LoadBalancer:$PATH" bash -c "$undo"
	service state up
	get "$VIP4" >/dev/null
}

@test "all servers are down: show, doctor and metrics say so, and why" {
	local command
	run_begin "$FILE"
	wait_for 10 answered
	bad backend0x
	bad backend0y
	wait_for 5 service state down
	wait_for 5 eval '[[ $(metric lbr_service_up) == 0 && $(metric lbr_backend_up) == 0 ]]'
	[[ $(metric lbr_backend_new_flows) == 2 ]]
	look /status | jq -e '.services[0].state == "down" and (.backends | all(.state == "last resort"))'
	run -3 lbr doctor -j -c "$FILE"
	[[ $(jq -r '.examinations[] | select(.examination == "services").report' <<<"$output") == \
		"$VIP4:80/tcp is down: 2 of 2 down; $X4: status 404" ]]
	[[ $(jq -r '.examinations[] | select(.examination == "answers").report' <<<"$output") == \
		"$X4 is last resort, for $VIP4:80/tcp: status 404; there:"* ]]
	command=$(jq -r '[.examinations[] | select(.examination == "answers").try][0]' <<<"$output")
	[[ $(on backend0x bash -c "$command") == *' 404 '* ]]
	run lbr show
	[[ $output == *'last resort'*'status 404'* ]]
	fine backend0x
	wait_for 5 service state degraded
	wait_for 5 eval '[[ $(metric lbr_service_up) == 1 ]]'
	fine backend0y
	wait_for 5 service state up
	lbr doctor -j -c "$FILE" | jq -e '[.examinations[] | select(.examination == "services" or .examination == "answers").result] | unique == ["ok"]'
}
