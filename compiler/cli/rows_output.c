/* SPDX-License-Identifier: Apache-2.0 */
#include "rows_output.h"
#include "likelihood.h"
#include "npz.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ON_ERROR_FAIL, ON_ERROR_NAN, ON_ERROR_DROP }; /* the words of --on-error */

static size_t row_bytes(const RowsOutput *output) {
  return (size_t)output->program->model->dim * output->program->model->precision;
}

static uint32_t state_shape(const RowsOutput *output, uint64_t *dim) {
  const Shape *state = &flow_compiled_function(output->program->compiled)->parameter[1];
  dim[0] = output->rows;
  for (uint32_t r = 0; r < state->rank; r++) dim[1 + r] = (uint64_t)state->dim[r];
  return 1 + state->rank;
}

static FlowType state_type(const RowsOutput *output) {
  return output->program->model->precision == FLOW_F32 ? FLOW_TYPE_F32 : FLOW_TYPE_F64;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static flow_status open_memory(RowsOutput *output, flow_error *error) {
  size_t rows = (size_t)output->rows + 1; /* an allocation of nothing may be NULL */
  output->in_memory = true;
  output->state = calloc(rows, row_bytes(output));
  output->status = calloc(rows, 1);
  output->log_p = calloc(rows, sizeof *output->log_p);
  output->standard_error = calloc(rows, sizeof *output->standard_error);
  if (output->state && output->status && output->log_p && output->standard_error) return FLOW_OK;
  return flow_fail(error, FLOW_NO_MEMORY, "no memory for the members of %s; a .npy is written as the samples come", output->path);
}

static flow_status open_states(RowsOutput *output, flow_error *error) {
  uint64_t dim[1 + FLOW_MOST_RANK];
  uint32_t rank = state_shape(output, dim);
  return flow_writer_open(&flow_standard_allocator, output->path, FLOW_FORMAT_BY_SUFFIX, state_type(output), rank, dim, NULL,
                          &output->states, error);
}

static flow_status open_log_ps(RowsOutput *output, flow_error *error) {
  static const char *const name[] = {"logp", "standard_error"};
  uint64_t dim = output->rows;
  return flow_writer_open(&flow_standard_allocator, output->logp_path, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F64, 1, &dim, name,
                          &output->log_ps, error);
}

flow_status rows_output_open(RowsOutput *output, uint64_t rows, flow_error *error) {
  const char *suffix = output->path ? strrchr(output->path, '.') : NULL;
  bool npz = suffix && strcmp(suffix, ".npz") == 0;
  bool same = output->path && output->logp_path && strcmp(output->path, output->logp_path) == 0;
  flow_status status = FLOW_OK;
  output->rows = rows;
  output->open = output->path || output->logp_path;
  if (output->path) status = npz ? open_memory(output, error) : open_states(output, error);
  return status || !output->logp_path || same ? status : open_log_ps(output, error);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static void set_nan(const RowsOutput *output, void *row) {
  for (uint64_t c = 0; c < output->program->model->dim; c++) {
    if (output->program->model->precision == FLOW_F32)
      ((float *)row)[c] = NAN;
    else
      ((double *)row)[c] = NAN;
  }
}

/* A state that is not finite shows as NaN; one without a log-density is a state like another. */
static bool state_is_good(const FlowRows *rows, uint64_t i) {
  return rows->status[i] == FLOW_SAMPLE_OK || rows->status[i] == FLOW_SAMPLE_OUTSIDE || rows->status[i] == FLOW_SAMPLE_NO_DENSITY;
}

static bool drops(const RowsOutput *output) { return output->run->line->value[OPTION_on_failure].choice == ON_ERROR_DROP; }

static flow_status write_nan_row(const RowsOutput *output, flow_error *error) {
  void *row = malloc(row_bytes(output));
  if (!row) return flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  set_nan(output, row);
  flow_status status = flow_writer_append(output->states, row, 1, error);
  free(row);
  return status;
}

static flow_status write_states(const RowsOutput *output, const FlowRows *rows, uint64_t count, flow_error *error) {
  flow_status status = FLOW_OK;
  for (uint64_t i = 0; !status && i < count;) {
    uint64_t good = i;
    while (good < count && state_is_good(rows, good)) good++;
    if (good > i)
      status = flow_writer_append(output->states, (const char *)rows->value + i * row_bytes(output), good - i, error);
    else
      status = drops(output) ? FLOW_OK : write_nan_row(output, error), good++;
    i = good;
  }
  return status;
}

static flow_status write_log_ps(const RowsOutput *output, const FlowRows *rows, uint64_t count, flow_error *error) {
  flow_status status = FLOW_OK;
  for (uint64_t i = 0; !status && i < count; i++) {
    if (drops(output) && !state_is_good(rows, i)) continue;
    double log_p = state_is_good(rows, i) ? flow_rows_log_p(rows, i, false, output->probes).log_p : NAN;
    status = flow_writer_append(output->log_ps, &log_p, 1, error);
  }
  return status;
}

static void keep(RowsOutput *output, const FlowRows *rows) {
  size_t bytes = row_bytes(output);
  for (uint64_t i = 0; i < rows->count; i++) {
    bool good = state_is_good(rows, i);
    if (!good && drops(output)) continue;
    uint64_t at = output->kept++;
    memcpy(output->state + at * bytes, (const char *)rows->value + i * bytes, bytes);
    output->status[at] = rows->status[i];
    FlowLogP log_p = good && rows->log_density ? flow_rows_log_p(rows, i, false, output->probes) : (FlowLogP){NAN, NAN};
    if (!good) set_nan(output, output->state + at * bytes);
    output->log_p[at] = log_p.log_p;
    output->standard_error[at] = log_p.standard_error;
  }
}

flow_status rows_output_take(RowsOutput *output, const FlowRows *rows, flow_error *error) {
  if (!output->open) return FLOW_OK;
  uint64_t count = 0;
  bool all = output->run->line->value[OPTION_on_failure].choice != ON_ERROR_FAIL;
  while (count < rows->count && (all || rows->status[count] == FLOW_SAMPLE_OK)) count++;
  flow_status status = output->states ? write_states(output, rows, count, error) : FLOW_OK;
  if (!status && output->log_ps) status = write_log_ps(output, rows, count, error);
  if (!status && output->in_memory) keep(output, rows);
  output->taken += rows->count;
  if (!status && count < rows->count) rows_output_abandon(output);
  return status;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static flow_status close_writer(const RowsOutput *output, FlowWriter *writer, flow_error *error) {
  return drops(output) ? flow_writer_close_short(writer, error) : flow_writer_close(writer, error);
}

static flow_status write_members(const RowsOutput *output, flow_error *error) {
  FlowNpzWriter *writer;
  uint64_t dim[1 + FLOW_MOST_RANK];
  uint32_t rank = state_shape(output, dim);
  dim[0] = output->kept;
  flow_status status = flow_npz_open(&flow_standard_allocator, output->path, &writer, error);
  if (status) return status;
  status = flow_npz_add(writer, "samples", state_type(output), rank, dim, output->state, error);
  if (!status && output->logp_path) status = flow_npz_add(writer, "logp", FLOW_TYPE_F64, 1, dim, output->log_p, error);
  if (!status && output->logp_path && output->probes)
    status = flow_npz_add(writer, "standard_error", FLOW_TYPE_F64, 1, dim, output->standard_error, error);
  if (!status) status = flow_npz_add(writer, "status", FLOW_TYPE_U8, 1, dim, output->status, error);
  if (!status) return flow_npz_close(writer, error);
  flow_npz_abandon(writer);
  return status;
}

flow_status rows_output_close(RowsOutput *output, flow_error *error) {
  flow_status status = FLOW_OK;
  if (output->open && output->in_memory) status = write_members(output, error);
  if (!status && output->states) {
    status = close_writer(output, output->states, error);
    output->states = NULL;
  }
  if (!status && output->log_ps) {
    status = close_writer(output, output->log_ps, error);
    output->log_ps = NULL;
  }
  rows_output_abandon(output);
  return status;
}

void rows_output_abandon(RowsOutput *output) {
  flow_writer_abandon(output->states);
  flow_writer_abandon(output->log_ps);
  free(output->state), free(output->status), free(output->log_p), free(output->standard_error);
  output->states = output->log_ps = NULL;
  output->state = NULL;
  output->status = NULL;
  output->log_p = output->standard_error = NULL;
  output->open = output->in_memory = false;
}
