/* SPDX-License-Identifier: Apache-2.0 */
/* tile_print.c -- the tile program as text, for --emit=tile and for reading. */
#include <inttypes.h>
#include "tile.h"

static const char *const home_name[] = {"register", "constant", "weights", "time",   "x",
                                        "conditions", "times",    "cond",    "output", "scratch"};
static const char *const kind_name[] = {"mm", "loop", "straight", "lookup", "matrix", "gradient"};

static void print_shape(const Shape *shape, FILE *to) {
  fputc('[', to);
  for (uint32_t k = 0; k < shape->rank; k++) fprintf(to, "%s%" PRId64, k ? ", " : "", shape->dim[k]);
  fputc(']', to);
}

static void print_op(const TileProgram *p, TileSectionId section, const TileOp *op, FILE *to) {
  const IrNode *node = &p->ir->node[op->node];
  fprintf(to, "    %%%u", op->node);
  print_shape(&node->shape, to);
  fprintf(to, " = %s", ir_op_name[node->op]);
  for (uint32_t i = 0; i < node->args; i++) {
    Ref base = op->operand[i].base;
    TilePlace place = p->place[base][section];
    fprintf(to, "%s %%%u:%s", i ? "," : "", base, home_name[place.home]);
    if (place.home != HOME_NOWHERE && place.home != HOME_CONSTANT) fprintf(to, "+%" PRId64, place.at);
  }
  TilePlace place = p->place[op->node][section];
  if (op->stored) fprintf(to, " -> %s+%" PRId64, home_name[place.home], place.at);
  fputc('\n', to);
}

void tile_print(const TileProgram *p, FILE *to) {
  fprintf(to, "tile program: dim %" PRId64 ", blob %" PRIu64 " bytes, %u pieces\n", p->dim, p->blob_bytes, p->packs);
  for (int s = 0; s < TILE_SECTIONS; s++) {
    const TileSection *section = &p->section[s];
    if (!section->statements && (s == TILE_DERIVE || s == TILE_QUIET)) continue;
    fprintf(to, "section %s: scratch %" PRId64 " rows, output %" PRId64 " rows, %" PRIu64 " multiply-adds\n", tile_section_name[s],
            section->scratch_rows, section->output_rows, section->multiply_adds);
    for (uint32_t k = 0; k < section->statements; k++) {
      const TileStatement *statement = &section->statement[k];
      fprintf(to, "  %s ", kind_name[statement->kind]);
      if (statement->kind == TILE_MM && statement->copies > 1) fprintf(to, "%" PRId64 " x ", statement->copies);
      if (statement->kind == TILE_MM) fprintf(to, "[%" PRId64 " x %" PRId64 "]", statement->rows, statement->columns);
      else if (statement->kind != TILE_STRAIGHT) print_shape(&statement->space, to);
      fputc('\n', to);
      for (uint32_t i = 0; i < statement->ops; i++) print_op(p, (TileSectionId)s, &statement->op[i], to);
    }
  }
}
