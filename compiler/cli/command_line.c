/* SPDX-License-Identifier: Apache-2.0 */
/* command_line.c -- argv against the two tables.  Knows no verb and no option by name, but for the two questions that
 * may stand in a verb's place: --help and --version. */
#include "command_line.h"
#include "diag.h" /* diag_nearest */
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ----------------------------------------------------------------------------------------------------- */

/* Digits, or a real number that is whole (1e6); at most 2^53, so that both spellings mean the same. */
static bool read_count(const char *text, size_t length, uint64_t *count) {
  char copy[32], *end;
  if (length == 0 || length >= sizeof copy || text[0] < '0' || text[0] > '9') return false;
  memcpy(copy, text, length);
  copy[length] = 0;
  if (copy[strspn(copy, "0123456789.eE+")]) return false;
  double value = strtod(copy, &end);
  if (*end || !(value <= 0x1p53) || value != floor(value)) return false;
  *count = (uint64_t)value;
  return true;
}

static bool read_choice(const char *list, const char *text, int *choice) {
  int length;
  const char *word;
  for (int k = 0; (word = choice_word(list, k, &length)); k++) {
    if (strlen(text) == (size_t)length && strncmp(word, text, (size_t)length) == 0) {
      *choice = k;
      return true;
    }
  }
  return false;
}

static bool read_range(const char *text, uint64_t *from, uint64_t *to) {
  const char *colon = strchr(text, ':');
  return colon && read_count(text, (size_t)(colon - text), from) && read_count(colon + 1, strlen(colon + 1), to) &&
         *from <= *to;
}

static flow_status read_value(const Option *option, const char *shown, const char *text, OptionValue *value,
                              flow_error *error) {
  bool good = true;
  const char *wanted = "";
  switch (option->kind) {
  case KIND_COUNT:
    wanted = "a whole number from 0 to 2^53";
    good = read_count(text, strlen(text), &value->count);
    if (option != &options[OPTION_threads]) break;
    wanted = "1 to 1024";
    good = good && value->count >= 1 && value->count <= 1024;
    break;
  case KIND_CHOICE:
    wanted = option->argument;
    good = read_choice(option->argument, text, &value->choice);
    break;
  case KIND_RANGE:
    wanted = "A:B, two whole numbers with A <= B";
    good = read_range(text, &value->from, &value->to);
    break;
  case KIND_FLAG:
    break;
  case KIND_FILE:
  case KIND_TEXT:
    wanted = "a value that is not empty";
    good = *text != 0;
    break;
  }
  if (!good) return flow_fail(error, FLOW_BAD_CALL, "%s wants %s, not `%s`", shown, wanted, text);
  value->given = true;
  value->text = text;
  return FLOW_OK;
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static flow_status unknown_option(VerbId verb, const char *name, flow_error *error) {
  const char *candidate[OPTION_COUNT];
  size_t count = 0;
  for (int o = 0; o < OPTION_COUNT; o++)
    if (option_is_of((OptionId)o, verb)) candidate[count++] = options[o].name;
  const char *near = diag_nearest(name, candidate, count);
  if (near)
    return flow_fail(error, FLOW_BAD_CALL, "`flowc %s` has no option --%s; did you mean --%s?", verbs[verb].name, name,
                     near);
  for (int o = 0; o < OPTION_COUNT; o++)
    for (int v = 0; v < VERB_COUNT && strcmp(options[o].name, name) == 0; v++)
      if (option_is_of((OptionId)o, (VerbId)v))
        return flow_fail(error, FLOW_BAD_CALL, "--%s is an option of `flowc %s`, not of `flowc %s`", name,
                         verbs[v].name, verbs[verb].name);
  return flow_fail(error, FLOW_BAD_CALL, "`flowc %s` has no option --%s; `flowc help %s` lists what there is",
                   verbs[verb].name, name, verbs[verb].name);
}

static OptionId find_long(VerbId verb, const char *name, size_t length) {
  int o = 0;
  while (o < OPTION_COUNT && !(option_is_of((OptionId)o, verb) && strlen(options[o].name) == length &&
                               strncmp(options[o].name, name, length) == 0))
    o++;
  return (OptionId)o;
}

static OptionId find_short(VerbId verb, char letter) {
  int o = 0;
  while (o < OPTION_COUNT && !(option_is_of((OptionId)o, verb) && options[o].letter == letter)) o++;
  return (OptionId)o;
}

/* ---- the walk --------------------------------------------------------------------------------------------------- */

typedef struct Walk {
  int argc, at;
  char *const *argv;
  CommandLine *line;
  flow_error *error;
} Walk;

/* Is this word an option of the verb, and so hardly another's value?  `--logp -o x.npy` lacks a file. */
static bool is_option(VerbId verb, const char *word) {
  if (word[0] != '-') return false;
  if (word[1] == '-') return word[2] && find_long(verb, word + 2, strcspn(word + 2, "=")) != OPTION_COUNT;
  return word[1] && !word[2] && find_short(verb, word[1]) != OPTION_COUNT;
}

/* Takes the value of `option`: `attached` (after = or the letter), else the next word. */
static flow_status take(Walk *walk, OptionId id, const char *shown, const char *attached) {
  const Option *option = &options[id];
  OptionValue *value = &walk->line->value[id];
  if (option->kind == KIND_FLAG) {
    if (attached)
      return flow_fail(walk->error, FLOW_BAD_CALL, "%s takes no value, but `%s` was given", shown, attached);
    value->given = true;
    return FLOW_OK;
  }
  const char *text = attached;
  if (!text) {
    if (walk->at + 1 >= walk->argc)
      return flow_fail(walk->error, FLOW_BAD_CALL, "%s wants a value: %s %s", shown, shown, option->argument);
    text = walk->argv[++walk->at];
    if (is_option(walk->line->verb, text))
      return flow_fail(walk->error, FLOW_BAD_CALL, "%s wants a value: %s %s; `%s` is an option itself", shown, shown, option->argument, text);
  }
  if (id == OPTION_condition)
    walk->line->condition[walk->line->conditions++] = text;
  else if (value->given)
    return flow_fail(walk->error, FLOW_BAD_CALL, "%s is given twice", shown);
  return read_value(option, shown, text, value, walk->error);
}

static flow_status take_long(Walk *walk, const char *word) {
  size_t length = strcspn(word + 2, "=");
  char name[64], shown[72];
  if (length >= sizeof name) length = sizeof name - 1;
  memcpy(name, word + 2, length);
  name[length] = 0;
  OptionId id = find_long(walk->line->verb, name, strlen(name));
  if (id == OPTION_COUNT) return unknown_option(walk->line->verb, name, walk->error);
  memcpy(shown, "--", 2);
  memcpy(shown + 2, name, length + 1);
  return take(walk, id, shown, word[2 + length] == '=' ? word + 3 + length : NULL);
}

/* -n 5, -n5, and flags in a row: -qw. */
static flow_status take_short(Walk *walk, const char *word) {
  for (const char *letter = word + 1; *letter; letter++) {
    OptionId id = find_short(walk->line->verb, *letter);
    char shown[3] = {'-', *letter, 0};
    if (id == OPTION_COUNT)
      return flow_fail(walk->error, FLOW_BAD_CALL, "`flowc %s` has no option %s; `flowc help %s` lists what there is",
                       verbs[walk->line->verb].name, shown, verbs[walk->line->verb].name);
    bool flag = options[id].kind == KIND_FLAG;
    flow_status status = take(walk, id, shown, !flag && letter[1] ? letter + 1 : NULL);
    if (status || !flag) return status;
  }
  return FLOW_OK;
}

static flow_status take_words(Walk *walk) {
  bool options_end = false;
  for (; walk->at < walk->argc; walk->at++) {
    const char *word = walk->argv[walk->at];
    flow_status status = FLOW_OK;
    if (!options_end && strcmp(word, "--") == 0)
      options_end = true;
    else if (!options_end && word[0] == '-' && word[1] == '-')
      status = take_long(walk, word);
    else if (!options_end && word[0] == '-' && word[1])
      status = take_short(walk, word);
    else
      walk->line->operand[walk->line->operands++] = word;
    if (status) return status;
  }
  return FLOW_OK;
}

/* ---- the verb --------------------------------------------------------------------------------------------------- */

static flow_status no_such_verb(const char *word, flow_error *error) {
  const char *name[VERB_COUNT];
  for (int v = 0; v < VERB_COUNT; v++) name[v] = verbs[v].name;
  const char *near = diag_nearest(word, name, VERB_COUNT);
  if (near) return flow_fail(error, FLOW_BAD_CALL, "there is no verb `%s`; did you mean `flowc %s`?", word, near);
  if (word[0] == '-')
    return flow_fail(error, FLOW_BAD_CALL, "a verb comes first, then its options: `flowc sample MODEL.flow %s ...`",
                     word);
  return flow_fail(error, FLOW_BAD_CALL, "there is no verb `%s`; `flowc help` lists what there is", word);
}

static flow_status count_operands(const CommandLine *line, flow_error *error) {
  const Verb *verb = &verbs[line->verb];
  if (line->operands < (size_t)verb->least)
    return flow_fail(error, FLOW_BAD_CALL, "`flowc %s` wants %s: flowc %s %s", verb->name,
                     verb->least == 1 ? "one more word" : "more words", verb->name, verb->operands);
  if (line->operands > (size_t)verb->most)
    return flow_fail(error, FLOW_BAD_CALL, "`%s` is one word too many: flowc %s %s", line->operand[verb->most],
                     verb->name, verb->operands);
  return FLOW_OK;
}

/* Choices start as their standard where it is one of the words. */
static void set_standards(CommandLine *line) {
  for (int o = 0; o < OPTION_COUNT; o++)
    if (options[o].kind == KIND_CHOICE) read_choice(options[o].argument, options[o].standard, &line->value[o].choice);
}

static bool is_program(const char *word) {
  size_t length = strlen(word);
  return length > 5 && strcmp(word + length - 5, ".flow") == 0;
}

static flow_status parse_verb(int argc, char *const *argv, CommandLine *line, flow_error *error) {
  bool program_first = is_program(argv[1]);           /* flowc MODEL.flow -o MODEL.so */
  line->verb = program_first ? VERB_compile : verb_find(argv[1]);
  if (line->verb == VERB_COUNT) return no_such_verb(argv[1], error);
  line->operand = calloc((size_t)argc, sizeof *line->operand);
  line->condition = calloc((size_t)argc, sizeof *line->condition);
  if (!line->operand || !line->condition) return flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  Walk walk = {argc, program_first ? 1 : 2, argv, line, error};
  flow_status status = take_words(&walk);
  if (status) return status;
  if (line->value[OPTION_help].given) line->ask = ASK_HELP;
  return line->ask == ASK_HELP ? FLOW_OK : count_operands(line, error);
}

flow_status command_line_parse(int argc, char *const *argv, CommandLine *line, flow_error *error) {
  *line = (CommandLine){.verb = VERB_COUNT};
  set_standards(line);
  if (argc < 2) return flow_fail(error, FLOW_BAD_CALL, "a verb is missing; `flowc help` lists what there is");
  if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
    line->ask = ASK_VERSION;
  else if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
    line->ask = ASK_HELP;
  if (line->ask != ASK_RUN) return FLOW_OK;
  flow_status status = parse_verb(argc, argv, line, error);
  if (status) command_line_free(line);
  return status;
}

void command_line_free(CommandLine *line) {
  free(line->operand);
  free(line->condition);
  line->operand = line->condition = NULL;
}
