/* intune_revocation.c: from Intune's requests to revoked certificates and back. */
#include "fcgi-admin/manage/intune_revocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "fcgi-admin/manage/records.h"
#include "fcgi-admin/manage/revocation.h"
#include "outbound/intune.h"
#include "pki/certificate.h"
#include "pki/name.h"
#include "profile/profile.h"

#define BATCHES_MAX 20 /* in one round */

/* What Intune knows results by. */
enum result_code {
	CODE_NONE = 0,
	CODE_NON_RETRYABLE = 4000,
	CODE_PARAMETER_INVALID = 4002,
	CODE_NOT_FOUND = 4004,
	CODE_RETRYABLE = 4100
};

/* All of one batch. */
struct batch {
	struct intune_revocation asked[INTUNE_REVOCATIONS_MAX];
	struct intune_revocation_result results[INTUNE_REVOCATIONS_MAX];
	int count;
	bool away; /* the store: later ones fare no better */
};

/* The name of who issued it, as Intune was told it. */
static bool
issued_by(struct octets der, const char *issuer)
{
	struct buffer text = {0};
	struct certificate c;
	const char *own;
	bool same;

	if (!certificate_parse(der, &c, NULL))
		return false;
	own = name_to_text(c.issuer, &text) ? buffer_string(&text) : NULL;
	same = own != NULL && strcasecmp(own, issuer) == 0;
	buffer_free(&text);
	certificate_free(&c);
	return same;
}

/* OK: the certificate's profile is of the connection's tenant. */
static enum store_rc
of_tenant(struct manage *m, const struct certificate_row *c, const char *tenant, struct errbuf *why)
{
	struct scep_profile_row p;
	struct intune_row other;
	enum store_rc rc;

	if (c->profile[0] == '\0')
		return STORE_NONE;
	if ((rc = store_scep_profile_get(m->store, c->profile, &p, why)) != STORE_OK)
		return rc;
	if (p.intune_id[0] == '\0')
		return STORE_NONE;
	if ((rc = store_intune_get(m->store, p.intune_id, &other, why)) != STORE_OK)
		return rc;
	return strcasecmp(other.tenant, tenant) == 0 ? STORE_OK : STORE_NONE;
}

/* The certificate that is meant. */
static enum result_code
find(struct manage *m, const struct intune_row *connection, const struct intune_revocation *asked,
    struct certificate_row *c, struct manage_report *r)
{
	struct buffer der = {0};
	enum manage_rc rc;
	enum result_code code = CODE_NONE;

	if (asked->serial[0] == '\0')
		return CODE_PARAMETER_INVALID;
	rc = manage_certificate_get(m, asked->serial, NULL, c, &der, r);
	if (rc == MANAGE_AWAY || rc == MANAGE_FAULT)
		code = CODE_RETRYABLE;
	else if (rc != MANAGE_OK ||
		 (asked->issuer[0] != '\0' && !issued_by(buffer_octets(&der), asked->issuer)))
		code = CODE_NOT_FOUND;
	buffer_free(&der);
	if (code != CODE_NONE)
		return code;
	switch (of_tenant(m, c, connection->tenant, &r->why)) {
	case STORE_OK:
		return CODE_NONE;
	case STORE_AWAY:
		return CODE_RETRYABLE;
	default:
		return CODE_NOT_FOUND;
	}
}

static enum result_code
revoke(struct manage *m, const struct manage_actor *by, const struct certificate_row *c,
    struct manage_report *r)
{
	struct certificate_row after;

	switch (manage_certificate_revoke(m, by, c->uuid[0] != '\0' ? c->uuid : c->serial,
	    c->authority, "cessationOfOperation", &after, r)) {
	case MANAGE_OK:
	case MANAGE_CONFLICT: /* revoked before */
		return CODE_NONE;
	case MANAGE_AWAY:
	case MANAGE_FAULT:
		return CODE_RETRYABLE;
	case MANAGE_NOT_FOUND:
		return CODE_NOT_FOUND;
	default:
		return CODE_NON_RETRYABLE;
	}
}

static const char *
text_of(enum result_code code)
{
	switch (code) {
	case CODE_NONE:
		return NULL;
	case CODE_PARAMETER_INVALID:
		return "the serial number cannot be read";
	case CODE_NOT_FOUND:
		return "no such certificate was issued for this tenant";
	case CODE_RETRYABLE:
		return "the store cannot be reached now";
	default:
		return "it cannot be revoked";
	}
}

/* What was asked for and not done has a row too; the others have that of the revocation. */
static void
record(struct manage *m, const struct manage_actor *by, const struct intune_revocation *asked,
    enum result_code code, bool *away)
{
	struct audit_event e = manage_event(by, "certificate.revoke", "certificate", asked->serial);

	e.outcome = "refused";
	e.serial = asked->serial;
	e.reason = text_of(code);
	*away = store_audit_write(m->store, &e, 1, NULL) != STORE_OK;
}

static void
carry_out(struct manage *m, const struct intune_row *connection, struct batch *b,
    struct manage_intune_round *round)
{
	char who[sizeof(connection->name) + 8];
	struct manage_actor by = {.who = who};

	snprintf(who, sizeof(who), "intune:%s", connection->name);
	for (int i = 0; i < b->count; i++) {
		const struct intune_revocation *asked = &b->asked[i];
		enum result_code code = CODE_RETRYABLE;
		struct manage_report r = {0};
		struct certificate_row c;

		if (!b->away) {
			code = find(m, connection, asked, &c, &r);
			if (code == CODE_NONE)
				code = revoke(m, &by, &c, &r);
		}
		if (code == CODE_RETRYABLE)
			b->away = true;
		else if (code != CODE_NONE)
			record(m, &by, asked, code, &b->away);
		round->revoked += code == CODE_NONE;
		b->results[i] = (struct intune_revocation_result){
		    .context = asked->context,
		    .succeeded = code == CODE_NONE,
		    .error_code = (int)code,
		    .message = text_of(code),
		};
	}
	round->asked += b->count;
}

static bool
go_round(struct manage *m, struct intune *intune, const struct intune_row *connection,
    struct batch *b, struct manage_intune_round *round, struct errbuf *why)
{
	for (int i = 0; i < BATCHES_MAX; i++) {
		b->count = 0;
		if (intune_download(intune, NULL, b->asked, &b->count, why) != INTUNE_DONE)
			return false;
		if (b->count == 0)
			return true;
		carry_out(m, connection, b, round);
		if (intune_upload(intune, b->results, b->count, why) != INTUNE_DONE)
			return false;
		if (b->away) {
			errbuf_set(why, "the store cannot be reached");
			return false;
		}
		if (b->count < INTUNE_REVOCATIONS_MAX)
			return true;
	}
	return true;
}

enum manage_rc
manage_intune_revocations(struct manage *m, struct http *h, const struct intune_row *connection,
    struct manage_intune_round *round, struct manage_report *r)
{
	struct intune *intune = NULL;
	struct batch *b;
	enum manage_rc rc;

	*round = (struct manage_intune_round){0};
	if ((rc = manage_need_master_key(m, r)) != MANAGE_OK)
		return rc;
	if ((b = calloc(1, sizeof(*b))) == NULL)
		return manage_fail(r, MANAGE_FAULT, "revocations: out of memory");
	if (!profile_intune_open(m->settings, m->master_key, h, connection, &intune, &r->why))
		rc = MANAGE_FAULT;
	else if (!go_round(m, intune, connection, b, round, &r->why) ||
		 store_intune_revocations_at(m->store, connection->id, clock_now(), &r->why) !=
		     STORE_OK)
		rc = MANAGE_AWAY;
	intune_close(intune);
	free(b);
	return rc;
}
