# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Connections are held while the pool changes and a load balancer dies; with
# second chance and without; sourced by topology/demo

held=300
vip=192.168.25.10
lbs=(lbdsr0a lbdsr0b lbdsr0c)
backends=(backend0x backend0y backend0z backend0w backend0u backend0v)
table=

# file KEYS BACKEND...: a file with one service; a backend is the last number of its
# address, and its keys. With handshake-grace 0, because otherwise a load balancer
# would select by the old table for 3 s, and this is about the time after that.
file() {
	local row
	printf '%s\n' 'handshake-grace: 0s' 'services:' \
		"- {vip: $vip, port: 80, $1 backends: ["
	for row in "${@:2}"; do echo "    {address: 172.19.0.$row},"; done
	echo '  ]}'
}

# gives FILE-TEXT VERB HOST...: lbr or bkd VERB with that file on these hosts
gives() {
	local host tool
	for host in "${@:3}"; do
		tool=Backend/bkd
		[[ $host != lbdsr* ]] || tool=LoadBalancer/lbr
		# shellcheck disable=SC2016
		on "$host" sh -c 'cat >/run/fleet.yaml && "$0" "$1" -c /run/fleet.yaml' \
			"$tool" "$2" >/dev/null <<<"$1"
	done
}

# spread LAST...: the router sends to the load balancers with these addresses
spread() {
	local last hops=()
	for last; do hops+=(nexthop via "172.17.0.$last"); done
	on router0a ip route replace "$vip" "${hops[@]}"
}

# tell WORD: prints what the connections answer
tell() {
	local said=
	echo "$1" >&"${talk[1]}"
	read -rt 60 said <&"${talk[0]}"
	echo "$said"
}

# passed_on: how many packets the backends have passed on to each other
passed_on() {
	local backend
	for backend in "${backends[@]}"; do
		on "$backend" Backend/bkd show reasons
	done | awk '$1 == "second_chance" { n += $3 } END { print n + 0 }'
}

# attempt TITLE KEYS DRAINED ADDED: DRAINED and ADDED are rows of the file after the
# change; sets $advanced, $passed and $broken
attempt() {
	local before after all
	say "$1: $held connections, through three load balancers to five backends"
	before=$(file "$2" 3 4 5 6 7)
	# shellcheck disable=SC2086 # none, or one
	after=$(file "$2" ${3:+"$3"} 4 5 6 7 "$4")
	fresh "$before"
	coproc talk {
		on curlybox01 sh -c "exec topology/fleet/talk.py $vip $held 0.5 2>/run/broken"
	}
	advanced=$(tell advance)
	echo "  $advanced: each has been answered"
	echo "  backend0x is drained, backend0v is added; the file says:"
	sed -n 's/^    /    /p' <<<"$after"
	gives "$after" up backend0v
	gives "$after" apply "${backends[@]:1:4}"
	[[ ! $3 ]] || gives "$after" apply backend0x
	gives "$after" apply "${lbs[@]}"
	echo "  $(tell advance)"
	echo "  lbdsr0b dies, and the router sends its connections to the others"
	on lbdsr0b ip link set eth0 down
	spread 2 6
	tell advance >/dev/null
	echo "  $(tell advance)"
	passed=$(passed_on)
	all=$(tell finish)
	broken=$(sed -n 's/.* \([0-9]*\) broken.*/\1/p' <<<"$all")
	echo "  $all"
	on curlybox01 head -n 3 /run/broken | sed 's/^/    /'
	table+=$(printf '  %-24s %11d %10d %8d' "$1" "${advanced% *}" "$passed" \
		"$broken")$'\n'
}

# fresh FILE-TEXT: all begin with that file, and remember nothing
fresh() {
	local host
	on lbdsr0b ip link set eth0 up
	on lbdsr0b ip route replace 172.19.0.0/16 via 172.17.0.3
	for host in "${lbs[@]}"; do on "$host" LoadBalancer/lbr down >/dev/null; done
	for host in "${backends[@]}"; do on "$host" Backend/bkd down >/dev/null; done
	gives "$1" up "${backends[@]::5}" "${lbs[@]}"
	spread 2 5 6
}

network "a client, a router with ECMP, three load balancers, six backends"

say "make, on each of them"
for host in "${lbs[@]}"; do
	on "$host" make -s --no-print-directory -C LoadBalancer >/dev/null
done
for host in "${backends[@]}"; do
	on "$host" make -s --no-print-directory -C Backend >/dev/null
done
echo "  done"

attempt "second chance" "flows: second-chance," "3, state: draining" \
	"8, state: filling"
promised "$held connections" [ "$advanced" = "$held advanced" ]
promised "packets that backends pass on" [ "$passed" -gt 0 ]
promised "0 broken" [ "$broken" = 0 ]

attempt "without" "" "" 8
promised "$held connections" [ "$advanced" = "$held advanced" ]
promised "no packet is passed on" [ "$passed" = 0 ]
promised "some broken" [ "$broken" -gt 0 ]

say "What a load balancer remembers dies with it; what backends have does not"
printf '  %-24s %11s %10s %8s\n' '' connections 'passed on' broken
printf '%s' "$table"
[[ $as_promised ]]
