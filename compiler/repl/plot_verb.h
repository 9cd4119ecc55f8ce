/* SPDX-License-Identifier: Apache-2.0 */
/* plot_verb.h -- what the files of `flowc plot` share. */
#ifndef FLOW_PLOT_VERB_H
#define FLOW_PLOT_VERB_H
#include "gnuplot.h"
#include "run.h"
#include "tensor.h"

enum { AS_FITTING, AS_SCATTER, AS_HISTOGRAM, AS_IMAGES, AS_PAIRS, AS_CURVE }; /* the words of --as */

PlotStyle plot_style(const Run *run);
/* Prints a picture's text and frees it; the exit status. */
int plot_show(const Run *run, char *text);

/* plot_file.c: an array as --as says, or as fits it; on the terminal, or into the file of -o. */
int plot_tensor(const Run *run, const FlowTensor *tensor);
int plot_file(const Run *run, const char *path);

#endif
