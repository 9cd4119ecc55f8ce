# SPDX-License-Identifier: Apache-2.0
"""The package flowrt: the command's bits, arrays in and out, statuses as exceptions."""

import copy
import keyword
import os
import pathlib
import pickle
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import numpy as np

import flowrt

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOONS = ROOT / "examples" / "moons.flow"
WINE = ROOT / "tests" / "models" / "wine_mlp.flow"


def flowc(*words):
    done = subprocess.run([os.environ["FLOWC"], *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError("flowc %s: %s" % (" ".join(map(str, words)), done.stderr))
    return done


def flowc_that_fails(*words):
    """Samples that fail make another exit status than 0."""
    try:
        flowc(*words)
    except AssertionError:
        return
    raise AssertionError("flowc %s: did not fail" % " ".join(map(str, words)))


class WithModel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        flowc(MOONS, "-o", cls.folder / "moons.so", "-q")
        cls.moons = flowrt.load(cls.folder / "moons.so")

    @classmethod
    def tearDownClass(cls):
        cls.moons.close()
        shutil.rmtree(cls.folder)


class Results(WithModel):
    def test_samples_and_log_densities_are_the_commands(self):
        x, log_p = self.moons.sample(300, seed=1, log_p=True)
        flowc("sample", MOONS, "-n", 300, "--seed", 1, "-q", "-o", self.folder / "x.npy", "--logp", self.folder / "l.npy")
        np.testing.assert_array_equal(x, np.load(self.folder / "x.npy"))
        np.testing.assert_array_equal(log_p, np.load(self.folder / "l.npy"))
        flowc("logp", MOONS, "--data", self.folder / "x.npy", "-q", "-o", self.folder / "b.npy")
        np.testing.assert_array_equal(self.moons.log_prob(x), np.load(self.folder / "b.npy"))

    def test_velocity_and_path_are_the_commands(self):
        x = self.moons.sample(7, seed=2)
        np.save(self.folder / "at.npy", x)
        flowc("eval", MOONS, "--at", self.folder / "at.npy", "--time", 0.25, "-q", "-o", self.folder / "u.npy")
        np.testing.assert_array_equal(self.moons.velocity(0.25, x), np.load(self.folder / "u.npy"))
        flowc("trajectory", MOONS, "-n", 7, "--seed", 2, "--times", "0,0.3,1", "-q", "-o", self.folder / "p.npy")
        path = self.moons.trajectory([0, 0.3, 1], n=7, seed=2)
        np.testing.assert_array_equal(path, np.load(self.folder / "p.npy"))
        np.testing.assert_array_equal(path[-1], x)

    def test_a_range_is_a_part_of_the_whole(self):
        whole = self.moons.sample(50, seed=3)
        np.testing.assert_array_equal(self.moons.sample(10, seed=3, first=20), whole[20:30])

    def test_every_level_gives_the_same_bits(self):
        whole = self.moons.sample(50, seed=3)
        narrow = flowrt.load(self.folder / "moons.so", cpu="v3")
        self.assertEqual(narrow.cpu, "v3")
        np.testing.assert_array_equal(narrow.sample(50, seed=3), whole)

    def test_divergence_is_the_trace_of_products(self):
        x = self.moons.sample(5, seed=4)
        columns = [self.moons.jvp(0.5, x, np.tile(e, (5, 1))) for e in np.eye(2, dtype=np.float32)]
        # Two orders of summing f32 numbers below 10.
        np.testing.assert_allclose(self.moons.divergence(0.5, x), columns[0][:, 0] + columns[1][:, 1], atol=2e-5)

    def test_log_p_by_probes_is_the_commands(self):
        flowc(MOONS, "-o", self.folder / "probed.so", "--probes", 2, "-q")
        probed = flowrt.load(self.folder / "probed.so")
        x = probed.sample(20, seed=4)
        np.save(self.folder / "px.npy", x)
        for n, probe in ((1, "rademacher"), (5, "rademacher"), (4, "gaussian")):
            flowc("logp", MOONS, "--data", self.folder / "px.npy", "--probes", n, "--probe", probe, "--seed", 7, "-q", "-o", self.folder / "p.npz")
            expected = np.load(self.folder / "p.npz")
            log_p, errors = probed.log_prob(x, probes=n, probe=probe, seed=7, standard_error=True)
            np.testing.assert_array_equal(log_p, expected["logp"])
            np.testing.assert_array_equal(errors, expected["standard_error"])
        drawn, log_p, errors = probed.sample(20, seed=4, log_p=True, probes=3, standard_error=True)
        np.testing.assert_array_equal(drawn, x)
        # The mean of enough estimates is the exact one, within what their own errors say: 6 deviations of each.  A row in a
        # hundred may miss the target, of 20 one.
        log_p, errors = probed.log_prob(x, target=0.1, seed=1, standard_error=True)
        self.assertLessEqual(np.sort(errors)[-2], 0.1)
        np.testing.assert_array_less(np.abs(log_p - self.moons.log_prob(x)), 6 * errors + 1e-4)
        with self.assertRaisesRegex(flowrt.Error, "--probes K"):
            self.moons.log_prob(x, probes=2)
        with self.assertRaisesRegex(ValueError, "no probes 'signs'"):
            probed.log_prob(x, probes=2, probe="signs")

    def test_a_density_as_source_is_the_commands(self):
        program = self.folder / "ring.flow"
        program.write_text("density p(x: [2]) = -norm2(x)/2\n  draw k ~ choice([1, 3]), z ~ normal(2): z + [k, 1]\n"
                           "field u(t, x: [2]) = [sin(x[1]), t*x[0]]\nflow f { source p  velocity u  solver rk4 steps 3 }\n")
        flowc(program, "-o", self.folder / "ring.so", "-q")
        x, log_p = flowrt.load(self.folder / "ring.so").sample(50, seed=1, log_p=True)
        flowc("sample", program, "-n", 50, "--seed", 1, "-q", "-o", self.folder / "rx.npy", "--logp", self.folder / "rl.npy")
        np.testing.assert_array_equal(x, np.load(self.folder / "rx.npy"))
        np.testing.assert_array_equal(log_p, np.load(self.folder / "rl.npy"))

    def test_a_file_as_source_is_inside_or_named(self):
        points, program = self.folder / "points.npy", self.folder / "points.flow"
        np.save(points, np.arange(8.0).reshape(4, 2) / 3)
        program.write_text('field u(t, x: [2]) = [sin(x[1]), x[0]]\nflow f { source "points.npy"  velocity u  solver rk4 steps 3 }\n')
        flowc(program, "-o", self.folder / "inside.so", "-q")
        flowc(program, "-o", self.folder / "named.so", "-q", "--source", "load")
        x = flowrt.load(self.folder / "inside.so").sample(4)
        np.testing.assert_array_equal(flowrt.load(self.folder / "named.so", source=points).sample(4), x)
        with self.assertRaisesRegex(flowrt.Error, "name the file of its points"):
            flowrt.load(self.folder / "named.so").sample(4)

    def test_vectors_times_the_jacobian_are_adjoint_to_products(self):
        rng = np.random.default_rng(1)
        flowc(MOONS, "-o", self.folder / "vjp.so", "--vjp", "-q")
        model = flowrt.load(self.folder / "vjp.so")
        x = model.sample(5, seed=4)
        v, w = rng.normal(size=(2, 5, 2))
        # Two orders of summing products of f32 numbers below 10.
        np.testing.assert_allclose((model.vjp(0.5, x, w) * v).sum(1), (model.jvp(0.5, x, v) * w).sum(1), atol=1e-4)
        with self.assertRaisesRegex(flowrt.Error, "--vjp"):
            self.moons.vjp(0.5, x, w)

    def test_times_may_be_one_for_each_point(self):
        x, t = self.moons.sample(5, seed=4), np.linspace(0, 1, 5)
        each = np.concatenate([self.moons.velocity(t[i], x[i : i + 1]) for i in range(5)])
        np.testing.assert_array_equal(self.moons.velocity(t, x), each)

    def test_numpy_agrees_with_the_network(self):
        weights = read_safetensors(ROOT / "examples" / "moons.safetensors")
        x = self.moons.sample(9, seed=5).astype(np.float64)
        h = np.concatenate([np.full((9, 1), 0.25), x], axis=1)
        for layer in (0, 2, 4, 6):
            h = h @ weights["net.%d.weight" % layer].T + weights["net.%d.bias" % layer]
            if layer < 6:
                h = np.where(h > 0, h, np.expm1(h))
        # f32 against f64: sums of 64 products of numbers of about 1.
        np.testing.assert_allclose(self.moons.velocity(0.25, x), h, atol=2e-5)

    def test_f64_models_have_f64_arrays(self):
        flowc(MOONS, "-o", self.folder / "wide.so", "--precision", "f64", "-q")
        wide = flowrt.load(self.folder / "wide.so")
        x = wide.sample(5, seed=1)
        self.assertEqual(x.dtype, np.float64)
        # The f32 solve rounds in each of 100 steps.
        np.testing.assert_allclose(x, self.moons.sample(5, seed=1), atol=1e-4)


class Arrays(WithModel):
    def test_out_is_filled_in_place(self):
        out = np.empty((4, 2), np.float32)
        self.assertIs(self.moons.sample(4, seed=1, out=out), out)
        np.testing.assert_array_equal(out, self.moons.sample(4, seed=1))
        with self.assertRaisesRegex(ValueError, "out wants"):
            self.moons.sample(4, out=np.empty((4, 2)))

    def test_any_array_that_has_the_shape_will_do(self):
        x = self.moons.sample(6, seed=1)
        log_p = self.moons.log_prob(x)
        np.testing.assert_array_equal(self.moons.log_prob(x.astype(np.float64)), log_p)
        np.testing.assert_array_equal(self.moons.log_prob(np.asfortranarray(x)), log_p)
        np.testing.assert_array_equal(self.moons.log_prob(x.tolist()), log_p)
        np.testing.assert_array_equal(self.moons.log_prob(x[0]), log_p[:1])
        with self.assertRaisesRegex(ValueError, r"\[n, 2\]"):
            self.moons.log_prob(np.zeros((3, 3)))

    def test_nothing_is_drawn_of_nothing(self):
        self.assertEqual(self.moons.sample(0).shape, (0, 2))
        self.assertEqual(self.moons.log_prob(np.zeros((0, 2))).shape, (0,))

    def test_the_model_says_what_it_is(self):
        self.assertEqual((self.moons.name, self.moons.dim, self.moons.dtype), ("moons", 2, np.float32))
        self.assertEqual(self.moons.description["solver"], {"name": "midpoint", "steps": 100})
        self.assertEqual(self.moons.conditions, {})
        self.assertIn("moons", repr(self.moons))

    def test_conditions_are_found_by_name(self):
        flowc(ROOT / "examples" / "digits.flow", "--flow", "digits", "-o", self.folder / "digits.so", "-q")
        digits = flowrt.load(self.folder / "digits.so")
        ((name, size),) = digits.conditions.items()
        one_hot = np.eye(size)[3]
        x = digits.sample(3, seed=1, steps=4, conditions={name: one_hot})
        np.testing.assert_array_equal(digits.sample(3, seed=1, steps=4, conditions={name: np.tile(one_hot, (3, 1))}), x)
        self.assertFalse(np.array_equal(digits.sample(3, seed=1, steps=4, conditions={name: np.eye(size)[4]}), x))
        with self.assertRaisesRegex(ValueError, "wants a condition"):
            digits.sample(3)
        with self.assertRaisesRegex(ValueError, "has no condition 'z'"):
            digits.sample(3, conditions={name: one_hot, "z": 1})

    def compile(self, name, text):
        (self.folder / (name + ".flow")).write_text(text)
        flowc(self.folder / (name + ".flow"), "-o", self.folder / (name + ".so"), "-q")
        return flowrt.load(self.folder / (name + ".so"))

    def test_the_shape_of_a_condition_is_looked_at(self):
        model = self.compile("conditions", "field u(t, x: [2], a: [2], b) = a + b*x\nflow f { source normal(2)  velocity u  solver rk4 steps 3 }\n")
        x, a, b = np.ones((3, 2)), np.arange(6.0).reshape(3, 2), np.arange(3.0)
        expected = a + b[:, None]
        for one in (b, b[:, None]):
            np.testing.assert_array_equal(model.velocity(0, x, conditions={"a": a, "b": one}), expected)
        for one in (2, [2], [[2]]):
            np.testing.assert_array_equal(model.velocity(0, x, conditions={"a": [4, 5], "b": one}), np.tile([6, 7], (3, 1)))
        for wrong in (a.T, a.ravel(), a[:2], a[:, :1], a[None], 1):
            with self.assertRaisesRegex(ValueError, r"condition 'a' has shape .*; it is \[2\], or \[3, 2\]"):
                model.velocity(0, x, conditions={"a": wrong, "b": 1})
        for wrong in ([1, 2], b[None]):
            with self.assertRaisesRegex(ValueError, r"condition 'b' has shape .*; it is \[1\], or \[3, 1\]"):
                model.sample(3, conditions={"a": a, "b": wrong})

    def test_a_condition_that_is_a_matrix_may_be_one(self):
        model = self.compile("matrices", "field u(t, x: [2], m: [2, 3]) = m @ [x[0], x[1], 1]\nflow f { source normal(2)  velocity u  solver rk4 steps 3 }\n")
        x, m = np.float32([[1, 2], [3, 4], [5, 6]]), np.arange(6, dtype=np.float32).reshape(2, 3)
        expected = np.stack([m @ [*row, 1] for row in x])
        for given in (m, m.ravel(), np.tile(m, (3, 1, 1)), np.tile(m.ravel(), (3, 1))):
            np.testing.assert_array_equal(model.velocity(0, x, conditions={"m": given}), expected)
        with self.assertRaisesRegex(ValueError, "has shape"):
            model.velocity(0, x, conditions={"m": np.tile(m, (2, 1, 1))})

    def test_conditions_of_no_samples_have_no_rows(self):
        model = self.compile("nothing", "field u(t, x: [2], a: [2], b) = a + b*x\nflow f { source normal(2)  velocity u  solver rk4 steps 3 }\n")
        conditions, x = {"a": np.zeros((0, 2)), "b": np.zeros(0)}, np.zeros((0, 2))
        self.assertEqual(model.sample(0, conditions=conditions).shape, (0, 2))
        self.assertEqual(model.log_prob(x, conditions=conditions).shape, (0,))
        self.assertEqual(model.trajectory([0, 1], 0, conditions=conditions).shape, (2, 0, 2))
        self.assertEqual(model.velocity(0, x, conditions=conditions).shape, (0, 2))

    def test_integers_that_c_would_cut_off_are_refused(self):
        x = np.zeros((1, 2))
        for name, most in (("n", 2**63 - 1), ("seed", 2**64 - 1), ("first", 2**64 - 1), ("steps", 2**64 - 1), ("max_attempts", 2**64 - 1),
                           ("threads", 1024), ("probes", 2**32 - 1)):
            for wrong in (-1, most + 1, 2**70):
                with self.assertRaisesRegex(ValueError, "%s is %d; it is a whole number from 0 to %d" % (name, wrong, most)):
                    self.moons.sample(**{name: wrong})
            with self.assertRaisesRegex(TypeError, "%s is 0.5" % name):
                self.moons.sample(**{name: 0.5})
        with self.assertRaisesRegex(ValueError, "probes is 4294967296"):
            self.moons.log_prob(x, probes=2**32)
        with self.assertRaisesRegex(ValueError, "threads is 4294967296"):
            self.moons.velocity(0, x, threads=2**32)
        largest = self.moons.sample(2, seed=2**64 - 1)
        self.assertFalse(np.array_equal(largest, self.moons.sample(2, seed=0)))
        np.testing.assert_array_equal(self.moons.sample(np.int64(2), seed=np.uint64(2**64 - 1), threads=np.int8(1)), largest)

    def test_texts_that_c_would_cut_off_are_refused(self):
        with self.assertRaisesRegex(ValueError, "method has a 0 byte"):
            self.moons.sample(1, method="rk4\0")
        with self.assertRaisesRegex(ValueError, "path has a 0 byte"):
            flowrt.load(str(self.folder / "moons.so") + "\0")

    def test_a_model_is_not_copied(self):
        for make in (copy.copy, copy.deepcopy, pickle.dumps):
            with self.assertRaisesRegex(TypeError, "copied or pickled"):
                make(self.moons)

    def test_many_threads_share_a_model(self):
        expected, wrong = self.moons.sample(40, seed=9), []

        def work():
            for _ in range(10):
                if not np.array_equal(self.moons.sample(40, seed=9, threads=1), expected):
                    wrong.append(1)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])


class Failures(WithModel):
    def expect(self, status, words, call):
        with self.assertRaisesRegex(flowrt.Error, words) as caught:
            call()
        self.assertEqual(caught.exception.status, status)

    def test_statuses_are_exceptions_with_the_sentence(self):
        self.expect("BAD_FILE", "nothing.so: cannot open", lambda: flowrt.load(self.folder / "nothing.so"))
        self.expect("BAD_CALL", "no solver `rk5`", lambda: self.moons.sample(3, method="rk5", steps=3))
        self.expect("CANCELLED", "stopped on request", lambda: self.moons.sample(10000, progress=lambda done, total: True))
        self.expect("BAD_INPUT", "shape", lambda: flowrt.load(self.folder / "moons.so", weights=ROOT / "tests/reference/wine_mlp/model.safetensors"))

    def test_failed_samples_are_named(self):
        source = np.array([[0, 0], [np.nan, 0], [1, 1]])
        with self.assertRaises(flowrt.FailedSamples) as caught:
            self.moons.sample(source=source)
        np.testing.assert_array_equal(caught.exception.sample_status != 0, [False, True, False])
        self.assertIn("not a number", caught.exception.reason(1))
        kept = self.moons.sample(source=source, on_error="keep")
        np.testing.assert_array_equal(kept[::2], self.moons.sample(source=source[::2]))
        self.assertTrue(np.isnan(kept[1]).all())
        with self.assertRaisesRegex(ValueError, "on_error is 'drop'"):
            self.moons.sample(on_error="drop")

    def bursting(self, source="normal(1)"):
        """dx/dt = x^2 is infinite at t = 1/x: what begins above 1 does not arrive."""
        program = self.folder / "burst.flow"
        program.write_text("field u(t, x: [1]) = x*x\nflow burst { source %s  velocity u }\n" % source)
        flowc(program, "-o", self.folder / "burst.so", "-q")
        return program, flowrt.load(self.folder / "burst.so")

    def test_what_failed_is_nan_as_the_command_writes_it(self):
        program, burst = self.bursting()
        x, log_p, status = burst.sample(40, seed=1, log_p=True, status=True)
        flowc_that_fails("sample", program, "-n", 40, "--seed", 1, "-q", "--on-error", "nan", "-o", self.folder / "x.npy", "--logp", self.folder / "l.npy")
        np.testing.assert_array_equal(x, np.load(self.folder / "x.npy"))
        np.testing.assert_array_equal(log_p, np.load(self.folder / "l.npy"))
        self.assertEqual((status.dtype, status.shape), (np.uint8, (40,)))
        np.testing.assert_array_equal(np.isnan(x[:, 0]), status != 0)
        self.assertTrue(0 < np.count_nonzero(status) < 40)
        np.testing.assert_array_equal(burst.sample(40, seed=1, on_error="keep"), burst.sample(40, seed=1, status=True)[0])
        self.assertRegex(flowrt.status_text(status.max()), "its step became too small")
        self.assertEqual(flowrt.status_text(0), "arrived")
        self.assertRegex(flowrt.status_text(flowrt._library.OUTSIDE), "outside of the source's support")
        self.assertRegex(flowrt.status_text(flowrt._library.NO_DENSITY), "its log-density is infinite")
        with self.assertRaises(flowrt.FailedSamples) as caught:
            burst.sample(40, seed=1)
        np.testing.assert_array_equal(caught.exception.result, burst.sample(40, seed=1, on_error="keep"))

    def test_a_path_is_nan_from_where_it_failed(self):
        _, burst = self.bursting()
        start = np.array([[2], [0.5], [1.2]])
        path, status = burst.trajectory([0, 0.4, 0.75, 1], source=start, status=True)
        np.testing.assert_array_equal(status != 0, [[False] * 3, [False] * 3, [True, False, False], [True, False, True]])
        np.testing.assert_array_equal(np.isnan(path[:, :, 0]), status != 0)
        # x0/(1 - t x0); f32, a tolerance of 1e-6.
        np.testing.assert_allclose(path[1], start / (1 - 0.4 * start), rtol=1e-4)
        with self.assertRaises(flowrt.FailedSamples) as caught:
            burst.trajectory([0, 0.4, 0.75, 1], source=start)
        self.assertRegex(caught.exception.reason(0), "too small|infinite")
        self.assertEqual(caught.exception.reason(1), "arrived")
        self.assertEqual(caught.exception.reason(2), caught.exception.reason((3, 2)))
        self.assertEqual(caught.exception.reason((2, 2)), "arrived")
        np.testing.assert_array_equal(caught.exception.result, path)

    def test_outside_of_the_support_log_p_is_minus_infinity(self):
        _, burst = self.bursting("uniform([-1], [0.5])")
        x, log_p, status = burst.sample(source=[[0.25], [-2], [np.nan]], log_p=True, status=True)
        # x0/(1 - x0).
        np.testing.assert_allclose(x[:2, 0], [1 / 3, -2 / 3], rtol=1e-4)
        self.assertTrue(np.isnan(x[2, 0]) and np.isnan(log_p[2]) and np.isfinite(log_p[0]))
        self.assertEqual(log_p[1], -np.inf)
        self.assertRegex(flowrt.status_text(status[1]), "support")
        log_p, errors, latent, status = burst.log_prob([[1 / 3], [-2 / 3], [np.nan]], standard_error=True, latent=True, status=True)
        np.testing.assert_array_equal(status != 0, [False, True, True])
        np.testing.assert_allclose(latent[:2, 0], [0.25, -2], rtol=1e-4)
        self.assertTrue(np.isnan(latent[2, 0]) and np.isnan(log_p[2]) and np.isfinite(log_p[0]))
        self.assertEqual(log_p[1], -np.inf)
        np.testing.assert_array_equal(np.isnan(errors), [False, True, True])

    def test_what_progress_raises_comes_out_of_the_call(self):
        class Stop(BaseException):
            pass

        def stop(done, total):
            raise Stop(done)

        for call in (lambda: self.moons.sample(2000, progress=stop), lambda: self.moons.log_prob(np.zeros((5, 2)), progress=stop),
                     lambda: self.moons.trajectory([0, 1], 5, progress=stop)):
            with self.assertRaises(Stop):
                call()
        seen = []
        with self.assertRaises(ZeroDivisionError):
            self.moons.sample(200000, threads=1, progress=lambda done, total: seen.append(done) or 1 / 0)
        self.assertEqual(len(seen), 1)      # it stopped there

    @unittest.skipUnless(hasattr(signal, "pthread_kill"), "no signals to a thread here")
    def test_control_c_stops_a_solve_that_tells_its_progress(self):
        # A shell that starts a test in the background has SIGINT ignored.
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))
        hook, main, begun = sys.unraisablehook, threading.main_thread().ident, threading.Event()

        def interrupt():
            begun.wait()
            time.sleep(0.05)
            signal.pthread_kill(main, signal.SIGINT)

        for _ in range(3):
            begun.clear()
            thread = threading.Thread(target=interrupt)
            thread.start()
            with self.assertRaises(KeyboardInterrupt):
                self.moons.sample(5_000_000, threads=1, progress=lambda done, total: begun.set())
            thread.join()
        self.assertEqual(sys.unraisablehook, hook)

    def test_a_closed_model_says_so(self):
        model = flowrt.load(self.folder / "moons.so")
        model.close()
        model.close()
        self.expect("BAD_CALL", "closed", lambda: model.sample(3))

    def test_weights_can_be_swapped(self):
        weights = ROOT / "examples" / "moons.safetensors"
        flowc(MOONS, "-o", self.folder / "apart.so", "--weights", "load", "-q")
        self.expect("BAD_INPUT", "open it with a weights file", lambda: flowrt.load(self.folder / "apart.so"))
        expected = self.moons.sample(5, seed=1)
        np.testing.assert_array_equal(flowrt.load(self.folder / "apart.so", weights=weights).sample(5, seed=1), expected)
        np.testing.assert_array_equal(flowrt.load(self.folder / "apart.so", weights=weights.read_bytes()).sample(5, seed=1), expected)


class Package(WithModel):
    def test_pip_installs_it_from_the_tree(self):
        tree, target = self.folder / "tree", self.folder / "site"
        shutil.copytree(ROOT / "python" / "flowrt", tree)
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(target), str(tree)]
        done = subprocess.run(pip, capture_output=True, text=True)
        if "No module named pip" in done.stderr:
            self.skipTest("no pip here")
        self.assertEqual(done.returncode, 0, done.stderr)
        program = "import flowrt; print(flowrt.__file__); print(flowrt.load(%r).sample(2, seed=1).shape)" % str(self.folder / "moons.so")
        environment = dict(os.environ, PYTHONPATH=str(target))
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, cwd=self.folder)
        self.assertIn("(2, 2)", done.stdout, done.stderr)
        self.assertIn(str(target), done.stdout)


try:
    import torch
    from torch import nn
except ImportError:
    torch = None


@unittest.skipUnless(torch, "no torch here: flowrt.export is not tested")
class Export(unittest.TestCase):
    """A compiled program against the module that it was exported from: f32 sums of at most 16 numbers of about 1, in another order."""

    def setUp(self):
        torch.manual_seed(0)
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def compare(self, module, example, t, x, conditions=None, **how):
        program = flowrt.export(module, example, self.folder / "net", **how)
        flowc(program, "-o", self.folder / "net.so", "-q")
        with flowrt.load(self.folder / "net.so") as model, torch.no_grad():
            velocity = model.velocity(t.reshape(-1).numpy(), x.numpy(), conditions=conditions)
            np.testing.assert_allclose(velocity, module.eval()(*example).numpy(), atol=5e-6)
        return program.read_text()

    def test_a_sequential_with_every_activation(self):
        x = torch.randn(4, 2)
        known = [nn.ReLU(), nn.ELU(), nn.ELU(0.5), nn.LeakyReLU(), nn.LeakyReLU(0.2), nn.SELU(), nn.SiLU(), nn.Mish(), nn.GELU(), nn.GELU(approximate="tanh"),
                 nn.Tanh(), nn.Sigmoid(), nn.Softplus(), nn.Softmax(dim=-1), nn.Identity(), nn.Dropout(0.5)]
        for activation in known:
            with self.subTest(str(activation)):
                joined = torch.cat([torch.full((4, 1), 0.3), x], 1)
                self.compare(nn.Sequential(nn.Linear(3, 8), activation, nn.Linear(8, 2)), (joined,), torch.tensor([0.3]), x, order="t, x")

    def test_residual_blocks_with_time_and_label(self):
        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.norm, self.linear1, self.linear2 = nn.LayerNorm(16), nn.Linear(16, 16), nn.Linear(16, 16)
                self.time = nn.Linear(8, 16, bias=False)

            def forward(self, h, e):
                return h + self.linear2(nn.functional.gelu(self.linear1(self.norm(h)) + self.time(e)))

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.time, self.label = nn.Sequential(nn.Linear(1, 8), nn.SiLU()), nn.Embedding(4, 8)
                self.inside, self.blocks, self.out = nn.Linear(3, 16), nn.ModuleList([Block(), Block()]), nn.Linear(16, 3)
                self.scale = nn.Parameter(torch.randn(3))

            def forward(self, t, x, label):
                e = self.time(t.unsqueeze(-1)) + self.label(label)
                h = self.inside(x)
                for block in self.blocks:
                    h = block(h, e)
                return self.out(torch.tanh(h)) * self.scale / (1 + t.unsqueeze(-1)) - 0.1 * x

        t, x, label = torch.rand(5), torch.randn(5, 3), torch.tensor([0, 1, 2, 3, 1])
        text = self.compare(Net(), (t, x, label), t, x, {"label": label.numpy()})
        self.assertIn('"blocks.1.linear2"', text)

    def test_time_behind_the_state_and_stretched(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = nn.Linear(4, 3)

            def forward(self, x, t):
                return self.linear(torch.cat([x, t.expand(x.shape[0], 1)], dim=-1))

        t, x = torch.rand(5, 1), torch.randn(5, 3)
        self.compare(Net(), (x, t), t, x)

    def test_what_has_no_translation_is_named(self):
        with self.assertRaisesRegex(flowrt.Untranslatable, "BatchNorm1d.*`1`"):
            flowrt.export(nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Linear(8, 2)), torch.randn(4, 3), self.folder / "net", order="t, x")
        with self.assertRaisesRegex(ValueError, "order="):
            flowrt.export(nn.Linear(3, 2), torch.randn(4, 3), self.folder / "net")
        self.assertEqual(list(self.folder.iterdir()), [])

    def refuse(self, words, module, example, **how):
        with self.assertRaisesRegex(ValueError, words):
            flowrt.export(module, example, self.folder / "net", **how)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_every_parameter_of_a_module_is_heeded(self):
        x = torch.randn(4, 2)
        joined = torch.cat([torch.full((4, 1), 0.3), x], 1)
        known = [nn.ELU(2.5), nn.LeakyReLU(0), nn.LeakyReLU(-0.3), nn.LeakyReLU(1.5), nn.Softplus(beta=1, threshold=20), nn.Softmax(dim=1),
                 nn.LayerNorm(8, eps=0.1), nn.Linear(8, 8, bias=False), nn.ReLU(inplace=True)]
        for part in known:
            with self.subTest(str(part)):
                self.compare(nn.Sequential(nn.Linear(3, 8), part, nn.Linear(8, 2)), (joined,), torch.tensor([0.3]), x, order="t, x")
        for path in self.folder.iterdir():
            path.unlink()
        unknown = [nn.Softplus(threshold=1), nn.Softplus(beta=2), nn.Softmax(dim=0), nn.LayerNorm(8, elementwise_affine=False), nn.LayerNorm(8, bias=False),
                   nn.Hardtanh(), nn.Hardswish(), nn.CELU(), nn.PReLU(), nn.LogSoftmax(dim=1), nn.ReLU6(), nn.GLU()]
        for part in unknown:
            with self.subTest(str(part)):
                wide = nn.Linear(4 if isinstance(part, nn.GLU) else 8, 2)
                self.refuse(r"%s.*`1`" % type(part).__name__, nn.Sequential(nn.Linear(3, 8), part, wide), (joined,), order="t, x")

        class Labelled(nn.Module):
            def __init__(self):
                super().__init__()
                self.label = nn.Embedding(4, 2, max_norm=0.1)

            def forward(self, t, x, label):
                return x + self.label(label)

        self.refuse("Embedding.*max_norm", Labelled(), (torch.rand(4), x, torch.tensor([0, 1, 2, 3])))
        self.refuse("bfloat16", nn.Sequential(nn.Linear(3, 2)).bfloat16(), (joined.bfloat16(),), order="t, x")

    def test_training_is_as_it_was(self):
        module = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 2))
        module.train()
        module[0].eval()
        flowrt.export(module, torch.randn(4, 3), self.folder / "net", order="t, x")
        self.assertEqual([part.training for part in module.modules()], [True, False, True, True])

    def test_names_of_conditions_are_no_others(self):
        t, x, c = torch.rand(5, 1), torch.randn(5, 2), torch.randn(5, 2)
        words = re.findall(r'KEYWORD\("(\w+)"', (ROOT / "lang/syntax/keywords.def").read_text())
        self.assertEqual(flowrt._export._RESERVED, set(words))
        refused = [*(word for word in words if not keyword.iskeyword(word)), "x", "tanh", "max", "linear", "sigmoid"]
        taken = ["h1", "h2", "k", "k1", "v", "sum", "pi", "mean", "exp2", "net", "repeat", "velocity", "inverse", "normal"]
        for name in refused + taken:
            with self.subTest(name):
                made = named_net(name)
                if name in refused:
                    self.refuse("`%s`" % name, made, (t, x, c), order="t, x")
                else:
                    self.compare(made, (t, x, c), t, x, {name: c.numpy()}, order="t, x")
                    for path in self.folder.iterdir():
                        path.unlink()

    def test_time_and_state_are_asked_for_where_both_are_possible(self):
        class Net(nn.Module):
            def __init__(self, *widths):
                super().__init__()
                self.linear = nn.Linear(*widths)

            def forward(self, y, tau):
                return self.linear(torch.cat([y, 2 * tau], 1))

        y, tau = torch.randn(5, 1), torch.rand(5, 1)
        self.refuse("which of the arguments y, tau are time and state", Net(2, 1), (y, tau))
        self.compare(Net(2, 1), (y, tau), tau, y, order="x, t")
        wide = torch.randn(5, 3)
        self.compare(Net(4, 3), (wide, tau), tau, wide)     # the shapes tell
        for path in self.folder.iterdir():
            path.unlink()
        self.refuse("order is 'y, tau'", Net(2, 1), (y, tau), order="y, tau")

    def test_the_points_of_a_batch_do_not_meet(self):
        class Net(nn.Module):
            def __init__(self, function):
                super().__init__()
                self.function, self.relu = function, nn.ReLU(inplace=True)

            def forward(self, t, x):
                return self.function(self, t, x)

        t, x = torch.rand(3), torch.randn(3, 3)     # as many points as numbers
        self.refuse("point by point", Net(lambda net, t, x: t * x), (t, x))
        self.refuse("moves the points", Net(lambda net, t, x: t.unsqueeze(0) * x), (t, x))
        self.refuse("change of shape", Net(lambda net, t, x: t.expand(3, 3) * x), (t, x))
        self.refuse("in place", Net(lambda net, t, x: overwritten(net, x)), (t, x))
        self.refuse("int64", Net(lambda net, t, x: x.to(torch.int64) * 0.5), (t, x))
        self.refuse("number inf", Net(lambda net, t, x: x * float("inf")), (t, x))

    def test_suffixes_are_appended_to_the_name(self):
        module, x = nn.Sequential(nn.Linear(3, 2)), torch.randn(4, 3)
        for name, made in (("net.1", "net.1"), ("net.2", "net.2"), ("net.flow", "net"), ("flow", "flow")):
            program = flowrt.export(module, x, self.folder / name, order="t, x")
            self.assertEqual(program, self.folder / (made + ".flow"))
            self.assertIn('"%s.safetensors"' % made, program.read_text())
            flowc("check", program, "-q")
        self.assertEqual(len(list(self.folder.iterdir())), 8)
        with self.assertRaisesRegex(ValueError, "quotes"):
            flowrt.export(module, x, self.folder / 'a"b', order="t, x")


def overwritten(net, x):
    a = x * 2
    return net.relu(a) + a


def named_net(name):
    """A network with a condition of that name: torch.fx takes names from the code.  Values are used twice, and a number is stretched."""
    scope = {"torch": torch, "nn": nn}
    exec(NAMED_NET.replace("NAME", name), scope)
    return scope["Net"]()


NAMED_NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(5, 2), nn.Linear(2, 2)

    def forward(self, t, y, NAME):
        a = self.a(torch.cat([y, t, NAME], 1))
        b = torch.tanh(a) + a * t.expand(-1, 2)
        return self.b(b) + torch.sigmoid(NAME)
"""


def read_safetensors(path):
    import json

    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    arrays = {}
    for name, about in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__":
            begin, end = about["data_offsets"]
            arrays[name] = np.frombuffer(data[8 + length + begin : 8 + length + end], "<f4").reshape(about["shape"]).astype(np.float64)
    return arrays


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=1).result
    ran, failed, wrong = result.testsRun, len(result.failures), len(result.errors)
    for test, reason in result.skipped:
        print("skipped: %s: %s" % (test, reason))
    print("%d%%: Checks: %d, Failures: %d, Errors: %d" % (100 * (ran - failed - wrong) // max(ran, 1), ran, failed, wrong))
    sys.exit(1 if failed or wrong else 0)
