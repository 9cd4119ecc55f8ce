/* SPDX-License-Identifier: Apache-2.0 */
/* test_claims.c -- derivatives, maps, densities, sources and checks in the typed program. */
#include <string.h>
#include "checking.h"

static const TypedProgram *program_of(const char *text) {
  check_text(text);
  ck_assert_msg(run.diagnostics.count == 0, "%s", said());
  return run.program;
}

/* ---- derivatives ------------------------------------------------------------------------------------------------------ */
#define PLANE "field u(t, x: [2]) = t*x^2\nfn f(a, v: [3]) = a*norm2(v)\ndensity p(t, x: [2]) = -norm2(x)\n"
static const struct { const char *e; DerivativeKind kind; unsigned slot, args; const char *shape; } derivative[] = {
  {"div(u)(t, x)", DERIVATIVE_DIV, 1, 2, "a scalar"},
  {"jvp(u)(t, x; [1, 2])", DERIVATIVE_JVP, 1, 3, "[2]"},
  {"vjp(u)(t, x; x)", DERIVATIVE_VJP, 1, 3, "[2]"},
  {"ddt(u)(t, x)", DERIVATIVE_DDT, 0, 2, "[2]"},
  {"grad(f)(t, [x, t])", DERIVATIVE_GRAD, 1, 2, "[3]"},
  {"vjp(f)(t, [x, t]; 2)", DERIVATIVE_VJP, 1, 3, "[3]"},
  {"jvp(f)(t, [x, t]; [1, 2, 3])", DERIVATIVE_JVP, 1, 3, "a scalar"},
  {"grad(p)(t, x)", DERIVATIVE_GRAD, 1, 2, "[2]"},
  {"ddt(p)(t, x)", DERIVATIVE_DDT, 0, 2, "a scalar"},
  {"grad(silu)(t)", DERIVATIVE_GRAD, 0, 1, "a scalar"},
};

START_TEST(a_derivative_is_typed_as_its_operator_says) {
  char text[512];
  snprintf(text, sizeof text, PLANE "field q(t, x: [2]) =\n  let value = %s\n  x + sum(0*[value])\n", derivative[_i].e);
  const TypedProgram *program = program_of(text);
  const Typed *value = program->field[program->fields - 1]->let[0];
  ck_assert_int_eq(value->kind, TYPED_DERIVATIVE);
  ck_assert_int_eq(value->derivative, derivative[_i].kind);
  ck_assert_uint_eq(value->slot, derivative[_i].slot);
  ck_assert_uint_eq(value->args, derivative[_i].args);
  ck_assert_str_eq(shape_text(&run.arena, &value->shape), derivative[_i].shape);
} END_TEST

START_TEST(an_operator_is_a_free_word) {
  program_of("fn div(a, b) = a/b\nfn grad(div) = div\nfield u(t, x: [2]) = x * div(t, 2) * grad(t)\n");
  expect_errors("fn div(a) = a\nfield w(t, x: [2]) = x\nfield u(t, x: [2]) = x * div(w)(t, x)\n", "E0206");
} END_TEST

START_TEST(a_parameter_hides_the_definition_that_an_operator_could_take) {
  expect_errors("fn f(x: [2]) = norm2(x)\nfield u(t, f: [2]) = grad(f)(f)\n", "E0213");
} END_TEST

START_TEST(one_mistake_in_a_derivative_is_one_error) {
  expect_errors("field w(t, x: [2]) = x\nfield u(t, x: [2]) = div(w)(t, y) * x\n", "E0201");
  expect_errors("field u(t, x: [2]) = div(ww)(t, x) * x\n", "E0201");
  expect_errors("field w(t, x: [2]) = x[0]\nfield u(t, x: [2]) = div(w)(t, x) * x\n", "E0304");
  expect_errors("fn w(x: [2]) = v(x)\nnetwork v(x: [2]) -> [2] = x |> linear 2\nfield u(t, x: [2]) = jvp(w)(x; x)\n", "E0207");
  expect_errors("network v(x: [2]) -> [2] = x |> linear 2\nfn w(x: [2]) = div(v)(x)\n", "E0207");
} END_TEST

/* ---- maps --------------------------------------------------------------------------------------------------------------- */
#define SHIFT "map shift(t, x: [d]) = x + t\n  inverse(t, y) = y - t\n"

START_TEST(a_flow_of_a_map_needs_no_solver_and_knows_the_map) {
  const TypedProgram *program = program_of(SHIFT "field w = velocity of shift\n"
                                           "flow a { source normal(3)  velocity of shift }\n"
                                           "flow b { source normal(2)  velocity w }\n");
  ck_assert_uint_eq(program->flows, 2);
  for (uint32_t i = 0; i < 2; i++) {
    const TypedFlow *flow = &program->flow[i];
    ck_assert_str_eq(flow->map->name, "shift");
    ck_assert_int_eq(flow->map->parameter[1].dim[0], 3 - i);
    ck_assert_int_eq(flow->inverse->result->shape.dim[0], 3 - i);
    ck_assert_ptr_null(flow->solver);
  }
} END_TEST

START_TEST(the_library_does_not_see_the_sizes_of_a_file) {
  const TypedProgram *program = program_of("dim n = 5\ndim m = 7\nmap a(t, x: [2]) = x + t*x^3\nfield w = velocity of a\n"
                                           "fn solve(a) = a\n"
                                           "network v(t, x: [2]) -> [2] = x |> concat_squash(t, 2)\n");
  ck_assert_uint_eq(program->fields, 2);
  ck_assert_int_eq(program->field[0]->result->shape.dim[0], 2);
  ck_assert_int_eq(program->field[1]->result->shape.dim[0], 2);
} END_TEST

START_TEST(a_map_of_known_size_is_listed_with_its_inverse) {
  const TypedProgram *program = program_of("map a(t, x: [2]) = x + t\n  inverse(t, y) = y - t\nmap b(t, x: [2]) = x\n" SHIFT);
  ck_assert_uint_eq(program->maps, 2);
  ck_assert_str_eq(program->map[0].name, "a");
  ck_assert_ptr_nonnull(program->map[0].inverse);
  ck_assert_ptr_null(program->map[1].inverse);
} END_TEST

START_TEST(a_velocity_of_a_map_is_a_field_among_the_fields) {
  const TypedProgram *program = program_of("map a(t, x: [2], c: [3]) = x + t*c[0]\n  inverse(t, y, c) = y - t*c[0]\n"
                                           "field w = velocity of a\nfield u(t, x: [2], c: [3]) = w(t, x, c)\n");
  ck_assert_uint_eq(program->fields, 2);
  ck_assert_str_eq(program->field[0]->name, "w");
  ck_assert_uint_eq(program->field[0]->parameters, 3);
  ck_assert_ptr_null(flow_check_instance(run.program, "inverse a", NULL, NULL, 0));
} END_TEST

START_TEST(a_map_that_needs_its_own_velocity_is_a_cycle) {
  expect_errors("map a(t, x: [2]) = w(t, x)\n  inverse(t, y) = y\nfield w = velocity of a\n", "E0203");
  expect_errors("map a(t, x: [2]) = inverse(a)(t, x)\n  inverse(t, y) = a(t, y)\n", "E0203");
} END_TEST

/* ---- densities and sources ------------------------------------------------------------------------------------------------- */
START_TEST(a_draw_line_says_what_is_drawn) {
  const TypedProgram *program = program_of("dim d = 3\nlet w = exp(for k < 2: k*log(3))\n"
                                           "density p(t, x: [d]) = -norm2(x)\n"
                                           "  draw k ~ choice(d + 1), j ~ choice(w), z ~ normal(d), v ~ uniform(2): z + t*k + v[j]\n");
  ck_assert_uint_eq(program->densities, 1);
  const TypedDensity *p = &program->density[0];
  ck_assert(p->has_time);
  ck_assert_uint_eq(p->draws, 4);
  ck_assert_int_eq(p->draw[0].kind, DRAW_CHOICE);
  ck_assert_int_eq(p->draw[0].size, 4);
  ck_assert_ptr_null(p->draw[0].weight);
  ck_assert_double_eq_tol(p->draw[1].weight[1], 0.75, 1e-15);
  ck_assert_int_eq(p->draw[2].kind, DRAW_NORMAL);
  ck_assert_int_eq(p->draw[2].size, 3);
  ck_assert_int_eq(p->draw[3].kind, DRAW_UNIFORM);
  ck_assert_uint_eq(p->result->parameters, 5);
  ck_assert_str_eq(p->result->parameter_name[0], "t");
  ck_assert_str_eq(shape_text(&run.arena, &p->result->result->shape), "[3]");
} END_TEST

START_TEST(a_size_of_the_state_is_known_where_something_is_drawn) {
  const TypedProgram *program = program_of("density p(x: [d]) = -norm2(x)\n  draw z ~ normal(d): z/d\nfield u(t, x: [2]) = x*p(x)*p([x, x])\n");
  ck_assert_uint_eq(program->fields, 1);
  ck_assert_str_eq(shape_text(&run.arena, &program->field[0]->result->shape), "[2]");
} END_TEST

START_TEST(a_flow_begins_with_its_density) {
  const TypedProgram *program = program_of("density p(x: [2]) = -norm2(x)\n  draw z ~ normal(2): z\n"
                                           "field u(t, x: [n]) = -x\nflow f { source p  velocity u  solver rk4 steps 20 }\n");
  const TypedFlow *flow = &program->flow[0];
  ck_assert_int_eq(flow->source, SOURCE_DENSITY);
  ck_assert_int_eq(flow->dim, 2);
  ck_assert_str_eq(flow->density->name, "p");
  ck_assert_int_eq(flow->velocity->parameter[1].dim[0], 2);
} END_TEST

START_TEST(a_covariance_is_factored) {
  const TypedProgram *program = program_of("let s = [[4, 2], [2, 5]]\nfield u(t, x: [n]) = -x\n"
                                           "flow f { source normal([1, sqrt(4)], s @ [[1, 0], [0, 1]])  velocity u  solver rk4 steps 20 }\n");
  const TypedFlow *flow = &program->flow[0];
  ck_assert_int_eq(flow->source, SOURCE_GAUSSIAN);
  ck_assert_int_eq(flow->dim, 2);
  ck_assert_double_eq(flow->mean[1], 2);
  ck_assert_double_eq(flow->covariance[2], 2);
  const double factor[] = {2, 0, 1, 2};
  for (int i = 0; i < 4; i++) ck_assert_double_eq(flow->factor[i], factor[i]);
} END_TEST

static const struct { const char *e; double value; } constant[] = {
  {"2^3 - 1/4", 7.75}, {"-pi", -3.14159265358979323846}, {"sum k < 4: k^2", 14}, {"max k < 3: -k", 0}, {"m[1][0]", 3}, {"m[:, 1][1]", 4},
  {"(for i: for j: m[j][i])[0, 1]", 3}, {"sum(m @ [1, 1])", 10}, {"dot([1, 2], [3, 4])", 11}, {"norm([3, 4])", 5}, {"norm2([3, 4])", 25},
  {"mean([1, 2, 6])", 3}, {"f(2, [1, 2])", 7}, {"if 1 < 2 and not 2 < 1 then 5 else 6", 5}, {"logsumexp([0, 0])", 0.69314718055994530942},
  {"softmax([0, log(3)])[1]", 0.75}, {"one_hot(1, 3)[1]", 1}, {"mod(7, 4) + floor(1.5) + sign(-2)", 3}, {"relu(-1) + abs(-2) + min(3, 4)", 5},
  {"[1, ([2, 3])][2]", 3}, {"sigmoid(0)", 0.5}, {"[[1, 2], [3, 4]][1, 1]", 4},
};
START_TEST(a_constant_of_a_clause_is_worked_out) {
  char text[512];
  snprintf(text, sizeof text, "let m = [[1, 2], [3, 4]]\nfn f(a, v: [n]) =\n  let b = a*v\n  sum(b) + n/2\n"
           "field u(t, x: [2]) = -x\nflow f { source normal(2)  velocity u  time 100 -> (%s)  solver rk4 steps 20 }\n", constant[_i].e);
  ck_assert_double_eq_tol(program_of(text)->flow[0].time_to, constant[_i].value, 1e-14);
} END_TEST

/* ---- checks --------------------------------------------------------------------------------------------------------------------- */
START_TEST(a_check_draws_its_free_names) {
  const TypedProgram *program = program_of("field u(t, x: [2], c: [3]) = x*c[0]\n"
                                           "check \"scaled\": u(t, x, c) == c[0]*x\n");
  const TypedCheck *check = &program->check[0];
  ck_assert_str_eq(check->text, "scaled");
  ck_assert_int_eq(check->kind, CHECK_EQUAL);
  ck_assert_uint_eq(check->names, 3);
  ck_assert_int_eq(check->role[0], ROLE_TIME);
  ck_assert_int_eq(check->role[1], ROLE_OTHER);
  ck_assert_str_eq(check->left->parameter_name[2], "c");
  ck_assert_int_eq(check->right->parameter[2].dim[0], 3);
  ck_assert_str_eq(shape_text(&run.arena, &check->right->result->shape), "[2]");
} END_TEST

/* What b and c are in  check e: times (t) or not (-). */
static const struct { const char *e, *roles; } times[] = {
  {"of_t(b) > of_s(c)", "t-"},
  {"on(b, c) > 0", "t-"},                       /* handed on, at once */
  {"far(b, c) > 0", "-t"},                      /* by way of others */
  {"hidden(b) > of_t(c)", "-t"},                /* a let hides it */
  {"in_a_field(b, [c, abs(c)]) > 0", "t-"},
  {"div(u)(b, [abs(c), 1]) > 0", "t-"},
  {"vector(b) > of_t(c)", "-t"},                /* t: [2] */
  {"p(b) > sqrt(c)", "--"},                     /* a density without a time */
  {"of_s(b) > concat(c, b)", "t-"},             /* one t is enough */
};

START_TEST(a_check_knows_its_times) {
  char text[1024];
  snprintf(text, sizeof text, "fn of_t(t) = t\nfn of_s(s) = s\nfn on(a, b) = of_t(a) + b\nfn far(a, b) = b |> on(a)\n"
           "fn hidden(a) =\n  let a = 2*a\n  of_t(a)\nfn in_a_field(a, x: [2]) = norm(u(a, x))\nfield u(s, x: [2]) = s*x\n"
           "fn vector(t: [2]) = sum(t)\ndensity p(x: [2]) = -norm2(x)\nfn concat(a, t) = a + t\ncheck %s\n", times[_i].e);
  const TypedCheck *check = &program_of(text)->check[0];
  ck_assert_uint_eq(check->names, 2);
  for (int i = 0; i < 2; i++) ck_assert_int_eq(check->role[i], times[_i].roles[i] == 't' ? ROLE_TIME : ROLE_OTHER);
} END_TEST

START_TEST(a_number_that_is_called_t_is_a_time) {
  ck_assert_int_eq(program_of("check vp_alpha(t)^2 + vp_sigma(t)^2 == 1\n")->check[0].role[0], ROLE_TIME);
  ck_assert_int_eq(program_of("check sqrt(t) >= 0\n")->check[0].role[0], ROLE_TIME);
} END_TEST

START_TEST(a_check_without_a_text_may_keep_its_colon) {
  const TypedProgram *program = program_of("fn f(a) = a\ncheck: f(a) == a\ncheck f(a) == a\n");
  ck_assert_uint_eq(program->checks, 2);
  ck_assert_ptr_null(program->check[0].text);
} END_TEST

START_TEST(a_conjunction_is_several_checks) {
  const TypedProgram *program = program_of("fn f(a) = a\ncheck \"all\": f(a) == a and f(a) <= a + 1 and f(0) != 1 and 0 < 1\n");
  static const CheckKind kind[] = {CHECK_EQUAL, CHECK_LESS_EQUAL, CHECK_NOT_EQUAL, CHECK_LESS};
  ck_assert_uint_eq(program->checks, 4);
  for (int i = 0; i < 4; i++) {
    ck_assert_int_eq(program->check[i].kind, kind[i]);
    ck_assert_str_eq(program->check[i].text, "all");
  }
} END_TEST

START_TEST(a_vector_behind_a_semicolon_is_drawn_too) {
  const TypedProgram *program = program_of("fn f(x: [2]) = [x[0], x[1], x[0]*x[1]]\n"
                                           "check dot(w, jvp(f)(x; v)) == dot(vjp(f)(x; w), v)\n");
  const TypedFunction *left = program->check[0].left;
  ck_assert_uint_eq(left->parameters, 3);
  ck_assert_str_eq(left->parameter_name[0], "w");
  ck_assert_int_eq(left->parameter[0].dim[0], 3);
  ck_assert_int_eq(left->parameter[2].dim[0], 2);
} END_TEST

START_TEST(an_open_size_is_that_of_the_flow) {
  const TypedProgram *program = program_of("field u(t, x: [n]) = -x\ncheck div(u)(t, x) < 0\n"
                                           "flow f { source normal(5)  velocity u  solver rk4 steps 20 }\n");
  ck_assert_int_eq(program->check[0].left->parameter[1].dim[0], 5);
} END_TEST

START_TEST(continuity_is_a_residual_of_time_and_state) {
  const TypedProgram *program = program_of("density p(t, x: [2]) = -norm2(x)\ndensity q(x: [2]) = -norm2(x)\n"
                                           "let t = 1\nfield u(s, x: [2]) = -x\ncheck continuity(p, u)\ncheck continuity(q, u)\n");
  for (int i = 0; i < 2; i++) {
    const TypedCheck *check = &program->check[i];
    ck_assert_int_eq(check->kind, CHECK_CONTINUITY);
    ck_assert_uint_eq(check->names, 2);
    ck_assert_str_eq(check->left->parameter_name[0], "s");
    ck_assert_int_eq(check->role[0], ROLE_TIME);
    ck_assert_uint_eq(check->left->result->shape.rank, 0);
    ck_assert_int_eq(check->left->result->kind, TYPED_ADD);
  }
} END_TEST

START_TEST(a_mass_is_a_density_and_a_field_in_a_region) {
  const TypedProgram *program = program_of("density p(t, x: [n]) = -norm2(x)*exp(t)\ndensity q(x: [3]) = -norm2(x)\n"
                                           "field u(s, x: [n], c: [2]) = c[0]*x\ncheck mass(p, u, box([0, 0], [1, 2]))\n"
                                           "check mass(q, u, ball([0, 0, 1], 2))\n");
  for (int i = 0; i < 2; i++) {
    const TypedCheck *check = &program->check[i];
    ck_assert_int_eq(check->kind, CHECK_MASS);
    ck_assert_uint_eq(check->names, 3);
    ck_assert_str_eq(check->left->parameter_name[0], "s");
    ck_assert_int_eq(check->role[0], ROLE_TIME);
    ck_assert_int_eq(check->dim, 2 + i);
    ck_assert(check->is_box == (i == 0));
    ck_assert_str_eq(shape_text(&run.arena, &check->left->result->shape), "[2]");
    ck_assert_int_eq(check->right->result->shape.dim[0], 2 + i);
  }
} END_TEST

static const struct { const char *check, *said; } no_mass[] = {
  {"mass(p, u)", "`mass` is written `mass(p, u, ball(center, radius))` or `mass(p, u, box(low, high))`, with a density and a field"},
  {"mass(p, u, 3)", "`mass` is written `mass(p, u, ball(center, radius))` or `mass(p, u, box(low, high))`, with a density and a field"},
  {"mass(u, u, ball([0, 0], 1))", "the name of a density is needed here, and this is a field"},
  {"mass(p, p, ball([0, 0], 1))", "the name of a field is needed here, and this is a density"},
  {"mass(p, u, ball([0, 0], 0))", "the radius of a ball is above 0"},
  {"mass(p, u, ball([0, 0], 1)) == 0", "`mass` is no function: it is a part of some checks, at one place"},
  {"mass(p, u, ball([0, 0, 0], 1))", "`p` takes [2] as `x`, and this is [3]"},
};
START_TEST(what_is_no_mass_is_refused) {
  char text[512];
  snprintf(text, sizeof text, "density p(t, x: [2]) = -norm2(x)\nfield u(t, x: [n]) = x\ncheck %s\n", no_mass[_i].check);
  check_text(text);
  ck_assert_msg(strstr(said(), no_mass[_i].said) != NULL, "%s", said());
} END_TEST

START_TEST(a_flux_has_its_region) {
  const TypedProgram *program = program_of("let r = 2\nfield u(t, x: [n]) = x\ncheck flux(u, ball([0, 1, 0], r)) == 32*pi\n"
                                           "check flux(u, box([-1, -r], [1, r^2])) == 24\n");
  ck_assert_uint_eq(program->check[0].names, 0);
  const TypedCheck *ball = &program->check[0], *box = &program->check[1];
  ck_assert(!ball->is_box && box->is_box);
  ck_assert_int_eq(ball->dim, 3);
  ck_assert_double_eq(ball->radius, 2);
  ck_assert_double_eq(ball->low[1], 1);
  ck_assert_double_eq(box->low[1], -2);
  ck_assert_double_eq(box->high[1], 4);
  ck_assert_int_eq(ball->field->parameter[1].dim[0], 3);
  ck_assert_int_eq(box->field->parameter[1].dim[0], 2);
  ck_assert_ptr_null(box->left);
} END_TEST

START_TEST(a_flux_may_change_with_the_time_of_its_field) {
  const TypedProgram *program = program_of("field u(s, x: [2]) = s*x\ncheck flux(u, ball([0, 0], 1)) == 2*pi*s\n");
  ck_assert_uint_eq(program->check[0].names, 1);
  ck_assert_int_eq(program->check[0].role[0], ROLE_TIME);
  expect_errors("field u(s, x: [2]) = s*x\ncheck flux(u, ball([0, 0], 1)) == 2*pi*t\n", "E0215");
} END_TEST

START_TEST(one_mistake_in_a_check_is_one_error) {
  expect_errors("field u(t, x: [2]) = y\ncheck u(t, x) == x\n", "E0201");
  expect_errors("field u(t, x: [2]) = -x\ncheck u(t, x) == x + speed\n", "E0215");
  expect_errors("field u(t, x: [2]) = -x\ncheck u(t) == x\n", "E0205 E0215");
  expect_errors("field u(t, x: [2]) = -x\ncheck u(t, x) == [1, 2] + [1, 2, 3]\n", "E0302");
  expect_errors("density p(t, x: [2], c) = -norm2(x)*c\nfield u(t, x: [2]) = x\ncheck continuity(p, u)\n", "E0216");
  expect_errors("density p(x: [2], c) = -norm2(x)*c\nfield u(t, x: [2]) = x\ncheck mass(p, u, ball([1, 0], 1))\n", "E0208");
} END_TEST

START_TEST(one_mistake_in_an_inverse_is_one_error) {
  expect_errors("map m(t, x: [2]) = 2*x\n  inverse(y) =\n    let z = y/2\n    z\nflow f { source normal(2)  velocity of m }\n", "E0205");
  expect_errors("map m(t, x: [2]) = 2*x\n  inverse(t, y, c) = y/2\nfield w = velocity of m\nfield v(t, x: [2]) = inverse(m)(t, x) + div(w)(t, x)\n"
                "flow f { source normal(2)  velocity w }\ncheck inverse(m)(t, m(t, x)) == x\n", "E0205");
} END_TEST

START_TEST(a_slip_in_a_check_is_recognised) {
  expect_said("let speed = 2\nfield u(t, x: [2]) = speed*x\ncheck u(t, x) == sped*x\n",
              "t.flow:3:18: error[E0215]: nothing is called `sped`, and it is not the whole argument of a call: no shape is known to draw it with\n"
              "    3 | check u(t, x) == sped*x\n"
              "      |                  ^~~~\n"
              "      = help: did you mean `speed`?\n");
} END_TEST

START_TEST(a_check_of_many_names_uses_or_claims_ends_soon) {
  enum { MANY = 20000 };
  static char text[64 * MANY], *end;
  end = text + sprintf(text, "fn f(a) = a\ncheck f(x)");
  for (int i = 0; i < MANY; i++) end += sprintf(end, " + f(x)");
  end += sprintf(end, " == %d*x\n", MANY + 1);
  for (int i = 0; i < MANY; i++) end += sprintf(end, "check f(a) == a\n");
  program_of(text);
  ck_assert_uint_eq(run.program->checks, MANY + 1);
  end = text + sprintf(text, "fn f(a) = a\ncheck f(n) == 0");
  for (int i = 0; i < MANY; i++) end += sprintf(end, " + f(n%d)", i);
  sprintf(end, "\n");
  expect_errors(text, "E0215");
} END_TEST

START_TEST(checks_far_apart_may_use_one_name_for_two_shapes) {
  const TypedProgram *program = program_of("fn f(x: [2]) = x\nfn g(x: [3]) = x\ncheck f(x) == x\ncheck g(x) == x\n");
  ck_assert_uint_eq(program->checks, 2);
  for (uint32_t i = 0; i < 2; i++) ck_assert_int_eq(program->check[i].left->parameter[0].dim[0], 2 + i);
} END_TEST

/* ---- predictions -------------------------------------------------------------------------------------------------------------------- */
START_TEST(a_prediction_is_converted_for_the_flow_alone) {
  const TypedProgram *program = program_of("network v(t, x: [d], c: [3]) -> [d] = [t, x, c] |> linear d\n"
                                           "flow a { source normal(2)  velocity v  predicts noise  path vp  time 0 -> 0.99  solver rk4 steps 20 }\n"
                                           "flow b { source normal(2)  velocity v  predicts velocity  path condot  solver rk4 steps 20 }\n");
  const TypedFunction *a = program->flow[0].velocity, *b = program->flow[1].velocity;
  ck_assert_str_eq(a->name, "v");
  ck_assert_int_eq(a->definition->kind, AST_FIELD);
  ck_assert_int_eq(b->definition->kind, AST_NETWORK);
  ck_assert_uint_eq(a->parameters, 3);
  ck_assert(a->owns_weights);
  ck_assert_str_eq(a->parameter_name[2], "c");
} END_TEST

void add_claim_tests(TCase *tcase) {
  tcase_add_loop_test(tcase, a_derivative_is_typed_as_its_operator_says, 0, sizeof derivative / sizeof *derivative);
  tcase_add_test(tcase, an_operator_is_a_free_word);
  tcase_add_test(tcase, a_parameter_hides_the_definition_that_an_operator_could_take);
  tcase_add_test(tcase, one_mistake_in_a_derivative_is_one_error);
  tcase_add_test(tcase, a_flow_of_a_map_needs_no_solver_and_knows_the_map);
  tcase_add_test(tcase, the_library_does_not_see_the_sizes_of_a_file);
  tcase_add_test(tcase, a_map_of_known_size_is_listed_with_its_inverse);
  tcase_add_test(tcase, a_velocity_of_a_map_is_a_field_among_the_fields);
  tcase_add_test(tcase, a_map_that_needs_its_own_velocity_is_a_cycle);
  tcase_add_test(tcase, a_draw_line_says_what_is_drawn);
  tcase_add_test(tcase, a_size_of_the_state_is_known_where_something_is_drawn);
  tcase_add_test(tcase, a_flow_begins_with_its_density);
  tcase_add_test(tcase, a_covariance_is_factored);
  tcase_add_loop_test(tcase, a_constant_of_a_clause_is_worked_out, 0, sizeof constant / sizeof *constant);
  tcase_add_test(tcase, a_check_draws_its_free_names);
  tcase_add_loop_test(tcase, a_check_knows_its_times, 0, sizeof times / sizeof *times);
  tcase_add_test(tcase, a_number_that_is_called_t_is_a_time);
  tcase_add_test(tcase, a_check_without_a_text_may_keep_its_colon);
  tcase_add_test(tcase, a_conjunction_is_several_checks);
  tcase_add_test(tcase, a_vector_behind_a_semicolon_is_drawn_too);
  tcase_add_test(tcase, an_open_size_is_that_of_the_flow);
  tcase_add_test(tcase, continuity_is_a_residual_of_time_and_state);
  tcase_add_test(tcase, a_mass_is_a_density_and_a_field_in_a_region);
  tcase_add_loop_test(tcase, what_is_no_mass_is_refused, 0, sizeof no_mass / sizeof *no_mass);
  tcase_add_test(tcase, a_flux_has_its_region);
  tcase_add_test(tcase, a_flux_may_change_with_the_time_of_its_field);
  tcase_add_test(tcase, one_mistake_in_a_check_is_one_error);
  tcase_add_test(tcase, one_mistake_in_an_inverse_is_one_error);
  tcase_add_test(tcase, a_slip_in_a_check_is_recognised);
  tcase_add_test(tcase, a_check_of_many_names_uses_or_claims_ends_soon);
  tcase_add_test(tcase, checks_far_apart_may_use_one_name_for_two_shapes);
  tcase_add_test(tcase, a_prediction_is_converted_for_the_flow_alone);
}
