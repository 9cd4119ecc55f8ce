/* SPDX-License-Identifier: Apache-2.0 */
/* check_text.c -- ir_print and ir_parse are each other's inverse, and the parser answers every text. */
#include "ir_suite.h"
#include <string.h>
#include "random_ir.h"

static const char example[] =
    "function \"velocity\"\n"
    "input \"t\" [] t\n"
    "input \"x\" [2] s\n"
    "weight \"net.0.weight\" [64, 2] scope \"net.\" part \"weight\" layer 3 labelled at 10:20\n"
    "weight - [64] scope - part - layer 0\n"
    "%0 = input 1 [2] s\n"
    "%1 = weight 0 [64, 2] w\n"
    "%2 = weight 1 [64] w\n"
    "%3 = contract %1 %0 %2 [64] ws sums 2 a 0 strides 2 1 b 0 strides 0 1 at 7:9\n"
    "%4 = view %3 [2] ws offset 63 strides -63\n"
    "%5 = constant [2, 3] - data 0.1 1e-300*2 -0 inf nan:7ff8000000000000\n"
    "%6 = less %4 %0 truth [2] ws\n"
    "%7 = constant [2] - data 0.5*2\n"
    "%8 = pin %7 [2] t\n"
    "%9 = standardize %8 [2] t eps 1e-05\n"
    "%10 = select %6 %9 %0 [2] wts\n"
    "result %10\n";

START_TEST(what_is_printed_is_the_text_that_was_read) {
  ck_assert_str_eq(ir_text(ir_of_text(example)), example);
} END_TEST

START_TEST(names_of_any_bytes_survive) {
  const char *text = "function \"a\\\"b\\\\c\\x01\\x7f\xc3\xa9\"\ninput \"t\" [] t\ninput - [1] s\n"
                     "%0 = input 1 [1] s\nresult %0\n";
  IrFunction *f = ir_of_text(text);
  ck_assert_str_eq(f->name, "a\"b\\c\x01\x7f\xc3\xa9");
  ck_assert_ptr_null(f->input[1].name);
  ck_assert_str_eq(ir_text(f), text);
} END_TEST

START_TEST(comments_empty_lines_and_carriage_returns_are_nothing) {
  IrFunction *f = ir_of_text("# a test\n\nfunction \"f\"   # its name\r\ninput \"t\" [] t\n\ninput \"x\" [1] s\r\n"
                             "%0 = input 1 [1] s\n"
                             "result %0\n# the end");
  ck_assert_uint_eq(f->nodes, 1);
} END_TEST

START_TEST(random_functions_read_back_as_they_were_printed) {
  for (uint64_t seed = 0; seed < 200; seed++) {
    IrFunction *f = random_ir(ir_arena(), seed, &(RandomIrOptions){.nodes = 30});
    const char *wrong = ir_verify(f);
    ck_assert_msg(!wrong, "seed %llu: %s", (unsigned long long)seed, wrong ? wrong : "");
    char *text = ir_text(f);
    ck_assert_str_eq(ir_text(ir_of_text(text)), text);
  }
} END_TEST

/* A text and what the parser says about it. */
static const char *const broken[][2] = {
    {"", "line 1: the line ends, `function` is missing"},
    {"frozen", "line 1: the line ends, `function` is missing"},
    {"function f", "line 1: found `f`, `\"` is right"},
    {"function \"f", "line 1: the line ends, a closing quote is missing"},
    {"function \"\\q\"", "line 1: found `q\"`, \\\", \\\\ or \\xHH is right"},
    {"function \"f\" 7", "line 1: found `7`, the end of the line is right"},
    {"function \"f\"\ninput \"t\" []", "line 2: the line ends, a mask of the letters w, t, c, s is missing"},
    {"function \"f\"\ninput \"t\" [1 2] t", "line 2: found `2]`, `,` is right"},
    {"function \"f\"\ninput \"t\" [1,1,1,1,1,1,1] t", "a shape of fewer axes is right"},
    {"function \"f\"\ninput \"t\" [99999999999999999999] t", "a smaller number is right"},
    {"function \"f\"\n%1 = input 0 [] t", "found `1`, node %0 is right"},
    {"function \"f\"\n%0 = frobnicate [] t", "line 2: found `frobnicate`, an operation is right"},
    {"function \"f\"\n%0 = constant [2] - data 1", "line 2: the line ends, a number is missing"},
    {"function \"f\"\n"
     "%0 = constant [2] - data 1*3", "found `3`, a number of elements that the shape has left is right"},
    {"function \"f\"\n"
     "%0 = constant [2] - data 1*0 1", "found `0`, a number of elements that the shape has left is right"},
    {"function \"f\"\n%0 = constant [2] - data 1 2 3", "line 2: found `3`, the end of the line is right"},
    {"function \"f\"\n"
     "%0 = constant [4096, 4096] - data 0*16777216",
     "a shape of at least 1 and, over all constants, at most 2^22 elements is"},
    {"function \"f\"\n%0 = constant [] - data nan:7ff", "a NaN with 16 hexadecimal digits is missing"},
    {"function \"f\"\n%0 = constant [] - data nan(1)", "a number is right"},
    {"function \"f\"\n%0 = view %0 [] - offset 0 strides 1 2 3 4 5 6 7 8 9", "a map of fewer axes is right"},
    {"function \"f\"\n%0 = contract %0 [] - sums 1 2 3 4 5 6 7 8 9", "a contraction of fewer axes is right"},
    {"function \"f\"\n%0 = exp %-1 [] -", "a number of 32 bits is right"},
    {"function \"f\"\nresult 0", "a node is right"},
    {"function \"f\"\ninput \"t\" [] t\ninput \"x\" [] s\n%0 = input 1 [] s\nresult %0\n"
     "result %0", "the end of the text is right"},
};
enum { BROKEN = sizeof broken / sizeof broken[0] };

START_TEST(a_broken_text_is_refused_with_its_line) {
  const char *wrong = ir_refusal(broken[_i][0]);
  ck_assert_msg(strstr(wrong, broken[_i][1]), "found \"%s\"\nexpected \"%s\"", wrong, broken[_i][1]);
} END_TEST

START_TEST(every_beginning_of_a_text_gets_an_answer) {
  for (size_t length = 0; length + 1 < strlen(example); length++) {
    const char *text = arena_text(ir_arena(), example, length);
    ir_refusal(text);
  }
} END_TEST

/* Each byte replaced by others: an answer, and never a function that does not verify. */
START_TEST(a_text_with_a_wrong_byte_gets_an_answer) {
  static const char other[] = "\0 \n\"%0-9[]*w";
  for (size_t at = 0; at + 1 < sizeof example; at++) {
    for (size_t k = 0; k < sizeof other; k++) {
      const char *wrong;
      char *text = arena_text(ir_arena(), example, sizeof example - 1);
      text[at] = other[k];
      IrFunction *f = ir_parse(ir_arena(), text, &wrong);
      ck_assert(!f == (wrong != NULL));
    }
  }
} END_TEST

void add_text_tests(TCase *tcase) {
  tcase_add_test(tcase, what_is_printed_is_the_text_that_was_read);
  tcase_add_test(tcase, names_of_any_bytes_survive);
  tcase_add_test(tcase, comments_empty_lines_and_carriage_returns_are_nothing);
  tcase_add_test(tcase, random_functions_read_back_as_they_were_printed);
  tcase_add_loop_test(tcase, a_broken_text_is_refused_with_its_line, 0, BROKEN);
  tcase_add_test(tcase, every_beginning_of_a_text_gets_an_answer);
  tcase_add_test(tcase, a_text_with_a_wrong_byte_gets_an_answer);
}
