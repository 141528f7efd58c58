# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# ssh.bash - a port of the load balancer's own beside those of its services

# serve_ssh PIDFILE: serves port 2222 of every address of the load balancer
serve_ssh() {
	on "$LB" /usr/bin/python3 - "$1" >/dev/null 2>&1 3>&- <<-'EOP' &
		import os, socket, sys

		server = socket.create_server(("::", 2222), family=socket.AF_INET6,
		                              dualstack_ipv6=True)
		with open(sys.argv[1], "w") as file:
		    file.write(str(os.getpid()))
		while True:
		    client, _ = server.accept()
		    client.sendall(b"SSH-2.0-test\r\n")
		    client.close()
	EOP
	wait_for 10 test -s "$1"
}

# ssh ADDRESS: gets the greeting of port 2222 there
ssh() {
	on "$CLIENT" timeout 2 bash -c "grep -m 1 -q SSH-2.0 </dev/tcp/$1/2222" \
		2>/dev/null
}
