/* problem.h: errors of the API as application/problem+json (RFC 9457), and JSON answers. */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H

#include <jansson.h>

#include "fcgi-admin/manage/manage.h"
#include "fcgi/request.h"

/*
 * {"type","title","status","detail","instance","message","errors"}; message repeats detail; errors has r's field faults, each
 * {"pointer","message"}; r may be NULL.
 */
void problem_respond(struct fcgi_request *request, int status, const char *headers,
    const char *detail, const struct manage_report *r);

/* Answer with j, which is released. */
void problem_respond_json(
    struct fcgi_request *request, int status, const char *type, const char *headers, json_t *j);

#endif
