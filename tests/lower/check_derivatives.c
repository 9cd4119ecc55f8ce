/* SPDX-License-Identifier: Apache-2.0 */
/* check_derivatives.c -- what the operators of the language mean: closed forms, differences, and the laws that tie them. */
#include "lower_suite.h"

static const double x2[] = {0.3, -1.2}, x3[] = {0.3, -1.2, 2.5}, one[] = {0.7};

#define MIXTURE                                                          \
  "let mu = [[-2, 0], [2, 1]]\n"                                         \
  "let s = 0.5\n"                                                        \
  "field mixture(t, x: [2]) =\n"                                         \
  "  let var = (1 - t)^2 + (s*t)^2\n"                                    \
  "  let w = softmax(for k: -norm2(x - t*mu[k]) / (2*var))\n"            \
  "  let a = (s^2*t - (1 - t)) / var\n"                                  \
  "  sum k: w[k] * (mu[k] + a*(x - t*mu[k]))\n"

/* ---- differences ------------------------------------------------------------------------------------------------------ */
/* d value[i] / d x[j], by the difference of fourth order: its error is near 1e-11 for functions of order 1. */
static double slope(const IrFunction *f, double t, const double *x, int d, int i, int j) {
  static const double at[] = {-2, -1, 1, 2}, weight[] = {1.0 / 12, -8.0 / 12, 8.0 / 12, -1.0 / 12};
  const double h = 1e-3;
  double sum = 0, moved[8];
  for (int k = 0; k < 4; k++) {
    memcpy(moved, x, (size_t)d * sizeof *x);
    if (j >= 0) moved[j] += at[k] * h;
    sum += weight[k] * value_at(f, j >= 0 ? t : t + at[k] * h, moved, NULL)[i];
  }
  return sum / h;
}

static double trace(const IrFunction *f, double t, const double *x, int d) {
  double sum = 0;
  for (int i = 0; i < d; i++) sum += slope(f, t, x, d, i, i);
  return sum;
}

/* u of the program is `form` in each element; compared with `expected` to the error of a difference. */
static void expect_difference(const char *program, double t, const double *x, const double *expected, int d) {
  const double *plain = value_at(lowered(program), t, x, NULL), *final = value_at(frozen(program), t, x, NULL);
  for (int i = 0; i < d; i++) {
    ck_assert_double_eq_tol(plain[i], expected[i], 1e-9);
    ck_assert_double_eq_tol(final[i], expected[i], 1e-9);
  }
}

/* ---- div ----------------------------------------------------------------------------------------------------------------- */
START_TEST(a_rotation_has_no_divergence) {
  expect_value("field rotate(t, x: [2]) = 2*pi * [-x[1], x[0]]\n"
               "field u(t, x: [2]) = x + div(rotate)(t, x)\n", 0.3, x2, NULL, x2, 2);
} END_TEST

START_TEST(the_divergence_of_a_mixture_is_the_trace_of_its_differences) {
  IrFunction *f = lowered_as(MIXTURE, "mixture", "");
  double div = trace(f, 0.4, x2, 2);
  expect_difference(MIXTURE "field u(t, x: [2]) = for k < 2: div(mixture)(t, x)\n", 0.4, x2, (const double[]){div, div}, 2);
} END_TEST

START_TEST(a_divergence_of_a_divergence_is_that_of_the_formula) {
  /* w = x^3, div w = 3 |x|^2; v = x div w, div v = 3 d |x|^2 + 6 |x|^2; u = x div v. */
  double square = x3[0] * x3[0] + x3[1] * x3[1] + x3[2] * x3[2], expected[3];
  for (int i = 0; i < 3; i++) expected[i] = x3[i] * 15 * square;
  expect_value("field w(t, x: [3]) = x^3\n"
               "field v(t, x: [3]) = x * div(w)(t, x)\n"
               "field u(t, x: [3]) = x * div(v)(t, x)\n", 0, x3, NULL, expected, 3);
} END_TEST

START_TEST(a_divergence_in_a_loop_is_one_at_every_point) {
  double expected[2];
  for (int k = 0; k < 2; k++) {
    double a = x2[0] - k, b = x2[1] - 2 * k;
    expected[k] = 2 * a + 0.3 * cos(0.3 * b);
  }
  expect_value("let m = [[0, 0], [1, 2]]\n"
               "field w(t, x: [2]) = [x[0]^2 + x[1], sin(t*x[1])]\n"
               "field u(t, x: [2]) = for k: div(w)(t, x - m[k])\n", 0.3, x2, NULL, expected, 2);
} END_TEST

START_TEST(a_state_of_two_axes_has_a_divergence_too) {
  expect_value("field w(t, x: [2, 2]) = x @ x\n"
               "field u(t, x: [2]) = x + div(w)(t, [[x[0], 1], [2, x[1]]])\n", 0, x2, NULL,
               (const double[]){0.3 + 4 * -0.9, -1.2 + 4 * -0.9}, 2);
} END_TEST

START_TEST(the_divergence_of_a_network_shares_its_weights) {
  const char *program = "network v(t, x: [2]) -> [2] = [t, x] |> linear 5 |> tanh |> linear 4 |> tanh |> linear 2\n"
                        "field u(t, x: [2]) = v(t, x) * div(v)(t, x)\n";
  IrFunction *v = lowered_as(program, "v", "");
  double div = trace(v, 0.4, x2, 2);
  const double *plain = value_at(v, 0.4, x2, NULL);
  expect_difference(program, 0.4, x2, (const double[]){plain[0] * div, plain[1] * div}, 2);
  ck_assert_uint_eq(lowered(program)->weights, 6);
} END_TEST

START_TEST(under_a_name_a_network_and_its_derivative_are_one) {
  IrFunction *f = lowered("network v(t, x: [2]) -> [2] = x |> linear 2 \"a\"\n"
                          "field u(t, x: [2]) = v(t, x) \"ema\" + div(v)(t, x) \"ema\"\n");
  ck_assert_uint_eq(f->weights, 2);
  ck_assert_str_eq(f->weight[0].name, "ema.a.weight");
} END_TEST

/* ---- products and gradients ---------------------------------------------------------------------------------------------- */
#define CURVED "fn f(x: [2]) = [x[0]^2*x[1], sin(x[0]), exp(x[1])]\n"
static const double jacobian[3][2] = {{2 * 0.3 * -1.2, 0.09}, {0.95533648912560601964, 0}, {0, 0.30119421191220209664}};

START_TEST(a_jacobian_times_a_vector_and_a_vector_times_a_jacobian) {
  double forward[2], back[2];
  for (int i = 0; i < 2; i++) forward[i] = jacobian[i][0] * 2 + jacobian[i][1] * 5;
  for (int j = 0; j < 2; j++) back[j] = jacobian[0][j] - 2 * jacobian[1][j] + 3 * jacobian[2][j];
  expect_value(CURVED "field u(t, x: [2]) = jvp(f)(x; [2, 5])[0:2]\n", 0, x2, NULL, forward, 2);
  expect_value(CURVED "field u(t, x: [2]) = vjp(f)(x; [1, -2, 3])\n", 0, x2, NULL, back, 2);
} END_TEST

START_TEST(products_in_loops_keep_the_points_apart) {
  double expected[2] = {0};
  for (int k = 0; k < 2; k++)
    for (int j = 0; j < 2; j++) expected[k] += (k + 1) * (jacobian[0][j] * (j == k));
  expect_value(CURVED "field u(t, x: [2]) =\n"
               "  for k < 2: sum j < 2: jvp(f)(x; for i < 2: if i == k then k + 1 else 0)[0] * (if j == k then 1 else 0)\n",
               0, x2, NULL, expected, 2);
  double back[2] = {jacobian[0][0] + jacobian[1][0], 2 * jacobian[0][1] + 0};
  expect_value(CURVED "field u(t, x: [2]) = for k < 2: vjp(f)(x; [k + 1, 1 - k, 0])[k]\n", 0, x2, NULL, back, 2);
} END_TEST

START_TEST(the_gradient_of_a_normal_density_is_its_score) {
  double expected[2] = {-(0.3 - 1) / 4, -(-1.2 - 2) / 4};
  expect_value("density p(x: [2]) = -norm2(x - [1, 2])/8 - log(8*pi)\n"
               "field u(t, x: [2]) = grad(p)(x)\n", 0, x2, NULL, expected, 2);
} END_TEST

START_TEST(the_score_of_a_mixture_is_that_of_its_differences) {
  const char *p = "let m = for k < 8: 5 * [cos(k*pi/4), sin(k*pi/4)]\n"
                  "density p(x: [2]) = logsumexp(for k: -norm2(x - m[k]) / 8) - log(8 * 2*pi * 4)\n"
                  "field q(t, x: [2]) = [p(x), 0]\n";
  IrFunction *q = lowered_as(p, "q", "");
  char program[512];
  snprintf(program, sizeof program, "%sfield u(t, x: [2]) = grad(p)(x)\n", p);
  expect_difference(program, 0, x2, (const double[]){slope(q, 0, x2, 2, 0, 0), slope(q, 0, x2, 2, 0, 1)}, 2);
} END_TEST

START_TEST(a_solution_and_a_determinant_have_derivatives) {
  double det = x2[0] * x2[1] - 2;
  expect_value("fn f(v: [2]) = logdet([[v[0], 1], [2, v[1]]])\n"
               "field u(t, x: [2]) = grad(f)(x)\n", 0, x2, NULL, (const double[]){x2[1] / det, x2[0] / det}, 2);
  /* y = (x0/a, x1/x0) */
  expect_value("field w(t, x: [2]) = solve([[4, 0], [0, x[0]]], x)\n"
               "field u(t, x: [2]) = [div(w)(t, x), jvp(w)(t, x; [1, 2])[1]]\n", 0, x2, NULL,
               (const double[]){0.25 + 1 / 0.3, 2 / 0.3 + 1.2 / 0.09}, 2);
} END_TEST

START_TEST(a_function_of_one_number_is_differentiated_in_it) {
  double c = cos(0.3), s = sin(0.3);
  expect_value("fn f(a) = sin(a)^2\n"
               "field u(t, x: [2]) = [grad(f)(x[0]) + div(f)(x[0]), jvp(f)(x[0]; 3) + vjp(f)(x[0]; 2)]\n",
               0, x2, NULL, (const double[]){4 * s * c, 10 * s * c}, 2);
} END_TEST

START_TEST(a_derivative_is_in_the_first_parameter_with_a_shape) {
  expect_value("fn f(a, v: [2], w: [2]) = a*dot(v*v, w)\n"
               "field u(t, x: [2]) = grad(f)(3, x, [1, 10])\n", 0, x2, NULL, (const double[]){6 * 0.3, 60 * -1.2}, 2);
} END_TEST

/* ---- single points -------------------------------------------------------------------------------------------------------- */
/* Of f, a function of one number: f' forward and backward, f'' in all four orders; rounded some ten times, near 1. */
static void expect_derivatives(const char *f, double at, double first, double second) {
  char program[1024];
  snprintf(program, sizeof program, "fn f(a) = %s\nfn ahead(a) = jvp(f)(a; 1)\nfn back(a) = vjp(f)(a; 1)\n"
           "field u(t, x: [6]) = [ahead(x[0]), back(x[1]), jvp(ahead)(x[2]; 1), vjp(ahead)(x[3]; 1), jvp(back)(x[4]; 1), vjp(back)(x[5]; 1)]\n", f);
  const double x[] = {at, at, at, at, at, at};
  const double *plain = value_at(lowered(program), 0, x, NULL), *final = value_at(frozen(program), 0, x, NULL);
  for (int i = 0; i < 6; i++) {
    double expected = i < 2 ? first : second;
    ck_assert_msg(fabs(plain[i] - expected) <= 1e-14 && fabs(final[i] - expected) <= 1e-14, "%s at %g, number %d: %.17g, frozen %.17g, not %.17g", f,
                  at, i, plain[i], final[i], expected);
  }
}

#define BELL 0.7978845608028653559              /* sqrt(2/pi) */
static const struct { const char *f; double first, second; } at_zero[] = {
    {"softplus(a)", 0.5, 0.25},     {"mish(a)", 0.6, 0.64},          {"silu(a)", 0.5, 0.5}, {"gelu(a)", 0.5, BELL}, {"gelu_tanh(a)", 0.5, BELL},
    {"tanh(a)", 1, 0},              {"sigmoid(a)", 0.25, 0},         {"erf(a)", 1.4142135623730950488 * BELL, 0},
    {"logsumexp([a, 0])", 0.5, 0.25}, {"softmax([a, -a])[0]", 0.5, 0}, {"norm2([a, 1])", 0, 2}, {"norm([a, 1])", 0, 1}, {"abs(a)^3", 0, 0},
    {"relu(a)^3", 0, 0}};

START_TEST(what_is_smooth_at_zero_has_its_derivatives_there) {
  for (size_t i = 0; i < sizeof at_zero / sizeof *at_zero; i++) expect_derivatives(at_zero[i].f, 0, at_zero[i].first, at_zero[i].second);
} END_TEST

START_TEST(a_power_series_has_its_derivatives_at_zero) {
  expect_derivatives("(sum k: [7, 2, 3, 4][k] * a^k)", 0, 2, 6);
  expect_derivatives("7*a^0 + 2*a^1 + 3*a^2 + 4*a^3", 0, 2, 6);
  expect_derivatives("7*pow(a, 0*exp(a)) + 2*pow(a, 1 + 0*a) + 3*pow(a, 2 + 0*a)", 0, 2, 6);
} END_TEST

START_TEST(a_power_with_the_exponent_zero_has_no_slope) {
  expect_derivatives("a^0", 1e-320, 0, 0);     /* 1/a is infinite */
  const double y[] = {2, 0};                   /* d/db of b a^(b-1) is 1/a at b = 0 */
  expect_value("fn power(v: [2]) = v[0]^v[1]\nfield u(t, x: [2]) = grad(power)(x)\n", 0, y, NULL, (const double[]){0, log(2)}, 2);
  expect_value("fn power(v: [2]) = v[0]^v[1]\nfn by_base(v: [2]) = grad(power)(v)[0]\nfield u(t, x: [2]) = grad(by_base)(x)\n", 0, y, NULL,
               (const double[]){0, 0.5}, 2);
} END_TEST

/* A cotangent that is zero by chance is no branch that is not taken. */
START_TEST(a_square_of_a_choice_has_its_second_derivative_where_it_is_zero) {
  expect_derivatives("(if a < 1 then expm1(a) else 5)^2", 0, 0, 2);
  expect_derivatives("min(expm1(a), 5)^2", 0, 0, 2);
  expect_derivatives("max([expm1(a), -5])^2", 0, 0, 2);
} END_TEST

START_TEST(what_is_not_taken_has_no_part_in_a_derivative) {
  expect_derivatives("min(exp(a), 5)", 800, 0, 0);
  expect_derivatives("max(-exp(a), min(exp(a), 3*a))", 800, 3, 0);
  expect_derivatives("min([exp(a), 5, 2*exp(a)])", 800, 0, 0);
  expect_derivatives("(if a > 0 then 5 else exp(a))", 800, 0, 0);
  expect_derivatives("max(log(a), -3)", 0, 0, 0);
  expect_value("field g(t, x: [2]) = min([exp(x[0]) + exp(x[1]), 9*x[0]], [5, 5]) + (if x[0] < 0 then [exp(-x[0]), exp(x[1])] else x)\n"
               "field u(t, x: [2]) = jvp(g)(t, x; [1, 2]) + 10*vjp(g)(t, x; [1, 2])\n", 0, (const double[]){800, 900}, NULL, (const double[]){11, 22}, 2);
} END_TEST

/* ---- time ----------------------------------------------------------------------------------------------------------------- */
START_TEST(a_derivative_in_time_keeps_the_rest) {
  double t = 0.7;
  expect_value("field w(t, x: [2]) = [exp(2*t)*x[0], t^3*x[1]]\n"
               "field u(t, x: [2]) = ddt(w)(t, x)\n", t, x2, NULL,
               (const double[]){2 * exp(2 * t) * 0.3, 3 * t * t * -1.2}, 2);
} END_TEST

START_TEST(the_time_of_a_field_is_a_time_where_it_is_differentiated) {
  IrFunction *f = lowered("field w(t, x: [2]) = sin(t)*x\nfield u(t, x: [2]) = ddt(w)(0.5, x)\n");
  for (Ref r = 0; r < f->nodes; r++)
    if (f->node[r].op == IR_cos) ck_assert_uint_eq(f->node[r].mask & IR_TIMES, IR_TIMES);
} END_TEST

START_TEST(a_hessian_is_a_derivative_of_a_derivative) {
  /* d/dt grad of t^2 |x|^4 = 2t 4 |x|^2 x; its divergence is 2t 4 (d + 2) |x|^2. */
  double t = 0.5, square = 0.09 + 1.44, expected = 8 * t * 4 * square;
  expect_value("density p(t, x: [2]) = t^2 * norm2(x)^2\n"
               "field score(t, x: [2]) = grad(p)(t, x)\n"
               "field moving(t, x: [2]) = ddt(score)(t, x)\n"
               "field u(t, x: [2]) = [div(moving)(t, x), div(moving)(t, x)]\n", t, x2, NULL, (const double[]){expected, expected}, 2);
} END_TEST

/* ---- maps ------------------------------------------------------------------------------------------------------------------ */
START_TEST(the_velocity_of_a_squeeze_is_the_hyperbolic_field) {
  expect_value("map squeeze(t, x: [2]) = [exp(t)*x[0], exp(-t)*x[1]]\n"
               "  inverse(t, y) = [exp(-t)*y[0], exp(t)*y[1]]\n"
               "field u = velocity of squeeze\n", 0.7, x2, NULL, (const double[]){0.3, 1.2}, 2);
} END_TEST

#define SHEAR                                                            \
  "map shear(t, x: [2]) = [x[0] + t*sin(x[1]), x[1]*exp(t/2)]\n"         \
  "  inverse(t, y) =\n"                                                  \
  "    let b = y[1]*exp(-t/2)\n"                                         \
  "    [y[0] - t*sin(b), b]\n"

START_TEST(the_velocity_of_a_shear_is_that_of_its_formula) {
  double t = 0.4, b = x2[1] * exp(-t / 2);
  expect_value(SHEAR "field u = velocity of shear\n", t, x2, NULL, (const double[]){sin(b), x2[1] / 2}, 2);
  double div = 0.5;
  expect_value(SHEAR "field w = velocity of shear\nfield u(t, x: [2]) = x + div(w)(t, x)\n", t, x2, NULL,
               (const double[]){0.3 + div, -1.2 + div}, 2);
} END_TEST

START_TEST(an_inverse_goes_back) {
  expect_value(SHEAR "field u(t, x: [2]) = shear(t, inverse(shear)(t, x))\n", 0.9, x2, NULL, x2, 2);
} END_TEST

START_TEST(an_inverse_that_no_line_gives_is_found) {
  const char *program = "map shear(t, x: [2]) = [x[0] + t*sin(x[1]), x[1]*exp(t/2)]\n"
                        "field w = velocity of shear\n"
                        "field u(t, x: [2]) = [w(t, x)[0], w(t, x)[1] + div(w)(t, x) - 0.5]\n";
  double t = 0.4;
  expect_value(program, t, x2, NULL, (const double[]){sin(x2[1] * exp(-t / 2)), x2[1] / 2}, 2);
  double y[3] = {0}; /* of a map that curves in all directions, x is known and y follows */
  for (int i = 0; i < 3; i++) y[i] = x3[i] + t * tanh(x3[i]) + 0.2 * t * x3[(i + 1) % 3];
  expect_value("map bend(t, x: [3]) = x + t*tanh(x) + 0.2*t*[x[1], x[2], x[0]]\n"
               "field u(t, x: [3]) = inverse(bend)(t, x)\n", t, y, NULL, x3, 3);
} END_TEST

START_TEST(an_inverse_that_is_found_has_higher_derivatives) {
  /* y = x + x^3/3: x' = 1/(1 + x^2), x'' = -2x/(1 + x^2)^3 */
  double x = 0.4, y[] = {x + x * x * x / 3, 0}, q = 1 + x * x;
  expect_value("map m(t, x: [1]) = x + x^3/3\nfn back(a) = inverse(m)(0, [a])[0]\nfn slope(a) = grad(back)(a)\n"
               "field u(t, x: [2]) = [slope(x[0]), grad(slope)(x[0])]\n", 0, y, NULL, (const double[]){1 / q, -2 * x / (q * q * q)}, 2);
} END_TEST

START_TEST(an_inverse_that_is_not_there_is_no_number) {
  IrFunction *f = lowered("map fold(t, x: [2]) = [x[0]^2 + 1, x[1]]\nfield u(t, x: [2]) = inverse(fold)(t, x)\n");
  ck_assert_double_nan(value_at(f, 0, x2, NULL)[0]);
} END_TEST

START_TEST(a_flow_of_a_map_has_the_map) {
  TypedProgram *program = checked_program(SHEAR "flow shear { source normal(2)  velocity of shear }\n");
  const double t = 0.25, *argument[] = {&t, x2};
  ck_assert_msg(!test_diagnostics()->errors, "%s", diagnostics_text());
  const TypedFlow *flow = &program->flow[0];
  const double *y = value_of(flow->map, argument), *x = value_of(flow->inverse, (const double *const[]){&t, y});
  for (int i = 0; i < 2; i++) ck_assert_double_eq_tol(x[i], x2[i], 1e-14);      /* a few roundings */
  const double *u = value_of(flow->velocity, (const double *const[]){&t, y});
  ck_assert_double_eq_tol(u[0], sin(x2[1]), 1e-14);
} END_TEST

/* ---- densities and checks ---------------------------------------------------------------------------------------------------- */
#define GAUSSIANS                                                                                     \
  "let m = for k < 8: 5 * [cos(k*pi/4), sin(k*pi/4)]\n"                                                \
  "density p0(x: [2]) = logsumexp(for k: -norm2(x - m[k]) / 0.2) - log(8 * 2*pi * 0.1)\n"              \
  "  draw k ~ choice(8), z ~ normal(2): m[k] + sqrt(0.1)*z\n"

START_TEST(a_draw_takes_the_row_that_was_chosen) {
  TypedProgram *program = checked_program(GAUSSIANS);
  const double k = 3, *argument[] = {&k, x2}, *y = value_of(program->density[0].result, argument);
  ck_assert_double_eq_tol(y[0], 5 * cos(3 * M_PI / 4) + sqrt(0.1) * 0.3, 1e-14);
  ck_assert_double_eq_tol(y[1], 5 * sin(3 * M_PI / 4) + sqrt(0.1) * -1.2, 1e-14);
  const double *log_p = value_of(program->density[0].function, (const double *const[]){y});
  ck_assert_double_eq_tol(log_p[0], -(0.09 + 1.44) / 2 - log(8 * 2 * M_PI * 0.1), 1e-12);       /* the others are far */
} END_TEST

START_TEST(both_sides_of_a_check_are_functions_of_its_names) {
  TypedProgram *program = checked_program("field rotate(t, x: [2]) = 2*pi * [-x[1], x[0]]\n"
                                          "check \"turns\": rotate(t, x) == 2*pi*[-x[1], x[0]] and div(rotate)(t, x) == 0\n");
  const double *argument[] = {one, x2};
  ck_assert_uint_eq(program->checks, 2);
  for (uint32_t i = 0; i < 2; i++) {
    const double *left = value_of(program->check[i].left, argument), *right = value_of(program->check[i].right, argument);
    ck_assert_double_eq(left[0], right[0]);
  }
} END_TEST

START_TEST(a_density_that_its_field_carries_has_no_residual) {
  /* x = (1 + t) x0 with x0 normal: u = x/(1 + t). */
  TypedProgram *program = checked_program("density p(t, x: [3]) = -norm2(x)/(2*(1 + t)^2) - 3*log(1 + t)\n"
                                          "field u(t, x: [3]) = x/(1 + t)\n"
                                          "field wrong(t, x: [3]) = x\n"
                                          "check continuity(p, u)\ncheck continuity(p, wrong)\n");
  const double *argument[] = {one, x3};
  ck_assert_double_eq_tol(value_of(program->check[0].left, argument)[0], value_of(program->check[0].right, argument)[0], 1e-14);
  ck_assert_double_ge(fabs(value_of(program->check[1].left, argument)[0]), 0.1);
} END_TEST

/* ---- predictions ------------------------------------------------------------------------------------------------------------------ */
/* alpha, sigma and their derivatives in s, from the formulas. */
typedef struct Path { const char *clause; double alpha, sigma, alpha_, sigma_; } Path;

static Path path_at(int which, double s) {
  double a = M_PI * s / 2, t = (1 - s) * 0.1 + (1 - s) * (1 - s) * 9.95, t_ = -0.1 - 19.9 * (1 - s);
  switch (which) {
  case 0: return (Path){"condot", s, 1 - s, 1, -1};
  case 1: return (Path){"cosine", sin(a), cos(a), M_PI / 2 * cos(a), -M_PI / 2 * sin(a)};
  case 2: return (Path){"vp", exp(-t / 2), sqrt(1 - exp(-t)), -t_ / 2 * exp(-t / 2), t_ * exp(-t) / (2 * sqrt(1 - exp(-t)))};
  default: return (Path){"linear(al, si)", s * s, 1 - s * s * s, 2 * s, -3 * s * s};
  }
}

/* Data of variance 4 from standard normal noise: what a perfect network says, and the velocity that it means. */
static const char *const predicts[] = {"noise", "data", "score"};
static double said_of(int what, const Path *p) {
  double variance = 4 * p->alpha * p->alpha + p->sigma * p->sigma;
  return what == 0 ? p->sigma / variance : what == 1 ? 4 * p->alpha / variance : -1 / variance;
}

START_TEST(a_perfect_prediction_gives_the_velocity_of_the_path) {
  int what = _i % 3, which = _i / 3 % 4, turned = _i / 12;
  double t = 0.3, s = turned ? 1 - t : t;
  Path p = path_at(which, s);
  double u = (4 * p.alpha * p.alpha_ + p.sigma * p.sigma_) / (4 * p.alpha * p.alpha + p.sigma * p.sigma);
  char text[512];
  snprintf(text, sizeof text, "fn al(s) = s^2\nfn si(s) = 1 - s^3\nfield v(t, x: [2], said) = said*x\n"
           "flow f { source normal(2)  velocity v  predicts %s  path %s  time %s  solver rk4 steps 20 }\n",
           predicts[what], p.clause, turned ? "0.9 -> 0.1" : "0.1 -> 0.9");
  TypedProgram *program = checked_program(text);
  double said = said_of(what, &p);
  const double *found = value_of(program->flow[0].velocity, (const double *const[]){&t, x2, &said});
  for (int i = 0; i < 2; i++) /* some tens of roundings of numbers up to 10 */
    ck_assert_double_eq_tol(found[i], (turned ? -u : u) * x2[i], 1e-13);
} END_TEST

START_TEST(a_time_of_another_unit_is_stretched) {
  double t = 250, said = 1, s = 0.75, alpha = 0.1 + s, sigma = 2 - s;
  TypedProgram *program = checked_program("fn al(s) = 0.1 + s\nfn si(s) = 2 - s\nfield v(t, x: [2], said) = said*x\n"
                                          "flow f { source normal(2)  velocity v  predicts noise  path linear(al, si)  time 1000 -> 0  solver rk4 steps 20 }\n");
  const double *found = value_of(program->flow[0].velocity, (const double *const[]){&t, x2, &said});
  double u = (1 / alpha + (-1 - sigma / alpha)) / -1000;
  ck_assert_double_eq_tol(found[0], u * x2[0], 1e-15);
} END_TEST

/* ---- bounds -------------------------------------------------------------------------------------------------------------------- */
START_TEST(sixty_divergences_of_each_other_are_too_large) {
  char *text = arena_alloc(test_arena(), 8192), *end = text;
  end += sprintf(end, "field f0(t, x: [2]) = sin(x)\n");
  for (int i = 1; i < 60; i++) end += sprintf(end, "field f%d(t, x: [2]) = x * div(f%d)(t, x)\n", i, i - 1);
  sprintf(end, "field u(t, x: [2]) = f59(t, x)\n");
  expect_too_large(text);
} END_TEST

void add_derivatives_tests(TCase *tcase) {
  tcase_add_test(tcase, a_rotation_has_no_divergence);
  tcase_add_test(tcase, the_divergence_of_a_mixture_is_the_trace_of_its_differences);
  tcase_add_test(tcase, a_divergence_of_a_divergence_is_that_of_the_formula);
  tcase_add_test(tcase, a_divergence_in_a_loop_is_one_at_every_point);
  tcase_add_test(tcase, a_state_of_two_axes_has_a_divergence_too);
  tcase_add_test(tcase, the_divergence_of_a_network_shares_its_weights);
  tcase_add_test(tcase, under_a_name_a_network_and_its_derivative_are_one);
  tcase_add_test(tcase, a_jacobian_times_a_vector_and_a_vector_times_a_jacobian);
  tcase_add_test(tcase, products_in_loops_keep_the_points_apart);
  tcase_add_test(tcase, the_gradient_of_a_normal_density_is_its_score);
  tcase_add_test(tcase, the_score_of_a_mixture_is_that_of_its_differences);
  tcase_add_test(tcase, a_solution_and_a_determinant_have_derivatives);
  tcase_add_test(tcase, a_function_of_one_number_is_differentiated_in_it);
  tcase_add_test(tcase, a_derivative_is_in_the_first_parameter_with_a_shape);
  tcase_add_test(tcase, what_is_smooth_at_zero_has_its_derivatives_there);
  tcase_add_test(tcase, a_power_series_has_its_derivatives_at_zero);
  tcase_add_test(tcase, a_power_with_the_exponent_zero_has_no_slope);
  tcase_add_test(tcase, a_square_of_a_choice_has_its_second_derivative_where_it_is_zero);
  tcase_add_test(tcase, what_is_not_taken_has_no_part_in_a_derivative);
  tcase_add_test(tcase, a_derivative_in_time_keeps_the_rest);
  tcase_add_test(tcase, the_time_of_a_field_is_a_time_where_it_is_differentiated);
  tcase_add_test(tcase, a_hessian_is_a_derivative_of_a_derivative);
  tcase_add_test(tcase, the_velocity_of_a_squeeze_is_the_hyperbolic_field);
  tcase_add_test(tcase, the_velocity_of_a_shear_is_that_of_its_formula);
  tcase_add_test(tcase, an_inverse_goes_back);
  tcase_add_test(tcase, an_inverse_that_no_line_gives_is_found);
  tcase_add_test(tcase, an_inverse_that_is_found_has_higher_derivatives);
  tcase_add_test(tcase, an_inverse_that_is_not_there_is_no_number);
  tcase_add_test(tcase, a_flow_of_a_map_has_the_map);
  tcase_add_test(tcase, a_draw_takes_the_row_that_was_chosen);
  tcase_add_test(tcase, both_sides_of_a_check_are_functions_of_its_names);
  tcase_add_test(tcase, a_density_that_its_field_carries_has_no_residual);
  tcase_add_loop_test(tcase, a_perfect_prediction_gives_the_velocity_of_the_path, 0, 24);
  tcase_add_test(tcase, a_time_of_another_unit_is_stretched);
  tcase_add_test(tcase, sixty_divergences_of_each_other_are_too_large);
}
