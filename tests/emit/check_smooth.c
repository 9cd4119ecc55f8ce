/* SPDX-License-Identifier: Apache-2.0 */
/* check_smooth.c -- how smooth a velocity is said to be, for programs, as lowered and frozen. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "compile.h"
#include "run_suite.h"

typedef struct Case { const char *value; IrSmoothness smoothness; } Case;

static FlowCompiled *compile(const char *value, FlowExtras extras) {
  static char text[1024];
  snprintf(text, sizeof text, "network n(t, x: [2]) -> [2] = x |> linear 4 |> linear 2\nfn cut(a, b) = if a > b then a else b\n"
                              "map bend(t, x: [2]) = x + t*tanh(x)/2\nmap kink(t, x: [2]) = x + t*abs(x)/2\nmap elus(t, x: [2]) = x + t*elu(x)/2\nfield u(t, x: [2]) = %s\n"
                              "flow f { source normal(2)  velocity u }\n", value);
  FlowCompileOptions options = flow_compile_defaults();
  FlowCompiled *compiled;
  flow_error error = {{0}};
  options.extras = extras;
  flow_status status = flow_compile(&flow_standard_allocator, "f.flow", text, strlen(text), &options, &compiled, &error);
  if (status) diag_print(flow_compiled_diagnostics(compiled), stderr, false);
  ck_assert_msg(!status, "%s: %s", value, error.text);
  return compiled;
}

static const Case cases[] = {
    {"silu(x)", IR_SMOOTH},
    {"softplus(x)", IR_SMOOTH},                 /* branches that cancel */
    {"max(x, 0) + log1p(exp(-abs(x)))", IR_SMOOTH},     /* max and abs that cancel */
    {"mish(x)", IR_SMOOTH},
    {"gelu(x) + gelu_tanh(t*x)", IR_SMOOTH},
    {"tanh(x) |> standardize", IR_SMOOTH},
    {"elu(x)", IR_C1},
    {"n(t, elu(x)) - elu(3*x + 1)", IR_C1},
    {"elu(elu(x))", IR_C1},
    {"x * abs(x)", IR_C1},
    {"relu(x)^2", IR_C1},
    {"relu(x)^4", IR_SMOOTH},                   /* three derivatives */
    {"relu(x)", IR_C0},
    {"leaky_relu(x)", IR_C0},
    {"selu(x)", IR_C0},
    {"n(t, selu(x))", IR_C0},
    {"elu(x) + relu(x)", IR_C0},
    {"abs(x - 1)", IR_C0},
    {"max(x, 2*x)", IR_C0},
    {"min(x, t)", IR_C0},
    {"max(x) * x", IR_C0},
    {"for i: cut(x[i], 0.3)", IR_C0},
    {"for i: cut(0.3, x[i])", IR_C0},
    {"if x[0] > 0 then x else [x[0], x[1]]", IR_JUMPS},         /* the branches are one, but not written so */
    {"if x[0] > 0 then x else -x", IR_JUMPS},
    {"if x[0] > 0 and x[0] < 1 then 2*x else x", IR_JUMPS},
    {"sign(x)", IR_JUMPS},
    {"x * sign(x)", IR_C0},
    {"floor(x)", IR_JUMPS},
    {"if t > 0.5 then x else -x", IR_SMOOTH},   /* of the state, at any time */
    {"max(t, 0.1) * x", IR_SMOOTH},
    {"x / (norm(x) + 1)", IR_SMOOTH},
    {"inverse(bend)(t, x)", IR_SMOOTH},         /* sought by Newton's method: as smooth as the map */
    {"inverse(elus)(t, x)", IR_C1},
    {"inverse(kink)(t, x)", IR_C0},
    {"ddt(bend)(t, inverse(bend)(t, x))", IR_SMOOTH},
    {"bend(t, inverse(bend)(t, relu(x)))", IR_C0},
};

START_TEST(kinks_that_are_felt_are_told_from_those_that_cancel) {
  const Case *c = &cases[_i];
  flow_error error;
  IrSmoothness smoothness;
  FlowCompiled *compiled = compile(c->value, FLOW_NO_EXTRAS);
  ck_assert(!flow_compiled_smoothness(compiled, &smoothness, &error));
  ck_assert_msg(smoothness == c->smoothness, "%s: %s", c->value, ir_smoothness_text(smoothness));
  flow_compiled_free(compiled);
} END_TEST

START_TEST(with_log_p_the_velocity_alone_is_meant) {
  const Case *c = &cases[_i];
  flow_error error;
  IrSmoothness smoothness;
  FlowCompiled *compiled = compile(c->value, FLOW_LOG_P);
  ck_assert(!flow_compiled_smoothness(compiled, &smoothness, &error));
  ck_assert_msg(smoothness == c->smoothness, "%s: %s", c->value, ir_smoothness_text(smoothness));
  flow_compiled_free(compiled);
} END_TEST

/* Freezing takes activations apart; what it leaves is as smooth. */
START_TEST(frozen_functions_are_as_smooth) {
  const Case *c = &cases[_i];
  FlowCompiled *compiled = compile(c->value, FLOW_NO_EXTRAS);
  IrSmoothness smoothness = ir_smoothness((IrFunction *)(uintptr_t)flow_compiled_ir(compiled, true));
  ck_assert_msg(smoothness == c->smoothness, "%s: %s", c->value, ir_smoothness_text(smoothness));
  flow_compiled_free(compiled);
} END_TEST

int main(void) {
  Suite *suite = suite_create("smooth");
  TCase *tcase = tcase_create("all");
  int count = sizeof cases / sizeof *cases;
  tcase_add_loop_test(tcase, kinks_that_are_felt_are_told_from_those_that_cancel, 0, count);
  tcase_add_loop_test(tcase, with_log_p_the_velocity_alone_is_meant, 0, count);
  tcase_add_loop_test(tcase, frozen_functions_are_as_smooth, 0, count);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
