/* key_check.c: the proof that a master key belongs to a store. */
#include "store/key_check.h"

#define CHECK_NAME "master-key"

enum store_rc
store_key_check(struct store *st, const struct master_key *k, bool set, struct errbuf *why)
{
	const struct octets part = octets_of_string(CHECK_NAME);
	uint8_t mac[MASTER_KEY_MAC];
	enum store_rc rc;

	if (!master_key_mac(k, MASTER_KEY_CHECK, &part, 1, mac)) {
		errbuf_ossl(why, "master key: HMAC");
		return STORE_AWAY;
	}
	rc = store_check_value(st, CHECK_NAME, octets_of(mac, sizeof(mac)), set, why);
	if (rc == STORE_NONE)
		errbuf_set(why, "the store has no proof of its master key: run \"scepctl init\"");
	if (rc == STORE_CONFLICT)
		errbuf_set(why,
		    "the master key (id %s) is not the one of this store: restore the file that "
		    "SCEP_MASTER_KEY_FILE names",
		    master_key_id(k));
	return rc;
}
