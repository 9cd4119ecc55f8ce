/* SPDX-License-Identifier: Apache-2.0 */
/* canvas.h -- dots in characters: what quiver.c, heatmap.c and curve.c draw on.
 *
 * A braille character (U+2800 and up) holds 2 x 4 dots, in ASCII a character is one dot; row 0 is at the top.  A character may
 * have a background colour, a colour, or a sign of its own in place of its dots. */
#ifndef FLOWC_CANVAS_H
#define FLOWC_CANVAS_H
#include "plot.h"
#include <stdint.h>

typedef struct CanvasCell {
  unsigned sign;             /* 0: the dots */
  uint8_t colour, background; /* of the 256 of a terminal; 0: none */
} CanvasCell;

typedef struct Canvas {
  int columns, rows; /* characters */
  int across, down;  /* dots */
  bool ascii, colour;
  uint8_t *dot;      /* [down][across] */
  CanvasCell *cell;  /* [rows][columns] */
} Canvas;

/* As wide as the style allows, up to `most` columns; `shape`: height over width of what is drawn, 0 for whatever looks well.
 * false: memory is out. */
bool canvas_open(Canvas *canvas, PlotStyle style, PlotFrame frame, double shape);
void canvas_free(Canvas *canvas);
void canvas_set(Canvas *canvas, int across, int down); /* outside: nothing happens */
void canvas_line(Canvas *canvas, double x0, double y0, double x1, double y1); /* in dots */
/* The rows with axes, labelled by the frame. */
void canvas_put(PlotText *to, const Canvas *canvas, PlotFrame frame);

/* Dark violet to yellow for 0 .. 1, in the terminal's 256 colours. */
uint8_t canvas_colour(double share);

#endif
