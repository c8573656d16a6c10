/* encoding.h: hexadecimal, base64 and UUIDs as text. */
#ifndef BASE_ENCODING_H
#define BASE_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/octets.h"

#define UUID_SIZE 37 /* 36 characters and a NUL */

/* Lower-case hexadecimal of in, NUL-terminated, into out, which has room for 2 * in.len + 1. */
void encoding_hex(struct octets in, char *out);
/* The same in upper case. */
void encoding_hex_upper(struct octets in, char *out);
/* Exactly len octets from 2 * len hexadecimal digits, either case; false when text is anything else. */
bool encoding_unhex(const char *text, uint8_t *out, size_t len);

/* Append standard base64 (RFC 4648 section 4) with padding, no line breaks. */
void encoding_base64(struct octets in, struct buffer *out);

/*
 * Append what text stands for.  Standard and URL-safe alphabets may be mixed, padding may be missing; spaces, tabs, CR and LF
 * are skipped.  false at any other character, at data after padding, and at an impossible length; out then holds nothing new.
 */
bool encoding_unbase64(struct octets text, struct buffer *out);

/* A random version 4 UUID in lower case.  false when the random generator fails. */
bool encoding_uuid(char out[UUID_SIZE]);
/* Any 16 octets in the form of a UUID. */
void encoding_uuid_of(const uint8_t octets[16], char out[UUID_SIZE]);
/* 8-4-4-4-12 lower-case hexadecimal digits, and nothing else. */
bool encoding_is_uuid(const char *text);

/* RFC 3629: well-formed UTF-8 without NUL. */
bool encoding_is_utf8(struct octets text);
/* The length, 1 to 4, of the well-formed sequence that text begins with and the character it stands for; 0: none (or no octets). */
size_t encoding_utf8_sequence(struct octets text, uint32_t *character);

/* "2026-11-23T10:00:00Z" for a time in seconds since 1970. */
#define ENCODING_TIME_SIZE 32
void encoding_time(int64_t seconds, char out[ENCODING_TIME_SIZE]);

#endif
