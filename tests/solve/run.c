/* SPDX-License-Identifier: Apache-2.0 */
/* run.c -- the sink that collects, the allocator that fails. */
#include "run.h"
#include <stdlib.h>
#include <string.h>

static void *failing_resize(void *user, void *old, size_t old_size, size_t new_size) {
  Failing *failing = user;
  if (new_size > 0 && ++failing->calls == failing->fail_at) return NULL;
  failing->in_use += new_size - old_size;
  if (failing->in_use > failing->peak) failing->peak = failing->in_use;
  if (new_size > 0) return realloc(old, new_size);
  free(old);
  return NULL;
}

FlowAllocator failing_allocator(Failing *failing) {
  *failing = (Failing){0};
  return (FlowAllocator){failing_resize, failing};
}

static flow_status take(void *user, const FlowRows *rows, flow_error *error) {
  Collected *out = user;
  if (out->answer) return flow_fail(error, out->answer, "the sink is full");
  if (out->calls++ == 0) out->first = rows->first;
  if (rows->first != out->first + out->count) abort();  /* out of order */
  size_t all = (size_t)(out->count + rows->count);
  out->value = realloc(out->value, all * out->row);
  out->status = realloc(out->status, all);
  memcpy(out->value + out->count * out->row, rows->value, (size_t)rows->count * out->row);
  memcpy(out->status + out->count, rows->status, (size_t)rows->count);
  out->count = all;
  return FLOW_OK;
}

static int report(void *user, uint64_t done, uint64_t total) {
  Collected *out = user;
  if (done < out->last_done || done > total) abort();   /* progress never goes back */
  out->last_done = done;
  out->reports++;
  return out->stop_after > 0 && done >= out->stop_after;
}

static const FlowTensor weights[2] = {
    {.name = "A", .type = FLOW_TYPE_F64, .rank = 2, .dim = {3, 3}, .count = 9, .data = double_weights},
    {.name = "b", .type = FLOW_TYPE_F64, .rank = 1, .dim = {3}, .count = 3, .data = double_weights + 9}};

void run_open(Run *run, DoubleField field, DoubleConfiguration configuration, uint64_t count) {
  const flow_model *model = double_model(field, configuration);
  FlowTensors tensors = {.allocator = flow_standard_allocator, .count = 2, .tensor = (FlowTensor *)(uintptr_t)weights};
  memset(run, 0, sizeof *run);
  run->field = field;
  if (flow_model_pack(&flow_standard_allocator, model, &tensors, "double", &run->blob, NULL)) abort();
  run->condition_value[0] = 0.75f, run->condition_value[1] = -1.5f;
  for (int i = 0; i < 2; i++)
    run->condition[i] = (FlowTensor){.name = "", .type = FLOW_TYPE_F32, .count = 1, .data = &run->condition_value[i]};
  run->source = (FlowSource){.kind = FLOW_SOURCE_NORMAL, .dim = model->dim};
  run->what = (FlowSampling){.model = model, .level = &model->level[0], .weights = run->blob.data, .source = &run->source,
                             .seed = 42, .end = count, .tableau = flow_tableau_find("rk4"), .steps = 10, .t1 = 1,
                             .condition = run->condition, .threads = 1, .allocator = &flow_standard_allocator,
                             .sink = take, .progress = report, .user = &run->out, .summary = &run->summary};
}

static void forget(Collected *out) {
  free(out->value);
  free(out->status);
}

flow_status run_collect(Run *run, flow_error *error) {
  Collected fresh = {.stop_after = run->out.stop_after, .answer = run->out.answer,
                     .row = (size_t)run->what.model->dim * run->what.model->precision};
  forget(&run->out);
  run->out = fresh;
  return flow_sample(&run->what, error);
}

void run_close(Run *run) {
  forget(&run->out);
  flow_blob_free(&run->blob);
}
