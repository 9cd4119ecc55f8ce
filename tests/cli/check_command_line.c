/* SPDX-License-Identifier: Apache-2.0 */
/* check_command_line.c -- the two tables and what reads them, without running anything. */
#include "command_line.h"
#include "help.h"
#include "run_suite.h"
#include <stdio.h>
#include <string.h>

/* Splits at blanks, so that a test reads as a user types. */
static flow_status parse(const char *text, CommandLine *line, flow_error *error) {
  static char copy[1024];
  char *argv[64], *rest = NULL;
  int argc = 0;
  error->text[0] = 0;
  snprintf(copy, sizeof copy, "%s", text);
  for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) argv[argc++] = word;
  argv[argc] = NULL;
  return command_line_parse(argc, argv, line, error);
}

static void expect_refusal(const char *text, const char *words) {
  CommandLine line;
  flow_error error;
  flow_status status = parse(text, &line, &error);
  ck_assert_msg(status == FLOW_BAD_CALL, "`%s` was accepted", text);
  ck_assert_msg(strstr(error.text, words) != NULL, "`%s`: \"%s\" does not say \"%s\"", text, error.text, words);
}

static char *help_text(VerbId verb) {
  char *text = NULL;
  size_t length;
  FILE *to = open_memstream(&text, &length);
  help_verb(to, verb);
  fclose(to);
  return text;
}

START_TEST(every_verb_has_at_least_two_examples_and_each_of_them_parses) {
  int examples = 0;
  char *text = help_text((VerbId)_i), *rest = NULL;
  for (char *row = strtok_r(text, "\n", &rest); row; row = strtok_r(NULL, "\n", &rest)) {
    if (strncmp(row, "  flowc ", 8) != 0) continue;
    CommandLine line;
    flow_error error;
    char *shell = strstr(row, " > ");
    if (shell) *shell = 0;
    flow_status status = parse(row, &line, &error);
    ck_assert_msg(status == FLOW_OK, "`%s`: %s", row, error.text);
    ck_assert_int_eq(line.verb, _i);
    command_line_free(&line);
    examples++;
  }
  free(text);
  ck_assert_msg(examples >= 2, "`%s` has %d examples", verbs[_i].name, examples);
}
END_TEST

START_TEST(every_option_has_help_a_verb_and_an_argument_where_it_takes_one) {
  const Option *option = &options[_i];
  ck_assert_msg(strlen(option->help) > 5, "--%s", option->name);
  ck_assert_msg(option->verbs != 0, "--%s belongs to no verb", option->name);
  ck_assert_msg(option->verbs < 1u << VERB_COUNT, "--%s", option->name);
  ck_assert_msg((option->kind == KIND_FLAG) == (option->argument[0] == 0), "--%s", option->name);
}
END_TEST

START_TEST(no_verb_has_two_options_of_one_name_or_letter) {
  for (int a = 0; a < OPTION_COUNT; a++)
    for (int b = 0; b < a; b++) {
      if (!(options[a].verbs & options[b].verbs)) continue;
      ck_assert_msg(strcmp(options[a].name, options[b].name) != 0, "--%s", options[a].name);
      ck_assert_msg(!options[a].letter || options[a].letter != options[b].letter, "-%c", options[a].letter);
    }
}
END_TEST

START_TEST(the_help_of_a_verb_shows_each_of_its_options) {
  char *text = help_text((VerbId)_i), name[64];
  for (int o = 0; o < OPTION_COUNT; o++) {
    snprintf(name, sizeof name, " --%s%s%s", options[o].name, options[o].argument[0] ? " " : "", options[o].argument);
    if (option_is_of((OptionId)o, (VerbId)_i))
      ck_assert_msg(strstr(text, name) != NULL, "%s is not in the help of %s", name, verbs[_i].name);
  }
  free(text);
}
END_TEST

START_TEST(the_help_has_no_line_beyond_column_112) {
  char *text = help_text((VerbId)_i), *rest = NULL;
  for (char *row = strtok_r(text, "\n", &rest); row; row = strtok_r(NULL, "\n", &rest))
    ck_assert_msg(strlen(row) <= 112, "%zu: %s", strlen(row), row);
  free(text);
}
END_TEST

START_TEST(completions_know_every_verb_and_every_option) {
  for (int shell = 0; shell < 2; shell++) {
    char *text = NULL, word[64];
    size_t length;
    FILE *to = open_memstream(&text, &length);
    (shell ? completion_zsh : completion_bash)(to);
    fclose(to);
    for (int v = 0; v < VERB_COUNT; v++) {
      snprintf(word, sizeof word, "\n    %s) opts=", verbs[v].name);
      ck_assert_msg(strstr(text, word) != NULL, "%s", verbs[v].name);
    }
    for (int o = 0; o < OPTION_COUNT; o++) {
      snprintf(word, sizeof word, "--%s", options[o].name);
      ck_assert_msg(strstr(text, word) != NULL, "%s", word);
    }
    free(text);
  }
}
END_TEST

START_TEST(options_stand_anywhere_after_the_verb_and_in_four_spellings) {
  static const char *const spelling[] = {"flowc sample -n 12 m.flow", "flowc sample m.flow -n12",
                                         "flowc sample --count 12 m.flow", "flowc sample m.flow --count=12"};
  CommandLine line;
  flow_error error;
  ck_assert_int_eq(parse(spelling[_i], &line, &error), FLOW_OK);
  ck_assert_uint_eq(line.value[OPTION_count].count, 12);
  ck_assert_uint_eq(line.operands, 1);
  ck_assert_str_eq(line.operand[0], "m.flow");
  command_line_free(&line);
}
END_TEST

START_TEST(two_dashes_end_the_options) {
  CommandLine line;
  flow_error error;
  ck_assert_int_eq(parse("flowc fmt -w -- -n", &line, &error), FLOW_OK);
  ck_assert(line.value[OPTION_write].given);
  ck_assert_uint_eq(line.operands, 1);
  ck_assert_str_eq(line.operand[0], "-n");
  command_line_free(&line);
}
END_TEST

START_TEST(a_negative_number_is_a_value) {
  CommandLine line;
  flow_error error;
  ck_assert_int_eq(parse("flowc eval m.flow --time -0.5 --at -1,2", &line, &error), FLOW_OK);
  ck_assert_str_eq(line.value[OPTION_time].text, "-0.5");
  ck_assert_str_eq(line.value[OPTION_at].text, "-1,2");
  command_line_free(&line);
}
END_TEST

START_TEST(conditions_are_kept_in_order_and_other_options_come_once) {
  CommandLine line;
  flow_error error;
  ck_assert_int_eq(parse("flowc sample m.flow -c a=1 --condition b=2,3 -c c=x.npy", &line, &error), FLOW_OK);
  ck_assert_uint_eq(line.conditions, 3);
  ck_assert_str_eq(line.condition[1], "b=2,3");
  command_line_free(&line);
  expect_refusal("flowc sample m.flow --seed 1 --seed 2", "--seed is given twice");
}
END_TEST

START_TEST(counts_are_whole_and_may_be_written_with_an_exponent) {
  CommandLine line;
  flow_error error;
  ck_assert_int_eq(parse("flowc sample m.flow -n 1e6 --range 10:1e3", &line, &error), FLOW_OK);
  ck_assert_uint_eq(line.value[OPTION_count].count, 1000000);
  ck_assert_uint_eq(line.value[OPTION_range].from, 10);
  ck_assert_uint_eq(line.value[OPTION_range].to, 1000);
  command_line_free(&line);
}
END_TEST

static const struct {
  const char *line, *words;
} refused[] = {
    {"flowc", "a verb is missing"},
    {"flowc smaple m.flow", "did you mean `flowc sample`"},
    {"flowc -n 5", "a verb comes first"},
    {"flowc sample", "wants one more word: flowc sample MODEL.flow"},
    {"flowc sample a.flow b.flow", "`b.flow` is one word too many"},
    {"flowc sample m.flow --sed 1", "did you mean --seed?"},
    {"flowc sample m.flow --rounds 9", "--rounds is an option of `flowc bench`"},
    {"flowc sample m.flow --zzzzzzz", "`flowc help sample` lists"},
    {"flowc sample m.flow -z", "no option -z"},
    {"flowc sample m.flow -n", "-n wants a value: -n N"},
    {"flowc sample m.flow --logp -o x.npy", "--logp wants a value: --logp FILE; `-o` is an option itself"},
    {"flowc sample m.flow -o --logp=x.npy", "-o wants a value: -o FILE; `--logp=x.npy` is an option itself"},
    {"flowc sample m.flow -n -5", "a whole number"},
    {"flowc sample m.flow -n 1.5", "a whole number"},
    {"flowc sample m.flow -n 99999999999999999999", "a whole number"},
    {"flowc sample m.flow -n 0x10", "a whole number"},
    {"flowc sample m.flow -n nan", "a whole number"},
    {"flowc sample m.flow -n 12x", "not `12x`"},
    {"flowc sample m.flow --precision f16", "--precision wants f32|f64, not `f16`"},
    {"flowc sample m.flow --precision f3", "not `f3`"},
    {"flowc sample m.flow --range 5:2", "A <= B"},
    {"flowc sample m.flow --range 5", "A:B"},
    {"flowc sample m.flow --plot=yes", "takes no value"},
    {"flowc sample m.flow --output=", "not empty"},
};
START_TEST(a_wrong_command_line_is_refused_with_the_mend) { expect_refusal(refused[_i].line, refused[_i].words); }
END_TEST

int main(void) {
  Suite *suite = suite_create("command line");
  TCase *tables = tcase_create("tables"), *parser = tcase_create("parser");
  tcase_add_loop_test(tables, every_verb_has_at_least_two_examples_and_each_of_them_parses, 0, VERB_COUNT);
  tcase_add_loop_test(tables, every_option_has_help_a_verb_and_an_argument_where_it_takes_one, 0, OPTION_COUNT);
  tcase_add_test(tables, no_verb_has_two_options_of_one_name_or_letter);
  tcase_add_loop_test(tables, the_help_of_a_verb_shows_each_of_its_options, 0, VERB_COUNT);
  tcase_add_loop_test(tables, the_help_has_no_line_beyond_column_112, 0, VERB_COUNT);
  tcase_add_test(tables, completions_know_every_verb_and_every_option);
  tcase_add_loop_test(parser, options_stand_anywhere_after_the_verb_and_in_four_spellings, 0, 4);
  tcase_add_test(parser, two_dashes_end_the_options);
  tcase_add_test(parser, a_negative_number_is_a_value);
  tcase_add_test(parser, conditions_are_kept_in_order_and_other_options_come_once);
  tcase_add_test(parser, counts_are_whole_and_may_be_written_with_an_exponent);
  tcase_add_loop_test(parser, a_wrong_command_line_is_refused_with_the_mend, 0,
                      (int)(sizeof refused / sizeof *refused));
  suite_add_tcase(suite, tables);
  suite_add_tcase(suite, parser);
  return run_suite(suite);
}
