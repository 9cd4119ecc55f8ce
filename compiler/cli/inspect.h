/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.h -- the parts of `flowc inspect`: arrays, programs, compiled programs. */
#ifndef FLOWC_INSPECT_H
#define FLOWC_INSPECT_H
#include "run.h"
#include "tensor.h"

int inspect_arrays(const Run *run, const char *path);
/* Nothing of the file is loaded or run: its description is found and shown. */
int inspect_library(const Run *run, const char *path);
int inspect_program(const Run *run, const char *path);
/* A .flow program with every tensor's name in it, for a person to complete. */
void print_skeleton(FILE *to, const char *path, const FlowTensors *tensors);

#endif
