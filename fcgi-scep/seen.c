#include "seen.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/replaced_row.h"

static void
seen(struct transaction *t, struct octets serial, struct octets der, const char *authority_id)
{
	struct errbuf why = {0};

	if (store_replaced_seen(t->worker->store, serial, der, authority_id, clock_now(), &why) ==
	    STORE_AWAY)
		log_event(LOG_LEVEL_WARNING, "replaced-not-hastened",
		    "what it replaces ends at its time: %s", why.line);
}

void
seen_signer(struct transaction *t)
{
	const struct certificate *signer = &t->message->signer;

	if (!t->message->signer_self_signed)
		seen(t, signer->serial, signer->der, NULL);
}

void
seen_by_ocsp(struct transaction *t, const char *authority_id, struct octets serial)
{
	seen(t, serial, octets_of(NULL, 0), authority_id);
}
