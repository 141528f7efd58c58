/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * devices.h - devices that XDP cannot send out of; see devices.c
 */
#pragma once

#include "common/core/abi_services.h"
#include "common/kernel/kernel.h"

struct device {
	__u32 ifindex;
	__u32 lacks; /* enum device_lacks */
};

/*
 * The devices of this host that lack something. *list is to be freed. Returns
 * their number, or -1 with a fault.
 */
int devices_read(struct device **list, struct fault *fault);
/*
 * What a device lacks, so that at least one attached program cannot send out of
 * it; 0: nothing. kernel_attachments() has to come first.
 */
__u32 device_hinders(const struct kernel *kernel, const struct device *list,
		     int count, int ifindex);
/* Who sends out of the device, for people: xdp_lbr, or only the kernel. */
const char *device_sender(const struct device *list, int count, int ifindex);
/* In words, for people. `lacks` is not 0. */
const char *device_lacks_text(__u32 lacks);

/* Writes the map `devices`. Returns 0, or -1 with a fault. */
int devices_write(const struct kernel *kernel, struct fault *fault);

/*
 * Before anything is changed: refuses a file with a backend that is only
 * reached through such a device, by a method that needs XDP to send. 0 or
 * -1 with a fault.
 */
int devices_refuse(const struct kernel *kernel, const struct config *config,
		   struct fault *fault);
