#include "scep/oid.h"

#define PKCS7(n)                                                                                   \
	{                                                                                          \
		(const uint8_t[]){0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, (n)}, 9          \
	}
#define PKCS9(n)                                                                                   \
	{                                                                                          \
		(const uint8_t[]){0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, (n)}, 9          \
	}
#define VERISIGN(n)                                                                                \
	{                                                                                          \
		(const uint8_t[]){0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x09, (n)}, 10   \
	}

/* pkcs-7 1, 2, 3 */
const struct octets scep_oid_content_data = PKCS7(1);
const struct octets scep_oid_content_signed = PKCS7(2);
const struct octets scep_oid_content_enveloped = PKCS7(3);

/* pkcs-9 3, 4, 5 */
const struct octets scep_oid_content_type = PKCS9(3);
const struct octets scep_oid_message_digest = PKCS9(4);
const struct octets scep_oid_signing_time = PKCS9(5);

/* 2.16.840.1.113733.1.9.x */
const struct octets scep_oid_message_type = VERISIGN(2);
const struct octets scep_oid_pki_status = VERISIGN(3);
const struct octets scep_oid_fail_info = VERISIGN(4);
const struct octets scep_oid_sender_nonce = VERISIGN(5);
const struct octets scep_oid_recipient_nonce = VERISIGN(6);
const struct octets scep_oid_transaction_id = VERISIGN(7);

/* 1.3.6.1.5.5.7.24.1 */
const struct octets scep_oid_fail_info_text = {
    (const uint8_t[]){0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x18, 0x01}, 8};

/* 1.2.840.113549.1.1.1 */
const struct octets scep_oid_rsa_encryption = {
    (const uint8_t[]){0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01}, 9};

/* 1.2.840.10045.2.1 */
const struct octets scep_oid_ec_public_key = {
    (const uint8_t[]){0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01}, 7};
