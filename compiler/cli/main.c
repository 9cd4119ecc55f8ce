/* SPDX-License-Identifier: Apache-2.0 */
/* main.c -- flowc: the words are parsed, the verb does the rest. */
#include "compile.h"
#include "cpu.h"
#include "help.h"
#include "run.h"
#include <errno.h>
#include <locale.h>
#include <string.h>

static int (*const verb_function[VERB_COUNT])(const Run *) = {
#define VERB(id, operands, least, most, title, text, examples) verb_##id,
#include "verbs.def"
#undef VERB
};

int failed(const Run *run, flow_status status, const flow_error *error) {
  if (error && error->text[0])
    complain(&run->terminal, "%s", error->text);
  else
    complain(&run->terminal, "%s", flow_status_text(status));
  return flow_status_exit_code(status);
}

int finish_output(const Run *run) {
  if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
  complain(&run->terminal, "standard output: %s", strerror(errno));
  return flow_status_exit_code(FLOW_BAD_FILE);
}

static void print_version(void) {
  uint32_t cpu = flow_cpu_level();
#ifdef NDEBUG
  const char *build = "release";
#else
  const char *build = "debug";
#endif
  printf("%s\n", flow_compiler_version());
  if (cpu)
    printf("CPU: x86-64-v%u\n", cpu);
  else
    printf("CPU: below x86-64-v3; models cannot run here\n");
  printf("build: %s, %s\n", build, __VERSION__);
}

int main(int argc, char **argv) {
  CommandLine line;
  flow_error error = {{0}};
  setlocale(LC_CTYPE, ""); /* for the terminal's characters; numbers stay as in C */
  flow_status status = command_line_parse(argc, argv, &line, &error);
  Run run = {&line, terminal_look(&line)};
  if (status) return failed(&run, status, &error);
  int code = 0;
  if (line.ask == ASK_RUN) {
    code = verb_function[line.verb](&run);
  } else {
    if (line.ask == ASK_VERSION)
      print_version();
    else if (line.verb == VERB_COUNT)
      help_list(stdout);
    else
      help_verb(stdout, line.verb);
    code = finish_output(&run);
  }
  command_line_free(&line);
  return code;
}
