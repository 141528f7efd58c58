#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# serve.sh start NAME [KEY]: the server, in the background; it is ready when this
# returns, and writes to /run/server, which is the host's own
# serve.sh stop: kills it, with all that it works on

set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../.."

case $1 in
start)
	build/topology/workers/server "$2" 5 "${3-five threads}" \
		>/run/server 2>&1 </dev/null 3>&- &
	echo $! >/run/server.pid
	until grep -qs ' threads$' /run/server; do
		kill -0 "$(</run/server.pid)"
		sleep 0.05
	done
	;;
stop)
	kill -9 "$(</run/server.pid)"
	;;
esac
