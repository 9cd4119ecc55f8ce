/* SPDX-License-Identifier: Apache-2.0 */
/* check_runnable.c -- what an expression is run by: compiled code with the bits of the interpreter, and of the compiled field that
 * it calls. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "eval.h"
#include "run_suite.h"
#include "runnable.h"

static const char session[] =
    "let p = [0.25, -1]\n"
    "let mu = [[-2, 0], [2, 1]]\n"
    "fn f(a) = a^3 + sin(a)/a\n"
    "fn above(a, b) = if a > b or a < 0 then a else b\n"
    "field u(t, x: [2]) = [-x[1], x[0]] / (1 + t) + sin(x / (t + 2))\n"
    "field guided(t, x: [2], c: [2], w) = w * u(t, x) + c / (1 + t)\n"
    "field mix(t, x: [2]) =\n"
    "  let w = softmax(for k: -norm2(x - t*mu[k]) / (2*(1 - t)^2 + 0.1))\n"
    "  sum k: w[k] * (mu[k] - x)\n"
    "map m(t, x: [2]) = exp(t)*x + 0.1*sin(x)\n"
    "density q(t, x: [2]) = if t > 0.5 then -norm2(x) else log(1 + norm2(x))\n"
    "network v(t, x: [2]) -> [2] =\n"
    "  [t, x] |> linear 64 |> elu |> linear 64 |> elu |> linear 64 |> elu |> linear 2\n"
    "flow moons { source normal(2)  velocity v  weights \"moons.safetensors\" prefix \"net.\"  solver midpoint steps 100 }\n";

/* The whole of an expression's way to its numbers. */
typedef struct Evaluated {
  Study *study;
  Runnable runnable;
  double *result;
} Evaluated;

static Evaluated evaluate(const char *text, const char *expression, RunnableCode code) {
  Evaluated e = {.study = study_new()};
  flow_error error = {{0}};
  ck_assert_ptr_nonnull(e.study);
  if (setjmp(e.study->no_memory)) ck_abort_msg("out of memory");
  study_program(e.study, TESTS_DIR "/../examples/<session>", text, "");
  Value value = study_expression(e.study, expression);
  if (!value.function) diag_print(&e.study->diagnostics, stderr, false);
  ck_assert_msg(value.function != NULL, "%s", expression);
  RunnableOptions how = {.path = TESTS_DIR "/../examples/<session>", .code = code, .typed = value.text};
  flow_status status = runnable_make(e.study, &how, value.function, &e.runnable, &error);
  ck_assert_msg(!status, "%s: %s", expression, error.text);
  e.result = calloc(e.runnable.results + 1, sizeof *e.result);
  status = runnable_run(&e.runnable, NULL, e.result, &error);
  ck_assert_msg(!status, "%s: %s", expression, error.text);
  return e;
}

static void end(Evaluated *e) {
  free(e->result);
  runnable_free(&e->runnable);
  study_free(e->study);
}

static void expect_same(const Evaluated *a, const Evaluated *b, const char *expression) {
  ck_assert_uint_eq(a->runnable.results, b->runnable.results);
  for (size_t i = 0; i < a->runnable.results; i++)
    ck_assert_msg(memcmp(&a->result[i], &b->result[i], sizeof(double)) == 0, "%s: %a and %a", expression, a->result[i], b->result[i]);
}

static const char *const compiled[] = {
    "u(0.5, [1, 0])",
    "u(0.5, p) + 2*u(0.25, mu[1])",
    "div(u)(0.3, [0.5, -0.25])",
    "jvp(u)(0.1, [1, 2]; [1, 1])",
    "vjp(mix)(0.1, [1, 2]; [1, 1])",
    "grad(q)(0.2, [3, 4])",
    "f(0.7)",
    "above(1, 2) < above(3, 1)",
    "not (q(0.2, p) < 4 and u(0.2, p)[0] > 3)",
    "guided(0.5, p, [1, 2], 3)",
    "mix(0.9, [0.1, 0.2])",
    "div(mix)(0.9, [0.1, 0.2])",
    "m(0.5, [1, 2])",
    "inverse(m)(0.5, [1, 2])",
    "for k < 50: f(k/10)",
    "for k < 40: u(k/40, [1, k])",
    "solve([[2, f(1)], [1, 3]], [1, 2])",
    "logdet([[2, f(1)], [1, 3]])",
    "gelu(0.3)",
    "v(0.5, [0.25, -1])",
    "div(v)(0.5, [0.25, -1])",
    "q(0.75, m(0.5, v(0.5, p)))",
};

START_TEST(a_call_is_compiled_and_has_the_bits_of_the_interpreter) {
  Evaluated interpreted = evaluate(session, compiled[_i], NO_CODE);
  ck_assert_ptr_null(interpreted.runnable.compiled);
  for (RunnableCode code = CODE_FOR_ONCE; code <= CODE_FOR_OFTEN; code++) {
    Evaluated run = evaluate(session, compiled[_i], code);
    ck_assert_msg(run.runnable.compiled != NULL, "%s has no code", compiled[_i]);
    expect_same(&run, &interpreted, compiled[_i]);
    end(&run);
  }
  end(&interpreted);
}
END_TEST

START_TEST(what_folding_leaves_known_has_no_code) {
  static const char *const known[] = {"1 + 2", "[1, 2.5]", "[[1, 2], [3, 4]] @ [1, 1]", "1 < 2", "sum k < 100: 1/(k + 1)^2", "mu", "2*p[1]"};
  static const double value[] = {3, 1, 3, 1, 1.6349839001848931, -2, -2};
  Evaluated e = evaluate(session, known[_i], CODE_FOR_ONCE);
  ck_assert_ptr_null(e.runnable.compiled);
  ck_assert_double_eq(e.result[0], value[_i]);
  end(&e);
}
END_TEST

/* Each function calls the one before it twice: 2^11 sines are more than anyone waits for. */
START_TEST(what_would_be_too_long_as_code_is_interpreted) {
  char text[2048], *to = text;
  to += sprintf(to, "fn f0(x) = sin(x*x + 1)\n");
  for (int i = 1; i <= 11; i++) to += sprintf(to, "fn f%d(x) = f%d(x) + f%d(x + 0.%d)*x\n", i, i - 1, i - 1, i);
  Evaluated small = evaluate(text, "f6(0.5)", CODE_FOR_ONCE), large = evaluate(text, "f11(0.5)", CODE_FOR_ONCE), same = evaluate(text, "f11(0.5)", NO_CODE);
  ck_assert_ptr_nonnull(small.runnable.compiled);
  ck_assert_ptr_null(large.runnable.compiled);
  expect_same(&large, &same, "f11(0.5)");
  end(&small), end(&large), end(&same);
}
END_TEST

/* The velocity that the verbs run: lanes of samples, the time one for all of them. */
static void evaluate_field(const char *name, double t, const double *x, double *u) {
  FlowCompileOptions options = flow_compile_defaults();
  options.precision = FLOW_F64, options.field = name;
  FlowCompiled *field;
  flow_error error = {{0}};
  flow_status status = flow_compile(&flow_standard_allocator, "session.flow", session, strlen(session), &options, &field, &error);
  if (!status) status = flow_compiled_link(field, FLOW_ENTRY_EVAL, &error);
  ck_assert_msg(!status, "%s", error.text);
  FlowBlob blob;
  ck_assert(!flow_model_pack(&flow_standard_allocator, flow_compiled_model(field), NULL, "", &blob, &error));
  FlowEvaluation what = {.model = flow_compiled_model(field), .weights = blob.data, .count = 1, .t = &t, .x = x, .u = u, .threads = 1,
                         .allocator = &flow_standard_allocator};
  status = flow_evaluate(&what, &error);
  ck_assert_msg(!status, "%s", error.text);
  flow_blob_free(&blob);
  flow_compiled_free(field);
}

START_TEST(a_field_at_a_point_has_the_bits_that_the_verbs_compute) {
  static const char *const field[] = {"u", "mix"};
  static const double points[][3] = {{0.3, -0.1, 1.7}, {0.7, -0.1, 1.2}, {0.5, 1, 0}, {0.9, 0.1, 0.2}, {0.1, -3, 2.5}};
  const double *at = points[_i / 2];
  double u[2];
  char expression[128];
  snprintf(expression, sizeof expression, "%s(%.17g, [%.17g, %.17g])", field[_i % 2], at[0], at[1], at[2]);
  Evaluated e = evaluate(session, expression, CODE_FOR_ONCE);
  evaluate_field(field[_i % 2], at[0], at + 1, u);
  ck_assert_msg(memcmp(u, e.result, sizeof u) == 0, "%s: %a %a and %a %a", expression, e.result[0], e.result[1], u[0], u[1]);
  end(&e);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("runnable");
  TCase *tcase = tcase_create("runnable");
  tcase_set_timeout(tcase, 120);
  tcase_add_loop_test(tcase, a_call_is_compiled_and_has_the_bits_of_the_interpreter, 0, sizeof compiled / sizeof *compiled);
  tcase_add_loop_test(tcase, what_folding_leaves_known_has_no_code, 0, 7);
  tcase_add_test(tcase, what_would_be_too_long_as_code_is_interpreted);
  tcase_add_loop_test(tcase, a_field_at_a_point_has_the_bits_that_the_verbs_compute, 0, 10);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
