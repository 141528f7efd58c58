# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.bash - `lbr run` on the LB, in the background, at most one at a time

# run_begin FILE [WRAPPER...]: until it is ready
run_begin() {
	local out=$BATS_TEST_TMPDIR/run.out
	rm -f "$BATS_TEST_TMPDIR"/run.*
	(
		status=0
		# shellcheck disable=SC2016
		on "$LB" bash -c 'echo $$ >"$1.pid"; exec "${@:3}" LoadBalancer/lbr run -c "$2"' \
			- "$BATS_TEST_TMPDIR/run" "$@" || status=$?
		echo "$status" >"$BATS_TEST_TMPDIR/run.status"
	) >"$out" 2>&1 3>&- &
	wait_for 10 run_said '^running;'
}

# run_said REGEX
run_said() {
	grep -qE -- "$1" "$BATS_TEST_TMPDIR/run.out"
}

run_signal() {
	kill "-$1" "$(<"$BATS_TEST_TMPDIR/run.pid")"
}

# run_status: how it ended
run_status() {
	wait_for 10 test -s "$BATS_TEST_TMPDIR/run.status"
	cat "$BATS_TEST_TMPDIR/run.status"
}

# for teardown; what it said, for who looks into a failure
run_end() {
	[[ -e $BATS_TEST_TMPDIR/run.pid ]] || return 0
	[[ -s $BATS_TEST_TMPDIR/run.status ]] || run_signal TERM
	run_status >/dev/null
	cat "$BATS_TEST_TMPDIR/run.out"
	rm -f "$BATS_TEST_TMPDIR/run.pid"
}
