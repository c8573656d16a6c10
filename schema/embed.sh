#!/bin/sh
# embed.sh FILE.sql…: the files of the schema as C, so that the programs carry what they need.
set -eu

cat <<'END'
/* Made by schema/embed.sh. */
#include <stddef.h>

#include "store/schema_files.h"

#pragma GCC diagnostic ignored "-Woverlength-strings"

const struct store_schema_file store_schema_files[] = {
END

for file in "$@"; do
	printf '    {"%s",\n\t""\n' "${file##*/}"
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/\t/\\t/g' -e 's/\r/\\r/g' -e 's/.*/\t"&\\n"/' "$file"
	# A last line without its newline gets one from sed, but sed leaves its own output unended then.
	printf '\n    },\n'
done

printf '    {NULL, NULL},\n};\n'
