/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tensors.h -- what every fuzz target of this folder holds: bytes are refused with words, or every number of what
 * they hold can be looked at; nothing leaks, and no more memory is taken than `times` the input and 32 MiB. */
#ifndef TEST_FUZZ_TENSORS_H
#define TEST_FUZZ_TENSORS_H
#include <stddef.h>
#include <stdint.h>

void fuzz_tensors(const char *name, const uint8_t *data, size_t size, size_t times);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
