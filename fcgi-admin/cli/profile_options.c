/* profile_options.c: the options of profile create, set and clone, read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi-admin/cli/profile.h"

#define CHALLENGE_FILE_MAX 4096

void
profile_wanted_free(struct profile_wanted *w)
{
	if (w != NULL)
		buffer_free(&w->challenge);
	free(w);
}

static bool
read_challenge(const struct arguments *a, struct profile_wanted *w, struct errbuf *why)
{
	const char *value = arguments_text(a, "challenge");
	const char *file = arguments_text(a, "challenge-file");

	if (value != NULL && file != NULL) {
		errbuf_set(why, "--challenge and --challenge-file: one of them");
		return false;
	}
	if (value == NULL && file == NULL)
		return true;
	if (value != NULL)
		buffer_append_string(&w->challenge, value);
	else if (!cli_read_file(file, CHALLENGE_FILE_MAX, &w->challenge, why))
		return false;
	if (file != NULL && w->challenge.len > 0 && w->challenge.data[w->challenge.len - 1] == '\n')
		w->challenge.len--;
	w->challenge_octets = buffer_octets(&w->challenge);
	w->change.challenge = &w->challenge_octets;
	return true;
}

/* What concerns how a device proves itself, and how often it may. */
static bool
read_mode(const struct arguments *a, struct manage_profile_change *c, struct errbuf *why)
{
	c->challenge_mode = arguments_text(a, "challenge-mode");
	c->seat_field = arguments_text(a, "seat-field");
	c->intune = arguments_text(a, "intune");
	return arguments_number(a, "challenge-length", 0, INT32_MAX, &c->challenge_length, why) &&
	       arguments_number(a, "limit-address", 0, INT32_MAX, &c->limit_address, why) &&
	       arguments_number(a, "limit-profile", 0, INT32_MAX, &c->limit_profile, why) &&
	       arguments_number(a, "limit-account", 0, INT32_MAX, &c->limit_account, why) &&
	       arguments_number(a, "limit-seat", 0, INT32_MAX, &c->limit_seat, why);
}

/* What concerns renewal and approval by hand. */
static bool
read_renewal(const struct arguments *a, struct manage_profile_change *c, struct errbuf *why)
{
	c->approval = arguments_text(a, "approval");
	c->renew_from = arguments_text(a, "renew-from");
	c->curves = arguments_text(a, "curves");
	return arguments_duration(a, "transaction-ttl", &c->transaction_expiry_s, why) &&
	       arguments_number(a, "max-transactions", 0, INT32_MAX, &c->max_transactions, why) &&
	       arguments_yes_no(a, "certificate-renewal", &c->certificate_renewal, why) &&
	       arguments_yes_no(a, "same-key-renewal", &c->same_key_renewal, why) &&
	       arguments_number(
		   a, "renewal-threshold-days", 0, INT32_MAX, &c->renewal_threshold_days, why) &&
	       arguments_number(a, "max-successors", 0, INT32_MAX, &c->max_successors, why);
}

static bool
read_algorithms(const struct arguments *a, struct manage_profile_change *c, struct errbuf *why)
{
	const char *digests = arguments_text(a, "digests"), *ciphers = arguments_text(a, "ciphers");

	c->allow_legacy = arguments_has(a, "allow-legacy");
	if (digests != NULL && !manage_digests_of_text(digests, &c->digests)) {
		errbuf_set(why,
		    "--digests: have \"%s\", want some of SHA-256,SHA-384,SHA-512,SHA-1,MD5",
		    digests);
		return false;
	}
	if (ciphers != NULL && !manage_ciphers_of_text(ciphers, &c->ciphers)) {
		errbuf_set(why,
		    "--ciphers: have \"%s\", want some of AES-128-CBC,AES-256-CBC,DES3,DES",
		    ciphers);
		return false;
	}
	return true;
}

struct profile_wanted *
profile_wanted_read(const struct arguments *a, struct errbuf *why)
{
	static const struct manage_profile_change keep = MANAGE_PROFILE_KEEP;
	struct profile_wanted *w = calloc(1, sizeof(*w));
	struct manage_profile_change *c;

	if (w == NULL) {
		errbuf_set(why, "out of memory");
		return NULL;
	}
	c = &w->change;
	*c = keep;
	c->description = arguments_text(a, "description");
	c->key_usage = arguments_text(a, "key-usage");
	c->eku = arguments_text(a, "eku");
	c->cert_rep = arguments_text(a, "cert-rep");
	if (!arguments_duration(a, "challenge-ttl", &c->challenge_expiry_s, why) ||
	    !arguments_number(a, "max-pending", 0, INT32_MAX, &c->max_pending, why) ||
	    !arguments_number(a, "validity-days", 0, INT32_MAX, &c->validity_days, why) ||
	    !arguments_number(a, "min-rsa-bits", 0, INT32_MAX, &c->min_rsa_bits, why) ||
	    !arguments_number(a, "max-rsa-bits", 0, INT32_MAX, &c->max_rsa_bits, why) ||
	    !arguments_number(a, "replay-hours", 0, INT32_MAX, &c->replay_hours, why) ||
	    !arguments_choice(a, "extra", "drop", "refuse", &c->refuse_extra, why) ||
	    !arguments_choice(a, "extensions", "drop", "refuse", &c->refuse_extensions, why) ||
	    !arguments_choice(a, "get-ca-cert", "single", "chain", &c->chain_in_get_ca_cert, why) ||
	    !arguments_yes_no(a, "require-signer-key", &c->require_signer_key, why) ||
	    !read_mode(a, c, why) || !read_renewal(a, c, why) || !read_algorithms(a, c, why) ||
	    !profile_rules_read(a, w, why) || !read_challenge(a, w, why)) {
		profile_wanted_free(w);
		return NULL;
	}
	return w;
}
