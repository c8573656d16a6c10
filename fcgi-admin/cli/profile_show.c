/* profile_show.c: a profile as JSON and as lines for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/profile.h"

static json_t *
ra_json(const struct manage_profile *p)
{
	return json_pack("{s:s,s:s,s:s,s:I,s:s,s:s,s:b,s:b,s:I,s:I,s:s}", "id", p->ra.id, "name",
	    p->ra.name, "ca", p->authority, "validityDays", (json_int_t)p->ra.validity_days,
	    "keyUsage", p->ra.key_usage, "eku", p->ra.eku, "refuseExtra", p->ra.refuse_extra,
	    "refuseExtensions", p->ra.refuse_extensions, "minRsaBits",
	    (json_int_t)p->ra.min_rsa_bits, "maxRsaBits", (json_int_t)p->ra.max_rsa_bits, "curves",
	    p->ra.curves);
}

static const char *
cert_rep(const struct scep_profile_row *p)
{
	return p->include_ca_chain ? "chain" : p->include_ca_certificate ? "issuer" : "leaf";
}

static void
set_renewal(json_t *j, const struct scep_profile_row *p)
{
	json_object_set_new(j, "approval", json_string(p->approval));
	json_object_set_new(j, "transactionTtl", json_integer(p->transaction_expiry_s));
	json_object_set_new(j, "maxTransactions", json_integer(p->max_transactions));
	json_object_set_new(j, "certificateRenewal", json_boolean(p->certificate_renewal));
	json_object_set_new(j, "sameKeyRenewal", json_boolean(p->same_key_renewal));
	json_object_set_new(j, "renewalThresholdDays", json_integer(p->renewal_threshold_days));
	json_object_set_new(j, "maxSuccessors", json_integer(p->max_successors));
	json_object_set_new(j, "lineage", cli_json_text(p->lineage));
}

/* How a device proves itself, and how often it may. */
static void
set_mode(json_t *j, const struct scep_profile_row *p)
{
	json_object_set_new(j, "challengeLength", json_integer(p->challenge_length));
	json_object_set_new(j, "seatField", cli_json_text(p->seat_field));
	json_object_set_new(j, "limits",
	    json_pack("{s:I,s:I,s:I,s:I}", "perAddressPerMinute", (json_int_t)p->limit_address,
		"perProfilePerMinute", (json_int_t)p->limit_profile, "perAccountPerMinute",
		(json_int_t)p->limit_account, "perSeatPerMinute", (json_int_t)p->limit_seat));
}

json_t *
profile_row_json(const struct scep_profile_row *p)
{
	char digests[128], ciphers[128];
	json_t *j;

	manage_digests_text(p->digests, digests);
	manage_ciphers_text(p->ciphers, ciphers);
	j = json_pack("{s:s,s:s,s:o,s:b,s:o,s:b,s:b,s:I,s:I,s:s,s:s,s:b,s:s,s:s,s:I,s:o,s:I}", "id",
	    p->id, "name", p->name, "description", cli_json_text(p->description), "enabled",
	    p->enabled, "challengeMode", cli_json_text(p->challenge_mode), "challengeSet",
	    p->challenge_set, "challengeWeak", p->challenge_weak, "challengeTtl",
	    (json_int_t)p->challenge_expiry_s, "maxPending", (json_int_t)p->max_pending, "digests",
	    digests, "ciphers", ciphers, "requireSignerKey", p->require_signer_key, "getCaCert",
	    p->include_ca_in_get_ca_cert ? "chain" : "single", "certRep", cert_rep(p),
	    "replayHours", (json_int_t)p->replay_hours, "createdAt", cli_json_time(p->created_at),
	    "version", (json_int_t)p->version);
	if (j != NULL) {
		set_mode(j, p);
		set_renewal(j, p);
	}
	return j;
}

static json_t *
renew_from_json(const struct manage_profile *p)
{
	json_t *all = json_array();

	for (int i = 0; i < p->scep.renew_from_count; i++)
		json_array_append_new(all, json_string(p->renew_from[i]));
	return all;
}

json_t *
profile_json(const struct cli *cli, const struct manage_profile *p)
{
	json_t *j = profile_row_json(&p->scep);
	char url[SETTINGS_TEXT + 80];

	snprintf(url, sizeof(url), "%s/scep/%s", cli->settings.public_url, p->scep.name);
	if (j == NULL)
		return NULL;
	json_object_set_new(j, "scepUrl", json_string(url));
	json_object_set_new(j, "raCertExpiresAt", cli_json_time(p->ra_not_after));
	json_object_set_new(j, "renewFrom", renew_from_json(p));
	json_object_set_new(j, "intune", cli_json_text(p->intune));
	json_object_set_new(j, "raProfile", ra_json(p));
	profile_rules_set_json(p, j, json_object_get(j, "raProfile"));
	return j;
}

static void
print_renewal(const struct manage_profile *p)
{
	const struct scep_profile_row *s = &p->scep;

	printf("approval          %s", s->approval);
	if (strcmp(s->approval, "manual") == 0)
		printf(", within %" PRId64 " s, %" PRId64 " waiting at most",
		    s->transaction_expiry_s, s->max_transactions);
	printf("\nrenewal           %s%s\n",
	    s->certificate_renewal ? "by certificate" : "by challenge",
	    s->same_key_renewal ? "" : ", with a new key");
	if (s->renewal_threshold_days > 0)
		printf("renewal from      %" PRId64 " days before its end\n",
		    s->renewal_threshold_days);
	else
		puts("renewal from      half of its life");
	if (s->max_successors > 0)
		printf("successors        %" PRId64 " at most\n", s->max_successors);
	else
		puts("successors        any number");
	for (int i = 0; i < s->renew_from_count; i++)
		printf("renews from       %s\n", p->renew_from[i]);
}

static void
print_limit(const char *what, int64_t a_minute)
{
	if (a_minute > 0)
		printf("limit             %" PRId64 " a minute %s\n", a_minute, what);
}

static void
print_mode(const struct scep_profile_row *s)
{
	printf("challenge mode    %s%s\n",
	    s->challenge_mode[0] != '\0' ? s->challenge_mode : "not chosen",
	    s->challenge_set && s->challenge_weak ? " (weak challenge)" : "");
	printf("challenge ttl     %" PRId64 " s, %" PRId64 " pending at most, %" PRId64
	       " characters\n",
	    s->challenge_expiry_s, s->max_pending, s->challenge_length);
	if (strcmp(s->challenge_mode, "enrollmentCode") == 0)
		printf("seat in           %s\n", s->seat_field);
	print_limit("from one address", s->limit_address);
	print_limit("under the profile", s->limit_profile);
	print_limit("by one account", s->limit_account);
	print_limit("for one seat", s->limit_seat);
}

void
profile_print(const struct cli *cli, const struct manage_profile *p)
{
	const struct scep_profile_row *s = &p->scep;
	char text[128];

	printf("name              %s%s\n", s->name, s->enabled ? "" : " (disabled)");
	printf("url               %s/scep/%s\n", cli->settings.public_url, s->name);
	if (s->description[0] != '\0')
		printf("description       %s\n", s->description);
	printf("CA                %s\n", p->authority);
	print_mode(s);
	if (p->intune[0] != '\0')
		printf("Intune            %s\n", p->intune);
	manage_digests_text(s->digests, text);
	printf("digests           %s\n", text);
	manage_ciphers_text(s->ciphers, text);
	printf("ciphers           %s\n", text);
	printf("validity          %" PRId64 " days\n", p->ra.validity_days);
	printf("key usage         %s\n", p->ra.key_usage);
	printf("EKU               %s\n", p->ra.eku[0] != '\0' ? p->ra.eku : "none");
	printf("RSA bits          %" PRId64 " to %" PRId64 "\n", p->ra.min_rsa_bits,
	    p->ra.max_rsa_bits);
	printf("EC curves         %s\n", p->ra.curves[0] != '\0' ? p->ra.curves : "none");
	profile_rules_print(p);
	printf("other fields      %s\n", p->ra.refuse_extra	 ? "refused"
					 : p->ra.field_count > 0 ? "dropped"
								 : "pass");
	printf("other extensions  %s\n", p->ra.refuse_extensions ? "refused" : "dropped");
	printf("signer's key      %s\n", s->require_signer_key ? "must be the CSR's" : "any");
	printf("GetCACert         %s\n", s->include_ca_in_get_ca_cert ? "chain" : "single");
	printf("CertRep           %s\n", cert_rep(s));
	printf("replay            %" PRId64 " hours\n", s->replay_hours);
	print_renewal(p);
	encoding_time(p->ra_not_after, text);
	printf("RA certificate    until %s\n", text);
}
