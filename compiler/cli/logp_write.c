/* SPDX-License-Identifier: Apache-2.0 */
/* logp_write.c -- log-densities into files: one array, or the members of a .npz. */
#include "logp.h"
#include "npz.h"
#include "writer.h"
#include <stdlib.h>
#include <string.h>

static uint64_t points_of(const LogP *logp) { return logp->what.solve.end - logp->what.solve.first; }

static bool is_npz(const char *path) {
  const char *suffix = strrchr(path, '.');
  return suffix && strcmp(suffix, ".npz") == 0;
}

static flow_status write_members(const LogP *logp, const char *path, flow_error *error) {
  FlowNpzWriter *writer;
  uint64_t dim = points_of(logp);
  flow_status status = flow_npz_open(&flow_standard_allocator, path, &writer, error);
  if (status) return status;
  status = flow_npz_add(writer, "logp", FLOW_TYPE_F64, 1, &dim, logp->log_p, error);
  if (!status) status = flow_npz_add(writer, "status", FLOW_TYPE_U8, 1, &dim, logp->status, error);
  if (!status && logp->trace.probes) {
    status = flow_npz_add(writer, "standard_error", FLOW_TYPE_F64, 1, &dim, logp->standard_error, error);
    if (!status) status = flow_npz_add(writer, "probes", FLOW_TYPE_U32, 1, &dim, logp->probes, error);
  }
  if (!status) return flow_npz_close(writer, error);
  flow_npz_abandon(writer);
  return status;
}

static flow_status write_rows(const char *path, FlowType type, uint32_t rank, const uint64_t *dim, const char *const *name,
                              const void *data, flow_error *error) {
  FlowWriter *writer;
  flow_status status =
      flow_writer_open(&flow_standard_allocator, path, FLOW_FORMAT_BY_SUFFIX, type, rank, dim, name, &writer, error);
  if (status) return status;
  status = flow_writer_append(writer, data, dim[0], error);
  if (!status) return flow_writer_close(writer, error);
  flow_writer_abandon(writer);
  return status;
}

/* A CSV of estimates has their standard errors in a second column. */
static flow_status write_pairs(const LogP *logp, const char *path, flow_error *error) {
  static const char *const name[] = {"logp", "standard_error"};
  uint64_t dim[2] = {points_of(logp), 2};
  double *pair = calloc((size_t)dim[0] + 1, 2 * sizeof *pair);
  if (!pair) return flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  for (uint64_t i = 0; i < dim[0]; i++) {
    pair[2 * i] = logp->log_p[i];
    pair[2 * i + 1] = logp->standard_error[i];
  }
  flow_status status = write_rows(path, FLOW_TYPE_F64, 2, dim, name, pair, error);
  free(pair);
  return status;
}

static flow_status write_latent(const LogP *logp, flow_error *error) {
  const Shape *state = &flow_compiled_function(logp->program->compiled)->parameter[1];
  uint64_t dim[1 + FLOW_MOST_RANK] = {points_of(logp)};
  for (uint32_t r = 0; r < state->rank; r++) dim[1 + r] = (uint64_t)state->dim[r];
  FlowType type = logp->program->model->precision == FLOW_F32 ? FLOW_TYPE_F32 : FLOW_TYPE_F64;
  return write_rows(text_of(logp->run, OPTION_latent), type, 1 + state->rank, dim, NULL, logp->latent, error);
}

flow_status logp_write(const LogP *logp, flow_error *error) {
  const char *path = has(logp->run, OPTION_output) ? text_of(logp->run, OPTION_output) : "-";
  const char *suffix = strrchr(path, '.');
  bool csv = strcmp(path, "-") == 0 || (suffix && strcmp(suffix, ".csv") == 0);
  static const char *const name[] = {"logp"};
  uint64_t dim = points_of(logp);
  flow_status status = is_npz(path)                ? write_members(logp, path, error)
                       : csv && logp->trace.probes ? write_pairs(logp, path, error)
                                                   : write_rows(path, FLOW_TYPE_F64, 1, &dim, name, logp->log_p, error);
  return status || !logp->latent ? status : write_latent(logp, error);
}
