# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A load balancer dies in each way there is, a server is added, and one falls
# ill; sourced by topology/demo

# shellcheck source=topology/vrrp/watch.bash
. "${here:?}/vrrp/watch.bash"

held=100
file=topology/vrrp/services.yaml
servers=(web1 web2 web3)
table=

# lbr HOST VERB...
lbr() {
	on "$1" LoadBalancer/lbr "${@:2}"
}

# checks HOST: lbr run, in the background
checks() {
	# shellcheck disable=SC2016
	on "$1" sh -c 'LoadBalancer/lbr run -l none >/run/lbr 2>&1 </dev/null &
		echo $! >/run/lbr.pid'
}

# gives [SED-EXPR]: both load balancers get the file, changed by sed. With
# handshake-grace 0, because otherwise a load balancer would select flows that it
# does not know by the file before for 3 s, and this is about the time after that.
gives() {
	local host
	for host in lb1 lb2; do
		{
			echo 'handshake-grace: 0s'
			sed "${1-}" "$file"
		} | on "$host" sh -c 'cat >/run/services.yaml &&
			LoadBalancer/lbr apply /run/services.yaml' >/dev/null
	done
}

# until_is CMD...: within 30 s
until_is() {
	local tries
	for ((tries = 0; tries < 600; tries++)); do
		"$@" && return
		sleep 0.05
	done
	echo "  in vain: $*" >&2
	return 1
}

# row WHAT: what became of new connections, and of those that are held
row() {
	gap
	advance
	printf '  %-38s %5d ms, %d advanced\n' "$1" "$ms" "$advanced"
	table+=$(printf '  %-9s %-38s %7d %9d' "$where" "$1" "$ms" "$advanced")$'\n'
	promised "$1: new connections within 1 s" [ "$ms" -lt 1000 ]
	promised "$1: held connections go on" [ "$advanced" = "$held" ]
}

# dies WHAT CMD...: CMD is what happens to lb1; lb2 takes over
dies() {
	"${@:2}"
	until_is has_vips lb2
	row "$1"
}

# back: lb1 is master again
back() {
	until_is has_vips lb1
	until_is has_none lb2
	row "... and back"
}

# dead: whoever looks from outside sees a host without power; afterwards nothing
# is left of what lb1 had in memory
dead() {
	local name
	wire lb1 down
	pair lb1 kill
	# shellcheck disable=SC2016
	on lb1 sh -c 'kill -9 "$(cat /run/lbr.pid)"'
	for name in vrrp.25 vrrp.26; do
		on lb1 ip link delete "$name" 2>/dev/null || :
	done
	for name in "$vip/32" "$vip6/128"; do
		on lb1 ip address delete "$name" dev eth0 2>/dev/null || :
	done
	lbr lb1 down >/dev/null
}

boots() { # [use_vmac]
	wire lb1 up
	lbr lb1 up -c /run/services.yaml >/dev/null
	checks lb1
	pair lb1 start "$@"
}

# each_death WHERE FIRST [use_vmac]: connections from the client's ports FIRST and
# on. What lb2 has forwarded it remembers, also when the end of the connection
# went by lb1: a later one from the same port would go to the same server.
each_death() {
	local host
	where=$1
	on user sysctl -qw "net.ipv4.ip_local_port_range=$2 $(($2 + 19999))"
	shift 2
	say "Each way to die, the VIP on $where; $held connections are held"
	pair lb1 start "$@"
	until_is has_vips lb1
	pair lb2 start "$@"
	# so that xdp_lbr learns of the macvlan's MAC address
	for host in lb1 lb2; do lbr "$host" apply /run/services.yaml >/dev/null; done
	watched "$held"
	dies "keepalived on lb1 is stopped" pair lb1 stop
	pair lb1 start "$@"
	back
	dies "lb1's link is down" wire lb1 down
	wire lb1 up
	back
	dies "lb1 is dead, and has forgotten all" dead
	boots "$@"
	back
	dies "keepalived on lb1 is killed" pair lb1 kill
	echo "  it has left its address behind:"
	for host in lb1 lb2; do
		printf '    %s: %s\n' "$host" "$(on "$host" ip -br address show to "$vip")"
	done
	pair lb1 start "$@"
	back
}

finished() {
	watched_end
	echo "  $said"
	promised "0 broken" grep -q ' 0 broken$' <<<"$said"
}

# added: $served names web3 for the first time since the last look
added() {
	gap
	[[ $served == *web3* ]]
}

web2_is() { # STATE: on both
	local host
	for host in lb1 lb2; do
		lbr "$host" show -j backends | jq -e --arg state "$1" '[.backends[] |
			select(.backend == "10.0.0.12").state] == [$state]' >/dev/null ||
			return
	done
}

network "a user, two load balancers, three servers, on one segment"

say "make, on each of them; lbr run on lb1 and lb2"
for host in lb1 lb2; do
	on "$host" make -s --no-print-directory -C LoadBalancer >/dev/null
	checks "$host"
done
for host in "${servers[@]}"; do
	on "$host" make -s --no-print-directory -C Backend >/dev/null
done
gives
echo "  done"

each_death "eth0" 20000
finished
for host in lb1 lb2; do pair "$host" stop; done
gives '/web3/d; /::13/d'
each_death "a macvlan" 40000 use_vmac

say "web3 is added, while $held connections are held by web1 and web2"
gap
promised "only these serve" [ "${served/web3/}" = "$served" ]
echo "  new connections before: $served"
gives
until_is added
echo "  and after: $served"
row "web3 is added"
finished

say "curl http://$vip/, on the user"
answers=$(on user curl -sS --max-time 5 --no-keepalive -H 'Connection: close' \
	"http://$vip/[1-12]" && on user curl -sS --max-time 5 "http://[$vip6]/")
sort <<<"$answers" | uniq -c
for host in "${servers[@]}"; do
	promised "$host" grep -qx "Site served by node $host" <<<"$answers"
done

say "nginx on web2 is stopped, and started"
began=$SECONDS
# shellcheck disable=SC2016
on web2 sh -c 'kill "$(cat /run/nginx/nginx.pid)"'
until_is web2_is down
out=$((SECONDS - began))
echo "  out after $out s"
promised "within 10 s" [ "$out" -le 10 ]
on web2 nginx -p /run/nginx/ -e error.log -c "$PWD/topology/vrrp/nginx.conf"
until_is web2_is up
echo "  and in again"

say "The longest time without a new connection, and who is held, of $held"
printf '  %-9s %-38s %7s %9s\n' 'VIP on' '' ms advance
printf '%s' "$table"
[[ $as_promised ]]
