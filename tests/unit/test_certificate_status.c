/* test_certificate_status.c: what a certificate says of how to ask whether it is revoked, and who may answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#include "pki/certificate.h"
#include "pki/name.h"
#include "tests/unit/pki_request.h"

static struct errbuf why;
static struct buffer subject, spki;
static struct signer *signer;

static int
open_all(void **state)
{
	(void)state;
	pki_spki(&spki, pki_ec_key());
	return name_from_text("CN=x", &subject, &why) && signer_of_key(pki_ec_key(), &signer, &why)
		   ? 0
		   : 1;
}

static int
close_all(void **state)
{
	(void)state;
	buffer_free(&subject);
	buffer_free(&spki);
	signer_free(signer);
	pki_free_keys();
	return 0;
}

static struct certificate_fields
fields(void)
{
	return (struct certificate_fields){
	    .serial = {1},
	    .issuer = buffer_octets(&subject),
	    .not_before = 1700000000,
	    .not_after = 1800000000,
	    .subject = buffer_octets(&subject),
	    .spki = buffer_octets(&spki),
	};
}

static X509 *
issue(const struct certificate_fields *f)
{
	struct buffer out = {0};
	const unsigned char *p;
	X509 *x;

	assert_true(certificate_issue(f, signer, &out, &why));
	p = out.data;
	x = d2i_X509(NULL, &p, (long)out.len);
	assert_non_null(x);
	buffer_free(&out);
	return x;
}

/* Its one AccessDescription is for OCSP, at a URL; NULL: there is no authorityInfoAccess. */
static void
assert_aia(const X509 *x, const char *url)
{
	int critical;
	AUTHORITY_INFO_ACCESS *aia = X509_get_ext_d2i(x, NID_info_access, &critical, NULL);
	const ACCESS_DESCRIPTION *access;

	if (url == NULL) {
		assert_null(aia);
		assert_int_equal(critical, -1);
		return;
	}
	assert_int_equal(critical, 0);
	assert_int_equal(sk_ACCESS_DESCRIPTION_num(aia), 1);
	access = sk_ACCESS_DESCRIPTION_value(aia, 0);
	assert_int_equal(OBJ_obj2nid(access->method), NID_ad_OCSP);
	assert_int_equal(access->location->type, GEN_URI);
	assert_int_equal(ASN1_STRING_length(access->location->d.ia5), strlen(url));
	assert_memory_equal(ASN1_STRING_get0_data(access->location->d.ia5), url, strlen(url));
	AUTHORITY_INFO_ACCESS_free(aia);
}

/* Its one DistributionPoint has a URL and nothing else; NULL: there is no cRLDistributionPoints. */
static void
assert_crl_point(const X509 *x, const char *url)
{
	int critical;
	CRL_DIST_POINTS *points = X509_get_ext_d2i(x, NID_crl_distribution_points, &critical, NULL);
	const DIST_POINT *point;
	const GENERAL_NAME *name;

	if (url == NULL) {
		assert_null(points);
		assert_int_equal(critical, -1);
		return;
	}
	assert_int_equal(critical, 0);
	assert_int_equal(sk_DIST_POINT_num(points), 1);
	point = sk_DIST_POINT_value(points, 0);
	assert_null(point->reasons);
	assert_null(point->CRLissuer);
	assert_int_equal(point->distpoint->type, 0);
	assert_int_equal(sk_GENERAL_NAME_num(point->distpoint->name.fullname), 1);
	name = sk_GENERAL_NAME_value(point->distpoint->name.fullname, 0);
	assert_int_equal(name->type, GEN_URI);
	assert_int_equal(ASN1_STRING_length(name->d.ia5), strlen(url));
	assert_memory_equal(ASN1_STRING_get0_data(name->d.ia5), url, strlen(url));
	CRL_DIST_POINTS_free(points);
}

static void
where_crl_and_ocsp_are_is_written_each_by_itself_or_both(void **state)
{
	static const char crl[] = "http://ca.example/crl/x.crl",
			  ocsp[] = "http://ca.example/ocsp/x";

	(void)state;
	for (int which = 0; which < 4; which++) {
		struct certificate_fields f = fields();
		X509 *x;

		f.crl_url = (which & 1) != 0 ? crl : NULL;
		f.ocsp_url = (which & 2) != 0 ? ocsp : NULL;
		x = issue(&f);
		assert_crl_point(x, f.crl_url);
		assert_aia(x, f.ocsp_url);
		X509_free(x);
	}
}

static void
the_extension_nocheck_and_the_purpose_make_an_ocsp_responder(void **state)
{
	struct certificate_fields f = fields();
	struct buffer purpose = {0};
	int critical;
	ASN1_NULL *nothing;
	X509 *x;

	(void)state;
	assert_true(eku_of_text("clientAuth", &purpose, &why));
	f.eku = buffer_octets(&purpose);
	x = issue(&f);
	assert_int_equal(X509_get_ext_by_NID(x, NID_id_pkix_OCSP_noCheck, -1), -1);
	assert_int_equal(X509_get_extended_key_usage(x) & XKU_OCSP_SIGN, 0);
	X509_free(x);
	buffer_free(&purpose);
	assert_true(eku_of_text("OCSPSigning", &purpose, &why));
	f.eku = buffer_octets(&purpose);
	f.key_usage = KEY_USAGE_DIGITAL_SIGNATURE;
	f.extra = certificate_ocsp_nocheck;
	x = issue(&f);
	nothing = X509_get_ext_d2i(x, NID_id_pkix_OCSP_noCheck, &critical, NULL);
	assert_non_null(nothing);
	assert_int_equal(critical, 0);
	assert_int_equal(X509_get_extended_key_usage(x), XKU_OCSP_SIGN);
	ASN1_NULL_free(nothing);
	X509_free(x);
	buffer_free(&purpose);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(where_crl_and_ocsp_are_is_written_each_by_itself_or_both),
	    cmocka_unit_test(the_extension_nocheck_and_the_purpose_make_an_ocsp_responder),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
