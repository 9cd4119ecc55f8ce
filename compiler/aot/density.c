/* SPDX-License-Identifier: Apache-2.0 */
/* density.c -- the two functions of a source that is a density, compiled and loaded: what they derive (they have no weights) is
 * computed by their code for this machine. */
#include <string.h>
#include "library.h"

static flow_status load(FlowCompiled *compiled, FlowBlob *blob, const flow_model **model, flow_error *error) {
  flow_status status = flow_compiled_link(compiled, FLOW_ENTRY_EVAL, error);
  if (status) return status;
  *model = flow_compiled_model(compiled);
  return flow_model_pack(&flow_standard_allocator, *model, NULL, NULL, blob, error);
}

flow_status aot_density_open(FlowCompiled *compiled, AotDensity *density, flow_error *error) {
  memset(density, 0, sizeof *density);
  flow_density *of = &density->of;
  flow_status status = flow_compiled_density(compiled, of, &density->make, &density->log_p, error);
  if (status || of->size == 0) return status;
  status = load(density->make, &density->make_blob, &of->make, error);
  if (!status) status = load(density->log_p, &density->log_p_blob, &of->log_p, error);
  of->make_blob = density->make_blob.data;
  of->log_p_blob = density->log_p_blob.data;
  return status;
}

void aot_density_close(AotDensity *density) {
  if (density->make_blob.data) flow_blob_free(&density->make_blob);
  if (density->log_p_blob.data) flow_blob_free(&density->log_p_blob);
  flow_compiled_free(density->make);
  flow_compiled_free(density->log_p);
  memset(density, 0, sizeof *density);
}
