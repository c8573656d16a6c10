/* floor.c: six operations in a loop, with contexts kept, timed by this thread's own clock. */
#include "floor.h"

#include <openssl/rsa.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

struct operation {
	EVP_PKEY_CTX *ctx;
	unsigned char in[512], out[1024];
	size_t in_len, out_len;
};

static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool
sign(struct operation *o)
{
	o->out_len = sizeof(o->out);
	return EVP_PKEY_sign(o->ctx, o->out, &o->out_len, o->in, 32) == 1;
}

static bool
start_sign(struct operation *o, EVP_PKEY *key)
{
	memset(o->in, 7, 32);
	return (o->ctx = EVP_PKEY_CTX_new(key, NULL)) != NULL && EVP_PKEY_sign_init(o->ctx) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(o->ctx, EVP_sha256()) == 1 && sign(o);
}

static bool
start_verify(struct operation *o, EVP_PKEY *key, const struct operation *signature)
{
	memset(o->in, 7, 32);
	memcpy(o->out, signature->out, signature->out_len);
	o->out_len = signature->out_len;
	return (o->ctx = EVP_PKEY_CTX_new(key, NULL)) != NULL &&
	       EVP_PKEY_verify_init(o->ctx) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(o->ctx, EVP_sha256()) == 1;
}

static bool
encrypt(struct operation *o)
{
	o->out_len = sizeof(o->out);
	return EVP_PKEY_encrypt(o->ctx, o->out, &o->out_len, o->in, 32) == 1;
}

static bool
start_encrypt(struct operation *o, EVP_PKEY *key)
{
	memset(o->in, 9, 32);
	return (o->ctx = EVP_PKEY_CTX_new(key, NULL)) != NULL &&
	       EVP_PKEY_encrypt_init(o->ctx) == 1 && encrypt(o);
}

static bool
decrypt(struct operation *o)
{
	unsigned char key[512];
	size_t len = sizeof(key);

	return EVP_PKEY_decrypt(o->ctx, key, &len, o->in, o->in_len) == 1;
}

static bool
start_decrypt(struct operation *o, EVP_PKEY *key, const struct operation *encrypted)
{
	memcpy(o->in, encrypted->out, encrypted->out_len);
	o->in_len = encrypted->out_len;
	return (o->ctx = EVP_PKEY_CTX_new(key, NULL)) != NULL && EVP_PKEY_decrypt_init(o->ctx) == 1;
}

static bool
verify(struct operation *o)
{
	return EVP_PKEY_verify(o->ctx, o->out, o->out_len, o->in, 32) == 1;
}

double
floor_measure(EVP_PKEY *ra, EVP_PKEY *ca, EVP_PKEY *device, double seconds)
{
	struct operation ca_sign = {0}, ra_sign = {0}, by_device = {0}, check = {0},
			 to_device = {0}, to_ra = {0}, open = {0};
	double start, spent = -1;
	long rounds = 0;
	bool ok = start_sign(&ca_sign, ca) && start_sign(&ra_sign, ra) &&
		  start_sign(&by_device, device) && start_verify(&check, device, &by_device) &&
		  start_encrypt(&to_device, device) && start_encrypt(&to_ra, ra) &&
		  start_decrypt(&open, ra, &to_ra);

	start = cpu_seconds();
	while (ok && (spent = cpu_seconds() - start) < seconds) {
		for (int i = 0; i < 20 && ok; i++, rounds++)
			ok = decrypt(&open) && verify(&check) && verify(&check) && sign(&ca_sign) &&
			     sign(&ra_sign) && encrypt(&to_device);
	}
	EVP_PKEY_CTX_free(ca_sign.ctx);
	EVP_PKEY_CTX_free(ra_sign.ctx);
	EVP_PKEY_CTX_free(by_device.ctx);
	EVP_PKEY_CTX_free(check.ctx);
	EVP_PKEY_CTX_free(to_device.ctx);
	EVP_PKEY_CTX_free(to_ra.ctx);
	EVP_PKEY_CTX_free(open.ctx);
	return ok && rounds > 0 ? spent / (double)rounds : -1;
}
