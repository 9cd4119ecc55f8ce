/* SPDX-License-Identifier: Apache-2.0 */
/* prepared.c -- solves that allocate nothing: their memory comes from one block, which has been seen to be enough.
 *
 * The drivers allocate when they begin and free when they end, last in, first out; so the block is a stack.  How large it has
 * to be, preparation finds by solving: in a block that is too small a solve ends without memory, and the next one has twice as
 * much.  It solves for all that a later request may want, too, and for starts of the flow's own. */
#include "api.h"
#include "checked.h"
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

/* Places for results that the prepared request does not want and a later one may. */
typedef struct Wishes { double *log_p, *standard_error; uint32_t *probes_used; void *x; char *memory; size_t bytes; } Wishes;

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

/* ---- trying out ------------------------------------------------------------------------------------------------------------- */

static flow_status open_wishes(const flowrt_solver *solver, Wishes *w, flow_error *error) {
  const flowrt_model *model = solver->model;
  size_t count, state, numbers;
  *w = (Wishes){.memory = NULL};
  bool fits = flow_u64_to_size(solver->request.count, &count) && flow_mul_size((size_t)model->exported->dim, model->exported->precision, &state) &&
              flow_add_size(state, 3 * sizeof(double), &numbers) && flow_mul_size(count + 1, numbers, &w->bytes);
  if (fits) w->memory = flow_alloc_aligned(&model->allocator, w->bytes);
  if (!w->memory) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while preparing a solver");
  w->log_p = (double *)(void *)w->memory;
  w->standard_error = w->log_p + count;
  w->probes_used = (uint32_t *)(void *)(w->standard_error + count);
  w->x = w->memory + 3 * sizeof(double) * count;
  return FLOW_OK;
}

/* Memory is taken at the beginning; but rounds of probes go on until they are accurate. */
static int enough(void *user, uint64_t done, uint64_t total) {
  (void)user, (void)done, (void)total;
  return 1;
}

/* What a request may ask beyond the prepared one.  Whether the model can do it is not known: only memory that lacks counts. */
static bool lacks_memory(flowrt_solver *solver, const Wishes *w) {
  flow_error unused = {{0}};
  flowrt_request all = solver->request, none = solver->request;
  uint8_t *status = solver->request.status;
  all.log_p = w->log_p, all.x = w->x, all.standard_error = w->standard_error, all.probes_used = w->probes_used;
  all.status = status, all.summary = none.summary = NULL, all.progress = none.progress = all.target > 0 ? NULL : enough;
  none.log_p = NULL, none.status = NULL, none.standard_error = NULL, none.probes_used = NULL, none.x = w->x;
  if (solve(solver, &all, &unused) == FLOW_NO_MEMORY || solve(solver, &none, &unused) == FLOW_NO_MEMORY) return true;
  if (!all.from || solver->log_prob) return false;
  all.from = NULL;
  return solve(solver, &all, &unused) == FLOW_NO_MEMORY;
}

/* Until the memory is enough.  Samples that fail here may succeed later, and the other way round: their statuses are let be. */
static flow_status try_out(flowrt_solver *solver, flow_error *error) {
  Wishes wishes;
  flow_status status = open_wishes(solver, &wishes, error);
  if (status) return status;
  status = FLOW_NO_MEMORY;
  for (size_t size = FIRST_BLOCK; status == FLOW_NO_MEMORY && size < SIZE_MAX / 4; size *= 2) {
    status = grow(solver, size, error);
    if (status) break;
    status = lacks_memory(solver, &wishes) ? FLOW_NO_MEMORY : solve(solver, &solver->request, error);
  }
  flow_free_aligned(&solver->model->allocator, wishes.memory, wishes.bytes);
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
