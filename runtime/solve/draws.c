/* SPDX-License-Identifier: Apache-2.0 */
#include "draws.h"
#include <math.h>

static uint64_t numbers_of(const flow_draw *draw) { return draw->kind == FLOW_DRAW_CHOICE ? 1 : draw->size; }

static uint64_t even(uint64_t numbers) { return numbers + numbers % 2; }

bool flow_draws_count(const flow_draw *draw, uint32_t draws, uint64_t *numbers) {
  uint64_t of_sample = 0;
  *numbers = 0;
  for (uint32_t i = 0; i < draws; i++) {
    if (draw[i].kind > FLOW_DRAW_CHOICE || draw[i].size == 0 || draw[i].size > UINT32_MAX) return false;
    *numbers += numbers_of(&draw[i]);
    of_sample += even(numbers_of(&draw[i]));
    if (of_sample > UINT32_MAX) return false;
  }
  return true;
}

static double choose(const flow_draw *draw, double uniform) {
  if (!draw->weight) {
    double at = floor(uniform * (double)draw->size);
    return at < (double)draw->size ? at : (double)draw->size - 1;
  }
  double sum = 0;
  for (uint64_t i = 0; i + 1 < draw->size; i++) {
    sum += draw->weight[i];
    if (uniform < sum) return (double)i;
  }
  return (double)draw->size - 1;
}

/* One name's numbers, from the sample's number `index` on. */
static void fill(const flow_draw *draw, FlowRandom random, uint64_t sample, uint32_t index, double *number) {
  if (draw->kind == FLOW_DRAW_CHOICE) number[0] = choose(draw, flow_random_uniform(random, sample, index));
  for (uint32_t i = 0; draw->kind == FLOW_DRAW_UNIFORM && i < draw->size; i++)
    number[i] = flow_random_uniform(random, sample, index + i);
  for (uint32_t i = 0; draw->kind == FLOW_DRAW_NORMAL && i < draw->size; i += 2)
    flow_random_normal_pair(random, sample, (index + i) / 2, number + i);
}

/* Where a pair has a number too many, the next name covers it. */
void flow_draws_fill(const flow_draw *draw, uint32_t draws, FlowRandom random, uint64_t sample, double *number) {
  uint32_t index = 0;
  for (uint32_t i = 0; i < draws; i++) {
    fill(&draw[i], random, sample, index, number);
    number += numbers_of(&draw[i]);
    index += (uint32_t)even(numbers_of(&draw[i]));
  }
}
