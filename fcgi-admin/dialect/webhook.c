/* webhook.c: Jamf's SCEPChallenge body, and those that look like it. */
#include "fcgi-admin/dialect/webhook.h"

#include <jansson.h>
#include <string.h>

#define TEXT_MAX 128

static void
add(const char *name, const json_t *value, struct buffer *out)
{
	const char *text = json_string_value(value);
	size_t kept = 0;

	if (text == NULL || *text == '\0')
		return;
	buffer_append_format(out, "%s%s ", out->len > 0 ? "; " : "", name);
	for (; *text != '\0' && kept < TEXT_MAX; text++)
		if ((unsigned char)*text >= ' ' && *text != 0x7f) {
			buffer_append(out, text, 1);
			kept++;
		}
}

/* A device is its name, or an object with the names that MDMs give its members. */
static void
add_device(const json_t *device, struct buffer *out)
{
	add("device", device, out);
	add("device", json_object_get(device, "uuid"), out);
	add("device", json_object_get(device, "udid"), out);
	add("serial", json_object_get(device, "serialNumber"), out);
}

void
webhook_describe(struct octets body, struct buffer *out)
{
	json_t *root = NULL;
	const json_t *event;

	if (body.len > 0)
		root = json_loadb((const char *)body.data, body.len, 0, NULL);
	event = json_object_get(root, "event");
	if (event == NULL)
		event = root;
	add("payloadIdentifier", json_object_get(event, "payloadIdentifier"), out);
	add_device(json_object_get(event, "targetDevice"), out);
	add_device(json_object_get(event, "device"), out);
	add_device(json_object_get(root, "targetDevice"), out);
	json_decref(root);
}
