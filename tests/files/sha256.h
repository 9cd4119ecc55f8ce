/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.h -- SHA-256 (FIPS 180-4) of bytes in memory, as 64 hexadecimal digits; for comparing with expected.json. */
#ifndef TEST_SHA256_H
#define TEST_SHA256_H
#include <stddef.h>

void sha256_hex(const void *data, size_t size, char hex[65]);

#endif
