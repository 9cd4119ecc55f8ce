# SPDX-License-Identifier: Apache-2.0
"""Writes detest_reference.inc: where the 25 problems of DETEST end, how often SciPy's solvers evaluate them and how far off
they are.

    python3 detest.py > detest_reference.inc          (numpy, scipy)

The problems are those of Hull, Enright, Fellen, Sedgwick, SIAM J. Numer. Anal. 9 (1972), 603, from t = 0 to 20.  The ends are
computed in 80-bit numbers by extrapolation of the modified midpoint rule (Gragg, Bulirsch, Stoer), with more and more steps
until two results differ by less than 1e-14.  Ends are in hexadecimal, rounded once to f64."""
import numpy as np
import scipy
from scipy.integrate import solve_ivp

TOLERANCES = [10.0**-k for k in range(3, 11)]


def kepler(t, y):
    r3 = (y[0] ** 2 + y[1] ** 2) * np.sqrt(y[0] ** 2 + y[1] ** 2)
    return [y[2], y[3], -y[0] / r3, -y[1] / r3]


def circle(t, y):
    r = np.sqrt(y[0] ** 2 + y[1] ** 2)
    return [-y[1] - y[0] * y[2] / r, y[0] - y[1] * y[2] / r, y[0] / r]


def chain(rate):
    def u(t, y):
        n = len(y)
        flow = [rate(i + 1) * y[i] for i in range(n - 1)] + [0 * y[0]]
        return [(flow[i - 1] if i else 0 * y[0]) - flow[i] for i in range(n)]
    return u


def heat(t, y):
    n = len(y)
    return [(y[i - 1] if i else 0 * y[0]) - 2 * y[i] + (y[i + 1] if i < n - 1 else 0 * y[0]) for i in range(n)]


K2 = np.longdouble("2.95912208286")
M0 = np.longdouble("1.00000597682")
M = [np.longdouble(s) for s in ("0.000954786104043", "0.000285583733151", "0.0000437273164546", "0.0000517759138449", "0.00000277777777778")]
PLACES = [3.42947415189, 3.35386959711, 1.35494901715, 6.64145542550, 5.97156957878, 2.18231499728, 11.2630437207, 14.6952576794,
          6.27960525067, -30.1552268759, 1.65699966404, 1.43785752721, -21.1238353380, 28.4465098142, 15.3882659679]
SPEEDS = [-.557160570446, .505696783289, .230578543901, -.415570776342, .365682722812, .169143213293, -.325325669158, .189706021964,
          .0877265322780, -.0240476254170, -.287659532608, -.117219543175, -.176860753121, -.216393453025, -.0148647893090]


def planets(t, y):
    k2, m0 = y.dtype.type(K2), y.dtype.type(M0)
    m = [y.dtype.type(v) for v in M]
    p = y[:15].reshape(5, 3)
    r3 = [(q @ q) * np.sqrt(q @ q) for q in p]
    a = []
    for j in range(5):
        s = -(m0 + m[j]) * p[j] / r3[j]
        for k in range(5):
            if k != j:
                d = p[k] - p[j]
                s = s + m[k] * (d / ((d @ d) * np.sqrt(d @ d)) - p[k] / r3[k])
        a.append(k2 * s)
    return np.concatenate([y[15:]] + a)


def orbit(e):
    return [1 - e, 0, 0, np.sqrt((1 + e) / (1 - e))]


PROBLEMS = {
    "a1": (lambda t, y: [-y[0]], [1]),
    "a2": (lambda t, y: [-y[0] ** 3 / 2], [1]),
    "a3": (lambda t, y: [y[0] * np.cos(t)], [1]),
    "a4": (lambda t, y: [y[0] / 4 * (1 - y[0] / 20)], [1]),
    "a5": (lambda t, y: [(y[0] - t) / (y[0] + t)], [4]),
    "b1": (lambda t, y: [2 * (y[0] - y[0] * y[1]), -(y[1] - y[0] * y[1])], [1, 3]),
    "b2": (lambda t, y: [-y[0] + y[1], y[0] - 2 * y[1] + y[2], y[1] - y[2]], [2, 0, 1]),
    "b3": (lambda t, y: [-y[0], y[0] - y[1] ** 2, y[1] ** 2], [1, 0, 0]),
    "b4": (circle, [3, 0, 0]),
    "b5": (lambda t, y: [y[1] * y[2], -y[0] * y[2], y.dtype.type(-0.51) * y[0] * y[1]], [0, 1, 1]),
    "c1": (chain(lambda i: 1), [1] + [0] * 9),
    "c2": (chain(lambda i: i), [1] + [0] * 9),
    "c3": (heat, [1] + [0] * 9),
    "c4": (heat, [1] + [0] * 50),
    "c5": (planets, PLACES + SPEEDS),
    "d1": (kepler, orbit(0.1)), "d2": (kepler, orbit(0.3)), "d3": (kepler, orbit(0.5)), "d4": (kepler, orbit(0.7)), "d5": (kepler, orbit(0.9)),
    "e1": (lambda t, y: [y[1], -(y[1] / (t + 1) + (1 - y.dtype.type(0.25) / (t + 1) ** 2) * y[0])], [0.6713967071418030, 0.09540051444747446]),
    "e2": (lambda t, y: [y[1], (1 - y[0] ** 2) * y[1] - y[0]], [2, 0]),
    "e3": (lambda t, y: [y[1], y[0] ** 3 / 6 - y[0] + 2 * np.sin(y.dtype.type(2.78535) * t)], [0, 0]),
    "e4": (lambda t, y: [y[1], y.dtype.type(0.032) - y.dtype.type(0.4) * y[1] ** 2], [30, 0]),
    "e5": (lambda t, y: [y[1], np.sqrt(1 + y[1] ** 2) / (25 - t)], [0, 0]),
}


def extrapolate(u, y, steps):
    """Order 16: midpoint rules with 2, 4, ... 16 parts, whose errors are in even powers of the part."""
    parts = [2 * (k + 1) for k in range(8)]
    H = np.longdouble(20) / steps
    f = lambda t, y: np.array(u(t, y), dtype=np.longdouble)
    for s in range(steps):
        t, table = H * s, []
        for k, n in enumerate(parts):
            h = H / n
            a, b = y, y + h * f(t, y)
            for i in range(1, n):
                a, b = b, a + 2 * h * f(t + i * h, b)
            row = [b]
            for j in range(k):
                row.append(row[j] + (row[j] - table[j]) / ((np.longdouble(n) / parts[k - 1 - j]) ** 2 - 1))
            table = row
        y = table[-1]
    return y


def reference(u, y):
    end = extrapolate(u, y, 400)
    for steps in (800, 1600, 3200, 6400, 12800):
        coarse, end = end, extrapolate(u, y, steps)
        if np.max(np.abs(coarse - end) / (1 + np.abs(end))) < 1e-14:
            return end
    raise SystemExit("a reference is not accurate enough")


def main():
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Written by detest.py with SciPy %s.  PROBLEM(name, dim, START, END, and for RK45 and DOP853\n * at 1e-3 ... 1e-10 the evaluations and the largest |error|/(1 + |x|)/tolerance). */" % scipy.__version__)
    for name, (u, start) in PROBLEMS.items():
        start = [float(v) for v in start]
        end = reference(u, np.array(start, dtype=np.longdouble))
        columns = []
        for method in ("RK45", "DOP853"):
            runs = [solve_ivp(lambda t, y: np.asarray(u(t, y)), (0, 20), np.array(start), method=method, rtol=tol, atol=tol) for tol in TOLERANCES]
            columns.append([str(run.nfev) for run in runs])
            columns.append(["%.3g" % (np.max(np.abs(run.y[:, -1] - end) / (1 + np.abs(end))) / tol) for run, tol in zip(runs, TOLERANCES)])
        row = lambda values: "ROW(%s)" % ", ".join(values)
        print("PROBLEM(%s, %d, %s)" % (name, len(start), ",\n        ".join(
            row(column) for column in [[v.hex() for v in start], [float(v).hex() for v in end]] + columns)))


main()
