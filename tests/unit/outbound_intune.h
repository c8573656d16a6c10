/* outbound_intune.h: for the tests of Intune's client: one that is open towards the server of outbound_server.h, and a request to validate. */
#ifndef UNIT_OUTBOUND_INTUNE_H
#define UNIT_OUTBOUND_INTUNE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "outbound/intune.h"
#include "tests/unit/outbound_server.h"
#include "tests/unit/pki_request.h"

#define HOSTS "manage.microsoft.com, .manage.microsoft.us,127.0.0.1"

static struct intune_settings settings;
static struct intune *intune;
static struct intune_answer answer;
static struct errbuf why;
static struct buffer csr;

static void
make_csr(const char *challenge)
{
	struct buffer value = {0}, attribute = {0};

	buffer_free(&csr);
	if (challenge != NULL) {
		pki_tlv_string(&value, 0x13, challenge);
		pki_attribute(&attribute, PKI_CHALLENGE, &value);
	}
	pki_csr(&csr, pki_ec_key(), "CN=device", challenge != NULL ? &attribute : NULL);
	assert_false(csr.failed);
}

static void
open_again(const struct outbound_server *s)
{
	intune_close(intune);
	if (!intune_open(&settings, s->http, &intune, &why))
		fail_msg("%s", why.line);
}

static int
start(void **state)
{
	struct outbound_server *s;

	if (outbound_server_start(state) != 0)
		return -1;
	s = *state;
	settings = (struct intune_settings){.tenant = OUTBOUND_TENANT,
	    .client_id = OUTBOUND_CLIENT,
	    .client_secret = octets_of_string(OUTBOUND_SECRET),
	    .login_url = s->url,
	    .graph_url = s->url,
	    .resource = s->url,
	    .hosts = HOSTS,
	    .ca_file = s->ca_file,
	    .timeout_ms = 20000,
	    .caller = "fcgi-scep/test"};
	make_csr("intune-ok-1");
	open_again(s);
	return 0;
}

static int
end(void **state)
{
	intune_close(intune);
	intune = NULL;
	buffer_free(&csr);
	pki_free_keys();
	return outbound_server_end(state);
}

/* Whatever came of it: no secret is told. */
static void
assert_no_secret(void)
{
	assert_null(strstr(why.line, OUTBOUND_SECRET));
	assert_null(strstr(why.line, "api."));
	assert_null(strstr(why.line, "graph."));
	assert_null(strstr(why.line, "Bearer "));
	assert_null(strstr(why.line, "intune-ok"));
}

static enum intune_rc
validate(void)
{
	enum intune_rc rc;

	why.line[0] = '\0';
	rc = intune_validate(intune, "T-1", buffer_octets(&csr), &answer, &why);
	assert_int_equal(rc == INTUNE_DONE, strcmp(answer.code, "Success") == 0);
	assert_true(rc == INTUNE_DONE || why.line[0] != '\0');
	assert_no_secret();
	return rc;
}

#endif
