#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# A build whose maps have another layout (`relayout`). It refuses before it
# changes anything, or takes over under traffic and drops the flows.

bats_require_minimum_version 1.5.0
load lib
load flows

FLOWS=200 OTHER=v99

setup_file() {
	# An emulated machine would compile for minutes.
	if [[ ! ${OTHER_BUILD-} ]]; then
		export OTHER_BUILD=$BATS_FILE_TMPDIR/tree
		"$ROOT/tests/net/relayout" "$OTHER_BUILD"
	fi
	network
}

teardown_file() {
	network_down
}

teardown() {
	flows_end
	detach 2>/dev/null || other_down
}

# other HOST TOOL VERB...: runs the tool of the other build
other() {
	on "$1" "$OTHER_BUILD/build/$2" "${@:3}"
}

other_down() {
	local backend
	other "$LB" LoadBalancer/lbr down
	for backend in "${BACKENDS[@]}"; do
		other "$backend" Backend/bkd down
	done
}

pins() {
	on "$1" sh -c 'cd /sys/fs/bpf/l3dsr && find . -type d ! -name .'
}

# what HOST: the attached program, its pins, and what was changed on the host
what() {
	on "$1" ip -d link show eth0 | grep -o 'prog/xdp id [0-9]*'
	on "$1" find /sys/fs/bpf/l3dsr | sort
	on "$1" cat /proc/sys/net/ipv4/conf/eth0/{forwarding,send_redirects,arp_ignore}
}

@test "another layout is refused by every verb, and nothing changes" {
	local before verb
	attach
	for host in "$LB lbr LoadBalancer" "backend0x bkd Backend"; do
		read -r host tool folder <<<"$host"
		before=$(what "$host")
		for verb in up apply show down; do
			run -1 other "$host" "$folder/$tool" "$verb"
			echo "$output"
			[[ ${lines[0]} == "$tool: cannot use /sys/fs/bpf/l3dsr/$tool-$LAYOUT: its maps have another layout than $OTHER" ]]
			[[ ${lines[1]} == "  try: $tool up --drop-flows, which takes it over; or"* ]]
			diff <(echo "$before") <(what "$host")
		done
		run -1 other "$host" "$folder/$tool" up --drop-flows -i none0
		diff <(echo "$before") <(what "$host")
		run -1 other "$host" "$folder/$tool" up --drop-flows -m native
		[[ $output == *"cannot change the mode of eth0 and take it over"* ]]
		diff <(echo "$before") <(what "$host")
	done
	balanced "$VIP4" 20 1 19
}

@test "up --drop-flows: takes over under traffic, there and back, 0 of $FLOWS broken" {
	local backend
	attach
	begin
	advanced "$FLOWS"
	for _ in 1 2; do
		other "$LB" LoadBalancer/lbr up --drop-flows
		for backend in "${BACKENDS[@]}"; do
			other "$backend" Backend/bkd up --drop-flows
		done
		[[ $(pins "$LB") == "./lbr-$OTHER" ]]
		[[ $(pins backend0x) == "./bkd-$OTHER" ]]
		other "$LB" LoadBalancer/lbr show interfaces | grep -q eth0
		# no packet met a program without a generation
		[[ $(other "$LB" LoadBalancer/lbr show -j reasons | jq '.reasons[] |
			select(.reason == "no_configuration").packets') == 0 ]]
		advanced "$FLOWS"
		lbr up --drop-flows
		for backend in "${BACKENDS[@]}"; do bkd "$backend" up --drop-flows; done
		[[ $(pins "$LB") == "./lbr-$LAYOUT" ]]
		advanced "$FLOWS"
	done
	unbroken
	# what the first `up` changed is still known
	detach
	[[ $(on "$LB" cat /proc/sys/net/ipv4/conf/eth0/forwarding) == 0 ]]
	[[ $(on backend0x cat /proc/sys/net/ipv4/conf/eth0/arp_ignore) == 0 ]]
}

@test "flows are dropped: those that only the flow table knows may break" {
	services "$BATS_TEST_TMPDIR/random.yaml" 's/maglev/random/'
	attach generic "$BATS_TEST_TMPDIR/random.yaml"
	begin
	advanced "$FLOWS"
	other "$LB" LoadBalancer/lbr up --drop-flows -c "$BATS_TEST_TMPDIR/random.yaml"
	tell advance
	some_broken
	lbr up --drop-flows
}
