/* responder.c: OCSP responders in time. */
#include "fcgi-admin/manage/responder.h"

#include <stdio.h>

#include "base/clock.h"
#include "fcgi-admin/manage/keys.h"
#include "issue/ocsp_responder.h"

/* The end of the one there is; 0: none. */
static enum manage_rc
current_end(struct manage *m, const char *authority_id, int64_t *not_after, struct manage_report *r)
{
	struct ocsp_responder_row row = {0};
	enum store_rc rc = store_ocsp_responder_get(m->store, authority_id, &row, &r->why);

	*not_after = rc == STORE_OK ? row.not_after : 0;
	ocsp_responder_row_free(&row);
	if (rc == STORE_AWAY)
		return MANAGE_AWAY;
	r->why.line[0] = '\0';
	return MANAGE_OK;
}

/* Root makes it, the service reads it. */
static bool
adopt(struct manage *m, const char *file, struct errbuf *why)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", m->settings->key_dir, file);
	return manage_adopt(path, why);
}

static enum manage_rc
make(struct manage *m, const struct manage_actor *by, const struct authority_row *ca,
    int64_t *not_after, struct manage_report *r)
{
	struct ocsp_responder_row row = {0};
	struct signer *signer = NULL;
	enum manage_rc rc;

	if ((rc = manage_signer_open(m, ca->key_file, &signer, r)) != MANAGE_OK)
		return rc;
	switch (issue_responder(
	    m->store, m->settings, ca, signer, by->who, clock_now(), &row, &r->why)) {
	case STORE_OK:
		*not_after = row.not_after;
		rc = adopt(m, row.key_file, &r->why) ? MANAGE_OK : MANAGE_FAULT;
		break;
	case STORE_NONE:
	case STORE_CONFLICT:
		rc = manage_fail(r, MANAGE_CONFLICT, "CA %s is gone", ca->name);
		break;
	default:
		rc = MANAGE_AWAY;
	}
	ocsp_responder_row_free(&row);
	signer_free(signer);
	return rc;
}

enum manage_rc
manage_responder_ensure(struct manage *m, const struct manage_actor *by,
    const struct authority_row *ca, int64_t *not_after, struct manage_report *r)
{
	int64_t now = clock_now(), end = 0;
	enum manage_rc rc;

	if (ca->certificate.len == 0 || now >= ca->not_after)
		return manage_fail(r, MANAGE_CONFLICT, "CA %s %s", ca->name,
		    ca->certificate.len == 0 ? "has no certificate yet" : "has ended");
	if ((rc = manage_need_store(m, r)) != MANAGE_OK ||
	    (rc = current_end(m, ca->id, &end, r)) != MANAGE_OK)
		return rc;
	if (issue_responder_due(end, ca->not_after, now))
		rc = make(m, by, ca, &end, r);
	if (rc == MANAGE_OK && not_after != NULL)
		*not_after = end;
	return rc;
}

void
manage_responder_make(struct manage *m, const struct manage_actor *by,
    const struct authority_row *ca, struct manage_report *r)
{
	struct manage_report own = {0};

	if (manage_responder_ensure(m, by, ca, NULL, &own) != MANAGE_OK)
		manage_warn(r, "no OCSP responder yet, scepctl ca responder %s tries again: %s",
		    ca->name, own.why.line);
}
