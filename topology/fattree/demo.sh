# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Load balancers behind ECMP, in a fat tree: which of them a flow reaches, and what
# happens to connections when they come and go; sourced by topology/demo

# shellcheck disable=SC2154 # topology/demo's, and scene.sh's
# shellcheck source=/dev/null
. "$here/fattree/scene.sh"

each=50 # connections of each client
held=$((each * ${#CLIENTS[@]}))
table=

# row WHAT SEEN: a line of the table at the end
row() {
	table+=$(printf '  %-56s %s' "$1" "$2")$'\n'
	echo "  $2"
}

# attempt TITLE KEYS DRAINED HEAVY ADDED: connections are held meanwhile; DRAINED,
# HEAVY and ADDED are rows of the file after the change; sets $advanced, $passed and
# $broken
attempt() {
	local before after
	before=$(file "$2" h13 h14 h15)
	# shellcheck disable=SC2086 # none, or one
	after=$(file "$2" ${3:+"$3"} "$4" h15 "$5")
	fresh "$before"
	talk "$each"
	advanced=$(advance)
	echo "  $advanced of $held are answered, through h1 and h2, by h13, h14 and h15"
	changed "$after" "$3"
	echo "  $(advance): h16 is a server, too, h13 no more for new connections, and h14" \
		"gets twice as many; h2 knows it, h1 does not yet"
	dies h1
	ways 1 t1
	echo "  $(advance): h1 is dead, and t1 sends all of it to h2"
	joins h1 "$after" t1 2
	echo "  $(advance): h1 is back"
	joins h3 "$after" t2 1
	echo "  $(advance): h3 is a load balancer, too, below another switch"
	advance >/dev/null
	passed=$(passed_on)
	finish
	on h3 topology/fattree/announce off
	row "$1: broken, of $held" "$broken"
	head -n 3 "$scratch/broken" | sed 's/^/    /'
}

network "a fat tree: 20 switches, 16 hosts"

say "make, on two load balancers and four servers; both announce $VIP"
for host in h1 h2; do
	on "$host" make -s --no-print-directory -C LoadBalancer >/dev/null
done
for host in "${SERVERS[@]}"; do
	on "$host" make -s --no-print-directory -C Backend >/dev/null
done
for host in h1 h2; do on "$host" topology/fattree/announce on; done
everywhere
on t1 ip route show "$VIP" | sed 's/^/  /'
look t1 t1 eth0 eth1

say "Each host pings each"
pairs=$(pinged "${HOST_ADDRESSES[@]}" -- h{1..16})
row "pairs of hosts that ping each other, of 256" "$pairs"
promised "all pairs" [ "$pairs" = 256 ]

say "Each client pings $VIP: by which port of t1 does it leave?"
answered=$(pinged "$VIP" -- "${CLIENTS[@]}")
by=$(crowd_asked pings t1)
echo "  $by"
h1=$(grep -o '=eth0\>' <<<"$by" | wc -l) h2=$(grep -o '=eth1\>' <<<"$by" | wc -l)
row "clients whose ping is answered, of 10; by h1, by h2" "$answered, $h1, $h2"
promised "each ping reaches one load balancer" [ "$answered $((h1 + h2))" = '10 10' ]
promised "some the one, some the other" [ "$h1" -gt 0 -a "$h2" -gt 0 ]

say "100 connections of each client"
answered=$(requests 100)
by=$(crowd_asked flows t1)
echo "  $by"
[[ $by =~ eth0=([0-9]+)\ eth1=([0-9]+)\ several=([0-9]+) ]]
h1=${BASH_REMATCH[1]} h2=${BASH_REMATCH[2]} both=${BASH_REMATCH[3]}
row "connections answered, of 1000; by h1, by h2, by both" \
	"$answered, $h1, $h2, $both"
promised "all are answered" [ "$answered" = 1000 ]
promised "each by one load balancer" [ "$((h1 + h2)) $both" = '1000 0' ]
promised "by each 40 to 60 %" [ "$h1" -ge 400 -a "$h1" -le 600 ]

say "Each client: wget http://$VIP/streaming.html"
# shellcheck disable=SC2016
fetched=$(each_of "${CLIENTS[@]}" -- sh -c 'wget -qO - -T 10 "$0" |
	sed -n "s/.*Streamed by \(h[0-9]*\).*/\1/p; s/.*end of the stream/whole/p" |
	xargs' "http://$VIP/streaming.html")
sort <<<"$fetched" | uniq -c | sed 's/^  */  /'
row "clients with the whole page, of 10" "$(grep -c ' whole$' <<<"$fetched")"
promised "all clients" [ "$(grep -cE '^h1[3-6] whole$' <<<"$fetched")" = 10 ]

found=$(crowd_asked faults t1)
row "until then, looped, TTL spent, protocol unreachable" "$found"
promised "none" [ "$found" = 'looped=0 exceeded=0 unreachable=0' ]

say "With second chance: $held connections"
attempt "with second chance" "flows: second-chance," "h13, state: draining" \
	"h14, weight: 2, weight-before: 1" "h16, state: filling"
promised "$held connections" [ "$advanced" = "$held" ]
promised "packets that servers pass on" [ "$passed" -gt 0 ]
promised "0 broken" [ "$broken" = 0 ]

say "The same without states in the file"
attempt "without" "" "" "h14, weight: 2" h16
promised "$held connections" [ "$advanced" = "$held" ]
promised "some broken" [ "$broken" -gt 0 ]

found=$(crowd_asked faults t1)
row "meanwhile, looped, TTL spent, protocol unreachable" "$found"
promised "none" [ "$found" = 'looped=0 exceeded=0 unreachable=0' ]

say "What others have seen, made on purpose"
echo "  servers without xdp_bkd; then h1 alone, whose kernel routes"
without_bkd
unreachable=$(crowd_asked faults t1)
row "servers that do not take a packet out of another one" "$unreachable"
promised "protocol unreachable" grep -qv 'unreachable=0' <<<"$unreachable"
without_lbr
looped=$(crowd_asked faults t1)
row "a load balancer that routes instead" "$looped"
promised "the loop" grep -q 'exceeded=[1-9]' <<<"$looped"

say "All that was seen"
printf '%s' "$table"
[[ $as_promised ]]
