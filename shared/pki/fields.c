#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "pki/asn1.h"
#include "pki/certificate.h"
#include "pki/fields.h"
#include "pki/name.h"
#include "pki/san.h"

#define SUBJECT_MAX (2 * NAME_ATTRIBUTES_MAX) /* attributes asked for and fixed */

/* One application of the rules. */
struct application {
	const struct field_rules *rules;
	const struct csr *csr;
	struct errbuf *why;
	struct errbuf *text;
	struct name_attribute kept[SUBJECT_MAX];
	int kept_count;
	bool subject_changed;
	struct buffer names; /* the SAN's names, one behind the other */
	int names_of_kind[SAN_UNSUPPORTED];
};

static enum field_rc
refuse(struct application *a, const char *field, const char *what)
{
	errbuf_set(a->text, "%s: %s", field, what);
	errbuf_set(a->why, "CSR: %s: %s, by the rules of the profile", field, what);
	return FIELD_REFUSED;
}

static enum field_rc
fault(struct application *a)
{
	errbuf_set(a->why, "fields: out of memory");
	return FIELD_FAULT;
}

const struct field_rule *
field_rule_get0(const struct field_rules *r, const char *field, enum field_source source)
{
	for (int i = 0; i < r->count; i++)
		if (r->rules[i].source == source && strcmp(r->rules[i].type, field) == 0)
			return &r->rules[i];
	return NULL;
}

/*
 * Whether one more value of field, of which have are there, is kept: FIELD_OK with *keep.  A field that has a fixed value alone is the
 * profile's to say: what was asked for is left out.
 */
static enum field_rc
admit(struct application *a, const char *field, int have, bool *keep)
{
	const struct field_rule *rule;

	*keep = true;
	if (a->rules->count == 0)
		return FIELD_OK;
	rule = field_rule_get0(a->rules, field, FIELD_SCEP_REQUEST);
	if (rule != NULL)
		return have == 0 || rule->multiple ? FIELD_OK : refuse(a, field, "more than one");
	*keep = false;
	if (a->rules->refuse_extra && field_rule_get0(a->rules, field, FIELD_FIXED) == NULL)
		return refuse(a, field, "not allowed");
	return FIELD_OK;
}

/* ---- subject --------------------------------------------------------------------------------------------------------------- */

static int
kept_of_type(const struct application *a, struct octets oid)
{
	int count = 0;

	for (int i = 0; i < a->kept_count; i++)
		count += octets_equal(a->kept[i].oid, oid);
	return count;
}

/* As it came; but what calls itself PrintableString and has other characters is written as the UTF8String that it could be. */
static enum field_rc
keep_attribute(struct application *a, const struct name_attribute *asked, const char *field)
{
	struct name_attribute *kept = &a->kept[a->kept_count];
	struct buffer utf8 = {0};
	const char *wrong = "malformed";

	if (name_value_utf8(asked->value, asked->tag, &utf8) || asked->value.len == 0)
		wrong = name_check_utf8(buffer_octets(&utf8));
	buffer_free(&utf8);
	if (wrong != NULL)
		return refuse(a, field, wrong);
	*kept = *asked;
	if (asked->tag == V_ASN1_PRINTABLESTRING && !name_is_printable(asked->value)) {
		kept->tag = V_ASN1_UTF8STRING;
		a->subject_changed = true;
	}
	a->kept_count++;
	return FIELD_OK;
}

static enum field_rc
keep_subject(struct application *a, const struct name_view *v)
{
	char room[NAME_FIELD_TEXT];
	enum field_rc rc = FIELD_OK;

	for (int i = 0; rc == FIELD_OK && i < name_count(v); i++) {
		const struct name_attribute *asked = name_get0(v, i);
		const char *field = name_field(asked->oid, room);
		bool keep;

		rc = admit(a, field, kept_of_type(a, asked->oid), &keep);
		if (rc != FIELD_OK)
			break;
		if (keep)
			rc = keep_attribute(a, asked, field);
		else
			a->subject_changed = true;
	}
	return rc;
}

/* Required fields that are not there, and the fixed ones, each an RDN of its own behind the others. */
static enum field_rc
complete_subject(struct application *a)
{
	int rdn = a->kept_count == 0 ? 0 : a->kept[a->kept_count - 1].rdn + 1;

	for (int i = 0; i < a->rules->count; i++) {
		const struct field_rule *rule = &a->rules->rules[i];
		const struct name_type *type = name_type_of_field(rule->type);
		struct octets value = octets_of_string(rule->value);
		int tag;

		if (type == NULL)
			continue;
		if (rule->source == FIELD_SCEP_REQUEST) {
			if (rule->required && kept_of_type(a, type->oid) == 0)
				return refuse(a, rule->type, "required");
			continue;
		}
		if ((tag = name_type_tag(type, value, a->why)) < 0 ||
		    a->kept_count == SUBJECT_MAX) {
			errbuf_prefix(a->why, "fixed value of %s", rule->type);
			return FIELD_FAULT;
		}
		a->kept[a->kept_count++] = (struct name_attribute){
		    .oid = type->oid, .value = value, .tag = tag, .rdn = rdn};
		rdn++;
		a->subject_changed = true;
	}
	return FIELD_OK;
}

static enum field_rc
apply_subject(struct application *a, struct buffer *out)
{
	struct name_view *v;
	enum field_rc rc;

	if (!name_parse(a->csr->subject, &v, NULL))
		return refuse(a, "subject", "malformed");
	rc = keep_subject(a, v);
	if (rc == FIELD_OK)
		rc = complete_subject(a);
	if (rc == FIELD_OK) {
		if (!a->subject_changed && asn1_is_der(a->csr->subject, DER_SEQUENCE))
			buffer_append(out, a->csr->subject.data, a->csr->subject.len);
		else if (!name_encode(a->kept, a->kept_count, out))
			rc = fault(a);
	}
	name_free(v);
	return rc;
}

/* ---- subjectAltName --------------------------------------------------------------------------------------------------------- */

static enum field_rc
keep_name(struct application *a, const struct san_name *n)
{
	const char *field = san_field(n->kind), *wrong;
	enum field_rc rc;
	bool keep;

	if (n->kind == SAN_UNSUPPORTED)
		return a->rules->refuse_extra ? refuse(a, field, "not allowed") : FIELD_OK;
	rc = admit(a, field, a->names_of_kind[n->kind], &keep);
	if (rc != FIELD_OK || !keep)
		return rc;
	if ((wrong = san_check(n->kind, n->value)) != NULL)
		return refuse(a, field, wrong);
	a->names_of_kind[n->kind]++;
	buffer_append(&a->names, n->der.data, n->der.len);
	return FIELD_OK;
}

static enum field_rc
complete_san(struct application *a)
{
	for (int i = 0; i < a->rules->count; i++) {
		const struct field_rule *rule = &a->rules->rules[i];
		enum san_kind kind = san_kind_of_field(rule->type);

		if (kind == SAN_UNSUPPORTED)
			continue;
		if (rule->source == FIELD_SCEP_REQUEST) {
			if (rule->required && a->names_of_kind[kind] == 0)
				return refuse(a, rule->type, "required");
		} else if (!san_name_from_text(kind, rule->value, &a->names, a->why)) {
			errbuf_prefix(a->why, "fixed value of %s", rule->type);
			return FIELD_FAULT;
		}
	}
	return FIELD_OK;
}

static enum field_rc
apply_san(struct application *a, struct buffer *out)
{
	enum field_rc rc = FIELD_OK;
	struct san_view *v = NULL;

	if (a->csr->san.len > 0 && !san_parse(a->csr->san, &v, NULL))
		return refuse(a, "san", "malformed");
	for (int i = 0; v != NULL && rc == FIELD_OK && i < san_count(v); i++)
		rc = keep_name(a, san_get0(v, i));
	san_free(v);
	if (rc == FIELD_OK)
		rc = complete_san(a);
	if (rc != FIELD_OK || (a->names.len == 0 && !a->names.failed))
		return rc;
	return san_wrap(buffer_octets(&a->names), out) && !a->names.failed ? FIELD_OK : fault(a);
}

/* ---- extensions that are never copied ------------------------------------------------------------------------------------- */

static bool
purpose_is_in(const ASN1_OBJECT *purpose, const EXTENDED_KEY_USAGE *list)
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

static enum field_rc
check_extensions(struct application *a)
{
	const struct csr *csr = a->csr;
	const char *wrong;
	int usage = 0;

	if (!a->rules->refuse_extensions)
		return FIELD_OK;
	if (csr->key_usage.len > 0 && !key_usage_parse(csr->key_usage, &usage))
		return refuse(a, "keyUsage", "malformed");
	if ((usage & (KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN)) != 0)
		return refuse(a, "keyUsage", "keyCertSign or cRLSign is not allowed");
	if (csr->wants_ca)
		return refuse(a, "basicConstraints", "CA:TRUE is not allowed");
	if (a->rules->key_usage != 0 && (usage & ~a->rules->key_usage) != 0)
		return refuse(a, "keyUsage", "a usage that is not allowed");
	if (csr->eku.len > 0 && (wrong = check_purposes(csr->eku, a->rules->eku)) != NULL)
		return refuse(a, "extKeyUsage", wrong);
	return FIELD_OK;
}

enum field_rc
fields_apply(const struct field_rules *r, const struct csr *csr, struct buffer *subject,
    struct buffer *san, struct errbuf *why, struct errbuf *text)
{
	struct application a = {.rules = r, .csr = csr, .why = why, .text = text};
	size_t subject_before = subject->len, san_before = san->len;
	enum field_rc rc = check_extensions(&a);

	if (rc == FIELD_OK)
		rc = apply_subject(&a, subject);
	if (rc == FIELD_OK)
		rc = apply_san(&a, san);
	if (rc == FIELD_OK && a.kept_count == 0 && a.names.len == 0)
		rc = refuse(&a, "subject", "required");
	if (rc == FIELD_OK && (subject->failed || san->failed))
		rc = fault(&a);
	if (rc != FIELD_OK) {
		subject->len = subject_before;
		san->len = san_before;
	}
	buffer_free(&a.names);
	return rc;
}

bool
field_type_is_known(const char *type)
{
	return name_type_of_field(type) != NULL || san_kind_of_field(type) != SAN_UNSUPPORTED;
}
