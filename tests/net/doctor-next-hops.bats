#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# lbr doctor, where the way to the load balancer or on to the backends is
# broken, one thing at a time; and what it cannot see from where it is.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` and its friends

load doctor
bats_require_minimum_version 1.5.0

setup_file() {
	network
	attach generic
}

teardown_file() {
	network_down
}

setup() {
	healthy "$LB"
	serves
}

# After a test that mended everything there is nothing to do; after a failed
# one, start anew.
teardown() {
	file "$LB" ''
	if [[ ! ${BATS_TEST_COMPLETED-} ]]; then
		on "$LB" ip route replace 172.19.0.0/16 via 172.17.0.3
		on "$ROUTER" ip link set dev eth0 arp on
		on "$LB" nft flush ruleset 2>/dev/null || :
		detach
		attach generic
	fi
}

# state EXAMINATION: the worst result that doctor gave it
state() {
	lbr doctor -j | jq -r --arg check "$1" \
		'[.examinations[] | select(.examination == $check).result] | sort | .[-1]'
}

# is CHECK STATE
is() {
	[[ $(state "$1") == "$2" ]]
}

@test "next-hops: no route to the backends" {
	on "$LB" ip route del 172.19.0.0/16
	rises fib_not_forwarded wait_for 5 broken
	ill "$LB" next-hops fail
	heal "$LB" next-hops
	on "$LB" ip route replace 172.19.0.0/16 via 172.17.0.3
	on "$LB" ip route del 172.19.0.3
	on "$LB" ip route del 172.19.0.4
}

@test "next-hops: flushed, so that they are no longer managed" {
	on "$LB" ip neigh flush dev eth0 nud all
	ill "$LB" next-hops warn
	heal "$LB" next-hops
}

@test "next-hops: a MAC address was set by hand, and is wrong" {
	on "$LB" ip neigh replace 172.17.0.3 lladdr 02:00:00:00:00:66 dev eth0 \
		nud permanent
	wait_for 5 broken
	ill "$LB" next-hops warn
	heal "$LB" next-hops
}

@test "next-hops: one does not answer when asked for its MAC address" {
	on "$ROUTER" ip link set dev eth0 arp off
	on "$LB" ip neigh flush dev eth0 nud all
	lbr apply
	wait_for 5 broken
	ill "$LB" next-hops fail
	[[ $output == *"172.17.0.3 on eth0, next hop of 2 backends, does not say its MAC address"* ]]
	on "$ROUTER" ip link set dev eth0 arp on
	# Each time anew: the kernel may forget a failed entry, managed or not.
	applied() {
		lbr apply && healthy "$LB"
	}
	wait_for 10 applied
	wait_for 5 serves
}

@test "mtu: the path to the backends takes less than clients send" {
	on "$LB" ip route change 172.19.0.0/16 via 172.17.0.3 mtu lock 1000
	lbr apply
	ill "$LB" mtu warn
	heal "$LB" mtu
	on "$LB" grep -x 'advmss: 960' /etc/l3dsr/services.yaml
	on "$LB" ip route change 172.19.0.0/16 via 172.17.0.3
	file "$LB" ''
	lbr apply
}

@test "vips: no packets come, and where that can be mended" {
	local command
	lbr down
	lbr up
	[[ $(state vips) == unknown ]]
	on "$CLIENT" ip route del "$VIP4"
	broken
	[[ $(state vips) == unknown ]]
	command=$(lbr doctor -j | jq -r --arg vip "$VIP4" '.examinations[] |
		select(.examination == "vips" and (.report | startswith($vip))).try')
	echo "on the client: $command"
	on "$CLIENT" bash -c "$command"
	serves
	[[ $(talks lbr doctor -j | jq -r --arg vip "$VIP4" '.examinations[] |
		select(.examination == "vips" and (.report | startswith($vip))).result') == ok ]]
}

@test "answers: doctor's command is for the host where clients are" {
	local command
	command=$(lbr doctor -j | jq -r '.examinations[] | select(.examination == "answers").try')
	echo "on the client: $command"
	on "$CLIENT" bash -c "$command"
	bkd backend0x down
	bkd backend0y down
	run ! on "$CLIENT" bash -c "$command"
	bkd backend0x up
	bkd backend0y up
}

# checked FILE: gives its TCP services health checks
checked() {
	file "$LB" "s/^\( *\)protocol: tcp/&\n\1check: {type: http, $OFTEN}/"
	lbr apply >/dev/null
}

@test "run, answers: no lbr run makes the health checks; what they find" {
	local pid=$BATS_TEST_TMPDIR/pid
	checked
	ill "$LB" run warn
	on "$LB" env PATH="$TOOLS" bash -c \
		"$(commands run <<<"$output") echo \$! >$pid" >/dev/null 2>&1 3>&-
	wait_for 10 healthy "$LB"
	wait_for 10 is answers ok
	bkd backend0x down
	wait_for 10 is answers fail
	run -3 lbr doctor -j
	[[ $(jq -r '.examinations[] | select(.examination == "answers").report' <<<"$output") == \
		"172.19.0.3 is down, for $VIP4:80/tcp: sent to the backend; no answer from the VIP; there:"* ]]
	heal backend0x program
	wait_for 10 healthy "$LB"
	kill "$(<"$pid")"
	wait_for 10 is run warn
	file "$LB" ''
	lbr apply >/dev/null
	healthy "$LB"
}

@test "firewall: a rule that drops packets called invalid, a policy that drops" {
	command -v nft >/dev/null || skip "no nft here"
	on "$LB" nft -f - <<-'EOF'
		table inet mine {
			chain in { type filter hook prerouting priority 0
				ct state { invalid, untracked } counter drop
				tcp dport 9 ct state != invalid counter drop
			}
			chain on { type filter hook forward priority 0; policy drop; }
		}
	EOF
	ill "$LB" firewall warn
	# the rule; the policy, for each family; and a rule that is elsewhere
	(($(commands firewall <<<"$output" | wc -l) == 4))
	on "$LB" bash -c "$(commands firewall <<<"$output" | head -n 3)"
	healthy "$LB"
	# doctor's command opens the way to backends, and nothing else
	[[ $(on "$LB" nft list chain inet mine on) == *"policy drop"*"172.19.0.3, 172.19.0.4"* ]]
	on "$LB" nft delete table inet mine
	# packets for this host itself do not concern the services
	on "$LB" nft -f - <<-'EOF'
		table inet mine {
			chain in {
				type filter hook input priority 0; policy drop;
				ct state invalid drop
				meta l4proto { icmp, ipv6-icmp } accept
			}
		}
	EOF
	healthy "$LB"
	on "$LB" nft delete table inet mine
}

@test "firewall: a rule that may or may not match a service's packets" {
	command -v nft >/dev/null || skip "no nft here"
	on "$LB" nft -f - <<-'EOF'
		table inet mine {
			chain on {
				type filter hook forward priority 0; policy drop;
				ct state established,related accept
				ip6 daddr 2001:db8:19::/64 accept
				ip daddr 172.19.0.0/16 limit rate 1000/second accept
			}
			chain in { type filter hook prerouting priority 0
				ct state invalid limit rate over 5/second drop
			}
		}
	EOF
	run lbr doctor
	[[ $output == *"inet mine on may drop packets to 2 backends"*"nft -a list chain inet mine on"* ]]
	[[ $output == *"a rule of inet mine in may drop what conntrack calls invalid"* ]]
	[[ $output != *"drops packets to"* ]]
	on "$LB" nft delete table inet mine
}

@test "firewall: without nft it is not known" {
	[[ $(on "$LB" env PATH=/nowhere "$ROOT/LoadBalancer/lbr" doctor -j |
		jq -r '.examinations[] | select(.examination == "firewall").report' | head -n 1) == \
		"nftables: the rules cannot be read without nft" ]]
}
