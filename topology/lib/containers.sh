# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Hosts as containers, for topology/docker: what `up` makes and `down` removes.
# $scenario is the scenario that is meant.
#
# On the default bridge, addresses cannot be chosen: they are given out in order. So hosts
# start in the order of their addresses.
declare -A NETWORK=([front]=bridge)
scenario=

# interfaces_of HOST: prints IFACE SEGMENT IPV4/LEN, one per line
interfaces_of() {
	local i segment address
	while read -r i segment _; do
		[[ $i ]] || continue
		address=$(awk -v i="$i" '$1 == i && $2 ~ /\./ { print $2; exit }' \
			<<<"${ADDRESSES[$1]}")
		echo "$i $segment $address"
	done <<<"${IFACES[$1]}"
}

# all_16: are all segments of the scenario /16? Docker takes no /31, and has too few
# networks for a wire each.
all_16() {
	local h
	for h in "${HOSTS[@]}"; do
		! interfaces_of "$h" | grep -qv '/16$' || return 1
	done
}

# Of a scenario with all_16.
subnet_of() { # SEGMENT
	local h i segment address
	for h in "${HOSTS[@]}"; do
		while read -r i segment address; do
			[[ $segment != "$1" ]] || {
				echo "${address%.*.*}.0.0/16"
				return
			}
		done < <(interfaces_of "$h")
	done
}

in_order() {
	local h
	for h in "${HOSTS[@]}"; do
		echo "$(interfaces_of "$h" | awk 'NR == 1 { print $3 }') $h"
	done | sort -V | cut -d' ' -f2
}

build_image() {
	echo "docker: image $IMAGE (takes minutes when it is new)"
	hint="BASE=IMAGE topology/docker up, with a Debian image that is here" \
		try "build image $IMAGE" docker build -t "$IMAGE" \
		${BASE:+--build-arg BASE="$BASE"} \
		-f "$HERE/Dockerfile" "$ROOT/.ci"
}

start() {
	local h
	make_networks
	try "make volume $BUILD_VOLUME" docker volume create \
		--label "$LABEL=$scenario" "$BUILD_VOLUME"
	# a volume is mounted there, in a tree that is mounted read-only
	[[ -d $ROOT/build ]] || {
		mkdir "$ROOT/build"
		chown --reference="$ROOT" "$ROOT/build"
	}
	while read -r h; do
		run_container "$h"
	done < <(in_order)
	for h in "${HOSTS[@]}"; do
		hint="docker logs $h" try "set up $h" configure "$h"
	done
	for h in "${HOSTS[@]}"; do
		run_services "$h"
	done
}

# Docker's own address, the gateway, would else be the first one, which a host
# may have.
make_networks() {
	local segment subnet
	for segment in "${SEGMENTS[@]}"; do
		subnet=$(subnet_of "$segment")
		: "${NETWORK[$segment]:=l3dsr-$segment}"
		if [[ ${NETWORK[$segment]} == bridge && $(docker network inspect bridge \
			-f '{{range .IPAM.Config}}{{.Subnet}} {{end}}') != *"$subnet"* ]]; then
			NETWORK[$segment]=l3dsr-$segment
		fi
		[[ ${NETWORK[$segment]} != bridge ]] || continue
		hint="docker network ls, for who has that subnet" \
			try "make network ${NETWORK[$segment]}" docker network create \
			--label "$LABEL=$scenario" --subnet "$subnet" \
			--gateway "${subnet%.0.0/16}.255.254" "${NETWORK[$segment]}"
	done
}

# What a container may, and why:
#  NET_ADMIN   attach XDP, set addresses, routes and net sysctls
#  SYS_ADMIN   bpf() (Docker's seccomp profile lets nobody else), mount bpffs
#  NET_RAW     ping and tcpdump
#  apparmor    Docker's profile, where there is AppArmor, forbids mounting
#  systempaths /proc/sys is writable: the tools set sysctls of interfaces, and
#              since Docker 28 `--sysctl` takes none that names an interface
run_container() { # HOST
	local host=$1 i segment address options=() connect=()
	while read -r i segment address; do
		address=${address%/*}
		if [[ ! ${connect[*]}${options[*]} ]]; then
			options=(--network "${NETWORK[$segment]}")
			[[ ${NETWORK[$segment]} == bridge ]] ||
				options+=(--ip "$address")
		else
			connect=(--ip "$address" "${NETWORK[$segment]}")
		fi
	done < <(interfaces_of "$host")
	hint="docker ps -a, for who has that name" \
		try "make container $host" docker create --name "$host" \
		--hostname "$host" --label "$LABEL=$scenario" "${options[@]}" \
		--cap-drop=ALL --cap-add=NET_ADMIN --cap-add=SYS_ADMIN \
		--cap-add=NET_RAW --security-opt apparmor=unconfined \
		--security-opt systempaths=unconfined \
		--sysctl "net.ipv4.ip_forward=$(forwards "$host")" \
		-v "$ROOT:/l3dsr:ro" -v "$BUILD_VOLUME:/l3dsr/build" "$IMAGE"
	[[ ! ${connect[*]} ]] || try "connect $host" docker network connect \
		"${connect[@]:0:2}" "${connect[2]}" "$host"
	try "start $host" docker start "$host"
	check_address "$host"
}

# A container inherits the machine's settings, and a machine with Docker
# forwards.
forwards() { # HOST
	if [[ $1 == lbdsr0a || ${SYSCTLS[$1]} == *forwarding\ 1* ]]; then
		echo 1
	else
		echo 0
	fi
}

check_address() { # HOST
	local want got
	want=$(interfaces_of "$1" | awk 'NR == 1 { print $3 }')
	got=$(docker exec "$1" ip -o -4 address show dev eth0 |
		awk '{ print $4 }')
	[[ $got == "$want" ]] || complain 1 "start $1" \
		"Docker gave it $got, not $want: others are on the default bridge" \
		"docker network inspect bridge, for who they are"
}

# Docker sets eth0's IPv4 address. IPv6 is set without Docker: it crosses a bridge whether
# Docker knows about it or not.
configure() { # HOST
	local key value i rest
	{
		# shellcheck disable=SC2016
		echo 'set -e; umask 022
			mkdir -p /etc/l3dsr
			! [ -e "$1" ] || cp -f "$1" /etc/l3dsr/
			mount -t tracefs tracefs /sys/kernel/tracing
			mount -t debugfs debugfs /sys/kernel/debug
			cd /proc/sys/net/ipv6/conf
			for f in */disable_ipv6 */accept_dad */dad_transmits; do
				echo 0 >$f
			done
			cd /proc/sys'
		while read -r key value; do
			[[ ! $key ]] || echo "echo $value >$key"
		done <<<"${SYSCTLS[$1]}"
		echo 'ip -batch - <<EOF'
		while read -r i rest; do
			[[ ! $i ]] || echo "address replace $rest dev $i"
		done <<<"${ADDRESSES[$1]}"
		echo "${ROUTES[$1]}"
		echo EOF
	} | docker exec -i "$1" sh -s -- \
		"/l3dsr/topology/$scenario/services.yaml"
}

run_services() { # HOST
	local cmd
	while read -r cmd; do
		[[ $cmd ]] || continue
		eval "cmd=($cmd)"
		hint="docker exec $1 ${cmd[*]}" try "run ${cmd[0]##*/} on $1" \
			docker exec "$1" "${cmd[@]}"
	done <<<"${RUNS[$1]}"
}

take_down() {
	remove container "docker rm -fv" "$(ours)"
	remove network "docker network rm" \
		"$(docker network ls -q --filter "label=$LABEL")"
	remove volume "docker volume rm" \
		"$(docker volume ls -q --filter "label=$LABEL")"
}

remove() { # WHAT CMD NAMES
	# shellcheck disable=SC2086
	[[ ! $3 ]] || hint="$2 ${3//$'\n'/ }" try "remove $1" $2 $3
}
