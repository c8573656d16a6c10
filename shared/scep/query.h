/* query.h: the raw QUERY_STRING of a SCEP request (RFC 8894 4.1), and the base64 of a GET message. */
#ifndef SCEP_QUERY_H
#define SCEP_QUERY_H

#include <stdbool.h>

#include "base/errbuf.h"
#include "base/octets.h"

enum scep_operation {
	SCEP_OP_NONE, /* no operation given */
	SCEP_OP_UNKNOWN,
	SCEP_OP_GET_CA_CAPS,
	SCEP_OP_GET_CA_CERT,
	SCEP_OP_GET_NEXT_CA_CERT,
	SCEP_OP_PKI_OPERATION
};

struct scep_query {
	enum scep_operation operation;
	char operation_text[64]; /* as asked for, cut and made printable: for the 400 and the log */
	bool has_message;
	struct octets message; /* raw, still escaped; borrowed from the query string */
};

/*
 * Parse the raw QUERY_STRING (NULL: none).  Parameters in any order, unknown ones passed over, names and the value of operation
 * matched without regard to case, their %-escapes undone.  false with why (an answer of 400), and out zeroed: operation or message
 * twice, a broken %-escape in any name or in operation.
 */
bool scep_query_parse(const char *query, struct scep_query *out, struct errbuf *why);

/*
 * Append the octets that message stands for: %-escapes undone, then base64 in either alphabet; a space or a bare '+' stands for
 * '+', line ends are skipped, padding may be missing.  false with why at anything else, at nothing at all, and above max octets
 * (then *too_long is set); out then holds nothing new.
 */
bool scep_query_message(
    struct octets message, size_t max, struct buffer *out, bool *too_long, struct errbuf *why);

#endif
