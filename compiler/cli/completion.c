/* SPDX-License-Identifier: Apache-2.0 */
/* completion.c -- scripts for bash and zsh, written from the tables.  Both work on words alone: the verb, then the
 * options of that verb, the words of a choice, and file names for everything else. */
#include "help.h"
#include <string.h>

static void print_verbs(FILE *to) {
  for (int v = 0; v < VERB_COUNT; v++) fprintf(to, "%s%s", v ? " " : "", verbs[v].name);
}

static void print_options(FILE *to, VerbId verb) {
  const char *space = "";
  for (int o = 0; o < OPTION_COUNT; o++) {
    if (!option_is_of((OptionId)o, verb)) continue;
    fprintf(to, "%s--%s", space, options[o].name);
    space = " ";
    if (options[o].letter) fprintf(to, " -%c", options[o].letter);
  }
}

static void print_words(FILE *to, const char *list) {
  for (; *list; list++) fputc(*list == '|' ? ' ' : *list, to);
}

/* The words that may follow the verbs whose operands are words: help, completion. */
static void print_operand_cases(FILE *to) {
  fprintf(to, "    help) choices=\"$verbs\" ;;\n    completion) choices=\"bash zsh\" ;;\n");
}

static void print_body(FILE *to) {
  fputs("  local verbs=\"", to);
  print_verbs(to);
  fputs("\"\n  local choices=\"\" opts=\"\"\n  case \"$verb\" in\n", to);
  for (int v = 0; v < VERB_COUNT; v++) {
    fprintf(to, "    %s) opts=\"", verbs[v].name);
    print_options(to, (VerbId)v);
    fputs("\" ;;\n", to);
  }
  fputs("  esac\n  case \"$verb\" in\n", to);
  print_operand_cases(to);
  fputs("  esac\n  case \"$before\" in\n", to);
  for (int o = 0; o < OPTION_COUNT; o++) {
    if (options[o].kind != KIND_CHOICE) continue;
    fprintf(to, "    --%s) choices=\"", options[o].name);
    print_words(to, options[o].argument);
    fputs("\"; opts=\"\" ;;\n", to);
  }
  fputs("  esac\n", to);
}

void completion_bash(FILE *to) {
  fputs("# bash completion for flowc; written by `flowc completion bash`\n"
        "_flowc() {\n"
        "  local word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\" verb=\"${COMP_WORDS[1]}\"\n",
        to);
  print_body(to);
  fputs("  if [ \"$COMP_CWORD\" -eq 1 ]; then choices=\"$verbs --help --version\"; fi\n"
        "  if [ -n \"$choices\" ]; then\n"
        "    mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$word\")\n"
        "  elif [ \"${word:0:1}\" = - ]; then\n"
        "    mapfile -t COMPREPLY < <(compgen -W \"$opts\" -- \"$word\")\n"
        "  else\n"
        "    compopt -o filenames\n"
        "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
        "  fi\n"
        "}\n"
        "complete -F _flowc flowc\n",
        to);
}

void completion_zsh(FILE *to) {
  fputs("#compdef flowc\n"
        "# zsh completion for flowc; written by `flowc completion zsh`\n"
        "_flowc() {\n"
        "  local word=\"${words[CURRENT]}\" before=\"${words[CURRENT-1]}\" verb=\"${words[2]}\" position=$CURRENT\n",
        to);
  print_body(to);
  fputs("  if (( position == 2 )); then compadd -- ${=verbs} --help --version\n"
        "  elif [[ -n \"$choices\" ]]; then compadd -- ${=choices}\n"
        "  elif [[ \"$word\" == -* ]]; then compadd -- ${=opts}\n"
        "  else _files\n"
        "  fi\n"
        "}\n"
        "_flowc \"$@\"\n",
        to);
}
