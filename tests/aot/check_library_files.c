/* SPDX-License-Identifier: Apache-2.0 */
/* check_library_files.c -- what a library is as a file, and what is said of files that are none. */
#include "run_suite.h"
#include "../cli/user.h"
#include "library_file.h"
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *in_scratch(const char *name) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s", scratch(), name);
  return path;
}

/* ---- the file ---------------------------------------------------------------------------------------------------------------- */

/* From a copy of the program elsewhere, to another place, in another folder: the same bytes, header included. */
START_TEST(the_same_program_makes_the_same_bytes) {
  static const char *const suffix[] = {"so", "o", "a", "ll", "s"};
  const ReferenceModel *model = model_named("mixture2");
  size_t length = strlen(compile_to(model, "first.so", ""));
  char *text = read_text(TESTS_DIR "/models/mixture2.flow", NULL);
  char folder[512], here[512];
  snprintf(folder, sizeof folder, "%s/elsewhere", scratch());
  ck_assert_int_eq(mkdir(folder, 0700), 0);
  snprintf(here, sizeof here, "elsewhere/copy.flow");
  scratch_file(here, text);
  ck_assert_uint_gt(length, 0);
  for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
    char first[64], second[600];
    size_t one, two;
    snprintf(first, sizeof first, "model.%s", suffix[i]);
    char *a = read_text(compile_to(model, first, ""), &one);
    snprintf(second, sizeof second, "%s/model.%s", folder, suffix[i]);
    ck_assert_int_eq(chdir("/tmp"), 0);
    Result result = flowc("%s/copy.flow -o %s", folder, second);
    expect_code(result, 0);
    char *b = read_text(second, &two);
    ck_assert_msg(a && b && one == two && memcmp(a, b, one) == 0, "the two .%s differ", suffix[i]);
    free(a), free(b), result_free(&result);
  }
  free(text);
}
END_TEST

static const Elf64_Phdr *segments(const char *file, unsigned *count) {
  const Elf64_Ehdr *header = (const void *)file;
  *count = header->e_phnum;
  return (const void *)(file + header->e_phoff);
}

START_TEST(no_memory_of_a_library_is_writable_and_executable) {
  size_t length;
  char *file = read_text(compile_to(model_named("moons_elu"), "moons.so", ""), &length);
  unsigned count, relro = 0, stack = 0;
  const Elf64_Phdr *segment = segments(file, &count);
  for (unsigned i = 0; i < count; i++) {
    ck_assert_uint_ne(segment[i].p_flags & (PF_W | PF_X), PF_W | PF_X);
    relro += segment[i].p_type == PT_GNU_RELRO;
    if (segment[i].p_type == PT_GNU_STACK) stack += !(segment[i].p_flags & PF_X);
  }
  ck_assert_uint_eq(relro, 1);
  ck_assert_uint_eq(stack, 1);
  free(file);
}
END_TEST

/* Nothing to run at loading, no other library, two functions, and all that is written at loading lies in RELRO. */
START_TEST(a_library_exports_its_two_symbols_and_needs_nothing) {
  size_t length;
  char *file = read_text(compile_to(model_named("moons_elu"), "moons.so", ""), &length);
  const Elf64_Ehdr *header = (const void *)file;
  const Elf64_Shdr *section = (const void *)(file + header->e_shoff);
  unsigned functions = 0, others = 0, forbidden = 0;
  for (unsigned s = 0; s < header->e_shnum; s++) {
    if (section[s].sh_type == SHT_DYNSYM) {
      const Elf64_Sym *symbol = (const void *)(file + section[s].sh_offset);
      const char *names = file + section[section[s].sh_link].sh_offset;
      for (size_t i = 1; i < section[s].sh_size / sizeof *symbol; i++) {
        const char *name = names + symbol[i].st_name;
        bool known = strcmp(name, "flow_export_get") == 0 || strcmp(name, "flow_export_moons") == 0;
        functions += known && ELF64_ST_TYPE(symbol[i].st_info) == STT_FUNC && symbol[i].st_shndx != SHN_UNDEF;
        others += !known;
      }
    }
    if (section[s].sh_type == SHT_DYNAMIC) {
      const Elf64_Dyn *entry = (const void *)(file + section[s].sh_offset);
      for (; entry->d_tag != DT_NULL; entry++)
        forbidden += entry->d_tag == DT_NEEDED || entry->d_tag == DT_INIT || entry->d_tag == DT_INIT_ARRAY || entry->d_tag == DT_TEXTREL;
    }
    forbidden += section[s].sh_type == SHT_NOBITS;
  }
  ck_assert_uint_eq(functions, 2);
  ck_assert_uint_eq(others, 0);
  ck_assert_uint_eq(forbidden, 0);
  free(file);
}
END_TEST

START_TEST(the_library_of_a_small_network_is_small) {
  struct stat about;
  char words[700];
  const ReferenceModel *model = model_named("moons_elu");
  snprintf(words, sizeof words, "--cpu v3 --weights load=%s", weights_of(model));
  ck_assert_int_eq(stat(compile_to(model, "small.so", words), &about), 0);
  ck_assert_int_le(about.st_size, 64 * 1024);   /* of 3 x 64 units, its weights apart */
}
END_TEST

START_TEST(inspect_tells_what_a_library_is_without_loading_it) {
  static const char *const suffix[] = {"so", "o", "a"};
  for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
    char name[64];
    snprintf(name, sizeof name, "inspected.%s", suffix[i]);
    const char *path = compile_to(model_named("wine_mlp"), name, "--cpu v3");
    ck_assert_int_eq(chmod(path, 0644), 0);
    Result result = flowc("inspect %s", path);
    expect_code(result, 0);
    expect_in(result.out, "\"name\": \"wine_mlp\"");
    expect_in(result.out, "\"dim\": 13");
    expect_in(result.out, "[\"x86-64-v3\"]");
    expect_in(result.out, "net.0.weight");
    expect_in(result.out, "\"midpoint\"");
    result_free(&result);
  }
  Result none = flowc("inspect %s", scratch_file("none.so", "\177ELF but not one of ours"));
  expect_code(none, 1);
  expect_in(none.err, "not made by");
  result_free(&none);
}
END_TEST

START_TEST(the_output_must_have_a_suffix_that_says_what_to_make) {
  Result result = flowc("%s/models/abc.flow -o %s", TESTS_DIR, in_scratch("model.dll"));
  expect_code(result, 2);
  expect_in(result.err, ".so, .o, .a, .ll or .s");
  result_free(&result);
  result = flowc("%s/models/abc.flow", TESTS_DIR);
  expect_code(result, 2);
  expect_in(result.err, "-o MODEL.so");
  result_free(&result);
  result = flowc("%s/models/abc.flow -o %s --ld /nonexistent/ld", TESTS_DIR, in_scratch("unlinked.so"));
  expect_code(result, 4);
  expect_in(result.err, "no linker");
  ck_assert_int_ne(access(in_scratch("unlinked.so"), F_OK), 0);
  result_free(&result);
}
END_TEST

/* Of a state of more than 64 numbers log p is estimated; of a source that is a file there is none. */
START_TEST(what_a_library_cannot_do_is_said_when_it_is_made_and_when_it_is_asked) {
  static float x[2][65];
  double log_p[2];
  char path[512];
  flow_error error = {{0}};
  snprintf(path, sizeof path, "%s", in_scratch("large.so"));
  Result result = flowc("%s -o %s", scratch_file("large.flow", "field u(t, x: [65]) = x*t\nflow f { source normal(65)  velocity u  solver rk4 steps 3 }\n"), path);
  expect_code(result, 0);
  expect_in(result.err, "log p is estimated by probes, 2 at a time");
  result_free(&result);
  flowrt_model *model = open_library(path, 0);
  ck_assert_int_eq(flowrt_computes(model, FLOW_COMPUTES_LOG_P), 0);
  ck_assert_int_eq(flowrt_computes(model, FLOW_COMPUTES_PROBES), 1);
  flowrt_request request = {.size = sizeof request, .count = 2, .x = x, .log_p = log_p};
  ck_assert_int_eq(flowrt_sample(model, &request, &error), FLOW_BAD_CALL);
  expect_in(error.text, "say how many probes");
  request.probes = 3;
  ck_assert_msg(flowrt_sample(model, &request, &error) == FLOW_OK, "%s", error.text);
  flowrt_close(model);
  snprintf(path, sizeof path, "%s", in_scratch("file.so"));
  result = flowc("%s -o %s --source load", scratch_file("file.flow", "field u(t, x: [2]) = x\nflow f { source \"none.npy\"  velocity u  solver rk4 steps 3 }\n"), path);
  expect_code(result, 0);
  expect_in(result.err, "none.npy are not in the library");
  result_free(&result);
  model = open_library(path, 0);
  request = (flowrt_request){.size = sizeof request, .count = 2, .x = x};
  ck_assert_int_eq(flowrt_sample(model, &request, &error), FLOW_BAD_CALL);
  expect_in(error.text, "name the file of its points");
  flowrt_close(model);
  result = flowc("%s/models/abc.flow -o %s --source embed", TESTS_DIR, path);
  expect_code(result, 2);
  expect_in(result.err, "whose source is a file");
  result_free(&result);
  result = flowc("%s/models/abc.flow -o %s --probes 0", TESTS_DIR, path);
  expect_code(result, 2);
  expect_in(result.err, "1 to 4096");
  result_free(&result);
}
END_TEST

/* A file may have any name; its symbol is one of C. */
START_TEST(a_header_names_the_files_that_are_there) {
  char *text;
  compile_to(model_named("abc"), "a-b.o", "--cpu v3");
  text = read_text(in_scratch("a-b.h"), NULL);
  ck_assert_ptr_nonnull(text);
  expect_in(text, "cc main.c a-b.o ");
  expect_in(text, "#include \"a-b.h\"");
  expect_in(text, "flow_export_ax2Db(void)");
  free(text);
}
END_TEST

/* ---- files that are no libraries ------------------------------------------------------------------------------------------------ */

static void expect_refusal(const char *path, const flowrt_options *options, flow_status status, const char *words) {
  flow_error error = {{0}};
  flowrt_model *model = (flowrt_model *)(uintptr_t)1;
  flow_status answer = flowrt_open(path, options, &model, &error);
  ck_assert_msg(answer == status && strstr(error.text, words), "%s: status %d, `%s`; not %d, `%s`", path, answer, error.text, status, words);
  ck_assert_ptr_null(model);
}

START_TEST(what_is_no_library_is_refused) {
  expect_refusal(in_scratch("nothing.so"), NULL, FLOW_BAD_FILE, "cannot open");
  expect_refusal(scratch(), NULL, FLOW_BAD_FILE, "");
  expect_refusal(scratch_file("empty.so", ""), NULL, FLOW_BAD_FILE, "too short");
  expect_refusal(scratch_file("text.so", "field u(t, x: [2]) = x                                            "), NULL, FLOW_BAD_FILE, "no ELF file");
  const char *object = compile_to(model_named("abc"), "object.o", "");
  expect_refusal(object, NULL, FLOW_BAD_FILE, "no shared library");
}
END_TEST

START_TEST(another_library_is_no_model) { expect_refusal("/lib/x86_64-linux-gnu/libm.so.6", NULL, FLOW_BAD_FILE, "no flow model"); }
END_TEST

/* Cut off anywhere: a sentence, and never a signal. */
START_TEST(a_library_that_is_cut_off_is_refused) {
  size_t length;
  char *file = read_text(compile_to(model_named("mixture2"), "whole.so", ""), &length);
  for (size_t cut = 0; cut < length; cut += 1 + length / 97) {
    char name[64];
    snprintf(name, sizeof name, "cut%zu.so", cut);
    FILE *to = fopen(in_scratch(name), "w");
    ck_assert_ptr_nonnull(to);
    fwrite(file, 1, cut, to);
    fclose(to);
    expect_refusal(in_scratch(name), NULL, FLOW_BAD_FILE, cut < sizeof(Elf64_Ehdr) ? "too short" : "cut off");
  }
  free(file);
}
END_TEST

/* The length is there, and the end is zeros. */
START_TEST(a_library_whose_end_was_never_written_is_refused) {
  size_t length;
  char *file = read_text(compile_to(model_named("mixture2"), "whole.so", ""), &length);
  for (size_t good = sizeof(Elf64_Ehdr); good < length; good += 1 + length / 61) {
    FILE *to = fopen(in_scratch("torn.so"), "w");
    ck_assert_ptr_nonnull(to);
    fwrite(file, 1, good, to);
    for (size_t i = good; i < length; i++) fputc(0, to);
    fclose(to);
    expect_refusal(in_scratch("torn.so"), NULL, FLOW_BAD_FILE, "");
  }
  free(file);
}
END_TEST

START_TEST(a_pipe_is_no_library_and_not_waited_for) {
  ck_assert_int_eq(mkfifo(in_scratch("pipe.so"), 0600), 0);
  expect_refusal(in_scratch("pipe.so"), NULL, FLOW_BAD_FILE, "not a file");
}
END_TEST

/* u(0, 1) of the model in a file. */
static double velocity_of(flowrt_model *model) {
  double t = 0;
  float x = 1, u;
  flow_error error = {{0}};
  const flowrt_points points = {.size = sizeof points, .count = 1, .t = &t, .times = 1, .x = &x, .velocity = &u, .threads = 1};
  ck_assert_msg(flowrt_evaluate(model, &points, &error) == FLOW_OK, "%s", error.text);
  return (double)u;
}

static flowrt_model *open_times(int factor, const char *name) {
  char text[256];
  snprintf(text, sizeof text, "field u(t, x: [1]) = %d*x\nflow f { source normal(1)  velocity u  solver rk4 steps 2 }\n", factor);
  return open_library(compile_text(name, text, ""), 0);
}

/* The dynamic linker knows libraries by their names. */
START_TEST(a_model_that_was_compiled_anew_is_the_new_one) {
  flowrt_model *model[5];
  for (int i = 0; i < 5; i++) model[i] = open_times(i + 1, "anew");
  flowrt_model *last = open_library(in_scratch("anew.so"), 0);
  for (int i = 0; i < 5; i++) ck_assert_double_eq(velocity_of(model[i]), i + 1);
  ck_assert_double_eq(velocity_of(last), 5);
  for (int i = 0; i < 5; i += 2) flowrt_close(model[i]);
  ck_assert_double_eq(velocity_of(model[1]), 2);
  flowrt_close(last), flowrt_close(model[1]), flowrt_close(model[3]);
}
END_TEST

START_TEST(files_of_one_name_in_two_folders_are_two_models) {
  char folder[2][512];
  flowrt_model *model[2];
  for (int i = 0; i < 2; i++) {
    char from[600];
    flowrt_close(open_times(i + 7, "twin"));
    snprintf(from, sizeof from, "%s", in_scratch("twin.so"));
    snprintf(folder[i], sizeof folder[i], "%s/twin%d", scratch(), i);
    ck_assert_int_eq(mkdir(folder[i], 0700), 0);
    ck_assert_int_eq(chdir(folder[i]), 0);
    ck_assert_int_eq(rename(from, "twin.so"), 0);
    model[i] = open_library("twin.so", 0);
  }
  for (int i = 0; i < 2; i++) ck_assert_double_eq(velocity_of(model[i]), i + 7);
  for (int i = 0; i < 2; i++) flowrt_close(model[i]);
}
END_TEST

/* Of two levels one can be asked for; of one the other cannot. */
START_TEST(a_level_that_a_library_or_a_processor_lacks_is_named) {
  static const struct { const char *words; uint32_t cpu; const char *says; } asked[] = {
      {"--cpu v3", FLOW_CPU_V4, "x86-64-v4"}, {"--cpu v4", FLOW_CPU_V3, "holds no code for x86-64-v3"}, {"--cpu v3", 9, "x86-64-v9"}};
  for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
    flowrt_options options = {.size = sizeof options, .cpu = asked[i].cpu};
    expect_refusal(compile_to(model_named("abc"), "level.so", asked[i].words), &options, FLOW_BAD_CALL, asked[i].says);
  }
  flowrt_model *model = open_library(compile_to(model_named("abc"), "level.so", "--cpu v3"), 0);
  ck_assert_uint_eq(flowrt_cpu(model), FLOW_CPU_V3);
  flowrt_close(model);
}
END_TEST

/* The text forms are what they say: an assembler takes the one, and both name the function that hands out the model. */
START_TEST(a_model_as_text_can_be_read) {
  static const char *const form[] = {"model.s", "model.ll"};
  static const char *const names[] = {"flow_export_model:", "define ptr @flow_export_model()"};
  for (int i = 0; i < 2; i++) {
    char *text = read_text(compile_to(model_named("abc"), form[i], "--cpu v3"), NULL);
    ck_assert_ptr_nonnull(text);
    expect_in(text, names[i]);
    expect_in(text, i ? "\"target-cpu\"=\"x86-64-v3\"" : "vmulps");
    free(text);
  }
}
END_TEST

START_TEST(a_library_that_everyone_may_write_is_refused) {
  const char *path = compile_to(model_named("abc"), "open.so", "");
  ck_assert_int_eq(chmod(path, 0666), 0);
  expect_refusal(path, NULL, FLOW_BAD_FILE, "everyone may write");
  ck_assert_int_eq(chmod(path, 0644), 0);
  flowrt_close(open_library(path, 0));
}
END_TEST

static void expect_export_refusal(const flow_export *exported, const char *words) {
  flow_error error = {{0}};
  flowrt_model *model;
  flow_status status = flowrt_open_export(exported, NULL, &model, &error);
  ck_assert_msg(status == FLOW_BAD_INPUT && strstr(error.text, words), "status %d, `%s`", status, error.text);
  ck_assert_ptr_null(model);
}

START_TEST(a_struct_of_another_interface_is_refused) {
  flowrt_model *model = open_library(compile_to(model_named("abc"), "abi.so", ""), 0);
  const flow_export good = *flowrt_exported(model);
  flow_export bad = good;
  bad.abi = FLOW_EXPORT_ABI + 1;
  expect_export_refusal(&bad, "interface");
  bad = good;
  bad.size = 16;
  expect_export_refusal(&bad, "bytes");
  bad = good;
  bad.table_bytes -= 8;
  expect_export_refusal(&bad, "compile the flow again");
  bad = good;
  bad.variants = 0;
  expect_export_refusal(&bad, "no sense");
  bad = good;
  bad.dim++;
  expect_export_refusal(&bad, "do not fit");
  flow_model inner = *good.variant[0].model;
  flow_variant variant = {.computes = FLOW_COMPUTES_VELOCITY, .model = &inner};
  inner.abi++;
  bad = good;
  bad.variant = &variant;
  bad.variants = 1;
  expect_export_refusal(&bad, "binary interface");
  flow_variant two[2] = {good.variant[0], good.variant[1]};
  bad.variant = two;
  bad.variants = 2;
  two[1].computes = FLOW_COMPUTES_PROBES;
  expect_export_refusal(&bad, "do not fit");
  two[1].computes = FLOW_COMPUTES_JUMP;
  expect_export_refusal(&bad, "do not fit");
  flowrt_close(model);
}
END_TEST

static flowrt_model *open_density(void) {
  const char *text = "density p(x: [2]) = -norm2(x)/2\n  draw k ~ choice(3), z ~ normal(2): z + [k, 1]\nfield u(t, x: [2]) = x\n"
                     "flow f { source p  velocity u  solver rk4 steps 3 }\n";
  return open_library(compile_text("density", text, ""), 0);
}

START_TEST(a_density_that_makes_no_sense_is_refused) {
  flowrt_model *model = open_density();
  const flow_export *good = flowrt_exported(model);
  flow_export bad = *good;
  flow_density density = *good->density;
  bad.density = &density;
  density.size = 16;
  expect_export_refusal(&bad, "another interface");
  density = *good->density;
  density.draw_bytes += 8;
  expect_export_refusal(&bad, "another interface");
  density = *good->density;
  density.draws--;
  expect_export_refusal(&bad, "makes no sense");
  density = *good->density;
  density.has_time = 1;
  expect_export_refusal(&bad, "makes no sense");
  density = *good->density;
  density.log_p = density.make;
  expect_export_refusal(&bad, "makes no sense");
  density = *good->density;
  density.make = good->variant[0].model;
  expect_export_refusal(&bad, "makes no sense");
  flow_draw draw[2] = {good->density->draw[0], good->density->draw[1]};
  density = *good->density;
  density.draw = draw;
  draw[1].size = UINT64_C(1) << 40;
  expect_export_refusal(&bad, "makes no sense");
  draw[1] = good->density->draw[1];
  draw[0].kind = 9;
  expect_export_refusal(&bad, "makes no sense");
  flowrt_close(model);
}
END_TEST

/* What came after the first libraries is not read of them. */
START_TEST(a_shorter_struct_of_an_older_library_is_opened) {
  flowrt_model *model = open_density(), *older;
  flow_export shorter = *flowrt_exported(model);
  flow_error error = {{0}};
  float from[2] = {1, 2}, x[2];
  shorter.size = FLOW_EXPORT_LEAST_BYTES;
  shorter.start.kind = FLOW_START_NONE;
  shorter.density = (const flow_density *)(uintptr_t)8;
  shorter.rows = (const flow_rows *)(uintptr_t)8;
  ck_assert_msg(flowrt_open_export(&shorter, NULL, &older, &error) == FLOW_OK, "%s", error.text);
  flowrt_request request = {.size = sizeof request, .count = 1, .x = x};
  ck_assert_int_eq(flowrt_sample(older, &request, &error), FLOW_BAD_CALL);
  expect_in(error.text, "does not have the flow's source");
  request.from = from;
  ck_assert_msg(flowrt_sample(older, &request, &error) == FLOW_OK, "%s", error.text);
  flowrt_close(older);
  shorter.start.kind = FLOW_START_DENSITY;
  ck_assert_msg(flowrt_open_export(&shorter, NULL, &older, &error) == FLOW_OK, "%s", error.text);
  flowrt_close(older);
  flowrt_close(model);
}
END_TEST

/* ---- weights ------------------------------------------------------------------------------------------------------------------------ */

START_TEST(weights_that_do_not_fit_are_refused_and_others_can_be_swapped_in) {
  const ReferenceModel *moons = model_named("moons_elu");
  char words[700];
  static float inside[5][2], loaded[5][2];
  flow_error error = {{0}};
  flowrt_model *model;
  snprintf(words, sizeof words, "--weights load=%s", weights_of(moons));
  char path[512];
  snprintf(path, sizeof path, "%s", compile_to(moons, "apart.so", words));
  expect_refusal(path, NULL, FLOW_BAD_INPUT, "open it with a weights file");
  flowrt_options options = {.size = sizeof options, .weights_path = weights_of(model_named("wine_mlp"))};
  expect_refusal(path, &options, FLOW_BAD_INPUT, "shape");
  options.weights_path = TESTS_DIR "/reference/files/no_tensors.safetensors";
  expect_refusal(path, &options, FLOW_BAD_INPUT, "there is no tensor");
  options.weights_path = "/nonexistent.safetensors";
  expect_refusal(path, &options, FLOW_BAD_FILE, "cannot open");
  options = (flowrt_options){.size = sizeof options, .weights = "no safetensors", .weights_bytes = 14};
  expect_refusal(path, &options, FLOW_BAD_INPUT, "");

  size_t length;
  char *bytes = read_text(weights_of(moons), &length);
  options = (flowrt_options){.size = sizeof options, .weights = bytes, .weights_bytes = length};
  ck_assert_msg(flowrt_open(path, &options, &model, &error) == FLOW_OK, "%s", error.text);
  free(bytes);
  flowrt_request request = {.size = sizeof request, .count = 5, .x = loaded};
  ck_assert_int_eq(flowrt_sample(model, &request, &error), FLOW_OK);
  flowrt_close(model);
  model = open_library(compile_to(moons, "inside.so", ""), 0);
  request.x = inside;
  ck_assert_int_eq(flowrt_sample(model, &request, &error), FLOW_OK);
  flowrt_close(model);
  ck_assert_int_eq(memcmp(inside, loaded, sizeof inside), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("libraries as files");
  TCase *tests = tcase_create("files");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, the_same_program_makes_the_same_bytes);
  tcase_add_test(tests, no_memory_of_a_library_is_writable_and_executable);
  tcase_add_test(tests, a_library_exports_its_two_symbols_and_needs_nothing);
  tcase_add_test(tests, the_library_of_a_small_network_is_small);
  tcase_add_test(tests, inspect_tells_what_a_library_is_without_loading_it);
  tcase_add_test(tests, the_output_must_have_a_suffix_that_says_what_to_make);
  tcase_add_test(tests, what_a_library_cannot_do_is_said_when_it_is_made_and_when_it_is_asked);
  tcase_add_test(tests, a_header_names_the_files_that_are_there);
  tcase_add_test(tests, what_is_no_library_is_refused);
  tcase_add_test(tests, another_library_is_no_model);
  tcase_add_test(tests, a_library_that_is_cut_off_is_refused);
  tcase_add_test(tests, a_library_whose_end_was_never_written_is_refused);
  tcase_add_test(tests, a_pipe_is_no_library_and_not_waited_for);
  tcase_add_test(tests, a_model_that_was_compiled_anew_is_the_new_one);
  tcase_add_test(tests, files_of_one_name_in_two_folders_are_two_models);
  tcase_add_test(tests, a_level_that_a_library_or_a_processor_lacks_is_named);
  tcase_add_test(tests, a_model_as_text_can_be_read);
  tcase_add_test(tests, a_library_that_everyone_may_write_is_refused);
  tcase_add_test(tests, a_struct_of_another_interface_is_refused);
  tcase_add_test(tests, a_density_that_makes_no_sense_is_refused);
  tcase_add_test(tests, a_shorter_struct_of_an_older_library_is_opened);
  tcase_add_test(tests, weights_that_do_not_fit_are_refused_and_others_can_be_swapped_in);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
