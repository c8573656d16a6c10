/* routes.c: every path that fcgi-admin answers, and who may call it. */
#include "fcgi-admin/api/api.h"
#include "fcgi-admin/dialect/dialect.h"
#include "fcgi-admin/router.h"

#define MAY_MINT (MANAGE_ROLE_ADMIN | MANAGE_ROLE_OPERATOR | MANAGE_ROLE_CHALLENGE)
#define PLAIN	 (ROUTE_HTTPS | ROUTE_ANY_CASE)
#define PAGE	 (ROUTE_HTTPS | ROUTE_ANY_CASE | ROUTE_OWN_DENIAL)

const struct route router_routes[] = {
    {"GET", "/api/v1/hello", 0, 0, api_hello},
    {"GET", "/api/v1/health", 0, 0, api_health},
    {"GET POST", "/scep/{profile}/challenge", MAY_MINT, PLAIN, dialect_challenge},
    {"GET POST", "/scep/challenge", MAY_MINT, PLAIN, dialect_default_challenge},
    {"GET POST", "/scep/{profile}/mscep_admin", MAY_MINT, PAGE, dialect_ndes},
    {"GET POST", "/scep/{profile}/mscep_admin/", MAY_MINT, PAGE, dialect_ndes},
    {"GET POST", "/scep/mscep_admin", MAY_MINT, PAGE, dialect_default_ndes},
    {"GET POST", "/scep/mscep_admin/", MAY_MINT, PAGE, dialect_default_ndes},
    {"GET POST", "/certsrv/mscep_admin", MAY_MINT, PAGE, dialect_default_ndes},
    {"GET POST", "/certsrv/mscep_admin/", MAY_MINT, PAGE, dialect_default_ndes},
    {"GET POST", "/scep/{profile}/challenge.html", MAY_MINT, PAGE, dialect_page},
    {"GET POST", "/scep/challenge.html", MAY_MINT, PAGE, dialect_default_page},
    {0},
};
