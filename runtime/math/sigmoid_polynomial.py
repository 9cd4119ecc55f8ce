# SPDX-License-Identifier: Apache-2.0
"""sigmoid_polynomial.py -- the f32 coefficients of exp_negative (polynomials.inc).

sigmoid(x) = 1/(1 + 2^n P(r)), P(r) = 1 + c1 r + ... + c5 r^5 ~ e^r.  A relative error of P counts E/(1 + E) in the result,
E = 2^n e^r, and an ulp is a smaller relative error just below a power of two than just above.  Minimising the error in ulp
over a grid of n and r is a linear programme: |weight (P(r) e^-r - 1)| <= bound for every point.  It reaches 1.17 ulp;
ordinary minimax weights give 1.6.  Needs numpy and scipy; prints the bound and c1 ... c5 (signs alternate in P(-r))."""
import numpy as np
from scipy.optimize import linprog

DEGREE = 5
rows, limits = [], []
for n in [*range(-4, 12), *range(12, 127, 6), 126]:
    r = np.linspace(-0.34665, 0.34665, 161)
    sigmoid = 1 / (1 + np.exp2(n) * np.exp(r))
    ulp = np.exp2(np.floor(np.log2(sigmoid)) - 23) / sigmoid
    for weight, x in zip((1 - sigmoid) / ulp, r):
        powers = weight * np.exp(-x) * np.array([x**k for k in range(1, DEGREE + 1)])
        constant = weight * (np.exp(-x) - 1)
        rows += [np.append(powers, -1), np.append(-powers, -1)]
        limits += [-constant, constant]
best = linprog([0] * DEGREE + [1], A_ub=np.array(rows), b_ub=np.array(limits),
               bounds=[(None, None)] * DEGREE + [(0, None)], method="highs")
print(f"{best.x[-1]:.3f} ulp", *(float(np.float32(c)).hex() for c in best.x[:-1]))
