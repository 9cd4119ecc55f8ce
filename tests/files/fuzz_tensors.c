/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_tensors.h"
#include "tensor.h"
#include <stdlib.h>
#include <string.h>

typedef struct Meter {
  size_t live, peak;
} Meter;

static void require(int is_true) {
  if (!is_true) abort();
}

static void *metered_resize(void *user, void *old, size_t old_size, size_t new_size) {
  Meter *meter = user;
  void *memory = flow_standard_allocator.resize(NULL, old, old_size, new_size);
  require(memory || new_size == 0);
  meter->live += new_size - old_size;
  if (meter->live > meter->peak) meter->peak = meter->live;
  return memory;
}

static void look_at_everything(const FlowTensors *tensors) {
  volatile double sum = 0;
  for (uint32_t i = 0; i < tensors->count; i++) {
    const FlowTensor *tensor = &tensors->tensor[i];
    require(flow_tensors_find(tensors, tensor->name) == tensor);
    require(i == 0 || flow_natural_order(tensors->tensor[i - 1].name, tensor->name) < 0);
    for (uint64_t k = 0; k < tensor->count; k++) sum += flow_tensor_at(tensor, k);
  }
}

void fuzz_tensors(const char *name, const uint8_t *data, size_t size, size_t times) {
  FlowTensors tensors;
  flow_error error = {""};
  Meter meter = {0, 0};
  FlowAllocator allocator = {metered_resize, &meter};
  flow_status status = flow_tensors_parse(&allocator, name, data, size, &tensors, &error);
  require(status == FLOW_OK || (status == FLOW_BAD_INPUT && strncmp(error.text, name, strlen(name)) == 0));
  if (status == FLOW_OK) {
    look_at_everything(&tensors);
    flow_tensors_free(&tensors);
  }
  require(meter.live == 0);
  require(meter.peak <= times * size + ((size_t)32 << 20));
}
