/* io/tls/digest - see digest.h */

#include <openssl/evp.h>

#include "base/check.h"
#include "io/tls/digest.h"

/* Looking an algorithm up in OpenSSL 3 costs more than hashing a short text
 * with it, so both are fetched once. */
struct engine {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
};

static void
hash(struct engine *e, const char *name, const struct hf_slice *part,
    size_t parts, uint8_t *out)
{
	if (e->ctx == NULL) {
		e->md = EVP_MD_fetch(NULL, name, NULL);
		e->ctx = EVP_MD_CTX_new();
	}
	hf_assert(e->md != NULL && e->ctx != NULL);
	hf_assert(EVP_DigestInit_ex(e->ctx, e->md, NULL) == 1);
	for (size_t i = 0; i < parts; i++)
		hf_assert(EVP_DigestUpdate(e->ctx, part[i].p, part[i].n) == 1);
	hf_assert(EVP_DigestFinal_ex(e->ctx, out, NULL) == 1);
}

void
tls_md5(void *ctx, const struct hf_slice *part, size_t parts, uint8_t *out)
{
	static struct engine e;

	(void)ctx;
	hash(&e, "MD5", part, parts, out);
}

void
tls_sha256(void *ctx, const struct hf_slice *part, size_t parts, uint8_t *out)
{
	static struct engine e;

	(void)ctx;
	hash(&e, "SHA256", part, parts, out);
}
