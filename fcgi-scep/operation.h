/* operation.h: which profile and which operation a request is for (RFC 8894 section 4), and the constant answers. */
#ifndef FCGI_SCEP_OPERATION_H
#define FCGI_SCEP_OPERATION_H

#include "fcgi/request.h"
#include "worker.h"

/* Answer one request. */
void operation_serve(struct worker *w, struct fcgi_request *r);

/*
 * The profile that a path names: "/scep/NAME" or "/scep/NAME/PROGRAM" (any program name: pkiclient.exe, mscep.dll, …); for "/scep", "/scep/pkiclient.exe", "/cgi-bin/pkiclient.exe" and
 * "/certsrv/mscep/mscep.dll" the default profile ("" when none is set).  A "/pkiclient.exe" behind any of these is passed over.
 * false: none of ours.
 */
bool operation_profile_name(const char *path, const char *default_profile, char out[65]);

#endif
