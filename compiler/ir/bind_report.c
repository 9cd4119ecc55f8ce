/* SPDX-License-Identifier: Apache-2.0 */
/* bind_report.c -- how a weights file that does not fit is told: both columns side by side.
 *
 *     program                   file
 *     net.0.weight  [64, 3]     net.0.weight  [3, 64]     transposed
 *     net.0.bias    [64]        -                         likely net.1.bias
 *     -                         net.1.bias    [64]        not used
 *
 * Rows that fit are counted, not shown; of the others the first MOST_ROWS. */
#include "bind_names.h"
#include <stdarg.h>
#include <string.h>
#include "printable.h"

enum { MOST_ROWS = 40 };

/* A name from the file as one short printable line: it may hold what a terminal obeys. */
static const char *shown(Arena *arena, const char *name) {
  FlowPrintable quoted = flow_printable_name(name);
  return arena_text(arena, quoted.text + 1, strlen(quoted.text) - 2);
}

typedef struct Row { const char *program, *file, *remark; } Row;
typedef struct Table { Arena *arena; Row *row; uint32_t rows; } Table;

static void add_row(Table *table, const char *program, const char *file, const char *remark) {
  table->row = bind_room(table->arena, table->row, table->rows, sizeof *table->row);
  table->row[table->rows++] = (Row){program, file, remark};
}

static int width_of(const Table *table, const char *const *heading, int column) {
  size_t width = strlen(heading[column]);
  for (uint32_t i = 0; i < table->rows && i < MOST_ROWS; i++) {
    const char *text = column ? table->row[i].file : table->row[i].program;
    if (strlen(text) > width) width = strlen(text);
  }
  return (int)width;
}

static const char *table_text(const Table *table) {
  static const char *const heading[] = {"program", "file"};
  int left = width_of(table, heading, 0), right = width_of(table, heading, 1);
  const char *text = arena_format(table->arena, "%-*s   %s", left, heading[0], heading[1]);
  for (uint32_t i = 0; i < table->rows && i < MOST_ROWS; i++) {
    const Row *row = &table->row[i];
    text = arena_format(table->arena, "%s\n        %-*s   %-*s   %s", text, left, row->program, right, row->file, row->remark);
  }
  if (table->rows > MOST_ROWS) text = arena_format(table->arena, "%s\n        and %u more", text, table->rows - MOST_ROWS);
  return text;
}

/* ---- likely pairs ---------------------------------------------------------------------------------------------------- */
static size_t common_end(const char *a, const char *b) {
  size_t x = strlen(a), y = strlen(b), n = 0;
  while (n < x && n < y && a[x - 1 - n] == b[y - 1 - n]) n++;
  return n;
}

/* The free tensor of the weight's shape whose name ends most like the one wanted; -1 where there is none. */
static int64_t likely_tensor(const Binding *b, uint32_t weight, const bool *taken) {
  const char *wanted = b->wanted[weight] ? b->wanted[weight] : b->f->weight[weight].part ? b->f->weight[weight].part : "";
  int64_t best = -1;
  size_t score = 0;
  for (uint32_t i = 0; i < b->tensors->count; i++) {
    const FlowTensor *tensor = &b->tensors->tensor[i];
    if (b->used[i] || taken[i] || !bind_same_shape(&b->f->weight[weight], tensor)) continue;
    size_t here = 1 + common_end(wanted, tensor->name);
    if (here > score) {
      score = here;
      best = i;
    }
  }
  return best;
}

/* ---- rows ------------------------------------------------------------------------------------------------------------ */
static const char *program_text(const Binding *b, uint32_t i) {
  const IrWeight *w = &b->f->weight[i];
  const char *shape = bind_shape_text(b->arena, &w->shape);
  if (b->wanted[i]) return arena_format(b->arena, "%s %s", shown(b->arena, b->wanted[i]), shape);
  return arena_format(b->arena, "layer %u of `%s`: %s %s", w->layer + 1, shown(b->arena, w->scope), w->part ? w->part : "tensor", shape);
}

static const char *file_text(const Binding *b, const FlowTensor *tensor) {
  return arena_format(b->arena, "%s %s %s", shown(b->arena, tensor->name), bind_tensor_shape_text(b->arena, tensor), bind_type_name(tensor->type));
}

static const char *misfit(const Binding *b, const IrWeight *w, const FlowTensor *tensor) {
  if (!bind_same_shape(w, tensor)) {
    if (bind_transposed(w, tensor)) return "transposed: a layer's weight is [out, in]";
    return "another shape";
  }
  return bind_is_float(tensor->type) ? NULL : arena_format(b->arena, "%s is no type for weights", bind_type_name(tensor->type));
}

typedef struct Counts { uint32_t missing, unfit, unused; } Counts;

static Counts fill_table(const Binding *b, Table *table) {
  Counts counts = {0};
  bool *taken = arena_array(b->arena, b->tensors->count, sizeof *taken);
  for (uint32_t i = 0; i < b->f->weights; i++) {
    const FlowTensor *tensor = b->found[i] < 0 ? NULL : &b->tensors->tensor[b->found[i]];
    const char *wrong = tensor ? misfit(b, &b->f->weight[i], tensor) : NULL;
    if (tensor && !wrong) continue;
    if (tensor) {
      counts.unfit++;
      add_row(table, program_text(b, i), file_text(b, tensor), wrong);
      continue;
    }
    counts.missing++;
    int64_t likely = likely_tensor(b, i, taken);
    if (likely >= 0) taken[likely] = true;
    counts.unused += likely >= 0 && bind_counts(b, (uint32_t)likely);
    add_row(table, program_text(b, i), likely < 0 ? "-" : file_text(b, &b->tensors->tensor[likely]),
            likely < 0 ? "missing" : "missing; likely this");
  }
  for (uint32_t i = 0; i < b->tensors->count; i++) {
    if (b->used[i] || taken[i] || !bind_counts(b, i)) continue;
    counts.unused++;
    add_row(table, "-", file_text(b, &b->tensors->tensor[i]), "not used");
  }
  return counts;
}

/* ---- the prefix ------------------------------------------------------------------------------------------------------ */
/* What would stand before the first wanted name if that was the only mistake; NULL where nothing ends in it. */
static const char *likely_prefix(const Binding *b) {
  size_t prefix = strlen(b->prefix);
  for (uint32_t w = 0; w < b->f->weights; w++) {
    if (!b->wanted[w] || strncmp(b->wanted[w], b->prefix, prefix) != 0) continue;
    const char *rest = b->wanted[w] + prefix;
    for (uint32_t i = 0; i < b->tensors->count; i++) {
      const char *name = b->tensors->tensor[i].name;
      size_t length = strlen(name), tail = strlen(rest);
      bool whole_part = length == tail || (length > tail && name[length - tail - 1] == '.');
      if (whole_part && strcmp(name + length - tail, rest) == 0)
        return arena_text(b->arena, name, length - tail);
    }
  }
  return NULL;
}

/* The parts with which all names begin: "model.net." */
static const char *common_prefix(const Binding *b) {
  if (b->tensors->count == 0) return "";
  const char *first = b->tensors->tensor[0].name;
  size_t common = strlen(first), last = 0;
  for (uint32_t i = 1; i < b->tensors->count; i++) {
    size_t n = 0;
    while (n < common && b->tensors->tensor[i].name[n] == first[n]) n++;
    common = n;
  }
  for (size_t n = 0; n < common; n++) {
    bool number = n > last && first[n] == '.' && strspn(first + last, "0123456789") == n - last;
    if (number) break; /* net.0. is no prefix of a network, net. is */
    if (first[n] == '.') last = n + 1;
  }
  return arena_text(b->arena, first, last);
}

static bool nothing_behind_prefix(const Binding *b) {
  for (uint32_t i = 0; i < b->tensors->count; i++)
    if (bind_counts(b, i)) return false;
  return true;
}

/* ---- the messages ------------------------------------------------------------------------------------------------------ */
/* Into the list, or where there is none into the words of the status. */
static Diag *report(Diagnostics *diagnostics, flow_error *error, Span at, const char *text) {
  if (diagnostics) return diag_error(diagnostics, E0903, at, "%s", text);
  flow_fail(error, FLOW_BAD_INPUT, "%s", text);
  return NULL;
}

static void help(Diagnostics *diagnostics, Diag *diag, const char *format, ...) {
  if (!diag) return;
  va_list args;
  va_start(args, format);
  char text[512];
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  diag_help(diagnostics, diag, "%s", text);
}

static Span first_place(const Binding *b) {
  for (uint32_t i = 0; i < b->f->weights; i++)
    if (b->found[i] < 0 || misfit(b, &b->f->weight[i], &b->tensors->tensor[b->found[i]])) return b->f->weight[i].at;
  return b->f->weights ? b->f->weight[0].at : (Span){0};
}

static const char *counted(Arena *arena, const char *text, uint32_t count, const char *one, const char *many) {
  if (!count) return text;
  return arena_format(arena, "%s%s%u %s", text, *text ? ", " : "", count, count == 1 ? one : many);
}

void bind_report_misfit(const Binding *b, Diagnostics *diagnostics, flow_error *error) {
  Table table = {.arena = b->arena};
  Counts counts = fill_table(b, &table);
  const char *text = counted(b->arena, "", counts.missing, "tensor of the program is missing", "tensors of the program are missing");
  text = counted(b->arena, text, counts.unfit, "does not fit", "do not fit");
  text = counted(b->arena, text, counts.unused, "tensor of the file is not used", "tensors of the file are not used");
  Diag *diag = report(diagnostics, error, first_place(b), arena_format(b->arena, "the weights do not fit the layers: %s", text));
  if (diag) diag_help(diagnostics, diag, "side by side, less what fits:\n        %s", table_text(&table));
  if (nothing_behind_prefix(b)) {
    const char *likely = likely_prefix(b);
    if (!likely) likely = common_prefix(b);
    if (*b->prefix && b->tensors->count)
      help(diagnostics, diag, "no tensor's name begins with `%s`; did you mean prefix \"%s\"?", shown(b->arena, b->prefix),
           shown(b->arena, likely));
    if (!b->tensors->count) help(diagnostics, diag, "the file holds no tensors");
  } else if (counts.missing && !counts.unfit && likely_prefix(b) && strcmp(likely_prefix(b), b->prefix) != 0) {
    help(diagnostics, diag, "did you mean prefix \"%s\"?", shown(b->arena, likely_prefix(b)));
  }
  if (counts.unused && !counts.missing)
    help(diagnostics, diag, "`skip \"NAME\"` after `weights` excuses a tensor from use");
}

/* ---- order refused ------------------------------------------------------------------------------------------------------- */
static Span first_refused(const Binding *b) {
  for (uint32_t i = 0; i < b->refused_stems; i++)
    if (b->refused_layer[i]) return b->refused_layer[i]->at;
  return (Span){0};
}

/* Whether the tensor of this stem has the shape of the layer's. */
static bool stem_fits(const Binding *b, const char *stem, const IrWeight *w) {
  const char *name = arena_format(b->arena, "%s%s%s%s", b->refused_scope, stem, w->part ? "." : "", w->part ? w->part : "");
  const FlowTensor *tensor = flow_tensors_find(b->tensors, name);
  return tensor && bind_same_shape(w, tensor);
}

/* The stems that could be this layer's, quoted: the first that no layer before it was given, and the rest as
 * alternatives. */
static const char *candidates(const Binding *b, const IrWeight *w, bool *given, const char **first) {
  uint32_t stems = b->refused_stems, likely = stems;
  for (uint32_t i = stems; i-- > 0;) {
    const char *stem = b->refused_stem[i];
    if (stem && stem_fits(b, stem, w) && (likely == stems || !given[i] || given[likely])) likely = i;
  }
  *first = likely < stems ? shown(b->arena, b->refused_stem[likely]) : NULL;
  if (*first) given[likely] = true;
  const char *others = "";
  for (uint32_t i = 0; i < stems; i++) {
    const char *stem = b->refused_stem[i];
    if (i == likely || !stem || !stem_fits(b, stem, w)) continue;
    others = arena_format(b->arena, "%s, or \"%s\"", others, shown(b->arena, stem));
  }
  return others;
}

/* The layer as it stands in the program, with the name in its place: after the sizes, before `no bias`. */
static const char *with_name(const Binding *b, const Diagnostics *diagnostics, const IrWeight *w, const char *name) {
  const Source *source = source_of(diagnostics->sources, w->at);
  if (!source || w->at.to < w->at.from) return arena_format(b->arena, "... \"%s\"", name);
  const char *text = arena_text(b->arena, source->text + (w->at.from - source->base), w->at.to - w->at.from);
  const char *flag = strstr(text, " no bias"), *last = flag;
  while (flag) {
    last = flag;
    flag = strstr(flag + 1, " no bias");
  }
  if (!last || last[strlen(" no bias")]) last = text + strlen(text);
  return arena_format(b->arena, "%.*s \"%s\"%s", (int)(last - text), text, name, last);
}

void bind_report_order(const Binding *b, Diagnostics *diagnostics, flow_error *error) {
  const char *behind = *b->refused_scope ? arena_format(b->arena, " behind `%s`", shown(b->arena, b->refused_scope)) : "";
  const char *text = arena_format(b->arena,
                                  "layers without names cannot be told apart by order: the names of the tensors%s differ "
                                  "in more than numbers",
                                  behind);
  Diag *diag = report(diagnostics, error, first_refused(b), text);
  if (!diag) return;
  bool *given = arena_array(b->arena, b->refused_stems, sizeof *given);
  for (uint32_t i = 0; i < b->refused_stems; i++) {
    const IrWeight *w = b->refused_layer[i];
    const char *first, *others = w ? candidates(b, w, given, &first) : "";
    if (!w) continue;
    if (first) diag_note(diagnostics, diag, w->at, "give it its name: `%s`%s", with_name(b, diagnostics, w, first), others);
    else diag_note(diagnostics, diag, w->at, "no tensor has the shape of this one, %s", bind_shape_text(b->arena, &w->shape));
  }
}
