#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/outbound_server.h"

/* Append a self-signed certificate for 127.0.0.1 and its key. */
static bool
make_certificate(struct buffer *out)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	X509_EXTENSION *san =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
	X509_NAME *name = X509_get_subject_name(certificate);
	char *text;
	long len;
	bool good;

	good = key != NULL && san != NULL && X509_set_version(certificate, X509_VERSION_3) == 1 &&
	       ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
	       X509_NAME_add_entry_by_txt(
		   name, "CN", MBSTRING_ASC, (const unsigned char *)"outbound", -1, -1, 0) == 1 &&
	       X509_set_issuer_name(certificate, name) == 1 &&
	       X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != NULL &&
	       X509_gmtime_adj(X509_getm_notAfter(certificate), 86400) != NULL &&
	       X509_set_pubkey(certificate, key) == 1 && X509_add_ext(certificate, san, -1) == 1 &&
	       X509_sign(certificate, key, EVP_sha256()) > 0 &&
	       PEM_write_bio_X509(bio, certificate) == 1 &&
	       PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
	len = BIO_get_mem_data(bio, &text);
	if (good)
		buffer_append(out, text, (size_t)len);
	X509_EXTENSION_free(san);
	X509_free(certificate);
	EVP_PKEY_free(key);
	BIO_free(bio);
	return good;
}

void
outbound_server_write(const struct outbound_server *s, const char *name, const char *text)
{
	char path[128], part[136];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	snprintf(part, sizeof(part), "%s.part", path);
	assert_non_null(f = fopen(part, "we"));
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(part, path), 0);
}

void
outbound_server_control(const struct outbound_server *s, const char *lines)
{
	outbound_server_write(s, "control", lines);
}

static void
run(const struct outbound_server *s, int fd)
{
	struct intune_fake fake = {.dir = s->dir,
	    .tenant = OUTBOUND_TENANT,
	    .client_id = OUTBOUND_CLIENT,
	    .client_secret = OUTBOUND_SECRET,
	    .webhook_secret = "d2ViaG9vay1zZWNyZXQ=",
	    .webhook_bearer = "webhook-token",
	    .webhook_basic = "webhook:password",
	    .webhook_id = "hook-1"};
	struct tls_listener listener = {.certificate = s->ca_file,
	    .key = s->ca_file,
	    .client_ca = s->ca_file,
	    .answer = intune_fake_answer,
	    .ctx = &fake};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	tls_listener_run(fd, &listener);
	_exit(1);
}

int
outbound_server_start(void **state)
{
	struct outbound_server *s = calloc(1, sizeof(*s));
	struct errbuf why;
	int fd, port;

	*state = s;
	if (s == NULL)
		return -1;
	snprintf(s->dir, sizeof(s->dir), "/tmp/test-outbound-XXXXXX");
	if (mkdtemp(s->dir) == NULL || !make_certificate(&s->pem) ||
	    !make_certificate(&s->stranger) || (fd = tls_listener_bind("127.0.0.1:0", &port)) == -1)
		return -1;
	snprintf(s->ca_file, sizeof(s->ca_file), "%s/pem", s->dir);
	outbound_server_write(s, "pem", buffer_string(&s->pem));
	snprintf(s->url, sizeof(s->url), "https://127.0.0.1:%d", port);
	if ((s->pid = fork()) == 0)
		run(s, fd);
	close(fd);
	return s->pid > 0 && http_open(&s->http, &why) ? 0 : -1;
}

int
outbound_server_end(void **state)
{
	struct outbound_server *s = *state;
	struct dirent *entry;
	char path[400];
	DIR *dir;

	http_close(s->http);
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	if ((dir = opendir(s->dir)) != NULL) {
		while ((entry = readdir(dir)) != NULL) {
			snprintf(path, sizeof(path), "%s/%s", s->dir, entry->d_name);
			if (entry->d_name[0] != '.')
				unlink(path);
		}
		closedir(dir);
	}
	rmdir(s->dir);
	buffer_free(&s->pem);
	buffer_free(&s->stranger);
	free(s);
	return 0;
}

struct search {
	const char *action;
	json_t *last;
	int count;
};

static bool
look_at(void *ctx, const char *text)
{
	struct search *search = ctx;
	json_t *line = json_loads(text, 0, NULL);
	const char *action = json_string_value(json_object_get(line, "action"));

	if (action != NULL && (search->action == NULL || strcmp(action, search->action) == 0)) {
		json_decref(search->last);
		search->last = json_incref(line);
		search->count++;
	}
	json_decref(line);
	return true;
}

int
outbound_server_calls(const struct outbound_server *s, const char *action)
{
	struct search search = {.action = action};

	fake_state_each(s->dir, "log", look_at, &search);
	json_decref(search.last);
	return search.count;
}

json_t *
outbound_server_last(const struct outbound_server *s, const char *action)
{
	struct search search = {.action = action};

	fake_state_each(s->dir, "log", look_at, &search);
	if (search.last == NULL)
		fail_msg("no call of %s", action);
	return search.last;
}

void
outbound_server_clear_log(const struct outbound_server *s)
{
	outbound_server_write(s, "log", "");
}

const char *
outbound_server_sent(
    const struct outbound_server *s, const char *action, const char *outer, const char *inner)
{
	static char text[70000];
	json_t *last = outbound_server_last(s, action);
	const json_t *value = json_object_get(last, "body");

	if (outer != NULL)
		value = json_object_get(value, outer);
	value = json_object_get(value, inner);
	if (!json_is_string(value))
		fail_msg("%s: %s is no text", action, inner);
	snprintf(text, sizeof(text), "%s", json_string_value(value));
	json_decref(last);
	return text;
}
