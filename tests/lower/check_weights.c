/* SPDX-License-Identifier: Apache-2.0 */
/* check_weights.c -- which tensors a program reads, and that two calls share them or do not. */
#include "lower_suite.h"

/* One line per tensor: name or scope and number, part, shape. */
static const char *table_of(const IrFunction *f) {
  const char *text = "";
  for (uint32_t i = 0; i < f->weights; i++) {
    const IrWeight *w = &f->weight[i];
    const char *shape = "";
    for (uint32_t a = 0; a < w->shape.rank; a++) shape = arena_format(test_arena(), "%s %lld", shape, (long long)w->shape.dim[a]);
    const char *name = w->labelled ? w->name : arena_format(test_arena(), "%s#%u.%s", w->scope, w->layer, w->part);
    text = arena_format(test_arena(), "%s%s%s\n", text, name, shape);
  }
  return text;
}

START_TEST(layers_without_names_are_counted_in_order_of_evaluation) {
  expect_text(table_of(lowered_as("network u(t, x: [2]) -> [2] = [t, x] |> linear 4 |> elu |> layer_norm |> linear 2 no bias\n",
                                  "u", "net.")),
              "net.#0.weight 4 3\nnet.#0.bias 4\nnet.#1.weight 4\nnet.#1.bias 4\nnet.#2.weight 2 4\n");
} END_TEST

START_TEST(labels_nest_as_modules_do) {
  expect_text(table_of(lowered_as("network block(h: [n]) -> [n] = h + (h |> linear 3 \"up\" |> linear n \"down\" no bias)\n"
                                  "network v(t, x: [2]) -> [2] = x |> repeat 2 block \"blocks\" |> linear 2 \"out\"\n"
                                  "field u(t, x: [2]) = v(t, x) \"ema\"\n",
                                  "u", "net.")),
              "net.ema.blocks.0.up.weight 3 2\nnet.ema.blocks.0.up.bias 3\nnet.ema.blocks.0.down.weight 2 3\n"
              "net.ema.blocks.1.up.weight 3 2\nnet.ema.blocks.1.up.bias 3\nnet.ema.blocks.1.down.weight 2 3\n"
              "net.ema.out.weight 2 2\nnet.ema.out.bias 2\n");
} END_TEST

START_TEST(an_unnamed_call_of_a_named_network_is_a_numbered_part) {
  expect_text(table_of(lowered("network block(h: [n]) -> [n] = h |> linear n \"a\" no bias\n"
                               "network u(t, x: [2]) -> [2] = x |> repeat 2 block |> linear 2 no bias\n")),
              "<0>.a.weight 2 2\n<1>.a.weight 2 2\n#2.weight 2 2\n");
} END_TEST

START_TEST(an_unnamed_call_of_an_unnamed_network_is_transparent) {
  expect_text(table_of(lowered("network block(h: [n]) -> [n] = h |> linear n no bias\n"
                               "network u(t, x: [2]) -> [2] = x |> repeat 2 block |> linear 2 no bias\n")),
              "#0.weight 2 2\n#1.weight 2 2\n#2.weight 2 2\n");
} END_TEST

START_TEST(a_network_called_from_fields_is_the_network) {
  const char *program = "network v(t, x: [2], c: [3]) -> [2] = [x, c] |> linear 4 |> tanh |> linear 2\n"
                        "field null(t, x: [2]) = v(t, x, one_hot(2, 3))\n"
                        "field u(t, x: [2], c: [3], w) =\n"
                        "  let u0 = null(t, x)\n"
                        "  u0 + w*(v(t, x, c) - u0)\n";
  expect_text(table_of(lowered(program)), "#0.weight 4 5\n#0.bias 4\n#1.weight 2 4\n#1.bias 2\n");
} END_TEST

START_TEST(the_network_is_one_whatever_the_shapes_of_its_conditions) {
  expect_text(table_of(lowered("network v(t, x: [2], c: [n]) -> [2] = (x + sum(c)) |> linear 2\n"
                               "field u(t, x: [2]) = v(t, x, [1]) + v(t, x, [1, 2])\n")),
              "#0.weight 2 2\n#0.bias 2\n");
} END_TEST

START_TEST(a_network_called_under_one_name_is_one_instance_and_under_two_names_two) {
  expect_text(table_of(lowered("network f(x: [2]) -> [2] = x |> linear 2 no bias\n"
                               "network u(t, x: [2]) -> [2] =\n"
                               "  let a = f(x) \"one\"\n"
                               "  let b = f(a) \"one\"\n"
                               "  f(b) \"two\"\n")),
              "one.#0.weight 2 2\ntwo.#0.weight 2 2\n");
} END_TEST

START_TEST(a_layer_in_a_for_has_one_set_of_weights) {
  const char *program = "network u(t, x: [3]) -> [3] = for i: sum([x[i], t] |> linear 2)\n";
  expect_text(table_of(lowered(program)), "#0.weight 2 2\n#0.bias 2\n");
  double expected[3];
  const double x[] = {0.3, -1.2, 2.5}, t = 0.25;
  for (int i = 0; i < 3; i++) {
    expected[i] = 0;
    for (int o = 0; o < 2; o++) expected[i] += test_weight(0, 2 * o) * x[i] + test_weight(0, 2 * o + 1) * t + test_weight(1, o);
  }
  expect_value(program, t, x, NULL, expected, 3);
} END_TEST

START_TEST(a_param_and_an_embedding_are_tensors_by_name) {
  const char *program = "network u(t, x: [2]) -> [2] =\n"
                        "  let w = param(2, 2) \"w\"\n"
                        "  let e = floor(2*t) |> embedding 3 2 \"table\"\n"
                        "  w @ x + e\n";
  expect_text(table_of(lowered(program)), "w 2 2\ntable.weight 3 2\n");
  const double x[] = {0.3, -1.2};
  double expected[2];
  for (int i = 0; i < 2; i++) expected[i] = test_weight(0, 2 * i) * x[0] + test_weight(0, 2 * i + 1) * x[1] + test_weight(1, 2 + i);
  expect_value(program, 0.6, x, NULL, expected, 2);
} END_TEST

START_TEST(a_dense_layer_is_weight_times_x_plus_bias) {
  const double x[] = {0.3, -1.2}, in[] = {0.25, 0.3, -1.2};
  double hidden[3], expected[2];
  for (int o = 0; o < 3; o++) {
    hidden[o] = test_weight(1, o);
    for (int i = 0; i < 3; i++) hidden[o] += test_weight(0, 3 * o + i) * in[i];
    hidden[o] = tanh(hidden[o]);
  }
  for (int o = 0; o < 2; o++) {
    expected[o] = test_weight(3, o);
    for (int i = 0; i < 3; i++) expected[o] += test_weight(2, 3 * o + i) * hidden[i];
  }
  expect_value("network u(t, x: [2]) -> [2] = [t, x] |> linear 3 |> tanh |> linear 2\n", 0.25, x, NULL, expected, 2);
} END_TEST

START_TEST(two_layers_that_reach_one_tensor_are_refused) {
  ck_assert_ptr_null(lowered_as("network g(x: [2]) -> [2] = x |> linear 2 \"c\"\n"
                                "network u(t, x: [2]) -> [2] =\n"
                                "  let a = g(x) \"a.b\"\n"
                                "  a |> linear 2 \"a.b.c\"\n",
                                "u", ""));
  expect_text(diagnostics_text(),
              "test.flow:4:3: error[E0902]: two layers at different places read one tensor, `a.b.c.weight`\n"
              "    4 |   a |> linear 2 \"a.b.c\"\n"
              "      |   ^~~~~~~~~~~~~~~~~~~~~\n"
              "test.flow:1:28: note: the first one is here\n"
              "    1 | network g(x: [2]) -> [2] = x |> linear 2 \"c\"\n"
              "      |                            ^~~~~~~~~~~~~~~~~\n"
              "      = help: give each layer a name of its own; a network that is called under one name twice shares its weights\n");
} END_TEST

START_TEST(a_thousand_blocks_take_memory_in_proportion) {
  IrFunction *f = lowered("network block(h: [n]) -> [n] = h + (h |> linear n)\n"
                          "network u(t, x: [2]) -> [2] = x |> repeat 1000 block \"blocks\"\n");
  ck_assert_uint_eq(f->weights, 2000);
  ck_assert_uint_lt(test_arena()->total, 64 << 20);
} END_TEST

void add_weights_tests(TCase *tcase) {
  tcase_add_test(tcase, layers_without_names_are_counted_in_order_of_evaluation);
  tcase_add_test(tcase, labels_nest_as_modules_do);
  tcase_add_test(tcase, an_unnamed_call_of_a_named_network_is_a_numbered_part);
  tcase_add_test(tcase, an_unnamed_call_of_an_unnamed_network_is_transparent);
  tcase_add_test(tcase, a_network_called_from_fields_is_the_network);
  tcase_add_test(tcase, the_network_is_one_whatever_the_shapes_of_its_conditions);
  tcase_add_test(tcase, a_network_called_under_one_name_is_one_instance_and_under_two_names_two);
  tcase_add_test(tcase, a_layer_in_a_for_has_one_set_of_weights);
  tcase_add_test(tcase, a_param_and_an_embedding_are_tensors_by_name);
  tcase_add_test(tcase, two_layers_that_reach_one_tensor_are_refused);
  tcase_add_test(tcase, a_thousand_blocks_take_memory_in_proportion);
  tcase_add_test(tcase, a_dense_layer_is_weight_times_x_plus_bias);
}
