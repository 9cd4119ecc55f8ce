/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include <stdlib.h>
#include <string.h>
#include "diag.h"
#include "words_of.h"

const Command commands[COMMAND_COUNT] = {
#define COMMAND(name, verb, arguments, files, title, text) {#name, verb, arguments, files, title, text},
#include "commands.def"
#undef COMMAND
};

enum { BAD_CALL_CODE = 2 };

VerbId command_verb(CommandId command) { return *commands[command].verb ? verb_find(commands[command].verb) : VERB_COUNT; }
bool command_exists(CommandId command) { return !*commands[command].verb || command_verb(command) != VERB_COUNT; }

typedef struct Call {
  Repl *repl;
  CommandId command;
  const char *rest; /* of the line, behind the name */
  char **word;
  size_t count;
} Call;

static int usage(const Call *call) {
  const Command *command = &commands[call->command];
  complain(&call->repl->run->terminal, "`:%s` is written :%s %s", command->name, command->name, command->arguments);
  return BAD_CALL_CODE;
}

/* ---- the session ------------------------------------------------------------------------------------------------------------ */

static int do_help(const Call *call) {
  if (call->count == 0) {
    help_commands(stdout);
    return 0;
  }
  if (help_topic(call->repl, call->word[0])) return 0;
  const char *name[COMMAND_COUNT + VERB_COUNT];
  size_t count = 0;
  for (int i = 0; i < COMMAND_COUNT; i++) name[count++] = commands[i].name;
  const char *near = diag_nearest(call->word[0], name, count);
  complain(&call->repl->run->terminal, "there is no help on `%s`%s%s%s", call->word[0], near ? "; did you mean `" : "; `:help` lists what there is",
           near ? near : "", near ? "`?" : "");
  return BAD_CALL_CODE;
}

static int do_list(const Call *call) {
  const Session *session = &call->repl->session;
  size_t shown = 0;
  for (size_t i = 0; i < session->count; i++) {
    if (call->count && strcmp(session->entry[i].name, call->word[0]) != 0) continue;
    puts(session->entry[i].text);
    shown++;
  }
  if (shown) return 0;
  if (call->count) complain(&call->repl->run->terminal, "nothing here is called `%s`", call->word[0]);
  else puts("nothing is defined yet");
  return call->count ? BAD_CALL_CODE : 0;
}

static int do_load(const Call *call) {
  int code = 0;
  for (size_t i = 0; i < call->count && !code; i++) code = repl_load(call->repl, call->word[i]);
  return code;
}

static int do_reload(const Call *call) {
  const Session *session = &call->repl->session;
  int code = 0;
  if (session->files == 0) puts("no file is loaded");
  for (size_t i = 0; i < session->files && !code; i++) code = repl_load(call->repl, session->file[i]);
  return code;
}

static int do_save(const Call *call) { return call->count == 1 ? repl_save(call->repl, call->word[0]) : usage(call); }

/* What depends on it is checked first, as for a definition. */
static int do_forget(const Call *call) {
  Repl *repl = call->repl;
  if (call->count != 1) return usage(call);
  if (strcmp(call->word[0], "all") == 0) {
    session_forget(&repl->session, NULL);
    return 0;
  }
  Pieces none = {0};
  Session rest = {.path = repl->session.path, .entry = calloc(repl->session.count + 1, sizeof *rest.entry)};
  if (!rest.entry) return failed(repl->run, FLOW_NO_MEMORY, NULL);
  for (size_t i = 0; i < repl->session.count; i++)
    if (strcmp(repl->session.entry[i].name, call->word[0]) != 0) rest.entry[rest.count++] = repl->session.entry[i];
  int code = rest.count == repl->session.count ? BAD_CALL_CODE : 0;
  if (code) complain(&repl->run->terminal, "nothing here is called `%s`", call->word[0]);
  Repl without = *repl;
  without.session = rest;
  if (!code) code = repl_check(&without, "", &none, "<input>");
  if (!code) session_forget(&repl->session, call->word[0]);
  free(rest.entry);
  return code;
}

/* ---- expressions -------------------------------------------------------------------------------------------------------------- */

static int do_type(const Call *call) {
  const Entry *entry = call->count == 1 ? session_find(&call->repl->session, call->word[0]) : NULL;
  if (entry && entry->kind != AST_LET && entry->kind != AST_DIM) { /* these are values, of which the type is wanted */
    Pieces pieces;
    pieces_read(entry->text, &pieces);
    int code = repl_check(call->repl, entry->text, &pieces, "<input>");
    pieces_free(&pieces);
    return code;
  }
  return repl_evaluate(call->repl, call->rest, SHOW_TYPE);
}

static int do_time(const Call *call) { return repl_evaluate(call->repl, call->rest, SHOW_TIME); }

static int do_emit(const Call *call) {
  if (call->word[0][0] == '-') return usage(call);
  char **words = calloc(call->count + 2, sizeof *words);
  if (!words) return failed(call->repl->run, FLOW_NO_MEMORY, NULL);
  words[0] = (char[]){"--emit"};
  memcpy(words + 1, call->word, call->count * sizeof *words);
  int code = repl_verb(call->repl, VERB_check, words, call->count + 1);
  free(words);
  return code;
}

/* ---- settings ------------------------------------------------------------------------------------------------------------------- */

/* A value is tried on a verb that has the option: its parser says what is wrong. */
static int try_setting(const Call *call, OptionId option, const char *value) {
  VerbId verb = (VerbId)0;
  while (verb < VERB_COUNT && !option_is_of(option, verb)) verb++;
  CommandLine line;
  flow_error error = {{0}};
  char *word = NULL;
  if (asprintf(&word, "--%s%s%s", options[option].name, *value ? "=" : "", value) < 0) return failed(call->repl->run, FLOW_NO_MEMORY, NULL);
  char operand[] = "x", *argv[] = {operand, (char *)(uintptr_t)verbs[verb].name, word, operand, NULL};
  flow_status status = command_line_parse(4, argv, &line, &error);
  free(word);
  if (status) return failed(call->repl->run, status, &error);
  command_line_free(&line);
  return 0;
}

static OptionId option_to_set(const Call *call) {
  const char *name[OPTION_COUNT], *word = call->word[0] + strspn(call->word[0], "-");
  for (int o = 0; o < OPTION_COUNT; o++)
    if (strcmp(name[o] = options[o].name, word) == 0) return (OptionId)o;
  const char *near = diag_nearest(word, name, OPTION_COUNT);
  complain(&call->repl->run->terminal, "no command has an option --%s%s%s%s", word, near ? "; did you mean --" : "", near ? near : "", near ? "?" : "");
  return OPTION_COUNT;
}

static int do_set(const Call *call) {
  Repl *repl = call->repl;
  if (call->count > 2) return usage(call);
  if (call->count == 0) {
    if (repl->settings == 0) puts("nothing is set");
    for (size_t i = 0; i < repl->settings; i++) printf("--%s %s\n", options[repl->setting[i].option].name, repl->setting[i].value);
    return 0;
  }
  OptionId option = option_to_set(call);
  if (option == OPTION_COUNT) return BAD_CALL_CODE;
  const char *value = call->count == 2 ? call->word[1] : "";
  int code = try_setting(call, option, value);
  if (code) return code;
  flow_status status = repl_set(repl, option, value);
  return status ? failed(repl->run, status, NULL) : 0;
}

static int do_unset(const Call *call) {
  if (call->count != 1) return usage(call);
  OptionId option = option_to_set(call);
  if (option == OPTION_COUNT) return BAD_CALL_CODE;
  repl_set(call->repl, option, NULL);
  return 0;
}

static int do_weights(const Call *call) {
  if (call->count > 1) return usage(call);
  if (call->count == 0) return repl_verb(call->repl, VERB_inspect, call->word, 0);
  const char *now = repl_setting(call->repl, "weights");
  char *before = now ? strdup(now) : NULL;
  flow_status status = now && !before ? FLOW_NO_MEMORY : repl_set(call->repl, OPTION_weights, call->word[0]);
  int code = status ? failed(call->repl->run, status, NULL) : repl_verb(call->repl, VERB_inspect, call->word, 1);
  if (code) repl_set(call->repl, OPTION_weights, before); /* what cannot be read is not what to read */
  free(before);
  if (!code) puts("these are read from now on; `:unset weights` goes back to what a flow says");
  return code;
}

static int do_quit(const Call *call) {
  call->repl->done = true;
  return 0;
}

/* ---- which one -------------------------------------------------------------------------------------------------------------------- */

static int do_verb(const Call *call) { return repl_verb(call->repl, command_verb(call->command), call->word, call->count); }

static int (*function_of(CommandId command))(const Call *) {
  switch (command) {
  case COMMAND_help: return do_help;
  case COMMAND_list: return do_list;
  case COMMAND_load: return do_load;
  case COMMAND_reload: return do_reload;
  case COMMAND_save: return do_save;
  case COMMAND_forget: return do_forget;
  case COMMAND_type: return do_type;
  case COMMAND_time: return do_time;
  case COMMAND_emit: return do_emit;
  case COMMAND_set: return do_set;
  case COMMAND_unset: return do_unset;
  case COMMAND_weights: return do_weights;
  case COMMAND_quit: return do_quit;
  default: return do_verb;
  }
}

/* The command of that name, or the only one that begins so; COMMAND_COUNT, and it has been said. */
static CommandId find(const Repl *repl, const char *name) {
  const char *known[COMMAND_COUNT];
  size_t count = 0, length = strlen(name);
  CommandId begun = COMMAND_COUNT;
  int beginnings = 0;
  for (int i = 0; i < COMMAND_COUNT; i++) {
    if (!command_exists((CommandId)i)) continue;
    if (strcmp(commands[i].name, name) == 0) return (CommandId)i;
    if (length && strncmp(commands[i].name, name, length) == 0) begun = (CommandId)i, beginnings++;
    known[count++] = commands[i].name;
  }
  if (beginnings == 1) return begun;
  const char *near = diag_nearest(name, known, count);
  complain(&repl->run->terminal, "there is no command `:%s`%s%s%s", name, near ? "; did you mean `:" : "; `:help` lists what there is",
           near ? near : "", near ? "`?" : "");
  return COMMAND_COUNT;
}

static int call_command(Repl *repl, CommandId id, const char *rest) {
  Words words;
  if (!words_of(rest, &words)) {
    if (words.memory) complain(&repl->run->terminal, "a quote is not closed in: %s", rest);
    words_free(&words);
    return BAD_CALL_CODE;
  }
  Call call = {repl, id, rest, words.word, words.count};
  int code;
  bool wants_word = *commands[id].arguments && commands[id].arguments[0] != '[';
  if (repl->confined && commands[id].files) code = BAD_CALL_CODE;
  else if (wants_word && call.count == 0) code = usage(&call);
  else code = function_of(id)(&call);
  words_free(&words);
  return code;
}

int repl_command(Repl *repl, const char *line) {
  char name[32];
  line += strspn(line, " \t\r\n");
  bool question = *line == '?';
  const char *rest = line + 1;
  if (question) return call_command(repl, COMMAND_help, rest);
  size_t length = strcspn(rest, " \t\r\n");
  snprintf(name, sizeof name, "%.*s", length < sizeof name ? (int)length : (int)sizeof name - 1, rest);
  CommandId id = find(repl, name);
  return id == COMMAND_COUNT ? BAD_CALL_CODE : call_command(repl, id, rest + length + strspn(rest + length, " \t"));
}
