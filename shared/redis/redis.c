#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redis/exchange.h"
#include "redis/redis.h"

bool
redis_open(const struct settings *s, struct redis **out, struct errbuf *why)
{
	struct redis *r;

	*out = NULL;
	if ((r = calloc(1, sizeof(*r))) == NULL) {
		errbuf_set(why, "redis: out of memory");
		return false;
	}
	r->connection.fd = -1;
	r->timeout_ms = s->redis_timeout_ms > 0 ? s->redis_timeout_ms : 1;
	snprintf(r->password_file, sizeof(r->password_file), "%s", s->redis_password_file);
	if (!connection_address_parse(s->redis, &r->address, why) || !script_digests(r->sha, why)) {
		free(r);
		return false;
	}
	*out = r;
	return true;
}

void
redis_close(struct redis *r)
{
	if (r == NULL)
		return;
	connection_drop(&r->connection);
	free(r->parts);
	free(r);
}

/* "maxmemory_policy:noeviction" in the lines of INFO memory. */
static enum redis_rc
check_policy(struct redis *r, const redisReply *info, struct errbuf *why)
{
	static const char name[] = "\nmaxmemory_policy:";
	const char *policy;
	int len;

	if (info->type != REDIS_REPLY_STRING || (policy = strstr(info->str, name)) == NULL)
		return exchange_unexpected(r, "INFO memory", why);
	policy += strlen(name);
	len = (int)strcspn(policy, "\r\n");
	if (len == 10 && strncmp(policy, "noeviction", 10) == 0)
		return REDIS_DONE;
	errbuf_set(why, "redis: maxmemory-policy: have %.*s, want noeviction", len, policy);
	return REDIS_AWAY;
}

enum redis_rc
redis_health(struct redis *r, struct errbuf *why)
{
	struct command ping, memory;
	const struct command *both[2] = {&ping, &memory};
	redisReply *replies[2];
	enum redis_rc rc;

	command_start(&ping, "PING");
	command_start(&memory, "INFO");
	command_text(&memory, "memory");
	if ((rc = exchange(r, both, 2, true, replies, why)) != REDIS_DONE)
		return rc;
	rc = check_policy(r, replies[1], why);
	exchange_free(replies, 2);
	return rc;
}
