/* SPDX-License-Identifier: Apache-2.0 */
/* tables.c -- verbs.def and options.def as arrays. */
#include "command_line.h"
#include <string.h>

static const char data_sets_text[] =
    "Point i is a function of --seed, --noise and i. u, u1, u2 are uniform in [0, 1), n1, n2 standard normal, k is\n"
    "drawn with equal chances; --noise says s.\n"
#define DATA_SET(name, word, spread, formula) "  " word ": " formula "; s = " #spread "\n"
#include "data_sets.def"
#undef DATA_SET
    "Entropies: of the checkerboard log(8/0.45^2), of the moons 0.2892 (s = 0.05), 1.0076 (0.1), 1.4168 (0.15).";

const Verb verbs[VERB_COUNT] = {
#define VERB(id, operands, least, most, title, text, examples) {#id, operands, least, most, title, text, examples},
#include "verbs.def"
#undef VERB
};

#define IN(verb) (1u << VERB_##verb)
#define EVERYWHERE ((1u << VERB_COUNT) - 1)
const Option options[OPTION_COUNT] = {
#define OPTION(id, name, letter, kind, argument, verbs, standard, help)                                                \
  {name, letter, KIND_##kind, argument, verbs, standard, help},
#include "options.def"
#undef OPTION
};

VerbId verb_find(const char *name) {
  int v = 0;
  while (v < VERB_COUNT && strcmp(verbs[v].name, name) != 0) v++;
  return (VerbId)v;
}

const char *choice_word(const char *list, int k, int *length) {
  for (; k > 0; k--) {
    list = strchr(list, '|');
    if (!list) return NULL;
    list++;
  }
  *length = (int)strcspn(list, "|");
  return *length ? list : NULL;
}
