/* intune_server.c: Microsoft's login service, Graph and Intune, and a webhook's service, for tests, on loopback over TLS. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/intune_fake.h"

static const char usage[] =
    "usage: intune_server --listen 127.0.0.1:PORT --certificate F --key F --dir DIR [OPTION…]\n"
    "\n"
    "Stands in for Intune and for a webhook's service.  It writes DIR/port and says \"ready\"; "
    "PORT 0 takes a\n"
    "free port.  It ends by SIGTERM.\n"
    "\n"
    "  --tenant T           the tenant that is known      11111111-2222-4333-8444-555555555555\n"
    "  --client-id ID       the application in it         66666666-7777-4888-8999-aaaaaaaaaaaa\n"
    "  --client-secret S    its secret                    intune-client-secret\n"
    "  --webhook-secret S   base64, keys the signature    d2ViaG9vay1zZWNyZXQtb2YtdGVzdHM=\n"
    "  --webhook-bearer T   for /webhook/bearer/…         webhook-token\n"
    "  --webhook-basic U:P  for /webhook/basic/…          webhook:password\n"
    "  --webhook-id ID      the only one that is known    any\n"
    "  --client-ca F        PEM, for /webhook/mtls/…      nobody is asked for a certificate\n"
    "\n"
    "Its address is at once the login URL, the Graph URL and the resource (whose scope ends in "
    "//.default).\n"
    "A challenge in DIR/challenges (\"CHALLENGE [CODE]\", a line each) has that code, or Success;\n"
    "intune-ok-… succeeds; intune-CODE has that code; any other has ChallengeDecryptionError.\n"
    "\n"
    "Webhooks: /webhook/ACTION, /webhook/bearer/ACTION, /webhook/basic/ACTION, "
    "/webhook/mtls/ACTION.\n"
    "ACTION notify takes anything; any other allows challenges of DIR/challenges and webhook-ok-…\n"
    "\n"
    "DIR/control: lines \"ACTION BEHAVIOUR [ARGUMENT] [once]\", read at each call; the first that "
    "fits counts, and\n"
    "one with \"once\" is then taken out.  Write it under another name and rename it.\n"
    "  ACTION     token, discovery, validateRequest, successNotification, failureNotification, "
    "download, upload,\n"
    "             a webhook's (validate, notify, …), or * for all\n"
    "  BEHAVIOUR  a status (401, 403, 429, 500, 503 …), slow MS, garbage, wrong-content, empty, "
    "json TEXT\n"
    "             (without blanks), deep, large, close, cut, redirect; code CODE (of ScepActions); "
    "aadsts NUMBER\n"
    "             and expires SECONDS (of token); missing and elsewhere https://HOST (of "
    "discovery); allow and\n"
    "             deny (of webhooks)\n"
    "DIR/revocations: lines \"CONTEXT SERIAL [ISSUER]\", served until their result comes into "
    "DIR/results\n"
    "(\"CONTEXT true|false CODE\").\n"
    "DIR/log: a line of JSON for each call: action, status (0: closed), code, requestId, "
    "authorization, client, body.\n";

enum { OPTION_HELP = 'h' };

static bool
write_port(const char *dir, int port)
{
	char path[512], part[520];
	FILE *f;

	snprintf(path, sizeof(path), "%s/port", dir);
	snprintf(part, sizeof(part), "%s.part", path);
	if ((f = fopen(part, "we")) == NULL)
		return false;
	fprintf(f, "%d\n", port);
	return fclose(f) == 0 && rename(part, path) == 0;
}

int
main(int argc, char **argv)
{
	struct intune_fake fake = {.tenant = "11111111-2222-4333-8444-555555555555",
	    .client_id = "66666666-7777-4888-8999-aaaaaaaaaaaa",
	    .client_secret = "intune-client-secret",
	    .webhook_secret = "d2ViaG9vay1zZWNyZXQtb2YtdGVzdHM=",
	    .webhook_bearer = "webhook-token",
	    .webhook_basic = "webhook:password"};
	struct tls_listener listener = {.answer = intune_fake_answer, .ctx = &fake};
	const char *address = NULL;
	const struct {
		const char *name;
		const char **value;
	} options[] = {{"listen", &address}, {"certificate", &listener.certificate},
	    {"key", &listener.key}, {"client-ca", &listener.client_ca}, {"dir", &fake.dir},
	    {"tenant", &fake.tenant}, {"client-id", &fake.client_id},
	    {"client-secret", &fake.client_secret}, {"webhook-secret", &fake.webhook_secret},
	    {"webhook-bearer", &fake.webhook_bearer}, {"webhook-basic", &fake.webhook_basic},
	    {"webhook-id", &fake.webhook_id}};
	struct option longs[sizeof(options) / sizeof(options[0]) + 2] = {0};
	int n = sizeof(options) / sizeof(options[0]), at = 0, c, fd, port;

	for (int i = 0; i < n; i++)
		longs[i] = (struct option){options[i].name, required_argument, NULL, 0};
	longs[n] = (struct option){"help", no_argument, NULL, OPTION_HELP};
	while ((c = getopt_long(argc, argv, "h", longs, &at)) != -1) {
		if (c == OPTION_HELP) {
			fputs(usage, stdout);
			return 0;
		}
		if (c != 0) {
			fputs(usage, stderr);
			return 2;
		}
		*options[at].value = optarg;
	}
	if (address == NULL || listener.certificate == NULL || listener.key == NULL ||
	    fake.dir == NULL || optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	if ((fd = tls_listener_bind(address, &port)) == -1 || !write_port(fake.dir, port)) {
		fprintf(stderr, "intune_server: cannot listen on %s, or not write to %s\n", address,
		    fake.dir);
		return 1;
	}
	puts("ready");
	fflush(stdout);
	tls_listener_run(fd, &listener);
	fprintf(stderr, "intune_server: cannot read certificate or key\n");
	return 1;
}
