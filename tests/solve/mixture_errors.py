# SPDX-License-Identifier: Apache-2.0
"""Writes mixture_errors.inc: the mean of -log p of 2,000 points under the path to a mixture of two Gaussians, as fixed steps
find it, and the worst error of log p.

    python3 mixture_errors.py > mixture_errors.inc          (numpy)

The points are 1,000 quantiles of the radius around each mean, turned by the golden angle: spread as exact samples are."""
import numpy as np

MEAN, SPREAD = np.array([[-2.0, 0.0], [2.0, 1.0]]), 0.5
METHODS = {  # rows of a, weights b
    "euler": ([[]], [1]),
    "midpoint": ([[], [1 / 2]], [0, 1]),
    "rk4": ([[], [1 / 2], [0, 1 / 2], [0, 0, 1]], [1 / 6, 1 / 3, 1 / 3, 1 / 6]),
}


def points():
    k = np.arange(2000)
    j = k // 2
    radius, angle = SPREAD * np.sqrt(-2 * np.log1p(-(j + 0.5) / 1000)), 2 * np.pi * j * 0.6180339887498949
    return MEAN[k % 2] + np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)


def log_density(y):
    exponent = -((y[:, None] - MEAN) ** 2).sum(-1) / (2 * SPREAD**2)
    return np.logaddexp(exponent[:, 0], exponent[:, 1]) - np.log(4 * np.pi * SPREAD**2)


def velocity(t, x):
    """The velocity, and its divergence: sum_k w_k (d a + grad log w_k . u_k)."""
    variance = (1 - t) ** 2 + (SPREAD * t) ** 2
    a = (SPREAD**2 * t - (1 - t)) / variance
    d = x[:, None] - t * MEAN
    exponent = -(d**2).sum(-1) / (2 * variance)
    w = np.exp(exponent - exponent.max(1, keepdims=True))
    w /= w.sum(1, keepdims=True)
    each, slope = MEAN + a * d, -d / variance
    slope = slope - (w[..., None] * slope).sum(1, keepdims=True)
    return (w[..., None] * each).sum(1), 2 * a + (w[..., None] * slope * each).sum((1, 2))


def log_p(method, steps, y):
    rows, weights = METHODS[method]
    x, integral, h = y.copy(), np.zeros(len(y)), -1 / steps
    for i in range(steps):
        rates, divergences = [], []
        for row in rows:
            stage = x + h * sum((a * k for a, k in zip(row, rates)), np.zeros_like(x))
            k, div = velocity(1 + (i + sum(row)) * h, stage)
            rates.append(k)
            divergences.append(div)
        x = x + h * sum(b * k for b, k in zip(weights, rates))
        integral += h * sum(b * k for b, k in zip(weights, divergences))
    return -(x**2).sum(1) / 2 - np.log(2 * np.pi) + integral


print("/* SPDX-License-Identifier: Apache-2.0 */")
print(f"/* Written by mixture_errors.py (numpy {np.__version__}); the exact mean is {-log_density(points()).mean():.4f}. */")
for method in METHODS:
    for steps in (10, 20, 50, 100, 200):
        found, exact = log_p(method, steps, points()), log_density(points())
        print(f'{{"{method}", {steps}, "{-found.mean():.4f} ({abs(found - exact).max():.1e})"}},')
