/* SPDX-License-Identifier: Apache-2.0 */
#include "failure.h"
#include <inttypes.h>
#include <stdio.h>

enum { SHOWN = 4 };     /* numbers of a state */

static bool place_of(const Program *program, const Failure *failure, Span *at, Place *place) {
  if (!failure->has_culprit) return false;
  *at = flow_compiled_ir(program->compiled, true)->node[failure->culprit.node].at;
  if (at->from == at->to) return false;
  *place = source_place(flow_compiled_diagnostics(program->compiled)->sources, at->from);
  return place->source != NULL;
}

static void print_point(FILE *to, const Failure *failure) {
  for (uint64_t c = 0; c < failure->dim && c < SHOWN; c++) fprintf(to, "%s%.6g", c ? ", " : "", failure->x[c]);
  if (failure->dim > SHOWN) fputs(", ...", to);
}

void failure_print(const Run *run, const Program *program, const Failure *failure) {
  if (failure->status == FLOW_SAMPLE_OK) return;
  fprintf(stderr, "sample %" PRIu64, failure->sample);
  if (failure->x) {
    fprintf(stderr, " at t = %.9g, x = [", failure->t);
    print_point(stderr, failure);
    fputc(']', stderr);
  }
  fputs(": ", stderr);
  print_foreign(stderr, failure->words);
  if (failure->culprit.layer[0]) {
    fputs(", in the layer `", stderr);
    print_foreign(stderr, failure->culprit.layer);
    fputc('`', stderr);
  }
  fputc('\n', stderr);
  Span at;
  Place place;
  if (!place_of(program, failure, &at, &place)) return;
  fputs("  ", stderr);
  print_foreign(stderr, place.source->name);
  fprintf(stderr, ":%" PRIu32 ":%" PRIu32 "\n", place.line, place.column);
  diag_print_line(flow_compiled_diagnostics(program->compiled), at, stderr, run->terminal.colour_error);
}

void failure_print_json(const Program *program, const Failure *failure) {
  Span at;
  Place place;
  if (failure->status == FLOW_SAMPLE_OK) return;
  fprintf(stderr, "{\"failure\": {\"sample\": %" PRIu64 ", \"status\": ", failure->sample);
  print_json_text(stderr, flow_sample_status_text(failure->status));
  if (failure->x) {
    fputs(", \"t\": ", stderr);
    print_json_number(stderr, failure->t);
    fputs(", \"x\": [", stderr);
    for (uint64_t c = 0; c < failure->dim; c++) {
      if (c) fputs(", ", stderr);
      print_json_number(stderr, failure->x[c]);
    }
    fputc(']', stderr);
  }
  fputs(", \"reason\": ", stderr);
  print_json_text(stderr, failure->words);
  if (failure->has_culprit)
    fprintf(stderr, ", \"operation\": \"%s\"", ir_op_name[flow_compiled_ir(program->compiled, true)->node[failure->culprit.node].op]);
  if (failure->culprit.layer[0]) {
    fputs(", \"layer\": ", stderr);
    print_json_text(stderr, failure->culprit.layer);
  }
  if (place_of(program, failure, &at, &place)) {
    fputs(", \"file\": ", stderr);
    print_json_text(stderr, place.source->name);
    fprintf(stderr, ", \"line\": %" PRIu32 ", \"column\": %" PRIu32, place.line, place.column);
  }
  fputs("}}\n", stderr);
}
