/* SPDX-License-Identifier: Apache-2.0 */
/* Every system call of every reader and writer fails once, in each way that matters.  The linker's --wrap puts the
 * functions below between the libraries and the system; they keep a log, too, which shows the order of calls. */
#include "base/folder.h"
#include "npz.h"
#include "run_suite.h"
#include "safetensors.h"
#include "writer.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* --- the system, with faults --- */

static char calls[1000];        /* o open, p pread, r read, w write, f fsync, c close, m rename (move), u unlink */
static size_t called, fail_at;  /* the call, from 1, that fails; 0: none */
static int fail_with;
static const char *spared = "u";        /* calls that are left alone */

static int fails(char call) {
  if (strchr(spared, call)) return 0;
  if (called + 1 < sizeof calls) calls[called] = call, calls[called + 1] = '\0';
  if (++called != fail_at) return 0;
  errno = fail_with;
  return 1;
}

int __real_open(const char *path, int flags, ...);
ssize_t __real_pread(int descriptor, void *to, size_t size, off_t offset);
ssize_t __real_read(int descriptor, void *to, size_t size);
ssize_t __real_write(int descriptor, const void *from, size_t size);
int __real_fsync(int descriptor);
int __real_close(int descriptor);
int __real_rename(const char *from, const char *to);
int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_pread(int descriptor, void *to, size_t size, off_t offset);
ssize_t __wrap_read(int descriptor, void *to, size_t size);
ssize_t __wrap_write(int descriptor, const void *from, size_t size);
int __wrap_fsync(int descriptor);
int __wrap_close(int descriptor);
int __wrap_rename(const char *from, const char *to);

int __wrap_open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
  va_end(more);
  return fails('o') ? -1 : __real_open(path, flags, mode);
}

ssize_t __wrap_pread(int descriptor, void *to, size_t size, off_t offset) {
  return fails('p') ? -1 : __real_pread(descriptor, to, size > 1 ? size / 2 : size, offset);         /* always short */
}

ssize_t __wrap_read(int descriptor, void *to, size_t size) {
  return fails('r') ? -1 : __real_read(descriptor, to, size > 1 ? size / 2 : size);
}

ssize_t __wrap_write(int descriptor, const void *from, size_t size) {
  return fails('w') ? -1 : __real_write(descriptor, from, size > 1 ? size / 2 : size);
}

int __wrap_fsync(int descriptor) { return fails('f') ? -1 : __real_fsync(descriptor); }

int __wrap_close(int descriptor) {
  int code = errno, failed = fails('c');
  __real_close(descriptor);
  errno = failed ? fail_with : code;
  return failed ? -1 : 0;
}

int __wrap_rename(const char *from, const char *to) { return fails('m') ? -1 : __real_rename(from, to); }

/* --- what is run --- */

static Folder folder;
static flow_error error;
static const FlowAllocator *const standard = &flow_standard_allocator;
static const double x[6] = {1, 2, 3, 4, 5, 6};

static void make_folder(void) { folder = folder_make(); }
static void remove_folder(void) { folder_remove(&folder); }

static flow_status write_rows(const char *path) {
  FlowWriter *writer;
  flow_status status = flow_writer_open(standard, path, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F64, 2, (uint64_t[]){3, 2}, NULL, &writer, &error);
  if (status != FLOW_OK) return status;
  status = flow_writer_append(writer, x, 3, &error);
  if (status == FLOW_OK) return flow_writer_close(writer, &error);
  flow_writer_abandon(writer);
  return status;
}

static flow_status write_npz(const char *path) {
  FlowNpzWriter *writer;
  flow_status status = flow_npz_open(standard, path, &writer, &error);
  if (status != FLOW_OK) return status;
  status = flow_npz_add(writer, "x", FLOW_TYPE_F64, 2, (uint64_t[]){3, 2}, x, &error);
  if (status == FLOW_OK) return flow_npz_close(writer, &error);
  flow_npz_abandon(writer);
  return status;
}

static flow_status write_safetensors(const char *path) {
  FlowTensor tensor = {.name = "x", .type = FLOW_TYPE_F64, .rank = 2, .dim = {3, 2}, .count = 6, .data = x};
  return flow_safetensors_write(standard, path, &tensor, 1, NULL, 0, &error);
}

static flow_status read_any(const char *path) {
  FlowTensors tensors;
  flow_status status = flow_tensors_read(standard, path, &tensors, &error);
  if (status == FLOW_OK) {
    ck_assert_uint_eq(tensors.count, 1);
    ck_assert_mem_eq(tensors.tensor[0].data, x, sizeof x);
    flow_tensors_free(&tensors);
  }
  return status;
}

static const struct {
  const char *name;
  flow_status (*write)(const char *path);
} formats[] = {{"a.npy", write_rows}, {"a.csv", write_rows}, {"a.npz", write_npz}, {"a.safetensors", write_safetensors}};
enum { FORMATS = sizeof formats / sizeof *formats };
static const int codes[] = {EIO, ENOSPC, EINTR};

static flow_status run(flow_status (*operation)(const char *path), const char *path, size_t at, int code) {
  called = 0;
  calls[0] = '\0';
  fail_at = at;
  fail_with = code;
  flow_status status = operation(path);
  fail_at = 0;
  return status;
}

START_TEST(bytes_reach_the_disk_before_the_name_and_the_name_before_the_end) {
  char *path = strdup(folder_path(&folder, formats[_i].name));
  ck_assert_int_eq(run(formats[_i].write, path, 0, 0), FLOW_OK);
  /* open the temporary file, write, sync, close, rename; open the folder, sync, close */
  const char *order = calls + strspn(calls, "o");
  ck_assert_int_eq(order - calls, 1);
  ck_assert_int_eq(*order, 'w');
  ck_assert_str_eq(order + strspn(order, "w"), "fcmofc");
  free(path);
} END_TEST

START_TEST(a_failing_call_of_a_writer_leaves_the_old_or_the_new_file) {
  char *path = strdup(folder_path(&folder, formats[_i].name));
  ck_assert_int_eq(run(formats[_i].write, path, 0, 0), FLOW_OK);
  size_t count = called;
  for (size_t c = 0; c < sizeof codes / sizeof *codes; c++) {
    for (size_t at = 1; at <= count; at++) {
      write_text(path, "old");
      flow_status status = run(formats[_i].write, path, at, codes[c]);
      char failed = calls[at - 1];
      int after_rename = strchr(calls, 'm') && strchr(calls, 'm') - calls + 1 < (ptrdiff_t)at;
      int is_new = codes[c] == EINTR ? failed != 'm' : after_rename;
      int is_ok = codes[c] == EINTR ? failed != 'm' : after_rename && failed != 'f';
      ck_assert_msg((status == FLOW_OK) == is_ok, "%s: call %zu '%c', %s: status %d", calls, at, failed, strerror(codes[c]), status);
      if (!is_ok) {
        ck_assert_int_eq(status, FLOW_BAD_FILE);
        ck_assert_msg(strstr(error.text, path) && strstr(error.text, strerror(codes[c])), "%s", error.text);
      }
      if (is_new) ck_assert_int_eq(run(read_any, path, 0, 0), FLOW_OK);
      else ck_assert(holds(path, "old", 3));
      ck_assert_int_eq(folder_count(&folder), 1);
    }
  }
  free(path);
} END_TEST

START_TEST(a_failing_call_of_a_reader_is_reported_and_an_interruption_is_not_one) {
  char *path = strdup(folder_path(&folder, formats[_i].name));
  ck_assert_int_eq(run(formats[_i].write, path, 0, 0), FLOW_OK);
  ck_assert_int_eq(run(read_any, path, 0, 0), FLOW_OK);
  size_t count = called;
  for (size_t c = 0; c < sizeof codes / sizeof *codes; c++) {
    for (size_t at = 1; at <= count; at++) {
      flow_status status = run(read_any, path, at, codes[c]);
      int is_ok = codes[c] == EINTR || calls[at - 1] == 'c';
      ck_assert_msg((status == FLOW_OK) == is_ok, "%s: call %zu, %s: status %d", calls, at, strerror(codes[c]), status);
      if (!is_ok) ck_assert_msg(strstr(error.text, path) && strstr(error.text, strerror(codes[c])), "%s", error.text);
    }
  }
  free(path);
} END_TEST

/* --- jansson's own memory, which is not the caller's --- */

static size_t json_calls, json_fail_at;

static void *json_memory(size_t size) { return ++json_calls == json_fail_at ? NULL : malloc(size); }

START_TEST(jansson_running_out_of_memory_is_a_refusal) {
  char *path = strdup(folder_path(&folder, "a.safetensors"));
  ck_assert_int_eq(write_safetensors(path), FLOW_OK);
  json_set_alloc_funcs(json_memory, free);
  json_fail_at = 0;
  json_calls = 0;
  ck_assert_int_eq(read_any(path), FLOW_OK);
  size_t count = json_calls;
  ck_assert_uint_ge(count, 20);
  for (size_t at = 1; at <= count; at++) {
    json_calls = 0;
    json_fail_at = at;
    flow_status status = read_any(path);
    /* Within a token jansson itself takes this for a wrong token. */
    ck_assert_msg(status == FLOW_NO_MEMORY || status == FLOW_BAD_INPUT, "request %zu of %zu: %d, %s", at, count, status, error.text);
    json_fail_at = 0;
    ck_assert_int_eq(read_any(path), FLOW_OK);
  }
  free(path);
} END_TEST

int main(void) {
  Suite *suite = suite_create("input and output");
  TCase *topic = tcase_create("faults");
  tcase_set_timeout(topic, 60);
  tcase_add_checked_fixture(topic, make_folder, remove_folder);
  tcase_add_loop_test(topic, bytes_reach_the_disk_before_the_name_and_the_name_before_the_end, 0, FORMATS);
  tcase_add_loop_test(topic, a_failing_call_of_a_writer_leaves_the_old_or_the_new_file, 0, FORMATS);
  tcase_add_loop_test(topic, a_failing_call_of_a_reader_is_reported_and_an_interruption_is_not_one, 0, FORMATS);
  tcase_add_test(topic, jansson_running_out_of_memory_is_a_refusal);
  suite_add_tcase(suite, topic);
  return run_suite(suite);
}
