#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Generic mode sees GSO super-packets, of up to 64 kB. A redirect out of
# another interface refuses what is larger than its MTU, without a count, so
# these go by the kernel, which cuts them.

bats_require_minimum_version 1.5.0
load lib

setup_file() {
	local mode
	for mode in generic native; do
		if [[ $mode == native ]]; then
			network --native twolegged
		else
			network twolegged
		fi
		attach "$mode"
		export "RUN_$mode=$TOPO_RUN"
	done
}

teardown_file() {
	local run
	for run in "${RUN_generic-}" "${RUN_native-}"; do
		[[ ! $run ]] || TOPO_RUN=$run network_down
	done
}

# uploads MODE VIP: 20 MB, which generic mode sees as packets of up to 64 kB
uploads() {
	local name=RUN_$1
	export TOPO_RUN=${!name}
	[[ -e $BATS_FILE_TMPDIR/20M ]] ||
		head -c 20M /dev/urandom >"$BATS_FILE_TMPDIR/20M"
	on "$CLIENT" curl -sS --max-time 20 -o /dev/null -w '%{http_code}\n' \
		-T "$BATS_FILE_TMPDIR/20M" "$(url "$2" upload/20M)" | grep -qx 20.
	for name in "${BACKENDS[@]}"; do
		! on "$name" cmp "$BATS_FILE_TMPDIR/20M" /run/nginx/files/20M 2>/dev/null ||
			{ on "$name" rm /run/nginx/files/20M && return; }
	done
	return 1
}

@test "upload over two interfaces, generic, IPv4" {
	rises super_packet uploads generic "$VIP4"
	uploads generic "$VIP4"
}

@test "upload over two interfaces, generic, IPv6" {
	uploads generic "$VIP6"
}

@test "upload over two interfaces, native, IPv4" {
	uploads native "$VIP4"
}
