/* SPDX-License-Identifier: Apache-2.0 */
/* trees.h -- rooted trees, and what a Runge-Kutta method's weights sum up to on them.
 *
 * A method has order p if sum_j b_j phi_j(tree) = 1/gamma(tree) for every rooted tree of up to p nodes, where phi of a single
 * node is 1, phi of a tree is the product of A phi(branch) over the root's branches, and gamma is the product of the sizes of
 * all subtrees.  There are 1, 1, 2, 4, 9, 20, 48, 115 trees of 1 .. 8 nodes. */
#ifndef FLOW_TEST_TREES_H
#define FLOW_TEST_TREES_H
#include "tableau.h"

enum { MOST_NODES = 9 };

/* Nodes in depth-first order, each with its depth; of the many orders of branches the one whose depths are largest. */
typedef struct Tree {
  int nodes, depth[MOST_NODES];
} Tree;

Tree tree_first(int nodes);             /* the path */
bool tree_next(Tree *tree);             /* another one of as many nodes; false after the last, the star */
double tree_gamma(const Tree *tree);

/* All stages of a method, whatever they are for, in numbers of more digits than the table's. */
typedef struct Stages {
  uint32_t count;
  long double a[FLOW_MOST_STAGES][FLOW_MOST_STAGES], c[FLOW_MOST_STAGES];
} Stages;
Stages stages_of(const FlowTableau *tableau);

/* The largest |sum_j weight_j phi_j - scale/gamma| of all trees of exactly `nodes` nodes, in units of
 * max(1, sum_j |weight_j| phi_j of the absolute values), which bounds what rounding can do. */
double tree_defect(const Stages *stages, const long double *weight, int nodes, long double scale);

#endif
