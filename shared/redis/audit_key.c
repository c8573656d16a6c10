#include "redis/audit_key.h"

#define QUEUES "audit-queues"

void
audit_key_queue(struct command *c, const char *profile_id)
{
	command_key(c, profile_id, "audit");
}

void
audit_key_announce(struct command *c, const char *profile_id)
{
	command_start(c, "SADD");
	command_key(c, AUDIT_KEY_NO_PROFILE, QUEUES);
	command_text(c, profile_id);
}

void
audit_key_list(struct command *c)
{
	command_start(c, "SMEMBERS");
	command_key(c, AUDIT_KEY_NO_PROFILE, QUEUES);
}
