/* floor.h: what the bare cryptography of an enrolment costs on this machine now. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <openssl/evp.h>

/*
 * Processor seconds of: one RSA decryption of a key, one AES-256-CBC decryption, two verifications (message, CSR), the CA's signature (by a key like ca), the reply's
 * signature, one RSA encryption of a key: done for about `seconds`, divided by the rounds.  -1 when OpenSSL fails.
 */
double floor_measure(EVP_PKEY *ra, EVP_PKEY *ca, EVP_PKEY *device, double seconds);

#endif
