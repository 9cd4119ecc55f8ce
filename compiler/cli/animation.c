/* SPDX-License-Identifier: Apache-2.0 */
#include "animation.h"
#include "plot.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 5000, FRAME_NS = 80000000 };

bool animation_is_wanted(const Run *run) {
  const char *term = getenv("TERM");
  return has(run, OPTION_plot) && !has(run, OPTION_ascii) && isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0 && run->terminal.utf8;
}

typedef struct Frames {
  double *point; /* [times][samples][2] */
  size_t times, samples;
  PlotFrame frame;
} Frames;

static bool gather(const Run *run, const PathOutput *output, Frames *frames) {
  uint64_t dim = output->program->model->dim;
  *frames = (Frames){.times = output->times->count, .samples = output->samples < MOST ? (size_t)output->samples : MOST};
  size_t count = frames->times * frames->samples;
  double *to = frames->point = malloc((2 * count + 1) * sizeof *to);
  for (size_t t = 0; to && t < frames->times; t++)
    for (size_t i = 0; i < frames->samples; i++, to += 2) {
      to[0] = dim > 1 ? path_output_at(output, t, i, 0) : (double)i;
      to[1] = path_output_at(output, t, i, dim > 1);
    }
  PlotRange x, y;
  if (!to || !plot_range(frames->point, count, 2, 0.002, &x) || !plot_range(frames->point + 1, count, 2, 0.002, &y)) return false;
  double across = 0.04 * (x.high - x.low), up = 0.04 * (y.high - y.low);
  frames->frame = (PlotFrame){x.low - across, x.high + across, y.low - up, y.high + up, run->terminal.colour_out};
  return true;
}

static int lines_of(const char *text) {
  int lines = 0;
  for (; *text; text++) lines += *text == '\n';
  return lines;
}

int animation_show(const Run *run, const PathOutput *output, ShowProgress *progress) {
  Frames frames;
  bool good = gather(run, output, &frames);
  PlotStyle style = {run->terminal.width, false};
  struct timespec pause = {.tv_nsec = FRAME_NS};
  for (size_t t = 0; t < frames.times && good; t++) {
    const double *point = frames.point + 2 * t * frames.samples;
    char *text = plot_points(point, point + 1, frames.samples, 2, frames.frame, style);
    good = text != NULL;
    if (!good) break;
    printf("%s%11st = %-12.4g\n", text, "", output->times->time[t]);
    fflush(stdout);
    bool last = t + 1 == frames.times || progress_step(progress, t, frames.times) != 0;
    if (!last) nanosleep(&pause, NULL);
    if (!last) printf("\033[%dA", lines_of(text) + 1);
    free(text);
    if (last) break;
  }
  free(frames.point);
  return good ? 0 : failed(run, FLOW_NO_MEMORY, NULL);
}
