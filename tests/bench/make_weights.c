/* SPDX-License-Identifier: Apache-2.0 */
/* make_weights.c -- weights for the benchmarked networks: d -> h -> h -> h -> d on [x, t], uniform in +-1.7/sqrt(inputs).
 *   usage: bench_weights WIDTH STATE FILE.safetensors */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "random.h"
#include "safetensors.h"

static float *uniform(uint64_t count, uint64_t layer, double scale) {
  float *number = malloc(count * sizeof *number);
  uint64_t state = 88172645463325252u + layer;
  for (uint64_t i = 0; number && i < count; i++) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    number[i] = (float)(scale * (2.0 * (double)(state >> 11) / 9007199254740992.0 - 1));
  }
  return number;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: bench_weights WIDTH STATE FILE.safetensors\n");
    return 2;
  }
  uint64_t h = strtoull(argv[1], NULL, 10), d = strtoull(argv[2], NULL, 10);
  const uint64_t inputs[] = {d + 1, h, h, h}, outputs[] = {h, h, h, d};
  static const char *const name[] = {"net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias",
                                     "net.4.weight", "net.4.bias", "net.6.weight", "net.6.bias"};
  FlowTensor tensor[8];
  for (uint64_t l = 0; l < 4; l++) {
    double scale = 1.7 / sqrt((double)inputs[l]);
    tensor[2 * l] = (FlowTensor){.name = name[2 * l], .type = FLOW_TYPE_F32, .rank = 2, .dim = {outputs[l], inputs[l]},
                                 .count = outputs[l] * inputs[l], .data = uniform(outputs[l] * inputs[l], 2 * l, scale)};
    tensor[2 * l + 1] = (FlowTensor){.name = name[2 * l + 1], .type = FLOW_TYPE_F32, .rank = 1, .dim = {outputs[l]},
                                     .count = outputs[l], .data = uniform(outputs[l], 2 * l + 1, 0.1)};
  }
  flow_error error = {{0}};
  if (!flow_safetensors_write(&flow_standard_allocator, argv[3], tensor, 8, NULL, 0, &error)) return 0;
  fprintf(stderr, "%s\n", error.text);
  return 1;
}
