/* secret_file.c: reading secrets from files. */
#include "fcgi-admin/cli/secret_file.h"

#include "fcgi-admin/cli/cli.h"

bool
secret_file_read(const struct arguments *a, const char *option, struct buffer *out,
    struct octets *octets, const struct octets **given, struct errbuf *why)
{
	const char *file = arguments_text(a, option);

	*given = NULL;
	if (file == NULL)
		return true;
	if (!cli_read_file(file, SECRET_FILE_MAX, out, why))
		return false;
	if (out->len > 0 && out->data[out->len - 1] == '\n')
		out->len--;
	if (out->len > 0 && out->data[out->len - 1] == '\r')
		out->len--;
	*octets = buffer_octets(out);
	*given = octets;
	return true;
}
