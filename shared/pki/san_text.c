#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/encoding.h"
#include "pki/algorithm.h"
#include "pki/fields.h"
#include "pki/name.h"
#include "pki/san.h"

#define TEXT_MAX 2304 /* of one name in text, with its prefix */

/* In the order of enum san_kind: what logs say, and what is typed. */
static const char *const labels[] = {"DNS", "IP", "email", "URI", "UPN", "DirName", "RID", "other"};
static const char *const prefixes[] = {
    "dns", "ip", "email", "uri", "upn", "directoryName", "registeredId"};

/*
 * Text of a stranger's among others: what would end it or start another, and what is no character to print, becomes \XX, so that one
 * name cannot look like two.
 */
static void
append_text(struct octets text, struct buffer *out)
{
	bool utf8 = encoding_is_utf8(text);

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		char escape[4] = "\\";

		if (c < 0x20 || c == 0x7f || c == ',' || c == '\\' || (c > 0x7f && !utf8)) {
			encoding_hex_upper(octets_of(&c, 1), escape + 1);
			buffer_append_string(out, escape);
		} else {
			buffer_append(out, &c, 1);
		}
	}
}

static void
append_address(struct octets address, struct buffer *out)
{
	char text[INET6_ADDRSTRLEN];

	if (address.len != 4 && address.len != 16) {
		buffer_append_string(out, "?");
		return;
	}
	inet_ntop(address.len == 4 ? AF_INET : AF_INET6, address.data, text, sizeof(text));
	buffer_append_string(out, text);
}

void
san_name_to_text(const struct san_name *n, struct buffer *out)
{
	struct buffer name = {0};
	char oid[PKI_OID_TEXT];

	buffer_append_format(out, "%s:", labels[n->kind]);
	switch (n->kind) {
	case SAN_IP:
		append_address(n->value, out);
		break;
	case SAN_DIRECTORY_NAME:
		if (name_to_text(n->value, &name))
			append_text(buffer_octets(&name), out);
		else
			buffer_append_string(out, "?");
		buffer_free(&name);
		break;
	case SAN_REGISTERED_ID:
		buffer_append_string(out, pki_oid_text(n->value, oid, sizeof(oid)));
		break;
	case SAN_UNSUPPORTED:
		buffer_append_string(out, "?");
		break;
	default:
		append_text(n->value, out);
		break;
	}
}

bool
san_value_to_text(const struct san_name *n, struct buffer *out)
{
	char oid[PKI_OID_TEXT];

	switch (n->kind) {
	case SAN_IP:
		append_address(n->value, out);
		return true;
	case SAN_DIRECTORY_NAME:
		return name_to_typed(n->value, out) || name_to_text(n->value, out);
	case SAN_REGISTERED_ID:
		buffer_append_string(out, pki_oid_text(n->value, oid, sizeof(oid)));
		return true;
	case SAN_UNSUPPORTED:
		return false;
	default:
		buffer_append(out, n->value.data, n->value.len);
		return true;
	}
}

bool
san_to_text(struct octets san, struct buffer *out)
{
	struct san_view *v;

	if (!san_parse(san, &v, NULL))
		return false;
	for (int i = 0; i < san_count(v); i++) {
		if (i > 0)
			buffer_append_string(out, ", ");
		san_name_to_text(san_get0(v, i), out);
	}
	san_free(v);
	return !out->failed;
}

/* The next name, up to a comma without a backslash; a backslash takes the character behind it as it is.  false where it is too long. */
static bool
next_name(const char **at, char name[TEXT_MAX])
{
	const char *p = *at + strspn(*at, " ");
	size_t len = 0;

	for (; *p != '\0' && *p != ','; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		if (len + 1 >= TEXT_MAX)
			return false;
		name[len++] = *p;
	}
	while (len > 0 && name[len - 1] == ' ')
		len--;
	name[len] = '\0';
	*at = p;
	return true;
}

static bool
append_from_text(const char *name, struct buffer *names, struct errbuf *why)
{
	for (int kind = SAN_DNS; kind < SAN_UNSUPPORTED; kind++) {
		size_t len = strlen(prefixes[kind]);

		if (strncasecmp(name, prefixes[kind], len) == 0 && name[len] == ':')
			return san_name_from_text((enum san_kind)kind, name + len + 1, names, why);
	}
	errbuf_set(why,
	    "SAN: have '%.64s', want dns:, ip:, email:, uri:, upn:, directoryName: or "
	    "registeredId:",
	    name);
	return false;
}

bool
san_from_text(const char *text, struct buffer *out, struct errbuf *why)
{
	const char *at = text + strspn(text, " ");
	struct buffer names = {0};
	char name[TEXT_MAX];
	bool ok = true, more = *at != '\0';

	while (ok && more) {
		ok = next_name(&at, name);
		if (!ok)
			errbuf_set(why, "SAN: a name is over %d octets", TEXT_MAX);
		else
			ok = append_from_text(name, &names, why);
		more = *at == ',';
		if (more)
			at++;
	}
	if (ok && names.len > 0 && !san_wrap(buffer_octets(&names), out)) {
		errbuf_set(why, "SAN: out of memory");
		ok = false;
	}
	buffer_free(&names);
	return ok;
}
