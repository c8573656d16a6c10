/* flood.h: somebody who tries one wrong challenge after another, from one address or from a new one each time. */
#ifndef BENCH_FLOOD_H
#define BENCH_FLOOD_H

#include "tests/bench/lib/scep_load.h"

struct flood {
	struct scep_load load; /* a few hundred messages, each sent again and again */
	int tries;	       /* at once */
	struct http_exchange *exchanges;
	struct buffer *requests;
	unsigned next_address;

	int sent, limited, odd; /* so far; limited: 429; odd: neither that nor badRequest */
};

/* For so many tries at once; makes the messages. */
void flood_open(struct flood *f, const char *url, int tries);
/* All of them; with everywhere each from an address that was not there before, for a server that trusts us as a proxy. */
void flood_send(struct flood *f, int connections, bool everywhere);

#endif
