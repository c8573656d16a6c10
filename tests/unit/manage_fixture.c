/* manage_fixture.c: an installation in a directory of its own. */
#include "tests/unit/manage_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgi-admin/manage/installation.h"
#include "fcgi-admin/manage/records.h"

int
manage_fixture_bare(void **state)
{
	struct manage_fixture *f = calloc(1, sizeof(*f));
	struct errbuf why = {0};
	char path[128];
	FILE *file;

	if (f == NULL)
		return -1;
	snprintf(f->directory, sizeof(f->directory), "/tmp/scep-manage.XXXXXX");
	if (mkdtemp(f->directory) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/settings", f->directory);
	if ((file = fopen(path, "w")) == NULL)
		return -1;
	fprintf(file, "SCEP_STATE_DIR=%s/state\n", f->directory);
	fclose(file);
	if (!settings_load(&f->settings, path, &why)) {
		fprintf(stderr, "%s\n", why.line);
		return -1;
	}
	f->actor.who = "scepctl:test";
	manage_open(&f->manage, &f->settings);
	*state = f;
	return 0;
}

int
manage_fixture_setup(void **state)
{
	struct manage_installation in;
	struct manage_fixture *f;

	if (manage_fixture_bare(state) != 0)
		return -1;
	f = *state;
	if (manage_installation_init(&f->manage, &f->actor, &in, manage_fixture_report(f)) ==
	    MANAGE_OK)
		return 0;
	fprintf(stderr, "%s\n", f->report.why.line);
	return -1;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
manage_fixture_teardown(void **state)
{
	struct manage_fixture *f = *state;

	manage_close(&f->manage);
	nftw(f->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

struct manage_report *
manage_fixture_report(struct manage_fixture *f)
{
	memset(&f->report, 0, sizeof(f->report));
	return &f->report;
}

bool
manage_fixture_faults(const struct manage_fixture *f, const char *name)
{
	for (int i = 0; i < f->report.fault_count; i++)
		if (strcmp(f->report.faults[i].name, name) == 0)
			return true;
	return false;
}

void
manage_fixture_authority(struct manage_fixture *f)
{
	const struct manage_authority_order o = {.name = "test-ca",
	    .subject = "CN=Test CA,O=Exa\\, mple",
	    .key = "ec:P-256",
	    .validity_days = 365};
	struct authority_row ca;

	assert_int_equal(
	    manage_authority_create(&f->manage, &f->actor, &o, &ca, manage_fixture_report(f)),
	    MANAGE_OK);
	authority_row_free(&ca);
}

void
manage_fixture_profile(struct manage_fixture *f, const char *name, const char *challenge)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct octets octets = octets_of_string(challenge != NULL ? challenge : "");
	const struct manage_profile_order o = {.name = name,
	    .authority = "test-ca",
	    .ra_key = "rsa:2048",
	    .enabled = true,
	    .change = &c};
	struct manage_profile p;

	if (challenge != NULL)
		c.challenge = &octets;
	else
		c.challenge_mode = "dynamic";
	assert_int_equal(
	    manage_profile_create(&f->manage, &f->actor, &o, &p, manage_fixture_report(f)),
	    MANAGE_OK);
}

int
manage_fixture_keys(const struct manage_fixture *f)
{
	struct dirent *entry;
	int count = 0;
	DIR *dir = opendir(f->settings.key_dir);

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.' && strncmp(entry->d_name, "ocsp-", 5) != 0;
	closedir(dir);
	return count;
}

/* The newest one, or the newest of an action. */
struct wanted_event {
	const char *action;
	char text[512];
};

static bool
keep_event(void *ctx, int64_t id, const struct audit_event *e)
{
	struct wanted_event *w = ctx;

	(void)id;
	if (w->action != NULL && strcmp(w->action, e->action) != 0)
		return true;
	snprintf(w->text, sizeof(w->text), "%s: %s", e->action, e->reason != NULL ? e->reason : "");
	return false;
}

static const char *
find_event(struct manage_fixture *f, const char *action)
{
	static struct wanted_event w;
	const struct audit_filter filter = {.limit = 500};

	w = (struct wanted_event){.action = action};
	assert_int_equal(
	    manage_audit_each(&f->manage, &filter, keep_event, &w, manage_fixture_report(f)),
	    MANAGE_OK);
	return w.text;
}

const char *
manage_fixture_event(struct manage_fixture *f)
{
	return find_event(f, NULL);
}

const char *
manage_fixture_event_of(struct manage_fixture *f, const char *action)
{
	return find_event(f, action);
}
