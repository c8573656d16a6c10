/* transaction.c: listing, finding and reading the transactions that wait in Redis and those that are decided in the store. */
#include "fcgi-admin/manage/transaction.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/profile.h"
#include "fcgi-admin/manage/transaction_pending.h"
#include "issue/kept_csr.h"
#include "pki/certificate.h"
#include "pki/csr.h"
#include "pki/fields.h"
#include "pki/name.h"

void
manage_transaction_free(struct manage_transaction *t)
{
	transaction_row_free(&t->row);
	octets_wipe(t->challenge_token, sizeof(t->challenge_token));
}

const char *
manage_transaction_state_name(const struct manage_transaction *t)
{
	switch (t->state) {
	case MANAGE_TRANSACTION_WAITS:
		return "pending";
	case MANAGE_TRANSACTION_EXPIRED:
		return "expired";
	case MANAGE_TRANSACTION_DECIDED:
		break;
	}
	return transaction_status_name(t->row.status);
}

static void
keep(struct buffer *to, struct octets from)
{
	buffer_append(to, from.data, from.len);
}

/* As much as there is room for, cut at a character's border. */
static void
keep_text(char *to, size_t size, struct octets from)
{
	size_t len = from.len < size ? from.len : size - 1;

	while (len < from.len && len > 0 && (from.data[len] & 0xc0) == 0x80)
		len--;
	if (len > 0)
		memcpy(to, from.data, len);
	to[len] = '\0';
}

bool
transaction_of_pending(const struct pending *p, const char *profile, struct manage_transaction *out)
{
	struct transaction_row *row = &out->row;

	memset(out, 0, sizeof(*out));
	out->state =
	    p->state == PENDING_EXPIRED ? MANAGE_TRANSACTION_EXPIRED : MANAGE_TRANSACTION_WAITS;
	out->polls = p->polls;
	memcpy(out->challenge_token, p->challenge_token, sizeof(out->challenge_token));
	memcpy(row->key, p->key, sizeof(row->key));
	memcpy(row->id, p->id, sizeof(row->id));
	snprintf(row->profile_id, sizeof(row->profile_id), "%s", p->profile_id);
	snprintf(row->profile, sizeof(row->profile), "%s", profile);
	row->created_at = p->created_ms / 1000;
	row->expires_at = p->expires_ms / 1000;
	snprintf(row->address, sizeof(row->address), "%s", p->address);
	keep_text(row->transaction_id, sizeof(row->transaction_id), p->transaction_id);
	row->message_type = p->message_type;
	snprintf(row->method, sizeof(row->method), "%s", p->method);
	keep_text(row->subject, sizeof(row->subject), p->subject);
	snprintf(row->key_type, sizeof(row->key_type), "%s", p->key_type);
	memcpy(row->repeat_key, p->repeat_key, sizeof(row->repeat_key));
	keep(&row->csr, p->csr);
	keep(&row->signer, p->signer);
	keep(&row->challenge_id, p->challenge_id);
	keep(&row->predecessor, p->predecessor);
	keep(&row->sealed_password, p->sealed_password);
	row->enrollment_row = p->enrollment_row;
	row->account_row = p->account_row;
	return !row->csr.failed && !row->signer.failed && !row->challenge_id.failed &&
	       !row->predecessor.failed && !row->sealed_password.failed;
}

/* --- every profile --- */

static bool
keep_profile(void *ctx, const struct scep_profile_row *p)
{
	struct buffer *all = ctx;
	struct transaction_profile one = {{0}, {0}};

	memcpy(one.id, p->id, sizeof(one.id));
	memcpy(one.name, p->name, sizeof(one.name));
	buffer_append(all, &one, sizeof(one));
	return !all->failed;
}

enum manage_rc
transaction_profiles(
    struct manage *m, const char *name, struct buffer *out, struct manage_report *r)
{
	struct scep_profile_row row = {0};
	enum manage_rc rc;

	if (name == NULL)
		rc = manage_profile_each(m, keep_profile, out, r);
	else if ((rc = manage_profile_row(m, name, &row, r)) == MANAGE_OK)
		keep_profile(out, &row);
	if (rc == MANAGE_OK && out->failed)
		rc = manage_fail(r, MANAGE_FAULT, "out of memory");
	return rc;
}

struct transaction_profile
transaction_profile_at(const struct buffer *all, size_t i)
{
	struct transaction_profile p;

	memcpy(&p, all->data + i * sizeof(p), sizeof(p));
	return p;
}

/* --- listing --- */

struct listing {
	struct manage *m;
	const char *profile; /* its name; NULL: any */
	bool (*row)(void *ctx, const struct manage_transaction *t);
	void *ctx;
	bool stopped;
	bool failed;
};

/* One that is decided while Redis was away is still there: what the store has counts. */
static bool
is_decided(struct manage *m, const char *id)
{
	struct transaction_row row = {0};
	enum store_rc rc = store_transaction_get_id(m->store, id, &row, NULL);

	transaction_row_free(&row);
	return rc == STORE_OK;
}

static bool
tell_pending(void *ctx, const struct pending *p)
{
	struct listing *l = ctx;
	struct manage_transaction t;

	if (is_decided(l->m, p->id))
		return true;
	if (!transaction_of_pending(p, l->profile, &t))
		l->failed = true;
	else
		l->stopped = !l->row(l->ctx, &t);
	manage_transaction_free(&t);
	return !l->stopped && !l->failed;
}

static bool
tell_decided(void *ctx, const struct transaction_row *row)
{
	struct listing *l = ctx;
	struct manage_transaction t = {
	    .state = MANAGE_TRANSACTION_DECIDED, .row = *row, .polls = -1};

	if (l->profile != NULL && strcmp(l->profile, row->profile) != 0)
		return true;
	l->stopped = !l->row(l->ctx, &t);
	return !l->stopped;
}

/* Those that wait with the profiles in all. */
static enum manage_rc
each_pending(struct manage *m, const struct buffer *all, struct listing *l, struct manage_report *r)
{
	int64_t now_ms = clock_now_ms();
	enum manage_rc rc;

	if ((rc = manage_need_redis(m, r)) != MANAGE_OK)
		return rc;
	for (size_t i = 0; i < all->len / sizeof(struct transaction_profile) && !l->stopped; i++) {
		struct transaction_profile p = transaction_profile_at(all, i);

		l->profile = p.name;
		if (transaction_each(m->redis, p.id, now_ms, MANAGE_TRANSACTIONS_MAX, tell_pending,
			l, &r->why) != REDIS_DONE)
			return MANAGE_AWAY;
		if (l->failed)
			return manage_fail(r, MANAGE_FAULT, "out of memory");
	}
	return MANAGE_OK;
}

enum manage_rc
manage_transaction_each(struct manage *m, const char *profile, bool decided,
    bool (*row)(void *ctx, const struct manage_transaction *t), void *ctx, struct manage_report *r)
{
	struct listing l = {.m = m, .row = row, .ctx = ctx};
	struct transaction_profile one;
	struct buffer all = {0};
	enum manage_rc rc;

	if ((rc = transaction_profiles(m, profile, &all, r)) == MANAGE_OK &&
	    (rc = each_pending(m, &all, &l, r)) == MANAGE_OK && decided && !l.stopped) {
		l.profile = NULL;
		if (profile != NULL) {
			one = transaction_profile_at(&all, 0);
			l.profile = one.name;
		}
		rc = manage_of_store(
		    store_transaction_list(m->store, MANAGE_DECIDED_MAX, tell_decided, &l, &r->why),
		    "transaction", "", r);
	}
	buffer_free(&all);
	return rc;
}

static bool
keep_manual(void *ctx, const struct scep_profile_row *p)
{
	return strcmp(p->approval, "manual") != 0 || keep_profile(ctx, p);
}

enum manage_rc
manage_transaction_count(struct manage *m, int64_t *waiting, struct manage_report *r)
{
	struct buffer all = {0};
	int64_t now_ms = clock_now_ms(), one = 0;
	enum manage_rc rc;

	*waiting = 0;
	if ((rc = manage_need_store(m, r)) == MANAGE_OK &&
	    (rc = manage_need_redis(m, r)) == MANAGE_OK)
		rc = manage_of_store(store_scep_profile_each(m->store, keep_manual, &all, &r->why),
		    "profile", "", r);
	for (size_t i = 0; rc == MANAGE_OK && i < all.len / sizeof(struct transaction_profile);
	     i++) {
		struct transaction_profile p = transaction_profile_at(&all, i);

		if (transaction_waiting(m->redis, p.id, now_ms, &one, &r->why) != REDIS_DONE)
			rc = MANAGE_AWAY;
		*waiting += one;
	}
	buffer_free(&all);
	return rc;
}

/* --- finding one --- */

static enum manage_rc
get_decided(
    struct manage *m, const char *id, struct manage_transaction *out, struct manage_report *r)
{
	memset(out, 0, sizeof(*out));
	out->state = MANAGE_TRANSACTION_DECIDED;
	out->polls = -1;
	return manage_of_store(
	    store_transaction_get_id(m->store, id, &out->row, &r->why), "transaction", id, r);
}

/* By its whole id, among those that wait and those that nobody decided in time. */
static enum manage_rc
get_pending(
    struct manage *m, const char *id, struct manage_transaction *out, struct manage_report *r)
{
	struct buffer all = {0};
	struct pending p = {0};
	bool there = false, ok = true;
	enum manage_rc rc;

	if ((rc = transaction_profiles(m, NULL, &all, r)) == MANAGE_OK)
		rc = manage_need_redis(m, r);
	for (size_t i = 0;
	     rc == MANAGE_OK && !there && i < all.len / sizeof(struct transaction_profile); i++) {
		struct transaction_profile of = transaction_profile_at(&all, i);

		if (transaction_find(m->redis, of.id, id, clock_now_ms(), &there, &p, &r->why) !=
		    REDIS_DONE)
			rc = MANAGE_AWAY;
		else if (there)
			ok = transaction_of_pending(&p, of.name, out);
		pending_free(&p);
	}
	buffer_free(&all);
	if (rc == MANAGE_OK && !there)
		return manage_fail(r, MANAGE_NOT_FOUND, "there is no transaction %s", id);
	return rc == MANAGE_OK && !ok ? manage_fail(r, MANAGE_FAULT, "out of memory") : rc;
}

/* Those that a text may stand for; the first two are enough to say that there are several. */
struct search {
	const char *text;
	bool prefix; /* long enough to be the beginning of an id */
	char found[2][37];
	int count;
};

static bool
search_row(void *ctx, const struct manage_transaction *t)
{
	struct search *s = ctx;
	bool fits = s->prefix && strncmp(t->row.id, s->text, strlen(s->text)) == 0;

	fits = fits || (t->state == MANAGE_TRANSACTION_WAITS &&
			   strcmp(t->row.transaction_id, s->text) == 0);
	if (fits && s->count < 2)
		memcpy(s->found[s->count++], t->row.id, sizeof(s->found[0]));
	return s->count < 2;
}

enum manage_rc
manage_transaction_get(
    struct manage *m, const char *id, struct manage_transaction *out, struct manage_report *r)
{
	struct search s = {.text = id, .prefix = strlen(id) >= MANAGE_TRANSACTION_ID};
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	if (!encoding_is_uuid(id)) {
		if ((rc = manage_transaction_each(m, NULL, true, search_row, &s, r)) != MANAGE_OK)
			return rc;
		if (s.count > 1)
			return manage_fail(r, MANAGE_CONFLICT,
			    "%s stands for several transactions (%s, %s): give more of the id", id,
			    s.found[0], s.found[1]);
		if (s.count == 0)
			return manage_fail(r, MANAGE_NOT_FOUND, "there is no transaction %s", id);
		id = s.found[0];
	}
	rc = get_decided(m, id, out, r);
	if (rc == MANAGE_NOT_FOUND) {
		r->why.line[0] = '\0';
		rc = get_pending(m, id, out, r);
	}
	if (rc != MANAGE_OK)
		manage_transaction_free(out);
	return rc;
}

/* --- what it says --- */

static void
read_predecessor(const struct transaction_row *row, struct manage_transaction_content *out)
{
	struct certificate c = {0};
	struct buffer subject = {0};

	if (row->predecessor.len == 0 ||
	    !certificate_parse(buffer_octets(&row->predecessor), &c, NULL))
		return;
	manage_serial_text(c.serial, out->renews_serial);
	if (name_to_text(c.subject, &subject))
		snprintf(out->renews_subject, sizeof(out->renews_subject), "%s",
		    buffer_string(&subject));
	out->renews_not_after = c.not_after;
	buffer_free(&subject);
	certificate_free(&c);
}

static enum manage_rc
open_csr(struct manage *m, struct transaction_row *row, struct manage_report *r)
{
	struct buffer der = {0};
	enum manage_rc rc;

	if ((rc = manage_need_master_key(m, r)) != MANAGE_OK)
		return rc;
	if (!kept_csr_open(m->master_key, row->key, buffer_octets(&row->csr), &der, &r->why)) {
		buffer_free(&der);
		return MANAGE_FAULT;
	}
	buffer_free(&row->csr);
	row->csr = der;
	return MANAGE_OK;
}

enum manage_rc
manage_transaction_read(struct manage *m, struct manage_transaction *t,
    struct manage_transaction_content *out, struct manage_report *r)
{
	struct buffer subject = {0}, san = {0};
	uint8_t digest[32];
	enum manage_rc rc;
	struct csr csr;

	memset(out, 0, sizeof(*out));
	if ((rc = open_csr(m, &t->row, r)) != MANAGE_OK)
		return rc;
	if (!csr_parse(t->row.csr.data, t->row.csr.len, &csr, &r->why))
		return MANAGE_FAULT;
	if (name_to_text(csr.subject, &subject))
		snprintf(out->subject, sizeof(out->subject), "%s", buffer_string(&subject));
	if (csr.san.len > 0 && san_to_text(csr.san, &san))
		snprintf(out->san, sizeof(out->san), "%s", buffer_string(&san));
	snprintf(out->key, sizeof(out->key), "%s", csr.key.name);
	if (public_key_digest(csr.spki, digest))
		encoding_hex(octets_of(digest, sizeof(digest)), out->fingerprint);
	read_predecessor(&t->row, out);
	buffer_free(&subject);
	buffer_free(&san);
	csr_free(&csr);
	return MANAGE_OK;
}
