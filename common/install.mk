# SPDX-License-Identifier: GPL-2.0-only
#
# install.mk - where things are installed; included by the Makefile
#
#	make install	[PREFIX=/usr/local] [DESTDIR=]
#	make uninstall	the same files

PREFIX ?= /usr/local
DESTDIR ?=
SBIN := $(PREFIX)/sbin
MAN := $(PREFIX)/share/man
COMPLETIONS := $(PREFIX)/share/bash-completion/completions
UNITS := $(PREFIX)/lib/systemd/system
EXAMPLES := $(PREFIX)/share/doc/l3dsr

UNIT_FILES := $(UNITS)/lbr.service $(UNITS)/lbr-attached.service \
	$(UNITS)/lbr-run.service $(UNITS)/bkd@.service \
	$(UNITS)/bkd-attached@.service $(UNITS)/bkd-run.service
FILES := $(SBIN)/lbr $(SBIN)/bkd \
	$(MAN)/man8/lbr.8 $(MAN)/man8/bkd.8 $(MAN)/man5/l3dsr.yaml.5 \
	$(COMPLETIONS)/lbr $(COMPLETIONS)/bkd $(EXAMPLES)/services.yaml \
	$(UNIT_FILES)

.PHONY: install uninstall

install: all man
	install -D -m 755 build/LoadBalancer/lbr $(DESTDIR)$(SBIN)/lbr
	install -D -m 755 build/Backend/bkd $(DESTDIR)$(SBIN)/bkd
	install -D -m 644 -t $(DESTDIR)$(MAN)/man8 build/man/lbr.8 build/man/bkd.8
	install -D -m 644 -t $(DESTDIR)$(MAN)/man5 build/man/l3dsr.yaml.5
	install -D -m 644 build/LoadBalancer/completion $(DESTDIR)$(COMPLETIONS)/lbr
	install -D -m 644 build/Backend/completion $(DESTDIR)$(COMPLETIONS)/bkd
	install -D -m 644 -t $(DESTDIR)$(EXAMPLES) topology/l3dsr/services.yaml
	install -d $(DESTDIR)$(UNITS)
	for unit in $(notdir $(UNIT_FILES)); do \
		sed -e 's,@SBIN@,$(SBIN),' -e '/@HARDENED@/{r common/install/hardened' \
			-e 'd}' "common/install/$$unit.in" >"$(DESTDIR)$(UNITS)/$$unit" && \
		chmod 644 "$(DESTDIR)$(UNITS)/$$unit" || exit 1; \
	done

uninstall:
	rm -f $(FILES:%=$(DESTDIR)%)
