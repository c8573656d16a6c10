/* routes.c: every path that fcgi-admin answers, and who may call it. */
#include "fcgi-admin/api/api.h"
#include "fcgi-admin/dialect/dialect.h"
#include "fcgi-admin/router.h"

#define MAY_MINT (MANAGE_ROLE_ADMIN | MANAGE_ROLE_OPERATOR | MANAGE_ROLE_CHALLENGE)

const struct route router_routes[] = {
    {"GET", "/api/v1/hello", 0, false, api_hello},
    {"GET", "/api/v1/health", 0, false, api_health},
    {"GET POST", "/scep/{profile}/challenge", MAY_MINT, true, dialect_challenge},
    {"GET POST", "/scep/challenge", MAY_MINT, true, dialect_default_challenge},
    {0},
};
