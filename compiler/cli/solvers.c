/* SPDX-License-Identifier: Apache-2.0 */
#include "solvers.h"
#include "trajectory.h"
#include <inttypes.h>

static void print_method(FILE *to, const FlowTableau *method) {
  fprintf(to, "  %-9s order %" PRIu32 ": %s\n", method->name, method->order, method->help);
  fprintf(to, "            paths of order %" PRIu32 " (%s)", flow_trajectory_order(method),
          method->dense.rows ? "its dense output" : "Hermite's cubic");
  if (method->error[0].order) fprintf(to, "; its error is estimated, so that steps can adapt");
  fprintf(to, "\n            %s\n", method->source);
}

void help_solvers(FILE *to) {
  fputs("The methods of --solver and of a flow's `solver NAME steps N`. With steps half as long their errors are about\n"
        "2^order times smaller, those between steps 2^(order of paths) times (flowc trajectory).\n\n",
        to);
  for (size_t i = 0; i < flow_tableau_count(); i++) print_method(to, flow_tableau_at(i));
  fputs("\nSteps are equal, or `spacing cosine` (short at both ends), or `spacing power P` (s^P: short at the source for\n"
        "P > 1, at the data below), or end at the times of --grid:\n"
        "  solver rk4 steps 50 spacing cosine\n"
        "  solver heun2 steps 18 spacing power 7\n"
        "  flowc sample model.flow --grid 0,0.1,0.5,1\n"
        "\nflowc sample model.flow --accuracy 1e-4 tries all of them and takes the cheapest that keeps it.\n",
        to);
}
