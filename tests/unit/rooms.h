/* rooms.h: an installation of a test's own, with a CA, a profile and keys, for what stands above the store: profile, authorise, issue. */
#ifndef UNIT_ROOMS_H
#define UNIT_ROOMS_H

#include <stdbool.h>

#include "authorise/authorise.h"
#include "base/settings.h"
#include "fcgi-admin/manage/manage.h"
#include "fcgi-admin/manage/profile.h"
#include "issue/issue.h"
#include "pki/csr.h"
#include "profile/profile.h"
#include "tests/unit/redis_server.h"

#define ROOMS_CHALLENGE "a right challenge"
#define ROOMS_CA	"ca"
#define ROOMS_PROFILE	"demo" /* static challenge, enabled */

struct rooms {
	char directory[64];
	struct settings settings;
	struct manage manage;
	struct redis_server server; /* pid 0: there is none */
	struct profile_cache *profiles;
	struct authoriser authoriser;
	struct errbuf why;
};

/* All of it in a new directory; with a redis-server where one is asked for and installed.  Both abort the test on failure. */
void rooms_open(struct rooms *r, bool with_redis);
void rooms_close(struct rooms *r);

/* The verbs of scepctl, as little of them as the tests need. */
void rooms_set(struct rooms *r, const struct manage_profile_change *change);
void rooms_enable(struct rooms *r, bool enabled);
/* A one-time challenge; bind_cn may be NULL. */
void rooms_mint(struct rooms *r, const char *bind_cn, char value[33]);

/* The profile as it is now. */
struct profile *rooms_profile(struct rooms *r);

/* A CSR by key for a subject ("CN=x"), with a challenge unless it is NULL; the caller frees it. */
struct csr rooms_csr(EVP_PKEY *key, const char *subject, const char *challenge);
/* The same with a subjectAltName as san_from_text() reads it; NULL: without. */
struct csr rooms_csr_san(
    EVP_PKEY *key, const char *subject, const char *san, const char *challenge);

/* An order for it as fcgi-scep makes them, with the repeat key number. */
struct issue_order rooms_order(
    struct rooms *r, const struct csr *csr, uint8_t number, uint8_t repeat_key[32], int64_t now);

/* One integer from the store, by a connection of its own. */
int64_t rooms_count(struct rooms *r, const char *table);

#endif
