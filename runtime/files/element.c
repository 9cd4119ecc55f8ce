/* SPDX-License-Identifier: Apache-2.0 */
/* element.c -- single elements: their types, and their values as doubles and floats.
 *
 * Data are aligned to nothing, so that every load is a memcpy (which compilers turn into one instruction). */
#include "checked.h"
#include "tensors_build.h"
#include <math.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are little-endian and are used as they lie in memory");

const FlowTypeFacts flow_type_facts[FLOW_TYPE_COUNT] = {
#define TYPE(name, bytes, word, letters) {#name, bytes, word, letters},
    FLOW_TYPE_LIST(TYPE)
#undef TYPE
};

bool flow_tensor_measure(FlowTensor *tensor, uint64_t *bytes) {
  if (!flow_count_of(tensor->dim, tensor->rank, &tensor->count)) return false;
  return flow_mul_u64(tensor->count, flow_type_facts[tensor->type].bytes, bytes) && *bytes <= INT64_MAX;
}

void flow_swap_bytes(void *data, uint64_t count, uint32_t element_bytes) {
  unsigned char *element = data;
  for (uint64_t i = 0; i < count; i++, element += element_bytes) {
    for (uint32_t low = 0, high = element_bytes - 1; low < high; low++, high--) {
      unsigned char byte = element[low];
      element[low] = element[high];
      element[high] = byte;
    }
  }
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits; fraction * 2^-24 where the exponent is 0. */
static float half_to_float(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000u) << 16, exponent = (half >> 10) & 31u, fraction = half & 1023u, bits;
  float value;
  if (exponent == 0) {
    value = (float)fraction * 0x1p-24f;
    return sign ? -value : value;
  }
  bits = exponent == 31 ? sign | 0x7F800000u | fraction << 13 : sign | (exponent + 112) << 23 | fraction << 13;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* bfloat16 is the upper half of a float. */
static float brain_to_float(uint16_t brain) {
  uint32_t bits = (uint32_t)brain << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* LOAD(type's name, C type, the expression that is exact or rounds once).  NUMBER is double or float. */
#define ELEMENTS(LOAD, NUMBER)                                                                          \
  LOAD(F64, double, (NUMBER)x) LOAD(F32, float, (NUMBER)x)                                              \
  LOAD(F16, uint16_t, (NUMBER)half_to_float(x)) LOAD(BF16, uint16_t, (NUMBER)brain_to_float(x))         \
  LOAD(I64, int64_t, (NUMBER)x) LOAD(I32, int32_t, (NUMBER)x) LOAD(I16, int16_t, (NUMBER)x)             \
  LOAD(I8, int8_t, (NUMBER)x) LOAD(U64, uint64_t, (NUMBER)x) LOAD(U32, uint32_t, (NUMBER)x)             \
  LOAD(U16, uint16_t, (NUMBER)x) LOAD(U8, uint8_t, (NUMBER)x) LOAD(BOOL, uint8_t, (NUMBER)(x != 0))

#define LOOP(name, ctype, value)                                                                        \
  case FLOW_TYPE_##name: {                                                                              \
    const unsigned char *from = (const unsigned char *)tensor->data + first * sizeof(ctype);            \
    for (uint64_t i = 0; i < count; i++) {                                                              \
      ctype x;                                                                                          \
      memcpy(&x, from + i * sizeof x, sizeof x);                                                        \
      to[i] = value;                                                                                    \
    }                                                                                                   \
    break;                                                                                              \
  }

void flow_tensor_to_f64(const FlowTensor *tensor, uint64_t first, uint64_t count, double *to) {
  switch (tensor->type) {
    ELEMENTS(LOOP, double)
  case FLOW_TYPE_COUNT: break;
  }
}

void flow_tensor_to_f32(const FlowTensor *tensor, uint64_t first, uint64_t count, float *to) {
  switch (tensor->type) {
    ELEMENTS(LOOP, float)
  case FLOW_TYPE_COUNT: break;
  }
}

double flow_tensor_at(const FlowTensor *tensor, uint64_t index) {
  double value = NAN;
  flow_tensor_to_f64(tensor, index, 1, &value);
  return value;
}
