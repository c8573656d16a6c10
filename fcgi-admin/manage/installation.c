/* installation.c: scepctl init and migrate. */
#include "fcgi-admin/manage/installation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/private_key.h"
#include "store/authority_row.h"
#include "store/key_check.h"

/* The directory, and those above it that are missing, with the mode.  made says whether the last one is new. */
static enum manage_rc
make_directory(const char *path, mode_t mode, bool *made, struct manage_report *r)
{
	char part[SETTINGS_TEXT];
	struct stat st;

	*made = false;
	snprintf(part, sizeof(part), "%s", path);
	for (char *p = part + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(part, 0755) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
			break;
		*p = '/';
	}
	if (mkdir(path, mode) == 0) {
		*made = true;
		if (chmod(path, mode) == 0 && manage_adopt(path, &r->why))
			return MANAGE_OK;
	} else if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		return MANAGE_OK;
	}
	errbuf_errno(&r->why, "directory %s: cannot make it", path);
	return MANAGE_FAULT;
}

static enum manage_rc
make_master_key(struct manage *m, struct manage_installation *out, struct manage_report *r)
{
	static const uint8_t nobody[MASTER_KEY_MAC];
	const char *path = m->settings->master_key_file;
	struct master_key *k = NULL;
	enum store_rc rc;

	if (access(path, F_OK) != 0) {
		/* Another proof in the store: its key file is lost or elsewhere, and a new one would not do. */
		rc = store_check_value(
		    m->store, "master-key", octets_of(nobody, sizeof(nobody)), false, NULL);
		if (rc == STORE_CONFLICT)
			return manage_fail(r, MANAGE_CONFLICT,
			    "the store belongs to a master key that is not at %s: "
			    "restore that file",
			    path);
		if (rc == STORE_AWAY)
			return manage_fail(r, MANAGE_AWAY, "the store cannot be read");
		if (!master_key_create(path, &r->why) || !manage_adopt(path, &r->why))
			return MANAGE_FAULT;
		out->made_master_key = true;
	}
	if (!master_key_load(path, &k, &r->why))
		return MANAGE_FAULT;
	snprintf(out->master_key_id, sizeof(out->master_key_id), "%s", master_key_id(k));
	rc = store_key_check(m->store, k, true, &r->why);
	master_key_free(k);
	return rc == STORE_OK ? MANAGE_OK : rc == STORE_AWAY ? MANAGE_AWAY : MANAGE_CONFLICT;
}

static bool
note_authority(void *ctx, const struct authority_row *a)
{
	(void)a;
	*(bool *)ctx = true;
	return false;
}

/* Whether there are keys, which a passphrase that is not there has encrypted. */
static enum manage_rc
check_no_keys(struct manage *m, const char *path, struct manage_report *r)
{
	bool any = false;

	if (store_authority_each(m->store, note_authority, &any, &r->why) == STORE_AWAY)
		return MANAGE_AWAY;
	if (any)
		return manage_fail(r, MANAGE_CONFLICT,
		    "the CA keys are encrypted with a passphrase that is not at %s: "
		    "restore that file",
		    path);
	return MANAGE_OK;
}

static enum manage_rc
make_passphrase(struct manage *m, struct manage_installation *out, struct manage_report *r)
{
	struct buffer passphrase = {0};
	const char *path = m->settings->passphrase_file;
	enum manage_rc rc;
	bool ok;

	if (access(path, F_OK) != 0) {
		if ((rc = check_no_keys(m, path, r)) != MANAGE_OK)
			return rc;
		if (!passphrase_create(path, &r->why) || !manage_adopt(path, &r->why))
			return MANAGE_FAULT;
		out->made_passphrase = true;
	}
	ok = passphrase_read(path, &passphrase, &r->why);
	buffer_free(&passphrase);
	return ok ? MANAGE_OK : MANAGE_FAULT;
}

static enum manage_rc
record(struct manage *m, const struct manage_actor *by, const char *action, const char *reason,
    struct manage_report *r)
{
	struct audit_event e = manage_event(by, action, "installation", NULL);

	e.reason = reason;
	return manage_of_store(store_audit_write(m->store, &e, 1, &r->why), "audit", "row", r);
}

enum manage_rc
manage_installation_migrate(struct manage *m, const struct manage_actor *by,
    struct manage_installation *out, struct manage_report *r)
{
	char reason[64];
	enum manage_rc rc;

	if (store_migrate(m->settings, &out->schema_from, &out->schema_to, &r->why) != STORE_OK)
		return MANAGE_AWAY;
	if ((rc = manage_need_store(m, r)) != MANAGE_OK || out->schema_from == out->schema_to)
		return rc;
	snprintf(reason, sizeof(reason), "schema: %d -> %d", out->schema_from, out->schema_to);
	return record(m, by, "installation.migrate", reason, r);
}

enum manage_rc
manage_installation_init(struct manage *m, const struct manage_actor *by,
    struct manage_installation *out, struct manage_report *r)
{
	char reason[128];
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = make_directory(m->settings->state_dir, 0750, &out->made_state_dir, r)) !=
		MANAGE_OK ||
	    (rc = make_directory(m->settings->key_dir, 0700, &out->made_key_dir, r)) != MANAGE_OK ||
	    (rc = manage_installation_migrate(m, by, out, r)) != MANAGE_OK ||
	    (rc = make_master_key(m, out, r)) != MANAGE_OK ||
	    (rc = make_passphrase(m, out, r)) != MANAGE_OK)
		return rc;
	if (!out->made_master_key && !out->made_passphrase)
		return MANAGE_OK;
	snprintf(reason, sizeof(reason), "made:%s%s; master key id %s",
	    out->made_master_key ? " master key" : "", out->made_passphrase ? " passphrase" : "",
	    out->master_key_id);
	return record(m, by, "installation.init", reason, r);
}
