/* settings_table.h: the table that loads, prints and documents the settings; for settings*.c and the tests alone. */
#ifndef BASE_SETTINGS_TABLE_H
#define BASE_SETTINGS_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum setting_kind {
	SETTING_PATH,
	SETTING_SOCKET,	  /* unix:/path or tcp:host:port */
	SETTING_NAME,	  /* letters, digits, '-', '_' and '.' */
	SETTING_URL,	  /* http:// or https:// */
	SETTING_RATES,	  /* PROFILE=RATE:BURST, separated by spaces */
	SETTING_HOSTS,	  /* names of hosts, comma-separated */
	SETTING_NETWORKS, /* addresses or address/bits, comma-separated */
	SETTING_NUMBER,
	SETTING_OCTAL,
	SETTING_LOG_FORMAT,
	SETTING_LOG_LEVEL
};

struct setting {
	const char *name;
	enum setting_kind kind;
	size_t at; /* where in struct settings: a text, an int64_t, or what the kind says */
	const char *
	    fallback; /* the default; STATE at its beginning stands for the state directory; "": none */
	int64_t least, most; /* of numbers */
	const char *unit;    /* "" where there is none */
	const char *
	    credential; /* not NULL: preferred to the default where $CREDENTIALS_DIRECTORY has a file of this name */
	const char *meaning;
};

/* The state directory comes first, since others are under it; the last entry has a NULL name. */
extern const struct setting settings_table[];

#define SETTINGS_COUNT 52

#endif
