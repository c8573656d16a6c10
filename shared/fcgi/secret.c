#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fcgi/secret.h"

bool
secret_load(const char *path, struct buffer *secret, struct errbuf *why)
{
	char text[SECRET_MOST + 2]; /* with a newline and one octet more than there may be */
	ssize_t n;
	size_t len;
	int fd;

	if (*path == '\0') {
		errbuf_set(why, "SCEP_FCGI_SECRET_FILE: have none, want one to listen on tcp:");
		return false;
	}
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		errbuf_errno(why, "SCEP_FCGI_SECRET_FILE %s: cannot open", path);
		return false;
	}
	if ((n = read(fd, text, sizeof(text))) < 0) {
		errbuf_errno(why, "SCEP_FCGI_SECRET_FILE %s: cannot read", path);
		close(fd);
		return false;
	}
	close(fd);
	for (len = 0; len < (size_t)n && text[len] != '\n' && text[len] != '\r'; len++)
		continue;
	if (len < SECRET_LEAST || len > SECRET_MOST)
		errbuf_set(why, "SCEP_FCGI_SECRET_FILE %s: have %zu characters, want %d to %d",
		    path, len, SECRET_LEAST, SECRET_MOST);
	else
		buffer_append(secret, text, len);
	octets_wipe(text, sizeof(text));
	if (secret->failed)
		errbuf_set(why, "SCEP_FCGI_SECRET_FILE %s: out of memory", path);
	return secret->len > 0;
}
