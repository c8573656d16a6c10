#include <stddef.h>
#include <string.h>

#include "base/encoding.h"
#include "base/octets.h"
#include "store/text.h"

/* Nearly every text is: looked at without a call for each character.  Whether char has a sign differs from machine to machine. */
static bool
is_ascii(const char *text)
{
	while ((unsigned char)(*text - 1) < 0x7f)
		text++;
	return *text == '\0';
}

const char *
text_bounded(const char *text, char room[TEXT_MAX + 1])
{
	static const char replacement[] = "\xef\xbf\xbd";
	struct octets rest;
	size_t len = 0, n;
	const void *piece;
	uint32_t character;

	if (text == NULL)
		return NULL;
	rest = octets_of_string(text);
	if (rest.len <= TEXT_MAX && (is_ascii(text) || encoding_is_utf8(rest)))
		return text;
	while (rest.len > 0) {
		n = encoding_utf8_sequence(rest, &character);
		piece = n > 0 ? (const void *)rest.data : replacement;
		if (len + (n > 0 ? n : sizeof(replacement) - 1) > TEXT_MAX)
			break;
		memcpy(room + len, piece, n > 0 ? n : sizeof(replacement) - 1);
		len += n > 0 ? n : sizeof(replacement) - 1;
		rest.data += n > 0 ? n : 1;
		rest.len -= n > 0 ? n : 1;
	}
	room[len] = '\0';
	return room;
}
