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

/* e^-depth of the greatest density is the floor of a map. */
#define PLOT_LOG_DENSITY_DEPTH 12.0

/* plot_file.c: an array as --as says, or as fits it; on the terminal, or into the file of -o. */
int plot_tensor(const Run *run, const FlowTensor *tensor);
int plot_file(const Run *run, const char *path);

/* plot_log.c: the loss over the first column, freed by the caller; false where the file is no such log. */
bool plot_log_read(const char *path, double **x, double **y, size_t *count);


/* An empty file of its own for a while; removed and freed by temporary_end.  NULL after a message. */
char *temporary_begin(const Run *run, const char *suffix);
void temporary_end(char *path);

/* picture_verbs.c: `sample`, `logp` and `trajectory` whose result is a picture: -o is one, or logp has --plot. */
bool is_picture_verb(const Run *run);
int picture_verb(const Run *run);

#endif
