#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# host.sh NAME SERVICES: makes the namespaces it is started in a host.

set -euo pipefail
name=$1 services=$2

hostname "$name"

# A sysfs shows the network namespace it was mounted from.
mount -t sysfs sysfs /sys
mount -t bpf -o mode=0700 bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug
mount -t tmpfs -o mode=0755 run /run
mkdir -p /run/lock /run/etc/upper /run/etc/work

# An overlay cannot be stacked on two others (containers in containers): copy.
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work \
	etc /etc 2>/dev/null || {
	cp -a /etc/. /run/etc/upper
	mount --bind /run/etc/upper /etc
}
rm -rf /etc/l3dsr
mkdir /etc/l3dsr
# A copy, so that changes on a host stay on that host.
[[ ! -e $services ]] || cp "$services" /etc/l3dsr/services.yaml

# A new network namespace has the kernel's defaults for IPv6 but inherits the
# machine's IPv4 settings: a machine that forwards must not make its hosts
# forward.
cd /proc/sys/net
for conf in ipv4/conf/{all,default}; do
	echo 0 >"$conf/forwarding"
	echo 0 >"$conf/rp_filter"
	echo 0 >"$conf/arp_ignore"
	echo 0 >"$conf/arp_announce"
	echo 1 >"$conf/send_redirects"
	echo 1 >"$conf/accept_redirects"
done
# No duplicate address detection: no other host on these segments can have these
# addresses.
for conf in ipv6/conf/{all,default}; do
	echo 0 >"$conf/disable_ipv6"
	echo 0 >"$conf/forwarding"
	echo 0 >"$conf/accept_dad"
	echo 0 >"$conf/dad_transmits"
done
