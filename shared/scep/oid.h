/* oid.h: the object identifiers of CMS and SCEP messages, as content octets; algorithms are in pki/algorithm.h. */
#ifndef SCEP_OID_H
#define SCEP_OID_H

#include "base/octets.h"

extern const struct octets scep_oid_content_data;      /* id-data, RFC 5652 */
extern const struct octets scep_oid_content_signed;    /* id-signedData */
extern const struct octets scep_oid_content_enveloped; /* id-envelopedData */
extern const struct octets scep_oid_content_type;      /* the attributes of RFC 5652 section 11 */
extern const struct octets scep_oid_message_digest;
extern const struct octets scep_oid_signing_time;
extern const struct octets scep_oid_message_type; /* the attributes of RFC 8894 3.2.1 */
extern const struct octets scep_oid_pki_status;
extern const struct octets scep_oid_fail_info;
extern const struct octets scep_oid_sender_nonce;
extern const struct octets scep_oid_recipient_nonce;
extern const struct octets scep_oid_transaction_id;
extern const struct octets scep_oid_fail_info_text; /* id-scep-failInfoText, RFC 8894 3.2.1.4 */
extern const struct octets scep_oid_rsa_encryption;
extern const struct octets scep_oid_ec_public_key;

#endif
