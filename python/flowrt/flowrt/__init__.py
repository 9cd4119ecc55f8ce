# SPDX-License-Identifier: Apache-2.0
"""Compiled flow models in Python.

    m = flowrt.load("moons.so")
    x, log_p = m.sample(1000, seed=1, log_p=True)
    m.log_prob(x); m.velocity(0.5, x); m.divergence(0.5, x); m.jvp(0.5, x, v)
    m.log_prob(x, probes=16, seed=1, standard_error=True)            # by random vectors: log p and its errors
    m.trajectory([0, 0.5, 1], n=10, seed=1)                          # [times, n, dim]

    flowrt.export(module, (t, x), "net")                             # a PyTorch module as net.flow and net.safetensors

A call that fails raises `flowrt.Error` (`.status` is its name) with the sentence from C; where single samples failed,
`flowrt.FailedSamples`, which has the results and a status for each sample.  With on_error="keep" nothing is raised, and the numbers of
samples that failed are NaN; with status=True the statuses come back behind the results, and `flowrt.status_text` has their words:

    x, status = m.sample(1000, seed=1, status=True)
"""

from ._export import Untranslatable, export
from ._library import Error, FailedSamples, status_text, version
from ._model import Model, load

__version__ = "0.1.0"
__all__ = ["load", "Model", "Error", "FailedSamples", "export", "Untranslatable", "status_text", "version"]
