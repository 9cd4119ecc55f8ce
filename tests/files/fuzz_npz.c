/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_tensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_tensors("fuzz.npz", data, size, 1040);
  return 0;
}
