/* SPDX-License-Identifier: Apache-2.0 */
/* train_names.h -- the tensors of a program that has no weights file yet: their names, and what they begin with.
 *
 * NAMES.  Labels give them (lang/reference.md, Weights).  In a scope without labels the layers are called 0, 2, 4, .., as nn.Sequential
 * numbers layers with an activation behind each; where calls of networks with labels are among them, all are called 0, 1, 2, ..
 *
 * FIRST NUMBERS.  As PyTorch's modules: linear weight and bias uniform in +-1/sqrt(inputs) (its Kaiming rule with a = sqrt 5), layer_norm
 * 1 and 0, embedding standard normal; a `param` is uniform in +-1/sqrt(its last extent).  Others by name: xavier, uniform in
 * +-sqrt(6/(inputs + outputs)) and bias 0; normal X, of that deviation and bias 0; zeros. */
#ifndef FLOWC_TRAIN_NAMES_H
#define FLOWC_TRAIN_NAMES_H
#include "initial.h"
#include "ir.h"
#include "tensor.h"

typedef enum { INITIAL_KAIMING, INITIAL_XAVIER, INITIAL_NORMAL, INITIAL_ZEROS } InitialWay;

/* A file that would fit the program: names and shapes of its tensors, all numbers 0. */
flow_status train_tensors(const IrFunction *f, FlowTensors *tensors, flow_error *error);
/* rule: [f->weights] */
void train_initial(const IrFunction *f, InitialWay way, double scale, FlowInitial *rule);
/* Name, shape and first numbers of each. */
void train_print_names(const IrFunction *f, const FlowInitial *rule, FILE *to);

#endif
