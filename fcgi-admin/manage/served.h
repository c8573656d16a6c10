/* served.h: the profiles that a CA serves, with what a rollover has to know of each.  For this room. */
#ifndef MANAGE_SERVED_H
#define MANAGE_SERVED_H

#include "fcgi-admin/manage/manage.h"
#include "fcgi-admin/manage/ra_certificate.h"

struct served_profile {
	char id[37];
	char name[65];
	char ra_profile_id[37];
	char ra_certificate_id[37];
	char ra_kind[MANAGE_KEY_KIND]; /* of its current RA key */
	bool has_next;
	char next_authority_id[37]; /* that signed the next one */
	char next_key_file[256];
};
struct served {
	struct served_profile *profiles;
	int count;
};
/* The caller frees *out with served_free(), as on failure. */
enum manage_rc served_read(
    struct manage *m, const char *authority_id, struct served *out, struct manage_report *r);
void served_free(struct served *s);

#endif
