/* SPDX-License-Identifier: Apache-2.0 */
#include "complete.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "check_program.h"
#include "commands.h"
#include "program.h"
#include "tableau.h"

enum { MOST = 4096 };
static const char WEIGHTS_SUFFIXES[] = ".safetensors .npz";

/* ---- the list ---------------------------------------------------------------------------------------------------------------- */

typedef struct List {
  char **word;
  size_t count;
  const char *kept; /* stands before each: the part of the word that is not completed */
  size_t kept_length;
} List;

static void add(List *list, const char *begun, size_t begun_length, const char *word, const char *behind) {
  char *whole = NULL;
  if (!list->word || list->count + 1 >= MOST || strncmp(word, begun, begun_length) != 0) return;
  if (asprintf(&whole, "%.*s%s%s", (int)list->kept_length, list->kept, word, behind) >= 0) list->word[list->count++] = whole;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static char **finish(List *list) {
  if (!list->word || list->count == 0) {
    free(list->word);
    return NULL;
  }
  qsort(list->word, list->count, sizeof *list->word, by_text);
  size_t kept = 1;
  for (size_t i = 1; i < list->count; i++) {
    if (strcmp(list->word[kept - 1], list->word[i]) == 0) free(list->word[i]);
    else list->word[kept++] = list->word[i];
  }
  list->word[kept] = NULL;
  return list->word;
}

/* ---- what there is --------------------------------------------------------------------------------------------------------------- */

typedef struct Begun {
  const char *text;
  size_t length;
} Begun;

static const char *const language[] = {
#define KEYWORD(spelling, token, help) spelling,
#include "keywords.def"
#undef KEYWORD
#define BUILTIN(name, least, most, rule, help) #name,
#include "builtins.def"
#undef BUILTIN
#define DERIVATIVE(KIND, word, vector, form, help) #word,
#include "derivatives.def"
#undef DERIVATIVE
#define CLAUSE(word, values, help) #word,
#include "clauses.def"
#undef CLAUSE
#define CLAIM_WORD(word, form, help) #word,
#include "claim_words.def"
#undef CLAIM_WORD
    "linear", "layer_norm", "embedding", "param", "repeat", "normal", "uniform", "inverse", "draw", "no bias", "velocity of",
    "prefix", "steps", "spacing", "pi",
};

static void add_prelude(List *list, Begun begun) {
  Pieces pieces;
  pieces_read(flow_prelude_text, &pieces);
  for (size_t i = 0; i < pieces.count; i++) add(list, begun.text, begun.length, pieces.piece[i].name, "");
  pieces_free(&pieces);
}

static void add_session(List *list, const Repl *repl, Begun begun) {
  for (size_t i = 0; i < repl->session.count; i++)
    if (*repl->session.entry[i].name) add(list, begun.text, begun.length, repl->session.entry[i].name, "");
}

static void add_solvers(List *list, Begun begun) {
  for (const char *const *name = flow_tableau_names(); *name; name++) add(list, begun.text, begun.length, *name, "");
}

static void add_language(List *list, const Repl *repl, Begun begun) {
  for (size_t i = 0; i < sizeof language / sizeof *language; i++) add(list, begun.text, begun.length, language[i], "");
  add_prelude(list, begun);
  add_session(list, repl, begun);
}

static void add_commands(List *list, Begun begun) {
  for (int i = 0; i < COMMAND_COUNT; i++)
    if (command_exists((CommandId)i)) add(list, begun.text, begun.length, commands[i].name, " ");
}

/* \alpha: one that is complete or the only one gives its letter, several show their names. */
static void add_symbols(List *list, Begun begun) {
  static const struct { const char *name, *letter; } symbol[] = {
#define SYMBOL(name, letter) {name, letter},
#include "symbols.def"
#undef SYMBOL
  };
  const char *only = NULL;
  size_t count = 0;
  for (size_t i = 0; i < sizeof symbol / sizeof *symbol; i++) {
    if (strncmp(symbol[i].name, begun.text + 1, begun.length - 1) != 0) continue;
    only = symbol[i].letter;
    count++;
    if (strlen(symbol[i].name) == begun.length - 1) {
      count = 1;
      break;
    }
  }
  if (count == 1) {
    add(list, "", 0, only, "");
    return;
  }
  for (size_t i = 0; i < sizeof symbol / sizeof *symbol; i++) {
    char name[32];
    snprintf(name, sizeof name, "\\%s", symbol[i].name);
    add(list, begun.text, begun.length, name, "");
  }
}

/* Does the file's name end in one of the words of `suffixes` (NULL: any will do)? */
static bool is_wanted(const char *name, const char *suffixes) {
  const char *suffix = strrchr(name, '.');
  size_t length = suffix ? strlen(suffix) : 0;
  for (const char *at = suffixes; suffix && at && (at = strstr(at, suffix)); at += length)
    if (at[length] == ' ' || !at[length]) return true;
  return !suffixes;
}

static void add_files(List *list, const Repl *repl, Begun begun, const char *suffixes) {
  if (repl->confined) return;
  const char *slash = memrchr(begun.text, '/', begun.length);
  size_t folder_length = slash ? (size_t)(slash - begun.text) + 1 : 0;
  char *folder = folder_length ? strndup(begun.text, folder_length) : strdup("./");
  DIR *directory = folder ? opendir(folder) : NULL;
  for (struct dirent *file; directory && (file = readdir(directory));) {
    if (file->d_name[0] == '.' && begun.text[folder_length] != '.') continue;
    char *path = NULL;
    struct stat state;
    if (asprintf(&path, "%.*s%s", (int)folder_length, begun.text, file->d_name) < 0) continue;
    bool is_folder = fstatat(dirfd(directory), file->d_name, &state, 0) == 0 && S_ISDIR(state.st_mode);
    if (is_folder || is_wanted(file->d_name, suffixes)) add(list, begun.text, begun.length, path, is_folder ? "/" : "");
    free(path);
  }
  if (directory) closedir(directory);
  free(folder);
}

/* The tensors of the weights file that is set, or that a flow of the session names. */
static char *weights_file(const Repl *repl) {
  const char *given = repl_setting(repl, "weights");
  if (given) return strdup(given);
  for (size_t i = 0; i < repl->session.count; i++) {
    const Entry *entry = &repl->session.entry[i];
    const char *at = entry->kind == AST_FLOW ? strstr(entry->text, "weights \"") : NULL;
    if (!at) continue;
    char *name = strndup(at + 9, strcspn(at + 9, "\"\n")), *path = NULL;
    if (name && named_file_below(entry->beside, "", NAMED_WEIGHTS, name, "", &path, NULL) != FLOW_OK) path = NULL;
    free(name);
    if (path) return path;
  }
  return NULL;
}

static void add_tensors(List *list, const Repl *repl, Begun begun) {
  FlowTensors tensors;
  char *path = repl->confined ? NULL : weights_file(repl);
  if (path && flow_tensors_read(&flow_standard_allocator, path, &tensors, NULL) == FLOW_OK) {
    for (uint32_t i = 0; i < tensors.count; i++) add(list, begun.text, begun.length, tensors.tensor[i].name, "");
    flow_tensors_free(&tensors);
  }
  free(path);
}

/* ---- where --------------------------------------------------------------------------------------------------------------------- */

static void add_words_of(List *list, const Option *option, const Repl *repl, Begun begun) {
  int length;
  if (option->kind == KIND_FILE) add_files(list, repl, begun, strcmp(option->name, "weights") == 0 ? WEIGHTS_SUFFIXES : NULL);
  if (strcmp(option->name, "solver") == 0) add_solvers(list, begun);
  if (strcmp(option->name, "flow") == 0 || strcmp(option->name, "field") == 0) add_session(list, repl, begun);
  for (int k = 0; option->kind == KIND_CHOICE && choice_word(option->argument, k, &length); k++) {
    char word[64];
    snprintf(word, sizeof word, "%.*s", length, choice_word(option->argument, k, &length));
    add(list, begun.text, begun.length, word, " ");
  }
}

/* The option whose value is to come: `--solver ` or `--solver=` before the word. */
static const Option *option_before(const char *line, size_t from) {
  while (from && (line[from - 1] == ' ' || line[from - 1] == '=')) from--;
  size_t start = from;
  while (start && line[start - 1] != ' ') start--;
  if (from - start < 3 || strncmp(line + start, "--", 2) != 0) return NULL;
  for (int o = 0; o < OPTION_COUNT; o++)
    if (strlen(options[o].name) == from - start - 2 && strncmp(options[o].name, line + start + 2, from - start - 2) == 0 &&
        options[o].kind != KIND_FLAG)
      return &options[o];
  return NULL;
}

static void add_options(List *list, VerbId verb, Begun begun) {
  for (int o = 0; o < OPTION_COUNT; o++) {
    char name[64];
    if (verb != VERB_COUNT && !option_is_of((OptionId)o, verb)) continue;
    snprintf(name, sizeof name, "--%s", options[o].name);
    add(list, begun.text, begun.length, name, " ");
  }
}

static CommandId command_of(const char *line) {
  line += strspn(line, " \t") + 1;
  for (int i = 0; i < COMMAND_COUNT; i++) {
    size_t length = strlen(commands[i].name);
    if (strncmp(line, commands[i].name, length) == 0 && (line[length] == ' ' || !line[length])) return (CommandId)i;
  }
  return COMMAND_COUNT;
}

/* Of the files that a command takes. */
static const char *suffixes_of(CommandId command) {
  switch (command) {
  case COMMAND_load: case COMMAND_save: return ".flow";
  case COMMAND_weights: return WEIGHTS_SUFFIXES;
  case COMMAND_plot: return ".npy .npz .csv .jsonl .safetensors";
  case COMMAND_logp: case COMMAND_eval: case COMMAND_train: return ".npy .npz .csv";
  default: return NULL;
  }
}

static void in_command(List *list, const Repl *repl, const char *line, size_t from, Begun begun) {
  size_t colon = strspn(line, " \t");
  CommandId command = command_of(line);
  const Option *option = option_before(line, from);
  if (from == colon && begun.length) { /* the colon is of the word */
    list->kept = ":";
    list->kept_length = 1;
    begun = (Begun){begun.text + 1, begun.length - 1};
  }
  if (from <= colon + 1) add_commands(list, begun);
  else if (option) add_words_of(list, option, repl, begun);
  else if (begun.length && *begun.text == '-') add_options(list, command == COMMAND_COUNT ? VERB_COUNT : command_verb(command), begun);
  else if (command == COMMAND_type || command == COMMAND_time) add_language(list, repl, begun);
  else {
    if (command == COMMAND_help) add_commands(list, begun), add_language(list, repl, begun), add_solvers(list, begun);
    if (command == COMMAND_set || command == COMMAND_unset)
      for (int o = 0; o < OPTION_COUNT; o++) add(list, begun.text, begun.length, options[o].name, " ");
    if (command == COMMAND_emit) add_words_of(list, &options[OPTION_emit], repl, begun);
    add_session(list, repl, begun);
    if (command != COMMAND_COUNT && commands[command].files && command != COMMAND_emit) add_files(list, repl, begun, suffixes_of(command));
  }
}

/* In a word with operators in it only what stands behind the last one is a name. */
static size_t name_start(Begun begun) {
  size_t at = begun.length;
  while (at && !strchr("+-*/^@.!", begun.text[at - 1])) at--;
  return at;
}

static bool word_before_is(const char *line, size_t from, const char *word) {
  size_t length = strlen(word);
  while (from && line[from - 1] == ' ') from--;
  return from >= length && strncmp(line + from - length, word, length) == 0;
}

static void in_expression(List *list, const Repl *repl, const char *line, size_t from, Begun begun) {
  bool quoted = false;
  for (size_t i = 0; i < from; i++) quoted ^= line[i] == '"';
  if (quoted) {
    add_tensors(list, repl, begun);
    add_files(list, repl, begun, WEIGHTS_SUFFIXES);
    return;
  }
  const char *backslash = memrchr(begun.text, '\\', begun.length);
  size_t start = backslash ? (size_t)(backslash - begun.text) : name_start(begun);
  Begun name = {begun.text + start, begun.length - start};
  list->kept = begun.text;
  list->kept_length = start;
  if (backslash) add_symbols(list, name);
  else if (word_before_is(line, from, "solver")) add_solvers(list, name);
  else add_language(list, repl, name);
}

char **complete(const Repl *repl, const char *line, size_t from, size_t to) {
  List list = {.word = calloc(MOST, sizeof *list.word), .kept = ""};
  Begun begun = {line + from, to - from};
  char first = line[strspn(line, " \t")];
  if (first == ':') in_command(&list, repl, line, from, begun);
  else in_expression(&list, repl, line, from, begun);
  return finish(&list);
}
