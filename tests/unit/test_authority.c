#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "pki/authority.h"
#include "pki/csr.h"
#include "pki/name.h"
#include "tests/unit/pki_request.h"

#define BEGIN INT64_C(1700000000)
#define END   INT64_C(2000000000)
#define NOW   INT64_C(1800000000)

static struct errbuf why;
static struct signer *root_signer, *sub_signer;
static struct buffer root_name, sub_name, spki, root_der, sub_der;
static struct certificate root, sub;
static char dir[64];
static char path[128];

static int
open_all(void **state)
{
	struct certificate_fields f = {
	    .not_before = BEGIN,
	    .not_after = END,
	    .ca = true,
	    .path_length = 0,
	    .key_usage = KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN,
	};

	(void)state;
	strcpy(dir, "/tmp/test_authority.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/file", dir);
	if (!name_from_text("CN=root", &root_name, &why) ||
	    !name_from_text("CN=sub", &sub_name, &why) ||
	    !signer_of_key(pki_rsa_key(), &root_signer, &why) ||
	    !signer_of_key(pki_ec_key(), &sub_signer, &why) ||
	    !authority_self_sign(
		root_signer, buffer_octets(&root_name), BEGIN, END, 1, &root_der, &why) ||
	    !certificate_parse(buffer_octets(&root_der), &root, &why))
		return 1;
	pki_spki(&spki, pki_ec_key());
	f.subject = buffer_octets(&sub_name);
	f.spki = buffer_octets(&spki);
	return authority_issue(&root, root_signer, &f, &sub_der, &why) &&
		       certificate_parse(buffer_octets(&sub_der), &sub, &why)
		   ? 0
		   : 1;
}

static int
close_all(void **state)
{
	(void)state;
	unlink(path);
	rmdir(dir);
	certificate_free(&root);
	certificate_free(&sub);
	buffer_free(&root_name);
	buffer_free(&sub_name);
	buffer_free(&spki);
	buffer_free(&root_der);
	buffer_free(&sub_der);
	signer_free(root_signer);
	signer_free(sub_signer);
	pki_free_keys();
	return 0;
}

static X509 *
read_x509(const struct buffer *der)
{
	const unsigned char *p = der->data;

	return d2i_X509(NULL, &p, (long)der->len);
}

static void
a_self_signed_ca_is_one_for_openssl(void **state)
{
	X509 *x = read_x509(&root_der);

	(void)state;
	assert_non_null(x);
	assert_int_equal(X509_verify(x, pki_rsa_key()), 1);
	assert_int_equal(X509_check_ca(x), 1);
	assert_int_equal(X509_get_pathlen(x), 1);
	assert_int_equal(
	    X509_get_key_usage(x), KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	assert_true((X509_get_extension_flags(x) & EXFLAG_SS) != 0);
	assert_int_equal(X509_get_extension_flags(x) & EXFLAG_INVALID, 0);
	assert_int_equal(
	    ASN1_STRING_cmp(X509_get0_subject_key_id(x), X509_get0_authority_key_id(x)), 0);
	X509_free(x);
}

static void
a_self_signed_ca_without_subject_or_time_is_refused(void **state)
{
	struct buffer out = {0};

	(void)state;
	assert_false(
	    authority_self_sign(root_signer, octets_of("\x30\0", 2), BEGIN, END, -1, &out, &why));
	assert_false(authority_self_sign(
	    root_signer, buffer_octets(&root_name), END, BEGIN, -1, &out, &why));
	assert_int_equal(out.len, 0);
	assert_true(authority_self_sign(
	    root_signer, buffer_octets(&root_name), BEGIN, END, -1, &out, &why));
	buffer_free(&out);
}

static void
openssl_verifies_the_chain_of_what_was_issued(void **state)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509 *r = read_x509(&root_der), *s = read_x509(&sub_der);

	(void)state;
	X509_STORE_add_cert(store, r);
	X509_STORE_CTX_init(ctx, store, s, NULL);
	X509_STORE_CTX_set_time(ctx, 0, NOW);
	X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT);
	assert_int_equal(X509_verify_cert(ctx), 1);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	X509_free(r);
	X509_free(s);
}

static void
what_a_ca_issues_has_its_name_and_ends_with_it(void **state)
{
	struct certificate_fields f = {
	    .subject = buffer_octets(&sub_name),
	    .spki = buffer_octets(&spki),
	    .not_before = BEGIN - 5,
	    .not_after = END + 5,
	    .key_usage = KEY_USAGE_DIGITAL_SIGNATURE,
	};
	struct buffer out = {0}, again = {0};
	struct certificate c, d;

	(void)state;
	assert_true(authority_issue(&root, root_signer, &f, &out, &why));
	assert_true(certificate_parse(buffer_octets(&out), &c, &why));
	assert_true(octets_equal(c.issuer, root.subject));
	assert_true(octets_equal(c.aki, root.ski));
	assert_int_equal(c.not_before, BEGIN);
	assert_int_equal(c.not_after, END);
	assert_int_equal(f.not_after, END);
	assert_true(certificate_verify(&c, &root, &why));
	assert_true(authority_issue(&root, root_signer, &f, &again, &why));
	assert_true(certificate_parse(buffer_octets(&again), &d, &why));
	assert_false(octets_equal(c.serial, d.serial));
	certificate_free(&c);
	certificate_free(&d);
	buffer_free(&out);
	buffer_free(&again);
	assert_false(authority_issue(&root, sub_signer, &f, &out, &why));
	assert_int_equal(out.len, 0);
}

static void
a_request_for_a_ca_is_what_openssl_and_our_parser_read(void **state)
{
	struct signer *const signers[] = {root_signer, sub_signer};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buffer out = {0};
		STACK_OF(X509_EXTENSION) * extensions;
		BASIC_CONSTRAINTS *constraints;
		ASN1_BIT_STRING *usage;
		const unsigned char *p;
		struct csr csr;
		X509_REQ *req;

		assert_true(authority_request(signers[i], buffer_octets(&sub_name), &out, &why));
		p = out.data;
		req = d2i_X509_REQ(NULL, &p, (long)out.len);
		assert_non_null(req);
		assert_int_equal(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
		extensions = X509_REQ_get_extensions(req);
		constraints = X509V3_get_d2i(extensions, NID_basic_constraints, NULL, NULL);
		assert_true(constraints->ca != 0);
		usage = X509V3_get_d2i(extensions, NID_key_usage, NULL, NULL);
		assert_int_equal(
		    usage->data[0], KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN | KU_CRL_SIGN);
		assert_true(csr_parse(out.data, out.len, &csr, &why));
		assert_true(csr_verify(&csr, &why));
		assert_true(csr.wants_ca);
		assert_true(octets_equal(csr.subject, buffer_octets(&sub_name)));
		csr_free(&csr);
		ASN1_BIT_STRING_free(usage);
		BASIC_CONSTRAINTS_free(constraints);
		sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
		X509_REQ_free(req);
		buffer_free(&out);
		assert_false(authority_request(signers[i], octets_of("\x31\0", 2), &out, &why));
	}
}

/* ---- chains ---- */

static bool
check(
    const struct certificate *a, const struct certificate *b, int count, int64_t now, bool partial)
{
	struct certificate chain[2] = {*a, *b};

	return authority_check_chain(chain, count, a->spki, now, partial, &why);
}

static void
a_chain_up_to_its_root_holds(void **state)
{
	(void)state;
	assert_true(check(&sub, &root, 2, NOW, false));
	assert_true(check(&root, &root, 1, NOW, false));
	assert_true(check(&sub, &root, 2, BEGIN, false));
	assert_true(check(&sub, &root, 2, END, true));
	assert_true(check(&sub, &sub, 1, NOW, true));
}

static void
a_chain_without_root_in_disorder_or_out_of_time_does_not_hold(void **state)
{
	(void)state;
	assert_false(check(&sub, &sub, 1, NOW, false));
	assert_non_null(strstr(why.line, "no root"));
	assert_false(check(&root, &sub, 2, NOW, false));
	assert_false(check(&sub, &sub, 2, NOW, true));
	assert_false(check(&sub, &root, 2, BEGIN - 1, false));
	assert_false(check(&sub, &root, 2, END + 1, false));
	assert_non_null(strstr(why.line, "certificate 1 is valid"));
	assert_false(check(&sub, &root, 0, NOW, false));
	assert_false(authority_check_chain(&root, 1, sub.spki, NOW, false, &why));
	assert_non_null(strstr(why.line, "another public key"));
}

static void
a_certificate_that_is_no_ca_or_may_not_sign_does_not_hold(void **state)
{
	(void)state;
	for (int ca = 0; ca < 2; ca++) {
		struct certificate_fields f = {
		    .subject = buffer_octets(&sub_name),
		    .spki = buffer_octets(&spki),
		    .not_before = BEGIN,
		    .not_after = END,
		    .ca = ca,
		    .path_length = -1,
		    .key_usage = KEY_USAGE_CRL_SIGN,
		};
		struct buffer out = {0};
		struct certificate c;

		assert_true(authority_issue(&root, root_signer, &f, &out, &why));
		assert_true(certificate_parse(buffer_octets(&out), &c, &why));
		assert_false(check(&c, &root, 2, NOW, false));
		assert_non_null(strstr(why.line, ca ? "keyCertSign" : "no CA"));
		certificate_free(&c);
		buffer_free(&out);
	}
}

static void
a_link_signed_by_another_key_of_the_same_name_does_not_hold(void **state)
{
	struct buffer out = {0};
	struct certificate other;
	struct signer *s;

	(void)state;
	assert_true(signer_of_key(pki_other_rsa_key(), &s, &why));
	assert_true(authority_self_sign(s, buffer_octets(&root_name), BEGIN, END, -1, &out, &why));
	assert_true(certificate_parse(buffer_octets(&out), &other, &why));
	assert_false(check(&sub, &other, 2, NOW, false));
	assert_non_null(strstr(why.line, "certificate 1 by certificate 2"));
	certificate_free(&other);
	signer_free(s);
	buffer_free(&out);
}

/* ---- PEM ---- */

static void
write_file(const struct buffer *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	if (text->len > 0)
		assert_int_equal(fwrite(text->data, 1, text->len, f), text->len);
	fclose(f);
}

static void
pem_is_what_openssl_writes(void **state)
{
	struct buffer ours = {0};
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *x = read_x509(&root_der);
	char *theirs;
	long len;

	(void)state;
	assert_int_equal(PEM_write_bio_X509(bio, x), 1);
	len = BIO_get_mem_data(bio, &theirs);
	assert_true(pem_write("CERTIFICATE", buffer_octets(&root_der), &ours));
	assert_true(octets_equal(buffer_octets(&ours), octets_of(theirs, (size_t)len)));
	X509_free(x);
	BIO_free(bio);
	buffer_free(&ours);
}

static void
certificates_of_a_pem_file_are_read_in_order_past_other_objects(void **state)
{
	struct buffer text = {0}, out[3] = {{0}};

	(void)state;
	buffer_append_string(&text, "some text\n");
	assert_true(pem_write("CERTIFICATE", buffer_octets(&sub_der), &text));
	assert_true(pem_write("EC PARAMETERS", octets_of("\6\1\x2a", 3), &text));
	assert_true(pem_write("X509 CERTIFICATE", buffer_octets(&root_der), &text));
	write_file(&text);
	assert_int_equal(pem_read_certificates(path, out, 3, &why), 2);
	assert_true(octets_equal(buffer_octets(&out[0]), buffer_octets(&sub_der)));
	assert_true(octets_equal(buffer_octets(&out[1]), buffer_octets(&root_der)));
	assert_int_equal(out[2].len, 0);
	buffer_free(&out[0]);
	buffer_free(&out[1]);
	assert_int_equal(pem_read_certificates(path, out, 2, &why), 2);
	buffer_free(&out[0]);
	buffer_free(&out[1]);
	assert_int_equal(pem_read_certificates(path, out, 1, &why), -1); /* too many */
	buffer_free(&out[0]);
	buffer_free(&text);
}

static void
a_file_that_is_missing_broken_or_without_certificate_is_refused(void **state)
{
	struct buffer text = {0}, out[1] = {{0}};

	(void)state;
	unlink(path);
	assert_int_equal(pem_read_certificates(path, out, 1, &why), -1);
	write_file(&text);
	assert_int_equal(pem_read_certificates(path, out, 1, &why), -1);
	assert_true(pem_write("EC PARAMETERS", octets_of("\6\1\x2a", 3), &text));
	write_file(&text);
	assert_int_equal(pem_read_certificates(path, out, 1, &why), -1);
	assert_non_null(strstr(why.line, "no certificate"));
	assert_true(pem_write("CERTIFICATE", buffer_octets(&root_der), &text));
	text.len -= 10;
	write_file(&text);
	assert_int_equal(pem_read_certificates(path, out, 1, &why), -1);
	assert_int_equal(out[0].len, 0);
	buffer_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_self_signed_ca_is_one_for_openssl),
	    cmocka_unit_test(a_self_signed_ca_without_subject_or_time_is_refused),
	    cmocka_unit_test(openssl_verifies_the_chain_of_what_was_issued),
	    cmocka_unit_test(what_a_ca_issues_has_its_name_and_ends_with_it),
	    cmocka_unit_test(a_request_for_a_ca_is_what_openssl_and_our_parser_read),
	    cmocka_unit_test(a_chain_up_to_its_root_holds),
	    cmocka_unit_test(a_chain_without_root_in_disorder_or_out_of_time_does_not_hold),
	    cmocka_unit_test(a_certificate_that_is_no_ca_or_may_not_sign_does_not_hold),
	    cmocka_unit_test(a_link_signed_by_another_key_of_the_same_name_does_not_hold),
	    cmocka_unit_test(pem_is_what_openssl_writes),
	    cmocka_unit_test(certificates_of_a_pem_file_are_read_in_order_past_other_objects),
	    cmocka_unit_test(a_file_that_is_missing_broken_or_without_certificate_is_refused),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
