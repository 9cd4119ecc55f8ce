/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_tensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_tensors("fuzz.csv", data, size, 5);
  return 0;
}
