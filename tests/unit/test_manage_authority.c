/* test_manage_authority.c: CAs: self-signed, under an offline root, imported with their key; TLS certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "fcgi-admin/manage/records.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/csr.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "pki/signer.h"
#include "tests/unit/manage_fixture.h"

/* A root that is not of this installation. */
struct root {
	EVP_PKEY *key;
	struct signer *signer;
	struct buffer subject;
	struct buffer certificate;
};

static void
root_make(struct manage_fixture *f, struct root *root)
{
	struct errbuf why = {0};
	char path[128];

	memset(root, 0, sizeof(*root));
	snprintf(path, sizeof(path), "%s/root.key", f->directory);
	unlink(path);
	root->key = private_key_generate("ec:P-256", &why);
	assert_non_null(root->key);
	assert_true(private_key_save(root->key, path, octets_of_string("x"), &why));
	assert_true(signer_open(path, octets_of_string("x"), &root->signer, &why));
	assert_true(name_from_text("CN=Offline Root", &root->subject, &why));
	assert_true(authority_self_sign(root->signer, buffer_octets(&root->subject),
	    clock_now() - 300, clock_now() + 86400 * 365, -1, &root->certificate, &why));
}

static void
root_free(struct root *root)
{
	EVP_PKEY_free(root->key);
	signer_free(root->signer);
	buffer_free(&root->subject);
	buffer_free(&root->certificate);
}

/* The root signs what the request asks for, as a CA or not. */
static void
root_sign(struct root *root, struct octets request, bool ca, struct buffer *out)
{
	struct certificate issuer;
	struct errbuf why = {0};
	struct csr csr;

	assert_true(csr_parse(request.data, request.len, &csr, &why));
	assert_true(csr_verify(&csr, &why));
	assert_true(certificate_parse(buffer_octets(&root->certificate), &issuer, &why));
	const struct certificate_fields fields = {.serial = {7},
	    .issuer = issuer.subject,
	    .not_before = clock_now() - 300,
	    .not_after = clock_now() + 86400 * 100,
	    .subject = csr.subject,
	    .spki = csr.spki,
	    .issuer_ski = issuer.ski,
	    .ca = ca,
	    .path_length = ca ? 0 : -1,
	    .key_usage = KEY_USAGE_DIGITAL_SIGNATURE |
			 (ca ? KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN : 0)};

	assert_true(certificate_issue(&fields, root->signer, out, &why));
	certificate_free(&issuer);
	csr_free(&csr);
}

static enum manage_rc
request(struct manage_fixture *f, struct authority_row *out)
{
	const struct manage_authority_order o = {.name = "sub",
	    .subject = "CN=Sub CA",
	    .key = "ec:P-256",
	    .validity_days = 1,
	    .path_length = -1};

	return manage_authority_request(&f->manage, &f->actor, &o, out, manage_fixture_report(f));
}

static enum manage_rc
import(struct manage_fixture *f, const char *name, EVP_PKEY *key, const struct buffer *chain,
    int count)
{
	struct authority_row row;
	enum manage_rc rc = manage_authority_import(
	    &f->manage, &f->actor, name, key, chain, count, &row, manage_fixture_report(f));

	authority_row_free(&row);
	return rc;
}

static void
a_self_signed_ca_is_active_and_signs_itself(void **state)
{
	struct manage_fixture *f = *state;
	struct authority_row ca;
	struct certificate c;
	struct errbuf why = {0};

	manage_fixture_authority(f);
	assert_int_equal(
	    manage_authority_get(&f->manage, "test-ca", &ca, manage_fixture_report(f)), MANAGE_OK);
	assert_string_equal(ca.state, "active");
	assert_true(certificate_parse(buffer_octets(&ca.certificate), &c, &why));
	assert_true(c.ca && certificate_verify(&c, &c, &why));
	assert_int_equal(manage_fixture_keys(f), 1);
	certificate_free(&c);
	authority_row_free(&ca);
}

static void
a_taken_name_or_a_wrong_order_leaves_no_key_file(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_authority_order o = {
	    .name = "test-ca", .subject = "CN=x", .key = "ec:P-256", .validity_days = 10};
	struct authority_row ca;

	manage_fixture_authority(f);
	assert_int_equal(
	    manage_authority_create(&f->manage, &f->actor, &o, &ca, manage_fixture_report(f)),
	    MANAGE_CONFLICT);
	o.name = "b";
	o.subject = "x";
	o.crl_url = "ftp://x";
	o.validity_days = 0;
	assert_int_equal(
	    manage_authority_create(&f->manage, &f->actor, &o, &ca, manage_fixture_report(f)),
	    MANAGE_INVALID);
	assert_int_equal(f->report.fault_count, 3);
	o.subject = "CN=x";
	o.crl_url = NULL;
	o.validity_days = 1;
	o.key = "ec:P-1";
	assert_int_equal(
	    manage_authority_create(&f->manage, &f->actor, &o, &ca, manage_fixture_report(f)),
	    MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "key"));
	assert_int_equal(manage_fixture_keys(f), 1);
}

static void
a_signed_request_becomes_an_active_ca(void **state)
{
	struct manage_fixture *f = *state;
	struct authority_row row;
	struct buffer chain[2] = {{0}, {0}};
	struct root root;

	root_make(f, &root);
	assert_int_equal(request(f, &row), MANAGE_OK);
	assert_string_equal(row.state, "pending");
	root_sign(&root, buffer_octets(&row.request), true, &chain[0]);
	chain[1] = root.certificate;
	authority_row_free(&row);
	assert_int_equal(import(f, "sub", NULL, chain, 2), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 0);
	assert_string_equal(manage_fixture_event_of(f, "authority.import"),
	    "authority.import: state: pending -> active");
	assert_int_equal(manage_authority_get(&f->manage, "sub", &row, &f->report), MANAGE_OK);
	assert_string_equal(row.state, "active");
	assert_int_equal(row.chain.len, root.certificate.len);
	authority_row_free(&row);
	/* A second time it waits for nothing. */
	assert_int_equal(import(f, "sub", NULL, chain, 2), MANAGE_CONFLICT);
	buffer_free(&chain[0]);
	root_free(&root);
}

static void
a_chain_without_its_root_is_imported_with_a_warning(void **state)
{
	struct manage_fixture *f = *state;
	struct authority_row row;
	struct buffer certificate = {0};
	struct root root;

	root_make(f, &root);
	assert_int_equal(request(f, &row), MANAGE_OK);
	root_sign(&root, buffer_octets(&row.request), true, &certificate);
	authority_row_free(&row);
	assert_int_equal(import(f, "sub", NULL, &certificate, 1), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 1);
	buffer_free(&certificate);
	root_free(&root);
}

static void
a_certificate_that_is_no_ca_or_has_another_key_is_refused(void **state)
{
	struct manage_fixture *f = *state;
	struct authority_row row;
	struct buffer chain[2] = {{0}, {0}};
	struct root root, other;

	root_make(f, &root);
	root_make(f, &other);
	assert_int_equal(request(f, &row), MANAGE_OK);
	root_sign(&root, buffer_octets(&row.request), false, &chain[0]);
	chain[1] = root.certificate;
	assert_int_equal(import(f, "sub", NULL, chain, 2), MANAGE_INVALID);
	/* The root's own certificate has another key than the request. */
	assert_int_equal(import(f, "sub", NULL, &chain[1], 1), MANAGE_INVALID);
	/* Signed by one root, chained to another of the same name. */
	buffer_free(&chain[0]);
	root_sign(&root, buffer_octets(&row.request), true, &chain[0]);
	chain[1] = other.certificate;
	assert_int_equal(import(f, "sub", NULL, chain, 2), MANAGE_INVALID);
	authority_row_free(&row);
	assert_int_equal(manage_authority_get(&f->manage, "sub", &row, &f->report), MANAGE_OK);
	assert_string_equal(row.state, "pending");
	authority_row_free(&row);
	buffer_free(&chain[0]);
	root_free(&root);
	root_free(&other);
}

static void
a_ca_from_elsewhere_is_imported_with_its_key_alone(void **state)
{
	struct manage_fixture *f = *state;
	struct root root, other;

	root_make(f, &root);
	root_make(f, &other);
	assert_int_equal(import(f, "old", NULL, &root.certificate, 1), MANAGE_NOT_FOUND);
	assert_int_equal(import(f, "old", other.key, &root.certificate, 1), MANAGE_INVALID);
	assert_int_equal(manage_fixture_keys(f), 0);
	assert_int_equal(import(f, "old", root.key, &root.certificate, 1), MANAGE_OK);
	assert_int_equal(import(f, "old", root.key, &root.certificate, 1), MANAGE_CONFLICT);
	assert_int_equal(manage_fixture_keys(f), 1);
	root_free(&root);
	root_free(&other);
}

static enum manage_rc
set_urls(struct manage_fixture *f, const char *crl, const char *ocsp)
{
	return manage_authority_set_urls(
	    &f->manage, &f->actor, "test-ca", crl, ocsp, manage_fixture_report(f));
}

static void
urls_are_set_and_checked_each_by_itself(void **state)
{
	struct manage_fixture *f = *state;
	struct authority_row ca = {0};

	manage_fixture_authority(f);
	assert_int_equal(set_urls(f, "http://crl.example/ca.crl", NULL), MANAGE_OK);
	assert_string_equal(
	    manage_fixture_event(f), "authority.update: crlUrl: none -> http://crl.example/ca.crl");
	assert_int_equal(set_urls(f, "http://crl.example/a b", NULL), MANAGE_INVALID);
	assert_int_equal(set_urls(f, NULL, "ldap://ocsp.example/"), MANAGE_INVALID);
	assert_int_equal(set_urls(f, NULL, "http://ocsp.example/"), MANAGE_OK);
	assert_int_equal(
	    manage_authority_get(&f->manage, "test-ca", &ca, manage_fixture_report(f)), MANAGE_OK);
	assert_string_equal(ca.crl_url, "http://crl.example/ca.crl");
	assert_string_equal(ca.ocsp_url, "http://ocsp.example/");
	authority_row_free(&ca);
	assert_int_equal(set_urls(f, "", NULL), MANAGE_OK);
	assert_string_equal(
	    manage_fixture_event(f), "authority.update: crlUrl: http://crl.example/ca.crl -> none");
}

static void
auto_is_where_the_service_itself_is_reached(void **state)
{
	struct manage_fixture *f = *state;
	struct authority_row ca = {0};

	manage_fixture_authority(f);
	assert_int_equal(set_urls(f, "auto", NULL), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 1); /* nobody reaches localhost */
	snprintf(
	    f->settings.public_url, sizeof(f->settings.public_url), "http://scep.example:8080");
	assert_int_equal(set_urls(f, "auto", "auto"), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 0);
	assert_int_equal(
	    manage_authority_get(&f->manage, "test-ca", &ca, manage_fixture_report(f)), MANAGE_OK);
	assert_string_equal(ca.crl_url, "http://scep.example:8080/crl/test-ca.crl");
	assert_string_equal(ca.ocsp_url, "http://scep.example:8080/ocsp/test-ca");
	authority_row_free(&ca);
}

static void
a_server_certificate_is_in_the_store_when_it_is_given_out(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_server_certificate c;
	struct certificate_row row;
	struct buffer der = {0};

	manage_fixture_authority(f);
	assert_int_equal(
	    manage_authority_server_certificate(&f->manage, &f->actor, "test-ca",
		"scep.example,localhost", "127.0.0.1,::1", 30, &c, manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(c.chain.len, 0); /* its CA is the root */
	assert_int_equal(
	    manage_certificate_get(&f->manage, c.serial, NULL, &row, &der, &f->report), MANAGE_OK);
	assert_true(octets_equal(buffer_octets(&der), buffer_octets(&c.certificate)));
	assert_string_equal(row.purpose, "server");
	assert_string_equal(row.subject, "CN=scep.example");
	assert_non_null(strstr(row.san, "127.0.0.1"));
	assert_string_equal(manage_fixture_event(f), "certificate.issue: TLS server certificate");
	buffer_free(&der);
	manage_server_certificate_free(&c);
}

static void
a_server_certificate_without_a_name_or_with_a_bad_one_is_refused(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_server_certificate c;

	manage_fixture_authority(f);
	assert_int_equal(manage_authority_server_certificate(&f->manage, &f->actor, "test-ca", NULL,
			     "", 30, &c, manage_fixture_report(f)),
	    MANAGE_INVALID);
	assert_int_equal(manage_authority_server_certificate(&f->manage, &f->actor, "test-ca",
			     "a b", NULL, 30, &c, manage_fixture_report(f)),
	    MANAGE_INVALID);
	assert_int_equal(manage_authority_server_certificate(&f->manage, &f->actor, "test-ca", "a,",
			     NULL, 30, &c, manage_fixture_report(f)),
	    MANAGE_INVALID);
	assert_int_equal(manage_authority_server_certificate(&f->manage, &f->actor, "test-ca", NULL,
			     "300.1.1.1", 30, &c, manage_fixture_report(f)),
	    MANAGE_INVALID);
	assert_int_equal(manage_authority_server_certificate(&f->manage, &f->actor, "test-ca", "a",
			     NULL, 826, &c, manage_fixture_report(f)),
	    MANAGE_INVALID);
}

static void
a_certificate_is_found_by_its_serial_in_any_spelling(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_server_certificate c;
	struct certificate_row row;
	struct buffer der = {0};
	char colons[64] = "";

	manage_fixture_authority(f);
	assert_int_equal(manage_authority_server_certificate(&f->manage, &f->actor, "test-ca", "a",
			     NULL, 30, &c, manage_fixture_report(f)),
	    MANAGE_OK);
	for (int i = 0; i < 16; i++)
		snprintf(colons + 3 * i, sizeof(colons) - 3 * (size_t)i, "%.2s%s", c.serial + 2 * i,
		    i < 15 ? ":" : "");
	for (char *p = colons; *p != '\0'; p++)
		if (*p >= 'a' && *p <= 'f')
			*p = (char)(*p - 'a' + 'A');
	assert_int_equal(
	    manage_certificate_get(&f->manage, colons, NULL, &row, &der, &f->report), MANAGE_OK);
	memcpy(colons, row.uuid, sizeof(row.uuid));
	assert_int_equal(
	    manage_certificate_get(&f->manage, colons, NULL, &row, &der, &f->report), MANAGE_OK);
	assert_int_equal(manage_certificate_get(&f->manage, "00", NULL, &row, &der, &f->report),
	    MANAGE_NOT_FOUND);
	assert_int_equal(manage_certificate_get(&f->manage, "x", NULL, &row, &der, &f->report),
	    MANAGE_NOT_FOUND);
	buffer_free(&der);
	manage_server_certificate_free(&c);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, manage_fixture_setup, manage_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_self_signed_ca_is_active_and_signs_itself),
	    CASE(a_taken_name_or_a_wrong_order_leaves_no_key_file),
	    CASE(a_signed_request_becomes_an_active_ca),
	    CASE(a_chain_without_its_root_is_imported_with_a_warning),
	    CASE(a_certificate_that_is_no_ca_or_has_another_key_is_refused),
	    CASE(a_ca_from_elsewhere_is_imported_with_its_key_alone),
	    CASE(urls_are_set_and_checked_each_by_itself),
	    CASE(auto_is_where_the_service_itself_is_reached),
	    CASE(a_server_certificate_is_in_the_store_when_it_is_given_out),
	    CASE(a_server_certificate_without_a_name_or_with_a_bad_one_is_refused),
	    CASE(a_certificate_is_found_by_its_serial_in_any_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
