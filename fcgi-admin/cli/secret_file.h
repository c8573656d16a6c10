/* secret_file.h: secrets that verbs read from files or stdin, so that they are in no argv. */
#ifndef CLI_SECRET_FILE_H
#define CLI_SECRET_FILE_H

#include "base/octets.h"
#include "fcgi-admin/cli/arguments.h"

#define SECRET_FILE_MAX 16384

/*
 * The content of the file that the option names ("-": stdin), without one line end behind it, into out, and *octets to it; NULL in *given where
 * the option was not.  false with why.  The caller frees out, which wipes.
 */
bool secret_file_read(const struct arguments *a, const char *option, struct buffer *out,
    struct octets *octets, const struct octets **given, struct errbuf *why);

#endif
