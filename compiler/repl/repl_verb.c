/* SPDX-License-Identifier: Apache-2.0 */
/* repl_verb.c -- a command that is a verb: its words become a command line on the session's program, with what :set gave in
 * front, and the verb's own function does the rest.
 *
 *   :sample moons -n 100       flowc sample <session> --flow moons -n 100 --plot
 *   :logp 0.5,-1               flowc logp <session> --data 0.5,-1
 *   :eval rotate 1,0           flowc eval <session> --field rotate --at 1,0                                            */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "help.h"
#include "repl.h"
#include "run_verb.h"

typedef struct Building {
  Repl *repl;
  VerbId verb;
  char **argv; /* each word is allocated */
  int argc, room;
  bool failed, operand_given, points_given;
  char *drawn; /* :plot: what is to be drawn, blanks and all */
} Building;

static void push(Building *b, const char *prefix, const char *name, const char *between, const char *value) {
  char *word = NULL;
  if (b->argc + 1 >= b->room || asprintf(&word, "%s%s%s%s", prefix, name, between, value) < 0) {
    b->failed = true;
    return;
  }
  b->argv[b->argc++] = word;
}

static int option_named(VerbId verb, const char *name, size_t length) {
  int o = 0;
  while (o < OPTION_COUNT &&
         !(option_is_of((OptionId)o, verb) && strlen(options[o].name) == length && strncmp(options[o].name, name, length) == 0))
    o++;
  return o;
}

static int option_lettered(VerbId verb, char letter) {
  int o = 0;
  while (o < OPTION_COUNT && !(option_is_of((OptionId)o, verb) && options[o].letter == letter)) o++;
  return o;
}

/* Does the option in `word` take the next word as its value? */
static bool wants_value(VerbId verb, const char *word) {
  bool is_long = word[1] == '-';
  if (is_long && strchr(word, '=')) return false;
  int option = is_long ? option_named(verb, word + 2, strlen(word + 2)) : option_lettered(verb, word[1]);
  if (option == OPTION_COUNT || options[option].kind == KIND_FLAG) return false;
  return is_long || !word[2];
}

static bool given(const char *name, char *const *words, size_t count) {
  size_t length = strlen(name);
  for (size_t i = 0; i < count; i++)
    if (strncmp(words[i], "--", 2) == 0 && strncmp(words[i] + 2, name, length) == 0 && (!words[i][2 + length] || words[i][2 + length] == '='))
      return true;
  return false;
}

static bool given_option(VerbId verb, const char *name, char *const *words, size_t count) {
  int option = option_named(verb, name, strlen(name));
  if (option == OPTION_COUNT) return true; /* there is nothing to add */
  for (size_t i = 0; i < count; i++)
    if (options[option].letter && words[i][0] == '-' && words[i][1] == options[option].letter) return true;
  return given(name, words, count);
}

/* ---- words that are no options ------------------------------------------------------------------------------------------ */

static bool is_field(const Repl *repl, const char *name) {
  bool field = false;
  for (size_t i = 0; i < repl->session.count; i++) {
    const Entry *entry = &repl->session.entry[i];
    if (strcmp(entry->name, name) != 0) continue;
    if (entry->kind == AST_FLOW) return false;
    field = entry->kind == AST_FIELD || entry->kind == AST_NETWORK;
  }
  return field;
}

static bool is_numbers(const char *word) { return *word && word[strspn(word, "0123456789.,-+eE")] == 0 && strpbrk(word, "0123456789"); }

static bool takes_program(VerbId verb) { return strstr(verbs[verb].operands, "MODEL.flow") || verb == VERB_inspect; }

/* An expression may come as several words. */
static void keep_drawn(Building *b, const char *word) {
  char *more = NULL;
  if (asprintf(&more, "%s%s%s", b->drawn ? b->drawn : "", b->drawn ? " " : "", word) < 0) {
    b->failed = true;
    return;
  }
  free(b->drawn);
  b->drawn = more;
}

/* A name of the session; or a file, if it is there, or if no expression is written so: with a letter behind a dot. */
static bool draws_file(const Building *b) {
  if (!b->drawn || session_find(&b->repl->session, b->drawn)) return false;
  const char *dot = strrchr(b->drawn, '.');
  return access(b->drawn, R_OK) == 0 || (dot && isalpha((unsigned char)dot[1]) && !strpbrk(b->drawn, " (["));
}

static void place_drawn(Building *b) {
  if (!draws_file(b)) push(b, b->repl->session.path, "", "", "");
  if (b->drawn) push(b, "", b->drawn, "", "");
  b->operand_given = true;
  free(b->drawn);
}

static bool is_program_file(const char *word) {
  size_t length = strlen(word);
  return length > 5 && strcmp(word + length - 5, ".flow") == 0;
}

static bool has_option(const Building *b, const char *name) { return option_named(b->verb, name, strlen(name)) != OPTION_COUNT; }

/* Which option a bare word gives its value to; NULL: it is an operand.  Numbers and files are points, or what is to be written; a
 * definition's name is what to take. */
static const char *option_of_word(const Building *b, const char *word) {
  bool file = strpbrk(word, "./") && !is_program_file(word);
  if (is_numbers(word) || file) return b->verb == VERB_eval ? "at" : b->verb == VERB_logp || b->verb == VERB_train ? "data" : b->verb == VERB_compile && file ? "output" : NULL;
  if (!takes_program(b->verb) || b->verb == VERB_inspect || is_program_file(word)) return NULL;
  return is_field(b->repl, word) && has_option(b, "field") ? "field" : "flow";
}

static void place_operand(Building *b, const char *word) {
  if (b->verb == VERB_plot) {
    keep_drawn(b, word);
    return;
  }
  const char *option = option_of_word(b, word);
  if (option && strcmp(option, "data") == 0) b->points_given = true;
  if (option) push(b, "--", option, "=", word);
  else push(b, "", word, "", ""), b->operand_given = true;
}

static void place_words(Building *b, char *const *words, size_t count) {
  bool value = false;
  for (size_t i = 0; i < count; i++) {
    if (value || (words[i][0] == '-' && words[i][1] && !is_numbers(words[i]))) {
      push(b, "", words[i], "", "");
      value = !value && wants_value(b->verb, words[i]);
    } else {
      place_operand(b, words[i]);
    }
  }
}

/* What the prompt adds: settings; a picture where numbers would fill the screen. */
static void place_standards(Building *b, char *const *words, size_t count) {
  for (size_t i = 0; i < b->repl->settings; i++) {
    const Setting *setting = &b->repl->setting[i];
    const char *name = options[setting->option].name;
    if (given_option(b->verb, name, words, count)) continue;
    push(b, "--", name, *setting->value ? "=" : "", setting->value);
  }
  bool draws = b->verb == VERB_sample || b->verb == VERB_trajectory;
  if (draws && !given_option(b->verb, "output", words, count) && !given("plot", words, count) && !given("emit", words, count) &&
      !given("help", words, count))
    push(b, "--plot", "", "", "");
}

/* ---- the run ------------------------------------------------------------------------------------------------------------- */

static int run_line(void *user) {
  Building *b = user;
  CommandLine line;
  flow_error error = {{0}};
  flow_status status = command_line_parse(b->argc, b->argv, &line, &error);
  char *text = session_text(&b->repl->session, NULL, NULL);
  ProgramText program = session_program(&b->repl->session, text ? text : "");
  Run run = {&line, b->repl->run->terminal, &program};
  int code;
  if (status) code = failed(&run, status, &error);
  else if (line.ask == ASK_HELP) code = (help_verb(stdout, line.verb), finish_output(&run));
  else code = run_verb(&run);
  if (!status) command_line_free(&line);
  free(text);
  return code;
}

int repl_verb(Repl *repl, VerbId verb, char *const *words, size_t count) {
  int room = (int)(count + repl->settings + 8); /* the program, a picture and what else is added */
  Building b = {.repl = repl, .verb = verb, .argv = calloc((size_t)room, sizeof *b.argv), .room = room};
  if (!b.argv) return failed(repl->run, FLOW_NO_MEMORY, NULL);
  push(&b, "flowc", "", "", "");
  push(&b, verbs[verb].name, "", "", "");
  place_standards(&b, words, count);
  place_words(&b, words, count);
  if (verb == VERB_plot) place_drawn(&b);
  bool asks = given("help", words, count) || given("emit", words, count) || given("plot", words, count);
  if (verb == VERB_logp && !b.points_given && !asks && !given("data", words, count)) push(&b, "--plot", "", "", "");
  if (takes_program(verb) && !b.operand_given) push(&b, repl->session.path, "", "", "");
  int grace = verb == VERB_train ? APART_LONG_GRACE : APART_GRACE;
  int code = b.failed ? failed(repl->run, FLOW_NO_MEMORY, NULL) : repl_apart(repl, run_line, &b, grace);
  for (int i = 0; i < b.argc; i++) free(b.argv[i]);
  free(b.argv);
  return code;
}
