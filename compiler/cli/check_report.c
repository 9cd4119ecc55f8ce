/* SPDX-License-Identifier: Apache-2.0 */
#include "check_report.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
  NAME_CELLS = 40,   /* of the column of names; what is longer is cut, and the line of a failure shows all of it */
  FEW = 2, MANY = 12 /* numbers of a value that are shown beside a check that holds, and one that does not */
};

void tally_add(Tally *tally, const Verify *verify) {
  tally->passed += verify_count(verify, VERIFY_PASS);
  tally->failed += verify_count(verify, VERIFY_FAIL);
  tally->skipped += verify_count(verify, VERIFY_SKIPPED);
}

/* ---- text -------------------------------------------------------------------------------------------------------------------- */

static void print_verdict_word(const Run *run, VerifyVerdict verdict) {
  static const char *const word[] = {[VERIFY_PASS] = "PASS", [VERIFY_FAIL] = "FAIL", [VERIFY_SKIPPED] = "SKIP"};
  static const char *const paint[] = {[VERIFY_PASS] = "\x1b[32m", [VERIFY_FAIL] = "\x1b[1;31m", [VERIFY_SKIPPED] = "\x1b[33m"};
  bool colour = run->terminal.colour_out;
  printf("  %s%s%s  ", colour ? paint[verdict] : "", word[verdict], colour ? "\x1b[0m" : "");
}

/* Characters, not bytes: good enough for a column. */
static int cells(const char *text) {
  int count = 0;
  for (; *text; text++) count += (*text & 0xc0) != 0x80;
  return count;
}

static void print_name(const VerifyLine *line) {
  char name[8 * NAME_CELLS];
  size_t bytes = 0;
  int count = cells(line->what);
  snprintf(name, sizeof name, "%s", line->what);
  for (int seen = 0; count > NAME_CELLS && name[bytes]; bytes++) {
    seen += (name[bytes] & 0xc0) != 0x80;
    if (seen > NAME_CELLS - 3) break;
  }
  if (count > NAME_CELLS) snprintf(name + bytes, sizeof name - bytes, "...");
  print_foreign(stdout, name);
  for (int i = count; i < NAME_CELLS; i++) putchar(' ');
}

static void print_value(const VerifyValue *value, int most) {
  int64_t count = shape_count(&value->shape);
  print_foreign(stdout, value->name);
  printf(value->shape.rank ? " = [" : " = ");
  bool all = count <= 2 * most;
  for (int64_t i = 0; i < count && (all || i < most); i++) printf("%s%.6g", i ? ", " : "", value->number[i]);
  if (!all) printf(", ... %" PRId64 " numbers", count);
  if (value->shape.rank) putchar(']');
}

static void print_point(const VerifyLine *line, int most) {
  for (uint32_t i = 0; i < line->values; i++) {
    fputs(i ? ", " : "at ", stdout);
    print_value(&line->value[i], most);
  }
}

/* "worst 2.2e-16 <= 1e-09 relative" */
static void print_measure(const VerifyLine *line) {
  const char *relation = line->verdict == VERIFY_FAIL ? ">" : "<=";
  bool strange = line->has_sides && (isnan(line->left) || isnan(line->right));
  if (strange && line->verdict == VERIFY_FAIL) printf("not a number");
  else if (line->measure == VERIFY_RELATIVE) printf("worst %.2g %s %.2g %s", line->worst, relation, line->bound, line->reason);
  else if (line->measure == VERIFY_MARGIN) printf("least margin %.3g, %s", line->worst, line->reason);
  if (line->measure == VERIFY_FINITE) printf("%" PRIu64 " not finite, %s", line->failed, line->reason);
  if (line->measure == VERIFY_COUNT) printf("%" PRIu64 " differ, %s", line->failed, line->reason);
}

static void print_passed(const VerifyLine *line) {
  print_measure(line);
  printf("; %" PRIu64 " point%s", line->points, line->points == 1 ? "" : "s");
  if (line->remark) printf(", %s", line->remark);
  if (line->values) printf("; ");
  print_point(line, FEW);
  putchar('\n');
}

/* A NaN has a sign, which says nothing. */
static void print_side(const char *name, double value) {
  if (isnan(value)) printf("%snan", name);
  else printf("%s%.17g", name, value);
}

static void print_failed(const Run *run, const Program *program, const VerifyLine *line) {
  if (line->measure == VERIFY_NOTHING) printf("%s", line->reason);
  else printf("at %" PRIu64 " of %" PRIu64 " point%s", line->failed, line->points, line->points == 1 ? "" : "s");
  if (line->remark) printf(", %s", line->remark);
  putchar('\n');
  if (line->at.to > line->at.from)
    diag_print_line(flow_compiled_diagnostics(program->compiled), line->at, stdout, run->terminal.colour_out);
  if (line->measure == VERIFY_NOTHING) return;
  fputs("        ", stdout);
  print_measure(line);
  putchar('\n');
  if (line->values) {
    fputs("        ", stdout);
    print_point(line, MANY);
    putchar('\n');
  }
  if (!line->has_sides) return;
  fputs("        ", stdout);
  if (line->element >= 0) printf("element %" PRId64 ": ", line->element);
  print_side("left ", line->left);
  print_side(", right ", line->right);
  putchar('\n');
}

void print_checks(const Run *run, const Program *program, const char *title, const Verify *verify) {
  const VerifyLine *line = verify_lines(verify);
  if (!line) return;
  print_foreign(stdout, title);
  putchar('\n');
  for (; line; line = line->next) {
    print_verdict_word(run, line->verdict);
    print_name(line);
    fputs("  ", stdout);
    if (line->verdict == VERIFY_SKIPPED) printf("%s\n", line->reason);
    if (line->verdict == VERIFY_PASS) print_passed(line);
    if (line->verdict == VERIFY_FAIL) print_failed(run, program, line);
  }
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------------- */

static void member(FILE *to, const char *name, double value) {
  fprintf(to, ", \"%s\": ", name);
  print_json_number(to, value);
}

static void text_member(FILE *to, const char *name, const char *text) {
  fprintf(to, ", \"%s\": ", name);
  if (text) print_json_text(to, text);
  else fputs("null", to);
}

static void print_point_json(FILE *to, const VerifyLine *line) {
  fputs(", \"at\": {", to);
  for (uint32_t i = 0; i < line->values; i++) {
    const VerifyValue *value = &line->value[i];
    int64_t count = shape_count(&value->shape);
    if (i) fputs(", ", to);
    print_json_text(to, value->name);
    fputs(value->shape.rank ? ": [" : ": ", to);
    for (int64_t e = 0; e < count; e++) {
      if (e) fputs(", ", to);
      print_json_number(to, value->number[e]);
    }
    if (value->shape.rank) fputc(']', to);
  }
  fputc('}', to);
}

void print_checks_json(FILE *to, const char *of, const Verify *verify, const char **between) {
  static const char *const word[] = {[VERIFY_PASS] = "pass", [VERIFY_FAIL] = "fail", [VERIFY_SKIPPED] = "skipped"};
  for (const VerifyLine *line = verify_lines(verify); line; line = line->next, *between = ", ") {
    fprintf(to, "%s{\"verdict\": \"%s\", \"of\": ", *between, word[line->verdict]);
    if (of) print_json_text(to, of);
    else fputs("null", to);
    text_member(to, "check", line->what);
    text_member(to, "reason", line->reason);
    text_member(to, "remark", line->remark);
    fprintf(to, ", \"points\": %" PRIu64 ", \"failed\": %" PRIu64, line->points, line->failed);
    member(to, "worst", line->worst);
    member(to, "bound", line->bound);
    if (line->has_sides) {
      member(to, "left", line->left);
      member(to, "right", line->right);
    }
    if (line->element >= 0) fprintf(to, ", \"element\": %" PRId64, line->element);
    print_point_json(to, line);
    fputc('}', to);
  }
}
