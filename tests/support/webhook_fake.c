#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "tests/support/fake_state.h"
#include "tests/support/intune_fake.h"

/* The header has the HMAC of the body as it came. */
static bool
is_signed(const struct intune_fake *f, const struct tls_request *r)
{
	char have[160], want[2 * EVP_MAX_MD_SIZE + 1];
	uint8_t mac[EVP_MAX_MD_SIZE];
	struct buffer key = {0};
	unsigned int len = 0;
	bool good;

	tls_request_header(r, "X-Smallstep-Signature", have, sizeof(have));
	good = encoding_unbase64(octets_of_string(f->webhook_secret), &key) && key.len > 0 &&
	       HMAC(EVP_sha256(), key.data, (int)key.len, r->body.data, r->body.len, mac, &len) !=
		   NULL;
	if (good) {
		encoding_hex(octets_of(mac, len), want);
		good = strcmp(have, want) == 0;
	}
	buffer_free(&key);
	return good;
}

/* What the path asks for beside the signature: bearer, basic, mtls; anything else: nothing. */
static bool
is_authenticated(const struct intune_fake *f, const struct tls_request *r, const char *kind)
{
	struct buffer want = {0};
	char have[1024];
	bool good;

	if (strcmp(kind, "mtls") == 0)
		return r->client[0] != '\0';
	tls_request_header(r, "Authorization", have, sizeof(have));
	if (strcmp(kind, "bearer") == 0) {
		buffer_append_format(&want, "Bearer %s", f->webhook_bearer);
	} else if (strcmp(kind, "basic") == 0) {
		buffer_append_string(&want, "Basic ");
		encoding_base64(octets_of_string(f->webhook_basic), &want);
	}
	good = strcmp(have, want.len > 0 ? buffer_string(&want) : "") == 0;
	buffer_free(&want);
	return good;
}

/* Why it is no, or NULL. */
static const char *
judge(const struct intune_fake *f, const json_t *body)
{
	const char *challenge = json_string_value(json_object_get(body, "scepChallenge"));
	char code[128] = "Success";

	if (challenge == NULL)
		return "no challenge";
	if (strncmp(challenge, "webhook-ok-", 11) == 0)
		return NULL;
	if (fake_state_challenge(f->dir, challenge, code, sizeof(code)) &&
	    strcmp(code, "Success") == 0)
		return NULL;
	return "unknown challenge";
}

static void
say_allow(struct tls_answer *a, const char *error)
{
	if (error == NULL)
		buffer_append_string(&a->body, "{\"allow\":true}");
	else
		buffer_append_format(&a->body,
		    "{\"allow\":false,\"error\":{\"code\":\"denied\",\"message\":\"%s\"}}", error);
}

static void
answer_call(const struct intune_fake *f, const char *action, const json_t *body,
    const struct fake_behaviour *b, struct tls_answer *a)
{
	if (strcmp(b->name, "allow") == 0)
		say_allow(a, NULL);
	else if (strcmp(b->name, "deny") == 0)
		say_allow(a, "by DIR/control");
	else if (strcmp(action, "notify") == 0)
		buffer_append_string(&a->body, "{}");
	else
		say_allow(a, judge(f, body));
}

void
webhook_fake_answer(const struct intune_fake *f, const struct tls_request *r, struct tls_answer *a)
{
	json_t *body = json_loadb((const char *)r->body.data, r->body.len, 0, NULL);
	char kind[32] = "", action[32] = "", id[128];
	const char *code = "";
	struct fake_behaviour b = {0};

	if (sscanf(r->path, "/webhook/%31[a-z]/%31[a-z]", kind, action) == 1) {
		snprintf(action, sizeof(action), "%s", kind);
		kind[0] = '\0';
	}
	tls_request_header(r, "X-Smallstep-Webhook-ID", id, sizeof(id));
	if (intune_fake_behaves(f, action, a, &b)) {
		code = b.name;
	} else if (strcmp(r->method, "POST") != 0 || body == NULL) {
		a->status = 400;
	} else if (!is_signed(f, r)) {
		a->status = 401;
		code = "signature";
	} else if (!is_authenticated(f, r, kind)) {
		a->status = 401;
		code = "authentication";
	} else if (id[0] == '\0' || (f->webhook_id != NULL && strcmp(id, f->webhook_id) != 0)) {
		a->status = 404;
		code = "id";
	} else {
		answer_call(f, action, body, &b, a);
	}
	intune_fake_log(f, action, r, a, code, body);
}
