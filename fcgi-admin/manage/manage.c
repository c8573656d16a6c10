/* manage.c: opening what the verbs need, and reporting. */
#include "fcgi-admin/manage/manage.h"

#include <ctype.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "store/key_check.h"

#define NAME_MAX_OCTETS 64
#define SERIAL_OCTETS	16 /* of a serial number that is issued here */

void
manage_open(struct manage *m, const struct settings *s)
{
	memset(m, 0, sizeof(*m));
	m->settings = s;
}

void
manage_close(struct manage *m)
{
	store_close(m->store);
	redis_close(m->redis);
	master_key_free(m->master_key);
	memset(m, 0, sizeof(*m));
}

enum manage_rc
manage_need_store(struct manage *m, struct manage_report *r)
{
	if (m->store != NULL)
		return MANAGE_OK;
	if (store_open(m->settings, &m->store, &r->why) != STORE_OK) {
		m->store = NULL;
		return MANAGE_AWAY;
	}
	return MANAGE_OK;
}

enum manage_rc
manage_need_redis(struct manage *m, struct manage_report *r)
{
	if (m->redis != NULL)
		return MANAGE_OK;
	if (!redis_open(m->settings, &m->redis, &r->why)) {
		m->redis = NULL;
		return MANAGE_AWAY;
	}
	return MANAGE_OK;
}

enum manage_rc
manage_need_master_key(struct manage *m, struct manage_report *r)
{
	struct master_key *k = NULL;
	enum manage_rc rc;

	if (m->master_key != NULL)
		return MANAGE_OK;
	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	if (!master_key_load(m->settings->master_key_file, &k, &r->why))
		return MANAGE_FAULT;
	switch (store_key_check(m->store, k, false, &r->why)) {
	case STORE_OK:
		m->master_key = k;
		return MANAGE_OK;
	case STORE_AWAY:
		rc = MANAGE_AWAY;
		break;
	default:
		rc = MANAGE_FAULT;
	}
	master_key_free(k);
	return rc;
}

enum manage_rc
manage_invalid(struct manage_report *r, const char *name, const char *fmt, ...)
{
	struct manage_field_fault *f;
	va_list ap;

	if (r->fault_count == MANAGE_FAULTS_MAX)
		return MANAGE_INVALID;
	f = &r->faults[r->fault_count++];
	snprintf(f->name, sizeof(f->name), "%s", name);
	va_start(ap, fmt);
	vsnprintf(f->message, sizeof(f->message), fmt, ap);
	va_end(ap);
	return MANAGE_INVALID;
}

enum manage_rc
manage_validity(struct manage_report *r)
{
	if (r->fault_count == 0)
		return MANAGE_OK;
	if (r->fault_count == 1)
		errbuf_set(&r->why, "%s: %s", r->faults[0].name, r->faults[0].message);
	else
		errbuf_set(&r->why, "%d fields do not fit", r->fault_count);
	return MANAGE_INVALID;
}

void
manage_faults_text(const struct manage_report *r, char out[256])
{
	size_t len = 0;

	out[0] = '\0';
	for (int f = 0; f < r->fault_count && len < 255; f++)
		len += (size_t)snprintf(out + len, 256 - len, "%s%s: %s", f > 0 ? "; " : "",
		    r->faults[f].name, r->faults[f].message);
}

void
manage_warn(struct manage_report *r, const char *fmt, ...)
{
	char line[ERRBUF_SIZE];
	va_list ap;

	if (r->warning_count == MANAGE_WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	errbuf_set(&r->warnings[r->warning_count++], "%s", line);
}

enum manage_rc
manage_fail(struct manage_report *r, enum manage_rc rc, const char *fmt, ...)
{
	char line[ERRBUF_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	errbuf_set(&r->why, "%s", line);
	return rc;
}

enum manage_rc
manage_of_store(enum store_rc rc, const char *what, const char *name, struct manage_report *r)
{
	switch (rc) {
	case STORE_OK:
		return MANAGE_OK;
	case STORE_NONE:
		return manage_fail(r, MANAGE_NOT_FOUND, "there is no %s %s", what, name);
	case STORE_CONFLICT:
		if (r->why.line[0] == '\0')
			errbuf_set(&r->why, "the %s %s is there already, or has changed meanwhile",
			    what, name);
		return MANAGE_CONFLICT;
	case STORE_AWAY:
		break;
	}
	return MANAGE_AWAY;
}

struct audit_event
manage_event(const struct manage_actor *by, const char *action, const char *resource_type,
    const char *resource_id)
{
	return (struct audit_event){
	    .time_ms = clock_now_ms(),
	    .actor = by->who,
	    .address = by->address,
	    .request_id = by->request_id,
	    .action = action,
	    .resource_type = resource_type,
	    .resource_id = resource_id,
	    .outcome = "success",
	    .count = 1,
	};
}

void
manage_changed(struct buffer *changes, const char *name, const char *before, const char *after)
{
	buffer_append_format(changes, "%s%s: %s -> %s", changes->len > 0 ? "; " : "", name,
	    *before != '\0' ? before : "none", *after != '\0' ? after : "none");
}

void
manage_changed_number(struct buffer *changes, const char *name, int64_t before, int64_t after)
{
	buffer_append_format(changes, "%s%s: %" PRId64 " -> %" PRId64, changes->len > 0 ? "; " : "",
	    name, before, after);
}

void
manage_check_text(
    struct manage_report *r, const char *name, const char *value, size_t max, bool required)
{
	if (value == NULL)
		return;
	if (required && *value == '\0')
		manage_invalid(r, name, "must not be empty");
	if (strlen(value) > max || !encoding_is_utf8(octets_of_string(value))) {
		manage_invalid(r, name, "want UTF-8 of at most %zu octets", max);
		return;
	}
	for (; *value != '\0'; value++)
		if ((unsigned char)*value < ' ' || *value == 0x7f) {
			manage_invalid(r, name, "has a control character");
			return;
		}
}

const char *
manage_or_null(const char *text)
{
	return *text != '\0' ? text : NULL;
}

void
manage_set_text(
    const char *name, const char *value, char *target, size_t size, struct buffer *changes)
{
	if (value == NULL || strcmp(value, target) == 0)
		return;
	manage_changed(changes, name, target, value);
	snprintf(target, size, "%s", value);
}

bool
manage_adopt(const char *path, struct errbuf *why)
{
	char copy[PATH_MAX];
	struct stat st;

	if (geteuid() != 0)
		return true;
	snprintf(copy, sizeof(copy), "%s", path);
	if (stat(dirname(copy), &st) == 0 && lchown(path, st.st_uid, st.st_gid) == 0)
		return true;
	errbuf_errno(why, "%s: cannot be given to the owner of its directory", path);
	return false;
}

void
manage_serial_text(struct octets serial, char out[MANAGE_SERIAL])
{
	uint8_t padded[SERIAL_OCTETS] = {0};

	out[0] = '\0';
	while (serial.len > 1 && serial.data[0] == 0)
		serial = octets_of(serial.data + 1, serial.len - 1);
	if (serial.len > 0 && serial.len < sizeof(padded)) {
		memcpy(padded + sizeof(padded) - serial.len, serial.data, serial.len);
		serial = octets_of(padded, sizeof(padded));
	}
	if (serial.len * 2 < MANAGE_SERIAL)
		encoding_hex(serial, out);
}

bool
manage_is_name(const char *name)
{
	static const char *const taken[] = {".", "..", "challenge", "challenge.html", "mscep_admin",
	    "mscep.dll", "certsrv", "crl", "ocsp", "pkiclient.exe", NULL};
	size_t len = strlen(name);

	if (len == 0 || len > NAME_MAX_OCTETS)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && strchr("._-", name[i]) == NULL)
			return false;
	for (int i = 0; taken[i] != NULL; i++)
		if (strcasecmp(name, taken[i]) == 0)
			return false;
	return true;
}
