/* SPDX-License-Identifier: Apache-2.0 */
/* test_typed.c -- what is in a checked tree: shapes, counters, indices, calls, instances, layers. */
#include <stdio.h>
#include <string.h>
#include "checking.h"

static const TypedFunction *field_of(const char *text) {
  check_text(text);
  ck_assert_msg(run.diagnostics.errors == 0, "%s", said());
  ck_assert_uint_ge(run.program->fields, 1);
  return run.program->field[run.program->fields - 1];
}

/* What `e` is in the body of a field, after some definitions. */
static const Typed *value_of(const char *before, const char *e) {
  char text[2048];
  snprintf(text, sizeof text, "%s\nfield u(t, x: [4]) =\n  let value = %s\n  x\n", before, e);
  const TypedFunction *f = field_of(text);
  ck_assert_uint_ge(f->lets, 1);
  return f->let[f->lets - 1];
}

/* ---- shapes ---- */
static const struct { const char *e, *shape; } shape[] = {
  {"2", "a scalar"}, {"t", "a scalar"}, {"x", "[4]"}, {"x + 1", "[4]"}, {"t*x", "[4]"}, {"x / x", "[4]"}, {"x^2", "[4]"},
  {"2^x", "[4]"}, {"-x", "[4]"}, {"A", "[2, 3]"}, {"A - A", "[2, 3]"}, {"2*A", "[2, 3]"},
  {"[t, 1]", "[2]"}, {"[x, t]", "[5]"}, {"[x]", "[4]"}, {"[x, x, x]", "[12]"}, {"[[t, 1]]", "[1, 2]"}, {"[[t], [1]]", "[2, 1]"},
  {"[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]", "[2, 2, 2]"}, {"[(([1, 2])), t]", "[3]"},
  {"x[0]", "a scalar"}, {"x[3 - 3]", "a scalar"}, {"A[1]", "[3]"}, {"A[1][2]", "a scalar"}, {"A[1, 2]", "a scalar"},
  {"x[1:3]", "[2]"}, {"x[:2]", "[2]"}, {"x[2:]", "[2]"}, {"A[0:1]", "[1, 3]"}, {"A[0:2, 1]", "[2]"}, {"A[1, 0:2]", "[2]"},
  {"x[1:4][0:2]", "[2]"},
  {"for k < 8: k", "[8]"}, {"for k: 2*x[k]", "[4]"}, {"for k: A[k]", "[2, 3]"}, {"for k: A[0, k]", "[3]"},
  {"for j: for i: A[i, j]", "[3, 2]"}, {"for i: for j: A[i, j]", "[2, 3]"}, {"for i: for j: A[i][j]", "[2, 3]"},
  {"for k < 2: x[k + 1]", "[2]"}, {"for k < 2: x[2*k:2*k + 2]", "[2, 2]"}, {"for k < 4: x[3 - k]", "[4]"},
  {"sum k: x[k]", "a scalar"}, {"sum k: A[k]", "[3]"}, {"max k: A[k, 0]", "a scalar"}, {"min k < 3: k*x", "[4]"},
  {"for i: sum j: A[i, j] * x[j + 1]", "[2]"}, {"for i: sum j: A[i, j] * 2", "[2]"},
  {"(for k: x[k])[1]", "a scalar"}, {"sum k: (for j: x[j] * A[0, 0])[k]", "a scalar"},
  {"A @ [1, 2, 3]", "[2]"}, {"[1, 2] @ A", "[3]"}, {"x @ x", "a scalar"}, {"A @ (for j: for i: A[i, j])", "[2, 2]"},
  {"if t < 1 then x else 0*x", "[4]"}, {"if t < 1 and not (t < 0 or t > 2) then 1 else 2", "a scalar"},
  {"exp(x)", "[4]"}, {"exp(A)", "[2, 3]"}, {"max(x, 0)", "[4]"}, {"max(0, x)", "[4]"}, {"max(x, x)", "[4]"}, {"max(x)", "a scalar"},
  {"mod(x, 2)", "[4]"}, {"sum(x)", "a scalar"}, {"mean(x)", "a scalar"}, {"softmax(x)", "[4]"}, {"logsumexp(x)", "a scalar"},
  {"norm2(x)", "a scalar"}, {"norm(x)", "a scalar"}, {"dot(x, x)", "a scalar"}, {"standardize(x)", "[4]"}, {"one_hot(3, 10)", "[10]"},
  {"silu(t)", "a scalar"}, {"silu(x)", "[4]"}, {"gelu(A)", "[2, 3]"}, {"x |> mish |> exp", "[4]"},
  {"fourier(t, 16)", "[32]"}, {"sinusoid(100*t, 32)", "[64]"}, {"t |> fourier 2*n", "[20]"}, {"for i: fourier(x[i], 3)", "[4, 6]"},
  {"f(x, 1)", "[4]"}, {"f(x, x)", "[4]"}, {"g([1, 2], [3, 4])", "[2]"}, {"[1, 2, 3] |> g([1, 2, 3])", "[3]"}, {"n * 1", "a scalar"},
};
START_TEST(an_expression_has_the_shape_that_the_rules_give) {
  const char *before = "let A = [[1, 2, 3], [4, 5, 6]]\ndim n = 5\nfn f(a, b) = a*b\nfn g(a: [m], b: [m]) = a + b\n";
  const Typed *value = value_of(before, shape[_i].e);
  ck_assert_msg(strcmp(shape_text(&run.arena, &value->shape), shape[_i].shape) == 0, "%s is %s, not %s", shape[_i].e,
                shape_text(&run.arena, &value->shape), shape[_i].shape);
} END_TEST

START_TEST(a_size_in_an_expression_waits_for_its_variable) {
  const Typed *value = value_of("fn h(a: [2*k], b: [k]) = for i: a[2*i:2*i + 2] * b[i]", "h(x, [1, 2])");
  ck_assert_str_eq(shape_text(&run.arena, &value->shape), "[2, 2]");
  expect_errors("fn h(a: [2*k], b: [k]) = b\nlet c = h([1, 2, 3], [1, 2])\n", "E0303");
} END_TEST

/* ---- nodes ---- */
START_TEST(an_index_is_a_base_and_scaled_counters) {
  const Typed *loop = value_of("let A = [[1, 2, 3], [4, 5, 6]]", "for i < 2: for j < 2: A[1 - i, 1 + j]");
  const Typed *inner = loop->arg[0], *index = inner->arg[0];
  ck_assert_int_eq(loop->kind, TYPED_FOR);
  ck_assert_int_eq(loop->count, 2);
  ck_assert_int_eq(index->kind, TYPED_INDEX);
  ck_assert_int_eq(index->index[0].base, 1);
  ck_assert_int_eq(index->index[0].scale[0], -1);
  ck_assert_uint_eq(index->index[0].variable[0], loop->slot);
  ck_assert_int_eq(index->index[1].base, 1);
  ck_assert_int_eq(index->index[1].scale[0], 1);
  ck_assert_uint_eq(index->index[1].variable[0], inner->slot);
  ck_assert_int_eq(index->index[1].length, -1);
} END_TEST

START_TEST(a_counter_that_cancels_is_no_term) {
  const Typed *loop = value_of("", "for k < 4: x[k - k + 2]");
  ck_assert_uint_eq(loop->arg[0]->index[0].terms, 0);
  ck_assert_int_eq(loop->arg[0]->index[0].base, 2);
} END_TEST

START_TEST(a_slice_keeps_its_length) {
  const Typed *slice = value_of("", "x[1:3]");
  ck_assert_int_eq(slice->index[0].base, 1);
  ck_assert_int_eq(slice->index[0].length, 2);
} END_TEST

START_TEST(a_function_of_scalars_goes_through_a_matrix_in_two_loops) {
  const Typed *outer = value_of("let A = [[1, 2, 3], [4, 5, 6]]\nfn twice(a) = 2*a", "twice(A)");
  ck_assert_int_eq(outer->kind, TYPED_FOR);
  ck_assert_int_eq(outer->count, 2);
  ck_assert_int_eq(outer->arg[0]->count, 3);
  const Typed *call = outer->arg[0]->arg[0];
  ck_assert_int_eq(call->kind, TYPED_CALL);
  ck_assert_str_eq(call->callee->name, "twice");
  ck_assert_uint_eq(call->arg[0]->index[0].variable[0], outer->slot);
} END_TEST

START_TEST(a_pipe_is_the_call_that_it_stands_for) {
  const Typed *call = value_of("fn f(a: [n], b, dim k) = a*b*k", "x |> f(t) 3");
  ck_assert_int_eq(call->kind, TYPED_CALL);
  ck_assert_uint_eq(call->args, 2);
  ck_assert_int_eq(call->arg[0]->kind, TYPED_PARAMETER);
  ck_assert_uint_eq(call->arg[0]->slot, 1);
  ck_assert_uint_eq(call->arg[1]->slot, 0);
} END_TEST

START_TEST(equal_shapes_share_an_instance_and_others_do_not) {
  const Typed *all = value_of("fn f(v: [n], dim k) = k*sum(v)", "[f(x, 2), f(2*x, 2), f(x, 3), f([t], 2)]");
  ck_assert_ptr_eq(all->arg[0]->callee, all->arg[1]->callee);
  ck_assert_ptr_ne(all->arg[0]->callee, all->arg[2]->callee);
  ck_assert_ptr_ne(all->arg[0]->callee, all->arg[3]->callee);
  ck_assert_uint_eq(all->arg[0]->callee->parameters, 1);
} END_TEST

START_TEST(a_truth_value_may_have_a_name) {
  const Typed *value = value_of("fn f(t) =\n  let early = t < 0.5\n  if early and not (t == 0) then 1 else 2\n", "f(t)");
  ck_assert(value->callee->let[0]->truth);
  ck_assert_int_eq(value->callee->result->kind, TYPED_IF);
} END_TEST

/* ---- layers ---- */
START_TEST(repeat_is_a_chain_of_named_calls) {
  const TypedFunction *f = field_of("network block(h: [n], e: [m]) -> [n] = h + ([h, e] |> linear n \"l\")\n"
                                    "network v(t, x: [2]) -> [2] = x |> repeat 3 block([t]) \"blocks\"\n");
  const Typed *call = f->result;
  for (int i = 2; i >= 0; i--) {
    char label[32];
    snprintf(label, sizeof label, "blocks.%d", i);
    ck_assert_int_eq(call->kind, TYPED_CALL);
    ck_assert_str_eq(call->label, label);
    ck_assert_str_eq(call->callee->name, "block");
    call = call->arg[0];
  }
  ck_assert_int_eq(call->kind, TYPED_PARAMETER);
  ck_assert(f->owns_weights && f->labelled);
} END_TEST

START_TEST(a_layer_knows_what_it_owns) {
  const TypedFunction *f = field_of("network v(t, x: [3]) -> [5] =\n"
                                    "  let e = t |> embedding 11 7 \"class\"\n"
                                    "  let w = param(5, 3) \"W\"\n"
                                    "  let n = x |> layer_norm 1e-6 \"norm\"\n"
                                    "  (e |> linear 5 \"out\" no bias) + w @ n\n"
                                    "field u(t, x: [3]) = v(t, x)[0:3]\n");
  const TypedFunction *v = f->result->arg[0]->callee;
  ck_assert_int_eq(v->let[0]->layer, LAYER_EMBEDDING);
  ck_assert_int_eq(v->let[0]->count, 11);
  ck_assert_str_eq(shape_text(&run.arena, &v->let[1]->shape), "[5, 3]");
  ck_assert_int_eq(v->let[1]->layer, LAYER_PARAM);
  ck_assert_double_eq(v->let[2]->number, 1e-6);
  const Typed *linear = v->result->arg[0];
  ck_assert_int_eq(linear->layer, LAYER_LINEAR);
  ck_assert(linear->no_bias);
  ck_assert_str_eq(linear->label, "out");
  ck_assert(f->owns_weights);
} END_TEST

START_TEST(layers_without_names_are_not_labelled) {
  const TypedFunction *f = field_of("network v(t, x: [2]) -> [2] = [t, x] |> linear 8 |> tanh |> linear 2\n");
  ck_assert(f->owns_weights && !f->labelled);
} END_TEST

START_TEST(one_network_under_one_name_is_called_twice) {
  expect_clean("network p(h: [2]) -> [2] = h |> linear 2 \"w\"\n"
               "network v(t, x: [2]) -> [2] = (x |> p \"a\") + ((2*x) |> tanh |> p \"a\")\n");
} END_TEST

/* ---- limits ---- */
START_TEST(what_does_not_depend_on_a_counter_is_counted_once) {
  /* 4000 x 4000 sums; counted for every turn of both loops it would be refused */
  expect_clean("let a = for i < 4000: for j < 4000: i + j\n");
  expect_clean("network v(t, x: [4000]) -> [4000] = relu(x |> linear 4000 \"l\")\n");
} END_TEST

START_TEST(a_long_chain_is_no_deep_tree) {
  enum { TERMS = 50000 };
  static char text[8 * TERMS];
  char *at = stpcpy(text, "field u(t, x: [2]) = x");
  for (int i = 0; i < TERMS; i++) at = stpcpy(at, " + x");
  strcpy(at, "\n");
  expect_clean(text);
} END_TEST

START_TEST(a_long_run_of_definitions_is_no_deep_recursion) {
  enum { DEFINITIONS = 5000 };
  static char text[40 * DEFINITIONS];
  char *at = stpcpy(text, "let a0 = 1\n");
  for (int i = 1; i < DEFINITIONS; i++) at += sprintf(at, "let a%d = a%d + 1\n", i, i - 1);
  expect_clean(text);
} END_TEST

void add_typed_tests(TCase *tcase) {
  tcase_add_loop_test(tcase, an_expression_has_the_shape_that_the_rules_give, 0, sizeof shape / sizeof *shape);
  tcase_add_test(tcase, a_size_in_an_expression_waits_for_its_variable);
  tcase_add_test(tcase, an_index_is_a_base_and_scaled_counters);
  tcase_add_test(tcase, a_counter_that_cancels_is_no_term);
  tcase_add_test(tcase, a_slice_keeps_its_length);
  tcase_add_test(tcase, a_function_of_scalars_goes_through_a_matrix_in_two_loops);
  tcase_add_test(tcase, a_pipe_is_the_call_that_it_stands_for);
  tcase_add_test(tcase, equal_shapes_share_an_instance_and_others_do_not);
  tcase_add_test(tcase, a_truth_value_may_have_a_name);
  tcase_add_test(tcase, repeat_is_a_chain_of_named_calls);
  tcase_add_test(tcase, a_layer_knows_what_it_owns);
  tcase_add_test(tcase, layers_without_names_are_not_labelled);
  tcase_add_test(tcase, one_network_under_one_name_is_called_twice);
  tcase_add_test(tcase, what_does_not_depend_on_a_counter_is_counted_once);
  tcase_add_test(tcase, a_long_chain_is_no_deep_tree);
  tcase_add_test(tcase, a_long_run_of_definitions_is_no_deep_recursion);
}
