/* SPDX-License-Identifier: Apache-2.0 */
/* prepared.c -- solves that allocate nothing: their memory comes from one block, which has been seen to be enough.
 *
 * The drivers allocate when they begin and free when they end, last in, first out; so the block is a stack.  How large it has
 * to be, preparation finds by solving once: in a block that is too small the solve ends without memory, and the next one has
 * twice as much. */
#include "api.h"
#include <string.h>

enum { FIRST_BLOCK = 1 << 16, ALIGNMENT = 64 };

typedef struct Block {
  char *memory;
  size_t size, used;
  uint64_t live;                /* pieces */
} Block;

struct flowrt_solver {
  const flowrt_model *model;
  flowrt_request request;       /* how: method, steps, tolerances, probes, threads; count: the most */
  bool log_prob;
  Block block;
};

static size_t rounded(size_t size) { return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static void *resize(void *user, void *old, size_t old_size, size_t new_size) {
  Block *block = user;
  bool top = old && (char *)old + rounded(old_size) == block->memory + block->used;
  if (new_size == 0) {
    if (!old) return NULL;
    if (top) block->used -= rounded(old_size);
    if (--block->live == 0) block->used = 0;
    return NULL;
  }
  if (new_size > SIZE_MAX / 2) return NULL;
  size_t base = top ? block->used - rounded(old_size) : block->used;
  if (rounded(new_size) > block->size - base) return NULL;
  char *memory = block->memory + base;
  block->used = base + rounded(new_size);
  if (!old) block->live++;
  if (old && !top) memcpy(memory, old, old_size < new_size ? old_size : new_size);
  return memory;
}

static flow_status solve(flowrt_solver *solver, const flowrt_request *request, flow_error *error) {
  const FlowAllocator allocator = {resize, &solver->block};
  solver->block.used = 0;
  solver->block.live = 0;
  return solver->log_prob ? api_log_prob(solver->model, request, &allocator, error) : api_sample(solver->model, request, &allocator, error);
}

static flow_status grow(flowrt_solver *solver, size_t size, flow_error *error) {
  const FlowAllocator *allocator = &solver->model->allocator;
  if (solver->block.memory) flow_free_aligned(allocator, solver->block.memory, solver->block.size);
  solver->block = (Block){flow_alloc_aligned(allocator, size), size, 0, 0};
  if (solver->block.memory) return FLOW_OK;
  solver->block.size = 0;
  return flow_fail(error, FLOW_NO_MEMORY, "out of memory for a solver of %zu bytes", size);
}

/* Until the memory is enough.  Samples that fail here may succeed later, and the other way round: their statuses are let be. */
static flow_status try_out(flowrt_solver *solver, flow_error *error) {
  flow_status status = FLOW_NO_MEMORY;
  for (size_t size = FIRST_BLOCK; status == FLOW_NO_MEMORY && size < SIZE_MAX / 4; size *= 2) {
    status = grow(solver, size, error);
    if (status) return status;
    status = solve(solver, &solver->request, error);
  }
  return status == FLOW_FAILED_SAMPLES ? FLOW_OK : status;
}

flow_status flowrt_prepare(const flowrt_model *model, const flowrt_request *request, int log_prob, flowrt_solver **solver, flow_error *error) {
  *solver = NULL;
  flowrt_solver *made = flow_alloc(&model->allocator, sizeof *made);
  if (!made) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while preparing a solver");
  made->model = model;
  made->log_prob = log_prob != 0;
  flow_status status = api_take(&made->request, sizeof made->request, request, "flowrt_request", error);
  if (!status) status = try_out(made, error);
  if (status) {
    flowrt_solver_close(made);
    return status;
  }
  *solver = made;
  return FLOW_OK;
}

flow_status flowrt_solve(flowrt_solver *solver, const flowrt_request *request, flow_error *error) {
  flowrt_request known;
  flow_status status = api_take(&known, sizeof known, request, "flowrt_request", error);
  if (status) return status;
  const flowrt_request *prepared = &solver->request;
  if (known.count > prepared->count)
    return flow_fail(error, FLOW_BAD_CALL, "the solver is prepared for %llu samples, not for %llu", (unsigned long long)prepared->count,
                     (unsigned long long)known.count);
  known.size = sizeof known;
  known.threads = prepared->threads;
  known.method = prepared->method;
  known.steps = prepared->steps;
  known.rtol = prepared->rtol;
  known.atol = prepared->atol;
  known.ltol = prepared->ltol;
  known.probes = prepared->probes;
  known.probe = prepared->probe;
  known.target = prepared->target;
  return solve(solver, &known, error);
}

void flowrt_solver_close(flowrt_solver *solver) {
  if (!solver) return;
  const FlowAllocator *allocator = &solver->model->allocator;
  if (solver->block.memory) flow_free_aligned(allocator, solver->block.memory, solver->block.size);
  flow_free(allocator, solver, sizeof *solver);
}
