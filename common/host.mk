# SPDX-License-Identifier: GPL-2.0-only
#
# host.mk - `make` on a host: build, attach, show
#
#	make [IFACE="eth0 ..."] [CONFIG=FILE] [MODE=auto|native|generic]
#	     [TRACE=new|all|off]
#	make detach	undo what `make` did to this host
#	make build	only build
#	make clean	detach, and remove what was built

IFACE ?= eth0
MODE ?= auto
TRACE ?= new
CONFIG ?= # see common/host-file

.DEFAULT_GOAL := attach
.PHONY: attach detach build clean

build:
	@CC='$(CC)' CLANG='$(CLANG)' $(ROOT)/common/build-needs
	@$(AS_OWNER) $(LOCKED) $(MAKE) --no-print-directory $(PARALLEL) \
		locked-build

attach: build
	@file='$(CONFIG)'; \
	[ "$$file" ] || file=$$($(ROOT)/common/host-file) || exit; \
	./$(TOOL) up $(addprefix -i ,$(IFACE)) -m $(MODE) -c "$$file" -t $(TRACE)
	@./$(TOOL) show interfaces
	@echo "cat /sys/kernel/tracing/trace_pipe"

detach: build
	@./$(TOOL) down

# Only root can have attached anything, and the tool is needed to detach it.
clean:
	@if [ "$$(id -u)" = 0 ] && [ -d /sys/fs/bpf/l3dsr ]; then \
		$(MAKE) --no-print-directory detach; fi
	@$(LOCKED) rm -rf $(OUT)
