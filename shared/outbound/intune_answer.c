#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "outbound/intune_answer.h"
#include "outbound/json_text.h"

#define EXPIRES_MAX_S 86400

/* RFC 6750 2.1: what may stand in a header. */
static bool
is_bearer_token(const char *text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-._~+/=";
	size_t len = text != NULL ? strlen(text) : 0;

	return len > 0 && len <= INTUNE_TOKEN_MAX && strspn(text, allowed) == len;
}

bool
intune_answer_token(
    struct octets body, struct buffer *token, int64_t *expires_in_s, struct errbuf *why)
{
	json_t *json = json_text_read(body, why);
	const char *text = json_text_member(json, "access_token");
	const char *type = json_text_member(json, "token_type");
	const json_t *expires = json_object_get(json, "expires_in");
	bool good = false;

	*expires_in_s = 0;
	if (json == NULL)
		return false;
	if (!is_bearer_token(text) || type == NULL || strcasecmp(type, "Bearer") != 0 ||
	    !json_is_integer(expires) || json_integer_value(expires) <= 0) {
		errbuf_set(why, "want an access_token of type Bearer, with its expires_in");
	} else {
		buffer_append_string(token, text);
		*expires_in_s = json_integer_value(expires) < EXPIRES_MAX_S
				    ? json_integer_value(expires)
				    : EXPIRES_MAX_S;
		good = true;
	}
	json_text_free(json);
	return good;
}

/* The number behind AADSTS, in error_codes or else at the beginning of the description. */
static int64_t
login_code(const json_t *json)
{
	const json_t *first = json_array_get(json_object_get(json, "error_codes"), 0);
	const char *text = json_text_member(json, "error_description");
	const char *number;

	if (json_is_integer(first) && json_integer_value(first) > 0)
		return json_integer_value(first);
	if (text == NULL || (number = strstr(text, "AADSTS")) == NULL)
		return 0;
	number += strlen("AADSTS");
	return strspn(number, "0123456789") <= 9 ? atol(number) : 0;
}

bool
intune_answer_login_error(struct octets body, struct intune_login_error *out, struct errbuf *why)
{
	json_t *json = json_text_read(body, why);
	const char *error = json_text_member(json, "error");
	bool good = json != NULL && error != NULL;

	*out = (struct intune_login_error){0};
	if (good) {
		json_text_copy(error, out->error, sizeof(out->error));
		out->code = login_code(json);
	} else if (json != NULL) {
		errbuf_set(why, "want an error");
	}
	json_text_free(json);
	return good;
}

bool
intune_answer_discovery(
    struct octets body, const char *provider, char uri[INTUNE_URI_SIZE], struct errbuf *why)
{
	json_t *json = json_text_read(body, why);
	const json_t *list = json_object_get(json, "value");
	bool good = json_is_array(list);
	const char *name, *found;
	const json_t *one;
	size_t i;

	uri[0] = '\0';
	if (json != NULL && !good)
		errbuf_set(why, "want a list of services");
	json_array_foreach(list, i, one)
	{
		name = json_text_member(one, "providerName");
		if (!good || name == NULL || strcasecmp(name, provider) != 0)
			continue;
		found = json_text_member(one, "uri");
		good = found != NULL && found[0] != '\0' && strlen(found) < INTUNE_URI_SIZE;
		if (good)
			snprintf(uri, INTUNE_URI_SIZE, "%s", found);
		else
			errbuf_set(why, "%s without a usable uri", provider);
		break;
	}
	json_text_free(json);
	return good;
}

static bool
copy_result(const json_t *json, const char *description, struct intune_answer *out)
{
	const char *code = json_text_member(json, "code");

	out->code[0] = out->description[0] = '\0';
	if (code == NULL || code[0] == '\0')
		return false;
	json_text_copy(code, out->code, sizeof(out->code));
	json_text_copy(
	    json_text_member(json, description), out->description, sizeof(out->description));
	return true;
}

bool
intune_answer_result(struct octets body, struct intune_answer *out, struct errbuf *why)
{
	json_t *json = json_text_read(body, why);
	bool good = copy_result(json, "errorDescription", out);

	if (json != NULL && !good)
		errbuf_set(why, "want a code");
	json_text_free(json);
	return good;
}

bool
intune_answer_error(struct octets body, struct intune_answer *out, struct errbuf *why)
{
	json_t *json = json_text_read(body, why);
	bool good = copy_result(json_object_get(json, "error"), "message", out);

	if (json != NULL && !good)
		errbuf_set(why, "want an error with a code");
	json_text_free(json);
	return good;
}

static bool
read_revocation(const json_t *one, struct intune_revocation *out)
{
	const char *context = json_text_member(one, "requestContext");
	const char *serial = json_text_member(one, "serialNumber");
	const char *issuer = json_text_member(one, "issuerName");

	*out = (struct intune_revocation){0};
	if (context == NULL || context[0] == '\0' || strlen(context) >= sizeof(out->context))
		return false;
	snprintf(out->context, sizeof(out->context), "%s", context);
	if (serial != NULL && strlen(serial) < sizeof(out->serial) &&
	    strspn(serial, "0123456789abcdefABCDEF") == strlen(serial))
		snprintf(out->serial, sizeof(out->serial), "%s", serial);
	json_text_copy(issuer, out->issuer, sizeof(out->issuer));
	return true;
}

bool
intune_answer_revocations(
    struct octets body, struct intune_revocation *out, int *count, struct errbuf *why)
{
	json_t *json = json_text_read(body, why);
	const json_t *list = json_object_get(json, "value");
	bool good = json_is_array(list) && json_array_size(list) <= INTUNE_REVOCATIONS_MAX;
	int n = 0;

	*count = 0;
	while (good && n < (int)json_array_size(list)) {
		good = read_revocation(json_array_get(list, (size_t)n), &out[n]);
		n++;
	}
	if (good)
		*count = n;
	else if (json != NULL)
		errbuf_set(why, "want a list of at most %d requests, each with its requestContext",
		    INTUNE_REVOCATIONS_MAX);
	json_text_free(json);
	return good;
}

bool
intune_answer_uploaded(struct octets body, bool *taken, struct errbuf *why)
{
	json_t *json = json_text_read(body, why);
	const json_t *value = json_object_get(json, "value");
	bool good = json_is_boolean(value);

	*taken = good && json_is_true(value);
	if (json != NULL && !good)
		errbuf_set(why, "want a value that is true or false");
	json_text_free(json);
	return good;
}
