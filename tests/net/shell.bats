#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# topo shell: a shell on a host, as a person at a terminal meets it.

# shellcheck disable=SC2016 # what is typed, the shell there shall expand
# shellcheck disable=SC2154 # `run`

load lib
bats_require_minimum_version 1.5.0

setup_file() {
	network
}

teardown_file() {
	network_down
}

# typed HOST LINE...: types each line at a terminal once a prompt is there;
# prints the screen, and returns the exit status
typed() {
	TERM=dumb /usr/bin/python3 - "$TOPO" shell "$@" 3>&- <<-'EOF'
		import os, pty, signal, sys

		signal.alarm(30)
		child, terminal = pty.fork()
		if child == 0:
		    os.execv(sys.argv[1], sys.argv[1:4])
		screen, lines = b"", sys.argv[4:]
		try:
		    while chunk := os.read(terminal, 4096):
		        screen += chunk
		        if screen.endswith(b"# ") and lines:
		            os.write(terminal, lines.pop(0).encode() + b"\n")
		except OSError:  # the other end of the terminal is closed
		    pass
		print(screen.replace(b"\r", b"").decode())
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
	EOF
}

@test "the prompt names the host, the shell is on it, in the repository" {
	run -0 typed "$LB" 'echo "[$(hostname)] [$PWD] [$(cat /sys/class/net/eth0/address)]"' exit
	echo "$output"
	[[ ${lines[0]} == "$LB:"*"/${ROOT##*/}# "* ]]
	[[ $output == *$'\n'"[$LB] [$ROOT] [02:42:ac:11:00:02]"* ]]
	# negative control: another host has another prompt
	run -0 typed "$CLIENT" 'echo "[$(hostname)]"' exit
	[[ $output == *"$CLIENT:"* && $output != *"$LB"* ]]
}

@test "lbr and bkd are in its PATH" {
	run -0 typed "$LB" 'lbr --version && bkd --version' exit
	[[ $output == *$'\n'"lbr 0."* && $output == *$'\n'"bkd 0."* ]]
	run -127 typed "$LB" 'lbrx --version' exit
}

@test "its exit status is the shell's" {
	run -7 typed "$LB" 'exit 7'
	run -0 typed "$LB" 'exit 0'
}

@test "without a terminal it runs the commands on stdin" {
	run -0 "$TOPO" shell "$LB" <<<'hostname'
	[[ $output == "$LB" ]]
}

@test "no such host, no host, one word too many: status 2, and a hint" {
	local words
	for words in nowhere '' "$LB hostname" ../wires; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr "$TOPO" shell $words
		[[ ! $output && ${stderr_lines[0]} == "topo: cannot "* ]]
		[[ ${stderr_lines[1]} == "  try: topology/topo "* ]]
	done
}

@test "nothing is up: status 1" {
	TOPO_RUN=none-$RANDOM run -1 "$TOPO" shell "$LB"
	[[ $output == *"no scenario is up"*"try: topology/topo up" ]]
}
