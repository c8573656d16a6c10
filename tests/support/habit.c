/* habit.c: who does what: a row for each message that is made by hand. */
#include "tests/support/habit.h"

#include <openssl/x509.h>
#include <string.h>

#include "base/der.h"
#include "tests/support/habit_parts.h"
#include "tests/vectors/habit_keys.h"
#include "tests/vectors/scep_keys.h"

#define YEARS (365 * 86400LL)

/* clang-format off */
const struct habit habits[] = {
	{.name = "apple-ber", .client = "iOS, macOS",
	    .habit = "BER of indefinite length, content in pieces, inside and outside",
	    .ber = HABIT_APPLE, .signing_time = true},
	{.name = "apple-nonce-8", .client = "old iOS",
	    .habit = "senderNonce of 8 octets, SHA-1, triple DES",
	    .ber = HABIT_APPLE, .nonce_len = 8, .digest = PKI_SHA1, .csr_digest = PKI_SHA1,
	    .cipher = PKI_DES3},
	{.name = "jscep-ber", .client = "jscep (Bouncy Castle)",
	    .habit = "BER of indefinite length, certificates too; transactionID is a hash of the key",
	    .ber = HABIT_JSCEP, .id_of_key = true, .signing_time = true, .named_signature = true},
	{.name = "nonce-64", .client = "others", .habit = "senderNonce of 64 octets",
	    .nonce_len = 64},
	{.name = "intune-long-challenge", .client = "Windows with Intune",
	    .habit = "challengePassword of 2,000 characters",
	    .challenge_len = 2000},
	{.name = "ios-md5-des", .client = "Cisco IOS",
	    .habit = "MD5, single DES, RSA-1024, no CN: serialNumber and unstructuredName in one RDN",
	    .digest = PKI_MD5, .csr_digest = PKI_MD5, .cipher = PKI_DES, .small_key = true,
	    .ios_subject = true},
	{.name = "ios-no-cn", .client = "newer Cisco IOS", .habit = "the same subject, SHA-256 and AES",
	    .ios_subject = true, .cipher = PKI_AES256},
	{.name = "asa-other-subject", .client = "Cisco ASA",
	    .habit = "the signer's subject is not the CSR's",
	    .signer_subject = "CN=asa.example.com,unstructuredName=asa"},
	{.name = "mikrotik", .client = "MikroTik", .habit = "SHA-1, triple DES, RSA-1024",
	    .digest = PKI_SHA1, .csr_digest = PKI_SHA1, .cipher = PKI_DES3, .small_key = true,
	    .named_signature = true},
	{.name = "sscep-serial-32", .client = "sscep", .habit = "the signer's serial number has 32 octets",
	    .serial_len = 32, .signing_time = true},
	{.name = "certmonger-77-digits", .client = "certmonger", .habit = "transactionID of 77 digits",
	    .transaction_id = "16593217043328506148372265019483756021948375602194837560219483756"
			      "021948375602"},
	{.name = "constant-id", .client = "those without randomness",
	    .habit = "the same transactionID for whatever is asked", .transaction_id = "1"},
	{.name = "base64-id", .client = "micromdm scepclient", .habit = "transactionID in base64, with + / and =",
	    .transaction_id = "q+4/Zx0vT7+W8y/1cK3=", .named_signature = true},
	{.name = "utf8-id", .client = "others", .habit = "transactionID in a UTF8String",
	    .transaction_id = "\xc3\xbc" "bertragung-1", .transaction_id_tag = V_ASN1_UTF8STRING},
	{.name = "challenge-bmp", .client = "Windows, Java", .habit = "challengePassword in a BMPString",
	    .challenge_tag = V_ASN1_BMPSTRING},
	{.name = "challenge-t61", .client = "old OpenSSL", .habit = "challengePassword in a T61String",
	    .challenge_tag = V_ASN1_T61STRING},
	{.name = "challenge-utf8", .client = "OpenSSL", .habit = "challengePassword in a UTF8String",
	    .challenge_tag = V_ASN1_UTF8STRING},
	{.name = "challenge-ia5", .client = "others", .habit = "challengePassword in an IA5String",
	    .challenge_tag = V_ASN1_IA5STRING},
	{.name = "challenge-in-extensions", .client = "others",
	    .habit = "challengePassword as an extension in the extensionRequest",
	    .challenge_in_extensions = true},
	{.name = "ski-recipient", .client = "others", .habit = "the recipient by its subjectKeyIdentifier",
	    .recipient_by_ski = true},
	{.name = "ski-signer", .client = "others", .habit = "the signer by its subjectKeyIdentifier",
	    .signer_by_ski = true},
	{.name = "no-clock", .client = "devices without a clock",
	    .habit = "signingTime and the signer's validity 20 years ago",
	    .clock_off = -20 * YEARS, .signing_time = true},
	{.name = "fast-clock", .client = "devices with a wrong clock",
	    .habit = "signingTime and the signer's validity 10 years ahead",
	    .clock_off = 10 * YEARS, .signing_time = true},
	{.name = "sscep-renewal", .client = "sscep, certmonger",
	    .habit = "a renewal as PKCSReq, signed by the old certificate, for a new key",
	    .signer = HABIT_OLD_CERTIFICATE},
	{.name = "jscep-renewal", .client = "jscep",
	    .habit = "a renewal as PKCSReq with the same key: CSR and transactionID are those of jscep-ber",
	    .common_name = "jscep-ber", .signer = HABIT_OLD_KEY, .ber = HABIT_JSCEP, .id_of_key = true, .named_signature = true},
	{.name = "renewal-17", .client = "strongSwan", .habit = "a RenewalReq",
	    .message_type = 17, .signer = HABIT_OLD_CERTIFICATE},
	{.name = "sscep-poll", .client = "sscep", .habit = "a CertPoll (GetCertInitial)",
	    .message_type = 20, .content = HABIT_ISSUER_AND_SUBJECT, .serial_len = 32},
	{.name = "sscep-getcert", .client = "sscep", .habit = "a GetCert with a constant transactionID",
	    .message_type = 21, .content = HABIT_ISSUER_AND_SERIAL, .signer = HABIT_OLD_CERTIFICATE,
	    .transaction_id = "SSCEP transactionId"},
	{.name = "sscep-getcrl", .client = "sscep", .habit = "a GetCRL with a constant transactionID",
	    .message_type = 22, .content = HABIT_ISSUER_AND_SERIAL, .signer = HABIT_OLD_CERTIFICATE,
	    .transaction_id = "SSCEP transactionId"},
	{.name = NULL},
};
/* clang-format on */

const struct habit *
habit_find(const char *name)
{
	for (const struct habit *h = habits; h->name != NULL; h++)
		if (strcmp(h->name, name) == 0)
			return h;
	return NULL;
}

void
habit_vector_challenge(const struct habit *h, struct buffer *out)
{
	static const char text[] = HABIT_CHALLENGE;
	size_t len = h->challenge_len > 0 ? h->challenge_len : sizeof(text) - 1;

	for (size_t i = 0; i < len; i++)
		buffer_append(out, &text[i % (sizeof(text) - 1)], 1);
	habit_need(buffer_string(out) != NULL, "memory");
}

static EVP_PKEY *
key_of(const uint8_t *der, size_t len)
{
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &der, (long)len);

	habit_need(key != NULL, "key");
	return key;
}

void
habit_keys_open(struct habit_keys *k)
{
	k->device = key_of(scep_key_device, sizeof(scep_key_device));
	k->old = key_of(scep_key_other, sizeof(scep_key_other));
	k->small = key_of(habit_key_small, sizeof(habit_key_small));
}

void
habit_keys_close(struct habit_keys *k)
{
	EVP_PKEY_free(k->device);
	EVP_PKEY_free(k->old);
	EVP_PKEY_free(k->small);
}
