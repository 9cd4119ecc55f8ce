# SPDX-License-Identifier: Apache-2.0
"""How far a trained flow is from two moons: its mean of -log p above the entropy.

    python3 docs/training/entropy.py 0.05                                    the entropy of `flowc data moons --noise 0.05`
    python3 docs/training/entropy.py 0.05 POINTS.npy LOGP.npy [LOGP.npy ...]  for each, the means of -log p and of
                                                                              log p_data - log p over the points, and standard errors

With both densities at the same points, what the points happen to be is in neither of the differences.  log p_data is an integral along the
two half circles (Gauss and Legendre's rule), the entropy a sum over a grid; needs NumPy."""
import sys

import numpy as np


def log_density(points, spread, nodes):
    node, weight = np.polynomial.legendre.leggauss(nodes)
    angle, weight = np.pi * (node + 1) / 2, weight / 2
    upper, lower = np.stack([np.cos(angle), np.sin(angle)], 1), np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], 1)
    result = np.empty(len(points))
    for at in range(0, len(points), 5000):
        some = points[at : at + 5000].astype(float)
        p = 0
        for moon in (upper, lower):
            square = ((some[:, None] - moon) ** 2).sum(-1)
            p = p + 0.5 * (weight * np.exp(-square / (2 * spread**2))).sum(1) / (2 * np.pi * spread**2)
        result[at : at + 5000] = np.log(np.maximum(p, 1e-300))
    return result


def entropy(spread):
    h = spread / 5
    x, y = np.arange(-1 - 8 * spread, 2 + 8 * spread, h), np.arange(-0.5 - 8 * spread, 1 + 8 * spread, h)
    log_p = log_density(np.stack(np.meshgrid(x, y), -1).reshape(-1, 2), spread, 600)
    return -(np.exp(log_p) * log_p).sum() * h * h


def with_error(values):
    return "%.4f +- %.4f" % (values.mean(), values.std(ddof=1) / np.sqrt(len(values)))


spread = float(sys.argv[1])
print("entropy %.4f" % entropy(spread))
if len(sys.argv) > 3:
    exact = log_density(np.load(sys.argv[2]), spread, 1200)
    for name in sys.argv[3:]:
        log_p = np.load(name)
        print("%s: -log p %s, above the entropy %s" % (name, with_error(-log_p), with_error(exact - log_p)))
