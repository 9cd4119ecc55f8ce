/* SPDX-License-Identifier: Apache-2.0 */
/* What the writers write is read back; a failure leaves the old file; running out of memory is a status. */
#include "base/faulty.h"
#include "base/folder.h"
#include "npz.h"
#include "read_file.h"
#include "safetensors.h"
#include "writer.h"
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zip.h>

static Folder folder;
static flow_error error;
static const FlowAllocator *const standard = &flow_standard_allocator;

static void make_folder(void) { folder = folder_make(); }
static void remove_folder(void) { folder_remove(&folder); }
static char *path_of(const char *name) { return strdup(folder_path(&folder, name)); }

#define OK(call) ck_assert_msg((call) == FLOW_OK, "%s", error.text)

static void expect_words(flow_status found, flow_status wanted, const char *words) {
  ck_assert_int_eq(found, wanted);
  ck_assert_msg(strstr(error.text, words) != NULL, "%s", error.text);
}

static void expect_array(const char *path, const char *name, FlowType type, uint32_t rank, const uint64_t *dim, const void *data) {
  FlowTensors tensors;
  OK(flow_tensors_read(standard, path, &tensors, &error));
  const FlowTensor *t = flow_tensors_find(&tensors, name);
  ck_assert_ptr_nonnull(t);
  ck_assert_int_eq(t->type, type);
  ck_assert_uint_eq(t->rank, rank);
  if (rank > 0) ck_assert_mem_eq(t->dim, dim, rank * sizeof *dim);
  if (t->count > 0) ck_assert_mem_eq(t->data, data, t->count * flow_type_facts[type].bytes);
  flow_tensors_free(&tensors);
}

static flow_status write_rows(const FlowAllocator *allocator, const char *path, FlowFormat format, FlowType type, uint32_t rank,
                              const uint64_t *dim, const void *data, uint64_t rows, uint64_t row_bytes) {
  FlowWriter *writer;
  flow_status status = flow_writer_open(allocator, path, format, type, rank, dim, NULL, &writer, &error);
  if (status != FLOW_OK) return status;
  for (uint64_t done = 0; done < rows && status == FLOW_OK;) {          /* 3, then 1, then 3 ... rows at a time */
    uint64_t now = done % 4 == 0 && rows - done >= 3 ? 3 : 1;
    status = flow_writer_append(writer, (const char *)data + done * row_bytes, now, &error);
    done += now;
  }
  if (status == FLOW_OK) return flow_writer_close(writer, &error);
  flow_writer_abandon(writer);
  return status;
}

START_TEST(every_type_and_rank_of_npy_is_read_back) {
  unsigned char data[480];
  for (size_t i = 0; i < sizeof data; i++) data[i] = (unsigned char)(i * 7);
  char *path = path_of("a.npy");
  for (int type = 0; type < FLOW_TYPE_COUNT; type++) {
    uint64_t dim[8] = {10, 3, 2, 1, 1, 1, 1, 1};
    uint64_t bytes = flow_type_facts[type].bytes;
    if (!flow_type_facts[type].letters) {
      expect_words(write_rows(standard, path, FLOW_FORMAT_BY_SUFFIX, (FlowType)type, 2, dim, data, 10, 3 * bytes), FLOW_BAD_CALL,
                   "numpy has no type BF16");
      continue;
    }
    for (uint32_t rank = 0; rank <= 8; rank++) {
      uint64_t row = rank < 2 ? 1 : rank < 3 ? 3 : 6;
      OK(write_rows(standard, path, FLOW_FORMAT_BY_SUFFIX, (FlowType)type, rank, dim, data, rank ? 10 : 1, row * bytes));
      expect_array(path, "", (FlowType)type, rank, dim, data);
    }
  }
  OK(write_rows(standard, path, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F32, 2, (uint64_t[]){0, 3}, NULL, 0, 12));
  expect_array(path, "", FLOW_TYPE_F32, 2, (uint64_t[]){0, 3}, NULL);
  free(path);
} END_TEST

START_TEST(the_bytes_of_a_npy_are_those_of_numpy) {
  char *path = path_of("a.npy");
  FlowBytes wanted;
  OK(flow_read_file(standard, TESTS_DIR "/reference/files/f32_v1.npy", 1000, &wanted, &error));
  OK(write_rows(standard, path, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F32, 2, (uint64_t[]){3, 4}, wanted.data + 128, 3, 16));
  ck_assert(holds(path, wanted.data, wanted.size));
  flow_bytes_free(standard, &wanted);
  free(path);
} END_TEST

START_TEST(a_csv_has_a_header_and_reads_back_to_the_same_bits) {
  const double numbers[] = {0.1, -0.0, 1e300, 5e-324, 1.0 / 3, 123456789012345680.0};
  const float singles[] = {0.1f, 3.4e38f, 1e-45f};
  const uint64_t large[] = {UINT64_MAX, 0};
  const int64_t small[] = {INT64_MIN, -1};
  const char *const names[] = {"a", "b"};
  char *path = path_of("a.csv");
  FlowWriter *writer;
  OK(write_rows(standard, path, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F64, 2, (uint64_t[]){3, 2}, numbers, 3, 16));
  expect_array(path, "", FLOW_TYPE_F64, 2, (uint64_t[]){3, 2}, numbers);
  OK(write_rows(standard, path, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F32, 1, (uint64_t[]){3}, singles, 3, 4));
  ck_assert(holds(path, "x0\n0.100000001\n3.39999995e+38\n1.40129846e-45\n", 45));
  OK(write_rows(standard, path, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_U64, 2, (uint64_t[]){1, 2}, large, 1, 16));
  ck_assert(holds(path, "x0,x1\n18446744073709551615,0\n", 29));
  OK(flow_writer_open(standard, path, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_I64, 2, (uint64_t[]){1, 2}, names, &writer, &error));
  OK(flow_writer_append(writer, small, 1, &error));
  OK(flow_writer_close(writer, &error));
  ck_assert(holds(path, "a,b\n-9223372036854775808,-1\n", 28));
  const double special[] = {__builtin_nan(""), -__builtin_nan(""), __builtin_inf(), -__builtin_inf()};
  OK(write_rows(standard, path, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F64, 1, (uint64_t[]){4}, special, 4, 8));
  ck_assert(holds(path, "x0\nnan\nnan\ninf\n-inf\n", 20));
  free(path);
} END_TEST

START_TEST(calls_that_make_no_sense_are_refused_and_leave_nothing) {
  char *npy = path_of("a.npy"), *npz = path_of("a.npz"), *csv = path_of("a.csv");
  const double x[4] = {0};
  FlowWriter *writer;
  const uint64_t two[] = {2, 2}, none[] = {2, 0}, endless[] = {UINT64_MAX, 2}, nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  expect_words(flow_writer_open(standard, npz, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F64, 2, two, NULL, &writer, &error), FLOW_BAD_CALL,
               "must be .npy or .csv here (a .npz holds several arrays)");
  ck_assert_ptr_null(writer);
  expect_words(flow_writer_open(standard, csv, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F64, 2, none, NULL, &writer, &error), FLOW_BAD_CALL,
               "needs at least one column");
  expect_words(flow_writer_open(standard, npy, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F64, 2, endless, NULL, &writer, &error), FLOW_BAD_CALL,
               "more numbers than 63 bits");
  expect_words(flow_writer_open(standard, npy, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F64, 9, nine, NULL, &writer, &error), FLOW_BAD_CALL,
               "at most 8 dimensions");
  OK(flow_writer_open(standard, npy, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F64, 2, two, NULL, &writer, &error));
  expect_words(flow_writer_append(writer, x, 3, &error), FLOW_BAD_CALL, "1 rows more than the 2 that were announced");
  OK(flow_writer_append(writer, x, 1, &error));
  expect_words(flow_writer_close(writer, &error), FLOW_BAD_CALL, "1 of the 2 rows that were announced are missing");
  flow_writer_abandon(NULL);
  ck_assert_int_eq(folder_count(&folder), 0);
  free(npy);
  free(npz);
  free(csv);
} END_TEST

START_TEST(dash_is_standard_output_as_csv_or_npy) {
  char *path = path_of("out.npy");
  const float x[] = {1.5f, 2};
  ck_assert_ptr_nonnull(freopen(path, "w", stdout));
  OK(write_rows(standard, "-", FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F32, 2, (uint64_t[]){1, 2}, x, 1, 8));
  ck_assert(holds(path, "x0,x1\n1.5,2\n", 12));
  ck_assert_int_eq(ftruncate(STDOUT_FILENO, 0), 0);
  ck_assert_int_eq(lseek(STDOUT_FILENO, 0, SEEK_SET), 0);
  OK(write_rows(standard, "-", FLOW_FORMAT_NPY, FLOW_TYPE_F32, 2, (uint64_t[]){1, 2}, x, 1, 8));
  expect_array(path, "", FLOW_TYPE_F32, 2, (uint64_t[]){1, 2}, x);
  free(path);
} END_TEST

START_TEST(an_input_can_be_overwritten_by_what_is_made_of_it) {
  char *path = path_of("a.npy");
  double x[1000], y[1000];
  FlowTensors tensors;
  FlowWriter *writer;
  for (int i = 0; i < 1000; i++) x[i] = i;
  OK(write_rows(standard, path, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F64, 1, (uint64_t[]){1000}, x, 1000, 8));
  OK(flow_writer_open(standard, path, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F64, 1, (uint64_t[]){1000}, NULL, &writer, &error));
  OK(flow_tensors_read(standard, path, &tensors, &error));
  flow_tensor_to_f64(&tensors.tensor[0], 0, 1000, y);
  for (int i = 0; i < 1000; i++) y[i] = y[i] * 2 + 1;
  OK(flow_writer_append(writer, y, 1000, &error));
  OK(flow_writer_close(writer, &error));
  flow_tensors_free(&tensors);
  expect_array(path, "", FLOW_TYPE_F64, 1, (uint64_t[]){1000}, y);
  free(path);
} END_TEST

/* --- sets of arrays --- */

static const float weight[] = {1, 2, 3, 4, 5, 6};
static const int64_t step[] = {7};
static const char *const odd_names[] = {"w", "\xC3\xB6/0", "quo\"te\\", "\xF0\x9F\x98\x80", "", "tab\t\x01"};
enum { ODD_NAMES = sizeof odd_names / sizeof *odd_names, PLAIN_NAMES = ODD_NAMES - 1 };

static int write_npz(const FlowAllocator *allocator, void *user) {
  FlowNpzWriter *writer;
  flow_status status = flow_npz_open(allocator, user, &writer, &error);
  if (status != FLOW_OK) return (int)status;
  for (int i = 0; i < 20 && status == FLOW_OK; i++) {
    char name[16];
    snprintf(name, sizeof name, "w%d", i);
    status = flow_npz_add(writer, name, FLOW_TYPE_F32, 2, (uint64_t[]){2, 3}, weight, &error);
  }
  if (status == FLOW_OK) status = flow_npz_add(writer, "step", FLOW_TYPE_I64, 0, NULL, step, &error);
  if (status == FLOW_OK) return (int)flow_npz_close(writer, &error);
  flow_npz_abandon(writer);
  return (int)status;
}

static int write_safetensors(const FlowAllocator *allocator, void *user) {
  FlowTensor tensors[ODD_NAMES + 2];
  static const FlowMetadata metadata[] = {{"format", "pt"}, {"quote", "\"\\\n"}};
  for (int i = 0; i < ODD_NAMES; i++)
    tensors[i] = (FlowTensor){.name = odd_names[i], .type = FLOW_TYPE_F32, .rank = 2, .dim = {2, 3}, .count = 6, .data = weight};
  tensors[ODD_NAMES] = (FlowTensor){.name = "step", .type = FLOW_TYPE_I64, .count = 1, .data = step};
  tensors[ODD_NAMES + 1] = (FlowTensor){.name = "none", .type = FLOW_TYPE_BF16, .rank = 2, .dim = {0, 3}, .data = ""};
  return (int)flow_safetensors_write(allocator, user, tensors, ODD_NAMES + 2, metadata, 2, &error);
}

START_TEST(an_npz_is_read_back_in_natural_order) {
  char *path = path_of("a.npz");
  FlowTensors tensors;
  OK(write_npz(standard, path));
  OK(flow_tensors_read(standard, path, &tensors, &error));
  ck_assert_uint_eq(tensors.count, 21);
  ck_assert_str_eq(tensors.tensor[3].name, "w2");
  flow_tensors_free(&tensors);
  expect_array(path, "w19", FLOW_TYPE_F32, 2, (uint64_t[]){2, 3}, weight);
  expect_array(path, "step", FLOW_TYPE_I64, 0, NULL, step);
  free(path);
} END_TEST

START_TEST(an_npz_keeps_odd_names_and_refuses_them_twice) {
  char *path = path_of("a.npz");
  FlowNpzWriter *writer;
  OK(flow_npz_open(standard, path, &writer, &error));
  for (int i = 0; i < PLAIN_NAMES; i++) OK(flow_npz_add(writer, odd_names[i], FLOW_TYPE_F32, 1, (uint64_t[]){6}, weight, &error));
  expect_words(flow_npz_add(writer, "w", FLOW_TYPE_F32, 1, (uint64_t[]){6}, weight, &error), FLOW_BAD_CALL, "given to two arrays");
  expect_words(flow_npz_add(writer, odd_names[PLAIN_NAMES], FLOW_TYPE_F32, 1, (uint64_t[]){6}, weight, &error), FLOW_BAD_CALL,
               "'tab\\x09\\x01' of an array must be UTF-8");
  expect_words(flow_npz_add(writer, "\xFF", FLOW_TYPE_F32, 1, (uint64_t[]){6}, weight, &error), FLOW_BAD_CALL, "must be UTF-8");
  expect_words(flow_npz_add(writer, "b", FLOW_TYPE_BF16, 1, (uint64_t[]){6}, weight, &error), FLOW_BAD_CALL, "numpy has no such type");
  OK(flow_npz_close(writer, &error));
  for (int i = 0; i < PLAIN_NAMES; i++) expect_array(path, odd_names[i], FLOW_TYPE_F32, 1, (uint64_t[]){6}, weight);
  OK(flow_npz_open(standard, path, &writer, &error));
  OK(flow_npz_close(writer, &error));
  FlowTensors tensors;
  OK(flow_tensors_read(standard, path, &tensors, &error));
  ck_assert_uint_eq(tensors.count, 0);
  flow_npz_abandon(NULL);
  free(path);
} END_TEST

/* `zip -r` adds one for each folder; a writer of ours never does, so libzip makes it. */
START_TEST(an_entry_of_a_folder_in_an_npz_is_no_array) {
  char *path = path_of("a.npz");
  int code;
  OK(write_npz(standard, path));
  zip_t *zip = zip_open(path, 0, &code);
  ck_assert_ptr_nonnull(zip);
  ck_assert_int_ge(zip_dir_add(zip, "folder", 0), 0);
  ck_assert_int_eq(zip_close(zip), 0);
  FlowTensors tensors;
  OK(flow_tensors_read(standard, path, &tensors, &error));
  ck_assert_uint_eq(tensors.count, 21);
  flow_tensors_free(&tensors);
  expect_array(path, "w19", FLOW_TYPE_F32, 2, (uint64_t[]){2, 3}, weight);
  free(path);
} END_TEST

static void count_pair(void *user, FlowMetadata pair) {
  if (strcmp(pair.key, "quote") == 0) ck_assert_str_eq(pair.value, "\"\\\n");
  ++*(int *)user;
}

START_TEST(a_safetensors_file_is_read_back) {
  char *path = path_of("a.safetensors");
  FlowBytes bytes;
  int pairs = 0;
  OK(write_safetensors(standard, path));
  for (int i = 0; i < ODD_NAMES; i++) expect_array(path, odd_names[i], FLOW_TYPE_F32, 2, (uint64_t[]){2, 3}, weight);
  expect_array(path, "step", FLOW_TYPE_I64, 0, NULL, step);
  expect_array(path, "none", FLOW_TYPE_BF16, 2, (uint64_t[]){0, 3}, NULL);
  OK(flow_read_file(standard, path, 1 << 20, &bytes, &error));
  ck_assert_uint_eq(bytes.data[0] % 8, 0);              /* the data begin aligned */
  OK(flow_safetensors_metadata(standard, path, bytes.data, bytes.size, count_pair, &pairs, &error));
  ck_assert_int_eq(pairs, 2);
  flow_bytes_free(standard, &bytes);
  FlowTensor twice[] = {{.name = "a", .type = FLOW_TYPE_F32, .count = 1, .data = weight},
                        {.name = "a", .type = FLOW_TYPE_F32, .count = 1, .data = weight}};
  expect_words(flow_safetensors_write(standard, path, twice, 2, NULL, 0, &error), FLOW_BAD_CALL, "the name 'a' is given twice");
  twice[1].name = "__metadata__";
  expect_words(flow_safetensors_write(standard, path, twice, 2, NULL, 0, &error), FLOW_BAD_CALL, "'__metadata__' is given twice");
  OK(flow_safetensors_write(standard, path, NULL, 0, NULL, 0, &error));
  free(path);
} END_TEST

/* --- failures --- */

static int write_npy(const FlowAllocator *allocator, void *user) {
  static const double x[500] = {0};
  return (int)write_rows(allocator, user, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F64, 1, (uint64_t[]){500}, x, 500, 8);
}

START_TEST(abandoned_rows_leave_the_old_file_and_nothing_else) {
  static const char *const names[] = {"a.npy", "a.csv"};
  static const double x[50000] = {0};           /* more than is gathered: some have left for the temporary file */
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char *path = path_of(names[i]);
    FlowWriter *writer;
    write_text(path, "old");
    OK(flow_writer_open(standard, path, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F64, 1, (uint64_t[]){50000}, NULL, &writer, &error));
    OK(flow_writer_append(writer, x, 50000, &error));
    flow_writer_abandon(writer);
    ck_assert(holds(path, "old", 3));
    ck_assert_int_eq(folder_count(&folder), 1 + (int)i);
    free(path);
  }
} END_TEST

START_TEST(an_abandoned_npz_leaves_the_old_file_and_nothing_else) {
  char *path = path_of("a.npz");
  static const double x[50000] = {0};
  FlowNpzWriter *writer;
  write_text(path, "old");
  OK(flow_npz_open(standard, path, &writer, &error));
  OK(flow_npz_add(writer, "x", FLOW_TYPE_F64, 1, (uint64_t[]){50000}, x, &error));
  flow_npz_abandon(writer);
  ck_assert(holds(path, "old", 3));
  ck_assert_int_eq(folder_count(&folder), 1);
  free(path);
} END_TEST

/* The arrays just read are written over the file they came from. */
START_TEST(a_set_of_arrays_can_overwrite_its_own_file) {
  char *npz = path_of("a.npz"), *safetensors = path_of("a.safetensors");
  FlowTensors tensors;
  FlowNpzWriter *writer;
  OK(write_safetensors(standard, safetensors));
  OK(flow_tensors_read(standard, safetensors, &tensors, &error));
  OK(flow_safetensors_write(standard, safetensors, tensors.tensor, tensors.count, NULL, 0, &error));
  flow_tensors_free(&tensors);
  for (int i = 0; i < ODD_NAMES; i++) expect_array(safetensors, odd_names[i], FLOW_TYPE_F32, 2, (uint64_t[]){2, 3}, weight);
  OK(write_npz(standard, npz));
  OK(flow_npz_open(standard, npz, &writer, &error));
  OK(flow_tensors_read(standard, npz, &tensors, &error));
  for (uint32_t i = 0; i < tensors.count; i++) {
    const FlowTensor *t = &tensors.tensor[i];
    OK(flow_npz_add(writer, t->name, t->type, t->rank, t->dim, t->data, &error));
  }
  OK(flow_npz_close(writer, &error));
  flow_tensors_free(&tensors);
  expect_array(npz, "w19", FLOW_TYPE_F32, 2, (uint64_t[]){2, 3}, weight);
  expect_array(npz, "step", FLOW_TYPE_I64, 0, NULL, step);
  ck_assert_int_eq(folder_count(&folder), 2);
  free(npz);
  free(safetensors);
} END_TEST

START_TEST(a_set_that_cannot_be_read_again_is_not_written) {
  char *path = path_of("a.safetensors");
  FlowTensor good = {.name = "a", .type = FLOW_TYPE_F32, .rank = 1, .dim = {6}, .count = 6, .data = weight}, bad;
  FlowMetadata pair = {"key", "value"};
  write_text(path, "old");
#define REFUSED(words) expect_words(flow_safetensors_write(standard, path, &bad, 1, &pair, 1, &error), FLOW_BAD_CALL, words)
  bad = good, bad.name = "\xFF";
  REFUSED("the name '\\xFF' must be UTF-8");
  bad = good, bad.count = 5;
  REFUSED("the array 'a' has a shape or a type that cannot be written");
  bad = good, bad.rank = FLOW_TENSOR_MOST_RANK + 1;
  REFUSED("the array 'a' has a shape or a type that cannot be written");
  bad = good, bad.type = FLOW_TYPE_COUNT;
  REFUSED("the array 'a' has a shape or a type that cannot be written");
  bad = good, bad.rank = 2, bad.dim[0] = bad.dim[1] = UINT64_MAX;
  REFUSED("the array 'a' has a shape or a type that cannot be written");
  bad = good, pair.value = "\xC3";
  REFUSED("the name '\\xC3' must be UTF-8");
  pair = (FlowMetadata){"\xC0\xAF", "value"};
  REFUSED("the name '\\xC0\\xAF' must be UTF-8");
#undef REFUSED
  expect_words(flow_safetensors_write(standard, path, &good, 1, NULL, FLOW_SAFETENSORS_MOST_METADATA + 1, &error), FLOW_BAD_CALL,
               "are written");
  ck_assert(holds(path, "old", 3));
  ck_assert_int_eq(folder_count(&folder), 1);
  free(path);
} END_TEST

/* Eighty values of 256 kB are within the limit of each and beyond that of the header together. */
START_TEST(a_header_that_would_be_refused_is_not_written) {
  enum { LONG = 256000, PAIRS = 80 };
  char *path = path_of("a.safetensors"), *value = malloc(LONG + 1), keys[PAIRS][12];
  FlowMetadata pairs[PAIRS];
  memset(value, 'v', LONG);
  value[LONG] = '\0';
  for (int i = 0; i < PAIRS; i++) {
    snprintf(keys[i], sizeof keys[i], "%d", i);
    pairs[i] = (FlowMetadata){keys[i], value};
  }
  expect_words(flow_safetensors_write(standard, path, NULL, 0, pairs, PAIRS, &error), FLOW_BAD_CALL,
               "bytes; at most 16777216 are written");
  ck_assert_int_eq(folder_count(&folder), 0);
  OK(flow_safetensors_write(standard, path, NULL, 0, pairs, 60, &error));
  FlowTensors tensors;
  OK(flow_tensors_read(standard, path, &tensors, &error));
  flow_tensors_free(&tensors);
  free(value);
  free(path);
} END_TEST

static const struct {
  const char *name;
  int (*write)(const FlowAllocator *allocator, void *user);
} writers[] = {{"a.npy", write_npy}, {"a.csv", write_npy}, {"a.npz", write_npz}, {"a.safetensors", write_safetensors}};
enum { WRITERS = sizeof writers / sizeof *writers };

/* For as short as possible: Check itself writes to a file. */
static void file_limit(rlim_t most) {
  struct rlimit limit = {most, RLIM_INFINITY};
  setrlimit(RLIMIT_FSIZE, &limit);
}

START_TEST(a_full_disk_leaves_the_old_file_at_every_size) {
  char *path = path_of(writers[_i].name);
  signal(SIGXFSZ, SIG_IGN);
  OK(writers[_i].write(standard, path));
  FlowBytes whole;
  OK(flow_read_file(standard, path, 1 << 20, &whole, &error));
  write_text(path, "old");
  for (size_t size = 0; size < whole.size; size += whole.size / 13 + 1) {
    file_limit(size);
    flow_status status = (flow_status)writers[_i].write(standard, path);
    file_limit(RLIM_INFINITY);
    expect_words(status, FLOW_BAD_FILE, "cannot write after ");
    ck_assert(holds(path, "old", 3));
    ck_assert_int_eq(folder_count(&folder), 1);
  }
  flow_bytes_free(standard, &whole);
  free(path);
} END_TEST

START_TEST(a_disk_that_fills_within_the_data_leaves_the_old_file) {
  char *path = path_of("a.safetensors");
  static const double x[50000] = {0};
  FlowTensor tensor = {.name = "x", .type = FLOW_TYPE_F64, .rank = 1, .dim = {50000}, .count = 50000, .data = x};
  signal(SIGXFSZ, SIG_IGN);
  write_text(path, "old");
  file_limit(200000);
  flow_status status = flow_safetensors_write(standard, path, &tensor, 1, NULL, 0, &error);
  file_limit(RLIM_INFINITY);
  expect_words(status, FLOW_BAD_FILE, "cannot write after 200000 bytes");
  ck_assert(holds(path, "old", 3));
  ck_assert_int_eq(folder_count(&folder), 1);
  free(path);
} END_TEST

static int read_any(const FlowAllocator *allocator, void *user) {
  FlowTensors tensors;
  flow_status status = flow_tensors_read(allocator, user, &tensors, &error);
  if (status == FLOW_OK) flow_tensors_free(&tensors);
  return (int)status;
}

static void visit_nothing(void *user, FlowMetadata pair) {
  (void)user;
  (void)pair;
}

static int read_metadata(const FlowAllocator *allocator, void *user) {
  const FlowBytes *bytes = user;
  return (int)flow_safetensors_metadata(allocator, "m", bytes->data, bytes->size, visit_nothing, NULL, &error);
}

START_TEST(running_out_of_memory_while_writing_is_a_status_and_leaks_nothing) {
  char *path = path_of(writers[_i].name);
  size_t injected = faulty_every_failure(writers[_i].write, path);
  ck_assert_uint_ge(injected, 4);
  ck_assert_int_eq(folder_count(&folder), 1);
  injected = faulty_every_failure(read_any, path);
  ck_assert_uint_ge(injected, 4);
  free(path);
} END_TEST

START_TEST(running_out_of_memory_while_reading_is_a_status_and_leaks_nothing) {
  static char *const files[] = {"dtypes.safetensors", "metadata.safetensors", "names.safetensors", "f64_fortran.npy", "i32_big_endian.npy",
                                "stored.npz", "deflated.npz", "comment_and_mixed.npz"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    char path[512];
    snprintf(path, sizeof path, TESTS_DIR "/reference/files/%s", files[i]);
    ck_assert_uint_ge(faulty_every_failure(read_any, path), 4);
  }
  FlowBytes bytes;
  OK(flow_read_file(standard, TESTS_DIR "/reference/files/metadata.safetensors", 1 << 20, &bytes, &error));
  ck_assert_uint_ge(faulty_every_failure(read_metadata, &bytes), 4);
  flow_bytes_free(standard, &bytes);
} END_TEST

START_TEST(a_pipe_is_read_like_a_file) {
  static const char *const files[] = {"f64_fortran.npy", "deflated.npz", "order.safetensors"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    char from[512], link[300];
    int ends[2];
    FlowBytes bytes;
    FlowTensors tensors;
    snprintf(from, sizeof from, TESTS_DIR "/reference/files/%s", files[i]);
    OK(flow_read_file(standard, from, 60000, &bytes, &error));          /* fits in a pipe */
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], bytes.data, bytes.size), (ssize_t)bytes.size);
    snprintf(link, sizeof link, "/proc/self/fd/%d", ends[0]);
    char *path = path_of(files[i]);
    ck_assert_int_eq(symlink(link, path), 0);
    close(ends[1]);
    OK(flow_tensors_read(standard, path, &tensors, &error));
    ck_assert_uint_gt(tensors.count, 0);
    flow_tensors_free(&tensors);
    flow_bytes_free(standard, &bytes);
    close(ends[0]);
    free(path);
  }
} END_TEST

int main(void) {
  Suite *suite = suite_create("writers");
  TCase *rows = tcase_create("rows"), *sets = tcase_create("sets"), *failure = tcase_create("failure");
  tcase_add_checked_fixture(rows, make_folder, remove_folder);
  tcase_add_checked_fixture(sets, make_folder, remove_folder);
  tcase_add_checked_fixture(failure, make_folder, remove_folder);
  tcase_set_timeout(failure, 60);
  tcase_add_test(rows, every_type_and_rank_of_npy_is_read_back);
  tcase_add_test(rows, the_bytes_of_a_npy_are_those_of_numpy);
  tcase_add_test(rows, a_csv_has_a_header_and_reads_back_to_the_same_bits);
  tcase_add_test(rows, calls_that_make_no_sense_are_refused_and_leave_nothing);
  tcase_add_test(rows, dash_is_standard_output_as_csv_or_npy);
  tcase_add_test(rows, an_input_can_be_overwritten_by_what_is_made_of_it);
  tcase_add_test(sets, an_npz_is_read_back_in_natural_order);
  tcase_add_test(sets, an_entry_of_a_folder_in_an_npz_is_no_array);
  tcase_add_test(sets, an_npz_keeps_odd_names_and_refuses_them_twice);
  tcase_add_test(sets, a_safetensors_file_is_read_back);
  tcase_add_test(rows, abandoned_rows_leave_the_old_file_and_nothing_else);
  tcase_add_test(sets, an_abandoned_npz_leaves_the_old_file_and_nothing_else);
  tcase_add_test(sets, a_set_of_arrays_can_overwrite_its_own_file);
  tcase_add_test(sets, a_set_that_cannot_be_read_again_is_not_written);
  tcase_add_test(sets, a_header_that_would_be_refused_is_not_written);
  tcase_add_test(failure, a_disk_that_fills_within_the_data_leaves_the_old_file);
  tcase_add_test(sets, a_pipe_is_read_like_a_file);
  tcase_add_loop_test(failure, a_full_disk_leaves_the_old_file_at_every_size, 0, WRITERS);
  tcase_add_loop_test(failure, running_out_of_memory_while_writing_is_a_status_and_leaks_nothing, 0, WRITERS);
  tcase_add_test(failure, running_out_of_memory_while_reading_is_a_status_and_leaks_nothing);
  suite_add_tcase(suite, rows);
  suite_add_tcase(suite, sets);
  suite_add_tcase(suite, failure);
  SRunner *runner = srunner_create(suite);
  srunner_set_fork_status(runner, CK_FORK);  /* limits and standard output are changed: each test in a process of its own */
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
