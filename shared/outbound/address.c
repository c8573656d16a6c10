#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "outbound/address.h"

#define NOTHING_INSIDE (-1)

/* A network that is not public; with inside, one whose addresses have an IPv4 address at that octet, which decides. */
struct network {
	uint8_t prefix[16];
	int bits;
	int inside;
};

static const struct network networks4[] = {
    {{0}, 8, NOTHING_INSIDE},		 /* this host on this network */
    {{10}, 8, NOTHING_INSIDE},		 /* private: RFC 1918 */
    {{100, 64}, 10, NOTHING_INSIDE},	 /* shared, carrier-grade NAT: RFC 6598 */
    {{127}, 8, NOTHING_INSIDE},		 /* loopback */
    {{169, 254}, 16, NOTHING_INSIDE},	 /* link-local; clouds' metadata services */
    {{172, 16}, 12, NOTHING_INSIDE},	 /* private */
    {{192, 0, 0}, 24, NOTHING_INSIDE},	 /* protocol assignments */
    {{192, 0, 2}, 24, NOTHING_INSIDE},	 /* documentation */
    {{192, 88, 99}, 24, NOTHING_INSIDE}, /* relays of 6to4 */
    {{192, 168}, 16, NOTHING_INSIDE},	 /* private */
    {{198, 18}, 15, NOTHING_INSIDE},	 /* benchmarks */
    {{198, 51, 100}, 24, NOTHING_INSIDE}, {{203, 0, 113}, 24, NOTHING_INSIDE},
    {{224}, 4, NOTHING_INSIDE}, /* multicast */
    {{240}, 4, NOTHING_INSIDE}, /* reserved, broadcast */
};

/* Of IPv6 only 2000::/3 is given out for hosts at large; what stands here is told apart from the rest of it, or has an IPv4 address inside. */
static const struct network networks6[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, 12}, /* IPv4-mapped */
    {{0, 0x64, 0xff, 0x9b}, 96, 12},			  /* NAT64: RFC 6052 */
    {{0x20, 0x01, 0}, 23, NOTHING_INSIDE},		  /* protocol assignments, Teredo */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, NOTHING_INSIDE},	  /* documentation */
    {{0x20, 0x02}, 16, 2},				  /* 6to4 */
    {{0x3f, 0xff}, 20, NOTHING_INSIDE},			  /* documentation: RFC 9637 */
};

static bool
is_in(const uint8_t *address, const struct network *n)
{
	int whole = n->bits / 8, rest = n->bits % 8;

	if (memcmp(address, n->prefix, (size_t)whole) != 0)
		return false;
	return rest == 0 || (address[whole] ^ n->prefix[whole]) >> (8 - rest) == 0;
}

static bool
is_public4(const uint8_t address[4])
{
	for (size_t i = 0; i < sizeof(networks4) / sizeof(networks4[0]); i++)
		if (is_in(address, &networks4[i]))
			return false;
	return true;
}

static bool
is_public6(const uint8_t address[16])
{
	for (size_t i = 0; i < sizeof(networks6) / sizeof(networks6[0]); i++)
		if (is_in(address, &networks6[i]))
			return networks6[i].inside != NOTHING_INSIDE &&
			       is_public4(address + networks6[i].inside);
	return (address[0] & 0xe0) == 0x20;
}

/* The 4 or 16 octets of the address, copied, for sockaddr may not lie as its kind wants; 0: neither. */
static int
read_address(const struct sockaddr *sa, socklen_t len, uint8_t out[16])
{
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;

	if (len >= sizeof(in4) && sa->sa_family == AF_INET) {
		memcpy(&in4, sa, sizeof(in4));
		memcpy(out, &in4.sin_addr, 4);
		return 4;
	}
	if (len >= sizeof(in6) && sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		memcpy(out, &in6.sin6_addr, 16);
		return 16;
	}
	return 0;
}

bool
address_is_public(const struct sockaddr *sa, socklen_t len)
{
	uint8_t address[16];
	int octets = read_address(sa, len, address);

	return octets == 4 ? is_public4(address) : octets == 16 && is_public6(address);
}

void
address_text(const struct sockaddr *sa, socklen_t len, char out[ADDRESS_TEXT])
{
	uint8_t address[16];
	int octets = read_address(sa, len, address);

	if (octets == 0 ||
	    inet_ntop(octets == 4 ? AF_INET : AF_INET6, address, out, ADDRESS_TEXT) == NULL)
		snprintf(out, ADDRESS_TEXT, "?");
}

bool
address_text_is_public(const char *text)
{
	uint8_t address[16];

	if (inet_pton(AF_INET, text, address) == 1)
		return is_public4(address);
	return inet_pton(AF_INET6, text, address) == 1 && is_public6(address);
}
