# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The main job: `make` on each host, then curl; sourced by topology/demo

requests=40
vip=192.168.25.10

network "client and load balancer on one side of a router, backends on the other"

say "make, on the load balancer and on each backend"
on lbdsr0a make --no-print-directory -C LoadBalancer
for backend in backend0x backend0y; do
	on "$backend" make --no-print-directory -C Backend
done

say "$requests requests to http://$vip/ from curlybox01: who answered"
on curlybox01 curl -sS --max-time 5 --no-keepalive \
	-H 'Connection: close' "http://$vip/[1-$requests]" |
	awk -F': ' '$1 == "Server name" { answers[$2]++; all++ }
		END { for (name in answers) printf "  %-12s %3d\n", name, answers[name]
		      printf "  %-12s %3d of '$requests'\n", "together", all
		      exit all != '$requests' }'

say "One request more, as both programs saw it (trace_pipe shows this live)"
read -r port name < <(on curlybox01 curl -sS --max-time 5 \
	-w '%{local_port}\n' "http://$vip/" |
	awk -F': ' '$1 == "Server name" { name = $2 } END { print $0, name }')
traced curlybox01 ".*:$port > .*"
echo "  answered by $name, straight to the client"

say "What the load balancer counted: lbr show"
on lbdsr0a LoadBalancer/lbr show | sed 's/^/  /'
