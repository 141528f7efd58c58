# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# uploads.bash - a file sent to the VIP in both modes, over ways that take less
# than the client knows

# shellcheck disable=SC2034 # for the tests

load modes

NEXT4=172.17.0.3 NEXT6=2001:db8:17::3
LARGE=1000000 # bytes; more than one window

# A network for each mode, because native needs other ports than generic.
setup_file() {
	local mode
	for mode in generic native; do
		if [[ $mode == native ]]; then network --native; else network; fi
		attach "$mode"
		export "RUN_$mode=$TOPO_RUN"
	done
	head -c "$LARGE" /dev/urandom >"$BATS_FILE_TMPDIR/large"
}

# afresh MODE: as `over`; what was learned in the test before would hide the
# fault
afresh() {
	over "$1"
	lbr forget path-mtus
	on "$CLIENT" ip route flush cache
	on "$CLIENT" ip -6 route flush cache
}

# settings [SED-EXPR...]: applies the scenario's file, changed by sed
settings() {
	services "$BATS_TEST_TMPDIR/file" "$@"
	lbr apply "$BATS_TEST_TMPDIR/file"
}

# upload VIP SECONDS: how many bytes of the large file arrive at a backend
upload() {
	local backend name=up-$BATS_TEST_NUMBER-$RANDOM sum=0
	on "$CLIENT" curl -s -o /dev/null --max-time "$2" \
		-T "$BATS_FILE_TMPDIR/large" "$(url "$1" "upload/$name")" || :
	for backend in "${BACKENDS[@]}"; do
		! on "$backend" cmp -s "$BATS_FILE_TMPDIR/large" \
			"/run/nginx/files/$name" || ((sum += LARGE))
	done
	echo "$sum"
}

# completes VIP: because of the load balancer's ICMP errors
completes() {
	local before
	before=$(reason too_big_answered)
	[[ $(upload "$1" 10) == "$LARGE" ]]
	(($(reason too_big_answered) > before))
}

# narrow MTU: sets the MTU of the router's routes to the backends; nobody tells
# the client
narrow() {
	local last mtu=()
	[[ $1 == any ]] || mtu=(mtu lock "$1")
	for last in 3 4; do
		on "$ROUTER" ip route replace "172.19.0.$last" dev eth1 "${mtu[@]}"
		on "$ROUTER" ip -6 route replace "2001:db8:19::$last" dev eth1 "${mtu[@]}"
	done
}

# announce SED-EXPR...: the backends apply the scenario's file, changed by sed
announce() {
	local backend
	services "$BATS_TEST_TMPDIR/backends" "$@"
	for backend in "${BACKENDS[@]}"; do
		bkd "$backend" apply "$BATS_TEST_TMPDIR/backends"
	done
}
