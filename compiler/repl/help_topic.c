/* SPDX-License-Identifier: Apache-2.0 */
/* help_topic.c -- :help from the tables that the compiler itself reads. */
#include <string.h>
#include "check_program.h"
#include "commands.h"
#include "diag.h"
#include "help.h"
#include "solvers.h"
#include "tableau.h"

typedef struct Row {
  const char *name, *form, *help, *example; /* example: lines that can be typed, three blanks apart; NULL: there is none */
} Row;

/* By the rule of its shapes, what a function can be called with. */
#define EXAMPLE_EACH(name, most) (most) == 1 ? name "(0.5)   :plot " name "(x)" : name "(2, 0.5)   :plot " name "(x, 2)"
#define EXAMPLE_REDUCE(name, most) name "([1, 2, 3])"
#define EXAMPLE_EXTREME(name, most) name "(1, 2)   " name "([1, 2, 3])   :plot " name "(x, 1)"
#define EXAMPLE_LAST(name, most) name "([1, 2, 3])"
#define EXAMPLE_DOT(name, most) name "([1, 2], [3, 4])"
#define EXAMPLE_SOLVE(name, most) name "([[2, 1], [1, 3]], [1, 2])"
#define EXAMPLE_LOGDET(name, most) name "([[2, 1], [1, 3]])"
#define EXAMPLE_ONE_HOT(name, most) name "(2, 5)"

static const Row function_rows[] = {
#define BUILTIN(name, least, most, rule, help) \
  {#name, (most) == 1 ? #name "(a)" : (least) == 1 ? #name "(a), " #name "(a, b)" : #name "(a, b)", help, EXAMPLE_##rule(#name, most)},
#include "builtins.def"
#undef BUILTIN
#define DERIVATIVE(KIND, word, vector, form, help) {#word, form, help, NULL},
#include "derivatives.def"
#undef DERIVATIVE
};
static const Row keyword_rows[] = {
#define KEYWORD(spelling, token, help) {spelling, spelling, help, NULL},
#include "keywords.def"
#undef KEYWORD
};
static const Row clause_rows[] = {
#define CLAUSE(word, values, help) {#word, #word " " values, help, NULL},
#include "clauses.def"
#undef CLAUSE
};
static const Row train_rows[] = { /* of the block `train { .. }` */
#define TRAIN_ROW(clause, values, help) {#clause, "train { " #clause " " values " }", help, NULL},
#define TRAIN_WORD(clause, values, help, words) TRAIN_ROW(clause, values, help)
#define TRAIN_NUMBER(clause, values, help, field, least, most) TRAIN_ROW(clause, values, help)
#define TRAIN_COUNT(clause, values, help, field, least) TRAIN_ROW(clause, values, help)
#define TRAIN_OTHER(clause, values, help) TRAIN_ROW(clause, values, help)
#include "train_clauses.def"
#undef TRAIN_WORD
#undef TRAIN_NUMBER
#undef TRAIN_COUNT
#undef TRAIN_OTHER
};
static const Row layer_rows[] = {
    {"linear", "h |> linear n [\"name\"] [no bias]", "W h + b: weight [n, m], bias [n]", "network v(t, x: [2]) -> [2] = [t, x] |> linear 16 |> silu |> linear 2"},
    {"layer_norm", "h |> layer_norm [eps] [\"name\"]", "standardize(h) * weight + bias", "network v(t, x: [2]) -> [2] = [t, x] |> linear 16 |> layer_norm |> linear 2"},
    {"embedding", "k |> embedding(count, n) [\"name\"]", "row k of a table: weight [count, n]", "network v(t, x: [2], k) -> [2] = [x, k |> embedding(10, 8)] |> linear 2"},
    {"param", "param(n) \"name\"", "the tensor of that name itself", "network v(t, x: [2]) -> [2] = x + param(2) \"shift\""},
};

static const struct {
  const char *title;
  const Row *row;
  size_t count;
} tables[] = {
    {"functions", function_rows, sizeof function_rows / sizeof *function_rows},
    {"layers", layer_rows, sizeof layer_rows / sizeof *layer_rows},
    {"keywords", keyword_rows, sizeof keyword_rows / sizeof *keyword_rows},
    {"clauses", clause_rows, sizeof clause_rows / sizeof *clause_rows},
    {"train", train_rows, sizeof train_rows / sizeof *train_rows},
};

static void print_row(const Row *row) { printf("%-34s %s\n", row->form, row->help); }

/* behind: something was printed about another thing of that name. */
static bool help_tables(const char *topic, bool behind) {
  bool found = false;
  for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
    for (size_t i = 0; i < tables[t].count; i++) {
      if (strcmp(topic, tables[t].title) != 0 && strcmp(topic, tables[t].row[i].name) != 0) continue;
      if (behind && !found) putchar('\n');
      print_row(&tables[t].row[i]);
      if (tables[t].row[i].example && strcmp(topic, tables[t].title) != 0) printf("for example: %s\n", tables[t].row[i].example);
      found = true;
    }
  return found;
}

static bool help_command(const char *topic) {
  for (int i = 0; i < COMMAND_COUNT; i++) {
    const Command *command = &commands[i];
    if (strcmp(command->name, topic) != 0 || !command_exists((CommandId)i)) continue;
    printf(":%s %s: %s\n", command->name, command->arguments, command->title);
    if (*command->text) printf("%s\n", command->text);
    VerbId verb = command_verb((CommandId)i);
    if (verb == VERB_COUNT) return true;
    fputs("It is the verb of that name, on what is defined here:\n\n", stdout);
    help_verb(stdout, verb);
    return true;
  }
  VerbId verb = verb_find(topic);
  if (verb != VERB_COUNT) help_verb(stdout, verb);
  return verb != VERB_COUNT;
}

static bool help_solver(const char *topic) {
  const FlowTableau *method = flow_tableau_find(topic);
  if (method) printf("solver %s steps N: order %u; %s\n", method->name, (unsigned)method->order, method->help);
  return method != NULL;
}

static bool help_option(const char *topic) {
  bool found = false;
  topic += strspn(topic, "-");
  for (int o = 0; o < OPTION_COUNT; o++) {
    if (strcmp(options[o].name, topic) != 0) continue;
    printf("--%s %s: %s%s%s%s\n", options[o].name, options[o].argument, options[o].help, *options[o].standard ? " [" : "", options[o].standard,
           *options[o].standard ? "]" : "");
    found = true;
  }
  return found;
}

static bool help_code(const char *topic) {
  DiagCode code;
  if (!diag_find_code(topic, &code)) return false;
  printf("%s: %s\n\n%s\n", diag_code_name(code), diag_title(code), diag_explanation(code));
  return true;
}

/* A definition of the library with the comment right above it. */
static void print_library(const char *from, const char *to, const char *name) {
  const char *definition = from;
  while (*definition == '#' || *definition == '\n') {
    if (*definition == '\n') from = definition + 1; /* what stood above is about more than this */
    definition += strcspn(definition, "\n") + 1;
  }
  printf("%.*s\n", (int)(to - from), from);
  bool of_a_number = strncmp(definition, "fn ", 3) == 0 && strcspn(definition, ",:[") > strcspn(definition, ")");
  if (of_a_number) printf("for example: %s(0.5)   :plot %s(x)\n", name, name);
}

/* What the library defines, and what the session does, is shown as its text. */
static bool help_definition(const Repl *repl, const char *topic) {
  const Entry *entry = session_find(&repl->session, topic);
  if (entry && *topic) {
    puts(entry->text);
    return true;
  }
  Pieces pieces;
  bool found = false;
  pieces_read(flow_prelude_text, &pieces);
  for (size_t i = 0; i < pieces.count && !found; i++) {
    const Piece *piece = &pieces.piece[i];
    if (strcmp(piece->name, topic) != 0) continue;
    print_library(flow_prelude_text + piece->from, flow_prelude_text + piece->to, piece->name);
    found = true;
  }
  pieces_free(&pieces);
  return found;
}

bool help_topic(const Repl *repl, const char *topic) {
  if (strcmp(topic, "solvers") == 0) {
    help_solvers(stdout);
    return true;
  }
  if (topic[0] == ':') return help_command(topic + 1);
  bool found = help_command(topic) || help_definition(repl, topic);
  found = help_tables(topic, found) || found;
  return help_option(topic) || found || help_code(topic) || help_solver(topic);
}

void help_commands(FILE *to) {
  fputs("Type a definition, an expression, or a command:\n\n"
        "  field u(t, x: [2]) = [-x[1], x[0]]     defines a field; a name that is there already is replaced\n"
        "  u(0.5, [1, 0])                         evaluates an expression\n\n", to);
  for (int i = 0; i < COMMAND_COUNT; i++) {
    if (!command_exists((CommandId)i)) continue;
    int used = fprintf(to, "  :%s %s", commands[i].name, commands[i].arguments);
    fprintf(to, "%*s%s\n", used < 41 ? 41 - used : 1, "", commands[i].title);
  }
  fputs("\n:help functions, layers, keywords, clauses, train, solvers; :help NAME for one of these, a command, an option or an error code.\n", to);
}
