#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/lib/http_load.h"
#include "tests/support/probe.h"

bool
probe_open(struct probe *p, const char *url)
{
	return url != NULL && http_load_url(url, p->host, p->port, p->path);
}

static int
exchange(const struct probe *p, const struct buffer *request, struct buffer *body)
{
	struct http_exchange x = {.request = buffer_octets(request)};
	double seconds;

	assert_true(http_load_run(p->host, p->port, &x, 1, 1, 20, true, &seconds));
	if (body != NULL)
		*body = x.body;
	else
		buffer_free(&x.body);
	return x.status;
}

int
probe_get(const struct probe *p, const char *tail, struct buffer *body)
{
	struct buffer request = {0};
	char path[8192];
	int status;

	snprintf(path, sizeof(path), "%s%s", p->path, tail);
	http_load_get(&request, p->host, path);
	status = exchange(p, &request, body);
	buffer_free(&request);
	return status;
}

int
probe_post(const struct probe *p, const char *path, struct octets message, struct buffer *body)
{
	struct buffer request = {0};
	int status;

	http_load_post(&request, p->host, path, message);
	status = exchange(p, &request, body);
	buffer_free(&request);
	return status;
}

static json_t *
audit_row(const char *transaction_id)
{
	char command[2048];
	json_t *row = NULL;

	snprintf(command, sizeof(command), "%s --json audit list --transaction '%s'",
	    getenv("SCEPCTL"), transaction_id);
	for (int i = 0; i < 100 && row == NULL; i++) {
		FILE *f = popen(command, "r");
		json_t *all;

		assert_non_null(f);
		all = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL);
		pclose(f);
		if (json_array_size(all) > 0)
			row = json_incref(json_array_get(all, 0));
		json_decref(all);
		if (row == NULL)
			usleep(100000);
	}
	return row;
}

void
probe_audit_says(const char *transaction_id, const char *outcome, const char *reason_has)
{
	json_t *row = audit_row(transaction_id);
	const char *reason;

	if (row == NULL)
		fail_msg("transaction %s has no audit row", transaction_id);
	assert_string_equal(json_string_value(json_object_get(row, "outcome")), outcome);
	reason = json_string_value(json_object_get(row, "reason"));
	if (reason_has != NULL && (reason == NULL || strcasestr(reason, reason_has) == NULL))
		fail_msg("audit: have \"%s\", want something of \"%s\"", reason, reason_has);
	json_decref(row);
}
