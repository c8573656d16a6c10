/* network.h: whom an address belongs to, where what one host does must be told from what many do. */
#ifndef BASE_NETWORK_H
#define BASE_NETWORK_H

#define NETWORK_SIZE 46 /* INET6_ADDRSTRLEN */

/* An IPv6 address stands for its /64, of which every host has all; anything else for itself, cut to fit. */
void network_of(const char *address, char out[NETWORK_SIZE]);

#endif
