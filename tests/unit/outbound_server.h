/* outbound_server.h: the server of tests/support/intune_fake.h as a child of a unit test, with a directory and a certificate of its own. */
#ifndef UNIT_OUTBOUND_SERVER_H
#define UNIT_OUTBOUND_SERVER_H

#include <jansson.h>

#include "outbound/http.h"
#include "tests/support/intune_fake.h"

#define OUTBOUND_TENANT "11111111-2222-4333-8444-555555555555"
#define OUTBOUND_CLIENT "66666666-7777-4888-8999-aaaaaaaaaaaa"
#define OUTBOUND_SECRET "a client secret ~&=%+"

struct outbound_server {
	char dir[64];
	char url[64];		/* https://127.0.0.1:PORT */
	char ca_file[96];	/* its certificate; clients may show it too */
	struct buffer pem;	/* the certificate and its key */
	struct buffer stranger; /* another, which it does not know */
	struct http *http;
	pid_t pid;
};

/* cmocka's set-up and tear-down; *state is the struct outbound_server. */
int outbound_server_start(void **state);
int outbound_server_end(void **state);

/* What it shall do from now on: lines of DIR/control. */
void outbound_server_control(const struct outbound_server *s, const char *lines);
void outbound_server_write(const struct outbound_server *s, const char *name, const char *text);

/* How many calls of this action it had; NULL: of any.  The last of them, to be freed by json_decref(). */
int outbound_server_calls(const struct outbound_server *s, const char *action);
json_t *outbound_server_last(const struct outbound_server *s, const char *action);
void outbound_server_clear_log(const struct outbound_server *s);

/* The text of a member of the last call's body: "request.transactionId"; cmocka fails where it is none.  Valid to the next call. */
const char *outbound_server_sent(
    const struct outbound_server *s, const char *action, const char *outer, const char *inner);

#endif
