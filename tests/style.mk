# SPDX-License-Identifier: GPL-2.0-only
#
# make -f tests/style.mk [-k -j N] clang-format|shellcheck|sparse
#
# Asks each file what it has not been asked since it was changed, or what it
# includes was; an answer lives in build/style/, by the version of the tool.
# Run from the root of the tree. sparse looks at what has been built.

OUT := build/style
# All files that git knows or that are about to be added
tree := $(shell git ls-files -co --exclude-standard | \
	while read -r file; do [ ! -f "$$file" ] || echo "$$file"; done)
ifeq ($(tree),)
$(error git lists no file here: style is for a clone, run by its owner)
endif
version = $(firstword $(shell $(1) --version 2>&1 | cksum))

.PHONY: clang-format shellcheck sparse
.SECONDEXPANSION:

FORMAT := $(OUT)/clang-format-$(call version,clang-format)
clang-format: $(patsubst %,$(FORMAT)/%,$(filter %.c %.h,$(tree)))
	@:

$(FORMAT)/%: % .clang-format
	@mkdir -p $(@D)
	@clang-format --dry-run -Werror $< && touch $@

# A script may source another one, so if one changes, all are looked at again.
SHELL_CHECK := $(OUT)/shellcheck-$(call version,shellcheck)
bats := $(filter %.bats,$(tree))
sourced := $(filter %.bash topology/%.sh,$(tree))
scripts := $(sort $(sourced) $(shell awk 'FNR == 1 && /^\#!\/bin\/(ba)?sh/ { \
	print FILENAME } { nextfile }' $(filter-out $(bats),$(tree))))
shellcheck: $(patsubst %,$(SHELL_CHECK)/%,$(scripts) $(bats))
	@:

$(SHELL_CHECK)/%: % $(sourced)
	@mkdir -p $(@D)
	@shellcheck -x $(if $(filter %.bats,$<),-s bats) $< && touch $@

# Byte order: __beNN and __uNN must not be mixed. What sparse thinks of the
# system's headers is not ours; a header that it does not find, is. An object is built again when a header changes.
# Tests whose expected values are bare numbers are left out.
SPARSE := $(OUT)/sparse-$(call version,sparse)
SPARSE_FLAGS := -std=gnu11 -I. -Ibuild -D__CHECK_ENDIAN__ -Wno-decl -Wbitwise \
	-I/usr/include/$(shell gcc -print-multiarch)
ours := ^(common|LoadBalancer|Backend|tests)/.*
byte_order := $(ours)(restricted|different base types|byte|unable to open)
bare := $(addprefix tests/unit/test_,flows% tunnel% watch% write%)
sparse: $(patsubst %,$(SPARSE)/%,$(filter-out %.bpf.c $(bare),$(filter \
	common/%.c LoadBalancer/%.c Backend/%.c tests/unit/%.c,$(tree))))
	@:

$(SPARSE)/%: % $$(wildcard build/$$(basename %).o)
	@mkdir -p $(@D)
	@! sparse $(SPARSE_FLAGS) $< 2>&1 | grep -E '$(byte_order)' && touch $@
