#include "scep/cms.h"

#include "pki/asn1.h"

/* A primitive type of which only the content octets are wanted: decoded as an OCTET STRING under its own tag. */
#define CMS_RAW(st, field, tag)                                                                    \
	ASN1_EX_TYPE(ASN1_TFLG_IMPTAG | ASN1_TFLG_UNIVERSAL | ASN1_TFLG_EMBED, tag, st, field,     \
	    ASN1_OCTET_STRING)

/* clang-format off */
ASN1_SEQUENCE(cms_algorithm) = {
	CMS_RAW(cms_algorithm, oid, V_ASN1_OBJECT),
	ASN1_OPT(cms_algorithm, parameters, ASN1_ANY)
} static_ASN1_SEQUENCE_END(cms_algorithm)

ASN1_SEQUENCE(cms_issuer_serial) = {
	ASN1_EMBED(cms_issuer_serial, issuer, ASN1_SEQUENCE),
	CMS_RAW(cms_issuer_serial, serial, V_ASN1_INTEGER)
} static_ASN1_SEQUENCE_END(cms_issuer_serial)

ASN1_SEQUENCE(cms_issuer_subject) = {
	ASN1_EMBED(cms_issuer_subject, issuer, ASN1_SEQUENCE),
	ASN1_EMBED(cms_issuer_subject, subject, ASN1_SEQUENCE)
} static_ASN1_SEQUENCE_END(cms_issuer_subject)

ASN1_CHOICE(cms_identifier) = {
	ASN1_SIMPLE(cms_identifier, value.issuer_serial, cms_issuer_serial),
	ASN1_IMP(cms_identifier, value.ski, ASN1_OCTET_STRING, 0)
} static_ASN1_CHOICE_END(cms_identifier)

ASN1_SEQUENCE(cms_attribute) = {
	CMS_RAW(cms_attribute, oid, V_ASN1_OBJECT),
	ASN1_SET_OF(cms_attribute, values, ASN1_ANY)
} static_ASN1_SEQUENCE_END(cms_attribute)

ASN1_ITEM_TEMPLATE(cms_attributes) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_OF, 0, attributes, cms_attribute)
static_ASN1_ITEM_TEMPLATE_END(cms_attributes)

ASN1_SEQUENCE(cms_signer_info) = {
	CMS_RAW(cms_signer_info, version, V_ASN1_INTEGER),
	ASN1_SIMPLE(cms_signer_info, sid, cms_identifier),
	ASN1_EMBED(cms_signer_info, digest, cms_algorithm),
	ASN1_IMP_EMBED(cms_signer_info, signed_attributes, ASN1_SEQUENCE, 0),
	ASN1_EMBED(cms_signer_info, signature_algorithm, cms_algorithm),
	ASN1_EMBED(cms_signer_info, signature, ASN1_OCTET_STRING),
	ASN1_IMP_OPT(cms_signer_info, unsigned_attributes, ASN1_SEQUENCE, 1)
} static_ASN1_SEQUENCE_END(cms_signer_info)

ASN1_SEQUENCE(cms_signed_content) = {
	CMS_RAW(cms_signed_content, type, V_ASN1_OBJECT),
	ASN1_EXP_OPT(cms_signed_content, content, ASN1_OCTET_STRING, 0)
} static_ASN1_SEQUENCE_END(cms_signed_content)

ASN1_SEQUENCE(cms_signed_data) = {
	CMS_RAW(cms_signed_data, version, V_ASN1_INTEGER),
	ASN1_SET_OF(cms_signed_data, digests, ASN1_ANY),
	ASN1_EMBED(cms_signed_data, encap, cms_signed_content),
	ASN1_IMP_SET_OF_OPT(cms_signed_data, certificates, ASN1_ANY, 0),
	ASN1_IMP_SET_OF_OPT(cms_signed_data, crls, ASN1_ANY, 1),
	ASN1_SET_OF(cms_signed_data, signers, cms_signer_info)
} static_ASN1_SEQUENCE_END(cms_signed_data)

ASN1_SEQUENCE(cms_signed) = {
	CMS_RAW(cms_signed, type, V_ASN1_OBJECT),
	ASN1_EXP(cms_signed, signed_data, cms_signed_data, 0)
} static_ASN1_SEQUENCE_END(cms_signed)

ASN1_SEQUENCE(cms_key_trans) = {
	CMS_RAW(cms_key_trans, version, V_ASN1_INTEGER),
	ASN1_SIMPLE(cms_key_trans, rid, cms_identifier),
	ASN1_EMBED(cms_key_trans, key_encryption, cms_algorithm),
	ASN1_EMBED(cms_key_trans, encrypted_key, ASN1_OCTET_STRING)
} static_ASN1_SEQUENCE_END(cms_key_trans)

ASN1_SEQUENCE(cms_encrypted_content) = {
	CMS_RAW(cms_encrypted_content, type, V_ASN1_OBJECT),
	ASN1_EMBED(cms_encrypted_content, cipher, cms_algorithm),
	ASN1_IMP_OPT(cms_encrypted_content, content, ASN1_OCTET_STRING, 0)
} static_ASN1_SEQUENCE_END(cms_encrypted_content)

ASN1_SEQUENCE(cms_enveloped_data) = {
	CMS_RAW(cms_enveloped_data, version, V_ASN1_INTEGER),
	ASN1_IMP_OPT(cms_enveloped_data, originator, ASN1_SEQUENCE, 0),
	ASN1_SET_OF(cms_enveloped_data, recipients, ASN1_ANY),
	ASN1_EMBED(cms_enveloped_data, encrypted, cms_encrypted_content),
	ASN1_IMP_OPT(cms_enveloped_data, unprotected, ASN1_SEQUENCE, 1)
} static_ASN1_SEQUENCE_END(cms_enveloped_data)

ASN1_SEQUENCE(cms_enveloped) = {
	CMS_RAW(cms_enveloped, type, V_ASN1_OBJECT),
	ASN1_EXP(cms_enveloped, enveloped_data, cms_enveloped_data, 0)
} static_ASN1_SEQUENCE_END(cms_enveloped)

cms_signed *
cms_signed_parse(struct octets der)
{
	return asn1_decode(ASN1_ITEM_rptr(cms_signed), der);
}
/* clang-format on */

void
cms_signed_free(cms_signed *s)
{
	ASN1_item_free((ASN1_VALUE *)s, ASN1_ITEM_rptr(cms_signed));
}

cms_enveloped *
cms_enveloped_parse(struct octets der)
{
	return asn1_decode(ASN1_ITEM_rptr(cms_enveloped), der);
}

void
cms_enveloped_free(cms_enveloped *e)
{
	ASN1_item_free((ASN1_VALUE *)e, ASN1_ITEM_rptr(cms_enveloped));
}

cms_key_trans *
cms_key_trans_parse(struct octets der)
{
	return asn1_decode(ASN1_ITEM_rptr(cms_key_trans), der);
}

void
cms_key_trans_free(cms_key_trans *k)
{
	ASN1_item_free((ASN1_VALUE *)k, ASN1_ITEM_rptr(cms_key_trans));
}

cms_issuer_serial *
cms_issuer_serial_parse(struct octets der)
{
	return asn1_decode(ASN1_ITEM_rptr(cms_issuer_serial), der);
}

void
cms_issuer_serial_free(cms_issuer_serial *i)
{
	ASN1_item_free((ASN1_VALUE *)i, ASN1_ITEM_rptr(cms_issuer_serial));
}

cms_issuer_subject *
cms_issuer_subject_parse(struct octets der)
{
	return asn1_decode(ASN1_ITEM_rptr(cms_issuer_subject), der);
}

void
cms_issuer_subject_free(cms_issuer_subject *i)
{
	ASN1_item_free((ASN1_VALUE *)i, ASN1_ITEM_rptr(cms_issuer_subject));
}

cms_attributes *
cms_attributes_parse(struct octets der)
{
	return asn1_decode(ASN1_ITEM_rptr(cms_attributes), der);
}

void
cms_attributes_free(cms_attributes *a)
{
	ASN1_item_free((ASN1_VALUE *)a, ASN1_ITEM_rptr(cms_attributes));
}

int
cms_attributes_encode(cms_attributes *a, uint8_t **out)
{
	*out = NULL;
	return ASN1_item_i2d((ASN1_VALUE *)a, out, ASN1_ITEM_rptr(cms_attributes));
}
