# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What is done in the fat tree: for demo.sh and tests/net, which have `on HOST
# CMD...`, and $scratch, a folder.

# shellcheck disable=SC2034,SC2154

VIP=20.0.0.1
CLIENTS=(h{3..12})
HOST_ADDRESSES=(10.{0..3}.{0,1}.{2,6}) # of h1 to h16
SERVERS=(h13 h14 h15 h16)
declare -gA ADDRESS=([h13]=10.3.0.2 [h14]=10.3.0.6 [h15]=10.3.1.2 [h16]=10.3.1.6)
# the switch's end of a load balancer's wire
declare -gA PORT=([h1]=t1-eth0 [h2]=t1-eth1 [h3]=t2-eth0)
declare -gA crowd_in=() crowd_out=()

# Each program that is talked to has its stdin and stdout here, by a name:
# crowd_start NAME HOST CMD...
crowd_start() {
	local in out
	mkfifo "$scratch/$1.in" "$scratch/$1.out"
	on "$2" "${@:3}" <"$scratch/$1.in" >"$scratch/$1.out" \
		2>>"$scratch/broken" 3>&- &
	exec {in}>"$scratch/$1.in" {out}<"$scratch/$1.out"
	crowd_in[$1]=$in crowd_out[$1]=$out
	rm "$scratch/$1".{in,out}
}

# crowd_asked WORD NAME...: each gets WORD, and then each answer is printed
crowd_asked() {
	local name said
	for name in "${@:2}"; do echo "$1" >&"${crowd_in[$name]}"; done
	for name in "${@:2}"; do
		read -rt 120 said <&"${crowd_out[$name]}"
		echo "$said"
	done
}

# crowd_end NAME...: they are done
crowd_end() {
	local name in out
	for name; do
		in=${crowd_in[$name]} out=${crowd_out[$name]}
		exec {in}>&- {out}<&-
		unset "crowd_in[$name]" "crowd_out[$name]"
	done
}

# look NAME SWITCH IFACE...: begins to look at these ports (seen.py)
look() {
	local said
	crowd_start "$1" "$2" topology/fattree/seen.py "$VIP" "${@:3}"
	read -rt 30 said <&"${crowd_out[$1]}"
	[[ $said == looking ]]
}

# talk EACH: each client holds EACH connections to the VIP, and asks now and then
talk() {
	local client
	: >"$scratch/broken"
	for client in "${CLIENTS[@]}"; do
		crowd_start "$client" "$client" topology/fleet/talk.py "$VIP" "$1" 0.5
	done
}

# advance: how many connections have had another answer
advance() {
	crowd_asked advance "${CLIENTS[@]}" | awk '{ n += $1 } END { print n }'
}

# finish: ends the connections; sets $broken to how many of them were
finish() {
	broken=$(crowd_asked finish "${CLIENTS[@]}" | awk '{ n += $5 } END { print n }')
	crowd_end "${CLIENTS[@]}"
}

# each_of HOST... -- CMD...: CMD on all of them at once, $HOST is its name; prints
# what they print
each_of() (
	local hosts=()
	while [[ $1 != -- ]]; do
		hosts+=("$1")
		shift
	done
	for host in "${hosts[@]}"; do
		on "$host" env HOST="$host" "${@:2}" &
	done
	wait
)

# requests EACH: each client makes EACH connections, one after another; how many of
# all were answered
requests() {
	each_of "${CLIENTS[@]}" -- curl -s --max-time 10 -H 'Connection: close' \
		-o /dev/null -w '%{http_code}\n' "http://$VIP/[1-$1]" | grep -c 200
}

# pinged ADDRESS... -- HOST...: how many of all pairs answer
pinged() {
	local addresses=()
	while [[ $1 != -- ]]; do
		addresses+=("$1")
		shift
	done
	# shellcheck disable=SC2016
	each_of "${@:2}" -- sh -c 'for address; do
		ping -qc 1 -W 5 "$address" >/dev/null && echo; done' - "${addresses[@]}" |
		wc -l
}

# file KEYS BACKEND...: a file with one service; a backend is a host's name, and
# its keys
file() {
	local row
	printf '%s\n' 'handshake-grace: 0s' 'lb-sources: [10.0.0.0/16]' 'services:' \
		"- {vip: $VIP, port: 80, forward: ipip, $1 backends: ["
	for row in "${@:2}"; do
		echo "    {address: ${ADDRESS[${row%%,*}]}${row#h[0-9][0-9]}},"
	done
	echo '  ]}'
}

# gives FILE-TEXT VERB HOST...: lbr or bkd VERB with that file on these hosts
gives() {
	local host tool
	for host in "${@:3}"; do
		tool=LoadBalancer/lbr
		[[ ! ${ADDRESS[$host]-} ]] || tool=Backend/bkd
		# shellcheck disable=SC2016
		on "$host" sh -c 'cat >/run/fattree.yaml && "$0" "$1" -c /run/fattree.yaml' \
			"$tool" "$2" >/dev/null <<<"$1"
	done
}

# wire LB up|down: both ends, as a cable's
wire() {
	on wires ip link set "$1-eth0" "$2"
	on wires ip link set "${PORT[$1]}" "$2"
}

# dies LB: its wire is cut, and it forgets everything
dies() {
	wire "$1" down
	# shellcheck disable=SC2016
	on "$1" sh -c 'kill -9 $(cat /run/bird/pid); rm -f /run/bird/ctl'
	on "$1" LoadBalancer/lbr down >/dev/null
}

# ways N SWITCH: waits until the switch has N next hops for the VIP
ways() {
	local end=$((SECONDS + 30))
	until (($(on "$2" ip route show "$VIP" | grep -c via) == $1)); do
		((SECONDS < end)) || return 1
		sleep 0.05
	done
}

# everywhere: waits until all switches of racks know two ways to the VIP
everywhere() {
	local switch
	for switch in t{1..8}; do ways 2 "$switch"; done
}

# passed_on: how many packets the servers have passed on to each other
passed_on() {
	local server
	for server in "${SERVERS[@]}"; do
		on "$server" Backend/bkd show reasons
	done | awk '$1 == "second_chance" { n += $3 } END { print n + 0 }'
}

# fresh FILE-TEXT: h1 and h2 are load balancers for h13 to h15
fresh() {
	local host
	for host in h1 h2 h3; do on "$host" LoadBalancer/lbr down >/dev/null; done
	for host in "${SERVERS[@]}"; do on "$host" Backend/bkd down >/dev/null; done
	gives "$1" up h13 h14 h15 h1 h2
}

# changed FILE-TEXT DRAINED: h16 gets that file, then the other servers, then h2; h1
# is late. DRAINED is empty if h13 left the file
changed() {
	gives "$1" up h16
	gives "$1" apply h14 h15
	[[ ! $2 ]] || gives "$1" apply h13
	gives "$1" apply h2
}

# joins LB FILE-TEXT SWITCH N: a load balancer with this file, of N below that switch
joins() {
	wire "$1" up
	gives "$2" up "$1"
	on "$1" topology/fattree/announce on
	ways "$4" "$3"
}

# What others have seen, made on purpose: servers without xdp_bkd
without_bkd() {
	local host
	for host in "${SERVERS[@]}"; do on "$host" Backend/bkd down >/dev/null; done
	on h5 curl -s --max-time 1 -o /dev/null "http://$VIP/" || :
}

# ... and a load balancer whose kernel routes; it is the only one
without_lbr() {
	on h2 topology/fattree/announce off
	ways 1 t1
	on h1 LoadBalancer/lbr down >/dev/null
	on h1 sysctl -qw net.ipv4.ip_forward=1
	on h5 ping -qc 1 -W 1 "$VIP" >/dev/null || :
}
