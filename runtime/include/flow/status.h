/* SPDX-License-Identifier: Apache-2.0 */
/* flow/status.h -- how every public call of the runtime answers.
 *
 * A call that can fail returns a flow_status.  What went wrong, in words and with the place, is in the flow_error that
 * the caller handed in; its text is part of the struct, so nothing has to be freed and nothing is lost when memory is. */
#ifndef FLOW_STATUS_H
#define FLOW_STATUS_H
#ifdef __cplusplus
extern "C" {
#endif

/* One row per status: name, text, exit status of the command line. */
#define FLOW_STATUS_LIST(X)                                                          \
  X(OK, "ok", 0)                                                                     \
  X(BAD_PROGRAM, "the program has errors", 1)                                        \
  X(BAD_INPUT, "a file or a value handed in is wrong", 1)                            \
  X(BAD_CALL, "the call itself is wrong", 2)                                         \
  X(FAILED_SAMPLES, "some samples failed numerically", 3)                            \
  X(BAD_FILE, "a file could not be read or written", 4)                              \
  X(NO_MEMORY, "out of memory", 4)                                                   \
  X(CANCELLED, "stopped on request", 4)                                              \
  X(INTERNAL, "a defect of flowc itself", 70)

typedef enum flow_status {
#define X(name, text, code) FLOW_##name,
  FLOW_STATUS_LIST(X)
#undef X
  FLOW_STATUS_COUNT
} flow_status;

const char *flow_status_text(flow_status status);
int flow_status_exit_code(flow_status status);

/* The words of a failure.  Caller-owned; may be NULL wherever it is asked for. */
typedef struct flow_error {
  char text[1024];      /* one sentence: file, place, what was found, what would have been right */
} flow_error;

/* Writes the words (cut at the end of text, never overflowing) and returns `status`, so that a failure is one line:
 *   return flow_fail(error, FLOW_BAD_INPUT, "%s: ...", path);                                                       */
flow_status flow_fail(flow_error *error, flow_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif
#endif
