/* problem.c: errors as JSON. */
#include "fcgi-admin/api/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *
title(int status)
{
	static const struct {
		int status;
		const char *title;
	} titles[] = {
	    {400, "Bad Request"},
	    {401, "Unauthorized"},
	    {403, "Forbidden"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {409, "Conflict"},
	    {412, "Precondition Failed"},
	    {413, "Content Too Large"},
	    {415, "Unsupported Media Type"},
	    {422, "Unprocessable Content"},
	    {429, "Too Many Requests"},
	    {500, "Internal Server Error"},
	    {503, "Service Unavailable"},
	};

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

void
problem_respond_json(
    struct fcgi_request *request, int status, const char *type, const char *headers, json_t *j)
{
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;

	json_decref(j);
	if (text == NULL)
		fcgi_respond_text(request, 503, headers, "out of memory");
	else
		fcgi_respond(request, status, type, headers, octets_of_string(text));
	free(text);
}

void
problem_respond(struct fcgi_request *request, int status, const char *headers, const char *detail,
    const struct manage_report *r)
{
	json_t *errors = json_array(), *j;
	char pointer[80];

	for (int i = 0; r != NULL && i < r->fault_count; i++) {
		snprintf(pointer, sizeof(pointer), "/%s", r->faults[i].name);
		json_array_append_new(errors,
		    json_pack("{s:s,s:s}", "pointer", pointer, "message", r->faults[i].message));
	}
	j = json_pack("{s:s,s:s,s:i,s:s,s:s,s:s,s:o}", "type", "about:blank", "title",
	    title(status), "status", status, "detail", detail, "instance",
	    fcgi_request_path(request), "message", detail, "errors", errors);
	/* A path that is no UTF-8 cannot stand in JSON. */
	if (j == NULL)
		j = json_pack("{s:s,s:s,s:i,s:s}", "type", "about:blank", "title", title(status),
		    "status", status, "message", title(status));
	problem_respond_json(request, status, "application/problem+json", headers, j);
}
