/* rules.c: what the profile says of a CSR: its key, its names, its extensions, and until when. */
#include <string.h>

#include "base/encoding.h"
#include "issue/draft.h"
#include "pki/certificate.h"
#include "pki/fields.h"
#include "pki/weak_key.h"
#include "store/seat_row.h"

void
draft_free(struct draft *d)
{
	buffer_free(&d->subject);
	buffer_free(&d->san);
	buffer_free(&d->san_text);
	buffer_free(&d->extra);
}

/* "EC P-256" against "P-256,P-384". */
static bool
curve_is_accepted(const struct profile *p, const struct public_key *key)
{
	static const char prefix[] = "EC ";
	const char *name, *at = p->ra.curves;
	size_t len;

	if (key->type != PKI_KEY_EC || strncmp(key->name, prefix, sizeof(prefix) - 1) != 0)
		return false;
	name = key->name + sizeof(prefix) - 1;
	len = strlen(name);
	while ((at = strstr(at, name)) != NULL) {
		if ((at == p->ra.curves || at[-1] == ',') && (at[len] == '\0' || at[len] == ','))
			return true;
		at += len;
	}
	return false;
}

bool
issue_check_key(const struct profile *p, const struct public_key *key,
    enum scep_fail_info *fail_info, struct errbuf *why, struct errbuf *text)
{
	char type[PUBLIC_KEY_TEXT];

	if (key->type != PKI_KEY_RSA && !curve_is_accepted(p, key)) {
		*fail_info = SCEP_BAD_ALG;
		errbuf_set(text, "key type %s is not accepted here, want RSA%s%s",
		    public_key_text(key, type), p->ra.curves[0] != '\0' ? " or EC on " : "",
		    p->ra.curves);
	} else if (key->type == PKI_KEY_EC) {
		return true;
	} else if (key->bits < p->ra.min_rsa_bits) {
		*fail_info = SCEP_BAD_REQUEST;
		errbuf_set(text, "key too small: have %s, want at least %lld bits", key->name,
		    (long long)p->ra.min_rsa_bits);
	} else if (key->bits > p->ra.max_rsa_bits) {
		*fail_info = SCEP_BAD_REQUEST;
		errbuf_set(text, "key too large: have %s, want at most %lld bits", key->name,
		    (long long)p->ra.max_rsa_bits);
	} else {
		return true;
	}
	errbuf_set(why, "%s", text->line);
	return false;
}

/* A key that others can work out proves nothing about who has it. */
static bool
key_is_sound(const struct csr *csr, struct issue_result *result, struct errbuf *why)
{
	const char *weakness = weak_key_reason(csr->spki);

	if (weakness == NULL)
		return true;
	result->fail_info = SCEP_BAD_REQUEST;
	errbuf_set(&result->text, "key is weak: %s", weakness);
	errbuf_set(why, "%s, %s", result->text.line, csr->key.name);
	return false;
}

/* The profile's end is the operator's to move: the client is told, and its challenge stays as it was. */
static enum issue_rc
check_end(const struct issue_order *o, struct issue_result *result, struct errbuf *why)
{
	int64_t end = o->profile->ra.not_after;
	char time[ENCODING_TIME_SIZE];

	if (end == 0 || o->now < end)
		return ISSUE_DONE;
	encoding_time(end, time);
	result->fail_info = SCEP_BAD_REQUEST;
	result->ours = true;
	errbuf_set(&result->text, "the certificates of this profile ended at %s", time);
	errbuf_set(why, "profile %s: its certificates ended at %s (notAfter)",
	    o->profile->scep.name, time);
	return ISSUE_REFUSED;
}

/* What the predecessor has of the fields that are given by hand, which nobody gives again at a renewal.  *count: how many. */
static bool
read_predecessor(struct store *st, const struct issue_order *o, struct field_value *out, int *count,
    struct errbuf *why)
{
	struct certificate_row row;
	struct buffer der = {0};
	struct certificate c;
	bool ok;

	ok = store_certificate_get_id(st, o->predecessor_id, &row, &der, why) == STORE_OK &&
	     certificate_parse(buffer_octets(&der), &c, why);
	if (ok) {
		*count = fields_manual_of(
		    &o->profile->rules, c.subject, c.san, out, ENROLLMENT_ATTRIBUTES_MAX);
		certificate_free(&c);
	}
	buffer_free(&der);
	return ok;
}

static enum field_rc
apply_fields(struct store *st, const struct issue_order *o, struct draft *d,
    struct issue_result *result, struct errbuf *why)
{
	const struct field_rules *rules = &o->profile->rules;
	struct field_value room[ENROLLMENT_ATTRIBUTES_MAX];
	const struct field_value *manual = o->manual;
	int count = o->manual_count;
	enum field_rc rc;

	if (count == 0 && o->predecessor_id != 0 && st != NULL && fields_have_manual(rules)) {
		if (!read_predecessor(st, o, room, &count, why))
			return FIELD_FAULT;
		manual = room;
	}
	rc = fields_apply(rules, o->csr, manual, count, &d->subject, &d->san, why, &result->text);
	if (rc == FIELD_OK)
		rc = fields_extensions(rules, o->csr, &d->extra, why, &result->text);
	return rc;
}

enum issue_rc
draft_rules(struct store *st, const struct issue_order *o, struct draft *d,
    struct issue_result *result, struct errbuf *why)
{
	if (!issue_check_key(o->profile, &o->csr->key, &result->fail_info, why, &result->text) ||
	    !key_is_sound(o->csr, result, why))
		return ISSUE_REFUSED;
	switch (apply_fields(st, o, d, result, why)) {
	case FIELD_OK:
		break;
	case FIELD_REFUSED:
		result->fail_info = SCEP_BAD_REQUEST;
		return ISSUE_REFUSED;
	default:
		return ISSUE_AWAY;
	}
	return check_end(o, result, why);
}
