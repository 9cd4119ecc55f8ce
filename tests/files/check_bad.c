/* SPDX-License-Identifier: Apache-2.0 */
/* Every bad file is refused with its own words; damage of any kind is survived; no file costs more memory than it may. */
#include "base/faulty.h"
#include "base/folder.h"
#include "npz.h"
#include "read_file.h"
#include "run_suite.h"
#include "safetensors.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "sanitized.h"

static flow_error error;
static const char *const folders[] = {"safetensors", "npy", "npz", "csv"};
enum { FOLDERS = sizeof folders / sizeof *folders, MEBIBYTE = 1 << 20 };

static const char *status_name(flow_status status) {
  static const char *const names[] = {
#define X(name, text, code) #name,
      FLOW_STATUS_LIST(X)
#undef X
  };
  return names[status];
}

static void expect_refusal(const char *folder, const char *name, const char *status, const char *words) {
  char path[2048];
  FlowTensors tensors;
  FlowBytes bytes;
  Faulty f;
  faulty_start(&f);
  snprintf(path, sizeof path, TESTS_DIR "/bad/%s/%s", folder, name);
  memset(&error, 0, sizeof error);
  flow_status found = flow_tensors_read(&f.allocator, path, &tensors, &error);
  ck_assert_msg(strcmp(status_name(found), status) == 0, "%s: status %s", name, status_name(found));
  ck_assert_msg(strstr(error.text, words) != NULL, "%s\n  found:  %s\n  wanted: %s", name, error.text, words);
  ck_assert_msg(strncmp(error.text, path, strlen(path)) == 0, "%s: the message does not begin with the file", name);
  ck_assert_msg(f.live == 0, "%s: %zu bytes leak", name, f.live);
  ck_assert_uint_eq(tensors.count, 0);

  ck_assert_int_eq(flow_read_file(&flow_standard_allocator, path, MEBIBYTE, &bytes, &error), FLOW_OK);
  ck_assert_msg(f.peak <= bytes.size + 32 * MEBIBYTE, "%s: %zu bytes at the peak", name, f.peak);
  found = flow_tensors_parse(&f.allocator, name, bytes.data, bytes.size, &tensors, &error);
  ck_assert_str_eq(status_name(found), status);
  ck_assert_ptr_nonnull(strstr(error.text, words));
  ck_assert_uint_eq(f.live, 0);
  flow_bytes_free(&flow_standard_allocator, &bytes);
}

START_TEST(every_bad_file_is_refused_with_its_own_words) {
  char path[2048], line[1024];
  int count = 0;
  snprintf(path, sizeof path, TESTS_DIR "/bad/%s/expected.txt", folders[_i]);
  FILE *list = fopen(path, "r");
  ck_assert_ptr_nonnull(list);
  for (; fgets(line, sizeof line, list); count++) {
    line[strcspn(line, "\n")] = '\0';
    char *status = strstr(line, " | "), *words = status ? strstr(status + 3, " | ") : NULL;
    ck_assert_msg(words != NULL, "%s", line);
    *status = *words = '\0';
    expect_refusal(folders[_i], line, status + 3, words + 3);
  }
  fclose(list);
  static const int least[FOLDERS] = {60, 40, 40, 10};
  ck_assert_int_ge(count, least[_i]);
} END_TEST

/* --- damage --- */

static const char *const good_files[] = {"dtypes.safetensors", "metadata.safetensors", "names.safetensors", "f64_fortran.npy",
                                         "f32_v2.npy", "f32_odd_header.npy", "stored.npz", "deflated.npz", "streamed_deflated.npz",
                                         "comment_and_mixed.npz", "table.csv"};
enum { GOOD_FILES = sizeof good_files / sizeof *good_files };
static const char table[] = "x,y\r\n1.5,-2e-3\n+.25,nan\n 1e400x\n3,4\n";

static FlowBytes good_file(const char *name) {
  char path[2048];
  FlowBytes bytes;
  if (strcmp(name, "table.csv") == 0) {
    bytes.size = sizeof table - 1;
    bytes.data = malloc(bytes.size);
    memcpy(bytes.data, table, bytes.size);
    return bytes;
  }
  snprintf(path, sizeof path, TESTS_DIR "/reference/files/%s", name);
  ck_assert_int_eq(flow_read_file(&flow_standard_allocator, path, MEBIBYTE, &bytes, &error), FLOW_OK);
  return bytes;
}

/* Reads `size` bytes in a block of exactly that size, so that AddressSanitizer sees one byte too many. */
static flow_status survive(const char *name, const unsigned char *bytes, size_t size) {
  FlowTensors tensors;
  Faulty f;
  double sum = 0;
  faulty_start(&f);
  unsigned char *exact = malloc(size ? size : 1);
  memcpy(exact, bytes, size);
  flow_status status = flow_tensors_parse(&f.allocator, name, exact, size, &tensors, &error);
  ck_assert(status == FLOW_OK || status == FLOW_BAD_INPUT);
  for (uint32_t i = 0; status == FLOW_OK && i < tensors.count; i++) {
    for (uint64_t k = 0; k < tensors.tensor[i].count; k++) sum += flow_tensor_at(&tensors.tensor[i], k);
    sum += (double)strlen(tensors.tensor[i].name);
  }
  volatile double used = sum;
  (void)used;
  if (status == FLOW_OK) flow_tensors_free(&tensors);
  ck_assert_uint_eq(f.live, 0);
  free(exact);
  return status;
}

START_TEST(every_prefix_of_a_good_file_is_refused) {
  const char *name = good_files[_i];
  FlowBytes bytes = good_file(name);
  for (size_t size = 0; size < bytes.size; size++) {
    flow_status status = survive(name, bytes.data, size);
    ck_assert_msg(status != FLOW_OK || strstr(name, ".csv"), "%s: %zu of %zu bytes are accepted", name, size, bytes.size);
  }
  flow_bytes_free(&flow_standard_allocator, &bytes);
} END_TEST

static uint64_t next_random(uint64_t *state) {          /* xorshift64 of Marsaglia 2003: seeded, the same everywhere */
  *state ^= *state << 13;
  *state ^= *state >> 7;
  return *state ^= *state << 17;
}

START_TEST(two_thousand_changed_bytes_do_no_harm) {
  const char *name = good_files[_i];
  FlowBytes bytes = good_file(name);
  uint64_t state = 20240611u + (uint64_t)_i;
  for (int i = 0; i < 2000; i++) {
    size_t at = next_random(&state) % bytes.size;
    unsigned char before = bytes.data[at];
    bytes.data[at] = (unsigned char)next_random(&state);
    survive(name, bytes.data, bytes.size);
    bytes.data[at] = before;
  }
  flow_bytes_free(&flow_standard_allocator, &bytes);
} END_TEST

START_TEST(a_checksum_notices_every_changed_bit_of_a_stored_member) {
  FlowBytes bytes = good_file("positional.npz");
  static const char header[] = "{'descr': '<i8'";
  const unsigned char *found = memmem(bytes.data, bytes.size, header, sizeof header - 1);
  ck_assert_ptr_nonnull(found);
  size_t data = (size_t)(found - bytes.data) - 10 + 128;        /* numpy pads its header to 128 bytes here */
  for (size_t bit = 0; bit < 24 * 8; bit++) {
    bytes.data[data + bit / 8] ^= (unsigned char)(1 << bit % 8);
    ck_assert_int_eq(survive("positional.npz", bytes.data, bytes.size), FLOW_BAD_INPUT);
    bytes.data[data + bit / 8] ^= (unsigned char)(1 << bit % 8);
  }
  flow_bytes_free(&flow_standard_allocator, &bytes);
} END_TEST

/* --- caps and memory --- */

/* A safetensors file whose header is `prefix`, as many of `piece` as fit in `length` bytes, and `suffix`. */
static FlowBytes inflated(size_t length, const char *prefix, const char *piece, const char *suffix) {
  FlowBytes bytes = {malloc(length + 8), 0};
  size_t each = strlen(piece), at = 8;
  at += (size_t)sprintf((char *)bytes.data + at, "%s", prefix);
  for (unsigned i = 0; at + each + strlen(suffix) + 9 <= length + 8; i++)
    at += (size_t)sprintf((char *)bytes.data + at, piece, i);
  at += (size_t)sprintf((char *)bytes.data + at, "%s", suffix);
  uint64_t header = at - 8;
  memcpy(bytes.data, &header, sizeof header);
  bytes.size = at;
  return bytes;
}

static long peak_rss(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

static const struct {
  const char *prefix, *piece, *suffix, *words;
} bombs[] = {
    {"{", "\"%x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},", "\"z\":{}}", "more than 131072 arrays"},
    {"{", "\"\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,0]},", "\"z\":{}}", "shape and type need 1 bytes"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[", "0,", "0]}}", "a JSON value of more than 4096 bytes"},
    {"{\"__metadata__\":{", "\"%x\":\"\",", "\"z\":\"\"}}", "__metadata__ has more than 65536 keys"},
    {"{\"__metadata__\":{\"a\":\"", "aaaaaaaaaaaaaaaa", "\"}}", "a JSON value of more than 2097152 bytes"},
    {"{\"", "\\u0041", "\":{}}", "a JSON value of more than 2097152 bytes"},
    {"{\"a\":", "[", "]}", "maximum parsing depth reached"},
    {"", "                ", "", "the header must be a JSON object"},
};
enum { BOMBS = sizeof bombs / sizeof *bombs };

/* The whole process is measured, jansson's memory included. */
START_TEST(a_header_of_16_mib_costs_at_most_32_mib_besides) {
  FlowBytes bytes = inflated(16 * MEBIBYTE - 64, bombs[_i].prefix, bombs[_i].piece, bombs[_i].suffix);
  FlowTensors tensors;
  long before = peak_rss();
  unsigned char *copy = malloc(bytes.size);
  memcpy(copy, bytes.data, bytes.size);
  ck_assert_int_eq(flow_safetensors_adopt(&flow_standard_allocator, "bomb", copy, bytes.size, &tensors, &error), FLOW_BAD_INPUT);
  ck_assert_msg(strstr(error.text, bombs[_i].words) != NULL, "%s", error.text);
  long spent = peak_rss() - before;
  /* The sanitizer's quarantine keeps what is freed. */
  ck_assert_msg(UNDER_ADDRESS_SANITIZER || UNDER_THREAD_SANITIZER || spent <= (long)bytes.size + 32 * MEBIBYTE, "%ld bytes were spent on %zu", spent, bytes.size);
  free(bytes.data);
} END_TEST

START_TEST(the_most_arrays_of_a_header_can_be_read_within_the_memory) {
  size_t length = (size_t)FLOW_SAFETENSORS_MOST_TENSORS * 64;
  FlowBytes bytes = {malloc(length), 8};
  for (unsigned i = 0; i < FLOW_SAFETENSORS_MOST_TENSORS; i++)
    bytes.size += (size_t)sprintf((char *)bytes.data + bytes.size, "%c\"%05x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}",
                                  i ? ',' : '{', i);
  bytes.data[bytes.size++] = '}';
  uint64_t header = bytes.size - 8;
  memcpy(bytes.data, &header, sizeof header);
  FlowTensors tensors;
  Faulty f;
  faulty_start(&f);
  flow_status status = flow_safetensors_parse(&f.allocator, "many", bytes.data, bytes.size, &tensors, &error);
  ck_assert_msg(status == FLOW_OK, "%s", error.text);
  ck_assert_uint_eq(tensors.count, FLOW_SAFETENSORS_MOST_TENSORS);
  ck_assert_uint_le(f.peak, bytes.size + 32 * MEBIBYTE);
  ck_assert_ptr_nonnull(flow_tensors_find(&tensors, "1ffff"));
  flow_tensors_free(&tensors);
  ck_assert_uint_eq(f.live, 0);
  free(bytes.data);
} END_TEST

START_TEST(a_header_above_16_mib_is_refused_before_it_is_read) {
  size_t size = 16 * MEBIBYTE + 9;
  unsigned char *bytes = calloc(1, size);
  uint64_t header = size - 8;
  FlowTensors tensors;
  memcpy(bytes, &header, sizeof header);
  ck_assert_int_eq(flow_tensors_parse(&flow_standard_allocator, "x.safetensors", bytes, size, &tensors, &error), FLOW_BAD_INPUT);
  ck_assert_ptr_nonnull(strstr(error.text, "x.safetensors: byte 0: a header of 16777217 bytes; at most 16777216 are read"));
  free(bytes);
} END_TEST

START_TEST(a_header_of_exactly_16_mib_is_read) {
  size_t size = 16 * MEBIBYTE + 8;
  unsigned char *bytes = malloc(size);
  uint64_t header = size - 8;
  FlowTensors tensors;
  memset(bytes, ' ', size);
  memcpy(bytes, &header, sizeof header);
  memcpy(bytes + 8, "{}", 2);
  flow_status status = flow_tensors_parse(&flow_standard_allocator, "x.safetensors", bytes, size, &tensors, &error);
  ck_assert_msg(status == FLOW_OK, "%s", error.text);
  flow_tensors_free(&tensors);
  free(bytes);
} END_TEST

START_TEST(a_csv_that_claims_many_columns_costs_nothing) {
  enum { COLUMNS = 100000, ROWS = 100000 };
  char *text = malloc(COLUMNS + 2 * ROWS + 2);
  memset(text, ',', COLUMNS);
  text[COLUMNS] = '\n';
  for (int i = 0; i < ROWS; i++) memcpy(text + COLUMNS + 1 + 2 * i, "1\n", 2);
  FlowTensors tensors;
  Faulty f;
  faulty_start(&f);
  ck_assert_int_eq(flow_tensors_parse(&f.allocator, "x.csv", text, COLUMNS + 1 + 2 * ROWS, &tensors, &error), FLOW_BAD_INPUT);
  ck_assert_ptr_nonnull(strstr(error.text, "x.csv:2:1: this row has 1 fields, those before have 100001"));
  ck_assert_uint_eq(f.peak, 0);
  free(text);
} END_TEST

START_TEST(a_pickle_is_refused_with_the_way_out) {
  static const char *const names[] = {"m.pt", "m.pth", "m.bin", "m.ckpt", "M.PKL", "m.pickle"};
  FlowTensors tensors;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    ck_assert_int_eq(flow_tensors_read(&flow_standard_allocator, names[i], &tensors, &error), FLOW_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(error.text, "pickled Python"));
    ck_assert_ptr_nonnull(strstr(error.text, "weights_only=True"));
    ck_assert_ptr_nonnull(strstr(error.text, "safetensors.torch.save_file"));
  }
  ck_assert_int_eq(flow_tensors_read(&flow_standard_allocator, "m.txt", &tensors, &error), FLOW_BAD_INPUT);
  ck_assert_ptr_nonnull(strstr(error.text, "must be one of .safetensors, .npy, .npz, .csv"));
  ck_assert_int_eq(flow_tensors_read(&flow_standard_allocator, "none.npz", &tensors, &error), FLOW_BAD_FILE);
  ck_assert_ptr_nonnull(strstr(error.text, "none.npz: cannot open: No such file"));
} END_TEST

int main(void) {
  Suite *suite = suite_create("bad files");
  TCase *refused = tcase_create("refused"), *damage = tcase_create("damage"), *memory = tcase_create("memory");
  tcase_set_timeout(damage, 60);
  tcase_set_timeout(memory, 60);
  tcase_add_loop_test(refused, every_bad_file_is_refused_with_its_own_words, 0, FOLDERS);
  tcase_add_test(refused, a_pickle_is_refused_with_the_way_out);
  tcase_add_loop_test(damage, every_prefix_of_a_good_file_is_refused, 0, GOOD_FILES);
  tcase_add_loop_test(damage, two_thousand_changed_bytes_do_no_harm, 0, GOOD_FILES);
  tcase_add_test(damage, a_checksum_notices_every_changed_bit_of_a_stored_member);
  tcase_add_loop_test(memory, a_header_of_16_mib_costs_at_most_32_mib_besides, 0, BOMBS);
  tcase_add_test(memory, the_most_arrays_of_a_header_can_be_read_within_the_memory);
  tcase_add_test(memory, a_header_above_16_mib_is_refused_before_it_is_read);
  tcase_add_test(memory, a_header_of_exactly_16_mib_is_read);
  tcase_add_test(memory, a_csv_that_claims_many_columns_costs_nothing);
  suite_add_tcase(suite, refused);
  suite_add_tcase(suite, damage);
  suite_add_tcase(suite, memory);
  return run_suite(suite);
}
