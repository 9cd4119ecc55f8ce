/* SPDX-License-Identifier: Apache-2.0 */
/* user.h -- flowc as a user runs it: words in, exit status and two texts out.
 *
 *   Result result = flowc("sample %s/moons.flow -n 10", examples());
 *   ck_assert_int_eq(result.code, 0);
 *   result_free(&result);
 *
 * The words are split at blanks; no shell is between.  Colours are off and the locale is C.UTF-8.  Each test process
 * has a folder of its own for files, made by scratch() and removed at exit; a test that fails leaves it behind. */
#ifndef FLOW_TESTS_CLI_USER_H
#define FLOW_TESTS_CLI_USER_H
#include <stddef.h>

typedef struct Result {
  int code;        /* exit status; -1 for a signal */
  char *out, *err; /* NUL-terminated */
} Result;

Result flowc(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A limit of the process stands for a full disk: writes beyond `most` bytes of a file fail. */
Result flowc_on_a_small_disk(unsigned most, const char *format, ...) __attribute__((format(printf, 2, 3)));
void result_free(Result *result);

const char *examples(void); /* the project's folder of examples */
const char *scratch(void);  /* a folder of this process */
/* Writes a text file there and returns its path (valid until the next call of this). */
const char *scratch_file(const char *name, const char *text);
/* Two networks of one form, trained apart, and flows that name their weights, fa of va and fb of vb; behind them `more`.  Returns
 * the program's path (valid as scratch_file's). */
const char *two_trained(const char *more);
/* The whole of a file, NUL-terminated, freed by the caller; NULL if there is none. */
char *read_text(const char *path, size_t *length);
/* Numbers of a CSV without its header line, at most `most` of them; returns how many. */
size_t read_csv(const char *text, double *number, size_t most);

/* Fails the test, with all that flowc said, unless the exit status is `code`. */
#define expect_code(result, wanted)                                                                                    \
  ck_assert_msg((result).code == (wanted), "exit status %d, not %d\nout: %.2000s\nerr: %.2000s", (result).code,        \
                (wanted), (result).out, (result).err)
#define expect_in(text, part) ck_assert_msg(strstr(text, part) != NULL, "`%s` is not in: %.3000s", part, text)

#endif
