/* SPDX-License-Identifier: Apache-2.0 */
/* ir_print.c -- a function as text, the grammar of which ir_parse.c gives.
 *
 *   function "velocity"
 *   input "t" [] t
 *   input "x" [2] s
 *   weight "net.0.weight" [64, 2] scope "net." part "weight" layer 0
 *   %0 = input 1 [2] s
 *   %1 = constant [2] - data 0.5 1
 *   %2 = view %0 [64, 2] s offset 0 strides 0 1
 *   ...
 *   result %7
 *
 * After a shape stands the mask: letters of w (weights), t, c (conditions), s (state), or `-`.  Everything is exact:
 * numbers have as many digits as it takes, equal neighbours in data are written once (`0*64` means 64 zeros). */
#include "ir.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void print_text(const char *text, FILE *to) {
  if (!text) {
    fputc('-', to);
    return;
  }
  fputc('"', to);
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c == '"' || *c == '\\') fprintf(to, "\\%c", *c);
    else if (*c < 32 || *c == 127) fprintf(to, "\\x%02x", *c);
    else fputc(*c, to);
  }
  fputc('"', to);
}

static void print_shape(const Shape *shape, FILE *to) {
  fputc('[', to);
  for (uint32_t k = 0; k < shape->rank; k++) fprintf(to, "%s%lld", k ? ", " : "", (long long)shape->dim[k]);
  fputc(']', to);
}

static void print_mask(uint8_t mask, FILE *to) {
  if (!mask) fputc('-', to);
  for (int bit = 0; bit < 4; bit++)
    if (mask & 1u << bit) fputc("wtcs"[bit], to);
}

static void print_place(Span at, FILE *to) {
  if (at.from || at.to) fprintf(to, " at %u:%u", (unsigned)at.from, (unsigned)at.to);
}

static bool same_bits(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

/* The shortest decimal that reads back as the same double; a NaN by its bits. */
static void print_number(double number, FILE *to) {
  char text[40];
  if (isnan(number)) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    fprintf(to, "nan:%016llx", (unsigned long long)bits);
    return;
  }
  for (int digits = 6; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, number);
    if (same_bits(strtod(text, NULL), number)) break;
  }
  fputs(text, to);
}

static void print_data(const double *data, int64_t count, FILE *to) {
  fputs(" data", to);
  for (int64_t i = 0; i < count;) {
    int64_t run = 1;
    while (i + run < count && same_bits(data[i], data[i + run])) run++;
    fputc(' ', to);
    print_number(data[i], to);
    if (run > 1) fprintf(to, "*%lld", (long long)run);
    i += run;
  }
}

static void print_map(const char *words, const IrMap *map, uint32_t axes, FILE *to) {
  fprintf(to, " %s %lld strides", words, (long long)map->offset);
  for (uint32_t k = 0; k < axes; k++) fprintf(to, " %lld", (long long)map->stride[k]);
}

/* What belongs to one operation alone. */
static void print_attributes(const IrNode *node, FILE *to) {
  switch (node->op) {
  case IR_constant: print_data(node->data, shape_count(&node->shape), to); break;
  case IR_view: print_map("offset", &node->map, node->shape.rank, to); break;
  case IR_concat: fprintf(to, " axis %u", (unsigned)node->axis); break;
  case IR_standardize:
    fputs(" eps ", to);
    print_number(node->number, to);
    break;
  case IR_contract:
    fputs(" sums", to);
    for (uint32_t k = 0; k < node->sums; k++) fprintf(to, " %lld", (long long)node->extent[k]);
    print_map("a", &node->map, node->shape.rank + node->sums, to);
    print_map("b", &node->map_b, node->shape.rank + node->sums, to);
    break;
  default: break;
  }
}

static void print_node(const IrFunction *f, Ref i, FILE *to) {
  const IrNode *node = &f->node[i];
  fprintf(to, "%%%u = %s", (unsigned)i, ir_op_name[node->op]);
  if (node->op == IR_input || node->op == IR_weight) fprintf(to, " %u", (unsigned)node->slot);
  for (uint32_t j = 0; j < node->args; j++) fprintf(to, " %%%u", (unsigned)node->arg[j]);
  fputs(node->truth ? " truth " : " ", to);
  print_shape(&node->shape, to);
  fputc(' ', to);
  print_mask(node->mask, to);
  print_attributes(node, to);
  print_place(node->at, to);
  fputc('\n', to);
}

static void print_weight(const IrWeight *weight, FILE *to) {
  fputs("weight ", to);
  print_text(weight->name, to);
  fputc(' ', to);
  print_shape(&weight->shape, to);
  fputs(" scope ", to);
  print_text(weight->scope, to);
  fputs(" part ", to);
  print_text(weight->part, to);
  fprintf(to, " layer %u%s", (unsigned)weight->layer, weight->labelled ? " labelled" : "");
  print_place(weight->at, to);
  fputc('\n', to);
}

void ir_print(const IrFunction *f, FILE *to) {
  fputs(f->frozen ? "frozen function " : "function ", to);
  print_text(f->name, to);
  fputc('\n', to);
  for (uint32_t i = 0; i < f->inputs; i++) {
    fputs("input ", to);
    print_text(f->input[i].name, to);
    fputc(' ', to);
    print_shape(&f->input[i].shape, to);
    fputc(' ', to);
    print_mask(f->input[i].mask, to);
    fputc('\n', to);
  }
  for (uint32_t i = 0; i < f->weights; i++) print_weight(&f->weight[i], to);
  for (Ref i = 0; i < f->nodes; i++) print_node(f, i, to);
  fprintf(to, "result %%%u\n", (unsigned)f->result);
}
