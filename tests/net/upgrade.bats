#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds whose maps have another layout. The next one (`relayout`) and today's
# read the layout of the one before: `up` takes over under traffic, with the
# flows. What cannot be read is refused, or taken over without its flows.
# UPGRADE_FLOWS: how many are held.

bats_require_minimum_version 1.5.0
load lib
load flows

FLOWS=${UPGRADE_FLOWS:-200} OTHER=v99

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
	detach 2>/dev/null || :
	other_down 2>/dev/null || :
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

# attach_by BUILD FILE: attaches both programs of that build on all hosts
attach_by() {
	local backend
	on "$LB" "$1/build/LoadBalancer/lbr" up -m generic -c "$2" >/dev/null
	for backend in "${BACKENDS[@]}"; do
		on "$backend" "$1/build/Backend/bkd" up -m generic -c "$2" >/dev/null
	done
}

@test "a layout that cannot be read is refused by every verb, and nothing changes" {
	local before verb
	attach_by "$OTHER_BUILD" /etc/l3dsr/services.yaml
	for host in "$LB lbr LoadBalancer" "backend0x bkd Backend"; do
		read -r host tool folder <<<"$host"
		before=$(what "$host")
		for verb in up apply show "down -i eth0"; do
			# shellcheck disable=SC2086 # a verb and its option
			run -1 on "$host" "$folder/$tool" $verb
			echo "$output"
			[[ ${lines[0]} == "$tool: cannot use /sys/fs/bpf/l3dsr/$tool-$OTHER: its maps have another layout than $LAYOUT" ]]
			[[ ${lines[1]} == "  try: $tool up --drop-flows, which takes it over; or"* ]]
			diff <(echo "$before") <(what "$host")
		done
		run -1 on "$host" "$folder/$tool" up --drop-flows -i none0
		diff <(echo "$before") <(what "$host")
		run -1 on "$host" "$folder/$tool" up --drop-flows -m native
		[[ $output == *"cannot change the mode of eth0 and take it over"* ]]
		diff <(echo "$before") <(what "$host")
	done
	balanced "$VIP4" 20 1 19
}

@test "a layout that can be read is refused by the other verbs, and nothing changes" {
	local before verb
	attach
	for host in "$LB lbr LoadBalancer" "backend0x bkd Backend"; do
		read -r host tool folder <<<"$host"
		before=$(what "$host")
		for verb in apply show "down -i eth0"; do
			# shellcheck disable=SC2086 # a verb and its option
			run -1 other "$host" "$folder/$tool" $verb
			[[ ${lines[0]} == "$tool: cannot use /sys/fs/bpf/l3dsr/$tool-$LAYOUT: its maps have another layout than $OTHER" ]]
			[[ ${lines[1]} == "  try: $tool up, which takes it over; or"* ]]
		done
		run -1 other "$host" "$folder/$tool" up -i none0
		diff <(echo "$before") <(what "$host")
	done
}

# nothing: what there is of two hosts where nothing is up
nothing() {
	local host
	for host in "$LB" backend0x; do what "$host" 2>&1 || :; done
}

@test "up over the layout before: the trace goes on, and what was set by hand is taken back" {
	attach
	lbr drain 172.19.0.3 >/dev/null
	lbr trace new
	bkd backend0x trace all
	run -0 other "$LB" LoadBalancer/lbr up
	[[ $output == *"~ backend 172.19.0.3 of $VIP4:80/tcp takes back what was set by hand"* ]]
	[[ $output != *"backend 172.19.0.4 of"* ]]
	[[ $(other "$LB" LoadBalancer/lbr trace) == *new* ]]
	other backend0x Backend/bkd up --trace off >/dev/null
	[[ $(other backend0x Backend/bkd trace) == *off* ]]
	other_down
}

# killed_up: the other build's `up` on the LB, killed just before it attaches
killed_up() {
	run -137 on "$LB" strace -f -o /dev/null -P /proc/sys/net/ipv4/conf/eth0/send_redirects \
		-e trace=openat -e inject=openat:signal=KILL:when=1 \
		"$OTHER_BUILD/build/LoadBalancer/lbr" up -c /etc/l3dsr/services.yaml
}

@test "down ends another layout, too, and one that has been taken over in part" {
	local before
	before=$(nothing)
	attach
	run -0 other "$LB" LoadBalancer/lbr down
	[[ $output == *"eth0: xdp_lbr of $LAYOUT detached"* ]]
	other backend0x Backend/bkd down
	diff <(echo "$before") <(nothing)
	lbr up -m generic >/dev/null
	killed_up
	[[ $(pins "$LB" | wc -l) == 2 ]]
	run -1 lbr show
	run -0 other "$LB" LoadBalancer/lbr down
	echo "$output"
	[[ $output == *"eth0: xdp_lbr of $LAYOUT detached"* ]]
	diff <(echo "$before") <(nothing)
}

# upgraded BUILD LAYOUT_BEFORE LAYOUT FILE: `up` of that build on every host
# takes over all flows, which go on
upgraded() {
	local backend said
	said=$(on "$LB" "$1/LoadBalancer/lbr" up -c "$4")
	echo "$said"
	grep -qx "/sys/fs/bpf/l3dsr/lbr-$2: $FLOWS flows taken over, 0 not" <<<"$said"
	for backend in "${BACKENDS[@]}"; do
		on "$backend" "$1/Backend/bkd" up -c "$4"
	done
	[[ $(pins "$LB") == "./lbr-$3" ]]
	[[ $(pins backend0x) == "./bkd-$3" ]]
	advanced "$FLOWS"
	[[ $(on "$LB" "$1/LoadBalancer/lbr" show -j flows | jq '.flows | length') == "$FLOWS" ]]
}

@test "up over the layout before: under random, 0 of $FLOWS flows broken" {
	services "$BATS_TEST_TMPDIR/random.yaml" 's/maglev/random/'
	attach generic "$BATS_TEST_TMPDIR/random.yaml"
	begin
	advanced "$FLOWS"
	upgraded "$OTHER_BUILD/build" "$LAYOUT" "$OTHER" "$BATS_TEST_TMPDIR/random.yaml"
	unbroken
}

@test "an up that ends in the middle: ^C waits; killed with some pins of the build before left, the next one ends it" {
	local at file=/etc/l3dsr/services.yaml
	for at in 0.05 0.1 0.2 0.4; do
		lbr up -m generic -c "$file" >/dev/null
		on "$LB" timeout -s INT "$at" "$OTHER_BUILD/build/LoadBalancer/lbr" up -c "$file" || :
		echo "after $at s: $(pins "$LB")"
		[[ $(pins "$LB" | wc -l) == 1 ]]
		lbr down >/dev/null || other "$LB" LoadBalancer/lbr down >/dev/null
	done
	lbr up -m generic -c "$file" >/dev/null
	on "$LB" sh -c "cd /sys/fs/bpf/l3dsr && mkdir left && ln lbr-$LAYOUT/changes lbr-$LAYOUT/flows left"
	other "$LB" LoadBalancer/lbr up -c "$file"
	on "$LB" mv /sys/fs/bpf/l3dsr/left "/sys/fs/bpf/l3dsr/lbr-$LAYOUT"
	run -1 other "$LB" LoadBalancer/lbr show # the control
	other "$LB" LoadBalancer/lbr up -c "$file"
	[[ $(pins "$LB") == "./lbr-$OTHER" ]]
	other "$LB" LoadBalancer/lbr show >/dev/null
	other "$LB" LoadBalancer/lbr down
}

# The flows of backend0x are known to the flow table alone.
@test "up over v4: also those of a backend that is being removed, 0 of $FLOWS broken" {
	local built=${EARLIER_BUILD:-$BATS_FILE_TMPDIR/v4} had=0
	[[ ${EARLIER_BUILD-} ]] || tests/net/earlier v4 "$built" >/dev/null || had=$?
	((had != 77)) || skip "v4 is not in the history of this tree"
	((had == 0))
	services "$BATS_TEST_TMPDIR/one.yaml" '/{address: 172.19.0.3,/d'
	attach_by "$built" /etc/l3dsr/services.yaml
	begin
	advanced "$FLOWS"
	on "$LB" "$built/build/LoadBalancer/lbr" apply -c "$BATS_TEST_TMPDIR/one.yaml"
	advanced "$FLOWS"
	# a new service gets the id of no other one
	cat "$BATS_TEST_TMPDIR/one.yaml" - >"$BATS_TEST_TMPDIR/more.yaml" <<-EOF
		  - {vip: $VIP4, port: 8099, backends: [{address: 172.19.0.4}]}
	EOF
	upgraded . v4 "$LAYOUT" "$BATS_TEST_TMPDIR/more.yaml"
	unbroken
	[[ $(lbr show -j backends | jq -r '.backends[] | select(.port == 8099).backend') == 172.19.0.4 ]]
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
