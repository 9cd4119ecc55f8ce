/* SPDX-License-Identifier: Apache-2.0 */
/* check_bind.c -- layers and the tensors of a file: what binds, and the whole text of what does not. */
#include "bind.h"
#include <stdlib.h>
#include "lower_suite.h"

/* ---- files as text --------------------------------------------------------------------------------------------------- */
/* "net.0.weight 64,3; net.0.bias 64 F16": F32 where nothing is said; in the natural order of a reader. */
static FlowTensor tensor_of(const char *line) {
  char name[128], shape[64], type[8] = "F32";
  ck_assert_int_ge(sscanf(line, " %127s %63s %7s", name, shape, type), 2);
  FlowTensor tensor = {.name = arena_text(test_arena(), name, strlen(name)), .count = 1, .type = FLOW_TYPE_F32};
  if (strcmp(type, "F16") == 0) tensor.type = FLOW_TYPE_F16;
  if (strcmp(type, "I64") == 0) tensor.type = FLOW_TYPE_I64;
  for (char *dim = strtok(shape, ","); dim; dim = strtok(NULL, ",")) {
    tensor.dim[tensor.rank] = strtoull(dim, NULL, 10);
    tensor.count *= tensor.dim[tensor.rank++];
  }
  return tensor;
}

static int by_name(const void *a, const void *b) {
  return flow_natural_order(((const FlowTensor *)a)->name, ((const FlowTensor *)b)->name);
}

static FlowTensors file_of(const char *lines) {
  FlowTensors tensors = {.tensor = arena_array(test_arena(), 64, sizeof(FlowTensor))};
  for (const char *line = lines; line && *line;) {
    char one[256];
    size_t length = strcspn(line, ";");
    snprintf(one, sizeof one, "%.*s", (int)length, line);
    tensors.tensor[tensors.count++] = tensor_of(one);
    line = line[length] ? line + length + 1 : NULL;
  }
  qsort(tensors.tensor, tensors.count, sizeof *tensors.tensor, by_name);
  return tensors;
}

/* ---- verbs ------------------------------------------------------------------------------------------------------------ */
typedef struct Case { const char *program, *prefix, *file, *skip; } Case;

static flow_status bind_case(const Case *c, IrFunction **f) {
  const char *prefix = c->prefix ? c->prefix : "";
  *f = lowered_as(c->program, "u", prefix);
  FlowTensors tensors = file_of(c->file);
  return ir_bind(*f, &tensors, prefix, &c->skip, c->skip ? 1 : 0, test_diagnostics(), NULL);
}

/* The tensors' names in order of the program. */
static void expect_names(Case c, const char *expected) {
  IrFunction *f;
  flow_status status = bind_case(&c, &f);
  ck_assert_msg(status == FLOW_OK, "%s", diagnostics_text());
  const char *names = "";
  for (uint32_t i = 0; i < f->weights; i++) names = arena_format(test_arena(), "%s%s%s", names, i ? " " : "", f->weight[i].name);
  expect_text(names, expected);
}

static void expect_refusal(Case c, const char *expected) {
  IrFunction *f;
  ck_assert_int_eq(bind_case(&c, &f), FLOW_BAD_INPUT);
  expect_text(diagnostics_text(), expected);
}

static const char two_layers[] = "network u(t, x: [2]) -> [2] = [t, x] |> linear 64 |> elu |> linear 2\n";
static const char named[] = "network u(t, x: [2]) -> [2] = [t, x] |> linear 64 \"in\" |> elu |> linear 2 \"out\"\n";
static const char attention[] = "network u(t, x: [2]) -> [2] =\n"
                                "  let q = x |> linear 2 no bias\n"
                                "  let k = x |> linear 2 no bias\n"
                                "  q * k\n";
static const char blocks[] = "network block(h: [n]) -> [n] = h + (h |> linear 4 \"up\" |> linear n \"down\" no bias)\n"
                             "network u(t, x: [2]) -> [2] = x |> repeat 2 block\n";

/* ---- what binds -------------------------------------------------------------------------------------------------------- */
START_TEST(layers_without_names_take_the_stems_in_natural_order) {
  expect_names((Case){two_layers, "net.", "net.10.weight 2,64; net.10.bias 2; net.2.bias 64; net.2.weight 64,3", NULL},
               "net.2.weight net.2.bias net.10.weight net.10.bias");
} END_TEST

START_TEST(layers_with_names_find_their_own) {
  expect_names((Case){named, NULL, "in.bias 64; out.bias 2; in.weight 64,3; out.weight 2,64 F16", NULL},
               "in.weight in.bias out.weight out.bias");
} END_TEST

START_TEST(unnamed_calls_of_a_network_with_names_take_the_components) {
  expect_names((Case){blocks, NULL,
                      "layers.0.up.weight 4,2; layers.0.up.bias 4; layers.0.down.weight 2,4;"
                      "layers.1.up.weight 4,2; layers.1.up.bias 4; layers.1.down.weight 2,4", NULL},
               "layers.0.up.weight layers.0.up.bias layers.0.down.weight layers.1.up.weight layers.1.up.bias layers.1.down.weight");
} END_TEST

START_TEST(a_tensor_that_is_skipped_may_stay_unused) {
  expect_names((Case){named, NULL, "in.bias 64; out.bias 2; in.weight 64,3; out.weight 2,64; time.freqs 32", "time.freqs"},
               "in.weight in.bias out.weight out.bias");
} END_TEST

START_TEST(tensors_before_the_prefix_are_nobodys_business) {
  expect_names((Case){named, "ema.", "ema.in.bias 64; ema.out.bias 2; ema.in.weight 64,3; ema.out.weight 2,64; step 1 I64", NULL},
               "ema.in.weight ema.in.bias ema.out.weight ema.out.bias");
} END_TEST

/* ---- what does not ------------------------------------------------------------------------------------------------------ */
START_TEST(a_network_with_names_and_one_without_in_one_field) {
  expect_names((Case){"network v(t, x: [2]) -> [2] = x |> linear 2 \"a\"\n"
                      "network w(t, x: [2]) -> [2] = x |> linear 2 |> tanh |> linear 2\n"
                      "field u(t, x: [2]) = v(t, x) + w(t, x)\n",
                      NULL, "a.weight 2,2; a.bias 2; net.0.weight 2,2; net.0.bias 2; net.2.weight 2,2; net.2.bias 2", NULL},
               "a.weight a.bias net.0.weight net.0.bias net.2.weight net.2.bias");
} END_TEST

START_TEST(a_network_under_a_name_and_again_without_one) {
  expect_names((Case){"network w(t, x: [2]) -> [2] = x |> linear 2\n"
                      "field a(t, x: [2]) = w(t, x) \"ema\"\n"
                      "field u(t, x: [2]) = a(t, x) + w(t, x)\n",
                      NULL, "ema.0.weight 2,2; ema.0.bias 2; net.0.weight 2,2; net.0.bias 2", NULL},
               "ema.0.weight ema.0.bias net.0.weight net.0.bias");
} END_TEST

START_TEST(a_label_that_looks_like_a_mark_is_a_label) {
  expect_names((Case){"network w(x: [2]) -> [2] = x |> linear 2 no bias\n"
                      "network u(t, x: [2]) -> [2] = w(x) \"<4000000000>\"\n",
                      NULL, "<4000000000>.0.weight 2,2", NULL},
               "<4000000000>.0.weight");
} END_TEST

START_TEST(a_name_that_a_terminal_would_obey_is_made_printable) {
  expect_refusal((Case){"network u(t, x: [2]) -> [2] = x |> linear 2 \"a\" no bias\n", NULL,
                        "a.weight 2,2; \x1b[31mred 2", NULL},
                 "test.flow:1:31: error[E0903]: the weights do not fit the layers: 1 tensor of the file is not used\n"
                 "    1 | network u(t, x: [2]) -> [2] = x |> linear 2 \"a\" no bias\n"
                 "      |                               ^~~~~~~~~~~~~~~~~~~~~~~~~\n"
                 "      = help: side by side, less what fits:\n"
                 "        program   file\n"
                 "        -         \\x1B[31mred [2] F32   not used\n"
                 "      = help: `skip \"NAME\"` after `weights` excuses a tensor from use\n");
} END_TEST

START_TEST(a_missing_tensor_is_shown) {
  expect_refusal((Case){named, NULL, "in.weight 64,3; in.bias 64; out.weight 2,64", NULL},
                 "test.flow:1:31: error[E0903]: the weights do not fit the layers: 1 tensor of the program is missing\n"
                 "    1 | network u(t, x: [2]) -> [2] = [t, x] |> linear 64 \"in\" |> elu |> linear 2 \"out\"\n"
                 "      |                               ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
                 "      = help: side by side, less what fits:\n"
                 "        program        file\n"
                 "        out.bias [2]   -      missing\n");
} END_TEST

START_TEST(a_tensor_too_many_is_shown) {
  expect_refusal((Case){named, NULL, "in.weight 64,3; in.bias 64; out.weight 2,64; out.bias 2; freqs 8", NULL},
                 "test.flow:1:41: error[E0903]: the weights do not fit the layers: 1 tensor of the file is not used\n"
                 "    1 | network u(t, x: [2]) -> [2] = [t, x] |> linear 64 \"in\" |> elu |> linear 2 \"out\"\n"
                 "      |                                         ^~~~~~~~~~~~~~\n"
                 "      = help: side by side, less what fits:\n"
                 "        program   file\n"
                 "        -         freqs [8] F32   not used\n"
                 "      = help: `skip \"NAME\"` after `weights` excuses a tensor from use\n");
} END_TEST

START_TEST(a_transposed_weight_is_told_so) {
  expect_refusal((Case){named, NULL, "in.weight 3,64; in.bias 64; out.weight 2,64; out.bias 2", NULL},
                 "test.flow:1:41: error[E0903]: the weights do not fit the layers: 1 does not fit\n"
                 "    1 | network u(t, x: [2]) -> [2] = [t, x] |> linear 64 \"in\" |> elu |> linear 2 \"out\"\n"
                 "      |                                         ^~~~~~~~~~~~~~\n"
                 "      = help: side by side, less what fits:\n"
                 "        program             file\n"
                 "        in.weight [64, 3]   in.weight [3, 64] F32   transposed: a layer's weight is [out, in]\n");
} END_TEST

START_TEST(another_name_of_the_same_shape_is_the_likely_pair) {
  expect_refusal((Case){named, NULL, "input.weight 64,3; input.bias 64; out.weight 2,64; out.bias 2", NULL},
                 "test.flow:1:41: error[E0903]: the weights do not fit the layers: 2 tensors of the program are missing, 2 tensors of the file are not used\n"
                 "    1 | network u(t, x: [2]) -> [2] = [t, x] |> linear 64 \"in\" |> elu |> linear 2 \"out\"\n"
                 "      |                                         ^~~~~~~~~~~~~~\n"
                 "      = help: side by side, less what fits:\n"
                 "        program             file\n"
                 "        in.weight [64, 3]   input.weight [64, 3] F32   missing; likely this\n"
                 "        in.bias [64]        input.bias [64] F32        missing; likely this\n");
} END_TEST

START_TEST(a_wrong_prefix_is_corrected) {
  expect_refusal((Case){named, "net.", "model.in.weight 64,3; model.in.bias 64; model.out.weight 2,64; model.out.bias 2", NULL},
                 "test.flow:1:41: error[E0903]: the weights do not fit the layers: 4 tensors of the program are missing\n"
                 "    1 | network u(t, x: [2]) -> [2] = [t, x] |> linear 64 \"in\" |> elu |> linear 2 \"out\"\n"
                 "      |                                         ^~~~~~~~~~~~~~\n"
                 "      = help: side by side, less what fits:\n"
                 "        program                  file\n"
                 "        net.in.weight [64, 3]    model.in.weight [64, 3] F32    missing; likely this\n"
                 "        net.in.bias [64]         model.in.bias [64] F32         missing; likely this\n"
                 "        net.out.weight [2, 64]   model.out.weight [2, 64] F32   missing; likely this\n"
                 "        net.out.bias [2]         model.out.bias [2] F32         missing; likely this\n"
                 "      = help: no tensor's name begins with `net.`; did you mean prefix \"model.\"?\n");
} END_TEST

START_TEST(a_wrong_prefix_of_layers_without_names_is_corrected) {
  expect_refusal((Case){two_layers, "n.", "net.0.weight 64,3; net.0.bias 64; net.2.weight 2,64; net.2.bias 2", NULL},
                 "test.flow:1:41: error[E0903]: the weights do not fit the layers: 4 tensors of the program are missing\n"
                 "    1 | network u(t, x: [2]) -> [2] = [t, x] |> linear 64 |> elu |> linear 2\n"
                 "      |                                         ^~~~~~~~~\n"
                 "      = help: side by side, less what fits:\n"
                 "        program                           file\n"
                 "        layer 1 of `n.`: weight [64, 3]   net.0.weight [64, 3] F32   missing; likely this\n"
                 "        layer 1 of `n.`: bias [64]        net.0.bias [64] F32        missing; likely this\n"
                 "        layer 2 of `n.`: weight [2, 64]   net.2.weight [2, 64] F32   missing; likely this\n"
                 "        layer 2 of `n.`: bias [2]         net.2.bias [2] F32         missing; likely this\n"
                 "      = help: no tensor's name begins with `n.`; did you mean prefix \"net.\"?\n");
} END_TEST

START_TEST(a_forgotten_prefix_is_suggested) {
  expect_refusal((Case){named, NULL, "net.in.weight 64,3; net.in.bias 64; net.out.weight 2,64; net.out.bias 2", NULL},
                 "test.flow:1:41: error[E0903]: the weights do not fit the layers: 4 tensors of the program are missing, 4 tensors of the file are not used\n"
                 "    1 | network u(t, x: [2]) -> [2] = [t, x] |> linear 64 \"in\" |> elu |> linear 2 \"out\"\n"
                 "      |                                         ^~~~~~~~~~~~~~\n"
                 "      = help: side by side, less what fits:\n"
                 "        program              file\n"
                 "        in.weight [64, 3]    net.in.weight [64, 3] F32    missing; likely this\n"
                 "        in.bias [64]         net.in.bias [64] F32         missing; likely this\n"
                 "        out.weight [2, 64]   net.out.weight [2, 64] F32   missing; likely this\n"
                 "        out.bias [2]         net.out.bias [2] F32         missing; likely this\n"
                 "      = help: did you mean prefix \"net.\"?\n");
} END_TEST

START_TEST(integers_are_no_weights) {
  expect_refusal((Case){named, NULL, "in.weight 64,3; in.bias 64 I64; out.weight 2,64; out.bias 2", NULL},
                 "test.flow:1:41: error[E0903]: the weights do not fit the layers: 1 does not fit\n"
                 "    1 | network u(t, x: [2]) -> [2] = [t, x] |> linear 64 \"in\" |> elu |> linear 2 \"out\"\n"
                 "      |                                         ^~~~~~~~~~~~~~\n"
                 "      = help: side by side, less what fits:\n"
                 "        program        file\n"
                 "        in.bias [64]   in.bias [64] I64   I64 is no type for weights\n");
} END_TEST

START_TEST(projections_in_alphabetical_order_are_not_guessed) {
  expect_refusal((Case){attention, NULL, "q_proj.weight 2,2; k_proj.weight 2,2", NULL},
                 "test.flow:2:11: error[E0903]: layers without names cannot be told apart by order: the names of the tensors differ in more than numbers\n"
                 "    2 |   let q = x |> linear 2 no bias\n"
                 "      |           ^~~~~~~~~~~~~~~~~~~~~\n"
                 "test.flow:2:11: note: give it its name: `x |> linear 2 \"k_proj\" no bias`, or \"q_proj\"\n"
                 "    2 |   let q = x |> linear 2 no bias\n"
                 "      |           ^~~~~~~~~~~~~~~~~~~~~\n"
                 "test.flow:3:11: note: give it its name: `x |> linear 2 \"q_proj\" no bias`, or \"k_proj\"\n"
                 "    3 |   let k = x |> linear 2 no bias\n"
                 "      |           ^~~~~~~~~~~~~~~~~~~~~\n");
} END_TEST

START_TEST(fewer_layers_in_the_file_than_in_the_program) {
  expect_refusal((Case){two_layers, "net.", "net.0.weight 64,3; net.0.bias 64", NULL},
                 "test.flow:1:31: error[E0903]: the weights do not fit the layers: 2 tensors of the program are missing\n"
                 "    1 | network u(t, x: [2]) -> [2] = [t, x] |> linear 64 |> elu |> linear 2\n"
                 "      |                               ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
                 "      = help: side by side, less what fits:\n"
                 "        program                             file\n"
                 "        layer 2 of `net.`: weight [2, 64]   -      missing\n"
                 "        layer 2 of `net.`: bias [2]         -      missing\n");
} END_TEST

START_TEST(more_layers_in_the_file_than_in_the_program) {
  expect_refusal((Case){two_layers, NULL, "0.weight 64,3; 0.bias 64; 2.weight 2,64; 2.bias 2; 4.weight 2,2; 4.bias 2", NULL},
                 "test.flow:1:41: error[E0903]: the weights do not fit the layers: 2 tensors of the file are not used\n"
                 "    1 | network u(t, x: [2]) -> [2] = [t, x] |> linear 64 |> elu |> linear 2\n"
                 "      |                                         ^~~~~~~~~\n"
                 "      = help: side by side, less what fits:\n"
                 "        program   file\n"
                 "        -         4.bias [2] F32        not used\n"
                 "        -         4.weight [2, 2] F32   not used\n"
                 "      = help: `skip \"NAME\"` after `weights` excuses a tensor from use\n");
} END_TEST

START_TEST(another_width_is_shown) {
  expect_refusal((Case){two_layers, NULL, "0.weight 32,3; 0.bias 32; 2.weight 2,32; 2.bias 2", NULL},
                 "test.flow:1:41: error[E0903]: the weights do not fit the layers: 3 do not fit\n"
                 "    1 | network u(t, x: [2]) -> [2] = [t, x] |> linear 64 |> elu |> linear 2\n"
                 "      |                                         ^~~~~~~~~\n"
                 "      = help: side by side, less what fits:\n"
                 "        program            file\n"
                 "        0.weight [64, 3]   0.weight [32, 3] F32   another shape\n"
                 "        0.bias [64]        0.bias [32] F32        another shape\n"
                 "        2.weight [2, 64]   2.weight [2, 32] F32   another shape\n");
} END_TEST

START_TEST(an_empty_file_is_shown) { expect_refusal((Case){named, "net.", "", NULL},
                 "test.flow:1:41: error[E0903]: the weights do not fit the layers: 4 tensors of the program are missing\n"
                 "    1 | network u(t, x: [2]) -> [2] = [t, x] |> linear 64 \"in\" |> elu |> linear 2 \"out\"\n"
                 "      |                                         ^~~~~~~~~~~~~~\n"
                 "      = help: side by side, less what fits:\n"
                 "        program                  file\n"
                 "        net.in.weight [64, 3]    -      missing\n"
                 "        net.in.bias [64]         -      missing\n"
                 "        net.out.weight [2, 64]   -      missing\n"
                 "        net.out.bias [2]         -      missing\n"
                 "      = help: the file holds no tensors\n");
} END_TEST

/* ---- the table ----------------------------------------------------------------------------------------------------------- */
START_TEST(the_binding_is_a_table) {
  Case c = {two_layers, "net.", "net.0.weight 64,3; net.0.bias 64; net.2.weight 2,64 F16; net.2.bias 2", NULL};
  IrFunction *f;
  ck_assert_int_eq(bind_case(&c, &f), FLOW_OK);
  FlowTensors tensors = file_of(c.file);
  char text[512] = {0};
  FILE *to = fmemopen(text, sizeof text, "w");
  ir_bind_table(f, &tensors, to);
  fclose(to);
  expect_text(text, "net.0.weight  [64, 3] F32\nnet.0.bias    [64] F32\nnet.2.weight  [2, 64] F16\nnet.2.bias    [2] F32\n");
} END_TEST

START_TEST(without_a_list_the_words_go_into_the_error) {
  IrFunction *f = lowered_as(named, "u", "");
  FlowTensors tensors = file_of("in.weight 64,3; in.bias 64; out.weight 2,64");
  flow_error error;
  ck_assert_int_eq(ir_bind(f, &tensors, "", NULL, 0, NULL, &error), FLOW_BAD_INPUT);
  ck_assert_str_eq(error.text, "the weights do not fit the layers: 1 tensor of the program is missing");
} END_TEST

void add_bind_tests(TCase *tcase) {
  tcase_add_test(tcase, layers_without_names_take_the_stems_in_natural_order);
  tcase_add_test(tcase, layers_with_names_find_their_own);
  tcase_add_test(tcase, unnamed_calls_of_a_network_with_names_take_the_components);
  tcase_add_test(tcase, a_tensor_that_is_skipped_may_stay_unused);
  tcase_add_test(tcase, tensors_before_the_prefix_are_nobodys_business);
  tcase_add_test(tcase, a_network_with_names_and_one_without_in_one_field);
  tcase_add_test(tcase, a_network_under_a_name_and_again_without_one);
  tcase_add_test(tcase, a_label_that_looks_like_a_mark_is_a_label);
  tcase_add_test(tcase, a_name_that_a_terminal_would_obey_is_made_printable);
  tcase_add_test(tcase, a_missing_tensor_is_shown);
  tcase_add_test(tcase, a_tensor_too_many_is_shown);
  tcase_add_test(tcase, a_transposed_weight_is_told_so);
  tcase_add_test(tcase, another_name_of_the_same_shape_is_the_likely_pair);
  tcase_add_test(tcase, a_wrong_prefix_is_corrected);
  tcase_add_test(tcase, a_wrong_prefix_of_layers_without_names_is_corrected);
  tcase_add_test(tcase, a_forgotten_prefix_is_suggested);
  tcase_add_test(tcase, integers_are_no_weights);
  tcase_add_test(tcase, projections_in_alphabetical_order_are_not_guessed);
  tcase_add_test(tcase, fewer_layers_in_the_file_than_in_the_program);
  tcase_add_test(tcase, more_layers_in_the_file_than_in_the_program);
  tcase_add_test(tcase, another_width_is_shown);
  tcase_add_test(tcase, an_empty_file_is_shown);
  tcase_add_test(tcase, the_binding_is_a_table);
  tcase_add_test(tcase, without_a_list_the_words_go_into_the_error);
}
