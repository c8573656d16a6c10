/* audit_key.h: where audit rows wait: "{PROFILE-UUID}:audit", and the set that names all such queues.  For this room alone. */
#ifndef REDIS_AUDIT_KEY_H
#define REDIS_AUDIT_KEY_H

#include "redis/command.h"

#define AUDIT_KEY_NO_PROFILE "-" /* stands for the profile where there is none */

/* The queue as the next argument. */
void audit_key_queue(struct command *c, const char *profile_id);
/* The whole command that makes take() visit this profile's queue; it goes out ahead of whatever puts a row there. */
void audit_key_announce(struct command *c, const char *profile_id);
/* The whole command that lists the profiles announced so far. */
void audit_key_list(struct command *c);

#endif
