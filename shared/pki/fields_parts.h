/* fields_parts.h: what the files of field rules share. */
#ifndef PKI_FIELDS_PARTS_H
#define PKI_FIELDS_PARTS_H

#include "pki/fields.h"

/* With refuse_extensions: NULL, or what is wrong with what *field then names. */
const char *field_extensions_check(
    const struct field_rules *r, const struct csr *csr, const char **field);

#endif
