#include "flood.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGES  250
#define TIMEOUT_S 60

void
flood_open(struct flood *f, const char *url, int tries)
{
	load_open(&f->load, url, tries < MESSAGES ? tries : MESSAGES);
	f->tries = tries;
	f->exchanges = calloc((size_t)tries, sizeof(*f->exchanges));
	f->requests = calloc((size_t)tries, sizeof(*f->requests));
	if (f->exchanges == NULL || f->requests == NULL)
		load_die("out of memory", NULL);
}

/* What follows the head. */
static struct octets
body_of(struct octets request)
{
	const uint8_t *end = memmem(request.data, request.len, "\r\n\r\n", 4);

	if (end == NULL)
		load_die("a request without an end of its head", NULL);
	return octets_of(end + 4, request.len - (size_t)(end + 4 - request.data));
}

static void
address_request(struct flood *f, int i)
{
	struct octets body = body_of(buffer_octets(&f->load.slots[i % f->load.count].request));
	unsigned n = f->next_address++;
	char address[32];

	snprintf(address, sizeof(address), "10.%u.%u.%u", n >> 16 & 255, n >> 8 & 255, n & 255);
	http_load_post_from(&f->requests[i], f->load.host, f->load.path, address, body);
	f->exchanges[i].request = buffer_octets(&f->requests[i]);
}

static void
clear(struct flood *f)
{
	for (int i = 0; i < f->tries; i++) {
		buffer_free(&f->requests[i]);
		buffer_free(&f->exchanges[i].body);
		f->exchanges[i] = (struct http_exchange){0};
	}
}

/* Replies are read for the first of each message: the others are its copies. */
static void
count(struct flood *f)
{
	for (int i = 0; i < f->tries; i++) {
		int status = f->exchanges[i].status;

		f->sent++;
		f->limited += status == 429;
		f->odd += status != 429 && status != 200;
		if (i < f->load.count && status == 200) {
			f->load.exchanges[i] = f->exchanges[i];
			f->exchanges[i].body = (struct buffer){0};
		} else if (i < f->load.count) {
			f->load.exchanges[i].status = 0;
		}
	}
}

/* Of the messages that got a reply, those whose reply is no badRequest. */
static int
count_odd(struct flood *f)
{
	int limited = 0;

	for (int i = 0; i < f->load.count; i++)
		limited += f->load.exchanges[i].status == 0;
	return limited == 0 ? load_check(&f->load, LOAD_WRONG) : 0;
}

void
flood_send(struct flood *f, int connections, bool everywhere)
{
	double seconds;

	clear(f);
	load_prepare(&f->load, LOAD_WRONG);
	for (int i = 0; i < f->tries; i++) {
		if (everywhere)
			address_request(f, i);
		else
			f->exchanges[i].request =
			    buffer_octets(&f->load.slots[i % f->load.count].request);
	}
	if (!http_load_run(f->load.host, f->load.port, f->exchanges, f->tries, connections,
		TIMEOUT_S, true, &seconds))
		load_die("the server does not answer", NULL);
	count(f);
	f->odd += count_odd(f);
}
