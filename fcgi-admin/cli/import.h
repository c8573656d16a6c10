/* import.h: what is told of the lines of a file that is imported. */
#ifndef CLI_IMPORT_H
#define CLI_IMPORT_H

#include <jansson.h>

#include "fcgi-admin/manage/seat_import.h"

/* count of them there were; faults has the first MANAGE_IMPORT_FAULTS_MAX. */
json_t *import_faults_json(const struct manage_import_fault *faults, int count);
/* On stderr, each as "FILE:LINE: what". */
void import_tell_faults(const char *file, const struct manage_import_fault *faults, int count);

#endif
