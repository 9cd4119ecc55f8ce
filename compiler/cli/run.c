/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

flow_status number_given(const Run *run, OptionId option, double *to, flow_error *error) {
  if (!has(run, option)) return FLOW_OK;
  const char *text = text_of(run, option);
  char *end;
  *to = strtod(text, &end);
  if (end != text && !*end) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_CALL, "--%s wants a number, not `%s`", options[option].name, text);
}

int failed(const Run *run, flow_status status, const flow_error *error) {
  if (error && error->text[0])
    complain(&run->terminal, "%s", error->text);
  else
    complain(&run->terminal, "%s", flow_status_text(status));
  return flow_status_exit_code(status);
}

int finish_output(const Run *run) {
  if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
  complain(&run->terminal, "standard output: %s", strerror(errno));
  return flow_status_exit_code(FLOW_BAD_FILE);
}
