/* SPDX-License-Identifier: Apache-2.0 */
/* gnuplot.h -- the same pictures as files: a gnuplot that is installed draws them, and what it prints becomes the file.
 *
 * No word of the user's goes into the script: it holds numbers and our own commands, and the file's name stays with us. */
#ifndef FLOW_GNUPLOT_H
#define FLOW_GNUPLOT_H
#include <stddef.h>
#include "flow/status.h"
#include "plot.h"

typedef enum {
  PICTURE_POINTS,    /* rows x, y */
  PICTURE_CURVE,     /* rows x, y */
  PICTURE_BARS,      /* rows x, y */
  PICTURE_ARROWS,    /* rows x, y, dx, dy */
  PICTURE_HEAT,      /* rows x, y, value; [down][across] of them */
  PICTURE_SHADES,    /* the same, grey and without axes: images */
  PICTURE_FRAMES,    /* rows x, y; `across` of them a frame of a .gif */
  PICTURE_PATHS,     /* rows x, y; `across` of them a path */
  PICTURE_PAIRS      /* rows of `across` numbers: each component against each, and by itself */
} PictureKind;

typedef struct Picture {
  PictureKind kind;
  const double *number; /* [rows][columns of the kind] */
  size_t rows, across;  /* across: of HEAT, SHADES, FRAMES, PATHS and PAIRS */
  PlotFrame frame;      /* of PAIRS none; an axis without one fits itself */
} Picture;

/* Is it one by its suffix: .png, .svg, .pdf or .gif? */
bool gnuplot_is_picture(const char *path);
/* BAD_CALL for another suffix. */
flow_status gnuplot_check(const char *path, flow_error *error);
/* The file appears whole or not at all.  BAD_CALL where there is no gnuplot. */
flow_status gnuplot_draw(const Picture *picture, const char *path, flow_error *error);

#endif
