# SPDX-License-Identifier: Apache-2.0
"""Model: an open library, with arrays in and out."""

import contextlib
import ctypes
import json
import math

import numpy as np

from . import _library as c


def load(path, weights=None, cpu=None, source=None):
    """Opens a compiled flow.

    weights: a .safetensors file (or its bytes) in place of the weights in the library.  cpu: "v3" or "v4" for this code alone.
    source: where the flow's source is a file, that file (.npy, .npz, .csv), in place of the points in the library.
    """
    return Model(path, weights, cpu, source)


_ON_ERROR = {"raise": None, "keep": None}
_U32, _U64, _THREADS, _COUNT = 2**32 - 1, 2**64 - 1, 1024, 2**63 - 1


def _address(array):
    return array.ctypes.data if array is not None else None


def _choice(name, given, choices):
    if given not in choices:
        raise ValueError("%s is %r; it is one of: %s" % (name, given, ", ".join(map(repr, choices))))
    return choices[given]


def _mark_failures(sample_status, states, density=None, errors=None):
    """NaN for what failed, as the command's `--on-error nan` has it: outside of the source's support a state is good, and its log p
    is -infinity; one without a log-density is a state like another, whose log p is NaN."""
    if not sample_status.any():
        return
    if states is not None:
        states[~np.isin(sample_status, (0, c.OUTSIDE, c.NO_DENSITY))] = np.nan
    if density is not None:
        density[~np.isin(sample_status, (0, c.OUTSIDE))] = np.nan
    if errors is not None:
        errors[sample_status != 0] = np.nan


class Model:
    """A compiled flow.  It never changes; any number of threads may use it at once."""

    def __init__(self, path, weights=None, cpu=None, source=None):
        self._handle = None
        self._c = c.library()
        options = c.Options(size=ctypes.sizeof(c.Options), cpu=_choice("cpu", cpu, c.CPU))
        if isinstance(weights, (bytes, bytearray)):
            options.weights, options.weights_bytes = bytes(weights), len(weights)
        elif weights is not None:
            options.weights_path = c.text("weights", weights)
        if source is not None:
            options.source_path = c.text("source", source)
        handle, error = ctypes.c_void_p(), c.FlowError()
        c.check(self._c.flowrt_open(c.text("path", path), options, handle, error), error)
        self._handle = handle
        self.name = self._c.flowrt_name(handle).decode()
        self.dim = self._c.flowrt_dim(handle)
        self.dtype = np.dtype(np.float32 if self._c.flowrt_precision(handle) == 4 else np.float64)
        self.cpu = "v%d" % self._c.flowrt_cpu(handle)
        self.description = json.loads(self._c.flowrt_description(handle))
        self.conditions = {self._c.flowrt_condition_name(handle, i).decode(): self._c.flowrt_condition_size(handle, i)
                           for i in range(self._c.flowrt_conditions(handle))}

    def close(self):
        """Gives the memory back; the model cannot be used afterwards."""
        if getattr(self, "_handle", None):
            self._c.flowrt_close(self._handle)
            self._handle = None

    __del__ = close

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __reduce__(self):
        """For copy and pickle: two that close one model would free it twice."""
        raise TypeError("a flowrt.Model is no value that can be copied or pickled; load its file once more")

    def __repr__(self):
        return "<flowrt.Model %s: %d numbers of %s, x86-64-%s>" % (self.name, self.dim, self.dtype, self.cpu)

    # ---- arrays ----

    def _open(self):
        if not self._handle:
            raise c.Error("BAD_CALL", "the model is closed")
        return self._handle

    def _rows(self, x, what):
        """[n, dim] of the model's type, without a copy where it is that already; one point may come as [dim]."""
        x = np.asarray(x, dtype=self.dtype, order="C")
        if x.ndim == 1 and (self.dim != 1 or x.shape[0] == 1):
            x = x[None, :]
        elif x.ndim == 1:
            x = x[:, None]
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise ValueError("%s has shape %s; a state of %s has %d numbers: [n, %d]" % (what, x.shape, self.name, self.dim, self.dim))
        return np.require(x, requirements=("C", "A"))

    def _condition(self, name, size, value, count):
        """A row for all samples, or one for each; where a row is one number, it needs no axis of its own, and that of a matrix may have
        two: the library knows its size alone."""
        value = np.require(value, self.dtype, ("C", "A", "E"))
        rows = value[..., None] if size == 1 and value.shape in ((), (count,)) else value
        whole, first = math.prod(rows.shape) == size, rows.shape[:1]
        if not (rows.ndim and (whole or (first == (count,) and math.prod(rows.shape[1:]) == size))):
            raise ValueError("condition %r has shape %s; it is [%d], or [%d, %d]" % (name, value.shape, size, count, size))
        # Of no samples there is no row, and C wants one.
        return np.reshape(rows, (-1, size)) if rows.size else np.zeros((1, size), self.dtype)

    def _conditions(self, given, count, keep):
        given = dict(given or {})
        array = (c.Array * max(1, len(self.conditions)))()
        for i, (name, size) in enumerate(self.conditions.items()):
            if name not in given:
                raise ValueError("%s wants a condition %r of %d numbers: conditions={%r: ...}" % (self.name, name, size, name))
            value = self._condition(name, size, given.pop(name), count)
            keep.append(value)
            array[i] = c.Array(_address(value), len(value))
        if given:
            raise ValueError("%s has no condition %s; it has: %s" % (self.name, ", ".join(map(repr, given)), list(self.conditions) or "none"))
        return array

    def _request(self, count, keep, seed=0, first=0, source=None, conditions=None, method=None, steps=0, rtol=0.0, atol=0.0, ltol=0.0,
                 max_attempts=0, threads=0):
        array = self._conditions(conditions, count, keep)
        keep.append(array)
        return c.Request(size=ctypes.sizeof(c.Request), threads=c.whole("threads", threads, _THREADS), count=count,
                         first=c.whole("first", first, _U64), seed=c.whole("seed", seed, _U64), from_=_address(source), condition=array,
                         method=c.text("method", method) if method else None, steps=c.whole("steps", steps, _U64), rtol=rtol, atol=atol,
                         ltol=ltol, most_attempts=c.whole("max_attempts", max_attempts, _U64))

    def _starts(self, n, source):
        """How many samples, and the points that they start from."""
        source = None if source is None else self._rows(source, "source")
        n = c.whole("n", n, _COUNT) if n is not None else 1 if source is None else len(source)
        if source is not None and len(source) != n:
            raise ValueError("%d starting points for %d samples" % (len(source), n))
        return n, source

    def _probes(self, request, count, probes, probe, target=0.0):
        """Log p by random vectors; the standard errors' array."""
        if probe not in c.PROBE:
            raise ValueError("there are no probes %r; there are: %s" % (probe, ", ".join(c.PROBE)))
        request.probes, request.probe, request.target = c.whole("probes", probes, _U32), c.PROBE[probe], target
        standard_error = np.empty(count)
        request.standard_error = _address(standard_error)
        return standard_error

    def _solve(self, function, request, progress, *arrays):
        """The call itself: whether samples failed, and the sentence about them."""
        error, watch = c.FlowError(), contextlib.nullcontext()
        if progress is not None:
            watch = c.Watch(progress)
            request.progress = watch.function
        with watch:
            answer = function(self._open(), request, *arrays, error)
        return c.check(answer, error), error.text.decode(errors="replace")

    def _answer(self, failed, sample_status, results, on_error, status):
        """What a call returns, or raises where samples failed and nobody asked for their statuses."""
        results = tuple(results) + ((sample_status,) if status else ())
        result = results if len(results) > 1 else results[0]
        if failed[0] and not status and on_error == "raise":
            raise c.FailedSamples(failed[1], sample_status, result)
        return result

    # ---- what a flow is for ----

    def sample(self, n=None, *, seed=0, first=0, source=None, log_p=False, probes=0, probe="rademacher", standard_error=False, status=False,
               out=None, on_error="raise", progress=None, **how):
        """n samples, [n, dim]; with log_p=True also their log-densities, [n], and with standard_error=True the errors of these.

        source: starting points [n, dim] in place of the flow's source.  probes, probe: as for log_prob.  out: an array to fill.  how:
        conditions={name: [size], or [n, size]} (a matrix by rows), method, steps, rtol, atol, ltol, max_attempts, threads.  progress(done, total) may return
        True to stop; what it raises stops too, and comes out of the call.

        Where samples fail, FailedSamples is raised.  With on_error="keep" all rows are returned, NaN for those that failed; with status=True
        too, and behind the other results comes a status for each sample, [n] of uint8: 0 is well, flowrt.status_text(s) says what else is.
        A point outside of the source's support has its state, and -infinity as log p.
        """
        keep = []
        _choice("on_error", on_error, _ON_ERROR)
        n, source = self._starts(n, source)
        x = np.empty((n, self.dim), self.dtype) if out is None else out
        if not isinstance(x, np.ndarray) or x.shape != (n, self.dim) or x.dtype != self.dtype or not x.flags.carray:
            raise ValueError("out wants [%d, %d] of %s in C order, aligned and writable" % (n, self.dim, self.dtype))
        density = np.empty(n) if log_p else None
        sample_status = np.zeros(n, np.uint8)
        request = self._request(n, keep, seed=seed, first=first, source=source, **how)
        request.x, request.log_p, request.status = _address(x), _address(density), _address(sample_status)
        errors = self._probes(request, n, probes, probe)
        failed = self._solve(self._c.flowrt_sample, request, progress)
        _mark_failures(sample_status, x, density, errors)
        results = (x, density, errors) if log_p and standard_error else (x, density) if log_p else (x,)
        return self._answer(failed, sample_status, results, on_error, status)

    def log_prob(self, x, *, probes=0, probe="rademacher", target=0.0, standard_error=False, latent=False, status=False, on_error="raise",
                 progress=None, **how):
        """log p of the rows of x, [n], in nats; with standard_error=True also the errors of these, [n], and with latent=True the
        points of the source that they come from.

        Without probes the trace of the Jacobian is exact.  probes: how many random vectors estimate it for each row, "rademacher" or
        "gaussian" (probe), row i's a function of the seed and i.  target: as many as a standard error of this takes, no more
        than `probes` (0: 4096): a row's first 16 or more decide how many follow, and those alone are its estimate; its standard error
        is true, and for all but a few rows at most the target.  how, progress, on_error, status: as for sample; a row that fails has NaN
        as log p, or -infinity outside of the source's support.
        """
        keep = []
        _choice("on_error", on_error, _ON_ERROR)
        x = self._rows(x, "x")
        density, sample_status = np.empty(len(x)), np.zeros(len(x), np.uint8)
        origin = np.empty_like(x) if latent else None
        request = self._request(len(x), keep, source=x, **how)
        request.x, request.log_p, request.status = _address(origin), _address(density), _address(sample_status)
        errors = self._probes(request, len(x), probes, probe, target)
        failed = self._solve(self._c.flowrt_log_prob, request, progress)
        _mark_failures(sample_status, origin, density, errors)
        results = (density,) + ((errors,) if standard_error else ()) + ((origin,) if latent else ())
        return self._answer(failed, sample_status, results, on_error, status)

    def trajectory(self, times, n=None, *, seed=0, first=0, source=None, status=False, on_error="raise", progress=None, **how):
        """The states at the times: [times, n, dim].  The steps are those of `sample`, whatever the times are.

        how, progress, on_error, status: as for sample; a sample that fails is NaN at the times that it did not reach, and the statuses
        are [times, n].
        """
        keep = []
        _choice("on_error", on_error, _ON_ERROR)
        times = np.ascontiguousarray(times, dtype=np.float64).reshape(-1)
        n, source = self._starts(n, source)
        path = np.empty((len(times), n, self.dim), self.dtype)
        sample_status = np.zeros((len(times), n), np.uint8)
        request = self._request(n, keep, seed=seed, first=first, source=source, **how)
        failed = self._solve(self._c.flowrt_trajectory, request, progress, _address(times), len(times), _address(path), _address(sample_status))
        _mark_failures(sample_status, path)
        return self._answer(failed, sample_status, (path,), on_error, status)

    # ---- the velocity ----

    def _evaluate(self, t, x, wanted, conditions, threads, direction=None):
        keep = []
        x = self._rows(x, "x")
        t = np.ascontiguousarray(t, dtype=np.float64).reshape(-1)
        if len(t) not in (1, len(x)):
            raise ValueError("%d times for %d points" % (len(t), len(x)))
        result = np.empty(len(x) if wanted == "divergence" else x.shape, self.dtype)
        points = c.Points(size=ctypes.sizeof(c.Points), threads=c.whole("threads", threads, _THREADS), count=len(x), t=_address(t),
                          times=len(t), x=_address(x), condition=self._conditions(conditions, len(x), keep), direction=_address(direction))
        setattr(points, wanted, _address(result))
        error = c.FlowError()
        c.check(self._c.flowrt_evaluate(self._open(), points, error), error)
        return result

    def velocity(self, t, x, *, conditions=None, threads=0):
        """u(t, x): [n, dim]; t is one time, or [n]."""
        return self._evaluate(t, x, "velocity", conditions, threads)

    def divergence(self, t, x, *, conditions=None, threads=0):
        """div u(t, x), exactly: [n]."""
        return self._evaluate(t, x, "divergence", conditions, threads)

    def _product(self, wanted, t, x, direction, name, conditions, threads):
        x, direction = self._rows(x, "x"), self._rows(direction, name)
        if len(direction) != len(x):
            raise ValueError("%d directions for %d points" % (len(direction), len(x)))
        return self._evaluate(t, x, wanted, conditions, threads, direction)

    def jvp(self, t, x, v, *, conditions=None, threads=0):
        """(du/dx)(t, x) v: [n, dim]."""
        return self._product("jvp", t, x, v, "v", conditions, threads)

    def vjp(self, t, x, w, *, conditions=None, threads=0):
        """w (du/dx)(t, x): [n, dim], where the library is compiled with --vjp."""
        return self._product("vjp", t, x, w, "w", conditions, threads)
