#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A server of the fat tree: that of l3dsr, with streaming.html

set -euo pipefail
here=$(dirname "$(realpath "$0")")

"$here/../l3dsr/serve.sh"
{
	echo "<!doctype html><title>streaming</title><h1>Streamed by $(hostname)</h1><pre>"
	seq 20000
	echo "</pre><p>the end of the stream"
} >/run/nginx/files/streaming.html
