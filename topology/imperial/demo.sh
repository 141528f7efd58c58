# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# nc on two servers behind one address, by each method; sourced by topology/demo

each=4 # connections of each client to each of the VIP's two addresses
vip=10.0.0.10
vip6=2001:db8:10::10
clients=(h1 h4)
servers=(h2 h3)
hosts=(h1 h2 h3 h4 lb)
lasts=(1 2 3 4 9) # of their addresses
table=

# pings: how many of all pairs of hosts, in both families, of $all
pings() {
	local from to seen=0
	all=0
	for from in "${hosts[@]}"; do
		for to in "${lasts[@]}"; do
			# shellcheck disable=SC2016
			seen=$((seen + $(on "$from" sh -c 'for to; do
				ping -qc1 -W1 "$to" >/dev/null && echo; done | wc -l' \
				- "10.0.0.$to" "2001:db8:10::$to")))
			all=$((all + 2))
		done
	done
	pinged=$seen
}

# gives KEYS: all begin anew, with the scenario's file and these keys in each
# service. After `apply`, a server would restore for a while as before.
gives() {
	local host tool
	for host in "${servers[@]}" lb; do
		tool=Backend/bkd
		[[ $host != lb ]] || tool=LoadBalancer/lbr
		# shellcheck disable=SC2016
		on "$host" sh -c '{ echo "lb-sources: [10.0.0.9, 2001:db8:10::9]"
			echo "nat-source: [10.0.0.9, 2001:db8:10::9]"
			sed "s/^    port:/    $1\n&/" /etc/l3dsr/services.yaml; } >/run/file &&
			"$0" down && "$0" up -c /run/file' "$tool" "$1" >/dev/null
	done
}

# asks HOST ADDRESS COUNT [SECONDS]: so many connections, each with a line, and
# how long to wait for an answer
asks() {
	# shellcheck disable=SC2016
	on "$1" sh -c 'for i in $(seq "$2"); do
		echo "$(hostname) $i" | nc -N -w "$3" "$1" 8080; done' - "$2" "$3" "${4:-10}"
}

# heard HOST: how many lines its nc has printed
heard() {
	on "$1" grep -c . /run/nc
}

# attempt TITLE KEYS DIRECT: DIRECT says whether a server can be reached by its
# own address meanwhile
attempt() {
	local client server h2 h3 direct=no
	gives "$2"
	for server in "${servers[@]}"; do on "$server" truncate -s 0 /run/nc; done
	for client in "${clients[@]}"; do
		asks "$client" "$vip" "$each" || :
		asks "$client" "$vip6" "$each" || :
	done
	h2=$(heard h2) h3=$(heard h3) || :
	on h2 truncate -s 0 /run/nc
	asks h1 10.0.0.2 1 2 || :
	[[ $(heard h2) != 1 ]] || direct=yes
	table+=$(printf '  %-24s %4d %4d %9s %8s' "$1" "$h2" "$h3" \
		"$((h2 + h3))" "$direct")$'\n'
	promised "$1: all connections" [ "$((h2 + h3))" = $((4 * each)) ]
	promised "$1: both servers" [ "$h2" -gt 0 -a "$h3" -gt 0 ]
	promised "$1: direct: $3" [ "$direct" = "$3" ]
}

network "one bridge: h1 and h4 are clients, h2 and h3 run nc -lk 8080"

say "make, on the load balancer and on each server"
on lb make -s --no-print-directory -C LoadBalancer >/dev/null
for server in "${servers[@]}"; do
	on "$server" make -s --no-print-directory -C Backend >/dev/null
	# shellcheck disable=SC2016
	on "$server" sh -c 'for family in 4 6; do
		nc -$family -lk 8080 >>/run/nc 2>&1 </dev/null &
	done
	until [ "$(ss -Hltn "sport = 8080" | wc -l)" = 2 ]; do sleep 0.1; done'
done

say "Who answers ARP for $vip: arping, from h1"
arping=$(on h1 arping -c 1 -I eth0 "$vip") || :
printf '  %s\n' "${arping//$'\n'/$'\n  '}"
promised "the load balancer's MAC address" grep -qiF \
	"$(on lb cat /sys/class/net/eth0/address)" <<<"$arping"

say "Who answers a ping of $vip, from h1: xdp_lbr"
ping=$(on h1 ping -c 2 -i 0.2 "$vip") || :
sed -n 's/.*bytes from/  &/p' <<<"$ping"
promised "two replies" grep -q ' 2 received' <<<"$ping"
promised "they are xdp_lbr's" [ "$(on lb LoadBalancer/lbr show reasons |
	awk '$1 == "echo_answered" { print $3 }')" = 2 ]

# shellcheck disable=SC2154 # topology/demo's
[[ $topo == *docker ]] || {
	say "A connection, as it is seen on the bridge: topo hops --from h1"
	"$topo" hops --from h1 | sed '/^\*/,$d; s/^/  /'
}

pings
attempt "rewrite, maglev" "forward: rewrite" no
attempt "rewrite, round-robin" "scheduler: round-robin" no
attempt "dscp" "forward: dscp\n    dscp: 44" yes
attempt "ipip" "forward: ipip" yes
attempt "l2" "forward: l2" yes
attempt "nat" "forward: nat" yes

say "Each host pings each, IPv4 and IPv6: $pinged of $all"
promised "all of them" [ "$pinged" = "$all" ]

say "Whom nc reached at $vip and $vip6, of $((4 * each)) connections"
printf '  %-24s %4s %4s %9s %8s\n' forward h2 h3 together direct
printf '%s' "$table"
echo "  direct: meanwhile, h1 reaches port 8080 of 10.0.0.2 itself"
[[ $as_promised ]]
