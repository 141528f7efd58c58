#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Nobody waits for a human with a lock: whatever a verb prints to, and wherever
# it was stopped, a backend that dies is taken out.

# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # wait_for's eval; `run` and its friends

load lib
load run
load status
bats_require_minimum_version 1.5.0

X=backend0x X4=172.19.0.3
PINS=/sys/fs/bpf/l3dsr/lbr-$LAYOUT

setup() {
	FILE=$BATS_TEST_TMPDIR/services.yaml OTHER=$BATS_TEST_TMPDIR/other.yaml
	services "$FILE" \
		"s/^\( *\)protocol: tcp/&\n\1check: {type: http, interval: 200ms, timeout: 100ms, rise: 1, fall: 2}/"
	sed 's/weight: 1}/weight: 7}/' "$FILE" >"$OTHER"
	lbr apply "$FILE" >/dev/null
}

teardown() {
	local pid
	for pid in "$BATS_TEST_TMPDIR"/verb.*.pid; do
		[[ ! -e $pid ]] || kill -KILL "$(<"$pid")" 2>/dev/null || :
	done
	run_end
	bkd "$X" up >/dev/null
	services "$BATS_TEST_TMPDIR/plain.yaml"
	lbr apply "$BATS_TEST_TMPDIR/plain.yaml" >/dev/null
}

state_is() { # STATE: X's, of its first service by TCP
	[[ $(lbr show -j backends | jq -r --arg address "$X4" \
		'[.backends[] | select(.backend == $address and .protocol == "tcp")][0].state') == "$1" ]]
}

# dies, lives: breaks and restores the path to X's application
dies() {
	bkd "$X" down >/dev/null
}

lives() {
	bkd "$X" up >/dev/null
	wait_for 5 state_is up
}

# full_pipe: makes $PIPE, into which nothing more can be written; nobody reads
# it
full_pipe() {
	PIPE=$BATS_TEST_TMPDIR/pipe
	mkfifo "$PIPE"
	exec {HELD}<>"$PIPE"
	dd if=/dev/zero of="$PIPE" bs=4096 count=4096 oflag=nonblock 2>/dev/null || :
}

# begun NAME OUT VERB...: starts lbr's verb in the background. Only the verb has
# OUT: the shell that starts it prints something when it is killed, and must not
# block.
begun() {
	on "$LB" bash -c 'echo $$ >"$1.new"; mv "$1.new" "$1"
		exec LoadBalancer/lbr "${@:3}" >"$2" 2>&1' \
		- "$BATS_TEST_TMPDIR/verb.$1.pid" "$2" "${@:3}" <&0 >/dev/null 2>&1 3>&- &
	wait_for 5 test -s "$BATS_TEST_TMPDIR/verb.$1.pid"
	PID=$(<"$BATS_TEST_TMPDIR/verb.$1.pid")
}

is_stuck() { # PID: the process sleeps in write(2)
	local number word
	number=$(printf '#include <sys/syscall.h>\nSYS_write\n' | cc -E -P - | tail -n 1)
	read -r word _ <"/proc/$1/syscall" && [[ $word == "$number" ]]
}

is_free() {
	on "$LB" flock -n "$PINS" true
}

@test "a verb whose reader does not read holds up no other verb and no health check" {
	local verb n=0
	run_begin "$FILE"
	wait_for 10 answered
	full_pipe
	for verb in "apply -n $OTHER" "apply $OTHER" "apply $FILE" "up -c $FILE" \
		"drain 172.19.0.4" "undrain 172.19.0.4" "weight 172.19.0.4 3" save \
		show 'show -j' 'show -a reasons' 'show flows' 'show -w' doctor 'trace off' \
		'explain 10.1.1.1:1000 192.168.25.10:80' "check $FILE" "plan $OTHER" \
		'forget path-mtus'; do
		# shellcheck disable=SC2086
		begun "$((n += 1))" "$PIPE" $verb
		wait_for 10 is_stuck "$PID"
		wait_for 4 is_free # lbr run also holds the lock for a moment
	done
	dies
	wait_for 4 state_is down
	lives
	lbr apply "$FILE" >/dev/null # while all of them are stuck
}

@test "a question to explain that is still being typed holds up nothing" {
	run_begin "$FILE"
	wait_for 10 answered
	mkfifo "$BATS_TEST_TMPDIR/questions"
	exec {HELD}<>"$BATS_TEST_TMPDIR/questions"
	begun explain "$BATS_TEST_TMPDIR/answers" explain <"$BATS_TEST_TMPDIR/questions"
	echo "10.1.1.1:1000 192.168.25.10:80" >&"$HELD"
	wait_for 5 grep -q "generation: " "$BATS_TEST_TMPDIR/answers" || { cat "$BATS_TEST_TMPDIR/answers"; false; }
	wait_for 4 is_free
	dies
	wait_for 4 state_is down
	# The answer is about what runs now.
	echo "10.1.1.1:1000 192.168.25.10:80" >&"$HELD"
	wait_for 5 grep -q 'backend: 172.19.0.4' "$BATS_TEST_TMPDIR/answers"
	lives
}

@test "a verb that waits for the lock says for which process, and lbr run waits for nothing" {
	run_begin "$FILE"
	wait_for 10 answered
	on "$LB" bash -c 'echo $$ >"$1"; exec flock -o "$2" sleep 60' \
		- "$BATS_TEST_TMPDIR/verb.holder.pid" "$PINS" 3>&- &
	wait_for 5 test -s "$BATS_TEST_TMPDIR/verb.holder.pid"
	wait_for 5 eval '! is_free'
	local holder
	holder=$(<"$BATS_TEST_TMPDIR/verb.holder.pid")
	dies
	begun waiting "$BATS_TEST_TMPDIR/said" apply "$OTHER"
	wait_for 6 grep -q "^lbr: waiting for 'flock .*' (pid $holder), which holds $PINS" \
		"$BATS_TEST_TMPDIR/said"
	wait_for 6 run_said "^waiting for 'flock .*' \(pid $holder\), which holds $PINS"
	run lbr doctor -c "$FILE"
	[[ $output == *"fail"*"lock"*"(pid $holder) holds $PINS"*"try: ps "* ]]
	# Readers need no lock, and the page is served.
	[[ $(metric lbr_lock_waited_seconds) != 0* ]]
	lbr show >/dev/null
	[[ $(code /metrics) == 200 ]]
	# When the holder is stopped, both say so, and print what helps.
	kill -STOP "$holder"
	wait_for 6 run_said "^waiting for 'flock .*' \(pid $holder, stopped\)"
	wait_for 6 grep -q "^lbr: waiting for 'flock .*' (pid $holder, stopped)" \
		"$BATS_TEST_TMPDIR/said"
	grep -qx "  try: kill -CONT $holder" "$BATS_TEST_TMPDIR/said"
	run_said "^  try: kill -CONT $holder$"
	kill -KILL "$holder"
	wait_for 4 state_is down
	run_said 'is free, after'
	wait_for 6 eval '! kill -0 "$PID" 2>/dev/null'
	lives
}

# full_manager SOCKET: a service manager whose socket is full and that reads nothing
full_manager() {
	on "$LB" /usr/bin/python3 -c 'import os, socket, sys, time
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1])
other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
other.setblocking(False)
try:
    while True:
        other.sendto(b"X=1", sys.argv[1])
except BlockingIOError:
    print(os.getpid(), flush=True)
time.sleep(60)' "$1" >"$BATS_TEST_TMPDIR/verb.manager.pid" 3>&- &
	wait_for 10 test -s "$BATS_TEST_TMPDIR/verb.manager.pid"
}

@test "lbr run waits for no service manager that does not read, and for no pipe" {
	full_manager "$BATS_TEST_TMPDIR/manager"
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/manager run_begin "$FILE"
	wait_for 10 answered
	rm "$FILE"
	mkfifo "$FILE"
	run_signal HUP
	wait_for 5 run_said "^lbr: cannot apply $FILE: it is not a regular file"
	[[ $(code /status) == 200 ]]
	rm "$FILE"
	cp "$OTHER" "$FILE"
	run_signal HUP
	wait_for 5 run_said '~ backend 172.19.0.3 of .* weight 1 -> 7'
	run_signal TERM
	[[ $(run_status) == 0 ]]
}

# victim: $VICTIM is the pid of a process on X
victim() {
	on "$X" bash -c 'echo $$ >"$1"; exec sleep 3600' \
		- "$BATS_TEST_TMPDIR/verb.backend.pid" 3>&- &
	wait_for 5 test -s "$BATS_TEST_TMPDIR/verb.backend.pid"
	VICTIM=$(<"$BATS_TEST_TMPDIR/verb.backend.pid")
}

# stopped ROLE HOST FILE OTHER: stops each verb LOCKS_ROUNDS times; by default
# once, and only a few verbs. Prints at once what each stop took.
stopped() {
	victim
	on "$2" "${PYTHON[@]}" tests/net/locks_stop.py "$1" "${LOCKS_ROUNDS:-1}" "${@:3}" \
		"$VICTIM" |
		sed -u 's/^/# /' | tee >(cat >&3)
	((PIPESTATUS[0] == 0))
}

@test "lbr: a verb that was stopped anywhere is named; when it goes on, no health check is late" {
	stopped lbr "$LB" "$FILE" "$OTHER"
}

# One service for each time that a VIP is lost: a VIP lost twice in a minute is
# left alone.
many_vips() { # FIRST-PORT
	local i
	echo services:
	for i in {1..120}; do
		echo "  - {vip: 10.99.0.$i, port: $(($1 + i)), protocol: tcp, backends: [{address: $X4}]}"
	done
}

@test "bkd: a verb that was stopped anywhere is named; when it goes on, no VIP is missing" {
	many_vips 1000 >"$FILE"
	many_vips 3000 >"$OTHER"
	bkd "$X" up -m generic -c "$FILE" >/dev/null
	stopped bkd "$X" "$FILE" "$OTHER"
	bkd "$X" up -m generic >/dev/null
}

@test "^Z and ^S hold up no other terminal and no health check; after fg, the verb ends well" {
	command -v less >/dev/null || skip 'no less'
	{
		cat "$FILE"
		for i in {1..500}; do
			echo "  - {vip: 10.98.$((i / 250)).$((i % 250)), port: $i, protocol: udp," \
				"backends: [{address: $X4}, {address: 172.19.0.4}]}"
		done
	} >"$OTHER"
	victim
	on "$LB" "${PYTHON[@]}" tests/net/locks_terminal.py "$FILE" "$OTHER" "$VICTIM"
}

@test "output that stdout refuses is an error of every verb, with its cause" {
	local verb
	for verb in "apply -n $OTHER" "apply $OTHER" "apply $FILE" "up -c $FILE" "weight 172.19.0.4 3" \
		save show 'show -j' doctor 'trace off' "check $FILE" --help 'up --help' --version \
		'explain 10.1.1.1:1000 192.168.25.10:80' "plan $OTHER" 'forget path-mtus'; do
		# shellcheck disable=SC2086
		run -1 on "$LB" bash -c '"$@" >/dev/full' - LoadBalancer/lbr $verb
		[[ $output == *'lbr: cannot write to standard output: No space left on device' ]]
	done
	run -1 on "$LB" bash -c 'LoadBalancer/lbr save >&-'
	[[ $output == 'lbr: cannot write to standard output: Bad file descriptor' ]]
	# The change was made nevertheless.
	[[ $(lbr show -j backends | jq '[.backends[] | select(.backend == "172.19.0.4")][0].weight') == 3 ]]
	# A reader that has read enough and closes the pipe is no error.
	run on "$LB" bash -c 'LoadBalancer/lbr show -a | head -n 1'
	[[ ${#lines[@]} == 1 ]]
}

@test "apply names the check that it changes, and the sources of a backend" {
	sed -i 's/fall: 2/fall: 5/' "$FILE"
	run -0 lbr apply "$FILE"
	[[ $output == *'~ check of 192.168.25.10:80/tcp {'*'} -> {'*'fall: 5'* ]]
	[[ $output != *'nothing that packets meet'* ]]
	run -0 lbr apply "$FILE"
	[[ $output == *'nothing that packets meet changes' ]]
	services "$OTHER"
	echo 'lb-sources: [172.17.0.0/16]' >>"$OTHER"
	run -0 bkd "$X" apply "$OTHER"
	[[ $output == *'+ lb-source 172.17.0.0/16'* && $output != *nothing* ]]
	services "$OTHER"
	run -0 bkd "$X" apply "$OTHER"
	[[ $output == *'- lb-source 172.17.0.0/16'* ]]
}

@test "what cannot be read is not taken for something that is not there" {
	local verb limit
	# With so few descriptors, not all pins can be opened.
	for verb in down show 'show -j' "apply $OTHER" "up -c $OTHER"; do
		for limit in 4 5 6 12; do
			# shellcheck disable=SC2016,SC2086
			run on "$LB" bash -c 'exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; ulimit -n "$1"; shift; exec "$@"' - "$limit" LoadBalancer/lbr $verb
			echo "$verb, $limit: $status: $output"
			[[ $status == 1 && $output == *'Too many open files'* && $output != *none* ]]
		done
	done
	on "$LB" mount -o remount,ro /sys/fs/bpf
	for verb in down show save "apply $OTHER" "up -c $OTHER"; do
		# shellcheck disable=SC2086
		run on "$LB" LoadBalancer/lbr $verb
		echo "$verb: $status: $output"
		[[ $status == 1 && $output == *'Read-only file system'* && $output != *none* ]] ||
			break
	done
	on "$LB" mount -o remount,rw /sys/fs/bpf
	[[ $status == 1 && $output == *'Read-only file system'* ]]
	# Everything is as it was.
	lbr show -j interfaces | jq -e '.interfaces | length == 1'
	[[ $(on "$LB" sysctl -n net.ipv4.conf.eth0.send_redirects) == 0 ]]
	get "$VIP4" >/dev/null
}
