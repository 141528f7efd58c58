#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# VIPs that keepalived moves: they are addresses of the load balancer while it
# is master, on eth0 or on a macvlan of their own (use_vmac).

# shellcheck disable=SC2030,SC2031,SC2154 # `run` and its friends

load lib
load ssh
bats_require_minimum_version 1.5.0
PATH=$PATH:$ROOT/build/keepalived/usr/sbin

setup_file() {
	command -v keepalived >/dev/null || return 0
	network
	attach generic
	serve_ssh "$BATS_FILE_TMPDIR/listens"
}

teardown_file() {
	[[ ! -e $BATS_FILE_TMPDIR/listens ]] ||
		kill "$(<"$BATS_FILE_TMPDIR/listens")" 2>/dev/null || :
	[[ ! ${TOPO_RUN-} ]] || network_down
}

setup() {
	command -v keepalived >/dev/null || skip 'no keepalived'
}

teardown() {
	keepalived_end
}

# keepalived_begin [OPTION...]: starts keepalived, which becomes master of both
# VIPs at once
keepalived_begin() {
	local own=$BATS_TEST_TMPDIR/keepalived option=${1-}
	cat >"$own.conf" <<-EOF
		global_defs {
		    vrrp_version 3
		}
		vrrp_script lbr {
		    script "$ROOT/LoadBalancer/lbr show interfaces"
		    interval 1
		    user root
		}
		vrrp_instance four {
		    state MASTER
		    interface eth0
		    $option
		    virtual_router_id 25
		    advert_int 0.2
		    virtual_ipaddress { $VIP4/32 }
		}
		vrrp_instance six {
		    state MASTER
		    interface eth0
		    $option
		    virtual_router_id 26
		    advert_int 0.2
		    virtual_ipaddress {
		        fe80::25:1
		        $VIP6/128
		    }
		}
	EOF
	# shellcheck disable=SC2016
	on "$LB" env PATH="$PATH" bash -c 'exec keepalived -n -l -P -f "$1.conf" \
		-p "$1.pid" -r "$1.vrrp" >"$1.log" 2>&1' - "$own" 3>&- &
	wait_for 10 has_both
}

keepalived_end() {
	local pid=$BATS_TEST_TMPDIR/keepalived.pid
	[[ -s $pid ]] || return 0
	kill "$(<"$pid")" 2>/dev/null || :
	wait_for 10 has_none
	rm -f "$pid"
}

addresses() {
	on "$LB" ip -o address | awk '{ print $4 }'
}

has_both() {
	addresses | grep -qxF "$VIP4/32" && addresses | grep -qxF "$VIP6/128" &&
		! on "$LB" ip -6 -o address show tentative | grep -q "$VIP6"
}

has_none() {
	! addresses | grep -qF -e "$VIP4" -e "$VIP6"
}

# all_well: services are balanced as before; the other ports of the VIP are the
# host's
all_well() {
	local vip
	for vip in "$VIP4" "$VIP6"; do
		wait_for 5 get "$vip" >/dev/null
		answers "$vip" 20 --fail-early | shared 20 1 19
		rises local_passed ssh "$vip"
		ssh "$vip"
	done
}

# moves: no program or tool is told that the VIPs come and go
moves() { # [OPTION]
	run ! ssh "$VIP4"
	keepalived_begin "$@"
	all_well
	keepalived_end
	for vip in "$VIP4" "$VIP6"; do
		get "$vip" >/dev/null
		run ! ssh "$vip"
	done
}

@test "keepalived, VIPs on eth0: they come, are served, and go" {
	on "$LB" ip route replace default via 172.17.0.3
	on "$LB" ip -6 route replace default via 2001:db8:17::3
	moves
}

@test "keepalived, use_vmac: they come, are served, and go" {
	on "$LB" ip route replace default via 172.17.0.3
	on "$LB" ip -6 route replace default via 2001:db8:17::3
	moves use_vmac
}

@test "keepalived, track_script: the VIPs leave a load balancer where xdp_lbr is not up" {
	keepalived_begin 'track_script { lbr }'
	lbr down >/dev/null
	wait_for 10 has_none
	attach generic
	wait_for 10 has_both
	get "$VIP4" >/dev/null
}

@test "keepalived, use_vmac, with clients that find the VIP by ARP and ND in a flat LAN" {
	local vip
	keepalived_begin use_vmac
	lbr up >/dev/null # which learns of the macvlans' MAC addresses
	on "$CLIENT" ip route replace "$VIP4" dev eth0
	on "$CLIENT" ip -6 route replace "$VIP6" dev eth0
	all_well
	for vip in "$VIP4" "$VIP6"; do
		on "$CLIENT" ip neigh show "$vip" | grep -q ' 00:00:5e:00:0[12]:'
	done
	keepalived_end
	on "$CLIENT" ip neigh flush dev eth0
	run ! get "$VIP4" --max-time 1
	run ! get "$VIP6" --max-time 1
}
