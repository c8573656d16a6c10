/* code.c: drawing codes. */
#include "fcgi-admin/manage/code.h"

#include <openssl/rand.h>
#include <stdint.h>
#include <string.h>

#include "base/octets.h"

static const char alphabet[32 + 1] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

bool
manage_code_draw(char code[MANAGE_CODE_SIZE], struct errbuf *why)
{
	uint8_t random[MANAGE_CODE_GROUPS * MANAGE_CODE_GROUP];
	size_t at = 0;

	memset(code, 0, MANAGE_CODE_SIZE);
	if (RAND_priv_bytes(random, sizeof(random)) != 1) {
		errbuf_ossl(why, "code: no random octets");
		return false;
	}
	for (size_t i = 0; i < sizeof(random); i++) {
		if (i > 0 && i % MANAGE_CODE_GROUP == 0)
			code[at++] = '-';
		code[at++] = alphabet[random[i] % 32];
	}
	octets_wipe(random, sizeof(random));
	return true;
}
