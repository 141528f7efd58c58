# SPDX-License-Identifier: GPL-2.0-only
#
# schedulers.mk - the file of each scheduler that has a row
#
# For who compiles common/core/schedule.h; needs ROOT and BUILD, which is on the
# path of headers.

schedulers := $(BUILD)/common/core/schedulers/all.h

$(schedulers): $(ROOT)/common/core/scheduler.h
	@mkdir -p $(@D)
	$(Q)sed -n 's|^SCHEDULER([A-Z0-9_]*, *\([a-z0-9_]*\),.*|#include "common/core/schedulers/\1.h"|p' \
		$< >$@.new && mv $@.new $@
