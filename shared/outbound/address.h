/* address.h: whether an address belongs to the public Internet, or leads inwards: to this host, its networks, or nowhere. */
#ifndef OUTBOUND_ADDRESS_H
#define OUTBOUND_ADDRESS_H

#include <sys/socket.h>

#include <stdbool.h>

#define ADDRESS_TEXT 48 /* room for any address as text, with its NUL */

/*
 * false for this host (0.0.0.0/8, 127.0.0.0/8, ::, ::1), private, link-local, unique-local, shared (100.64.0.0/10), multicast, documentation,
 * benchmark and reserved addresses (RFC 6890's registry; of IPv6 all but 2000::/3); for IPv6 forms that stand for such an IPv4 address
 * (mapped, NAT64, 6to4) or hide one (Teredo, compatible); for any other family, and where len octets are too few.
 */
bool address_is_public(const struct sockaddr *sa, socklen_t len);

/* "192.0.2.1", "2001:db8::1"; "?" where it is neither. */
void address_text(const struct sockaddr *sa, socklen_t len, char out[ADDRESS_TEXT]);

/* The same judgement of a text as inet_pton() reads it; what is no address is not public. */
bool address_text_is_public(const char *text);

#endif
