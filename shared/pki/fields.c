#include <openssl/asn1.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "pki/asn1.h"
#include "pki/fields.h"
#include "pki/fields_parts.h"
#include "pki/name.h"
#include "pki/san.h"

#define MANUAL_MAX 32
#define SUBJECT_MAX                                                                                \
	(2 * NAME_ATTRIBUTES_MAX + MANUAL_MAX) /* attributes asked for, fixed and given */

/* One application of the rules. */
struct application {
	const struct field_rules *rules;
	const struct csr *csr;
	struct errbuf *why;
	struct errbuf *text;
	struct field_value manual[MANUAL_MAX]; /* those that a rule wants */
	int manual_count;
	struct name_attribute kept[SUBJECT_MAX];
	bool is_added[SUBJECT_MAX]; /* asked for, and a rule adds the same */
	int asked_count;	    /* the first of them were asked for */
	int kept_count;
	bool subject_changed;
	struct buffer names;		    /* the SAN's names, one behind the other */
	int names_of_kind[SAN_UNSUPPORTED]; /* asked for */
	int own_names[SAN_UNSUPPORTED];	    /* of these, such as no rule adds */
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

/* The nth value that a rule adds by itself; NULL behind the last. */
static const char *
added_get0(const struct application *a, const struct field_rule *rule, int n)
{
	if (rule->source == FIELD_FIXED)
		return n == 0 ? rule->value : NULL;
	for (int i = 0; rule->source == FIELD_MANUAL && i < a->manual_count; i++)
		if (strcmp(a->manual[i].type, rule->type) == 0 && n-- == 0)
			return a->manual[i].value;
	return NULL;
}

/*
 * Whether values of field that are asked for are kept: FIELD_OK with *keep, and with the rule for them (NULL: without rules).  A field that only the
 * profile or the enrolment sets is theirs to say: what was asked for is left out.
 */
static enum field_rc
admit(struct application *a, const char *field, const struct field_rule **rule, bool *keep)
{
	*rule = NULL;
	*keep = true;
	if (a->rules->count == 0)
		return FIELD_OK;
	*rule = field_rule_get0(a->rules, field, FIELD_SCEP_REQUEST);
	*keep = *rule != NULL;
	if (!*keep && a->rules->refuse_extra &&
	    field_rule_get0(a->rules, field, FIELD_FIXED) == NULL &&
	    field_rule_get0(a->rules, field, FIELD_MANUAL) == NULL)
		return refuse(a, field, "not allowed");
	return FIELD_OK;
}

/* NULL, or what is wrong with a value asked for, of which there are have by the same rule. */
static const char *
misfit(const struct field_rule *rule, int have, struct octets utf8)
{
	if (rule == NULL)
		return NULL;
	return have > 0 && !rule->multiple ? "more than one" : field_rule_misfit(rule, utf8);
}

/* ---- subject --------------------------------------------------------------------------------------------------------------- */

/* Is this what a rule adds by itself?  It needs no rule for what is asked for, and is not written twice. */
static bool
attribute_is_added(const struct application *a, const char *field, struct octets utf8)
{
	const char *value;

	for (int i = 0; i < a->rules->count; i++) {
		if (strcmp(a->rules->rules[i].type, field) != 0)
			continue;
		for (int n = 0; (value = added_get0(a, &a->rules->rules[i], n)) != NULL; n++)
			if (octets_equal(octets_of_string(value), utf8))
				return true;
	}
	return false;
}

/* Of those asked for: of the type, and, where utf8 is given, of that value; with own, such as no rule adds alone. */
static int
kept_of_type(const struct application *a, struct octets oid, const struct octets *utf8, bool own)
{
	int count = 0;

	for (int i = 0; i < a->asked_count; i++) {
		struct buffer have = {0};

		if (!octets_equal(a->kept[i].oid, oid) || (own && a->is_added[i]))
			continue;
		count +=
		    utf8 == NULL || (name_value_utf8(a->kept[i].value, a->kept[i].tag, &have) &&
					octets_equal(buffer_octets(&have), *utf8));
		buffer_free(&have);
	}
	return count;
}

/* As it came; but what calls itself PrintableString and has other characters is written as the UTF8String that it could be. */
static enum field_rc
keep_attribute(struct application *a, const struct name_attribute *asked, const char *field,
    const struct field_rule *rule)
{
	struct name_attribute *kept = &a->kept[a->kept_count];
	struct buffer utf8 = {0};
	const char *wrong = "malformed";
	bool added = false;

	if (name_value_utf8(asked->value, asked->tag, &utf8) || asked->value.len == 0)
		wrong = name_check_utf8(buffer_octets(&utf8));
	if (wrong == NULL && !(added = attribute_is_added(a, field, buffer_octets(&utf8))))
		wrong = misfit(rule, kept_of_type(a, asked->oid, NULL, true), buffer_octets(&utf8));
	buffer_free(&utf8);
	if (wrong != NULL)
		return refuse(a, field, wrong);
	*kept = *asked;
	if (asked->tag == V_ASN1_PRINTABLESTRING && !name_is_printable(asked->value)) {
		kept->tag = V_ASN1_UTF8STRING;
		a->subject_changed = true;
	}
	a->is_added[a->kept_count++] = added;
	a->asked_count = a->kept_count;
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
		const struct field_rule *rule;
		bool keep;

		rc = admit(a, field, &rule, &keep);
		if (rc != FIELD_OK)
			break;
		if (keep)
			rc = keep_attribute(a, asked, field, rule);
		else
			a->subject_changed = true;
	}
	return rc;
}

/* A fixed value, or one given with the enrolment, as an RDN of its own behind the others. */
static enum field_rc
add_attribute(struct application *a, const struct field_rule *rule, const struct name_type *type,
    const char *text)
{
	struct octets value = octets_of_string(text);
	int tag;

	if (kept_of_type(a, type->oid, &value, false) > 0)
		return FIELD_OK;
	if ((tag = name_type_tag(type, value, a->why)) < 0 || a->kept_count == SUBJECT_MAX) {
		errbuf_prefix(a->why, "%s value of %s",
		    rule->source == FIELD_FIXED ? "fixed" : "manual", rule->type);
		return FIELD_FAULT;
	}
	a->kept[a->kept_count] = (struct name_attribute){.oid = type->oid,
	    .value = value,
	    .tag = tag,
	    .rdn = a->kept_count == 0 ? 0 : a->kept[a->kept_count - 1].rdn + 1};
	a->kept_count++;
	a->subject_changed = true;
	return FIELD_OK;
}

/* Required fields that are not there, and what the rules add. */
static enum field_rc
complete_subject(struct application *a)
{
	enum field_rc rc = FIELD_OK;
	const char *value;

	for (int i = 0; rc == FIELD_OK && i < a->rules->count; i++) {
		const struct field_rule *rule = &a->rules->rules[i];
		const struct name_type *type = name_type_of_field(rule->type);

		if (type == NULL)
			continue;
		if (rule->source == FIELD_SCEP_REQUEST && rule->required &&
		    kept_of_type(a, type->oid, NULL, false) == 0)
			return refuse(a, rule->type, "required");
		for (int n = 0; rc == FIELD_OK && (value = added_get0(a, rule, n)) != NULL; n++)
			rc = add_attribute(a, rule, type, value);
	}
	return rc;
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

/* The GeneralName that a rule adds; fault where it is none. */
static enum field_rc
added_name(
    struct application *a, const struct field_rule *rule, const char *text, struct buffer *der)
{
	if (san_name_from_text(san_kind_of_field(rule->type), text, der, a->why))
		return FIELD_OK;
	errbuf_prefix(
	    a->why, "%s value of %s", rule->source == FIELD_FIXED ? "fixed" : "manual", rule->type);
	return FIELD_FAULT;
}

static bool
name_is_added(struct application *a, const char *field, struct octets der)
{
	const char *value;
	bool is = false;

	for (int i = 0; !is && i < a->rules->count; i++) {
		const struct field_rule *rule = &a->rules->rules[i];

		if (strcmp(rule->type, field) != 0)
			continue;
		for (int n = 0; !is && (value = added_get0(a, rule, n)) != NULL; n++) {
			struct buffer name = {0};

			is = added_name(a, rule, value, &name) == FIELD_OK &&
			     octets_equal(buffer_octets(&name), der);
			buffer_free(&name);
		}
	}
	return is;
}

static enum field_rc
keep_name(struct application *a, const struct san_name *n)
{
	const char *field = san_field(n->kind), *wrong;
	const struct field_rule *rule;
	struct buffer text = {0};
	enum field_rc rc;
	bool keep, added = false;

	if (n->kind == SAN_UNSUPPORTED)
		return a->rules->refuse_extra ? refuse(a, field, "not allowed") : FIELD_OK;
	rc = admit(a, field, &rule, &keep);
	if (rc != FIELD_OK || !keep)
		return rc;
	if ((wrong = san_check(n->kind, n->value)) == NULL && rule != NULL &&
	    !(added = name_is_added(a, field, n->der))) {
		if (!san_value_to_text(n, &text))
			wrong = "malformed";
		else
			wrong = misfit(rule, a->own_names[n->kind], buffer_octets(&text));
		buffer_free(&text);
	}
	if (wrong != NULL)
		return refuse(a, field, wrong);
	a->own_names[n->kind] += !added;
	a->names_of_kind[n->kind]++;
	buffer_append(&a->names, n->der.data, n->der.len);
	return FIELD_OK;
}

/* Was this very name asked for, and kept? */
static bool
name_is_kept(
    const struct application *a, const char *field, const struct san_view *v, struct octets der)
{
	if (v == NULL || field_rule_get0(a->rules, field, FIELD_SCEP_REQUEST) == NULL)
		return false;
	for (int i = 0; i < san_count(v); i++)
		if (octets_equal(san_get0(v, i)->der, der))
			return true;
	return false;
}

static enum field_rc
add_names(struct application *a, const struct field_rule *rule, const struct san_view *v)
{
	enum field_rc rc = FIELD_OK;
	const char *value;

	for (int n = 0; rc == FIELD_OK && (value = added_get0(a, rule, n)) != NULL; n++) {
		struct buffer name = {0};

		rc = added_name(a, rule, value, &name);
		if (rc == FIELD_OK && !name_is_kept(a, rule->type, v, buffer_octets(&name)))
			buffer_append(&a->names, name.data, name.len);
		buffer_free(&name);
	}
	return rc;
}

static enum field_rc
complete_san(struct application *a, const struct san_view *v)
{
	enum field_rc rc = FIELD_OK;

	for (int i = 0; rc == FIELD_OK && i < a->rules->count; i++) {
		const struct field_rule *rule = &a->rules->rules[i];
		enum san_kind kind = san_kind_of_field(rule->type);

		if (kind == SAN_UNSUPPORTED)
			continue;
		if (rule->source == FIELD_SCEP_REQUEST && rule->required &&
		    a->names_of_kind[kind] == 0)
			return refuse(a, rule->type, "required");
		rc = add_names(a, rule, v);
	}
	return rc;
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
	if (rc == FIELD_OK)
		rc = complete_san(a, v);
	san_free(v);
	if (rc != FIELD_OK || (a->names.len == 0 && !a->names.failed))
		return rc;
	return san_wrap(buffer_octets(&a->names), out) && !a->names.failed ? FIELD_OK : fault(a);
}

/* Those of the values that there is a rule for. */
static enum field_rc
take_manual(struct application *a, const struct field_value *manual, int count)
{
	struct errbuf wrong = {0};

	for (int i = 0; i < count && a->manual_count < MANUAL_MAX; i++)
		if (field_rule_get0(a->rules, manual[i].type, FIELD_MANUAL) != NULL)
			a->manual[a->manual_count++] = manual[i];
	if (fields_check_manual(a->rules, a->manual, a->manual_count, &wrong) == FIELD_OK)
		return FIELD_OK;
	errbuf_set(a->text, "%s", wrong.line);
	errbuf_set(a->why, "enrolment: %s, by the rules of the profile", wrong.line);
	return FIELD_REFUSED;
}

/* What is never copied may be a reason to refuse. */
static enum field_rc
check_extensions(struct application *a)
{
	const char *field, *wrong = field_extensions_check(a->rules, a->csr, &field);

	return wrong == NULL ? FIELD_OK : refuse(a, field, wrong);
}

enum field_rc
fields_apply(const struct field_rules *r, const struct csr *csr, const struct field_value *manual,
    int count, struct buffer *subject, struct buffer *san, struct errbuf *why, struct errbuf *text)
{
	struct application a = {.rules = r, .csr = csr, .why = why, .text = text};
	size_t subject_before = subject->len, san_before = san->len;
	enum field_rc rc = check_extensions(&a);

	if (rc == FIELD_OK)
		rc = take_manual(&a, manual, count);
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
