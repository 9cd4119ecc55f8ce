/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files in (read_file.h) and atomic files out (atomic_file.h). */
#include "atomic_file.h"
#include "base/faulty.h"
#include "base/folder.h"
#include "read_file.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static Folder folder;
static flow_error error;

static void make_folder(void) { folder = folder_make(); }
static void remove_folder(void) { folder_remove(&folder); }

static char *path_of(const char *name) { return strdup(folder_path(&folder, name)); }

static flow_status write_file(const FlowAllocator *allocator, const char *path, const void *data, size_t size) {
  FlowAtomicFile *file;
  flow_status status = flow_atomic_open(allocator, path, &file, &error);
  if (status != FLOW_OK) return status;
  status = flow_atomic_write(file, data, size, &error);
  if (status == FLOW_OK) return flow_atomic_commit(file, &error);
  flow_atomic_abandon(file);
  return status;
}

START_TEST(the_target_appears_at_commit_and_not_before) {
  char *path = path_of("out");
  FlowAtomicFile *file;
  write_text(path, "old");
  ck_assert_int_eq(flow_atomic_open(&flow_standard_allocator, path, &file, &error), FLOW_OK);
  for (int i = 0; i < 100000; i++) ck_assert_int_eq(flow_atomic_write(file, "new", 3, &error), FLOW_OK);
  ck_assert(holds(path, "old", 3));
  ck_assert_int_eq(folder_count(&folder), 2);
  ck_assert_int_eq(flow_atomic_commit(file, &error), FLOW_OK);
  struct stat about;
  ck_assert_int_eq(stat(path, &about), 0);
  ck_assert_int_eq(about.st_size, 300000);
  ck_assert_int_eq(folder_count(&folder), 1);
  free(path);
} END_TEST

START_TEST(an_abandoned_file_leaves_the_old_one_and_nothing_else) {
  char *path = path_of("out");
  FlowAtomicFile *file;
  write_text(path, "old");
  ck_assert_int_eq(flow_atomic_open(&flow_standard_allocator, path, &file, &error), FLOW_OK);
  ck_assert_int_eq(flow_atomic_write(file, "new", 3, &error), FLOW_OK);
  flow_atomic_abandon(file);
  flow_atomic_abandon(NULL);
  ck_assert(holds(path, "old", 3));
  ck_assert_int_eq(folder_count(&folder), 1);
  free(path);
} END_TEST

START_TEST(a_name_without_a_folder_is_one_of_the_current_folder) {
  ck_assert_int_eq(chdir(folder.path), 0);
  ck_assert_int_eq(write_file(&flow_standard_allocator, "out", "new", 3), FLOW_OK);
  ck_assert(holds(folder_path(&folder, "out"), "new", 3));
  ck_assert_int_eq(folder_count(&folder), 1);
} END_TEST

START_TEST(pieces_of_every_size_arrive_in_order) {
  char *path = path_of("out");
  size_t total = 0;
  char *data = malloc(1 << 20);
  for (size_t i = 0; i < 1 << 20; i++) data[i] = (char)(i * 2654435761u >> 13);
  FlowAtomicFile *file;
  ck_assert_int_eq(flow_atomic_open(&flow_standard_allocator, path, &file, &error), FLOW_OK);
  static const size_t pieces[] = {0, 1, 65535, 1, 65536, 65537, 3, 100000, 65533, 7, 0, 200000};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
    ck_assert_int_eq(flow_atomic_write(file, data + total, pieces[i], &error), FLOW_OK);
    total += pieces[i];
  }
  ck_assert_int_eq(flow_atomic_commit(file, &error), FLOW_OK);
  ck_assert(holds(path, data, total));
  free(data);
  free(path);
} END_TEST

/* For as short as possible: Check itself writes to a file. */
static void file_limit(rlim_t most) {
  struct rlimit limit = {most, RLIM_INFINITY};
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &limit);
}

/* A limit of the process stands for a full disk: write fails with EFBIG once SIGXFSZ is ignored. */
START_TEST(a_full_disk_leaves_the_old_file_and_says_how_far_it_came) {
  char *path = path_of("out"), *data = calloc(1, 300000);
  write_text(path, "old");
  file_limit(100000);
  flow_status status = write_file(&flow_standard_allocator, path, data, 300000);
  file_limit(RLIM_INFINITY);
  ck_assert_int_eq(status, FLOW_BAD_FILE);
  ck_assert_ptr_nonnull(strstr(error.text, "/out: cannot write after 100000 bytes: "));
  ck_assert_ptr_nonnull(strstr(error.text, strerror(EFBIG)));
  ck_assert(holds(path, "old", 3));
  ck_assert_int_eq(folder_count(&folder), 1);
  free(data);
  free(path);
} END_TEST

START_TEST(after_a_failed_write_the_commit_fails_too) {
  char *path = path_of("out"), *data = calloc(1, 300000);
  FlowAtomicFile *file;
  write_text(path, "old");
  ck_assert_int_eq(flow_atomic_open(&flow_standard_allocator, path, &file, &error), FLOW_OK);
  file_limit(100000);
  flow_status status = flow_atomic_write(file, data, 300000, &error);
  file_limit(RLIM_INFINITY);
  ck_assert_int_eq(status, FLOW_BAD_FILE);
  ck_assert_int_eq(flow_atomic_write(file, data, 1, &error), FLOW_BAD_FILE);
  ck_assert_int_eq(flow_atomic_commit(file, &error), FLOW_BAD_FILE);
  ck_assert(holds(path, "old", 3));
  ck_assert_int_eq(folder_count(&folder), 1);
  free(data);
  free(path);
} END_TEST

START_TEST(the_last_bytes_failing_at_commit_leave_the_old_file) {
  char *path = path_of("out"), data[20] = {0};
  write_text(path, "old");
  file_limit(10);
  flow_status status = write_file(&flow_standard_allocator, path, data, sizeof data);
  file_limit(RLIM_INFINITY);
  ck_assert_int_eq(status, FLOW_BAD_FILE);
  ck_assert(holds(path, "old", 3));
  ck_assert_int_eq(folder_count(&folder), 1);
  free(path);
} END_TEST

START_TEST(the_old_permissions_and_the_link_are_kept) {
  char *path = path_of("out"), *link_path = path_of("link");
  struct stat about;
  write_text(path, "old");
  ck_assert_int_eq(chmod(path, 0640), 0);
  ck_assert_int_eq(symlink("out", link_path), 0);
  ck_assert_int_eq(write_file(&flow_standard_allocator, link_path, "new", 3), FLOW_OK);
  ck_assert_int_eq(lstat(link_path, &about), 0);
  ck_assert(S_ISLNK(about.st_mode));
  ck_assert_int_eq(lstat(path, &about), 0);
  ck_assert_int_eq(about.st_mode & 0777, 0640);
  ck_assert(holds(path, "new", 3));
  free(path);
  free(link_path);
} END_TEST

START_TEST(a_new_file_has_the_permissions_of_the_umask) {
  char *path = path_of("out");
  struct stat about;
  umask(027);
  ck_assert_int_eq(write_file(&flow_standard_allocator, path, "new", 3), FLOW_OK);
  ck_assert_int_eq(stat(path, &about), 0);
  ck_assert_int_eq(about.st_mode & 0777, 0640);
  free(path);
} END_TEST

START_TEST(a_stale_temporary_file_is_in_nobodys_way) {
  char *path = path_of("out"), name[64];
  snprintf(name, sizeof name, ".out.%ld.0.tmp", (long)getpid());
  write_text(folder_path(&folder, name), "stale");
  ck_assert_int_eq(write_file(&flow_standard_allocator, path, "new", 3), FLOW_OK);
  ck_assert(holds(path, "new", 3));
  ck_assert(holds(folder_path(&folder, name), "stale", 5));
  free(path);
} END_TEST

START_TEST(the_longest_name_that_the_system_takes_can_be_written) {
  char name[256];
  memset(name, 'n', 255);
  name[255] = '\0';
  char *path = path_of(name);
  ck_assert_int_eq(write_file(&flow_standard_allocator, path, "new", 3), FLOW_OK);
  ck_assert(holds(path, "new", 3));
  free(path);
} END_TEST

START_TEST(what_cannot_be_created_is_said_with_the_reason) {
  char *path = path_of("none/out");
  ck_assert_int_eq(write_file(&flow_standard_allocator, path, "x", 1), FLOW_BAD_FILE);
  ck_assert_ptr_nonnull(strstr(error.text, "none/out: cannot create a file beside it: No such file or directory"));
  ck_assert_int_eq(write_file(&flow_standard_allocator, folder.path, "x", 1), FLOW_BAD_FILE);
  ck_assert_ptr_nonnull(strstr(error.text, "is a folder; a file is needed"));
  ck_assert_int_eq(write_file(&flow_standard_allocator, "", "x", 1), FLOW_BAD_CALL);
  char *endless = malloc(10001);
  memset(endless, 'a', 10000);
  endless[10000] = '\0';
  ck_assert_int_eq(write_file(&flow_standard_allocator, endless, "x", 1), FLOW_BAD_FILE);
  free(endless);
  free(path);
} END_TEST

START_TEST(a_device_is_written_to_and_stays_a_device) {
  struct stat about;
  ck_assert_int_eq(write_file(&flow_standard_allocator, "/dev/null", "x", 1), FLOW_OK);
  ck_assert_int_eq(stat("/dev/null", &about), 0);
  ck_assert(S_ISCHR(about.st_mode));
  ck_assert_int_eq(write_file(&flow_standard_allocator, "/dev/full", "x", 1), FLOW_BAD_FILE);
  ck_assert_ptr_nonnull(strstr(error.text, "No space left on device"));
} END_TEST

static void on_alarm(int number) { (void)number; }

typedef struct Drain {
  int from;
  size_t got;
} Drain;

static void *drain(void *user) {
  Drain *d = user;
  char piece[777];
  for (ssize_t now; (now = read(d->from, piece, sizeof piece)) != 0;) {
    if (now > 0) d->got += (size_t)now;
  }
  return NULL;
}

/* A pipe takes less than it is offered, and signals cut calls short: what arrives is everything all the same. */
START_TEST(short_writes_and_interruptions_lose_nothing) {
  int ends[2];
  char path[64], *data = calloc(1, 3000000);
  pthread_t reader;
  sigset_t alarm_only;
  struct sigaction action = {.sa_handler = on_alarm};          /* no SA_RESTART */
  struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
  ck_assert_int_eq(pipe(ends), 0);
  Drain d = {ends[0], 0};
  snprintf(path, sizeof path, "/proc/self/fd/%d", ends[1]);
  sigemptyset(&alarm_only);
  sigaddset(&alarm_only, SIGALRM);
  pthread_sigmask(SIG_BLOCK, &alarm_only, NULL);
  ck_assert_int_eq(pthread_create(&reader, NULL, drain, &d), 0);
  pthread_sigmask(SIG_UNBLOCK, &alarm_only, NULL);
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &often, NULL);
  flow_status status = write_file(&flow_standard_allocator, path, data, 3000000);
  setitimer(ITIMER_REAL, &never, NULL);
  close(ends[1]);
  pthread_join(reader, NULL);
  ck_assert_msg(status == FLOW_OK, "%s", error.text);
  ck_assert_uint_eq(d.got, 3000000);
  free(data);
} END_TEST

START_TEST(standard_output_is_written_to_directly) {
  char *path = path_of("stdout");
  int to = open(path, O_WRONLY | O_CREAT, 0600);
  ck_assert_int_ge(dup2(to, STDOUT_FILENO), 0);
  ck_assert_int_eq(write_file(&flow_standard_allocator, "-", "hello", 5), FLOW_OK);
  ck_assert(holds(path, "hello", 5));
  ck_assert_int_ge(fcntl(STDOUT_FILENO, F_GETFD), 0);          /* still open */
  close(to);
  free(path);
} END_TEST

START_TEST(a_file_is_read_whole) {
  char *path = path_of("in");
  FlowBytes bytes;
  write_text(path, "hello");
  ck_assert_int_eq(flow_read_file(&flow_standard_allocator, path, 5, &bytes, &error), FLOW_OK);
  ck_assert_uint_eq(bytes.size, 5);
  ck_assert_mem_eq(bytes.data, "hello", 5);
  flow_bytes_free(&flow_standard_allocator, &bytes);
  ck_assert_int_eq(flow_read_file(&flow_standard_allocator, path, 4, &bytes, &error), FLOW_BAD_INPUT);
  ck_assert_ptr_nonnull(strstr(error.text, "/in: is longer than the 4 bytes that are read at most"));
  write_text(path, "");
  ck_assert_int_eq(flow_read_file(&flow_standard_allocator, path, 5, &bytes, &error), FLOW_OK);
  ck_assert_uint_eq(bytes.size, 0);
  ck_assert_ptr_null(bytes.data);
  free(path);
} END_TEST

START_TEST(folders_absent_files_and_endless_devices_are_refused) {
  FlowBytes bytes;
  ck_assert_int_eq(flow_read_file(&flow_standard_allocator, folder.path, 9, &bytes, &error), FLOW_BAD_FILE);
  ck_assert_ptr_nonnull(strstr(error.text, "is a folder; a file is needed"));
  ck_assert_int_eq(flow_read_file(&flow_standard_allocator, folder_path(&folder, "none"), 9, &bytes, &error),
                   FLOW_BAD_FILE);
  ck_assert_ptr_nonnull(strstr(error.text, "none: cannot open: No such file or directory"));
  ck_assert_int_eq(flow_read_file(&flow_standard_allocator, "/dev/zero", 3000000, &bytes, &error), FLOW_BAD_INPUT);
  ck_assert_int_eq(flow_read_file(&flow_standard_allocator, "/proc/self/mem", 100, &bytes, &error), FLOW_BAD_FILE);
} END_TEST

static void *fill(void *user) {
  int to = *(int *)user;
  char piece[999];
  memset(piece, 'p', sizeof piece);
  for (size_t left = 2500000; left > 0;) {
    ssize_t now = write(to, piece, left < sizeof piece ? left : sizeof piece);
    if (now > 0) left -= (size_t)now;
  }
  close(to);
  return NULL;
}

START_TEST(a_pipe_is_read_to_its_end) {
  int ends[2];
  char path[64];
  pthread_t writer;
  FlowBytes bytes;
  ck_assert_int_eq(pipe(ends), 0);
  snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
  FlowFile file;
  ck_assert_int_eq(flow_file_open(path, &file, &error), FLOW_OK);
  ck_assert(!file.has_size);
  ck_assert_int_eq(pthread_create(&writer, NULL, fill, &ends[1]), 0);
  ck_assert_int_eq(flow_file_read_all(&flow_standard_allocator, &file, 3000000, &bytes, &error), FLOW_OK);
  pthread_join(writer, NULL);
  ck_assert_uint_eq(bytes.size, 2500000);
  size_t same = 0;
  while (same < bytes.size && bytes.data[same] == 'p') same++;
  ck_assert_uint_eq(same, bytes.size);
  flow_bytes_free(&flow_standard_allocator, &bytes);
  flow_file_close(&file);
  close(ends[0]);
} END_TEST

START_TEST(a_file_that_is_cut_while_it_is_read_is_an_error) {
  char *path = path_of("in");
  char to[10];
  FlowFile file;
  write_text(path, "0123456789");
  ck_assert_int_eq(flow_file_open(path, &file, &error), FLOW_OK);
  ck_assert_int_eq(truncate(path, 4), 0);
  ck_assert_int_eq(flow_file_read_at(&file, 0, to, 10, &error), FLOW_BAD_FILE);
  ck_assert_ptr_nonnull(strstr(error.text, "/in: byte 4: the file ends here, 6 bytes short"));
  flow_file_close(&file);
  free(path);
} END_TEST

static int read_and_free(const FlowAllocator *allocator, void *user) {
  FlowBytes bytes;
  flow_status status = flow_read_file(allocator, user, 1 << 20, &bytes, &error);
  flow_bytes_free(allocator, &bytes);
  return (int)status;
}

static int write_new(const FlowAllocator *allocator, void *user) { return (int)write_file(allocator, user, "new", 3); }

START_TEST(running_out_of_memory_is_a_status_and_leaks_nothing) {
  char *path = path_of("file");
  write_text(path, "hello");
  ck_assert_uint_ge(faulty_every_failure(read_and_free, path), 2);
  ck_assert_uint_ge(faulty_every_failure(write_new, path), 2);
  ck_assert_uint_ge(faulty_every_failure(read_and_free, "/proc/self/status"), 4);
  ck_assert_int_eq(folder_count(&folder), 1);
  free(path);
} END_TEST

int main(void) {
  Suite *suite = suite_create("whole files");
  TCase *in = tcase_create("in"), *out = tcase_create("out");
  tcase_add_checked_fixture(in, make_folder, remove_folder);
  tcase_add_checked_fixture(out, make_folder, remove_folder);
  tcase_add_test(out, the_target_appears_at_commit_and_not_before);
  tcase_add_test(out, an_abandoned_file_leaves_the_old_one_and_nothing_else);
  tcase_add_test(out, a_name_without_a_folder_is_one_of_the_current_folder);
  tcase_add_test(out, pieces_of_every_size_arrive_in_order);
  tcase_add_test(out, a_full_disk_leaves_the_old_file_and_says_how_far_it_came);
  tcase_add_test(out, after_a_failed_write_the_commit_fails_too);
  tcase_add_test(out, the_last_bytes_failing_at_commit_leave_the_old_file);
  tcase_add_test(out, the_old_permissions_and_the_link_are_kept);
  tcase_add_test(out, a_new_file_has_the_permissions_of_the_umask);
  tcase_add_test(out, a_stale_temporary_file_is_in_nobodys_way);
  tcase_add_test(out, the_longest_name_that_the_system_takes_can_be_written);
  tcase_add_test(out, what_cannot_be_created_is_said_with_the_reason);
  tcase_add_test(out, a_device_is_written_to_and_stays_a_device);
  tcase_add_test(out, short_writes_and_interruptions_lose_nothing);
  tcase_add_test(out, standard_output_is_written_to_directly);
  tcase_add_test(in, a_file_is_read_whole);
  tcase_add_test(in, folders_absent_files_and_endless_devices_are_refused);
  tcase_add_test(in, a_pipe_is_read_to_its_end);
  tcase_add_test(in, a_file_that_is_cut_while_it_is_read_is_an_error);
  tcase_add_test(in, running_out_of_memory_is_a_status_and_leaks_nothing);
  suite_add_tcase(suite, in);
  suite_add_tcase(suite, out);
  SRunner *runner = srunner_create(suite);
  srunner_set_fork_status(runner, CK_FORK);  /* limits and standard output are changed: each test in a process of its own */
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
