/* SPDX-License-Identifier: Apache-2.0 */
/* tensor.h -- arrays as files hold them, whatever the format: a name, a type, a shape and bytes.
 *
 * The readers (safetensors.h, npy.h, npz.h, csv.h) make a FlowTensors; everything above them sees only this. */
#ifndef FLOW_TENSOR_H
#define FLOW_TENSOR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "alloc.h"
#include "flow/status.h"

/* TYPE(name, bytes, safetensors' word or NULL, numpy's letters) */
#define FLOW_TYPE_LIST(TYPE)                                                                              \
  TYPE(F64, 8, "F64", "f8") TYPE(F32, 4, "F32", "f4") TYPE(F16, 2, "F16", "f2") TYPE(BF16, 2, "BF16", NULL) \
  TYPE(I64, 8, "I64", "i8") TYPE(I32, 4, "I32", "i4") TYPE(I16, 2, "I16", "i2") TYPE(I8, 1, "I8", "i1")      \
  TYPE(U64, 8, "U64", "u8") TYPE(U32, 4, "U32", "u4") TYPE(U16, 2, "U16", "u2") TYPE(U8, 1, "U8", "u1")      \
  TYPE(BOOL, 1, "BOOL", "b1")
typedef enum FlowType {
#define TYPE(name, bytes, word, letters) FLOW_TYPE_##name,
  FLOW_TYPE_LIST(TYPE)
#undef TYPE
  FLOW_TYPE_COUNT
} FlowType;

enum { FLOW_TENSOR_MOST_RANK = 8 };
typedef struct FlowTensor {
  const char *name;             /* "" for the one array of a .npy or .csv */
  FlowType type;
  uint32_t rank;
  uint64_t dim[FLOW_TENSOR_MOST_RANK];
  uint64_t count;               /* product of dim; checked */
  const void *data;             /* C order, little-endian; aligned to nothing */
} FlowTensor;

typedef struct FlowTensors {
  FlowAllocator allocator;
  uint32_t count;
  FlowTensor *tensor;           /* in natural sort order of names: net.2 before net.10 */
  void *memory;                 /* what the tensors point into; owned */
  size_t memory_bytes;
} FlowTensors;

/* Reads a file by its suffix (.safetensors, .npy, .npz, .csv); anything else is BAD_INPUT with the list of suffixes.
 * Memory at most the file's size + 32 MiB.  On failure nothing is left to free. */
flow_status flow_tensors_read(const FlowAllocator *allocator, const char *path, FlowTensors *tensors, flow_error *error);
/* The same from bytes in memory; `name` stands in messages and its suffix says the format. */
flow_status flow_tensors_parse(const FlowAllocator *allocator, const char *name, const void *bytes, size_t size,
                               FlowTensors *tensors, flow_error *error);
void flow_tensors_free(FlowTensors *tensors);
const FlowTensor *flow_tensors_find(const FlowTensors *tensors, const char *name);     /* NULL if there is none */
/* The array that is meant: the only one, else the one of this name, else `samples`, which flowc sample writes; or NULL. */
const FlowTensor *flow_tensors_choose(const FlowTensors *tensors, const char *name);
/* net.2 < net.10: runs of digits compare as numbers. */
int flow_natural_order(const char *a, const char *b);

/* Element i as a number, whatever the type (F16 and BF16 exactly). */
double flow_tensor_at(const FlowTensor *tensor, uint64_t index);
void flow_tensor_to_f64(const FlowTensor *tensor, uint64_t first, uint64_t count, double *to);
void flow_tensor_to_f32(const FlowTensor *tensor, uint64_t first, uint64_t count, float *to);   /* one rounding */

#endif
