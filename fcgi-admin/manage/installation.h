/* installation.h: what stands before everything else: directories, master key, passphrase, schema. */
#ifndef MANAGE_INSTALLATION_H
#define MANAGE_INSTALLATION_H

#include "fcgi-admin/manage/manage.h"

struct manage_installation {
	bool made_state_dir; /* false: it was there and is kept; likewise below */
	bool made_key_dir;
	bool made_master_key;
	bool made_passphrase;
	char master_key_id[16];
	int schema_from; /* 0: there was none */
	int schema_to;
};

/*
 * Make what is missing and keep what is there: state directory (0750), key directory (0700), store, master key and
 * passphrase (0600).  A master key is not made where the store already belongs to another one: CONFLICT.
 */
enum manage_rc manage_installation_init(struct manage *m, const struct manage_actor *by,
    struct manage_installation *out, struct manage_report *r);

/* Bring the store's schema up to date. */
enum manage_rc manage_installation_migrate(struct manage *m, const struct manage_actor *by,
    struct manage_installation *out, struct manage_report *r);

#endif
