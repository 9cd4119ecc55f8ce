# SPDX-License-Identifier: Apache-2.0
"""digits_data.py FOLDER -- scikit-learn's handwritten digits for run.sh: x = 2 (pixel + u)/17 - 1, u uniform in [0, 1), pixel in 0..16.

The split and the held-out points are those of tests/reference/digits_residual, so that bits per dimension can be compared with its
README.  1500 images to learn from, each 427 times with another u, so that 2500 iterations of 256 see a row once on average; one label
in ten says `no class`."""
import pathlib
import sys

import numpy as np
from sklearn.datasets import load_digits

COPIES, NO_CLASS = 427, 10
# Which of the 1797 images are held out; order: of torch.randperm(1797) after torch.manual_seed(4), from place 1500.
HELD = [
    1436, 827, 973, 564, 381, 1790, 1105, 882, 987, 407, 774, 596, 798, 1738, 1695, 1175, 180, 1032, 367, 405, 1176, 998, 475, 702,
    512, 107, 1635, 902, 850, 30, 1771, 1775, 916, 91, 1565, 890, 1410, 1590, 224, 1227, 627, 1560, 1705, 1321, 1752, 1384, 915, 1063,
    406, 1178, 773, 838, 1601, 514, 1536, 328, 394, 19, 530, 1156, 1262, 1599, 484, 1199, 1499, 1474, 1661, 1476, 1358, 728, 1777,
    124, 1421, 68, 793, 1016, 1682, 1521, 854, 712, 1594, 1528, 1556, 376, 1589, 1463, 1546, 1732, 1027, 1694, 1294, 1351, 144, 618,
    1703, 343, 1793, 684, 1424, 401, 1400, 65, 603, 491, 1151, 510, 453, 568, 1751, 1483, 1166, 1630, 1505, 1015, 815, 537, 1489,
    1537, 232, 572, 539, 1118, 1139, 1278, 860, 699, 1412, 1747, 836, 102, 154, 1146, 138, 1347, 129, 1267, 999, 1145, 7, 1438, 1407,
    1773, 1715, 197, 1313, 1150, 1580, 925, 1096, 1284, 409, 575, 977, 1656, 1222, 638, 271, 544, 983, 1089, 84, 1233, 436, 1115, 872,
    1359, 1348, 1592, 788, 1492, 1404, 25, 322, 1092, 1328, 797, 1757, 883, 642, 1636, 80, 455, 1043, 1171, 895, 804, 302, 92, 196,
    770, 14, 349, 1491, 210, 62, 654, 1111, 420, 1172, 1602, 681, 828, 1631, 408, 526, 1467, 350, 1061, 386, 1719, 799, 597, 888, 398,
    306, 1367, 985, 1683, 452, 282, 1234, 342, 1444, 912, 814, 1189, 1391, 962, 541, 312, 383, 41, 1037, 195, 1708, 905, 422, 751,
    358, 853, 1691, 524, 298, 293, 1273, 1254, 261, 1655, 333, 33, 199, 1792, 1776, 153, 45, 1623, 159, 309, 1782, 964, 459, 321, 791,
    357, 1202, 454, 877, 1687, 1165, 229, 1633, 980, 89, 1785, 265, 646, 241, 120, 332, 1699, 1333, 956, 1531, 548, 949, 336, 1784,
    1245, 1578, 1495, 1102, 226, 896, 1112, 1064, 760, 1001,
]


def one_hot(label):
    return np.eye(NO_CLASS + 1, dtype=np.float32)[label]


def main(folder):
    digits = load_digits()
    learnt = np.setdiff1d(np.arange(len(digits.data)), HELD)
    rng = np.random.default_rng(0)
    rows = np.tile(learnt, COPIES)
    x = 2 * (digits.data[rows] + rng.random((len(rows), 64))) / 17 - 1
    label = np.where(rng.random(len(rows)) < 0.1, NO_CLASS, digits.target[rows])
    np.save(folder / "digits.npy", x.astype(np.float32))
    np.save(folder / "digits-class.npy", one_hot(label))
    stored = np.load(pathlib.Path(__file__).parents[2] / "tests/reference/digits_residual/values.npz")
    first = HELD[:32]
    y, c = stored["y"][:32], stored["y_c"][:32]
    assert (np.floor((y + 1) * 17 / 2) == digits.data[first]).all() and (c.argmax(1) == digits.target[first]).all()
    np.save(folder / "digits-held.npy", y)
    np.save(folder / "digits-held-class.npy", c.astype(np.float32))


main(pathlib.Path(sys.argv[1]))
