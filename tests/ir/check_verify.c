/* SPDX-License-Identifier: Apache-2.0 */
/* check_verify.c -- the verifier refuses each kind of malformed function, by a sentence that says what is wrong. */
#include "ir_suite.h"
#include <string.h>

/* A whole text, or the nodes after the usual heading (ir_suite.h), and the sentence. */
typedef struct Mistake { const char *nodes, *sentence; } Mistake;

#define X "%0 = input 1 [2] s\n"
#define W "%0 = weight 0 [3, 2] w\n"
#define X2 "%1 = input 1 [2] s\n"
static const Mistake mistake[] = {
    {X "%1 = exp %1 [2] s\nresult %1\n", "%1 = exp: operand %1 does not stand before it"},
    {X "%1 = exp %7 [2] s\nresult %1\n", "%1 = exp: operand %7 does not stand before it"},
    {X "%1 = add %0 [2] s\nresult %1\n", "%1 = add: has 1 operands, 2 is right"},
    {X "%1 = exp %0 %0 [2] s\nresult %1\n", "%1 = exp: has 2 operands, 1 is right"},
    {X "%1 = exp %0 [3] s\nresult %1\n", "%1 = exp: operand %0 is [2], the result is [3]"},
    {X "%1 = exp %0 [2, 1] s\nresult %1\n", "%1 = exp: operand %0 is [2], the result is [2, 1]"},
    {X "%1 = view %0 [0] s offset 0 strides 1\nresult %1\n", "%1 = view: axis 0 has length 0"},
    {X "%1 = view %0 [-3] s offset 0 strides 1\nresult %1\n", "%1 = view: axis 0 has length -3"},
    {X "%1 = view %0 [4097, 4096] s offset 0 strides 0 0\n"
       "result %1\n", "%1 = view: [4097, 4096] has more than 2^24 elements"},
    {X "%1 = view %0 [4294967296, 4294967296, 2] s offset 0 strides 0 0 0\nresult %1\n", "has more than 2^24 elements"},
    {X "%1 = view %0 [3] s offset 0 strides 1\nresult %1\n", "%1 = view: the map leaves its operand %0, which is [2]"},
    {X "%1 = view %0 [2] s offset 1 strides 1\nresult %1\n", "the map leaves its operand %0, which is [2]"},
    {X "%1 = view %0 [2] s offset 0 strides -1\nresult %1\n", "the map leaves its operand %0, which is [2]"},
    {X "%1 = view %0 [2] s offset -9223372036854775807 strides -9223372036854775807\n"
       "result %1\n", "the map leaves its operand"},
    {X "%1 = view %0 [3] s offset 0 strides 9223372036854775807\nresult %1\n", "the map leaves its operand"},
    {X "%1 = contract %0 [2] s sums a 0 strides 1 b 0 strides 1\n"
       "result %1\n", "%1 = contract: has 1 operands, 2 or 3 are right"},
    {X "%1 = contract %0 %0 %0 %0 [2] s sums a 0 strides 1 b 0 strides 1\n"
       "result %1\n", "has 4 operands, 2 or 3 are right"},
    {X "%1 = contract %0 %0 [1, 1, 1] s sums 1 1 1 1 1 1 a 0 strides b 0 strides\nresult %1\n",
     "%1 = contract: has 9 axes, at most 8 are allowed"},
    {X "%1 = contract %0 %0 [2] s sums 0 a 0 strides 1 b 0 strides 1\nresult %1\n", "summed axis 0 has length 0"},
    {X "%1 = contract %0 %0 [2] s sums 2147483648 2147483648 a 0 strides 1 b 0 strides 1\nresult %1\n",
     "takes more than 2^36 multiplications"},
    {X "%1 = contract %0 %0 [2] s sums 2 a 0 strides 1 1 b 0 strides 1\n"
       "result %1\n", "the map of a leaves its operand %0, which is [2]"},
    {X "%1 = contract %0 %0 [2] s sums 2 a 0 strides 1 b 0 strides 1 1\n"
       "result %1\n", "the map of b leaves its operand %0, which is [2]"},
    {X "%1 = constant [] - data 0\n%2 = contract %0 %0 %1 [2] s sums a 0 strides 1 b 0 strides 1\nresult %2\n",
     "%2 = contract: init is [], the result is [2]"},
    {"%0 = concat [2] - axis 0\nresult %0\n", "%0 = concat: has no operands"},
    {X "%1 = concat %0 %0 [4] s axis 1\nresult %1\n", "%1 = concat: axis 1 is outside the result [4]"},
    {X "%1 = concat %0 %0 [5] s axis 0\nresult %1\n", "the operands have 4 elements along axis 0, the result has 5"},
    {W "%1 = concat %0 %0 [6, 3] w axis 0\nresult %1\n", "operand %0 is [3, 2], the result is [6, 3] along axis 0"},
    {W X2 "%2 = concat %0 %1 [4, 2] w axis 0\nresult %2\n", "operand %1 is [2], the result is [4, 2] along axis 0"},
    {X "%1 = lookup %0 %0 [2, 2] s\nresult %1\n", "%1 = lookup: the table is [2], [K, n] is right"},
    {W X2 "%2 = lookup %0 %1 [2, 3] w\nresult %2\n", "%2 = lookup: table [3, 2] and label [2] do not give [2, 3]"},
    {"%0 = input 0 [] t\n%1 = reduce_sum %0 [] t\n"
     "result %1\n", "%1 = reduce_sum: operand %0 is a scalar and has no last axis"},
    {W "%1 = reduce_max %0 [2] w\nresult %1\n", "%1 = reduce_max: [3, 2] without its last axis is not [2]"},
    {W "%1 = logsumexp %0 [3, 2] w\nresult %1\n", "%1 = logsumexp: [3, 2] without its last axis is not [3, 2]"},
    {"%0 = input 0 [] t\n%1 = softmax %0 [] t\nresult %1\n", "%1 = softmax: a scalar has no last axis"},
    {X "%1 = less %0 %0 [2] s\nresult %1\n", "%1 = less: makes a truth value, not a number"},
    {X "%1 = exp %0 truth [2] s\nresult %1\n", "%1 = exp: makes a number, not a truth value"},
    {X "%1 = and %0 %0 truth [2] s\nresult %0\n", "%1 = and: operand %0 is a number, a truth value is right"},
    {X "%1 = less %0 %0 truth [2] s\n%2 = add %1 %0 [2] s\n"
       "result %2\n", "%2 = add: operand %1 is a truth value, a number is right"},
    {X "%1 = select %0 %0 %0 [2] s\nresult %1\n", "%1 = select: operand %0 is a number, a truth value is right"},
    {X "%1 = less %0 %0 truth [2] s\n%2 = view %1 [2] s offset 0 strides 1\n"
       "result %2\n", "operand %1 is a truth value, a number is right"},
    {X "%1 = constant truth [] - data 0.5\nresult %0\n", "%1 = constant: element 0 is 0.5, a truth value is 0 or 1"},
    {"%0 = input 3 [2] -\nresult %0\n", "%0 = input: there is no input 3, only 3"},
    {"%0 = input 1 [3] s\nresult %0\n", "%0 = input: input 1 is [2], the node is [3]"},
    {"%0 = weight 1 [2] w\nresult %0\n", "%0 = weight: there is no weight 1, only 1"},
    {"%0 = weight 0 [2, 3] w\nresult %0\n", "%0 = weight: weight 0 is [3, 2], the node is [2, 3]"},
    {X "result %1\n", "the result is not a node of the function"},
    {X "%1 = less %0 %0 truth [2] s\nresult %1\n", "the result is a truth value, not a number"},
    {W "result %0\n", "the result is [3, 2], the state is [2]"},
};
enum { MISTAKES = sizeof mistake / sizeof mistake[0] };

START_TEST(each_mistake_is_refused_by_its_sentence) {
  const char *heading = "function \"f\"\ninput \"t\" [] t\ninput \"x\" [2] s\ninput \"c\" [2] c\n"
                        "weight \"W\" [3, 2] scope \"\" part - layer 0\n";
  const char *wrong = ir_refusal(arena_format(ir_arena(), "%s%s", heading, mistake[_i].nodes));
  ck_assert_msg(strstr(wrong, mistake[_i].sentence), "found \"%s\"\nexpected \"%s\"", wrong, mistake[_i].sentence);
} END_TEST

static const Mistake text_mistake[] = {
    {"function \"f\"\ninput \"t\" [] t\n%0 = input 0 [] t\n"
     "result %0\n", "a function has at least the inputs t and state"},
    {"function \"f\"\ninput \"t\" [1] t\ninput \"x\" [2] s\n%0 = input 1 [2] s\n"
     "result %0\n", "input 0, the time, is not a scalar"},
    {"function \"f\"\ninput \"t\" [] t\ninput \"x\" [0] s\nresult %0\n", "input 1: axis 0 has length 0"},
    {"function \"f\"\ninput \"t\" [] t\ninput \"x\" [2] s\nweight \"w\" [99999999] scope - part - layer 0\nresult %0\n",
     "weight 0: [99999999] has more than 2^24 elements"},
    {"frozen function \"f\"\ninput \"t\" [] t\ninput \"x\" [2] s\n%0 = input 1 [2] s\n%1 = softmax %0 [2] s\n"
     "result %1\n",
     "%1 = softmax: does not stand in a frozen function"},
    {"frozen function \"f\"\ninput \"t\" [] t\ninput \"x\" [2] s\n%0 = constant [2] - data 0*2\n%1 = pin %0 [2] s\n"
     "result %1\n",
     "%1 = pin: does not stand in a frozen function"},
};
enum { TEXT_MISTAKES = sizeof text_mistake / sizeof text_mistake[0] };

START_TEST(each_mistake_of_a_whole_function_is_refused_by_its_sentence) {
  const char *wrong = ir_refusal(text_mistake[_i].nodes);
  ck_assert_msg(strstr(wrong, text_mistake[_i].sentence), "found \"%s\"\n"
                                                          "expected \"%s\"", wrong, text_mistake[_i].sentence);
} END_TEST

/* ---- what no text can say --------------------------------------------------------------------------------------- */
static IrFunction *fine(void) { return ir_of(2, X "%1 = exp %0 [2] s\nresult %1\n"); }
static void refuse(const IrFunction *f, const char *sentence) {
  const char *wrong = ir_verify(f);
  ck_assert_msg(wrong && strstr(wrong, sentence), "found \"%s\", expected \"%s\"", wrong ? wrong : "nothing", sentence);
}

START_TEST(an_unknown_operation_is_refused) {
  IrFunction *f = fine();
  f->node[1].op = (IrOp)99;
  refuse(f, "%1 has the operation 99, which there is not");
} END_TEST

START_TEST(a_mask_that_lacks_a_dependence_is_refused) {
  IrFunction *f = fine();
  f->node[1].mask = IR_TIMES;
  refuse(f, "%1 = exp: the mask 0x2 lacks what it depends on, 0x8");
} END_TEST

START_TEST(too_many_axes_are_refused) {
  IrFunction *f = fine();
  f->node[1].shape.rank = FLOW_MOST_RANK + 1;
  refuse(f, "%1 = exp: has 7 axes, at most 6 are allowed");
} END_TEST

START_TEST(a_constant_without_data_is_refused) {
  IrFunction *f = fine();
  f->node[1] = (IrNode){.op = IR_constant, .shape = {1, {2}}};
  refuse(f, "%1 = constant: has no data");
} END_TEST

START_TEST(a_number_of_summed_axes_beyond_all_bounds_is_refused) {
  IrFunction *f = ir_of(2, X "%1 = contract %0 %0 [2] s sums a 0 strides 1 b 0 strides 1\nresult %1\n");
  f->node[1].sums = UINT32_MAX;
  refuse(f, "axes, at most 8 are allowed");
} END_TEST

START_TEST(more_than_the_mask_needs_is_allowed) {
  IrFunction *f = fine();
  f->node[1].mask = IR_STATE | IR_TIMES;
  ck_assert_ptr_null(ir_verify(f));
} END_TEST

void add_verify_tests(TCase *tcase) {
  tcase_add_loop_test(tcase, each_mistake_is_refused_by_its_sentence, 0, MISTAKES);
  tcase_add_loop_test(tcase, each_mistake_of_a_whole_function_is_refused_by_its_sentence, 0, TEXT_MISTAKES);
  tcase_add_test(tcase, an_unknown_operation_is_refused);
  tcase_add_test(tcase, a_mask_that_lacks_a_dependence_is_refused);
  tcase_add_test(tcase, too_many_axes_are_refused);
  tcase_add_test(tcase, a_constant_without_data_is_refused);
  tcase_add_test(tcase, a_number_of_summed_axes_beyond_all_bounds_is_refused);
  tcase_add_test(tcase, more_than_the_mask_needs_is_allowed);
}
