/* fields_extensions.c: the extensions that a CSR asks for: those that may be a reason to refuse, and those that are copied. */
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <string.h>

#include "base/der.h"
#include "pki/asn1.h"
#include "pki/certificate.h"
#include "pki/fields.h"
#include "pki/fields_parts.h"
#include "pki/name.h"

#define EXTENSION_MAX	  512 /* octets of one that is copied */
#define HEADER_ROOM	  32
#define SID_MAX		  184 /* characters: S-1-, an authority of 48 bits, 15 sub-authorities of 32 */
#define SID_PARTS_MAX	  15
#define TEMPLATE_NAME_MAX 128 /* octets of UTF-8 */

/* 1.3.6.1.4.1.311: .25.2 (its names: .25.2.1), .20.2, .21.7 */
static const uint8_t id_sid[] = {0x2b, 6, 1, 4, 1, 0x82, 0x37, 25, 2},
		     id_object_sid[] = {0x2b, 6, 1, 4, 1, 0x82, 0x37, 25, 2, 1},
		     id_template_name[] = {0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2},
		     id_template[] = {0x2b, 6, 1, 4, 1, 0x82, 0x37, 21, 7};

#define OCTETS(array) octets_of(array, sizeof(array))

/* [MS-WCCE] 2.2.2.7.7.2 */
typedef struct template_id {
	ASN1_OBJECT *id;
	ASN1_INTEGER *major;
	ASN1_INTEGER *minor;
} TEMPLATE_ID;

/* clang-format off */
ASN1_SEQUENCE(TEMPLATE_ID) = {
	ASN1_SIMPLE(TEMPLATE_ID, id, ASN1_OBJECT),
	ASN1_OPT(TEMPLATE_ID, major, ASN1_INTEGER),
	ASN1_OPT(TEMPLATE_ID, minor, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END(TEMPLATE_ID)
    /* clang-format on */

    /* ---- those that are never copied ------------------------------------------------------------------------------------------- */

    static bool purpose_is_in(const ASN1_OBJECT *purpose, const EXTENDED_KEY_USAGE *list)
{
	for (int i = 0; i < sk_ASN1_OBJECT_num(list); i++) {
		const ASN1_OBJECT *allowed = sk_ASN1_OBJECT_value(list, i);

		if (OBJ_cmp(allowed, purpose) == 0 ||
		    OBJ_obj2nid(allowed) == NID_anyExtendedKeyUsage)
			return true;
	}
	return false;
}

/* NULL, or what is wrong with the purposes asked for. */
static const char *
check_purposes(struct octets asked, struct octets allowed)
{
	EXTENDED_KEY_USAGE *want = asn1_decode(ASN1_ITEM_rptr(EXTENDED_KEY_USAGE), asked);
	EXTENDED_KEY_USAGE *have = NULL;
	const char *wrong = want == NULL ? "malformed" : NULL;

	if (allowed.len > 0)
		have = asn1_decode(ASN1_ITEM_rptr(EXTENDED_KEY_USAGE), allowed);
	for (int i = 0; wrong == NULL && i < sk_ASN1_OBJECT_num(want); i++)
		if (!purpose_is_in(sk_ASN1_OBJECT_value(want, i), have))
			wrong = "a purpose that is not allowed";
	sk_ASN1_OBJECT_pop_free(want, ASN1_OBJECT_free);
	sk_ASN1_OBJECT_pop_free(have, ASN1_OBJECT_free);
	ERR_clear_error();
	return wrong;
}

/* NULL, or what is wrong. */
static const char *
check_usages(const struct field_rules *r, const struct csr *csr)
{
	int usage = 0;

	if (csr->key_usage.len > 0 && !key_usage_parse(csr->key_usage, &usage))
		return "malformed";
	if ((usage & (KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN)) != 0)
		return "keyCertSign or cRLSign is not allowed";
	if (!csr->wants_ca && r->key_usage != 0 && (usage & ~r->key_usage) != 0)
		return "a usage that is not allowed";
	return NULL;
}

const char *
field_extensions_check(const struct field_rules *r, const struct csr *csr, const char **field)
{
	const char *wrong;

	*field = "";
	if (!r->refuse_extensions)
		return NULL;
	*field = "keyUsage";
	if ((wrong = check_usages(r, csr)) != NULL)
		return wrong;
	*field = "basicConstraints";
	if (csr->wants_ca)
		return "CA:TRUE is not allowed";
	*field = "extKeyUsage";
	return csr->eku.len > 0 ? check_purposes(csr->eku, r->eku) : NULL;
}

/* ---- those that are copied -------------------------------------------------------------------------------------------------- */

/* S-1-AUTHORITY-SUB…: decimal numbers ([MS-DTYP] 2.4.2.1). */
static bool
is_sid(struct octets text)
{
	size_t i = 4;
	int parts = 0;

	if (text.len > SID_MAX || text.len < 5 || memcmp(text.data, "S-1-", 4) != 0)
		return false;
	for (;; i++) {
		size_t digits = 0;

		while (i < text.len && text.data[i] >= '0' && text.data[i] <= '9') {
			digits++;
			i++;
		}
		if (digits == 0 || digits > 15 || parts > SID_PARTS_MAX)
			return false;
		if (i == text.len)
			return parts > 0;
		if (text.data[i] != '-')
			return false;
		parts++;
	}
}

/* GeneralNames of one otherName, an OCTET STRING that has the SID as text ([MS-WCCE] 2.2.2.7.7.4). */
static const char *
check_sid(struct octets value)
{
	GENERAL_NAMES *names = NULL;
	const GENERAL_NAME *n;
	bool ok = false;

	if (asn1_is_der(value, DER_SEQUENCE))
		names = asn1_decode(ASN1_ITEM_rptr(GENERAL_NAMES), value);
	if (names != NULL && sk_GENERAL_NAME_num(names) == 1) {
		n = sk_GENERAL_NAME_value(names, 0);
		ok =
		    n->type == GEN_OTHERNAME &&
		    octets_equal(asn1_oid_octets(n->d.otherName->type_id), OCTETS(id_object_sid)) &&
		    n->d.otherName->value->type == V_ASN1_OCTET_STRING &&
		    is_sid(asn1_string_octets(n->d.otherName->value->value.octet_string));
	}
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	return ok ? NULL : "malformed";
}

/* A string of any type. */
static const char *
check_template_name(struct octets value)
{
	ASN1_TYPE *any = NULL;
	struct buffer utf8 = {0};
	bool ok = false;

	if (value.len > 0 && asn1_is_der(value, value.data[0]))
		any = asn1_decode(ASN1_ITEM_rptr(ASN1_ANY), value);
	if (any != NULL)
		ok = name_value_utf8(asn1_type_octets(any), any->type, &utf8) &&
		     utf8.len <= TEMPLATE_NAME_MAX && name_check_utf8(buffer_octets(&utf8)) == NULL;
	buffer_free(&utf8);
	ASN1_TYPE_free(any);
	ERR_clear_error();
	return ok ? NULL : "malformed";
}

static bool
is_version(const ASN1_INTEGER *number)
{
	uint64_t value;

	return number == NULL ||
	       (ASN1_INTEGER_get_uint64(&value, number) == 1 && value <= UINT32_MAX);
}

static const char *
check_template(struct octets value)
{
	TEMPLATE_ID *t = NULL;
	bool ok = false;

	if (asn1_is_der(value, DER_SEQUENCE))
		t = asn1_decode(ASN1_ITEM_rptr(TEMPLATE_ID), value);
	if (t != NULL)
		ok = is_version(t->major) && is_version(t->minor);
	ASN1_item_free((ASN1_VALUE *)t, ASN1_ITEM_rptr(TEMPLATE_ID));
	ERR_clear_error();
	return ok ? NULL : "malformed";
}

/* Append one as an Extension that is not critical. */
static void
append_extension(struct octets oid, struct octets value, struct buffer *extra)
{
	uint8_t room[EXTENSION_MAX + HEADER_ROOM];
	struct der d;

	der_start(&d, room, sizeof(room));
	der_element(&d, DER_OCTET_STRING, value);
	der_oid(&d, oid);
	der_wrap(&d, DER_SEQUENCE, 0);
	if (d.failed)
		extra->failed = true;
	else
		buffer_append(extra, der_octets(&d).data, der_octets(&d).len);
}

enum field_rc
fields_extensions(const struct field_rules *r, const struct csr *csr, struct buffer *extra,
    struct errbuf *why, struct errbuf *text)
{
	const struct {
		const char *name;
		struct octets oid, value;
		bool copied;
		const char *(*check)(struct octets value);
	} all[] = {
	    {"microsoftSid", OCTETS(id_sid), csr->microsoft_sid, r->microsoft_sid, check_sid},
	    {"microsoftTemplate", OCTETS(id_template_name), csr->microsoft_template_name,
		r->microsoft_template, check_template_name},
	    {"microsoftTemplate", OCTETS(id_template), csr->microsoft_template,
		r->microsoft_template, check_template},
	};
	size_t before = extra->len;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const char *wrong = NULL;

		if (all[i].value.data == NULL || (!all[i].copied && !r->refuse_extensions))
			continue;
		if (!all[i].copied)
			wrong = "not allowed";
		else if (all[i].value.len > EXTENSION_MAX)
			wrong = "too long";
		else
			wrong = all[i].check(all[i].value);
		if (wrong != NULL) {
			extra->len = before;
			errbuf_set(text, "%s: %s", all[i].name, wrong);
			errbuf_set(
			    why, "CSR: %s: %s, by the rules of the profile", all[i].name, wrong);
			return FIELD_REFUSED;
		}
		append_extension(all[i].oid, all[i].value, extra);
	}
	if (!extra->failed)
		return FIELD_OK;
	errbuf_set(why, "extensions: out of memory");
	return FIELD_FAULT;
}
