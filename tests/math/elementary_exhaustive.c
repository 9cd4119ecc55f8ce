/* SPDX-License-Identifier: Apache-2.0 */
/* elementary_exhaustive -- the largest error of each f32 function of one operand over all floats.
 *
 *   elementary_exhaustive [STRIDE [FUNCTION...]]       default: stride 1 (all 2^32 floats), all functions
 *
 * Prints function, error in ulp, and the argument; exit status 1 if an error is above the bound of elementary.def. */
#include <stdio.h>
#include <stdlib.h>

#include "reference.h"

typedef struct Worst {
  double error;
  float at;
} Worst;

static Worst worst_error(const Function *f, uint64_t stride)
{
  Worst worst = {0, 0};
#pragma omp parallel
  {
    Worst mine = {0, 0};
#pragma omp for schedule(dynamic, 65536)
    for (uint64_t i = 0; i < (1ull << 32) / stride; i++) {
      float x = float_of((uint32_t)(i * stride));
      if (!in_domain_f32(f, x))
        continue;
      double error = error_f32(f->f32_1(x), exact_1(f, x));
      if (error > mine.error)
        mine = (Worst){error, x};
    }
#pragma omp critical
    if (mine.error > worst.error)
      worst = mine;
  }
  return worst;
}

int main(int count, char **arguments)
{
  uint64_t stride = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
  int failed = 0;
  for (int i = 0; i < FUNCTIONS && stride > 0; i++) {
    const Function *f = &function_table[i];
    int wanted = count < 3;
    for (int j = 2; j < count; j++)
      wanted |= function_named(arguments[j]) == f;
    if (!wanted || f->operands != 1)
      continue;
    Worst worst = worst_error(f, stride);
    printf("%-8s %.3f ulp at %.9g (%a), bound %g\n", f->name, worst.error, (double)worst.at, (double)worst.at, f->ulp_f32);
    fflush(stdout);
    failed |= !(worst.error <= f->ulp_f32);
  }
  return failed || stride == 0;
}
