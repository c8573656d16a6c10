/* authority_url.c: where CRLs and OCSP answers of a CA are found, as its certificates say. */
#include <stdio.h>
#include <string.h>

#include "fcgi-admin/manage/authority.h"

static bool
fits(const char *url, bool ldap)
{
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0 &&
	    (!ldap || strncmp(url, "ldap://", 7) != 0))
		return false;
	if (strlen(url) >= MANAGE_URL)
		return false;
	for (const char *p = url; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p > '~')
			return false;
	return true;
}

/* SCEP_PUBLIC_URL may still be its default, or https, which a client may have to check by this very URL. */
static void
warn_of_public_url(const struct manage *m, struct manage_report *r)
{
	const char *url = m->settings->public_url;

	if (strcmp(url, "http://localhost") == 0)
		manage_warn(r, "SCEP_PUBLIC_URL is %s: nobody else reaches that", url);
	else if (strncmp(url, "https://", 8) == 0)
		manage_warn(r,
		    "SCEP_PUBLIC_URL is https: clients that ask whether a certificate is revoked "
		    "want plain http (RFC 5280 section 8)");
}

void
manage_crl_url(struct manage *m, const char *name, const char *url, char out[MANAGE_URL],
    struct manage_report *r)
{
	if (strcmp(url, "auto") == 0) {
		if (snprintf(out, MANAGE_URL, "%s/crl/%s.crl", m->settings->public_url, name) >=
		    MANAGE_URL)
			manage_invalid(r, "crlUrl", "is longer than 255 characters");
		warn_of_public_url(m, r);
		return;
	}
	if (url[0] != '\0' && !fits(url, true))
		manage_invalid(r, "crlUrl",
		    "want auto, http://, https:// or ldap:// and at most 255 characters");
	else
		snprintf(out, MANAGE_URL, "%s", url);
}

void
manage_ocsp_url(struct manage *m, const char *name, const char *url, char out[MANAGE_URL],
    struct manage_report *r)
{
	if (strcmp(url, "auto") == 0) {
		if (snprintf(out, MANAGE_URL, "%s/ocsp/%s", m->settings->public_url, name) >=
		    MANAGE_URL)
			manage_invalid(r, "ocspUrl", "is longer than 255 characters");
		warn_of_public_url(m, r);
		return;
	}
	if (url[0] != '\0' && !fits(url, false))
		manage_invalid(
		    r, "ocspUrl", "want auto, http:// or https:// and at most 255 characters");
	else
		snprintf(out, MANAGE_URL, "%s", url);
}

enum manage_rc
manage_authority_set_urls(struct manage *m, const struct manage_actor *by, const char *name,
    const char *crl_url, const char *ocsp_url, struct manage_report *r)
{
	char crl[MANAGE_URL] = "", ocsp[MANAGE_URL] = "";
	struct authority_row row = {0};
	struct buffer changes = {0};
	struct audit_event e;
	enum manage_rc rc;

	if ((rc = manage_authority_get(m, name, &row, r)) != MANAGE_OK)
		return rc;
	manage_crl_url(m, row.name, crl_url != NULL ? crl_url : row.crl_url, crl, r);
	manage_ocsp_url(m, row.name, ocsp_url != NULL ? ocsp_url : row.ocsp_url, ocsp, r);
	if ((rc = manage_validity(r)) == MANAGE_OK) {
		if (strcmp(crl, row.crl_url) != 0)
			manage_changed(&changes, "crlUrl", row.crl_url, crl);
		if (strcmp(ocsp, row.ocsp_url) != 0)
			manage_changed(&changes, "ocspUrl", row.ocsp_url, ocsp);
	}
	if (rc == MANAGE_OK && changes.len > 0) {
		e = manage_event(by, "authority.update", "authority", row.id);
		e.reason = buffer_string(&changes);
		rc = manage_of_store(
		    store_authority_set_urls(m->store, row.id, crl, ocsp, &e, &r->why), "CA", name,
		    r);
	}
	buffer_free(&changes);
	authority_row_free(&row);
	return rc;
}
