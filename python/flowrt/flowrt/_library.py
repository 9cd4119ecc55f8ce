# SPDX-License-Identifier: Apache-2.0
"""libflowrt by ctypes: the structs and functions of flow/flow.h, under their names in C."""

import ctypes
import ctypes.util
import operator
import os
import sys
import threading
from ctypes import POINTER, c_char, c_char_p, c_double, c_int, c_int32, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p

import numpy as np

STATUS = ("OK", "BAD_PROGRAM", "BAD_INPUT", "BAD_CALL", "FAILED_SAMPLES", "BAD_FILE", "NO_MEMORY", "CANCELLED", "INTERNAL")
CPU = {None: 0, "v3": 3, "v4": 4}
PROBE = {"rademacher": 0, "gaussian": 1}
# Of a sample, as solve/solve.h numbers them.
SAMPLE = ("OK", "NON_FINITE", "BAD_START", "OUTSIDE", "NO_DENSITY", "TOO_MANY_STEPS", "STEP_TOO_SMALL", "NON_FINITE_VELOCITY")
OUTSIDE, NO_DENSITY = SAMPLE.index("OUTSIDE"), SAMPLE.index("NO_DENSITY")


class Error(RuntimeError):
    """A call that failed; `status` is the name of its flow_status."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class FailedSamples(Error):
    """Some samples failed: `sample_status` has a number for each (0 is well), of a trajectory one for each time and sample;
    `reason(i)` says what became of sample i, `result` is what the call would have returned, NaN where samples failed."""

    def __init__(self, text, sample_status, result):
        super().__init__("FAILED_SAMPLES", text)
        self.sample_status = sample_status
        self.result = result

    def reason(self, index):
        """In words; of a trajectory the first failure of sample `index`, or with a pair (time, sample) what it was at that time."""
        status = self.sample_status[index] if isinstance(index, tuple) else self.sample_status[..., index]
        return status_text(next((s for s in np.atleast_1d(status) if s), 0))


class FlowError(ctypes.Structure):
    _fields_ = [("text", c_char * 1024)]


class Options(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("cpu", c_uint32), ("weights_path", c_char_p), ("weights", c_char_p),
                ("weights_bytes", c_size_t), ("allocator", c_void_p), ("source_path", c_char_p)]


class Array(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("rows", c_uint64)]


class Summary(ctypes.Structure):
    _fields_ = [("samples", c_uint64), ("failed", c_uint64), ("first_failed", c_uint64), ("evaluations", c_uint64),
                ("most_evaluations", c_uint64), ("rejected", c_uint64)]


Progress = ctypes.CFUNCTYPE(c_int, c_void_p, c_uint64, c_uint64)


class Watch:
    """A `progress` of Python's, as C calls it.  What it raises stops the solve and is raised behind the call, where `with` ends.

    Python looks for signals where a function begins, ahead of any `try` in it: Ctrl-C during a solve is raised as `_tell` begins, and
    ctypes hands that to sys.unraisablehook alone.  Signals come to the main thread, so in it the hook is watched during the call.
    """

    def __init__(self, progress):
        self._progress, self._raised, self._hook = progress, None, None
        self.function = Progress(self._tell)

    def _tell(self, _, done, total):
        try:
            return 1 if self._raised is not None or self._progress(done, total) else 0
        except BaseException as why:
            self._raised = why
            return 1

    def _unraisable(self, about):
        place = about.exc_traceback
        if place is not None and place.tb_frame.f_code is Watch._tell.__code__ and place.tb_frame.f_locals.get("self") is self:
            self._raised = about.exc_type() if about.exc_value is None else about.exc_value
        else:
            self._hook(about)

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self._hook, sys.unraisablehook = sys.unraisablehook, self._unraisable

    def __exit__(self, *_):
        if self._hook is not None:
            sys.unraisablehook = self._hook
        if self._raised is not None:
            raise self._raised


class Request(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("threads", c_int32), ("count", c_uint64), ("first", c_uint64), ("seed", c_uint64),
                ("from_", c_void_p), ("condition", POINTER(Array)), ("method", c_char_p), ("steps", c_uint64),
                ("rtol", c_double), ("atol", c_double), ("ltol", c_double), ("most_attempts", c_uint64),
                ("progress", Progress), ("user", c_void_p), ("x", c_void_p), ("log_p", c_void_p), ("status", c_void_p),
                ("summary", POINTER(Summary)), ("probes", c_uint32), ("probe", c_uint32), ("target", c_double),
                ("standard_error", c_void_p), ("probes_used", c_void_p)]


class Points(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("threads", c_int32), ("count", c_uint64), ("t", c_void_p), ("times", c_uint64),
                ("x", c_void_p), ("condition", POINTER(Array)), ("direction", c_void_p), ("velocity", c_void_p),
                ("divergence", c_void_p), ("jvp", c_void_p), ("vjp", c_void_p)]


_model, _error = c_void_p, POINTER(FlowError)
_functions = {
    "flowrt_open": (c_int, c_char_p, POINTER(Options), POINTER(c_void_p), _error),
    "flowrt_close": (None, _model),
    "flowrt_name": (c_char_p, _model),
    "flowrt_description": (c_char_p, _model),
    "flowrt_dim": (c_uint32, _model),
    "flowrt_precision": (c_uint32, _model),
    "flowrt_cpu": (c_uint32, _model),
    "flowrt_conditions": (c_uint32, _model),
    "flowrt_condition_name": (c_char_p, _model, c_uint32),
    "flowrt_condition_size": (c_uint64, _model, c_uint32),
    "flowrt_sample": (c_int, _model, POINTER(Request), _error),
    "flowrt_log_prob": (c_int, _model, POINTER(Request), _error),
    "flowrt_trajectory": (c_int, _model, POINTER(Request), c_void_p, c_size_t, c_void_p, c_void_p, _error),
    "flowrt_evaluate": (c_int, _model, POINTER(Points), _error),
    "flowrt_status_text": (c_char_p, c_uint8),
    "flowrt_version": (c_char_p,),
}
_name = "libflowrt.so.0"
_loaded = None


def _places():
    given = os.environ.get("FLOWRT_LIBRARY")
    if given:
        return [given]
    here = os.path.dirname(os.path.abspath(__file__))
    tree = os.path.join(here, "..", "..", "..", "build")
    folders = (here, os.path.join(sys.prefix, "lib"), tree)
    return [os.path.join(f, _name) for f in folders if os.path.exists(os.path.join(f, _name))] + [_name]


def library():
    """The library, loaded when it is first needed."""
    global _loaded
    if _loaded is not None:
        return _loaded
    wrong = []
    for place in _places():
        try:
            found = ctypes.CDLL(place)
            break
        except OSError as why:
            wrong.append(str(why))
    else:
        raise Error("BAD_FILE", "libflowrt is not here (%s); `cmake --install` installs it, and FLOWRT_LIBRARY may name "
                    "the file" % "; ".join(wrong))
    for name, (result, *arguments) in _functions.items():
        try:
            function = getattr(found, name)
        except AttributeError:
            raise Error("BAD_FILE", "%s has no function %s: it is older than this package" % (place, name)) from None
        function.restype, function.argtypes = result, arguments
    _loaded = found
    return found


def whole(name, value, most):
    """An integer from 0 to `most`: ctypes would take any, and cut off what does not fit."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError("%s is %r; it is a whole number from 0 to %d" % (name, value, most)) from None
    if not 0 <= number <= most:
        raise ValueError("%s is %d; it is a whole number from 0 to %d" % (name, number, most))
    return number


def text(name, value):
    """For C, to which a text ends with its first 0."""
    value = os.fsencode(value)
    if b"\0" in value:
        raise ValueError("%s has a 0 byte in it: %r" % (name, value))
    return value


def check(status, error):
    """Raises what a call answered, but for FAILED_SAMPLES, which is data."""
    if status and STATUS[status] != "FAILED_SAMPLES":
        raise Error(STATUS[status], error.text.decode(errors="replace"))
    return status


def status_text(status):
    """What became of a sample, in words: of one number of the statuses that `status=True` and `FailedSamples` give."""
    return library().flowrt_status_text(whole("status", status, 255)).decode()


def version():
    return library().flowrt_version().decode()
