#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Known ways to get this wrong: `make` again, while transfers run. Under the
# scheduler random, so that a flow's backend is nowhere but in the flow table.

bats_require_minimum_version 1.5.0
load lib

setup_file() {
	local backend
	network
	# a whole download must not fit into the client's socket buffer, or no
	# more packets follow
	on "$CLIENT" sysctl -qw net.ipv4.tcp_rmem='4096 131072 262144'
	services "$BATS_FILE_TMPDIR/random.yaml" 's/maglev/random/'
	head -c 6M /dev/urandom >"$BATS_FILE_TMPDIR/blob"
	for backend in "${BACKENDS[@]}"; do
		on "$backend" cp "$BATS_FILE_TMPDIR/blob" /run/nginx/files/blob
	done
}

teardown_file() {
	network_down
}

teardown() {
	[[ ! ${transfers_PID-} ]] || kill "$transfers_PID" 2>/dev/null || :
}

# make_all: runs make on each host, all at once
make_all() {
	local pids=() pid
	make_on "$LB" LoadBalancer &
	pids+=($!)
	make_on backend0x Backend &
	pids+=($!)
	make_on backend0y Backend &
	pids+=($!)
	for pid in "${pids[@]}"; do wait "$pid"; done
}

make_on() { # HOST FOLDER
	on "$1" make -s -C "$2" MODE=generic TRACE=off \
		CONFIG="$BATS_FILE_TMPDIR/random.yaml" >/dev/null 3>&-
}

# begin COUNT: starts transfers, in the background
begin() {
	coproc transfers {
		on "$CLIENT" /usr/bin/python3 tests/net/faults_transfers.py \
			"$VIP4" "$1" "$BATS_FILE_TMPDIR/blob" 3>&-
	}
}

# tell WORD: sends it to the transfers, and prints their answer
tell() {
	local said
	echo "$1" >&"${transfers[1]}"
	read -rt 130 said <&"${transfers[0]}"
	echo "$said"
}

# uploaded: how many complete uploads a backend has
uploaded() {
	local backend sum
	sum=$(sha256sum <"$BATS_FILE_TMPDIR/blob")
	for backend in "${BACKENDS[@]}"; do
		on "$backend" sh -c 'cd /run/nginx/files && sha256sum [0-9]*'
	done | grep -c "^${sum%% *}"
}

@test "make again 10 times while 30 transfers run" {
	make_all
	begin 30
	[[ $(tell advance) == "all advanced" ]]
	for _ in {1..10}; do make_all; done
	[[ $(tell advance) == "all advanced" ]]
	[[ $(tell finish) == "0 broken" ]]
	(($(uploaded) == 15))
}

@test "make detach and make while transfers run: breaks some of them" {
	make_all
	begin 16
	[[ $(tell advance) == "all advanced" ]]
	on "$LB" make -s -C LoadBalancer detach >/dev/null
	make_on "$LB" LoadBalancer
	[[ $(tell finish) != "0 broken" ]]
}
