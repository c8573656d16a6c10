/* webhook.c: Jamf's SCEPChallenge body, and those that look like it. */
#include "fcgi-admin/dialect/webhook.h"

#include <jansson.h>
#include <string.h>

#define TEXT_MAX 128

static void
add_text(const char *name, struct octets text, struct buffer *out)
{
	size_t kept = 0;

	if (text.len == 0)
		return;
	buffer_append_format(out, "%s%s ", out->len > 0 ? "; " : "", name);
	for (size_t i = 0; i < text.len && kept < TEXT_MAX; i++)
		if (text.data[i] >= ' ' && text.data[i] != 0x7f) {
			buffer_append(out, &text.data[i], 1);
			kept++;
		}
}

static void
add(const char *name, const json_t *value, struct buffer *out)
{
	if (json_is_string(value))
		add_text(name, octets_of_string(json_string_value(value)), out);
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

static void
describe_json(const json_t *root, struct buffer *out)
{
	const json_t *event = json_object_get(root, "event");

	if (event == NULL)
		event = root;
	add("payloadIdentifier", json_object_get(event, "payloadIdentifier"), out);
	add_device(json_object_get(event, "targetDevice"), out);
	add_device(json_object_get(event, "device"), out);
	add_device(json_object_get(root, "targetDevice"), out);
}

/*
 * The text of the first <NAME>TEXT</NAME> without anything inside: no parser of XML is let loose on what comes from outside for a line in the
 * audit.  Empty where there is none.
 */
static struct octets
element_text(struct octets xml, const char *name)
{
	size_t len = strlen(name);
	const uint8_t *at = xml.data, *end = xml.data + xml.len, *text, *stop;

	while ((at = memchr(at, '<', (size_t)(end - at))) != NULL) {
		at++;
		if ((size_t)(end - at) <= len || memcmp(at, name, len) != 0 || at[len] != '>')
			continue;
		text = at + len + 1;
		stop = memchr(text, '<', (size_t)(end - text));
		return stop != NULL ? octets_of(text, (size_t)(stop - text)) : octets_of(NULL, 0);
	}
	return octets_of(NULL, 0);
}

static void
describe_xml(struct octets xml, struct buffer *out)
{
	static const struct {
		const char *element, *name;
	} elements[] = {
	    {"payloadIdentifier", "payloadIdentifier"},
	    {"targetDevice", "device"},
	    {"uuid", "device"},
	    {"udid", "device"},
	    {"serialNumber", "serial"},
	};

	for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++)
		add_text(elements[i].name, element_text(xml, elements[i].element), out);
}

void
webhook_describe(struct octets body, struct buffer *out)
{
	json_t *root;

	if (body.len == 0)
		return;
	if ((root = json_loadb((const char *)body.data, body.len, 0, NULL)) != NULL)
		describe_json(root, out);
	else
		describe_xml(body, out);
	json_decref(root);
}
