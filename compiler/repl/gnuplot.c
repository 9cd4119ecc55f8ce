/* SPDX-License-Identifier: Apache-2.0 */
#include "gnuplot.h"
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "atomic_file.h"
#include "io_error.h"

extern char **environ;

static const struct {
  const char *suffix, *terminal;
} formats[] = {
    {".png", "if (strstrt(GPVAL_TERMINALS, ' pngcairo ') > 0) { set terminal pngcairo size 900,700 } else { set terminal png size 900,700 }\n"},
    {".svg", "set terminal svg size 900,700 dynamic\n"},
    {".pdf", "set terminal pdfcairo size 6,4.7\n"},
    {".gif", "set terminal gif animate delay 8 loop 0 size 700,560\n"},
};

static const char *terminal_of(const char *path) {
  const char *suffix = strrchr(path, '.');
  for (size_t i = 0; suffix && i < sizeof formats / sizeof *formats; i++)
    if (strcmp(suffix, formats[i].suffix) == 0) return formats[i].terminal;
  return NULL;
}

bool gnuplot_is_picture(const char *path) { return terminal_of(path) != NULL; }

flow_status gnuplot_check(const char *path, flow_error *error) {
  if (terminal_of(path)) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_CALL, "%s: a picture is a .png, .svg, .pdf or (of paths) .gif by its suffix; without -o it is text", path);
}

/* ---- the script -------------------------------------------------------------------------------------------------------- */

static const struct {
  size_t columns;
  const char *commands;
} kinds[] = {
    [PICTURE_POINTS] = {2, "plot $data using 1:2 with points pt 7 ps 0.25 notitle\n"},
    [PICTURE_CURVE] = {2, "plot $data using 1:2 with lines lw 2 notitle\n"},
    [PICTURE_BARS] = {2, "set style fill solid 0.6\nset yrange [0:*]\nplot $data using 1:2 with boxes notitle\n"},
    [PICTURE_ARROWS] = {4, "plot $data using 1:2:3:4 with vectors filled head notitle\n"},
    [PICTURE_HEAT] = {3, "set view map\nset contour base\nset cntrparam levels 10\nset cntrlabel onecolor\nunset key\n"
                         "splot $data using 1:2:3 with pm3d nocontour, $data using 1:2:3 with lines nosurface lc rgb 'white'\n"},
    [PICTURE_SHADES] = {3, "unset tics\nunset border\nunset colorbox\nset palette gray\nplot $data using 1:2:3 with image notitle\n"},
    [PICTURE_FRAMES] = {2, "do for [frame=0:all_blocks-1] { plot $data index frame using 1:2 with points pt 7 ps 0.25 notitle }\n"},
    [PICTURE_PATHS] = {2, "plot $data using 1:2 with lines lw 0.8 notitle\n"},
    [PICTURE_PAIRS] = {0, /* as many as the picture says; 40 bars */
                       "set autoscale\nset autoscale xfix\nset style fill solid 0.6\nunset grid\nset tics font ',7'\nset lmargin 5\nset rmargin 1\nset tmargin 1\nset bmargin 2\n"
                       "set format x '%.2g'\n"
                       "array low[components]\narray width[components]\n"
                       "do for [a=1:components] { stats $data using a nooutput name 'c'; low[a] = c_min; width[a] = c_max > c_min ? (c_max - c_min)/40.0 : 1.0 }\n"
                       "set multiplot layout components,components\n"
                       "do for [b=1:components] { do for [a=1:components] {\n"
                       "  set xtics low[a],20*width[a]\n"
                       "  if (a == b) { plot $data using (low[a] + width[a]*(floor((column(a) - low[a])/width[a]) + 0.5)):(1) smooth frequency with boxes notitle }\n"
                       "  else { plot $data using a:b with points pt 7 ps 0.15 notitle } } }\nunset multiplot\n"},
};

static void write_number(FILE *to, double number) {
  if (isfinite(number)) fprintf(to, "%.9g ", number);
  else fputs("NaN ", to);
}

static void write_script(FILE *to, const Picture *picture, const char *path) {
  size_t columns = kinds[picture->kind].columns ? kinds[picture->kind].columns : picture->across;
  PlotFrame frame = picture->frame;
  fputs(terminal_of(path), to);
  fputs("$data << end_of_data\n", to);
  for (size_t row = 0; row < picture->rows; row++) {
    for (size_t c = 0; c < columns; c++) write_number(to, picture->number[row * columns + c]);
    fputc('\n', to);
    bool lines = picture->kind == PICTURE_HEAT || picture->kind == PICTURE_PATHS;
    if (lines && (row + 1) % picture->across == 0) fputc('\n', to);
    if (picture->kind == PICTURE_FRAMES && (row + 1) % picture->across == 0 && row + 1 < picture->rows) fputs("\n\n", to);
  }
  fprintf(to, "end_of_data\nset grid\ncomponents = %zu\n", columns);
  if (picture->kind == PICTURE_FRAMES) fputs("stats $data using 1 nooutput name 'all'\n", to); /* before there is a range */
  if (frame.x1 > frame.x0) fprintf(to, "set xrange [%.9g:%.9g]\n", frame.x0, frame.x1);
  if (frame.y1 > frame.y0) fprintf(to, "set yrange [%.9g:%.9g]\n", frame.y0, frame.y1);
  bool plane = picture->kind != PICTURE_CURVE && picture->kind != PICTURE_BARS;
  if (plane && frame.x1 > frame.x0 && frame.y1 > frame.y0) fputs("set size ratio -1\n", to);
  fputs(kinds[picture->kind].commands, to);
}

/* ---- the process ---------------------------------------------------------------------------------------------------------- */

typedef struct Process {
  pid_t id;
  int to, from, says; /* its input, its output, and a file of what it says beside that */
} Process;

static int start(Process *process) {
  int in[2], out[2];
  if (pipe(in) != 0) return errno;
  if (pipe(out) != 0) return close(in[0]), close(in[1]), errno;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  process->says = memfd_create("gnuplot", MFD_CLOEXEC);
  if (process->says >= 0) posix_spawn_file_actions_adddup2(&actions, process->says, 2);
  for (int i = 0; i < 2; i++) {
    posix_spawn_file_actions_addclose(&actions, in[i]);
    posix_spawn_file_actions_addclose(&actions, out[i]);
  }
  char name[] = "gnuplot", settings[] = "--default-settings", *argv[] = {name, settings, NULL};
  int code = posix_spawnp(&process->id, name, &actions, NULL, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  process->to = in[1];
  process->from = out[0];
  if (code) close(in[1]), close(out[0]), close(process->says);
  return code;
}

/* The last line of what it said, behind ": ".  What it says of a picture that it has drawn is of no interest. */
static void read_complaint(const Process *process, char *text, size_t room) {
  char said[4096];
  ssize_t got = process->says >= 0 ? pread(process->says, said, sizeof said - 1, 0) : 0;
  said[got > 0 ? got : 0] = 0;
  size_t length = strlen(said);
  while (length && strchr(" \t\r\n", said[length - 1])) said[--length] = 0;
  const char *line = strrchr(said, '\n');
  line = line ? line + 1 : said;
  line += strspn(line, " \t");
  snprintf(text, room, "%s%s", *line ? ": " : "", line);
}

static flow_status copy_output(int from, FlowAtomicFile *file, size_t *bytes, flow_error *error) {
  char block[65536];
  flow_status status = FLOW_OK;
  ssize_t got;
  while (!status && ((got = read(from, block, sizeof block)) > 0 || (got < 0 && errno == EINTR))) {
    if (got < 0) continue;
    *bytes += (size_t)got;
    status = flow_atomic_write(file, block, (size_t)got, error);
  }
  return status;
}

/* gnuplot reads the whole script before it prints, so one pipe after the other cannot stall. */
static flow_status converse(Process *process, const Picture *picture, const char *path, FlowAtomicFile *file, flow_error *error) {
  FILE *script = fdopen(process->to, "w");
  if (script) write_script(script, picture, path), fclose(script);
  else close(process->to);
  size_t bytes = 0;
  int state = 0;
  flow_status status = copy_output(process->from, file, &bytes, error);
  close(process->from);
  while (waitpid(process->id, &state, 0) < 0 && errno == EINTR) continue;
  char complaint[200];
  read_complaint(process, complaint, sizeof complaint);
  close(process->says);
  if (!status && (!WIFEXITED(state) || WEXITSTATUS(state) || bytes == 0))
    status = flow_fail(error, FLOW_BAD_CALL, "%s: gnuplot did not draw it (exit status %d)%s", path, WIFEXITED(state) ? WEXITSTATUS(state) : -1, complaint);
  return status;
}

flow_status gnuplot_draw(const Picture *picture, const char *path, flow_error *error) {
  flow_status status = gnuplot_check(path, error);
  if (status) return status;
  Process process;
  FlowAtomicFile *file;
  int code = start(&process);
  if (code == ENOENT)
    return flow_fail(error, FLOW_BAD_CALL, "%s: gnuplot draws pictures into files, and it is not installed (Debian: gnuplot-nox); without -o the picture is text", path);
  if (code) return flow_fail(error, FLOW_BAD_FILE, "gnuplot could not be started: %s", strerror(code));
  void (*before)(int) = signal(SIGPIPE, SIG_IGN); /* it may end before it has read everything */
  status = flow_atomic_open(&flow_standard_allocator, path, &file, error);
  if (!status) {
    status = converse(&process, picture, path, file, error);
    if (status) flow_atomic_abandon(file);
    else status = flow_atomic_commit(file, error);
  } else {
    close(process.to), close(process.from), close(process.says);
    waitpid(process.id, &code, 0);
  }
  signal(SIGPIPE, before);
  return status;
}
