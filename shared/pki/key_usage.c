#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include <string.h>

#include "base/der.h"
#include "pki/asn1.h"
#include "pki/certificate.h"

#define ITEMS_MAX 32
#define ITEM_MAX  64
#define EKU_ROOM  4096

/* In the order of the bits: RFC 5280 4.2.1.3. */
static const char *const usages[] = {"digitalSignature", "nonRepudiation", "keyEncipherment",
    "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"};
#define USAGES (int)(sizeof(usages) / sizeof(usages[0]))

static const struct purpose {
	const char *name;
	const char *oid;
} purposes[] = {
    {"clientAuth", "1.3.6.1.5.5.7.3.2"},
    {"serverAuth", "1.3.6.1.5.5.7.3.1"},
    {"emailProtection", "1.3.6.1.5.5.7.3.4"},
    {"codeSigning", "1.3.6.1.5.5.7.3.3"},
    {"ipsecEndSystem", "1.3.6.1.5.5.7.3.5"},
    {"smartcardLogon", "1.3.6.1.4.1.311.20.2.2"},
    {"OCSPSigning", "1.3.6.1.5.5.7.3.9"},
    {"anyEKU", "2.5.29.37.0"},
};

/* The next item of a comma-separated list, without the spaces around it; false at the end.  One that is too long comes out empty. */
static bool
next_item(const char **at, char item[ITEM_MAX])
{
	size_t len;

	if (*at == NULL)
		return false;
	*at += strspn(*at, " \t");
	len = strcspn(*at, ",");
	item[0] = '\0';
	if (len < ITEM_MAX) {
		memcpy(item, *at, len);
		while (len > 0 && (item[len - 1] == ' ' || item[len - 1] == '\t'))
			len--;
		item[len] = '\0';
	}
	*at = strchr(*at, ',');
	if (*at != NULL)
		(*at)++;
	return true;
}

bool
key_usage_parse(struct octets value, int *bits)
{
	ASN1_BIT_STRING *parsed = asn1_decode(ASN1_ITEM_rptr(ASN1_BIT_STRING), value);

	*bits = 0;
	ERR_clear_error();
	if (parsed == NULL)
		return false;
	for (int bit = 0; bit < USAGES; bit++)
		if (ASN1_BIT_STRING_get_bit(parsed, bit) != 0)
			*bits |= 1 << bit;
	ASN1_BIT_STRING_free(parsed);
	return true;
}

bool
key_usage_of_text(const char *text, int *bits, struct errbuf *why)
{
	const char *at = text[strspn(text, " \t")] == '\0' ? NULL : text;
	char item[ITEM_MAX];
	int found = 0, bit;

	while (next_item(&at, item)) {
		for (bit = 0; bit < USAGES && strcasecmp(item, usages[bit]) != 0; bit++)
			;
		if (bit == USAGES && strcasecmp(item, "contentCommitment") == 0)
			bit = 1;
		if (bit == USAGES) {
			errbuf_set(
			    why, "keyUsage: have '%s', want names as of RFC 5280 4.2.1.3", item);
			return false;
		}
		found |= 1 << bit;
	}
	*bits = found;
	return true;
}

void
key_usage_to_text(int bits, struct buffer *out)
{
	const char *separator = "";

	for (int bit = 0; bit < USAGES; bit++) {
		if (bits < 0 || (bits & 1 << bit) == 0)
			continue;
		buffer_append_string(out, separator);
		buffer_append_string(out, usages[bit]);
		separator = ",";
	}
}

static ASN1_OBJECT *
purpose_of_text(const char *item)
{
	for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++)
		if (strcasecmp(item, purposes[i].name) == 0)
			return asn1_oid_from_text(purposes[i].oid);
	return asn1_oid_from_text(item);
}

bool
eku_of_text(const char *text, struct buffer *out, struct errbuf *why)
{
	const char *at = text[strspn(text, " \t")] == '\0' ? NULL : text;
	ASN1_OBJECT *objects[ITEMS_MAX];
	char item[ITEM_MAX];
	uint8_t room[EKU_ROOM];
	struct der d;
	int count = 0;
	bool ok = true;

	if (at == NULL)
		return true;
	while (ok && next_item(&at, item)) {
		ok = count < ITEMS_MAX && (objects[count] = purpose_of_text(item)) != NULL;
		for (int i = 0; ok && i < count; i++)
			ok = OBJ_cmp(objects[i], objects[count]) != 0;
		if (count < ITEMS_MAX && objects[count] != NULL)
			count++;
	}
	if (!ok)
		errbuf_set(why,
		    "extKeyUsage: have '%s', want each of clientAuth, serverAuth, "
		    "emailProtection, codeSigning, ipsecEndSystem, smartcardLogon, "
		    "OCSPSigning, anyEKU or a dotted OID once, at most %d",
		    item, ITEMS_MAX);
	der_start(&d, room, sizeof(room));
	for (int i = count - 1; i >= 0; i--) {
		der_oid(&d, asn1_oid_octets(objects[i]));
		ASN1_OBJECT_free(objects[i]);
	}
	der_wrap(&d, DER_SEQUENCE, 0);
	if (!ok)
		return false;
	buffer_append(out, der_octets(&d).data, der_octets(&d).len);
	if (d.failed || out->failed)
		errbuf_set(why, "extKeyUsage: too long");
	return !d.failed && !out->failed;
}
