/* profile_mode.c: how a device proves itself under a profile, what each way stands on, and how often it may try. */
#include <stdio.h>
#include <string.h>

#include "authorise/authorise.h"
#include "fcgi-admin/manage/challenge_strength.h"
#include "fcgi-admin/manage/profile_change.h"
#include "fcgi-admin/manage/webhook.h"
#include "store/outbound_row.h"

#define LIMIT_MOST 1000000

static const char *const modes[] = {
    "static", "dynamic", "enrollmentCode", "intune", "webhook", "none", NULL};

const char *const manage_seat_fields[] = {"subject.commonName", "subject.email",
    "subject.serialNumber", "san.email", "san.upn", "san.dns", NULL};

static bool
is_one_of(const char *word, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

/* --- checking --- */

static void
check_challenge(const struct manage_profile_change *c, const char *mode, struct manage_report *r)
{
	const char *fault;

	if (c->challenge == NULL)
		return;
	if (mode[0] != '\0' && strcmp(mode, "static") != 0)
		manage_invalid(r, "challenge",
		    "a profile of mode %s has none: set challengeMode to static too", mode);
	if ((fault = challenge_fault(*c->challenge)) != NULL) {
		manage_invalid(r, "challenge", "%s", fault);
		return;
	}
	if ((fault = challenge_weakness(*c->challenge)) != NULL)
		manage_warn(r, "the challenge %s: whoever guesses it enrols any device", fault);
	if (!challenge_is_printable(*c->challenge))
		manage_warn(r,
		    "the challenge has characters that are not in PrintableString: Windows "
		    "cannot send it");
}

/* Intune answers at once, and has to be asked each time: a device that is no longer targeted would go round it by its certificate. */
static void
check_intune(const struct manage_profile_change *c, const char *approval, struct manage_report *r)
{
	if (strcmp(approval, "manual") == 0)
		manage_invalid(r, "approval", "Intune waits for nobody: want auto");
	if (c->certificate_renewal == 1)
		manage_invalid(r, "certificateRenewal",
		    "want no: a device that Intune no longer knows would go on by its certificate");
}

/* The connection that the change names; "" none.  What is not there is a fault. */
static enum manage_rc
find_intune(struct manage *m, const char *name, struct intune_row *row, struct manage_report *r)
{
	enum manage_rc rc;

	memset(row, 0, sizeof(*row));
	if (*name == '\0')
		return MANAGE_OK;
	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	switch (store_intune_get(m->store, name, row, &r->why)) {
	case STORE_OK:
		return MANAGE_OK;
	case STORE_AWAY:
		return MANAGE_AWAY;
	default:
		r->why.line[0] = '\0';
		manage_invalid(r, "intune", "there is no connection %s", name);
		return MANAGE_OK;
	}
}

enum manage_rc
profile_mode_check(struct manage *m, const struct manage_profile_change *c,
    const struct manage_profile *p, struct manage_report *r)
{
	const char *mode = c->challenge_mode != NULL ? c->challenge_mode : p->scep.challenge_mode;
	const char *approval = c->approval != NULL ? c->approval : p->scep.approval;
	bool renewal = c->certificate_renewal != MANAGE_KEEP ? c->certificate_renewal != 0
							     : p->scep.certificate_renewal;
	struct intune_row row;

	if (c->challenge_mode != NULL && !is_one_of(mode, modes))
		manage_invalid(r, "challengeMode",
		    "want static, dynamic, enrollmentCode, intune, webhook or none, have \"%s\"",
		    mode);
	check_challenge(c, mode, r);
	if (strcmp(mode, "intune") == 0)
		check_intune(c, approval, r);
	if (strcmp(mode, "none") == 0 && strcmp(approval, "manual") != 0)
		manage_warn(r, renewal ? "without approval by hand only renewals are answered"
				       : "without approval by hand and renewal nobody is answered");
	if (c->challenge_length != MANAGE_KEEP && c->challenge_length != 16 &&
	    c->challenge_length != 32)
		manage_invalid(r, "challengeLength", "want 32 or 16");
	if (c->challenge_length == 16)
		manage_warn(r, "challenges of 16 characters have 64 bits: devices with EC keys are "
			       "refused, as "
			       "their replies are encrypted under it and 128 are wanted");
	if (c->seat_field != NULL && !is_one_of(c->seat_field, manage_seat_fields))
		manage_invalid(r, "seatField",
		    "want subject.commonName, subject.email, subject.serialNumber, san.email, "
		    "san.upn or san.dns, have \"%s\"",
		    c->seat_field);
	profile_check_number("limitAddress", c->limit_address, 0, LIMIT_MOST, r);
	profile_check_number("limitProfile", c->limit_profile, 0, LIMIT_MOST, r);
	profile_check_number("limitAccount", c->limit_account, 0, LIMIT_MOST, r);
	profile_check_number("limitSeat", c->limit_seat, 0, LIMIT_MOST, r);
	return c->intune != NULL ? find_intune(m, c->intune, &row, r) : MANAGE_OK;
}

enum manage_rc
profile_change_can_enable(
    struct manage *m, const struct scep_profile_row *p, struct manage_report *r)
{
	enum manage_rc rc;
	int count = 0;

	if (p->challenge_mode[0] == '\0')
		manage_invalid(r, "challengeMode",
		    "a profile needs one before it is enabled: static, dynamic, enrollmentCode, "
		    "intune, webhook or none");
	else if (strcmp(p->challenge_mode, "static") == 0 && !p->challenge_set)
		manage_invalid(r, "challenge",
		    "a static profile needs one before it is enabled (--challenge-file)");
	else if (strcmp(p->challenge_mode, "intune") == 0 && p->intune_id[0] == '\0')
		manage_invalid(r, "intune",
		    "a profile of mode intune needs a connection before it "
		    "is enabled (scepctl intune create)");
	if (strcmp(p->challenge_mode, "webhook") != 0)
		return manage_validity(r);
	if ((rc = manage_webhook_count(m, p->id, "validate", NULL, &count, r)) != MANAGE_OK)
		return rc;
	if (count == 0)
		manage_invalid(r, "challengeMode",
		    "a profile of mode webhook needs an enabled one of kind validate before it is "
		    "enabled (scepctl webhook create)");
	return manage_validity(r);
}

/* --- applying --- */

static enum manage_rc
apply_challenge(struct manage *m, const struct manage_profile_change *c, struct scep_profile_row *p,
    struct buffer *changes, struct manage_report *r)
{
	enum manage_rc rc;

	if (c->challenge == NULL)
		return MANAGE_OK;
	if ((rc = manage_need_master_key(m, r)) != MANAGE_OK)
		return rc;
	if (!authorise_challenge_id(m->master_key, p->id, *c->challenge, p->challenge_hash)) {
		errbuf_ossl(&r->why, "challenge: HMAC");
		return MANAGE_FAULT;
	}
	manage_changed(changes, "challenge", p->challenge_set ? "set" : "", "set anew");
	p->challenge_set = true;
	p->challenge_weak = challenge_weakness(*c->challenge) != NULL;
	if (p->challenge_mode[0] == '\0')
		profile_apply_text("challengeMode", "static", p->challenge_mode,
		    sizeof(p->challenge_mode), changes);
	return MANAGE_OK;
}

enum manage_rc
profile_intune_read(struct manage *m, struct manage_profile *p, struct manage_report *r)
{
	struct intune_row row = {.name = ""};

	p->intune[0] = '\0';
	if (p->scep.intune_id[0] == '\0')
		return MANAGE_OK;
	if (store_intune_get(m->store, p->scep.intune_id, &row, &r->why) == STORE_AWAY)
		return MANAGE_AWAY;
	r->why.line[0] = '\0';
	memcpy(p->intune, row.name, sizeof(p->intune));
	return MANAGE_OK;
}

static enum manage_rc
apply_intune(struct manage *m, const struct manage_profile_change *c, struct manage_profile *p,
    struct buffer *changes, struct manage_report *r)
{
	struct intune_row row;
	enum manage_rc rc;

	if (c->intune == NULL)
		return MANAGE_OK;
	if ((rc = find_intune(m, c->intune, &row, r)) != MANAGE_OK ||
	    (rc = manage_validity(r)) != MANAGE_OK)
		return rc;
	profile_apply_text("intune", row.name, p->intune, sizeof(p->intune), changes);
	memcpy(p->scep.intune_id, row.id, sizeof(p->scep.intune_id));
	return MANAGE_OK;
}

enum manage_rc
profile_mode_apply(struct manage *m, const struct manage_profile_change *c,
    struct manage_profile *p, struct buffer *changes, struct manage_report *r)
{
	struct scep_profile_row *s = &p->scep;
	enum manage_rc rc;

	profile_apply_text("challengeMode", c->challenge_mode, s->challenge_mode,
	    sizeof(s->challenge_mode), changes);
	profile_apply_number("challengeLength", c->challenge_length, &s->challenge_length, changes);
	profile_apply_text(
	    "seatField", c->seat_field, s->seat_field, sizeof(s->seat_field), changes);
	profile_apply_number("limitAddress", c->limit_address, &s->limit_address, changes);
	profile_apply_number("limitProfile", c->limit_profile, &s->limit_profile, changes);
	profile_apply_number("limitAccount", c->limit_account, &s->limit_account, changes);
	profile_apply_number("limitSeat", c->limit_seat, &s->limit_seat, changes);
	if (strcmp(s->challenge_mode, "intune") == 0)
		profile_apply_flag("certificateRenewal", 0, &s->certificate_renewal, changes);
	if ((rc = apply_intune(m, c, p, changes, r)) != MANAGE_OK)
		return rc;
	return apply_challenge(m, c, s, changes, r);
}
