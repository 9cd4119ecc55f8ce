/* SPDX-License-Identifier: Apache-2.0 */
/* trees.c -- level sequences of rooted trees (Beyer, Hedetniemi, SIAM J. Comput. 9 (1980), 706), elementary weights. */
#include "trees.h"
#include <math.h>

Tree tree_first(int nodes) {
  Tree tree = {.nodes = nodes};
  for (int i = 0; i < nodes; i++) tree.depth[i] = i;
  return tree;
}

bool tree_next(Tree *tree) {
  int p = tree->nodes - 1;
  while (p > 0 && tree->depth[p] == 1) p--;
  if (p <= 0) return false;
  int q = p - 1;
  while (tree->depth[q] != tree->depth[p] - 1) q--;
  for (int i = p; i < tree->nodes; i++) tree->depth[i] = tree->depth[i - (p - q)];
  return true;
}

/* One past the subtree of node `at`. */
static int end_of(const Tree *tree, int at) {
  int end = at + 1;
  while (end < tree->nodes && tree->depth[end] > tree->depth[at]) end++;
  return end;
}

double tree_gamma(const Tree *tree) {
  double gamma = 1;
  for (int i = 0; i < tree->nodes; i++) gamma *= end_of(tree, i) - i;
  return gamma;
}

Stages stages_of(const FlowTableau *tableau) {
  Stages stages = {.count = flow_tableau_dense_stages(tableau)};
  for (uint32_t j = 0; j < stages.count; j++) {
    for (uint32_t i = 0; i < flow_tableau_row_length(tableau, j); i++) stages.a[j][i] = flow_tableau_row(tableau, j)[i];
    stages.c[j] = flow_tableau_c(tableau, j);
  }
  return stages;
}

/* phi of the subtree of node `at`; with A's absolute values where `bound`. */
static void phi_of(const Tree *tree, int at, const Stages *stages, bool bound, long double *phi) {
  for (uint32_t j = 0; j < stages->count; j++) phi[j] = 1;
  int end = end_of(tree, at);
  for (int branch = at + 1; branch < end; branch = end_of(tree, branch)) {
    long double inner[FLOW_MOST_STAGES];
    phi_of(tree, branch, stages, bound, inner);
    for (uint32_t j = 0; j < stages->count; j++) {
      long double sum = 0;
      for (uint32_t i = 0; i < j; i++) sum += (bound ? fabsl(stages->a[j][i]) : stages->a[j][i]) * inner[i];
      phi[j] *= sum;
    }
  }
}

double tree_defect(const Stages *stages, const long double *weight, int nodes, long double scale) {
  double worst = 0;
  Tree tree = tree_first(nodes);
  do {
    long double phi[FLOW_MOST_STAGES], bound[FLOW_MOST_STAGES], sum = 0, size = 0;
    phi_of(&tree, 0, stages, false, phi);
    phi_of(&tree, 0, stages, true, bound);
    for (uint32_t j = 0; j < stages->count; j++) {
      sum += weight[j] * phi[j];
      size += fabsl(weight[j]) * bound[j];
    }
    double defect = (double)(fabsl(sum - scale / (long double)tree_gamma(&tree)) / fmaxl(1, size));
    if (!(defect <= worst)) worst = defect;
  } while (tree_next(&tree));
  return worst;
}
