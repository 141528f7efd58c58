# SPDX-License-Identifier: GPL-2.0-only
#
# build.mk - how programs, tools and tests are compiled
#
# Included by LoadBalancer/Makefile and Backend/Makefile, which set ROLE (the
# folder), TOOL, PROGRAM and PAGES (of the manual). Everything is built in
# build/, and the tool's name beside its source is a link into it, so the tree
# can be mounted read-only.
#
# Hosts that share this tree may all run `make` at once, so a build locks the
# tree. Under sudo the build runs as the user who called sudo, if the tree is
# theirs, so that root owns no file in it.

ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
BUILD := $(ROOT)/build
OUT := $(BUILD)/$(ROLE)

CC ?= cc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
VERSION := 0.1

CPPFLAGS += -I$(ROOT) -I$(BUILD) -DL3DSR_VERSION='"$(VERSION)"'
CFLAGS ?= -O2 -g
CFLAGS += -std=gnu11 -Wall -Wextra -Werror
LDLIBS := -pthread -lbpf -lyaml -lmnl -ljansson -lmd -levent_core \
	-levent_openssl -lssl -lcrypto

# Debian keeps the UAPI's asm headers in the directory of the architecture,
# which clang does not search for the target bpf.
BPF_CFLAGS := -target bpf -O2 -g -Wall -Wextra -Werror -I$(ROOT) -I$(BUILD) \
	-idirafter /usr/include/$(shell $(CC) -print-multiarch 2>/dev/null)

OWNER := $(shell stat -c %u $(ROOT))
AS_OWNER := $(if $(filter 0,$(shell id -u)),$(if $(SUDO_UID),$(if \
	$(filter $(SUDO_UID),$(OWNER)),setpriv --reuid $(SUDO_UID) \
	--regid $(SUDO_GID) --clear-groups)))
LOCKED := flock $(ROOT)
# As many jobs as there are processors, unless make was told how many. For
# recipes: make knows its own flags only then.
PARALLEL = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1)	$(patsubst $(ROOT)/%,%,$(2))")

# What a tool is linked of: every room of common/ and of the role.
common_sources := $(filter-out $(ROOT)/common/man/% $(ROOT)/common/install/%, \
	$(wildcard $(ROOT)/common/*/*.c))
common_objects := $(common_sources:$(ROOT)/%.c=$(BUILD)/%.o)
tool_sources := $(wildcard $(ROOT)/$(ROLE)/*.c $(ROOT)/$(ROLE)/*/*.c)
tool_objects := $(filter-out %.bpf.o,$(tool_sources:$(ROOT)/%.c=$(BUILD)/%.o))
skeletons := $(patsubst $(ROOT)/%.bpf.c,$(BUILD)/%.skel.h,$(filter \
	%.bpf.c,$(tool_sources)))

# Called again by the rules below, inside the lock.
.PHONY: locked-build
locked-build: $(OUT)/$(TOOL) $(OUT)/completion
	@:

$(OUT)/$(TOOL): $(tool_objects) $(common_objects)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

include $(ROOT)/common/schedulers.mk

# Skeletons are built first; the .d files know which object includes one.
$(tool_objects): | $(skeletons)
$(common_objects): | $(schedulers)

$(BUILD)/%.o: $(ROOT)/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.bpf.o: $(ROOT)/%.bpf.c
	$(call say,CLANG,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

# The file of each method that has a row.
methods := $(OUT)/datapath/methods/all.bpf.h
$(methods): $(ROOT)/common/core/method.h
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)sed -n 's|^METHOD(\([a-z0-9_]*\),.*|#include "$(ROLE)/datapath/methods/\1.bpf.h"|p' \
		$< >$@.new && mv $@.new $@

$(skeletons:.skel.h=.bpf.o): $(methods) $(schedulers)

$(OUT)/%.skel.h: $(OUT)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(notdir $*)_bpf >$@.new && mv $@.new $@

# The page that `run` serves, as an array of C, without what only its reader
# needs: of a string, sparse takes 8191 characters.
$(OUT)/page.h: $(ROOT)/common/serve/page.html $(ROOT)/$(ROLE)/page.js
	$(call say,PAGE,$@)
	$(Q)mkdir -p $(@D)
	$(Q)sed -e '/@SCRIPT@/{r $(ROOT)/$(ROLE)/page.js' -e 'd}' $< | \
		sed -e 's/^[[:blank:]]*//; /^\/\//d' \
			-e 's/@TOOL@/$(TOOL)/g; s/@PROGRAM@/$(PROGRAM)/g' | \
		od -An -v -td1 | sed -e '1s/^/{/; s/\([0-9]\) *$$/\1,/' \
			-e 's/\([0-9]\)  */\1, /g' -e '$$s/$$/ 0}/' >$@.new && \
		mv $@.new $@

$(OUT)/verbs/status.o: $(OUT)/page.h

# What bash completes, from the same tables.
$(OUT)/complete: $(BUILD)/common/install/complete.o $(filter-out %/main.o, \
		$(tool_objects) $(common_objects))
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(OUT)/completion: $(OUT)/complete
	$(call say,GEN,$@)
	$(Q)$< >$@.new && mv $@.new $@

# The manual: a page's prose, filled in from the tool's tables.
.PHONY: locked-man
locked-man: $(PAGES:%=$(BUILD)/man/%)
	@:

$(OUT)/man: $(BUILD)/common/man/man.o $(filter-out %/main.o,$(tool_objects) \
		$(common_objects))
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/man/%: $(ROOT)/common/man/% $(ROOT)/common/man/both.8 \
		$(ROOT)/common/man/doctor.8 $(ROOT)/common/man/json.8 \
		$(OUT)/man
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)cd $(<D) && $(OUT)/man $(<F) >$@.new && mv $@.new $@

.PRECIOUS: $(BUILD)/%.bpf.o
# Only of what is built now: files that have moved leave others behind.
-include $(patsubst %.o,%.d,$(tool_objects) $(common_objects) \
	$(skeletons:.skel.h=.bpf.o) $(BUILD)/common/man/man.o \
	$(BUILD)/common/install/complete.o)
