/* served.c: the profiles that a CA serves. */
#include "fcgi-admin/manage/served.h"

#include <stdlib.h>
#include <string.h>

#include "store/profile_row.h"

void
served_free(struct served *s)
{
	free(s->profiles);
	*s = (struct served){.count = 0};
}

struct collecting {
	struct served *out;
	bool failed;
};

static bool
keep(void *ctx, const struct scep_profile_row *p)
{
	struct collecting *all = ctx;
	struct served *s = all->out;
	struct served_profile *more = realloc(s->profiles, sizeof(*more) * (size_t)(s->count + 1));

	if (more == NULL) {
		all->failed = true;
		return false;
	}
	s->profiles = more;
	more += s->count++;
	memset(more, 0, sizeof(*more));
	memcpy(more->id, p->id, sizeof(more->id));
	memcpy(more->name, p->name, sizeof(more->name));
	memcpy(more->ra_profile_id, p->ra_profile_id, sizeof(more->ra_profile_id));
	memcpy(more->ra_certificate_id, p->ra_certificate_id, sizeof(more->ra_certificate_id));
	return true;
}

/* Is it the CA's?  Then the rest of what is to be known. */
static enum manage_rc
complete(struct manage *m, const char *authority_id, struct served_profile *p, bool *is_its,
    struct manage_report *r)
{
	struct ra_profile_row *profile = calloc(1, sizeof(*profile));
	struct ra_certificate_row ra = {0}, next = {0};
	enum manage_rc rc;

	if (profile == NULL)
		return manage_fail(r, MANAGE_FAULT, "out of memory");
	rc = manage_of_store(store_ra_profile_get(m->store, p->ra_profile_id, profile, &r->why),
	    "RA profile", p->ra_profile_id, r);
	*is_its = rc == MANAGE_OK && strcmp(profile->authority_id, authority_id) == 0;
	free(profile);
	if (!*is_its)
		return rc;
	rc = manage_of_store(store_ra_certificate_get(m->store, p->ra_certificate_id, &ra, &r->why),
	    "RA certificate", p->ra_certificate_id, r);
	if (rc == MANAGE_OK && !manage_key_kind(buffer_octets(&ra.certificate), p->ra_kind))
		rc = manage_fail(
		    r, MANAGE_FAULT, "the RA certificate of profile %s has no RSA key", p->name);
	ra_certificate_row_free(&ra);
	if (rc != MANAGE_OK)
		return rc;
	rc = manage_ra_next(m, p->id, &next, r);
	p->has_next = rc == MANAGE_OK;
	memcpy(p->next_authority_id, next.authority_id, sizeof(p->next_authority_id));
	memcpy(p->next_key_file, next.key_file, sizeof(p->next_key_file));
	ra_certificate_row_free(&next);
	if (rc == MANAGE_NOT_FOUND)
		r->why.line[0] = '\0';
	return rc == MANAGE_NOT_FOUND ? MANAGE_OK : rc;
}

enum manage_rc
served_read(struct manage *m, const char *authority_id, struct served *out, struct manage_report *r)
{
	struct collecting all = {.out = out};
	int kept = 0;
	enum manage_rc rc;

	*out = (struct served){.count = 0};
	rc = manage_of_store(
	    store_scep_profile_each(m->store, keep, &all, &r->why), "profile", "", r);
	if (rc == MANAGE_OK && all.failed)
		rc = manage_fail(r, MANAGE_FAULT, "out of memory");
	for (int i = 0; rc == MANAGE_OK && i < out->count; i++) {
		bool is_its = false;

		rc = complete(m, authority_id, &out->profiles[i], &is_its, r);
		if (is_its)
			out->profiles[kept++] = out->profiles[i];
	}
	out->count = kept;
	return rc;
}
