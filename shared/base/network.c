#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/network.h"

void
network_of(const char *address, char out[NETWORK_SIZE])
{
	struct in6_addr a;

	if (inet_pton(AF_INET6, address, &a) == 1 && !IN6_IS_ADDR_V4MAPPED(&a) &&
	    !IN6_IS_ADDR_LOOPBACK(&a)) {
		memset(a.s6_addr + 8, 0, 8);
		inet_ntop(AF_INET6, &a, out, NETWORK_SIZE);
	} else {
		snprintf(out, NETWORK_SIZE, "%s", address);
	}
}
