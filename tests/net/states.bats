#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Whatever the state of a connection, where second chance passes its packets on it
# goes on as at a backend that gets them at once: half closed, closed, reset, opened
# fast, of one of several listeners. The control: the same where nothing is passed
# on.

bats_require_minimum_version 1.5.0
load lib

setup_file() {
	local host i
	network
	for i in all eth1; do
		on "$ROUTER" sysctl -qw "net.ipv4.conf.$i.send_redirects=0"
	done
	for host in "$CLIENT" "${BACKENDS[@]}"; do
		# also without a cookie: that of one backend means nothing to another
		on "$host" sysctl -qw net.ipv4.tcp_fastopen=0x207
	done
	for host in "${BACKENDS[@]}"; do listens "$host"; done
	file alone '' x
	file moved ', state: draining' 'x, state: filling'
}

teardown_file() {
	network_down
}

# file NAME KEYS-OF-X KEYS-OF-Y: one backend, or two; of a port without a listener,
# too
file() {
	local vip port
	{
		echo "services:"
		for vip in "$VIP4=172.19.0." "$VIP6=2001:db8:19::"; do
			for port in 8088 8089; do
				echo "- {vip: '${vip%=*}', port: $port, flows: second-chance, backends: ["
				echo "    {address: '${vip#*=}3'$2},"
				[[ $3 == x ]] || echo "    {address: '${vip#*=}4'${3#x}}"
				echo "  ]}"
			done
		done
	} >"$BATS_FILE_TMPDIR/$1"
}

# listens HOST: the server's log is /run/states there
listens() {
	on "$1" "${PYTHON[@]}" tests/net/states.py serve /run/states >/dev/null 3>&- &
	wait_for 10 eval "on $1 ss -Hltn sport = :8088 | grep -q ."
}

# outcomes [FILE]: prints what becomes of connections that are in each state when all
# hosts get that file
outcomes() {
	local alone=$BATS_FILE_TMPDIR/alone said=$BATS_TEST_TMPDIR/said
	bkd backend0x up -m generic -c "$alone" >/dev/null
	bkd backend0y down >/dev/null
	lbr down >/dev/null
	lbr up -m generic -c "$alone" >/dev/null
	coproc talk {
		on "$CLIENT" "${PYTHON[@]}" tests/net/states.py ask "$VIP4" "$VIP6" \
			>"$said" 3>&-
	}
	wait_for 20 grep -q '^ready' "$said"
	[[ ! ${1-} ]] || {
		bkd backend0y up -m generic -c "$1" >/dev/null
		bkd backend0x apply "$1" >/dev/null
		# with nothing remembered
		lbr down >/dev/null
		lbr up -m generic -c "$1" >/dev/null
	}
	echo go >&"${talk[1]}"
	wait_for 20 grep -q '^end' "$said"
	cat "$said"
}

# logged COUNT: the servers have said so much
logged() {
	(($(logs | wc -l) == $1))
}

logs() {
	local host
	for host in "${BACKENDS[@]}"; do on "$host" cat /run/states 2>/dev/null || :; done
}

@test "half closed, closed, reset, opened fast, by several listeners, of no flow: all as without second chance" {
	local name host
	for name in alone moved; do
		for host in "${BACKENDS[@]}"; do on "$host" truncate -s 0 /run/states; done
		outcomes "$([[ $name == alone ]] || echo "$BATS_FILE_TMPDIR/moved")" \
			>"$BATS_TEST_TMPDIR/$name"
		wait_for 10 logged 26
		logs | sort >>"$BATS_TEST_TMPDIR/$name"
		cat "$BATS_TEST_TMPDIR/$name"
		[[ $name == alone ]] || (($(reason second_chance backend0y) > 100))
	done
	diff "$BATS_TEST_TMPDIR/alone" "$BATS_TEST_TMPDIR/moved"
	run ! grep -E 'no answer' <(grep -v 'flags 0x4' "$BATS_TEST_TMPDIR/alone")
}
