# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.bash - `lbr run` on the LB or `bkd run` on a backend, in the background,
# at most one on a host

# A network where both programs are up; a file that needs another has its own.
setup_file() {
	network
	attach generic
	get "$VIP4" >/dev/null
}

teardown_file() {
	network_down
}

# run_of HOST: the functions below are about this host's tool; the LB's by
# default
run_of() {
	RUN_HOST=$1 RUN_TOOL=Backend/bkd
	[[ $1 != "$LB" ]] || RUN_TOOL=LoadBalancer/lbr
	RUN=$BATS_TEST_TMPDIR/run.$1
}

# run_begin FILE [WRAPPER...]: starts it, and waits until it is ready;
# RUN_OPTIONS are its options
run_begin() {
	[[ ${RUN_HOST-} ]] || run_of "$LB"
	local out=$RUN.out
	rm -f "$RUN".*
	(
		status=0
		# shellcheck disable=SC2016
		on "$RUN_HOST" bash -c 'echo $$ >"$1.pid"; exec "${@:5}" "$2" run -c "$4" $3' \
			- "$RUN" "$RUN_TOOL" "${RUN_OPTIONS-}" "$@" || status=$?
		echo "$status" >"$RUN.status"
	) >"$out" 2>&1 3>&- &
	wait_for 60 run_said '^running;' # the limit is for valgrind in an emulator
}

# run_said REGEX
run_said() {
	grep -qE -- "$1" "$RUN.out"
}

run_signal() {
	kill "-$1" "$(<"$RUN.pid")"
}

# run_status: its exit status
run_status() {
	wait_for 10 test -s "$RUN.status"
	cat "$RUN.status"
}

run_memory() { # kB of its own
	awk '/RssAnon/ { print $2 }' "/proc/$(<"$RUN.pid")/status"
}

# run_end: for teardown; prints what each has said, for whoever looks into a
# failure
run_end() {
	local pid host
	for pid in "$BATS_TEST_TMPDIR"/run.*.pid; do
		[[ -e $pid ]] || continue
		host=${pid##*/run.}
		run_of "${host%.pid}"
		[[ -s $RUN.status ]] || run_signal TERM
		run_status >/dev/null
		cat "$RUN.out"
		rm -f "$pid"
	done
}

# followed CMD...: so soon that an event must be the reason; without one, `run`
# looks every 5 s
followed() {
	within 4000 "$@"
}
