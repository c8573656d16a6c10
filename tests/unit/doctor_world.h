/*
 * doctor_world.h: for the tests of scepctl doctor: a healthy server's answers, canned, and saying what a check must find in them.
 *
 * The answers to polls are not there: a test makes them, or writes into replies what one would say.
 */
#ifndef UNIT_DOCTOR_WORLD_H
#define UNIT_DOCTOR_WORLD_H

#include "fcgi-admin/cli/doctor.h"
#include "pki/signer.h"

#define DOCTOR_NOW 1800000000 /* in the middle of all certificates' years */

struct doctor_party {
	EVP_PKEY *key;
	struct signer *signer;
	struct buffer subject;
	struct buffer der;
	struct certificate certificate;
};

/* A root, a CA below it, and RAs of this one: with both usages, and with one each. */
struct doctor_world {
	struct doctor_party root, ca, ra, ra_signs, ra_deciphers;
	struct doctor_party stranger; /* another root, of the root's name */
};
extern struct doctor_world doctor_world;

/* For cmocka's group setup and teardown. */
int doctor_world_open(void **state);
int doctor_world_close(void **state);

/* A server in whose answers no check finds fault; doctor_read() is done.  The caller frees d. */
void doctor_healthy(struct doctor *d);

/* Replace the answer to q; headers are lines with "\r\n" behind each, "" for none. */
void doctor_set(struct doctor *d, enum doctor_question q, int status, const char *type,
    const char *headers, struct octets body);
void doctor_set_text(
    struct doctor *d, enum doctor_question q, int status, const char *type, const char *body);
/* Nothing came: rc is not HTTP_DONE. */
void doctor_set_broken(struct doctor *d, enum doctor_question q, enum http_rc rc, const char *why);
/* What GetCACert gives, however it is asked, and all that is read from it; one certificate alone is bare. */
void doctor_set_list(struct doctor *d, const struct doctor_party *const *parties, int count);

/* The check of this name says result, and words are in its text. */
void doctor_assert(
    const struct doctor *d, const char *name, enum doctor_result result, const char *words);
/* The same, naming exactly these clients. */
void doctor_assert_clients(const struct doctor *d, const char *name, uint32_t clients);

#endif
