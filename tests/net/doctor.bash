# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# doctor.bash - what the tests of doctor say besides
#
# What a check prints under `try:` is run as it is, by a shell on that host.

# shellcheck disable=SC2034,SC2154 # `run` and its friends

load lib

TOOLS=$ROOT/LoadBalancer:$ROOT/Backend:$PATH

# tool HOST VERB...: runs lbr if HOST is the load balancer, else bkd
tool() {
	if [[ $1 == "$LB" ]]; then lbr "${@:2}"; else bkd "$@"; fi
}

# shellcheck disable=SC2016 # the back-quotes are what is printed
# checks TOOL: their names, out of its manual
checks() {
	env PATH="$TOOLS" "$1" doctor --help | sed -nE 's/^\| `([a-z-]+)`.*/\1/p'
}

# file HOST SED-EXPR...: changes HOST's file with sed; '' restores the
# scenario's file
file() {
	local path=/etc/l3dsr/services.yaml
	services "$BATS_TEST_TMPDIR/$1.yaml" "${@:2}"
	on "$1" rm -f "$path"
	on "$1" cp "$BATS_TEST_TMPDIR/$1.yaml" "$path"
}

# healthy HOST: doctor exits with 0, and nothing failed or is to be warned of
healthy() {
	run -0 tool "$1" doctor -j
	jq -e '.warn == 0 and .fail == 0 and .skipped == 0' <<<"$output" \
		>/dev/null || {
		jq -c '.examinations[] | select(.result != "ok")' <<<"$output"
		return 1
	}
}

# serves: requests are answered
serves() {
	answers "$VIP4" 10 --fail-early >/dev/null
}

# broken [VIP]: requests are not answered
broken() {
	! get "${1-$VIP4}" --max-time 1 >/dev/null 2>&1
}

# ill HOST EXAMINATION RESULT: this is the first of doctor's reports that is
# neither ok nor unknown; $mend: the commands that it prints
ill() {
	local status=0
	[[ $3 == fail ]] && status=3
	run "-$status" tool "$1" doctor -j
	jq -c '.examinations[] | select(.result != "ok")' <<<"$output"
	[[ $(jq -r '[.examinations[] | select(.result != "ok" and .result != "unknown")][0] |
		"\(.examination) \(.result)"' <<<"$output") == "$2 $3" ]]
	read -ra mend < <(commands "$2")
}

# commands EXAMINATION: those in $output, one per line
commands() {
	jq -r --arg check "$1" '.examinations[] |
		select(.examination == $check and .result != "ok").try' <<<"$output"
}

# heal HOST EXAMINATION...: runs the commands of each in turn; afterwards doctor
# finds nothing
heal() {
	local check command
	for check in "${@:2}"; do
		run tool "$1" doctor -j
		while read -r command; do
			[[ $command ]]
			echo "on $1: $command"
			on "$1" env PATH="$TOOLS" bash -c "$command" </dev/null
		done < <(commands "$check")
	done
	healthy "$1"
	wait_for 5 serves
}

# talks CMD...: runs CMD while the client sends a datagram to the VIP every 10
# ms
talks() {
	local pid=$BATS_TEST_TMPDIR/talks status=0
	rm -f "$pid"
	on "$CLIENT" /usr/bin/python3 - "$pid" 3>&- <<-EOF &
		import os, socket, sys, time
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		print(os.getpid(), file=open(sys.argv[1] + ".new", "w"))
		os.rename(sys.argv[1] + ".new", sys.argv[1])
		for _ in range(3000):
		    s.sendto(b"x", ("$VIP4", 7777))
		    time.sleep(0.01)
	EOF
	wait_for 5 test -e "$pid"
	"$@" || status=$?
	kill "$(<"$pid")"
	return $status
}
