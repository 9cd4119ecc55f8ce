/* SPDX-License-Identifier: Apache-2.0 */
/* check_syntax.c -- the front end's first half: text, line breaks, precedence, errors, limits, formatting. */
#include "ast_print.h"
#include "format.h"
#include "parse.h"
#include "run_suite.h"
#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

typedef struct Run {
  jmp_buf no_memory;
  Arena arena;
  SourceMap map;
  Diagnostics diagnostics;
  const Source *source;
  AstFile *file;
  bool incomplete;
} Run;

static Run run;

static void close_run(void) { arena_free(&run.arena); }

static void parse_bytes(const char *text, size_t length) {
  close_run();
  memset(&run, 0, sizeof run);
  arena_init(&run.arena, &flow_standard_allocator, &run.no_memory);
  if (setjmp(run.no_memory)) ck_abort_msg("out of memory");
  run.map.arena = run.diagnostics.arena = &run.arena;
  run.diagnostics.sources = &run.map;
  run.source = source_add(&run.map, "t.flow", text, length);
  run.file = flow_parse(&run.map, &run.arena, &run.diagnostics, run.source, &run.incomplete);
}

static void parse(const char *text) { parse_bytes(text, strlen(text)); }

static char *printed(void) {
  static char text[8192];
  memset(text, 0, sizeof text);
  FILE *to = fmemopen(text, sizeof text - 1, "w");
  diag_print(&run.diagnostics, to, false);
  fclose(to);
  return text;
}

static void expect_ast(const char *text, const char *ast) {
  parse(text);
  ck_assert_msg(run.diagnostics.errors == 0, "%s", printed());
  ck_assert_str_eq(ast_print(&run.arena, run.file), ast);
}

static void expect_same(const char *text, const char *other) {
  parse(other);
  ck_assert_msg(run.diagnostics.errors == 0, "%s", printed());
  char *ast = strdup(ast_print(&run.arena, run.file));
  expect_ast(text, ast);
  free(ast);
}

static void expect_errors(const char *text, size_t errors) {
  parse(text);
  ck_assert_msg(run.diagnostics.errors == errors, "%zu errors, not %zu:\n%s", run.diagnostics.errors, errors, printed());
}

static void expect_print(const char *text, const char *report) {
  parse(text);
  ck_assert_str_eq(printed(), report);
}

static const struct { const char *text, *ast; } levels[] = {
    {"let a = -x^2\n", "(let a (negate (^ x 2)))\n"},
    {"let a = 2^-x^2\n", "(let a (^ 2 (negate (^ x 2))))\n"},
    {"let a = 2*A @ x\n", "(let a (chain 2 * A @ x))\n"},
    {"let a = a + b*c - d\n", "(let a (chain a + (chain b * c) - d))\n"},
    {"let a = (a + b) + c\n", "(let a (chain (chain a + b) + c))\n"},
    {"let a = if c then a else b + 1\n", "(let a (if c a (chain b + 1)))\n"},
    {"let a = x * sum k: a[k]*b\n", "(let a (chain x * (sum k (chain (index a k) * b))))\n"},
    {"let a = not a == b and c or d\n", "(let a (or (and (not (compare a == b)) c) d))\n"},
    {"let a = -x*y\n", "(let a (chain (negate x) * y))\n"},
    {"let a = [a -b]\n", "(let a (bracket (chain a - b)))\n"},
    {"let a = [a, -b]\n", "(let a (bracket a (negate b)))\n"},
    {"let a = A[0](x)[1]\n", "(let a (index (call (index A 0) x) 1))\n"},
    {"let a = a[i][j]\n", "(let a (index a i j))\n"},
    {"let a = v[2:5][0]\n", "(let a (index (index v (range 2 5)) 0))\n"},
    {"let a = jvp(f)(t, x; v)\n", "(let a (call (call jvp f) t x ; v))\n"},
    {"let a = x |> f(a) b \"n\" |> linear 4*n no bias\n", "(let a (pipe x (stage f a b \"n\") (stage linear (chain 4 * n) no-bias)))\n"},
    {"let a = x |> repeat 3 block(e) \"b\"\n", "(let a (pipe x (stage block e repeat 3 \"b\")))\n"},
    {"let a = for k < 8: k\n", "(let a (for k < 8 k))\n"},
    {"let x\xe2\x82\x80 = \xc2\xb5\n", "(let x0 \xce\xbc)\n"},
    {"let max = max(a, sum(b))\n", "(let max (call max a (call sum b)))\n"},
    {"flow m { source normal(2)  velocity of psi  time 0 -> -1 }\n",
     "(flow m (clause source (call normal 2)) (clause velocity (velocity-of psi)) (clause time 0 -> (negate 1)))\n"},
    {"flow m { train { loss l  batch 2 } }\n", "(flow m (clause train ; (clause loss l) (clause batch 2)))\n"},
};

START_TEST(an_expression_has_the_structure_that_the_table_gives) { expect_ast(levels[_i].text, levels[_i].ast); } END_TEST

static const struct { const char *broken, *joined; } breaks[] = {
    {"let a = 1 +\n 2\n", "let a = 1 + 2\n"},
    {"let a = 1\n + 2\n", "let a = 1 + 2\n"},
    {"let a =\n 1\n", "let a = 1\n"},
    {"let a = x\n |> f\n |> g\n", "let a = x |> f |> g\n"},
    {"let a = if b\nthen c\nelse d\n", "let a = if b then c else d\n"},
    {"let a = if b then\nc else\nd\n", "let a = if b then c else d\n"},
    {"let a = [1,\n2\n]\n", "let a = [1, 2]\n"},
    {"let a = (1\n- 2)\n", "let a = (1 - 2)\n"},
    {"let a = b\nand c\nor d\n", "let a = b and c or d\n"},
    {"fn f(x)\n-> [2] = x\n", "fn f(x) -> [2] = x\n"},
    {"flow m\n{\nsource normal(2)\nvelocity u\n}\n", "flow m { source normal(2)  velocity u }\n"},
    {"let a = 1\r\nlet b = 2\rlet c = 3\n", "let a = 1\nlet b = 2\nlet c = 3\n"},
    {"\xef\xbb\xbflet a = 1 # end", "let a = 1\n"},
    {"fn f(x) =\n let a = x\n - a\n", "fn f(x) = let a = x\n (-a)\n"},
    {"fn f(x) =\n let a = x\n [a]\n", "fn f(x) = let a = x\n [a]\n"},
};

START_TEST(a_line_break_means_what_the_rules_say) { expect_same(breaks[_i].broken, breaks[_i].joined); } END_TEST

START_TEST(seven_errors_in_six_definitions_give_seven_messages) {
  expect_errors("let a = 1 +* 2\nfn f(x) =\n  let b = * 1\n  let c = 2\n  b ) c\nlet d = (1 + \nlet e = [1, , 2]\n"
                "fn g(x: = 2\n  x\nflow m {\n  source 3 )\n  velocity u\n}\nlet good = 1\n", 7);
} END_TEST

START_TEST(an_error_shows_its_line_and_its_mend) {
  expect_print("let a = 1\nlet \xce\xbb = x ** 2\n",
               "t.flow:2:11: error[E0005]: `**` is written `^` here\n    2 | let \xce\xbb = x ** 2\n      |           ^~\n"
               "      = help: write\n    2 | let \xce\xbb = x ^ 2\n");
  expect_print("let a = 2 * * x\n", "t.flow:1:13: error[E0101]: expected a name, a number or `(`, found `*`\n"
                                    "    1 | let a = 2 * * x\n      |             ^\n");
} END_TEST

START_TEST(text_that_more_could_complete_is_incomplete) {
  static const char *const open[] = {"let a = ", "let a = (1 +", "fn f(x) =\n  let a = 1\n", "flow m {\n", "let a = [1,\n"};
  for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
    parse(open[i]);
    ck_assert_msg(run.incomplete, "%s", open[i]);
  }
  parse("let a = * 1\n");
  ck_assert(!run.incomplete);
  parse("let a = 1\n");
  ck_assert(!run.incomplete);
} END_TEST

/* head, then `count` times middle, then tail */
static void parse_repeated(const char *head, const char *middle, size_t count, const char *tail) {
  size_t length = strlen(head) + count * strlen(middle) + strlen(tail), at = strlen(head);
  char *text = malloc(length + 1);
  strcpy(text, head);
  for (size_t i = 0; i < count; i++, at += strlen(middle)) memcpy(text + at, middle, strlen(middle));
  strcpy(text + at, tail);
  parse_bytes(text, length);
  free(text);
}

static const struct { const char *head, *middle, *tail; } bombs[] = {
    {"let a = ", "(", "\n"}, {"let a = ", "[", "\n"}, {"let a = ", "-", "1\n"}, {"let a = ", "not ", "b\n"},
    {"let a = ", "if b then c else ", "d\n"}, {"let a = ", "if ", "d\n"}, {"let a = ", "for k: ", "k\n"}, {"let a = ", "sum k: ", "k\n"},
    {"let a = 2", "^2", "\n"}, {"let a = 2", "^-2", "\n"}, {"let a = f", "(x)", "\n"}, {"let a = ", "f(", "\n"},
    {"let a = ", "v[", "\n"}, {"flow m { a ", "{ a ", "}\n"}, {"let a = x |> f ", "(", "\n"}, {"let a = ", "-(", "\n"},
    {"let a = ", "(-", "\n"}, {"let a = v", "[1:2]", "\n"}, {"flow m { a ", "(", "}\n"}, {"let a = ", "([", "\n"},
};

START_TEST(a_million_levels_are_one_error) {
  parse_repeated(bombs[_i].head, bombs[_i].middle, _i == 4 ? 500000 : 1000000, bombs[_i].tail);
  ck_assert_msg(run.diagnostics.errors == 1 && run.diagnostics.list[0].code == E0104, "%.2000s", printed());
} END_TEST

START_TEST(two_hundred_fifty_six_levels_are_allowed) {
  char closers[300] = {0};
  memset(closers, ')', 256);
  char text[1024] = "let a = ";
  for (int i = 0; i < 256; i++) strcat(text, "(");
  strcat(text, "1");
  strcat(text, closers);
  expect_errors(text, 0);
} END_TEST

static const struct { const char *head, *middle, *tail; } chains[] = {
    {"let a = 1", " + 1", "\n"}, {"let a = 1", " * 1", "\n"}, {"let a = x", " |> f", "\n"}, {"let a = b", " and b", "\n"},
    {"let a = [1", ", 1", "]\n"}, {"let a = x", "[1]", "\n"}, {"", "let a = 1\n", ""}, {"flow m { a", " b", "}\n"},
};

START_TEST(a_chain_may_be_a_hundred_thousand_long) {
  parse_repeated(chains[_i].head, chains[_i].middle, 100000, chains[_i].tail);
  ck_assert_msg(run.diagnostics.errors == 0, "%.2000s", printed());
} END_TEST

static char *read_all(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  ck_assert_ptr_nonnull(file);
  char *text = calloc(1, 1 << 20);
  *length = fread(text, 1, (1 << 20) - 1, file);
  fclose(file);
  return text;
}

START_TEST(every_bad_file_has_its_error_at_its_place) {
  DIR *folder = opendir(TESTS_DIR "/bad/flow_syntax");
  ck_assert_ptr_nonnull(folder);
  int files = 0;
  for (struct dirent *entry; (entry = readdir(folder));) {
    if (!strstr(entry->d_name, ".flow")) continue;
    char path[1024], code[16];
    unsigned line, column;
    size_t length;
    snprintf(path, sizeof path, "%s/bad/flow_syntax/%s", TESTS_DIR, entry->d_name);
    char *text = read_all(path, &length);
    ck_assert_int_eq(sscanf(text, "# expect: %15s %u:%u", code, &line, &column), 3);
    parse_bytes(text, length);
    free(text);
    ck_assert_msg(run.diagnostics.errors == 1, "%s:\n%s", entry->d_name, printed());
    const Diag *diag = &run.diagnostics.list[0];
    Place place = source_place(&run.map, diag->at.from);
    bool right = strcmp(diag_code_name(diag->code), code) == 0 && place.line == line && place.column == column;
    ck_assert_msg(right, "%s: expected %s %u:%u\n%s", entry->d_name, code, line, column, printed());
    files++;
  }
  closedir(folder);
  ck_assert_int_ge(files, 40);
} END_TEST

static void expect_format(const char *text, const char *formatted) {
  parse(text);
  size_t length;
  char *out = flow_format(&run.map, &run.arena, &run.diagnostics, run.source, &length);
  ck_assert_msg(out != NULL, "%s", printed());
  ck_assert_str_eq(out, formatted);
}

START_TEST(a_file_is_printed_in_the_house_style) {
  expect_format("\n\nfield   u(t,x:[2])=\n      let a=1 -t #  one\n\n\n   # two\n   a*x+[ 0 ,-1 ]\n"
                "map p(t,x:[1])=x\n inverse(t,y)=\n   let b=y\n   b\nflow m{source normal(1) velocity u}\n# end",
                "field u(t, x: [2]) =\n  let a = 1 - t  #  one\n\n  # two\n  a*x + [0, -1]\n"
                "map p(t, x: [1]) = x\n  inverse(t, y) =\n    let b = y\n    b\nflow m { source normal(1)  velocity u }\n# end\n");
  expect_format("let a = v[1 : 3][for k:k]\nlet b = 2 ^ x\n", "let a = v[1:3][for k: k]\nlet b = 2^x\n");
} END_TEST

static const char *const programs[] = {"design.flow", "language.flow"};

START_TEST(the_programs_of_the_language_parse_and_format) {
  char path[1024];
  size_t length, again;
  snprintf(path, sizeof path, "%s/syntax/programs/%s", TESTS_DIR, programs[_i]);
  char *text = read_all(path, &length);
  parse_bytes(text, length);
  free(text);
  ck_assert_msg(run.diagnostics.errors == 0, "%s", printed());
  char *out = flow_format(&run.map, &run.arena, &run.diagnostics, run.source, &length);
  const Source *second = source_add(&run.map, "second.flow", out, length);
  AstFile *file = flow_parse(&run.map, &run.arena, &run.diagnostics, second, NULL);
  ck_assert_str_eq(ast_print(&run.arena, file), ast_print(&run.arena, run.file));
  ck_assert_str_eq(flow_format(&run.map, &run.arena, &run.diagnostics, second, &again), out);
} END_TEST

START_TEST(the_nearest_name_is_found_only_where_it_is_certain) {
  static const char *const names[] = {"tanh", "softmax", "sin", "sqrt"};
  ck_assert_str_eq(diag_nearest("tahn", names, 4), "tanh");
  ck_assert_str_eq(diag_nearest("sofmax", names, 4), "softmax");
  ck_assert_ptr_null(diag_nearest("cosine", names, 4));
} END_TEST

START_TEST(json_quotes_what_it_must) {
  parse("check \"a\n");
  const char *json = diag_json(&run.diagnostics);
  ck_assert_ptr_nonnull(strstr(json, "\"code\": \"E0006\""));
  ck_assert_ptr_nonnull(strstr(json, "\"text\": \"\\\"\""));
} END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int main(void) {
  /* The tests run in forked processes, which inherit the limit: what does not fit into half a megabyte is a bomb. */
  struct rlimit stack;
  getrlimit(RLIMIT_STACK, &stack);
  stack.rlim_cur = 512 * 1024;
  setrlimit(RLIMIT_STACK, &stack);
  Suite *suite = suite_create("syntax");
  TCase *t = tcase_create("grammar");
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, an_expression_has_the_structure_that_the_table_gives, 0, COUNT(levels));
  tcase_add_loop_test(t, a_line_break_means_what_the_rules_say, 0, COUNT(breaks));
  tcase_add_test(t, seven_errors_in_six_definitions_give_seven_messages);
  tcase_add_test(t, an_error_shows_its_line_and_its_mend);
  tcase_add_test(t, text_that_more_could_complete_is_incomplete);
  tcase_add_loop_test(t, a_million_levels_are_one_error, 0, COUNT(bombs));
  tcase_add_test(t, two_hundred_fifty_six_levels_are_allowed);
  tcase_add_loop_test(t, a_chain_may_be_a_hundred_thousand_long, 0, COUNT(chains));
  tcase_add_test(t, every_bad_file_has_its_error_at_its_place);
  tcase_add_test(t, a_file_is_printed_in_the_house_style);
  tcase_add_loop_test(t, the_programs_of_the_language_parse_and_format, 0, COUNT(programs));
  tcase_add_test(t, the_nearest_name_is_found_only_where_it_is_certain);
  tcase_add_test(t, json_quotes_what_it_must);
  suite_add_tcase(suite, t);
  int status = run_suite(suite);
  close_run();
  return status;
}
