/* san.h: GeneralNames (RFC 5280 4.2.1.6) one by one: what a subjectAltName asks for, and what it is written from. */
#ifndef PKI_SAN_H
#define PKI_SAN_H

#include <stdbool.h>

#include "base/errbuf.h"
#include "base/octets.h"

#define SAN_NAMES_MAX 128

enum san_kind {
	SAN_DNS,
	SAN_IP,
	SAN_EMAIL,
	SAN_URI,
	SAN_UPN,
	SAN_DIRECTORY_NAME,
	SAN_REGISTERED_ID,
	SAN_UNSUPPORTED /* x400Address, ediPartyName, any other otherName */
};

/* Slices live as long as the view. */
struct san_name {
	enum san_kind kind;
	struct octets
	    value; /* text, 4 or 16 octets, Name in DER, or the content octets of an OID; empty with UNSUPPORTED */
	struct octets der; /* the GeneralName */
};

/* Exactly one GeneralNames of 1 to SAN_NAMES_MAX names.  Values are not looked at: san_check() does.  The caller frees *out. */
struct san_view;
bool san_parse(struct octets san, struct san_view **out, struct errbuf *why);
int san_count(const struct san_view *v);
const struct san_name *san_get0(const struct san_view *v, int i);
void san_free(struct san_view *v);

/* NULL, or in a few words what is wrong with the value, without repeating it. */
const char *san_check(enum san_kind kind, struct octets value);

/* "san.dns"; "san.other" for UNSUPPORTED. */
const char *san_field(enum san_kind kind);
/* UNSUPPORTED where the field is not one of a kind. */
enum san_kind san_kind_of_field(const char *field);

/* Append the GeneralName of this kind that text stands for (an IP address in its usual form); false with why where it is none. */
bool san_name_from_text(
    enum san_kind kind, const char *text, struct buffer *out, struct errbuf *why);

/* Append "DNS:a.example": one of the names of san_to_text(). */
void san_name_to_text(const struct san_name *n, struct buffer *out);

/* Append the value alone, as it is: an address, a name (as name_from_text() reads it; by RFC 4514 where that cannot) or an OID as text.  false: it has none. */
bool san_value_to_text(const struct san_name *n, struct buffer *out);

/* Append SEQUENCE { content }. */
bool san_wrap(struct octets content, struct buffer *out);

#endif
