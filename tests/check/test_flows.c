/* SPDX-License-Identifier: Apache-2.0 */
/* test_flows.c -- flows and their clauses, fields for given shapes, and whole programs. */
#include <stdio.h>
#include <string.h>
#include "checking.h"

static const TypedFlow *flow_of(const char *text) {
  check_text(text);
  ck_assert_msg(run.diagnostics.errors == 0, "%s", said());
  ck_assert_uint_eq(run.program->flows, 1);
  return &run.program->flow[0];
}

START_TEST(a_flow_has_what_its_clauses_say) {
  const TypedFlow *f = flow_of("network v(t, x: [d]) -> [d] = [t, x] |> linear 8 |> elu |> linear d\n"
                               "flow moons {\n  source   normal(2)\n  velocity v\n"
                               "  weights  \"moons.safetensors\" prefix \"net.\"\n  skip \"a.b\" \"c\"\n"
                               "  solver   midpoint steps 100\n  time 1 -> -2*pi\n}\n");
  ck_assert_str_eq(f->name, "moons");
  ck_assert_int_eq(f->source, SOURCE_NORMAL);
  ck_assert_int_eq(f->dim, 2);
  ck_assert_str_eq(f->velocity->name, "v");
  ck_assert_str_eq(f->weights, "moons.safetensors");
  ck_assert_str_eq(f->prefix, "net.");
  ck_assert_uint_eq(f->skips, 2);
  ck_assert_str_eq(f->skip[1], "c");
  ck_assert_str_eq(f->solver, "midpoint");
  ck_assert_int_eq(f->steps, 100);
  ck_assert_double_eq(f->time_from, 1);
  ck_assert_double_eq(f->time_to, -2 * 3.14159265358979323846);
} END_TEST

static const char trained[] = "network v(t, x: [2]) -> [2] = [t, x] |> linear 8 |> elu |> linear 2\n"
                              "flow f { source normal(2)  velocity v  %s }\n";
static const TypedTrain *training_of(const char *block) {
  char text[1024];
  snprintf(text, sizeof text, trained, block);
  return flow_of(text)->train;
}

START_TEST(a_training_by_likelihood_has_that_loss) {
  const TypedTrain *t = training_of("solver rk4 steps 20 train { loss likelihood batch 64 }");
  ck_assert_str_eq(t->loss, "likelihood");
  ck_assert_ptr_null(t->path);
  ck_assert_ptr_null(t->coupling);
  ck_assert_ptr_null(t->trace);
  ck_assert_int_eq(t->probes, -1);
} END_TEST

START_TEST(a_training_by_likelihood_says_how_the_trace_is_computed) {
  const TypedTrain *t = training_of("train { loss likelihood trace hutchinson probes 4 probe gaussian batch 64 }");
  ck_assert_str_eq(t->trace, "hutchinson");
  ck_assert_str_eq(t->probe, "gaussian");
  ck_assert_int_eq(t->probes, 4);
  ck_assert_int_eq(t->batch, 64);
} END_TEST

/* Bits of the rows of loss_inputs.def: target, x0, x1, s, chance, probe. */
START_TEST(a_loss_of_the_program_has_the_parts_that_it_asks_for) {
  const TypedFlow *f = flow_of("network v(t, y: [2, 3], c: [4]) -> [2, 3] = (for i: (y[i] |> linear 3))\n"
                               "fn own(probe: [m, n], c: [k], t, x₁: [m, n], s, u: [m, n]) = s*t + sum i: dot(u[i] - x₁[i], probe[i]) * c[0]\n"
                               "flow f { source normal(6)  velocity v  solver rk4 steps 20  train { batch 4 loss own } }\n");
  static const char *const name[] = {"t", "y", "c", " x1", " s", " probe"};
  static const uint32_t rank[] = {0, 2, 1, 2, 0, 2};
  const TypedLoss *loss = f->loss;
  ck_assert_ptr_nonnull(loss);
  ck_assert_str_eq(loss->name, "own");
  ck_assert_uint_eq(loss->parts, 1u << 2 | 1u << 3 | 1u << 5);
  ck_assert_uint_eq(loss->function->parameters, 6);
  for (int i = 0; i < 6; i++) {
    ck_assert_str_eq(loss->function->parameter_name[i], name[i]);
    ck_assert_uint_eq(loss->function->parameter[i].rank, rank[i]);
  }
  ck_assert_uint_eq(loss->function->lets, 1);
  ck_assert_ptr_eq(loss->function->let[0]->callee, f->velocity);
  ck_assert_uint_eq(loss->function->result->shape.rank, 0);
} END_TEST

START_TEST(a_loss_and_what_it_calls_may_call_networks_and_differentiate_them) {
  const TypedFlow *f = flow_of("network d(t, x: [2]) -> [2] = [t, x] |> linear 8 |> elu |> linear 2\n"
                               "fn size(t, x: [n]) = norm2(d(t, x))\n"
                               "fn pushed(t, x: [n]) = grad(size)(t, x)\n"
                               "fn own(t, x: [n], x1: [n]) = norm2(d(t, x) - x1) + div(d)(t, x) + (pushed(t, x) |> norm)\n"
                               "flow f { source normal(2)  velocity d  predicts data  path condot  time 0 -> 0.999  train { loss own } }\n");
  ck_assert_ptr_nonnull(f->loss);
  ck_assert(f->loss->function->owns_weights);
  ck_assert_ptr_eq(f->loss->function->let[0]->callee, f->velocity);     /* made of what d says */
} END_TEST

START_TEST(a_training_has_what_its_block_says) {
  const TypedTrain *t = training_of("train { loss flow_matching kinetic 0.5 jacobian 1/8 jacobian_norm hutchinson path vp optimiser adamw 1e-2 "
                                   "batch 64 iterations 10*100 schedule cosine warm_up 5 "
                                    "clip 1 ema 0.99 validation 1/4 seed 7 decay 0.1 momentum 0.8 coupling transport initial normal 0.02 "
                                    "data \"x.npy\" }");
  ck_assert_str_eq(t->loss, "flow_matching");
  ck_assert_double_eq(t->kinetic, 0.5);
  ck_assert_double_eq(t->jacobian, 0.125);
  ck_assert_str_eq(t->jacobian_norm, "hutchinson");
  ck_assert_str_eq(t->path, "vp");
  ck_assert_str_eq(t->optimiser, "adamw");
  ck_assert_double_eq(t->rate, 1e-2);
  ck_assert_int_eq(t->batch, 64);
  ck_assert_int_eq(t->iterations, 1000);
  ck_assert_str_eq(t->schedule, "cosine");
  ck_assert_int_eq(t->warm_up, 5);
  ck_assert_double_eq(t->clip, 1);
  ck_assert_double_eq(t->average, 0.99);
  ck_assert_double_eq(t->validation, 0.25);
  ck_assert_int_eq(t->seed, 7);
  ck_assert_double_eq(t->decay, 0.1);
  ck_assert_double_eq(t->momentum, 0.8);
  ck_assert_str_eq(t->coupling, "transport");
  ck_assert_str_eq(t->initial, "normal");
  ck_assert_double_eq(t->initial_scale, 0.02);
  ck_assert_str_eq(t->data, "x.npy");
} END_TEST

START_TEST(what_a_training_does_not_say_is_left_open) {
  const TypedTrain *t = training_of("train {\n  optimiser adam(1e-3)\n}");
  ck_assert_double_eq(t->rate, 1e-3);
  ck_assert_ptr_null(t->path);
  ck_assert_int_eq(t->batch, -1);
  ck_assert_double_lt(t->clip, 0);
  ck_assert_ptr_null(training_of(""));
} END_TEST

START_TEST(a_flow_keeps_the_path_that_it_was_trained_along) {
  const TypedFlow *f = flow_of("network v(t, x: [2]) -> [2] = [t, x] |> linear 2\n"
                               "flow f { source normal(2)  velocity v  predicts noise  path cosine  time 0.875 -> 0 }\n");
  ck_assert_str_eq(f->path, "cosine");
  ck_assert(f->predicts);
  ck_assert_double_eq(f->path_from, 0.125);
  ck_assert_double_eq(f->path_to, 1);
} END_TEST

START_TEST(a_flow_without_a_time_goes_from_0_to_1) {
  const TypedFlow *f = flow_of("field u(t, x: [2]) = -x\nflow f { source normal(2)  velocity u  solver euler steps 1 }\n");
  ck_assert_double_eq(f->time_from, 0);
  ck_assert_double_eq(f->time_to, 1);
  ck_assert_str_eq(f->prefix, "");
} END_TEST

START_TEST(a_solver_says_how_its_steps_are_spaced) {
  static const struct { const char *words; StepSpacing spacing; double power; } given[] = {
    {"", SPACING_EQUAL, 0}, {"spacing equal", SPACING_EQUAL, 0}, {"spacing cosine", SPACING_COSINE, 0},
    {"spacing power 1.5", SPACING_POWER, 1.5}, {"spacing power half", SPACING_POWER, 0.5}};
  for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
    char text[256];
    snprintf(text, sizeof text, "let half = 1/2\nfield u(t, x: [2]) = -x\n"
             "flow f { source normal(2)  solver rk4 steps 20 %s  velocity u }\n", given[i].words);
    const TypedFlow *f = flow_of(text);
    ck_assert_int_eq(f->spacing, given[i].spacing);
    ck_assert_double_eq(f->spacing_power, given[i].power);
    ck_assert_int_eq(f->steps, 20);
  }
} END_TEST

START_TEST(the_source_gives_the_state_its_size) {
  const TypedFlow *f = flow_of("dim d = 3\nfield u(t, x: [n]) = -x/n\nflow f { source normal(d + 1)  velocity u  solver rk4 steps 20 }\n");
  ck_assert_int_eq(f->velocity->parameter[1].dim[0], 4);
} END_TEST

START_TEST(a_state_of_two_axes_has_as_many_numbers_as_the_source) {
  const TypedFlow *f = flow_of("field u(t, x: [2, 3]) = -x\nflow f { source normal(6)  velocity u  solver rk4 steps 20 }\n");
  ck_assert_uint_eq(f->velocity->parameter[1].rank, 2);
  ck_assert_int_eq(f->dim, 6);
} END_TEST

START_TEST(a_box_has_its_bounds) {
  const TypedFlow *f = flow_of("let r = 2\nfield u(t, x: [2]) = -x\n"
                               "flow f { source uniform([-1, -r], [1, r^2])  velocity u  solver rk4 steps 20 }\n");
  ck_assert_int_eq(f->source, SOURCE_UNIFORM);
  ck_assert_double_eq(f->uniform_low[1], -2);
  ck_assert_double_eq(f->uniform_high[1], 4);
} END_TEST

START_TEST(a_file_takes_the_size_of_the_declared_state) {
  const TypedFlow *f = flow_of("field u(t, x: [5]) = -x\nflow f { source \"x0.npy\"  velocity u  solver rk4 steps 20 }\n");
  ck_assert_int_eq(f->source, SOURCE_FILE);
  ck_assert_str_eq(f->source_path, "x0.npy");
  ck_assert_int_eq(f->dim, 5);
} END_TEST

START_TEST(conditions_follow_the_state) {
  const TypedFlow *f = flow_of("field u(t, x: [d], c: [d], w) = w*(c - x)\nflow f { source normal(2)  velocity u  solver rk4 steps 20 }\n");
  ck_assert_uint_eq(f->velocity->parameters, 4);
  ck_assert_str_eq(f->velocity->parameter_name[2], "c");
  ck_assert_int_eq(f->velocity->parameter[2].dim[0], 2);
  ck_assert_uint_eq(f->velocity->parameter[3].rank, 0);
} END_TEST

START_TEST(the_caller_says_which_solvers_there_are) {
  expect_errors("field u(t, x: [2]) = -x\nflow f { source normal(2)  velocity u  solver ralston steps 20 }\n", "E0508");
} END_TEST

/* ---- a field by itself ---- */
START_TEST(a_field_is_made_for_the_state_that_a_verb_has) {
  check_text("field u(t, x: [n], c: [m]) = x * sum(c)\n");
  ck_assert_msg(run.diagnostics.errors == 0, "%s", said());
  ck_assert_uint_eq(run.program->fields, 0);
  Shape state = {1, {3}}, condition = {1, {2}};
  const TypedFunction *f = flow_check_instance(run.program, "u", &state, &condition, 1);
  ck_assert_ptr_nonnull(f);
  ck_assert_str_eq(shape_text(&run.arena, &f->result->shape), "[3]");
  ck_assert_ptr_eq(f, flow_check_instance(run.program, "u", &state, &condition, 1));
} END_TEST

START_TEST(a_field_that_does_not_fit_the_state_is_an_error) {
  check_text("field u(t, x: [2]) = -x\n");
  Shape state = {1, {3}};
  ck_assert_ptr_null(flow_check_instance(run.program, "u", &state, NULL, 0));
  ck_assert_uint_eq(run.diagnostics.errors, 1);
} END_TEST

START_TEST(a_field_that_is_not_there_is_none) {
  check_text("field u(t, x: [2]) = -x\n");
  ck_assert_ptr_null(flow_check_instance(run.program, "v", NULL, NULL, 0));
} END_TEST

/* ---- programs ---- */
static void is_clean(const char *name, const char *text, size_t length) {
  check_bytes(name, text, length);
  ck_assert_msg(run.diagnostics.count == 0, "%s", said());
}

START_TEST(every_program_is_free_of_errors_and_warnings) {
  ck_assert_int_ge(for_each_program(TESTS_DIR "/check/programs", is_clean), 6);
} END_TEST

void add_flow_tests(TCase *tcase) {
  tcase_add_test(tcase, a_flow_has_what_its_clauses_say);
  tcase_add_test(tcase, a_flow_without_a_time_goes_from_0_to_1);
  tcase_add_test(tcase, a_training_has_what_its_block_says);
  tcase_add_test(tcase, a_training_by_likelihood_has_that_loss);
  tcase_add_test(tcase, a_loss_of_the_program_has_the_parts_that_it_asks_for);
  tcase_add_test(tcase, a_loss_and_what_it_calls_may_call_networks_and_differentiate_them);
  tcase_add_test(tcase, a_training_by_likelihood_says_how_the_trace_is_computed);
  tcase_add_test(tcase, what_a_training_does_not_say_is_left_open);
  tcase_add_test(tcase, a_flow_keeps_the_path_that_it_was_trained_along);
  tcase_add_test(tcase, a_solver_says_how_its_steps_are_spaced);
  tcase_add_test(tcase, the_source_gives_the_state_its_size);
  tcase_add_test(tcase, a_state_of_two_axes_has_as_many_numbers_as_the_source);
  tcase_add_test(tcase, a_box_has_its_bounds);
  tcase_add_test(tcase, a_file_takes_the_size_of_the_declared_state);
  tcase_add_test(tcase, conditions_follow_the_state);
  tcase_add_test(tcase, the_caller_says_which_solvers_there_are);
  tcase_add_test(tcase, a_field_is_made_for_the_state_that_a_verb_has);
  tcase_add_test(tcase, a_field_that_does_not_fit_the_state_is_an_error);
  tcase_add_test(tcase, a_field_that_is_not_there_is_none);
  tcase_add_test(tcase, every_program_is_free_of_errors_and_warnings);
}
