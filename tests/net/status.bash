# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# status.bash - who looks at what `run` serves (see run.bash)

# shellcheck disable=SC2034,SC2154 # for the tests; bats' own

PATH=$PATH:$ROOT/build/prometheus/usr/bin

# page: the address of the page, on its host
page() {
	[[ $RUN_TOOL == */lbr ]] && echo http://127.0.0.1:8404 || echo http://127.0.0.1:8405
}

look() { # PATH [curl's options]
	on "$RUN_HOST" curl -sS --max-time 20 "${@:2}" "$(page)$1"
}

# answered: each backend has passed its checks; from now on a late answer takes
# none of them out (a bad first one would)
answered() {
	look /status | jq -e '.checks | length > 0 and
		all(.path == "good" and .application == "good")' >/dev/null
}

# metric NAME [LABELS-REGEX]: its value, or the sum of its values
metric() {
	look /metrics | grep -E "^$1(\{.*${2-}.*\})? " | awk '{ n += $NF } END { print n }'
}

# documented TOOL NAME...: stdin is JSON whose keys and types are those of the
# tool's manual below NAME, or below [NAME] for an array of objects
documented() {
	"$BATS_TEST_DIRNAME/documented.py" "$ROOT/build/man/$1.8" "${@:2}" \
		>>"$BATS_TEST_TMPDIR/seen"
}

# unmet TOOL: subsections of the manual whose objects the test has not seen
unmet() {
	comm -13 <(sort -u "$BATS_TEST_TMPDIR/seen") <(sed -n '/^\.Sh JSON/,/^\.Sh EX/s/^\.Ss //p' \
		"$ROOT/build/man/$1.8" | sort)
}

# code PATH [curl's options]
code() {
	look "$1" -o /dev/null -w '%{http_code}' "${@:2}"
}

# linted NAME: promtool accepts the metrics, and complains if the counter NAME is
# renamed
linted() {
	local metrics=$BATS_TEST_TMPDIR/metrics
	command -v promtool >/dev/null || skip 'no promtool'
	look /metrics >"$metrics"
	run -0 promtool check metrics <"$metrics"
	[[ ! $output ]]
	sed "s/$1/${1%_total}/" "$metrics" >"$metrics.bad"
	run promtool check metrics <"$metrics.bad"
	((status != 0))
}

# slow_clients COUNT: connects so many clients, each of which never ends its
# request; waits until all are connected. $SLOW holds them until they are thrown
# out.
slow_clients() {
	local out=$BATS_TEST_TMPDIR/slow
	on "$RUN_HOST" /usr/bin/python3 - "$1" "$(page)" >"$out" 2>&1 3>&- <<-'EOF' &
		import resource, socket, sys

		count, port = int(sys.argv[1]), int(sys.argv[2].rpartition(":")[2])
		resource.setrlimit(resource.RLIMIT_NOFILE, (count + 2000, count + 2000))
		held = []
		for i in range(count):
		    s = socket.create_connection(("127.0.0.1", port), 5)
		    s.sendall(b"GET /status HTTP/1.1\r\nX: " + b"x" * 3000)
		    held.append(s)
		print("held", flush=True)
		sys.stdin = open("/dev/null")
		# Go on until the test has seen enough; wait for the last ones.
		for s in held[-64:]:
		    s.settimeout(30)
		    try:
		        s.recv(1)
		    except OSError:
		        pass
	EOF
	SLOW=$!
	wait_for 20 grep -q held "$out"
}

# `run_begin FILE "${VALGRIND[@]}"`: it exits with 9 if it leaks
# shellcheck disable=SC2054 # valgrind's
VALGRIND=(valgrind -q --suppressions="$BATS_TEST_DIRNAME/valgrind.supp"
	--leak-check=full --show-leak-kinds=definite,indirect
	--errors-for-leak-kinds=definite,indirect --error-exitcode=9 --fair-sched=yes)

# browse REGEX COUNT: the page in Chromium has so many matches
browse() {
	on "$RUN_HOST" timeout 60 chromium --headless --no-sandbox --disable-gpu \
		--user-data-dir="$BATS_TEST_TMPDIR/chromium" --virtual-time-budget=5000 \
		--dump-dom "$(page)/" >"$BATS_TEST_TMPDIR/page" 2>/dev/null
	[[ $(grep -oE "$1" "$BATS_TEST_TMPDIR/page" | wc -l) == "$2" ]]
}
