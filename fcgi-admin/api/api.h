/* api.h: the resources of /api/v1, one file each; every function answers its call. */
#ifndef API_API_H
#define API_API_H

#include "fcgi-admin/call.h"

void api_hello(struct call *c);	 /* GET /api/v1/hello */
void api_health(struct call *c); /* GET /api/v1/health */

#endif
