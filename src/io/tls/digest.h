/*
 * io/tls/digest - MD5 and SHA-256 for digest authentication, through OpenSSL's
 * EVP.  One context per process, made at the first use and kept.
 */
#ifndef HF_IO_TLS_DIGEST_H
#define HF_IO_TLS_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* Hashes the parts as one text; the shape of io/sip's sip_hash_fn.  ctx is not
 * used.  out has 16 (MD5) or 32 (SHA-256) bytes. */
void tls_md5(
    void *ctx, const struct hf_slice *part, size_t parts, uint8_t *out);
void tls_sha256(
    void *ctx, const struct hf_slice *part, size_t parts, uint8_t *out);

#endif
