/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs.h"
#include <string.h>
#include <sys/stat.h>

static const OptionId outputs[] = {OPTION_output, OPTION_logp, OPTION_latent, OPTION_replay};
enum { OUTPUTS = sizeof outputs / sizeof *outputs };

static bool given(const Run *run, OptionId option) { return option_is_of(option, run->line->verb) && has(run, option); }

/* NULL: it is not wanted.  The verb's own table is, unless a picture takes its place. */
static const char *place_of(const Run *run, OptionId option) {
  if (given(run, option)) return text_of(run, option);
  return option == OPTION_output && !given(run, OPTION_plot) ? "-" : NULL;
}

static bool is_standard(const char *place) { return place && strcmp(place, "-") == 0; }

static bool same_place(const char *one, const char *other) {
  struct stat a, b;
  if (strcmp(one, other) == 0) return true;
  if (is_standard(one) || is_standard(other) || stat(one, &a) != 0 || stat(other, &b) != 0) return false;
  return S_ISREG(a.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static bool is_npz(const char *place) {
  const char *suffix = strrchr(place, '.');
  return suffix && strcmp(suffix, ".npz") == 0;
}

static flow_status check_pair(const Run *run, OptionId one, OptionId other, flow_error *error) {
  const char *place = place_of(run, one), *second = place_of(run, other), *own = run->line->verb == VERB_sample ? "the samples" : "the log-densities";
  if (!place || !second || !same_place(place, second)) return FLOW_OK;
  bool share = one == OPTION_output && other == OPTION_logp;
  if (share && is_npz(place) && strcmp(place, second) == 0) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_CALL, "%s%s and --%s cannot both go to %s%s", one == OPTION_output ? "" : "--",
                   one == OPTION_output ? own : options[one].name, options[other].name, is_standard(place) ? "standard output" : place,
                   share ? "; a .npz has room for both" : "");
}

flow_status outputs_check(const Run *run, flow_error *error) {
  flow_status status = FLOW_OK;
  for (int i = 0; i < OUTPUTS; i++)
    for (int j = i + 1; j < OUTPUTS && !status; j++) status = check_pair(run, outputs[i], outputs[j], error);
  return status;
}

bool outputs_use_standard(const Run *run) {
  for (int i = 0; i < OUTPUTS; i++)
    if (is_standard(place_of(run, outputs[i]))) return true;
  return false;
}
