# SPDX-License-Identifier: GPL-2.0-only
"""odd_server.py VIP FOLDER: a server at VIP, port 8090. The first words of the path say how it
answers. It writes each request to the file FOLDER/asked, and its process to FOLDER/odd_server."""

import os
import socket
import sys
import threading

vip, folder = sys.argv[1:]


def chunked(text):
    return b"".join(b"%x;a=b\r\n%s\r\n" % (len(c), c) for c in text) + b"0\r\n\r\n"


def serve(c):
    asked = b""
    while b"\r\n\r\n" not in asked:
        asked += c.recv(4096)
    open(f"{folder}/asked", "ab").write(asked)
    line = asked.split(b"\r\n")[0]
    if not line.endswith(b" HTTP/1.1"):
        c.sendall(b"HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\n\r\n")
    elif line.startswith(b"GET /chunks"):
        c.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"
                  b"Transfer-Encoding: chunked\r\n\r\n" + chunked([b"all is f", b"ine here"]))
        c.recv(1)  # the server leaves the connection open
    elif line.startswith(b"GET /length"):
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall is fine")
        c.recv(1)
    elif line.startswith(b"GET /headers"):
        c.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            c.sendall(b"X-Endless: " + b"x" * 8192 + b"\r\n")
    elif line.startswith(b"GET /endless"):
        c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            c.sendall(b"1\r\nx\r\n" * 1000)
    elif line.startswith(b"GET /trickle"):
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        c.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            c.sendall(b"x")
    c.close()


def guarded(c):
    try:
        serve(c)
    except OSError:
        c.close()


s = socket.socket()
s.bind((vip, 8090))
s.listen()
open(f"{folder}/odd_server", "w").write(str(os.getpid()))
while True:
    threading.Thread(target=guarded, args=(s.accept()[0],), daemon=True).start()
