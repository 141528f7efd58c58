# SPDX-License-Identifier: GPL-2.0-only
#
#	make		build both programs and both tools; touch nothing else
#	make man	the manual: man ./build/man/lbr.8 (bkd.8, l3dsr.yaml.5)
#	make compile_commands.json	for clangd and clang-tidy
#	make install	tools, manual, units for systemd, what bash completes;
#			PREFIX=/usr/local DESTDIR= (make uninstall)
#	make deps	install what is needed to build and to play (root);
#			GROUP="build play test": to test, too
#	make demo	see it work (root; about 20 s, then all is gone again);
#			SCENARIO=dropper: another one (topology/demo --list)
#	make demo-docker	the same in Docker's containers (root)
#	make quick	build what was changed, and run the unit tests that are
#			built of it
#	make check	what needs no network: build, unit, prog, style; with
#			root for prog
#	make test	check, scenarios with real traffic, fuzzers (root)
#	make test-fresh	the README's commands, on machines made for them (root)
#	make test-docker	the same network as Docker's containers (root)
#	make test-kernels	the same on other kernels, in QEMU (hours: see
#			tests/kernels/README.md)
#	make test-changes	10,000 connections while all is changed
#			(root; 20 min)
#	make test-fleet	2,000 connections, the pool changes, load balancers die
#			(root; 40 min; tests/fleet/run --list)
#	make test-announce	VIPs handed over: bird, ExaBGP, keepalived, anycast
#			(root; 3 min)
#	make test-fattree	load balancers come and go in a fat tree, and controls
#			(root; 1 min)
#	make test-locks	each verb, stopped at 20 moments of its life
#			(root; 10 min)
#	make test-workers	a million requests to workers, on two CPUs (root)
#	make test-nat	a million flows by nat, on two CPUs (root)
#	make test-lifecycle	demos, stopped at 20 moments of their life
#			(root; 20 min)
#	make test-fuzz	each fuzzer for five minutes
#	make test-long	all that is not in test
#	make mutants	put faults into the code, and see tests fail (root)
#	make bench	what a packet costs in the data path (root; 5 min)
#	make bench-net	... with the network around it, beside others (root; 1 min)
#	make bench-apply	what a change of the configuration costs
#			(root; 2 min)
#	make bench-workers	how long requests to worker threads take, by scheduler
#			(root; 3 min)
#	make clean	remove what was built
#
# On a host: make -C LoadBalancer, make -C Backend.

ROOT := $(CURDIR)
ROLE := common
include common/build.mk
include common/install.mk

.DEFAULT_GOAL := all
.PHONY: FORCE all man deps demo demo-docker quick check test test-fresh \
	test-docker test-kernels test-changes test-fleet test-announce \
	test-fattree test-locks \
	test-lifecycle test-fuzz test-workers test-nat test-long \
	mutants bench bench-net bench-apply bench-workers clean

all:
	@$(AS_OWNER) $(LOCKED) $(MAKE) --no-print-directory $(PARALLEL) \
		-C LoadBalancer locked-build
	@$(AS_OWNER) $(LOCKED) $(MAKE) --no-print-directory $(PARALLEL) \
		-C Backend locked-build

man:
	@$(AS_OWNER) $(LOCKED) $(MAKE) --no-print-directory $(PARALLEL) \
		-C LoadBalancer locked-man
	@$(AS_OWNER) $(LOCKED) $(MAKE) --no-print-directory $(PARALLEL) \
		-C Backend locked-man

# Needs jq. The skeletons must be there, or clangd misses them.
compile_commands.json: all FORCE
	@$(AS_OWNER) sh -c '.ci/compile-commands >$@.new && mv $@.new $@'

# What is needed to build, and to play; `test` is the third (see .ci/packages).
GROUP ?= build play
deps:
	@.ci/dependencies $(GROUP)

SCENARIO ?= l3dsr
demo: deps
	@$(MAKE) --no-print-directory all
	@topology/demo $(SCENARIO)

demo-docker: deps
	@if none=$$(topology/docker-engine --find 2>&1 >/dev/null); then \
		topology/docker-engine topology/demo --docker $(SCENARIO); \
	else echo "  SKIP	docker ($$none)"; fi

test test-fresh test-docker test-kernels test-changes test-fleet \
	test-announce test-fattree test-locks test-lifecycle test-fuzz \
	test-workers test-nat test-long \
	mutants bench bench-net bench-apply bench-workers: GROUP := build play test

# These install nothing, and say what is missing.
quick:
	@$(AS_OWNER) tests/run quick

check:
	@tests/run check

test: deps
	@tests/run test

# one machine only: ROOTS=debian-13
test-fresh: deps
	@.ci/dependencies fresh
	@tests/fresh/run $(ROOTS)

test-docker: deps
	@tests/run docker

test-kernels: deps
	@.ci/dependencies kernels
	@tests/kernels/run $(KERNELS)

# Ten thousand connections, while all is changed 20 times.
test-changes: deps
	@$(MAKE) --no-print-directory all
	@HELD=10000 PAUSE=4 ROUNDS=20 KILLS=20 APPLIES=200 RATE=1000 \
		bats tests/net/changes.bats
	@HELD=10000 PAUSE=4 ROUNDS=20 \
		bats -f 'held connections' tests/net/nat-flows.bats

# Each pair of: a change, a method, a mode, a family and others; then each row of
# fleet.bats in both modes and of both families.
test-fleet: deps
	@$(MAKE) --no-print-directory all
	@status=0; tests/fleet/run || status=1; \
	for vip in 192.168.25.10 2001:db8:25::10; do \
		for mode in generic native; do \
			echo "# $$mode, $$vip"; \
			FLOWS=2000 PAUSE=2 FLEET_MODE=$$mode FLEET_VIP=$$vip \
				bats tests/net/fleet.bats || status=1; \
		done; \
	done; exit $$status

# A thousand connections while a load balancer leaves; each way to announce VIPs.
test-announce: deps
	@$(MAKE) --no-print-directory all
	@FLOWS=1000 TALK_LIMIT=120 bats tests/net/announce.bats \
		tests/fleet/announce-by.bats

test-fattree: deps
	@$(MAKE) --no-print-directory all
	@bats tests/net/fattree.bats
	@topology/demo fattree

# Each verb of both tools, stopped 20 times, while `run` has something to do.
test-locks: deps
	@$(MAKE) --no-print-directory all
	@LOCKS_ROUNDS=20 bats -f 'a verb that was stopped' tests/net/locks.bats

test-lifecycle: deps
	@$(MAKE) --no-print-directory all
	@LIFECYCLE_MOMENTS=20 bats -f 'leaves nothing behind' \
		tests/net/lifecycle.bats

test-fuzz: deps
	@$(AS_OWNER) $(MAKE) --no-print-directory -C tests/fuzz run SECONDS=300

# A million requests on two CPUs, with the laws looked at in between.
test-workers: deps
	@$(MAKE) --no-print-directory all
	@$(AS_OWNER) $(MAKE) --no-print-directory -s -C tests/prog
	@WORKERS_REQUESTS=1000000 tests/prog/run 'workers: the law'

# A million flows by nat on two CPUs.
test-nat: deps
	@$(MAKE) --no-print-directory all
	@$(AS_OWNER) $(MAKE) --no-print-directory -s -C tests/prog
	@NAT_FLOWS=1000000 tests/prog/run 'nat: the law'

test-long: test-fresh test-docker test-kernels test-changes test-fleet \
	test-announce test-fattree test-locks test-lifecycle test-fuzz test-workers test-nat

# Known faults, and small ones drawn by lot; or one: MUTANTS=unit-hash-port
mutants: deps
	@status=0; \
	tests/mutants/known $(MUTANTS) || status=1; \
	$(if $(MUTANTS),,tests/mutants/small || status=1;) \
	exit $$status

bench: deps
	@$(AS_OWNER) $(MAKE) --no-print-directory -s -C tests/bench
	@tests/bench/run

bench-net: deps
	@$(AS_OWNER) $(MAKE) --no-print-directory -s -C tests/bench
	@tests/bench/run -l

bench-apply: deps
	@$(AS_OWNER) $(MAKE) --no-print-directory -s -C tests/bench
	@tests/bench/run -a

bench-workers: deps
	@$(AS_OWNER) $(MAKE) --no-print-directory -s -C tests/bench
	@tests/bench/run -w

clean:
	@rm -rf build
