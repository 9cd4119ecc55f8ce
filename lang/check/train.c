/* SPDX-License-Identifier: Apache-2.0 */
/* train.c -- the block `train { .. }` of a flow: clauses of a table of its own (train_clauses.def).
 *
 * Only some of its words part clauses on one line for the grammar (clause_words.def).  The others are values of the clause before them
 * until they come here: a value that is a word of the table begins a clause. */
#include <string.h>
#include "clause.h"
#include "constant.h"

typedef enum { TRAINS_WORD, TRAINS_NUMBER, TRAINS_COUNT, TRAINS_OTHER } TrainKind;
typedef struct TrainRow {
  const char *clause, *values, *words;
  TrainKind kind;
  size_t at;                    /* of its field in TypedTrain */
  double least, most;
} TrainRow;
static const TrainRow train_row[] = {
#define TRAIN_WORD(clause, values, help, words) {#clause, values, words, TRAINS_WORD, offsetof(TypedTrain, clause), 0, 0},
#define TRAIN_NUMBER(clause, values, help, field, least, most) {#clause, values, NULL, TRAINS_NUMBER, offsetof(TypedTrain, field), least, most},
#define TRAIN_COUNT(clause, values, help, field, least) {#clause, values, NULL, TRAINS_COUNT, offsetof(TypedTrain, field), least, 0},
#define TRAIN_OTHER(clause, values, help) {#clause, values, NULL, TRAINS_OTHER, 0, 0, 0},
#include "train_clauses.def"
#undef TRAIN_WORD
#undef TRAIN_NUMBER
#undef TRAIN_COUNT
#undef TRAIN_OTHER
};
enum { TRAIN_ROWS = sizeof train_row / sizeof *train_row, MOST_WORDS = 8 };

static int row_of(const char *name) {
  int row = 0;
  while (row < TRAIN_ROWS && strcmp(train_row[row].clause, name) != 0) row++;
  return row;
}

static const char *nearest_clause(const char *name) {
  const char *word[TRAIN_ROWS];
  for (int i = 0; i < TRAIN_ROWS; i++) word[i] = train_row[i].clause;
  return diag_nearest(name, word, TRAIN_ROWS);
}

static bool refuse_unknown(FlowReader *r, const char *name, Span at) {
  Checker *c = r->c;
  const char *near = nearest_clause(name), *list = "";
  Diag *diag = report(c, E0501, at, "`train` has no clause `%s`", name);
  if (near) {
    help(c, diag, "did you mean `%s`?", near);
    fix(c, diag, at, "%s", near);
    return false;
  }
  for (int i = 0; i < TRAIN_ROWS; i++) list = arena_format(c->arena, "%s%s%s", list, i ? ", " : "", train_row[i].clause);
  help(c, diag, "it has: %s", list);
  return false;
}

/* ---- values ---------------------------------------------------------------------------------------------------------- */

/* `batch 256 iteratons 10`: what is too much is perhaps a clause. */
static bool takes(FlowReader *r, const Ast *clause, const TrainRow *row, size_t least, size_t most) {
  const AstList *v = &clause->items;
  for (size_t i = most; i < v->count; i++)
    if (v->at[i] && v->at[i]->kind == AST_NAME && nearest_clause(v->at[i]->name)) return refuse_unknown(r, v->at[i]->name, v->at[i]->at);
  if (v->count >= least && v->count <= most) return true;
  return malformed(r, clause, arena_format(r->c->arena, "%s %s", row->clause, row->values));
}

static bool read_number(FlowReader *r, const Ast *clause, const Ast *value, double least, double most, double *number) {
  Checker *c = r->c;
  Typed *typed = constant_of_clause(r, value);
  if (!typed) return false;
  if (typed->shape.rank > 0) {
    report(c, E0504, typed->at, "`%s` takes a scalar, and this is %s", clause->name, shape_text(c->arena, &typed->shape));
    return false;
  }
  if (!constant_number(c, typed, 0, number)) return false;
  if (*number >= least && *number <= most) return true;
  report(c, E0504, typed->at, "`%s` lies between %g and %g, and this is %g", clause->name, least, most, *number);
  return false;
}

static bool read_count(FlowReader *r, const Ast *clause, const Ast *value, int64_t least, int64_t *count) {
  Checker *c = r->c;
  if (!resolve_value(c, r->definition, value) || !size_of(c, value, count)) return false;
  if (*count >= least) return true;
  report(c, E0504, value->at, "`%s` is at least %lld, and this is %lld", clause->name, (long long)least, (long long)*count);
  return false;
}

/* The word of a list `a|b|c` that the value is. */
static bool read_word(FlowReader *r, const Ast *clause, const Ast *value, const char *words, const char **word) {
  Checker *c = r->c;
  const char *known[MOST_WORDS], *list = "";
  uint32_t count = 0;
  for (const char *at = words; count < MOST_WORDS; at = strchr(at, '|') + 1) {
    size_t length = strcspn(at, "|");
    known[count] = arena_text(c->arena, at, length);
    if (is_word(value, known[count])) return *word = known[count], true;
    list = arena_format(c->arena, "%s%s%s", list, count ? ", " : "", known[count]);
    count++;
    if (!at[length]) break;
  }
  const char *near = value->kind == AST_NAME ? diag_nearest(value->name, known, count) : NULL;
  Diag *diag = report(c, E0504, value->at, "`%s` knows no `%s`", clause->name, text_of(c, value->at));
  if (near) fix(c, diag, value->at, "%s", near);
  help(c, diag, "there are: %s", list);
  return false;
}

/* optimiser adam, adam 1e-3, adam(1e-3) */
static bool read_optimiser(FlowReader *r, const Ast *clause, const TrainRow *row, TypedTrain *train) {
  static const char words[] = "adam|adamw|sgd";
  if (!takes(r, clause, row, 1, 2)) return false;
  const Ast *name = clause->items.at[0], *rate = clause->items.count > 1 ? clause->items.at[1] : NULL;
  if (name->kind == AST_CALL && clause->items.count == 1 && name->items.count == 1 && !name->extra.count) {
    rate = name->items.at[0];
    name = name->function;
  }
  return read_word(r, clause, name, words, &train->optimiser) && (!rate || read_number(r, clause, rate, 1e-300, 1e6, &train->rate));
}

static bool read_initial(FlowReader *r, const Ast *clause, const TrainRow *row, TypedTrain *train) {
  if (!takes(r, clause, row, 1, 2) || !read_word(r, clause, clause->items.at[0], "kaiming|xavier|normal|zeros", &train->initial)) return false;
  bool scaled = strcmp(train->initial, "normal") == 0;
  if ((clause->items.count == 2) != scaled) return malformed(r, clause, "initial kaiming`, `xavier`, `normal 0.02` or `zeros");
  return !scaled || read_number(r, clause, clause->items.at[1], 0, 1e6, &train->initial_scale);
}

static bool read_data(FlowReader *r, const Ast *clause, const TrainRow *row, TypedTrain *train) {
  if (!takes(r, clause, row, 1, 1)) return false;
  if (!is_text(clause->items.at[0])) return malformed(r, clause, "data \"points.npy\"");
  train->data = clause->items.at[0]->text;
  train->data_at = clause->items.at[0]->at;
  return true;
}

static bool read_other(FlowReader *r, const Ast *clause, const TrainRow *row, TypedTrain *train) {
  if (strcmp(row->clause, "loss") == 0) return takes(r, clause, row, 1, 1) && read_loss(r, clause, train);
  if (strcmp(row->clause, "optimiser") == 0) return read_optimiser(r, clause, row, train);
  return strcmp(row->clause, "initial") == 0 ? read_initial(r, clause, row, train) : read_data(r, clause, row, train);
}

static bool read_row(FlowReader *r, const Ast *clause, const TrainRow *row, TypedTrain *train) {
  void *field = (char *)train + row->at;
  if (row->kind == TRAINS_OTHER) return read_other(r, clause, row, train);
  if (!takes(r, clause, row, 1, 1)) return false;
  const Ast *value = clause->items.at[0];
  switch (row->kind) {
  case TRAINS_WORD: return read_word(r, clause, value, row->words, field);
  case TRAINS_COUNT: return read_count(r, clause, value, (int64_t)row->least, field);
  default: return read_number(r, clause, value, row->least, row->most, field);
  }
}

/* ---- clauses ----------------------------------------------------------------------------------------------------------- */

typedef struct Block { TypedTrain *train; const Ast *met[TRAIN_ROWS]; } Block;

static bool read_clause(FlowReader *r, Block *block, const Ast *clause) {
  Checker *c = r->c;
  int row = row_of(clause->name);
  if (row == TRAIN_ROWS) return refuse_unknown(r, clause->name, clause->name_at);
  for (size_t i = 0; i < clause->items.count; i++)
    if (!clause->items.at[i] || clause->items.at[i]->kind == AST_ERROR) return false;
  if (clause->extra.count) return malformed(r, clause, arena_format(c->arena, "%s %s", clause->name, train_row[row].values));
  if (block->met[row]) {
    Diag *diag = report(c, E0502, clause->at, "`train` has one `%s`, and this is the second", clause->name);
    note(c, diag, block->met[row]->at, "the first one is here");
    return false;
  }
  block->met[row] = clause;
  return read_row(r, clause, &train_row[row], block->train);
}

/* A clause that begins with `head`: a clause of the grammar, or a value that is a word of the table. */
static const Ast *part_of(FlowReader *r, const Ast *head, Ast **item, size_t count) {
  Ast *clause = arena_alloc(r->c->arena, sizeof *clause);
  *clause = (Ast){.kind = AST_CLAUSE, .at = head->kind == AST_CLAUSE ? head->name_at : head->at, .name = head->name};
  clause->name_at = clause->at;
  clause->items = (AstList){.at = item, .count = count};
  if (count && item[count - 1]) clause->at.to = item[count - 1]->at.to;
  if (head->kind == AST_CLAUSE) clause->extra = head->extra;
  return clause;
}

static bool begins_clause(const Ast *value) { return value && value->kind == AST_NAME && row_of(value->name) < TRAIN_ROWS; }

static bool read_parts(FlowReader *r, Block *block, const Ast *written) {
  const AstList *v = &written->items;
  const Ast *head = written;
  bool good = true;
  for (size_t from = 0;; from++) {
    size_t end = from;
    while (end < v->count && !begins_clause(v->at[end])) end++;
    good = read_clause(r, block, part_of(r, head, v->count ? v->at + from : NULL, end - from)) && good;
    if (end == v->count) return good;
    head = v->at[end];
    from = end;
  }
}

/* A path and pairs belong to flow matching and to losses of the program, a trace to the likelihood. */
static const struct { const char *clause, *loss, *why; } belongs[] = {
    {"path", "flow_matching", "the likelihood goes along the flow itself, from each point of the data to the source"},
    {"coupling", "flow_matching", "the likelihood goes along the flow itself, from each point of the data to the source"},
    {"trace", "likelihood", "flow matching has no Jacobian in its loss"},
    {"probes", "likelihood", "flow matching has no Jacobian in its loss"},
    {"probe", "likelihood", "flow matching has no Jacobian in its loss"}};

static bool refuse_strangers(FlowReader *r, const Block *block) {
  Checker *c = r->c;
  bool likelihood = block->train->loss && strcmp(block->train->loss, "likelihood") == 0;
  const char *loss = likelihood ? "likelihood" : "flow_matching";
  const Ast *said = block->met[row_of("loss")];
  bool good = true;
  for (size_t i = 0; i < sizeof belongs / sizeof *belongs; i++) {
    const Ast *met = block->met[row_of(belongs[i].clause)];
    if (!met || strcmp(loss, belongs[i].loss) == 0) continue;
    Diag *diag = report(c, E0504, met->at, "`%s` belongs to `loss %s`", belongs[i].clause, belongs[i].loss);
    if (said)
      note(c, diag, said->at, "%s", belongs[i].why);
    else
      help(c, diag, "%s; a line `loss %s` is missing", belongs[i].why, belongs[i].loss);
    good = false;
  }
  return good;
}

static bool refuse_useless_probes(FlowReader *r, const Block *block) {
  const Ast *met = block->met[row_of("probes")] ? block->met[row_of("probes")] : block->met[row_of("probe")];
  if (!met || !block->train->trace || strcmp(block->train->trace, "exact") != 0) return true;
  Diag *diag = report(r->c, E0504, met->at, "an exact trace has no probes");
  note(r->c, diag, block->met[row_of("trace")]->at, "`trace hutchinson` has");
  return false;
}

bool read_train(FlowReader *r, const Ast *written) {
  Checker *c = r->c;
  if (written->items.count) return malformed(r, written, "train { optimiser adam 1e-3  batch 256 }");
  TypedTrain *train = arena_alloc(c->arena, sizeof *train);
  *train = (TypedTrain){.at = written->at, .rate = -1, .momentum = -1, .decay = -1, .clip = -1, .average = -1, .validation = -1,
                        .kinetic = -1, .jacobian = -1, .probes = -1, .batch = -1, .iterations = -1, .warm_up = -1, .seed = -1};
  Block block = {.train = train};
  bool good = true;
  for (size_t i = 0; i < written->extra.count; i++) {
    const Ast *clause = written->extra.at[i];
    good = clause && clause->kind == AST_CLAUSE && read_parts(r, &block, clause) && good;
  }
  r->flow->train = train;
  bool fits = refuse_strangers(r, &block);
  return refuse_useless_probes(r, &block) && fits && good;
}
