/* SPDX-License-Identifier: Apache-2.0 */
/* pack.c -- the weights blob: tensors of a file, cut into the pieces that a model's table asks for; then the pieces of what the
 * model derives from those. */
#include "checked.h"
#include "model.h"
#include "rounding.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PANEL = 8 };

/* One model, one file, one blob on its way. */
typedef struct Packing {
  const flow_model *model;
  const FlowTensors *tensors;
  const char *file;
  const FlowTensor *derived;    /* NULL while the pieces of the file are filled */
  char *blob;
} Packing;

/* "[64, 2]" */
static void print_shape(char *text, size_t size, uint32_t rank, const uint64_t *dim) {
  size_t at = 0;
  at += (size_t)snprintf(text, size, "[");
  for (uint32_t i = 0; i < rank && at < size; i++)
    at += (size_t)snprintf(text + at, size - at, "%s%" PRIu64, i ? ", " : "", dim[i]);
  if (at < size) snprintf(text + at, size - at, "]");
}

static flow_status find(const Packing *packing, const flow_weight *needs, const FlowTensor **found, flow_error *error) {
  *found = packing->tensors ? flow_tensors_find(packing->tensors, needs->name) : NULL;
  char needed[128], has[256];
  print_shape(needed, sizeof needed, needs->rank, needs->dim);
  if (!*found)
    return flow_fail(error, FLOW_BAD_INPUT, "%s: there is no tensor '%s'; the model needs it, with shape %s", packing->file,
                     needs->name, needed);
  if ((*found)->rank == needs->rank && memcmp((*found)->dim, needs->dim, needs->rank * sizeof needs->dim[0]) == 0) return FLOW_OK;
  print_shape(has, sizeof has, (*found)->rank, (*found)->dim);
  return flow_fail(error, FLOW_BAD_INPUT, "%s: tensor '%s' has shape %s; the model needs %s", packing->file, needs->name, has,
                   needed);
}

/* offset + (rows-1)*row_stride + (columns-1)*column_stride and its three other corners lie in [0, count). */
static bool inside(const flow_pack *piece, uint64_t count) {
  int64_t low = piece->offset, high = piece->offset;
  const uint64_t extent[2] = {piece->rows, piece->columns};
  const int64_t stride[2] = {piece->row_stride, piece->column_stride};
  for (int axis = 0; axis < 2; axis++) {
    int64_t reach;
    if (extent[axis] > INT64_MAX || __builtin_mul_overflow((int64_t)extent[axis] - 1, stride[axis], &reach)) return false;
    if (__builtin_add_overflow(reach < 0 ? low : high, reach, reach < 0 ? &low : &high)) return false;
  }
  return low >= 0 && (uint64_t)high < count;
}

static bool fits_the_blob(const flow_model *model, const flow_pack *piece) {
  uint64_t rows, numbers, bytes;
  if (!flow_add_u64(piece->rows, piece->layout == FLOW_PACK_PANELS ? PANEL - 1 : 0, &rows)) return false;
  if (piece->layout == FLOW_PACK_PANELS) rows = rows / PANEL * PANEL;
  return piece->at % model->precision == 0 && flow_mul_u64(rows, piece->columns, &numbers) &&
         flow_mul_u64(numbers, model->precision, &bytes) && flow_range_fits(piece->at, bytes, model->blob_bytes);
}

/* Numbers index, index + 1, ... of the tensor to places `pitch` apart. */
static void place(const FlowTensor *tensor, uint32_t precision, const flow_pack *piece, uint64_t row, char *to, size_t pitch) {
  uint64_t index = (uint64_t)(piece->offset + (int64_t)row * piece->row_stride);
  bool side_by_side = piece->column_stride == 1 && pitch == precision;
  uint64_t count = side_by_side ? piece->columns : 1, calls = side_by_side ? 1 : piece->columns;
  for (uint64_t c = 0; c < calls; c++, to += pitch, index += (uint64_t)piece->column_stride) {
    if (precision == FLOW_F32)
      flow_tensor_to_f32(tensor, index, count, (float *)(void *)to);
    else
      flow_tensor_to_f64(tensor, index, count, (double *)(void *)to);
  }
}

static void fill(const Packing *packing, const FlowTensor *tensor, const flow_pack *piece) {
  size_t number = packing->model->precision, columns = (size_t)piece->columns;
  char *to = packing->blob + piece->at;
  for (uint64_t row = 0; row < piece->rows; row++) {
    if (piece->layout == FLOW_PACK_PANELS) {
      char *panel = to + (size_t)(row / PANEL) * columns * PANEL * number;
      place(tensor, packing->model->precision, piece, row, panel + row % PANEL * number, PANEL * number);
    } else {
      place(tensor, packing->model->precision, piece, row, to + (size_t)row * columns * number, number);
    }
  }
}

static flow_status fill_piece(const Packing *packing, const flow_pack *piece, flow_error *error) {
  const flow_model *model = packing->model;
  const FlowTensor *tensor = packing->derived;
  if ((piece->weight >= model->weights && piece->weight != FLOW_PACK_DERIVED) || piece->layout > FLOW_PACK_PANELS || !fits_the_blob(model, piece))
    return flow_fail(error, FLOW_BAD_INPUT, "%s: piece %td of its weights does not fit its tables", model->name, piece - model->pack);
  flow_status status = tensor ? FLOW_OK : find(packing, &model->weight[piece->weight], &tensor, error);
  if (status || piece->rows == 0 || piece->columns == 0) return status;
  if (!inside(piece, tensor->count))
    return flow_fail(error, FLOW_BAD_INPUT, "%s: piece %td of its weights reaches outside of tensor '%s'", model->name,
                     piece - model->pack, tensor->name);
  fill(packing, tensor, piece);
  return FLOW_OK;
}

/* The pieces of the file, or the derived ones. */
static flow_status fill_pieces(const Packing *packing, flow_error *error) {
  flow_status status = FLOW_OK;
  for (uint32_t i = 0; !status && i < packing->model->packs; i++) {
    const flow_pack *piece = &packing->model->pack[i];
    if ((piece->weight == FLOW_PACK_DERIVED) == (packing->derived != NULL)) status = fill_piece(packing, piece, error);
  }
  return status;
}

static flow_status fill_all(const Packing *packing, flow_error *error) {
  const FlowTensor *tensor;
  flow_status status = FLOW_OK;
  for (uint32_t i = 0; !status && i < packing->model->weights; i++) status = find(packing, &packing->model->weight[i], &tensor, error);
  if (!status) status = fill_pieces(packing, error);
  return status;
}

/* ---- derived values ------------------------------------------------------------------------------------------------ */

static bool derived_sizes(const flow_model *model, const flow_level *level, size_t *lanes, size_t *values) {
  size_t rows;
  return flow_u64_to_size(model->derived_rows, &rows) && flow_mul_size(rows, (size_t)level->lanes * model->precision, lanes) &&
         flow_mul_size(rows, model->precision, values);
}

/* Runs the model's derive on the pieces that are there; all lanes are equal, the first one is the tensor. */
static flow_status derive(const Packing *packing, const flow_level *level, char *lanes, char *values, flow_error *error) {
  const flow_model *model = packing->model;
  flow_call call = {.size = sizeof call, .lanes = level->quantum, .weights = packing->blob, .u = lanes};
  int code = level->derive(&call);
  if (code < 0) return flow_model_refused(model, "derive", code, error);
  for (uint64_t r = 0; r < model->derived_rows; r++)
    memcpy(values + r * model->precision, lanes + r * level->lanes * model->precision, model->precision);
  return FLOW_OK;
}

static flow_status fill_derived(Packing *packing, const FlowAllocator *allocator, flow_error *error) {
  const flow_model *model = packing->model;
  const flow_level *level;
  size_t lanes_bytes = 0, values_bytes = 0;
  if (model->derived_rows == 0) return FLOW_OK;
  flow_status status = flow_model_level(model, 0, &level, error);
  if (status) return status;
  if (!level->derive) return flow_fail(error, FLOW_BAD_INPUT, "%s: the model derives values, and has no code for it", model->name);
  char *lanes = NULL, *values = NULL;
  bool fits = derived_sizes(model, level, &lanes_bytes, &values_bytes);
  if (fits) lanes = flow_alloc_aligned(allocator, lanes_bytes);
  if (lanes) values = flow_alloc_aligned(allocator, values_bytes);
  status = values ? derive(packing, level, lanes, values, error)
                  : flow_fail(error, FLOW_NO_MEMORY, "out of memory for %" PRIu64 " numbers derived from the weights", model->derived_rows);
  FlowTensor tensor = {.name = "derived", .type = model->precision == FLOW_F32 ? FLOW_TYPE_F32 : FLOW_TYPE_F64, .rank = 1,
                       .dim = {model->derived_rows}, .count = model->derived_rows, .data = values};
  packing->derived = &tensor;
  if (!status) status = fill_pieces(packing, error);
  packing->derived = NULL;
  if (values) flow_free_aligned(allocator, values, values_bytes);
  if (lanes) flow_free_aligned(allocator, lanes, lanes_bytes);
  return status;
}

flow_status flow_model_pack(const FlowAllocator *allocator, const flow_model *model, const FlowTensors *tensors,
                            const char *file, FlowBlob *blob, flow_error *error) {
  size_t bytes = 0;
  *blob = (FlowBlob){*allocator, NULL, 0};
  if (flow_u64_to_size(model->blob_bytes, &bytes)) blob->data = flow_alloc_aligned(allocator, bytes ? bytes : 64);
  if (!blob->data) return flow_fail(error, FLOW_NO_MEMORY, "out of memory for %" PRIu64 " bytes of weights", model->blob_bytes);
  blob->bytes = bytes ? bytes : 64;
  Packing packing = {model, tensors, file ? file : "the weights", NULL, blob->data};
  FlowRounding callers = flow_rounding_enter();         /* for conversions to the model's precision, too */
  flow_status status = fill_all(&packing, error);
  if (!status) status = fill_derived(&packing, allocator, error);
  flow_rounding_leave(callers);
  if (status) flow_blob_free(blob);
  return status;
}

void flow_blob_free(FlowBlob *blob) {
  flow_free_aligned(&blob->allocator, blob->data, blob->bytes);
  blob->data = NULL;
  blob->bytes = 0;
}
