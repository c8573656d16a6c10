/* query.h: what a device asks a SCEP server beside a certificate: get-cert, get-crl, next-ca. */
#ifndef CLI_QUERY_H
#define CLI_QUERY_H

#include <stdbool.h>

#include "base/octets.h"
#include "fcgi-admin/cli/arguments.h"

struct cli;

extern const struct option_spec query_options[];
int query_get_cert(struct cli *cli, const struct arguments *a);
int query_get_crl(struct cli *cli, const struct arguments *a);
/* Append the content octets of the INTEGER for hexadecimal digits (colons and spaces allowed); false: no such, or over 64 octets. */
bool query_serial_of_text(const char *text, struct buffer *out);

extern const struct option_spec next_ca_options[];
int next_ca(struct cli *cli, const struct arguments *a);

#endif
