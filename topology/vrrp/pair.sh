#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# pair.sh start [use_vmac]: keepalived on a load balancer, in the background,
#	with docs/examples/keepalived.conf
# pair.sh stop: ends it, which withdraws the VIPs
# pair.sh kill: kills it; the VIPs stay where they are
#
# What it says is in /run/keepalived.log, which is the host's own.

set -euo pipefail
root=$(realpath "$(dirname "$0")/../..")
PATH=$PATH:/usr/sbin:$root/build/keepalived/usr/sbin

# The file names an lbr that is installed, which no other host sees.
installed() {
	[[ ! -e /usr/local/sbin/lbr ]] || return 0
	mount -t tmpfs tmpfs /usr/local/sbin
	cp "$root/LoadBalancer/lbr" /usr/local/sbin/
}

case ${1-} in
start)
	while [[ -e /run/keepalived.pid ]]; do sleep 0.02; done
	installed
	sed "s/# use_vmac/${2:-&}/" "$root/docs/examples/keepalived.conf" \
		>/run/keepalived.conf
	keepalived -n -l -D -P -f /run/keepalived.conf -p /run/keepalived.pid \
		-r /run/keepalived.vrrp </dev/null >/run/keepalived.log 2>&1 3>&- &
	;;
stop)
	read -r pid </run/keepalived.pid
	kill "$pid"
	;;
kill)
	# A parent that lives starts another child; a child whose parent has
	# died withdraws the VIPs.
	read -r parent </run/keepalived.pid
	read -r child </run/keepalived.vrrp
	kill -STOP "$parent"
	kill -9 "$child" "$parent"
	rm /run/keepalived.pid /run/keepalived.vrrp
	;;
*)
	echo "usage: pair.sh start [use_vmac] | stop | kill" >&2
	exit 2
	;;
esac
