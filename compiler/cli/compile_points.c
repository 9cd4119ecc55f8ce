/* SPDX-License-Identifier: Apache-2.0 */
/* compile_points.c -- the points of a source that is a file, as they stand in a library: rounded once, as a solve would. */
#include "compile_verb.h"
#include "solve.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void convert(const FlowTensor *tensor, uint32_t precision, void *to) {
  if (precision == FLOW_F32)
    flow_tensor_to_f32(tensor, 0, tensor->count, to);
  else
    flow_tensor_to_f64(tensor, 0, tensor->count, to);
}

static flow_status take_rows(Compile *c, uint64_t dim, flow_error *error) {
  FlowTensor *tensor = &c->points.tensor;
  given_shape_rows(tensor, dim);
  uint64_t rows = tensor->rank ? tensor->dim[0] : 1;
  FlowSource source = {.kind = FLOW_SOURCE_TENSOR, .dim = dim, .tensor = tensor, .name = c->points_path};
  flow_status status = flow_source_check(&source, dim, 0, rows ? rows : 1, error);
  if (status) return status;
  uint32_t precision = c->run->line->value[OPTION_precision].choice ? FLOW_F64 : FLOW_F32;
  bool embed = c->source.said ? c->source.embed : tensor->count < COMPILE_MOST_EMBEDDED / precision;
  if (!embed) return FLOW_OK;
  void *data = flow_alloc_array(&flow_standard_allocator, (size_t)tensor->count, precision);
  if (!data) return flow_fail(error, FLOW_NO_MEMORY, "out of memory for the %" PRIu64 " points of %s", rows, c->points_path);
  convert(tensor, precision, data);
  c->rows = (flow_rows){rows, data};
  c->rows_bytes = (size_t)tensor->count * precision;
  c->library.rows = &c->rows;
  return FLOW_OK;
}

flow_status compile_points(Compile *c, flow_error *error) {
  const TypedFlow *flow = flow_compiled_flow(c->program.compiled);
  if (!flow || flow->source != SOURCE_FILE)
    return c->source.said ? flow_fail(error, FLOW_BAD_CALL, "--source is for a flow whose source is a file") : FLOW_OK;
  if (c->source.said && !c->source.embed) return FLOW_OK;
  const char *given = c->source.file;
  flow_status status = FLOW_OK;
  if (given && !(c->points_path = strdup(given))) status = flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  if (!given) status = program_file(c->run, &c->program, NAMED_SOURCE, flow, &c->points_path, error);
  if (!status) status = given_read("source", c->points_path, &c->points, error);
  return status ? status : take_rows(c, (uint64_t)flow->dim, error);
}

void compile_points_free(Compile *c) {
  flow_free(&flow_standard_allocator, (void *)(uintptr_t)c->rows.data, c->rows_bytes);
  given_free(&c->points);
  free(c->points_path);
}
