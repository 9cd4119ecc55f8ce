/* SPDX-License-Identifier: Apache-2.0 */
/* main.c -- flowc: the words are parsed, the verb does the rest. */
#include "compile.h"
#include "cpu.h"
#include "help.h"
#include "run.h"
#include "run_verb.h"
#include <locale.h>
#include <string.h>
#include <unistd.h>

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
  char *const at_prompt[] = {argv[0], (char[]){"repl"}, NULL};
  bool alone = argc == 1 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO); /* `flowc` and a person: the prompt */
  flow_status status = command_line_parse(alone ? 2 : argc, alone ? at_prompt : argv, &line, &error);
  Run run = {&line, terminal_look(&line), NULL};
  if (status) return failed(&run, status, &error);
  int code = 0;
  if (line.ask == ASK_RUN) {
    code = run_verb(&run);
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
