/* SPDX-License-Identifier: Apache-2.0 */
/* cells.h -- a line of text as a terminal shows it: how wide each character is, and what is printed in its stead. */
#ifndef FLOW_CELLS_H
#define FLOW_CELLS_H
#include <stdint.h>

typedef struct Cell {
  uint32_t bytes; /* at least 1 */
  uint32_t width; /* in terminal cells; 0 for a combining mark */
  int32_t point;  /* the code point; -1 for a byte that is no UTF-8 */
} Cell;

Cell cell_at(const char *text, uint32_t at, uint32_t length);

/* What stands for the character at `at` in print: itself, a space for a tab, `?` for what a terminal might obey. */
typedef struct CellText { char text[8]; } CellText;
CellText cell_text(const char *text, uint32_t at, Cell cell);

/* Bytes of the line break at `at` (CR LF, LF or CR): 0, 1 or 2. */
uint32_t line_break(const char *text, uint32_t at, uint32_t length);

/* Bytes of a byte order mark at the beginning: 0 or 3. */
uint32_t byte_order_mark(const char *text, uint32_t length);

/* The embeddings, overrides and isolates that make text look other than it is (Boucher and Anderson 2021). */
int is_direction_override(int32_t point);

#endif
