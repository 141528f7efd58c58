#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What the tools do when something stands in their way: what ran goes on, and
# what was changed stays known until it is put back.

bats_require_minimum_version 1.5.0
load lib

setup_file() {
	network
	attach
}

teardown_file() {
	network_down
}

@test "a mode that the driver refuses: what was attached stays" {
	local host=$ROUTER
	on "$host" ip link add mv0 link eth0 type macvlan mode bridge
	on "$host" ip link set mv0 up
	on "$host" LoadBalancer/lbr up -i mv0 -m generic
	before=$(on "$host" LoadBalancer/lbr show -j interfaces)
	run on "$host" LoadBalancer/lbr up -i mv0 -m native
	((status == 1))
	[[ $output == *"cannot attach xdp_lbr to mv0"* ]]
	after=$(on "$host" LoadBalancer/lbr show -j interfaces)
	[[ $after == "$before" ]]
	on "$host" ip link show mv0 | grep -q xdpgeneric
	on "$host" LoadBalancer/lbr down
	on "$host" ip link del mv0
}

@test "a reader that goes away does not stop a change halfway" {
	lbr down
	lbr up | true
	wait_for 5 get "$VIP4"
	services "$BATS_TEST_TMPDIR/one.yaml" 's/scheduler: maglev/scheduler: random/'
	lbr apply "$BATS_TEST_TMPDIR/one.yaml" | true
	lbr show services | grep -q random
	lbr apply
}

@test "up while down is running: both end, and up wins or says why not" {
	for _ in 1 2 3 4 5; do
		lbr down &
		lbr up
		wait
		lbr up
		get "$VIP4"
	done
}

@test "where bpffs was not mounted, the last role to go down unmounts it" {
	local host=$ROUTER somebody
	# its first process, as in a container
	on "$host" sleep 60 3>&- &
	somebody=$!
	wait_for 5 on "$host" pgrep -f "^sleep 60"
	on "$host" umount /sys/fs/bpf
	on "$host" LoadBalancer/lbr up
	[[ $(on "$host" stat -fc %T /sys/fs/bpf) == bpf_fs ]]
	services "$BATS_TEST_TMPDIR/router.yaml" 's/172.19.0.3/172.17.0.3/'
	on "$host" Backend/bkd up -i eth1 -c "$BATS_TEST_TMPDIR/router.yaml"
	on "$host" LoadBalancer/lbr down
	on "$host" Backend/bkd show restores | grep -q 172.17.0.3
	on "$host" Backend/bkd down
	# not mountpoint(1): newer versions find the machine's bpffs, below this
	# host's /sys
	[[ $(on "$host" stat -fc %T /sys/fs/bpf) == sysfs ]]
	on "$host" mount -t bpf bpf /sys/fs/bpf
	kill "$somebody"
}

@test "ip netns exec: refused, because its bpffs would vanish with it" {
	run ip netns exec "curlybox01-$TOPO_RUN" "$ROOT/LoadBalancer/lbr" up \
		-c "$ROOT/topology/l3dsr/services.yaml"
	((status == 1))
	[[ $output == *"mount namespace ends with the command"* ]]
	[[ $(on "$CLIENT" cat /proc/sys/net/ipv4/conf/eth0/forwarding) == 0 ]]
}

@test "a setting that cannot be put back is not forgotten, and down says so" {
	run on "$LB" unshare --mount bash -c \
		'mount --bind -o ro /proc/sys /proc/sys && LoadBalancer/lbr down'
	((status == 1))
	[[ $output == *"cannot put back sysctl"* ]]
	[[ $(on "$LB" cat /proc/sys/net/ipv4/conf/eth0/forwarding) == 1 ]]
	lbr down
	[[ $(on "$LB" cat /proc/sys/net/ipv4/conf/eth0/forwarding) == 0 ]]
	lbr up
}

@test "an address given with -a belongs to this host, for apply too" {
	local host=backend0x
	bkd "$host" down
	services "$BATS_TEST_TMPDIR/a.yaml" 's/172.19.0.3/172.19.7.7/'
	bkd "$host" up -a 172.19.7.7 -c "$BATS_TEST_TMPDIR/a.yaml"
	bkd "$host" show restores | grep -q 172.19.7.7
	bkd "$host" apply "$BATS_TEST_TMPDIR/a.yaml"
	[[ $(bkd "$host" show -j restores | jq -r '.restores[] |
		select(.address == "172.19.7.7").permanent' | sort -u) == true ]]
	bkd "$host" down
	bkd "$host" up
}

@test "up without -t leaves the trace as it is" {
	lbr trace all
	lbr up
	[[ $(lbr show -j | jq -r .trace) == all ]]
	lbr trace off
}

@test "bytes are counted in full, for super-packets too" {
	local before after
	before=$(lbr show -j services | jq '[.services[].bytes] | add')
	on "$CLIENT" bash -c 'head -c 10M /dev/zero |
		curl -sS --max-time 20 -o /dev/null -T - http://192.168.25.10/upload/zeros'
	after=$(lbr show -j services | jq '[.services[].bytes] | add')
	((after - before > 10 * 1024 * 1024 && after - before < 12 * 1024 * 1024))
}

@test "a file that no longer lists this host: bkd apply says so, because traffic stops later" {
	services "$BATS_TEST_TMPDIR/away.yaml" 's/172.19.0.3/172.19.7.7/' \
		's/2001:db8:19::3/2001:db8:19::77/'
	run bkd backend0x apply "$BATS_TEST_TMPDIR/away.yaml"
	((status == 0))
	[[ $output == *"lists no address of this host"* ]]
	run bkd backend0x apply
	((status == 0))
	[[ $output != *"lists no address of this host"* ]]
}
