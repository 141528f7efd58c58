// SPDX-License-Identifier: GPL-2.0-only
#include "common/serve/status.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/cli/report.h"

/* NULL if it cannot be read. If the program is not up, it says little. */
static json_t *snapshot(const struct status *status)
{
	struct fault ignored;
	int rc, left = KERNEL_READS;
	struct kernel kernel;
	char host[64] = "";
	int attached;
	bool changed;
	json_t *root;

	do {
		root = NULL;
		rc = kernel_open(&kernel, status->role, ACCESS_READ, &ignored);
		if (!rc && !kernel_attachments(&kernel, &ignored))
			root = report_sections(&kernel, NULL, &ignored);
		else if (rc == KERNEL_NOT_UP)
			root = json_object();
		if (root)
			status->role->status_source->add(
				status->data, rc ? NULL : &kernel, root);
		attached = kernel.attachment_count;
		changed = !rc && kernel_changed(&kernel) && left--;
		kernel_close(&kernel);
		if (changed)
			json_decref(root);
	} while (changed);
	if (root)
		json_object_set_new(root, "attached-interfaces",
				    json_integer(attached));
	if (!root)
		return NULL;
	gethostname(host, sizeof(host) - 1);
	json_object_set_new(root, "host", json_text(host));
	json_object_set_new(root, "version", json_string(L3DSR_VERSION));
	json_object_set_new(root, "layout", json_string(L3DSR_LAYOUT));
	json_object_set_new(root, "up", json_boolean(attached));
	json_object_set_new(root, "started",
			    json_integer((json_int_t)status->started));
	return root;
}

static int json_write(void *data, struct evbuffer *out)
{
	json_t *root = snapshot(data);
	char *text;

	root = root ? json_with_schema(root) : NULL;
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	if (text)
		evbuffer_add_printf(out, "%s\n", text);
	free(text);
	json_decref(root);
	return text ? 0 : -1;
}

static int text_write(void *data, struct evbuffer *out)
{
	const struct status *status = data;
	json_t *root = snapshot(status);

	if (!root)
		return -1;
	metrics_write(status->role->status_source->metrics, root, out);
	json_decref(root);
	return 0;
}

static int page_write(void *data, struct evbuffer *out)
{
	const struct status *status = data;
	const char *page = status->role->status_source->page;

	return evbuffer_add_reference(out, page, strlen(page), NULL, NULL);
}

const struct document_at status_documents[] = {
	{"/", "text/html; charset=utf-8", page_write, 1},
	{"/status", "application/json", json_write, 0},
	{"/metrics", "text/plain; version=0.0.4; charset=utf-8", text_write, 0},
	{0},
};
