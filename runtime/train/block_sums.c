/* SPDX-License-Identifier: Apache-2.0 */
#include "block_sums.h"
#include "checked.h"
#include "rounding.h"
#include <omp.h>
#include <stdbool.h>
#include <string.h>

/* ---- memory ------------------------------------------------------------------------------------------------------------ */

static uint64_t blocks_of(uint64_t samples) { return samples / FLOW_BLOCK_SAMPLES + (samples % FLOW_BLOCK_SAMPLES != 0); }

static uint64_t groups_of(const FlowBlockSums *sums, uint64_t blocks) {
  return (blocks >> sums->levels) + ((blocks & (((uint64_t)1 << sums->levels) - 1)) != 0);
}

static size_t thread_bytes(const FlowBlockSums *sums) { return (size_t)sums->threads * sums->levels * sums->pitch; }

size_t flow_block_sums_bytes(const FlowBlockSums *sums) { return sums->groups * sums->pitch + thread_bytes(sums); }

static bool lay_out(FlowBlockSums *sums, uint64_t bytes, uint64_t most) {
  size_t size, all;
  while (groups_of(sums, blocks_of(most)) > FLOW_BLOCK_GROUPS) sums->levels++;
  sums->groups = (size_t)groups_of(sums, blocks_of(most));
  if (!flow_u64_to_size(bytes, &size) || !flow_align_up(size ? size : 1, 64, &sums->pitch)) return false;
  return flow_mul_size((size_t)sums->threads * sums->levels + sums->groups, sums->pitch, &all);
}

flow_status flow_block_sums_open(const FlowAllocator *allocator, uint32_t precision, uint64_t bytes, int threads, uint64_t most,
                                 FlowBlockSums *sums, flow_error *error) {
  *sums = (FlowBlockSums){.allocator = *allocator, .precision = precision, .threads = threads};
  if (lay_out(sums, bytes, most > 0 ? most : 1)) {
    sums->group = flow_alloc_aligned(allocator, sums->groups * sums->pitch);
    if (sums->group && thread_bytes(sums)) sums->thread = flow_alloc_aligned(allocator, thread_bytes(sums));
    if (sums->group && (sums->thread || thread_bytes(sums) == 0)) return FLOW_OK;
  }
  flow_block_sums_close(sums);
  return flow_fail(error, FLOW_NO_MEMORY, "out of memory for gradients on %d threads", threads);
}

void flow_block_sums_close(FlowBlockSums *sums) {
  if (sums->group) flow_free_aligned(&sums->allocator, sums->group, sums->groups * sums->pitch);
  if (sums->thread) flow_free_aligned(&sums->allocator, sums->thread, thread_bytes(sums));
  *sums = (FlowBlockSums){0};
}

/* ---- blocks and their tree ----------------------------------------------------------------------------------------------- */

#define ADD(T)                                                          \
  static void add_##T(size_t count, T *restrict to, const T *restrict from) { \
    for (size_t i = 0; i < count; i++) to[i] += from[i];                \
  }
ADD(float)
ADD(double)

static void add(const FlowBlockSums *sums, char *to, const char *from, size_t bytes) {
  if (sums->precision == sizeof(float))
    add_float(bytes / sizeof(float), (float *)(void *)to, (const float *)(const void *)from);
  else
    add_double(bytes / sizeof(double), (double *)(void *)to, (const double *)(const void *)from);
}

/* A stack of subtrees: two of one size on top are one of the next size. */
typedef struct Stack { char *sums[65]; FlowBlockValues value[65]; uint64_t size[65]; uint32_t depth; } Stack;

static void add_values(FlowBlockValues *to, const FlowBlockValues *from) {
  for (int i = 0; i < FLOW_BLOCK_VALUES; i++) to->of[i] += from->of[i];
}

static void merge(const FlowBlockSums *sums, Stack *stack) {
  uint32_t top = --stack->depth;
  add(sums, stack->sums[top - 1], stack->sums[top], sums->pitch);
  add_values(&stack->value[top - 1], &stack->value[top]);
  stack->size[top - 1] += stack->size[top];
}

typedef struct Batch { uint64_t count; FlowBlockRun *run; void *user; } Batch;

static int run_block(const FlowBlockSums *sums, const Batch *batch, uint64_t block, char *to, FlowBlockValues *value) {
  uint64_t first = block * FLOW_BLOCK_SAMPLES, rest = batch->count - first;
  memset(to, 0, sums->pitch);
  *value = (FlowBlockValues){{0}};
  return batch->run(batch->user, omp_get_thread_num(), first, first + (rest < FLOW_BLOCK_SAMPLES ? rest : FLOW_BLOCK_SAMPLES), to, value->of);
}

static int run_group(FlowBlockSums *sums, const Batch *batch, uint64_t group) {
  Stack stack = {.sums = {sums->group + group * sums->pitch}};
  char *levels = sums->thread + (size_t)omp_get_thread_num() * sums->levels * sums->pitch;
  for (uint32_t i = 0; i < sums->levels; i++) stack.sums[i + 1] = levels + i * sums->pitch;
  uint64_t first = group << sums->levels, end = (group + 1) << sums->levels, blocks = blocks_of(batch->count);
  int code = 0;
  for (uint64_t block = first; code >= 0 && block < end && block < blocks; block++) {
    code = run_block(sums, batch, block, stack.sums[stack.depth], &stack.value[stack.depth]);
    stack.size[stack.depth++] = 1;
    while (stack.depth > 1 && stack.size[stack.depth - 1] == stack.size[stack.depth - 2]) merge(sums, &stack);
  }
  while (stack.depth > 1) merge(sums, &stack);
  sums->value[group] = stack.value[0];
  return code;
}

/* The tree over the groups, for the numbers of one slice. */
static void merge_slice(const FlowBlockSums *sums, size_t groups, size_t at, size_t bytes) {
  for (size_t step = 1; step < groups; step *= 2)
    for (size_t i = 0; i + step < groups; i += 2 * step)
      add(sums, sums->group + i * sums->pitch + at, sums->group + (i + step) * sums->pitch + at, bytes);
}

static void merge_values(FlowBlockSums *sums, size_t groups) {
  for (size_t step = 1; step < groups; step *= 2)
    for (size_t i = 0; i + step < groups; i += 2 * step) add_values(&sums->value[i], &sums->value[i + step]);
}

int flow_block_sums_run(FlowBlockSums *sums, uint64_t count, FlowBlockRun *run, void *user) {
  enum { SLICE = 16384 };
  const Batch batch = {count, run, user};
  uint64_t groups = groups_of(sums, blocks_of(count));
  int refused = 0;
#pragma omp parallel num_threads(sums->threads)
  {
    FlowRounding callers = flow_rounding_enter();
#pragma omp for schedule(dynamic, 1)
    for (uint64_t i = 0; i < groups; i++) {
      int code = run_group(sums, &batch, i);
      if (code >= 0) continue;
#pragma omp critical(flow_block_sums_refused)
      refused = code;
    }
#pragma omp for schedule(static)
    for (size_t at = 0; at < sums->pitch; at += SLICE)
      merge_slice(sums, (size_t)groups, at, sums->pitch - at < SLICE ? sums->pitch - at : SLICE);
    flow_rounding_leave(callers);
  }
  merge_values(sums, (size_t)groups);
  return refused;
}
