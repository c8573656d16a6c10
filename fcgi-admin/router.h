/* router.h: from method and path to the function that answers, past the check of transport and role. */
#ifndef FCGI_ADMIN_ROUTER_H
#define FCGI_ADMIN_ROUTER_H

#include "fcgi-admin/call.h"

struct route {
	const char *methods; /* "GET", "GET POST"; HEAD comes with GET */
	const char *pattern; /* "/scep/{profile}/challenge": {…} stands for one segment */
	unsigned
	    roles; /* mask of MANAGE_ROLE_… that may; 0: anyone, and who has no valid token is anyone */
	unsigned flags; /* ROUTE_… */
	void (*serve)(struct call *c);
};

#define ROUTE_HTTPS (1u << 0) /* 403 on the plain port, before credentials are looked at */
#define ROUTE_ANY_CASE                                                                             \
	(1u << 1) /* the path is spelled with capitals or without, but for what stands for {…} */
#define ROUTE_OWN_DENIAL                                                                           \
	(1u << 2) /* serve() answers a caller whose role does not allow it too: call.denied says so */

/* All routes, ended by a NULL pattern. */
extern const struct route router_routes[];

/* Does path fit the route's pattern?  captures gets what stood for its {…}. */
bool router_match(
    const struct route *r, const char *path, char captures[CALL_CAPTURES][CALL_CAPTURE_SIZE]);

/* Is method one of the words in methods, or HEAD where GET is? */
bool router_has_method(const char *methods, const char *method);

/*
 * The route for method and path.  NULL: none; *allow is then NULL where no path fits, or the methods of the first that does ("GET, HEAD, POST"
 * has room in allow_room).
 */
const struct route *router_find(const struct route *routes, const char *method, const char *path,
    char captures[CALL_CAPTURES][CALL_CAPTURE_SIZE], char allow[128]);

void router_serve(struct admin *a, struct fcgi_request *r);

#endif
