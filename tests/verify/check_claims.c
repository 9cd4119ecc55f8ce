/* SPDX-License-Identifier: Apache-2.0 */
/* check_claims.c -- claims, true and false: what flowc check says of them, word for word.
 *
 * Numbers may differ by 1e-9 (1 + |number|): what is shown of a rounding error (2.2e-16, say) depends on the C library, by whose
 * cos the nodes of a quadrature are guessed. */
#include "run_suite.h"
#include "cli/user.h"
#include <dirent.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const double tolerance = 1e-9;

/* ---- comparing --------------------------------------------------------------------------------------------------------------- */

static size_t token(const char *text) {
  size_t length = strcspn(text, " ,[]\n");
  return length ? length : *text != 0;
}

static bool agree(const char *wanted, const char *got) {
  char *end_wanted, *end_got;
  double a = strtod(wanted, &end_wanted), b = strtod(got, &end_got);
  if (*wanted && *got && !*end_wanted && !*end_got && isfinite(a)) return fabs(a - b) <= tolerance * (1 + fabs(a));
  return strcmp(wanted, got) == 0;
}

static void compare(const char *wanted, const char *got) {
  for (int line = 1; *wanted || *got;) {
    char a[256], b[256];
    size_t n = token(wanted), m = token(got);
    snprintf(a, sizeof a, "%.*s", (int)n, wanted);
    snprintf(b, sizeof b, "%.*s", (int)m, got);
    ck_assert_msg(agree(a, b), "line %d has `%s`, not `%s`", line, b, a);
    line += *wanted == '\n';
    wanted += n;
    got += m;
  }
}

static Result check(const char *program, const char *options) {
  return flowc("check %s %s", scratch_file("claim.flow", program), options);
}

static void expect_verdict(const char *program, int code, const char *part) {
  Result result = check(program, "");
  expect_code(result, code);
  expect_in(result.out, part);
  result_free(&result);
}

/* ---- whole texts --------------------------------------------------------------------------------------------------------------- */

START_TEST(claims_of_every_kind_are_told_apart) {
  char *wanted = read_text(TESTS_DIR "/verify/programs/claims.txt", NULL);
  ck_assert_ptr_nonnull(wanted);
  Result result = flowc("check %s/verify/programs/claims.flow", TESTS_DIR);
  expect_code(result, 3);
  ck_assert_str_eq(result.err, "");
  compare(wanted, result.out);
  result_free(&result);
  free(wanted);
}
END_TEST

START_TEST(json_has_the_same_verdicts) {
  Result result = flowc("check %s/verify/programs/claims.flow --json", TESTS_DIR);
  expect_code(result, 3);
  int passed = 0, failed = 0;
  for (const char *at = result.out; (at = strstr(at, "{\"verdict\": \"")); at += 12) {
    passed += strncmp(at + 13, "pass\"", 5) == 0;
    failed += strncmp(at + 13, "fail\"", 5) == 0;
  }
  ck_assert_int_eq(failed, 7);
  ck_assert_int_eq(passed, 17);
  expect_in(result.out, "\"check\": \"continuity(p, wrong)\"");
  expect_in(result.out, "\"left\": null, \"right\": 0");        /* the root of a negative number */
  result_free(&result);
}
END_TEST

/* ---- one claim ------------------------------------------------------------------------------------------------------------------- */

#define GROWING "density p(t, x: [n]) = -norm2(x)/(2*exp(t)) - sum(0*x + t/2 + log(2*pi)/2)\n" \
                "field grow(t, x: [n]) = 0.5*x\nfield slow(t, x: [n]) = 0.25*x\n"
#define TURNED "density p(x: [2]) = -norm2(x)/2\nfield turn(t, x: [n], c: [2]) = c[0]*[-x[1], x[0]]\n" \
               "field shift(t, x: [n], c: [2]) = c\n"
static const struct { const char *program; int code; const char *part; } one[] = {
    /* a claim with text is shown by it, one without as it is written, on one line */
    {"field u(t, x: [2]) = -x\ncheck \"to 0\": u(t, x) == -x\n", 0, "  PASS  to 0    "},
    {"field u(t, x: [2]) = -x\ncheck u(t, x) ==\n  -x\n", 0, "  PASS  u(t, x) == -x    "},
    /* the tolerance is 1e-9 (1 + |left| + |right|), for each element */
    {"fn f(z) = z\ncheck f(z) == z + 0.9e-9\n", 0, "1 check passed"},
    {"fn f(z) = z\ncheck f(z) == z + 1.1e-8\n", 3, "1 of 1 checks failed"},
    {"fn f(v: [3]) = v\ncheck f(v) == [v[0], v[1], v[2] + 1e-7]\n", 3, "element 2: "},
    /* ... and a scalar meets every element */
    {"fn f(v: [3]) = 0*v + 2\ncheck f(v) == 2\n", 0, "1 check passed"},
    /* inequalities have none */
    {"fn f(z) = z\ncheck f(z) < z + 1e-12\n", 0, "1 check passed"},
    {"fn f(z) = z\ncheck f(z) < z\n", 3, "least margin 0, without tolerance"},
    {"fn f(z) = z\ncheck f(z) <= z\n", 0, "1 check passed"},
    {"fn f(z) = z\ncheck f(z) != z\n", 3, "at 1000 of 1000 points"},
    /* what is no number holds nowhere, what is infinite on both sides does */
    {"fn f(z) = log(z - z)\ncheck f(z) == log(0)\n", 0, "1 check passed"},
    {"fn f(z) = sqrt(-1 - z^2)\ncheck f(z) == sqrt(-1 - z^2)\n", 3, "not a number"},
    /* a time is drawn from the flow's: here all beyond 3 */
    {"field u(t, x: [1]) = x\nfn late(t) = t\ncheck \"late\": u(t, x)[0]*0 + late(t) >= 3\nflow f { source normal(1) velocity u time 3 -> 4 solver rk4 steps 20 }\n",
     0, "  PASS  late "},
    {"field u(t, x: [1]) = x\nfn early(t) = t\ncheck \"early\": u(t, x)[0]*0 + early(t) < 1\n", 0, "  PASS  early "},
    /* a kink is no failure of a derivative, a wrong derivative is */
    {"fn relu_like(z) = max(z, 0)\nfn slope(z) = if z < 0 then 0 else 1\ncheck ddt(relu_like)(z) == slope(z)\n", 0, "1 check passed"},
    {"fn f(z) = z*abs(z)\ncheck \"slope\": ddt(f)(z) == 2*z\n", 3, "  FAIL  slope "},
    {"fn f(z) = z*abs(z)\ncheck \"slope\": ddt(f)(z) == 2*abs(z)\n", 0, "  PASS  slope "},
    /* flux through a ball is d times its volume, for the field x; through a box its volume, in any dimension */
    {"field u(t, x: [1]) = x\ncheck flux(u, ball([3], 2)) == 4\n", 0, "by product rules"},
    {"field u(t, x: [2]) = x\ncheck flux(u, ball([3, 1], 2)) == 2 * 4*pi\n", 0, "by product rules"},
    {"field u(t, x: [4]) = x\ncheck flux(u, ball([3, 1, 0, 0], 2)) == 4 * pi^2/2 * 16\n", 0, "random pairs of points"},
    {"field u(t, x: [7]) = x\ncheck flux(u, box([0, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1, 2])) == 7*2\n", 0, "random pairs of points"},
    {"field u(t, x: [2]) = t*x\nfn at(t) = 2*t*pi\ncheck flux(u, ball([0, 0], 1)) == at(t)\n", 0, "8 points, by product rules"},
    /* a Gaussian that grows: what leaves a region is missed in it; by product rules, and by pairs in five dimensions */
    {GROWING "check mass(p, grow, ball([1, 0, 0], 1))\n", 0, "  PASS  mass(p, grow, ball([1, 0, 0], 1)) "},
    {GROWING "check mass(p, grow, box([-1, 0, 1], [0.5, 2, 2]))\n", 0, "8 points, by product rules"},
    {GROWING "check mass(p, grow, box([-1, 0, 1, 0, 0], [0.5, 2, 2, 1, 1]))\n", 0, "random pairs of points"},
    {GROWING "check mass(p, grow, ball([1, 0, 0, 0, 0], 1))\n", 0, "random pairs of points"},
    {GROWING "check mass(p, slow, ball([1, 0, 0], 1))\n", 3, "at 8 of 8 points, by product rules"},
    {GROWING "check mass(p, slow, box([-1, 0, 1, 0, 0], [0.5, 2, 2, 1, 1]))\n", 3, "at 2 of 2 points"},
    /* a density that does not change, turned by as much as c says: its mass stays where the turning is no shift */
    {TURNED "check mass(p, turn, ball([1, 0], 1))\n", 0, "c = ["},
    {TURNED "check mass(p, shift, ball([1, 0], 1))\n", 3, "at 8 of 8 points"},
};

START_TEST(a_claim_is_judged) { expect_verdict(one[_i].program, one[_i].code, one[_i].part); }
END_TEST

/* Of 50,000 points some lie within 3e-5 of a kink; differences there tell nothing of the derivative. */
START_TEST(kinks_are_counted_and_no_failures) {
  Result result = check("field u(t, x: [3]) = for k: max(x[k], 0) + abs(x[k] - t)\n", "--points 50000");
  expect_code(result, 0);
  expect_in(result.out, " at a kink; ");
  result_free(&result);
}
END_TEST

/* ---- networks ---------------------------------------------------------------------------------------------------------------------- */

START_TEST(a_claim_about_a_network_has_its_weights) {
  Result result = flowc("check %s/verify/programs/network.flow --weights %s/moons.safetensors", TESTS_DIR, examples());
  expect_code(result, 0);
  expect_in(result.out, "  PASS  a field around it ");
  expect_in(result.out, "  PASS  its divergence ");
  expect_in(result.out, "  PASS  J v against differences ");
  result_free(&result);
}
END_TEST

START_TEST(without_weights_what_needs_them_is_skipped) {
  Result result = flowc("check %s/verify/programs/network.flow", TESTS_DIR);
  expect_code(result, 0);
  expect_in(result.out, "  SKIP  a field around it                         its layers have no weights\n");
  expect_in(result.out, "  PASS  of no network ");
  expect_in(result.out, "; the weights file is not there, so the layers are not filled\n");
  result_free(&result);
}
END_TEST

#define SHARED "network v(t, x: [2]) -> [2] = [t, x] |> linear 8 |> tanh |> linear 2\n" \
               "flow ga { source normal(2)  velocity v  weights \"a/w.safetensors\"  solver rk4 steps 5 }\n" \
               "flow gb { source normal(2)  velocity v  weights \"b/w.safetensors\"  solver rk4 steps 5 }\n"
static const struct { const char *more, *options; int code; const char *part; } filled[] = {
    {"check \"equal\": vb(t, x) == va(t, x)\n", "", 3, "  FAIL  equal "},
    {"check \"itself\": div(vb)(t, x) == div(vb)(t, x)\n", "", 0, "  PASS  itself "},
    {"check \"itself\": vb(t, x) == 1*vb(t, x)\n", "--flow fb", 0, "  PASS  itself "},
    {"check \"itself\": vb(t, x) == 1*vb(t, x)\n", "--flow fa", 0, "its layers have the weights of the flow `fb`, and --flow asks for `fa`"},
    {"check \"both\": vb(t, x) - va(t, x) == 0\n", "", 3, "`vb` has the weights of the flow `fb`, `va` those of `fa`"},
    {SHARED "check \"either\": v(t, x) == 1*v(t, x)\n", "", 3, "the flows `ga` and `gb` fill `v` with different weights; say which with --flow NAME"},
    {SHARED "check \"either\": v(t, x) == 1*v(t, x)\n", "--flow gb", 0, "  PASS  either "},
    {"network v(t, x: [2]) -> [2] = [t, x] |> linear 8 |> tanh |> linear 2\ncheck \"none\": v(t, x) == va(t, x)\n", "", 0,
     "no flow uses the network `v`"},
};

START_TEST(a_network_in_a_claim_has_the_weights_of_the_flow_that_uses_it) {
  Result result = flowc("check %s --points 20 %s", two_trained(filled[_i].more), filled[_i].options);
  expect_code(result, filled[_i].code);
  expect_in(result.out, filled[_i].part);
  result_free(&result);
}
END_TEST

START_TEST(the_log_density_of_a_wide_flow_has_one_probe) {
  Result result = flowc("check %s/digits.flow --flow digits", examples());
  expect_code(result, 0);
  expect_in(result.out, "  PASS  all ");               /* of a network so large that the claim is compiled */
  expect_in(result.out, ", one probe; at x1 = ");
  result_free(&result);
}
END_TEST

START_TEST(a_source_without_density_is_skipped_and_said) {
  Result result = check("field u(t, x: [2]) = -x\nflow f { source \"file.npy\" velocity u solver rk4 steps 20 }\n", "--flow f");
  ck_assert_int_ne(result.code, 70);
  result_free(&result);
}
END_TEST

START_TEST(every_example_passes) {
  DIR *folder = opendir(examples());
  ck_assert_ptr_nonnull(folder);
  for (struct dirent *entry; (entry = readdir(folder));) {
    if (!strstr(entry->d_name, ".flow")) continue;
    Result result = flowc("check %s/%s", examples(), entry->d_name);
    expect_code(result, 0);
    ck_assert_msg(!strstr(result.out, "  SKIP  "), "%s: %s", entry->d_name, result.out);
    result_free(&result);
  }
  closedir(folder);
}
END_TEST

/* ---- options ------------------------------------------------------------------------------------------------------------------------- */

static const char quarrel[] = "field u(t, x: [2]) = -x\nfield w(t, x: [2]) = [abs(x[0]), x[1]]\ncheck \"wrong\": u(t, x) == x\n";

START_TEST(only_types_computes_nothing) {
  Result result = check(quarrel, "--only types");
  expect_code(result, 0);
  ck_assert_str_eq(result.out, "field u(t, x: [2]) -> [2]\nfield w(t, x: [2]) -> [2]\nok\n");
  result_free(&result);
}
END_TEST

START_TEST(a_field_that_is_named_is_checked) {
  Result result = check(quarrel, "--field w --points 50");
  expect_code(result, 3);
  expect_in(result.out, "at 50 of 50 points");
  expect_in(result.out, "what should hold of field `w`:\n  PASS  J v against differences ");
  result_free(&result);
}
END_TEST

START_TEST(other_seeds_are_other_points) {
  Result first = check(quarrel, "--points 1"), same = check(quarrel, "--points 1 --seed 0"), other = check(quarrel, "--points 1 --seed 1");
  ck_assert_str_eq(first.out, same.out);
  ck_assert_str_ne(first.out, other.out);
  result_free(&first);
  result_free(&same);
  result_free(&other);
}
END_TEST

START_TEST(quiet_shows_failures_alone) {
  Result result = check(quarrel, "-q");
  expect_code(result, 3);
  expect_in(result.out, "  FAIL  wrong ");
  result_free(&result);
  result = flowc("check %s/rotation.flow -q", examples());
  expect_code(result, 0);
  ck_assert_int_eq(strncmp(result.out, "ok; ", 4), 0);
  result_free(&result);
}
END_TEST

START_TEST(errors_of_the_program_stay_1) {
  Result result = check("field u(t, x: [2]) = y\ncheck u(t, x) == x\n", "");
  expect_code(result, 1);
  result_free(&result);
}
END_TEST

START_TEST(no_points_are_refused) {
  Result result = check(quarrel, "--points 0");
  expect_code(result, 2);
  result_free(&result);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("claims");
  TCase *all = tcase_create("check lines");
  tcase_set_timeout(all, 120);
  tcase_add_test(all, claims_of_every_kind_are_told_apart);
  tcase_add_test(all, json_has_the_same_verdicts);
  tcase_add_loop_test(all, a_claim_is_judged, 0, sizeof one / sizeof *one);
  tcase_add_test(all, kinks_are_counted_and_no_failures);
  tcase_add_test(all, a_claim_about_a_network_has_its_weights);
  tcase_add_test(all, without_weights_what_needs_them_is_skipped);
  tcase_add_loop_test(all, a_network_in_a_claim_has_the_weights_of_the_flow_that_uses_it, 0, (int)(sizeof filled / sizeof *filled));
  tcase_add_test(all, the_log_density_of_a_wide_flow_has_one_probe);
  tcase_add_test(all, a_source_without_density_is_skipped_and_said);
  tcase_add_test(all, every_example_passes);
  tcase_add_test(all, only_types_computes_nothing);
  tcase_add_test(all, a_field_that_is_named_is_checked);
  tcase_add_test(all, other_seeds_are_other_points);
  tcase_add_test(all, quiet_shows_failures_alone);
  tcase_add_test(all, errors_of_the_program_stay_1);
  tcase_add_test(all, no_points_are_refused);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
