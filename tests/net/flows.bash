# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# flows.bash - connections that ask a web server again and again, and notice
# what goes wrong: topology/fleet/talk.py

# talk VIP HELD PAUSE [RATE]: from now on
talk() {
	coproc flows {
		on "$CLIENT" prlimit --nofile=20000 /usr/bin/python3 \
			topology/fleet/talk.py "$@" 2>"$BATS_TEST_TMPDIR/broken" 3>&-
	}
}

# begin: the test's FLOWS, which ask as soon as they are answered
begin() {
	# shellcheck disable=SC2153
	talk "$VIP4" "$FLOWS" 0
}

# tell WORD: what they answer, within TALK_LIMIT seconds of a quiet machine
tell() {
	local said
	echo "$1" >&"${flows[1]}"
	read -rt $((${TALK_LIMIT:-40} * ${PATIENCE:-3})) said <&"${flows[0]}"
	echo "$said"
}

# advanced COUNT: so many are there, and have had another answer
advanced() {
	[[ $(tell advance) == "$1 advanced" ]]
}

# finish: they end; $broken of them were broken, $said is what they say
finish() {
	said=$(tell finish)
	echo "$said"
	cat "$BATS_TEST_TMPDIR/broken"
	[[ $said =~ \ ([0-9]+)\ broken ]]
	broken=${BASH_REMATCH[1]}
}

# unbroken: they end, and none was broken
unbroken() {
	finish && ((broken == 0))
}

# some_broken: they end, and some were
some_broken() {
	finish && ((broken > 0))
}

# flows_end: for teardown
flows_end() {
	[[ ! ${flows_PID-} ]] || kill "$flows_PID" 2>/dev/null || :
}
