# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# flows.bash - connections that ask a web server again and again, and notice
# what goes wrong: topology/fleet/talk.py

# talk VIP HELD PAUSE [RATE]: starts the connections
talk() {
	coproc flows {
		on "$CLIENT" prlimit --nofile=20000 /usr/bin/python3 \
			topology/fleet/talk.py "$@" 2>"$BATS_TEST_TMPDIR/broken" 3>&-
	}
}

# client_ports FIRST COUNT: the client's connections get these ports. A backend that
# the client has reset does not know of it, and keeps its socket until
# keepalive_timeout, longer than the next test: so that one has ports of its own.
client_ports() {
	on "$CLIENT" sysctl -qw "net.ipv4.ip_local_port_range=$1 $(($1 + $2 - 1))"
}

# begin: starts the test's FLOWS, each of which asks again as soon as it is
# answered
begin() {
	# shellcheck disable=SC2153
	talk "$VIP4" "$FLOWS" 0
}

# tell WORD: sends it to the connections and prints their answer, which takes at
# most TALK_LIMIT seconds on a quiet machine
tell() {
	local said
	echo "$1" >&"${flows[1]}"
	read -rt $((${TALK_LIMIT:-40} * ${PATIENCE:-3})) said <&"${flows[0]}"
	echo "$said"
}

# advanced COUNT: waits until each held connection has had another answer; there
# are COUNT
advanced() {
	[[ $(tell advance) == "$1 advanced" ]]
}

# finish: ends the connections; sets $broken to how many broke, $said to their
# report
finish() {
	said=$(tell finish)
	echo "$said"
	cat "$BATS_TEST_TMPDIR/broken"
	[[ $said =~ \ ([0-9]+)\ broken ]]
	broken=${BASH_REMATCH[1]}
}

# unbroken: ends the connections; none was broken
unbroken() {
	finish && ((broken == 0))
}

# some_broken: ends the connections; some were broken
some_broken() {
	finish && ((broken > 0))
}

# flows_end: for teardown
flows_end() {
	[[ ! ${flows_PID-} ]] || kill "$flows_PID" 2>/dev/null || :
}
