"""Writes what the tests of designs and of their analysis are held to, from libraries that are not ours.

    python -m venv .oracles && .oracles/bin/pip install numpy scipy statsmodels pyDOE3
    .oracles/bin/python test/oracles/designs.py        # rewrites test/fixtures/designs/*.json

Nothing here is random: every generator has its seed. The versions that wrote a file stand in it.
"""

import itertools
import json
import math
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyDOE3
import statsmodels.api as sm
from scipy import stats

HERE = Path(__file__).resolve().parent.parent / "fixtures" / "designs"
VERSIONS = {name: version(name) for name in ("numpy", "scipy", "statsmodels", "pyDOE3")}
LETTERS = "ABCDEFGHJK"  # I is the mean


def write(name, value):
    HERE.mkdir(parents=True, exist_ok=True)
    (HERE / name).write_text(json.dumps({"versions": VERSIONS, **value}, indent=1) + "\n")


# --- Fractions: minimum aberration by exhaustive search, rows by pyDOE3, aliases by multiplying columns out.

def word_length_pattern(base, columns):
    """Number of words of length 3, 4, … of the defining relation of base factors and these generator columns."""
    words = [0]
    for index, column in enumerate(columns):
        word = column | 1 << (base + index)
        words += [word ^ other for other in words]
    counts = [0] * (base + len(columns) + 1)
    for word in words[1:]:
        counts[word.bit_count()] += 1
    return counts[3:]


def least_aberration(factors, runs):
    """The sequentially smallest word length pattern of all 2^(factors−p) fractions in `runs`."""
    base = int(math.log2(runs))
    products = [word for word in range(1, runs) if word.bit_count() >= 2]
    return min(word_length_pattern(base, chosen) for chosen in itertools.combinations(products, factors - base))


def full_columns(base):
    rows = list(itertools.product([-1, 1], repeat=base))
    return [[row[i] for row in rows] for i in range(base)]


def brute_aliases(columns):
    """Main effects and two-factor interactions with equal columns: by multiplying, without any algebra of words."""
    named = {LETTERS[i]: np.array(column) for i, column in enumerate(columns)}
    pairs = {f"{a}×{b}": named[a] * named[b] for a, b in itertools.combinations(named, 2)}
    sets = {}
    for name, column in {**named, **pairs}.items():
        sets.setdefault(tuple(column), []).append(name)
    return sorted(sorted(names, key=lambda name: (len(name), name)) for names in sets.values() if len(names) > 1)


# pyDOE3 reads generators in lower case, one word a factor.
FRACTIONS = {
    (3, 4): "a b ab", (4, 8): "a b c abc", (5, 8): "a b c ab ac", (6, 8): "a b c ab ac bc", (7, 8): "a b c ab ac bc abc",
    (5, 16): "a b c d abcd", (6, 16): "a b c d abc bcd", (7, 16): "a b c d abc bcd acd",
    (8, 16): "a b c d bcd acd abc abd", (9, 16): "a b c d abc bcd acd abd abcd",
    (10, 16): "a b c d abc bcd acd abd abcd ab", (6, 32): "a b c d e abcde", (7, 32): "a b c d e abcd abde",
    (8, 32): "a b c d e abc abd bcde", (9, 32): "a b c d e bcde acde abde abce",
    (10, 32): "a b c d e abcd abce abde acde bcde",
}


def fractions():
    made = []
    for (factors, runs), words in FRACTIONS.items():
        rows = pyDOE3.fracfact(words)
        columns = [[int(value) for value in column] for column in rows.T]
        pattern = least_aberration(factors, runs)
        made.append({
            "factors": factors,
            "runs": runs,
            "rows": sorted([int(value) for value in row] for row in rows),
            "resolution": 3 + next(i for i, count in enumerate(pattern) if count),
            "word_length_pattern_of_least_aberration": pattern,
            "aliases": brute_aliases(columns),
        })
    write("fractions.json", {"fractions": made})


def plackett_burman():
    write("plackett-burman.json", {"rows": [[int(v) for v in row] for row in pyDOE3.pbdesign(11)]})


# --- Effects with block terms against statsmodels' OLS.

def effects():
    rng = np.random.default_rng(20260321)
    sets = []

    def add(name, names, rows, blocks, values, interactions, noise=None):
        """Treatment-coded blocks, ±1 factors, products of the pairs that the runs can tell apart; an effect is twice its
        coefficient."""
        rows = np.array(rows, float)
        labels = sorted(set(blocks))
        columns = {"mean": np.ones(len(rows))}
        for label in labels[1:]:
            columns[f"block {label}"] = np.array([float(block == label) for block in blocks])
        for i, factor in enumerate(names):
            columns[factor] = rows[:, i]
        for i, j in interactions:
            columns[f"{names[i]}×{names[j]}"] = rows[:, i] * rows[:, j]
        matrix = np.column_stack(list(columns.values()))
        assert np.linalg.matrix_rank(matrix) == matrix.shape[1], name
        fit = sm.OLS(np.array(values), matrix).fit()
        df = fit.df_resid if noise is None else noise["df"]
        scale = fit.mse_resid if noise is None else noise["sd"] ** 2
        found = []
        for k, column in enumerate(columns):
            if column == "mean" or column.startswith("block"):
                continue
            estimate = 2 * fit.params[k]
            se = 2 * math.sqrt(fit.normalized_cov_params[k, k] * scale)
            half = stats.t.ppf(0.975, df) * se
            found.append({"name": column, "estimate": estimate, "se": se, "low": estimate - half, "high": estimate + half,
                          "p": 2 * stats.t.sf(abs(estimate / se), df)})
        sets.append({
            "name": name, "factors": names, "interactions": len(interactions) > 0, "noise": noise, "residual_df": fit.df_resid,
            "residual_sd": math.sqrt(fit.mse_resid) if fit.df_resid > 0 else None,
            "runs": [{"row": [int(v) for v in row], "block": block, "value": value}
                     for row, block, value in zip(rows, blocks, values)],
            "effects": found,
        })

    def values_of(rows, blocks, beta, offsets, sd, pair=0.0):
        return [float(0.98 + np.dot(beta, row) + pair * row[0] * row[1] + offsets[block] + rng.normal(0, sd))
                for row, block in zip(rows, blocks)]

    offsets = {"gpu-01": 0.0, "gpu-02": -0.005, "gpu-03": 0.002}
    full = list(itertools.product([-1, 1], repeat=3))
    pairs = [(0, 1), (0, 2), (1, 2)]
    twice = full + full
    blocks = ["gpu-01" if row[0] * row[1] * row[2] > 0 else "gpu-02" for row in twice]
    add("a full factorial of three, twice, in two blocks", list("ABC"), twice, blocks,
        values_of(twice, blocks, [0.004, -0.002, 0.0], offsets, 7e-4, 0.001), pairs)

    some = [row for index, row in enumerate(twice) if index not in (1, 6, 12)]
    blocks = [["gpu-01", "gpu-02", "gpu-03"][index % 3] for index in range(len(some))]
    add("three runs missing, three unequal blocks", list("ABC"), some, blocks,
        values_of(some, blocks, [0.003, 0.001, -0.002], offsets, 5e-4), pairs)

    unequal = full + [full[0]] * 3 + [full[5]]
    blocks = ["gpu-01"] * 5 + ["gpu-02"] * 7
    add("unequal replicates", list("ABC"), unequal, blocks,
        values_of(unequal, blocks, [0.0, 0.002, 0.001], offsets, 1e-3), pairs)

    quarter = [tuple(int(v) for v in row) for row in pyDOE3.fracfact("a b c ab ac")]
    blocks = ["gpu-01"] * 8
    # D = A×B and E = A×C leave two pairs with columns of their own: B×C (= D×E) and B×E (= C×D).
    add("a saturated fraction with a noise floor from outside", list("ABCDE"), quarter, blocks,
        values_of(quarter, blocks, [0.004, 0, 0, 0.001, 0], offsets, 2e-4), [(1, 2), (1, 4)], {"sd": 2.5e-4, "df": 9})

    screen = [tuple(int(v) for v in row) for row in pyDOE3.pbdesign(11)][:11]
    screen = [row[:6] for row in screen]
    blocks = ["gpu-01" if index % 2 else "gpu-02" for index in range(11)]
    add("Plackett–Burman with its last run missing, two blocks", list("ABCDEF"), screen, blocks,
        values_of(screen, blocks, [0.004, 0, -0.003, 0.001, 0, 0], offsets, 2e-4), [])
    write("effects.json", {"sets": sets})


# --- Lenth 1989, written from the paper.

def lenth():
    rng = np.random.default_rng(1989)
    sets = []
    for name, contrasts in {
        "fifteen contrasts, three large": np.concatenate([rng.normal(0, 1e-3, 12), [0.02, -0.013, 0.009]]),
        "seven, all noise": rng.normal(0, 5e-4, 7),
        "three only": np.array([0.004, -0.001, 0.0005]),
        "thirty-one, one large": np.concatenate([rng.normal(0, 1, 30), [9.0]]),
    }.items():
        size = np.abs(contrasts)
        s0 = 1.5 * np.median(size)
        pse = 1.5 * np.median(size[size < 2.5 * s0])
        m = len(size)
        gamma = (1 + 0.95 ** (1 / m)) / 2
        sets.append({"name": name, "contrasts": contrasts.tolist(), "pse": pse, "df": m / 3,
                     "me": stats.t.ppf(0.975, m / 3) * pse, "sme": stats.t.ppf(gamma, m / 3) * pse})
    write("lenth.json", {"sets": sets})


# --- Rank correlations.

def rank_correlations():
    rng = np.random.default_rng(7)
    x = rng.normal(size=12)
    sets = [
        ("twelve, no ties", x, x + rng.normal(size=12)),
        ("ties in both", np.array([1, 2, 2, 3, 3, 3, 4, 5.0]), np.array([2, 1, 2, 2, 5, 4, 4, 6.0])),
        ("inverted", np.arange(6.0), -np.arange(6.0) + np.array([0, 0, 0.1, 0, 0, 0])),
        ("three", np.array([0.98, 0.97, 0.99]), np.array([0.975, 0.974, 0.973])),
    ]
    write("rank-correlation.json", {"sets": [
        {"name": name, "x": a.tolist(), "y": b.tolist(), "spearman": stats.spearmanr(a, b).statistic,
         "spearman_p": stats.spearmanr(a, b).pvalue, "kendall": stats.kendalltau(a, b).statistic}
        for name, a, b in sets]})


# --- Trends: weighted polynomial regression by statsmodels gives the same tests as orthogonal contrasts.

def trends():
    rng = np.random.default_rng(48)
    sets = []
    for name, x, f, sd, df in [
        ("evenly spaced, three each", np.repeat([1.0, 2, 3, 4, 5], 3), lambda v: 0.98 + 0.002 * v, 1e-3, 10),
        ("unequally spaced, unequal replicates", np.array([48, 64, 64, 72, 80, 80, 80, 96, 112.0]),
         lambda v: 0.977 + 7e-6 * (v - 88) ** 2, 7e-4, 12),
        ("one run a level", np.array([0.02, 0.03, 0.05, 0.07, 0.1]), lambda v: 0.975 + 4 * (v - 0.05) ** 2, 2e-4, 6),
    ]:
        y = f(x) + rng.normal(0, sd, len(x))
        linear = sm.OLS(y, np.column_stack([np.ones_like(x), x])).fit()
        centred = x - x.mean()
        quadratic = sm.OLS(y, np.column_stack([np.ones_like(x), centred, centred ** 2])).fit()
        levels = np.unique(x)
        means = np.array([y[x == level].mean() for level in levels])
        counts = np.array([(x == level).sum() for level in levels])
        between = float((counts * (means - y.mean()) ** 2).sum())
        f_value = between / (len(levels) - 1) / sd ** 2
        t_linear = linear.params[1] / (sd * math.sqrt(linear.normalized_cov_params[1, 1]))
        t_quadratic = quadratic.params[2] / (sd * math.sqrt(quadratic.normalized_cov_params[2, 2]))
        # Slope of the parabola at an end: a linear combination of its coefficients, with its variance.
        slopes = []
        for end in (levels[0], levels[-1]):
            combination = np.array([0, 1, 2 * (end - x.mean())])
            variance = combination @ quadratic.normalized_cov_params @ combination
            slopes.append(float(combination @ quadratic.params / (sd * math.sqrt(variance))))
        vertex = x.mean() - quadratic.params[1] / (2 * quadratic.params[2])
        sets.append({"name": name, "x": x.tolist(), "y": y.tolist(), "sd": sd, "df": df,
                     "linear_t": t_linear, "linear_p": 2 * stats.t.sf(abs(t_linear), df),
                     "quadratic_t": t_quadratic, "quadratic_p": 2 * stats.t.sf(abs(t_quadratic), df),
                     "any_p": float(stats.f.sf(f_value, len(levels) - 1, df)), "vertex": vertex, "end_slopes": slopes,
                     "spearman": stats.spearmanr(levels, means).statistic})
    write("trends.json", {"sets": sets})


# --- Two tiers: config × tier by comparing statsmodels' additive fit with the full one.

def tiers():
    rng = np.random.default_rng(26)
    sets = []
    for name, effect, replicates in [
        ("additive", lambda c, t: 0.003 * c - 0.005 * t, [2, 3, 2]),
        ("one pair inverted", lambda c, t: 0.003 * c - 0.005 * t + (0.008 if (c, t) == (0, 1) else 0), [2, 2, 2, 2]),
        ("unequal replicates", lambda c, t: 0.002 * c - 0.004 * t, [1, 4, 2, 3, 1]),
    ]:
        runs = [(c, t, 0.98 + effect(c, t) + rng.normal(0, 5e-4))
                for c, n in enumerate(replicates) for t in (0, 1) for _ in range(n if t == 0 else 2)]
        c, t, y = (np.array(column, float) for column in zip(*runs))
        count = len(replicates)
        additive = np.column_stack([np.ones_like(y), t] + [(c == k).astype(float) for k in range(1, count)])
        full = np.column_stack([additive] + [t * (c == k) for k in range(1, count)])
        small, large = sm.OLS(y, additive).fit(), sm.OLS(y, full).fit()
        f_value, p, df = large.compare_f_test(small)
        sets.append({"name": name, "runs": [{"config": f"c{int(a)}", "tier": ["screen", "validate"][int(b)], "value": v}
                                            for a, b, v in runs],
                     "f": f_value, "p": p, "numerator_df": df, "residual_sd": math.sqrt(large.mse_resid),
                     "residual_df": large.df_resid})
    write("tiers.json", {"sets": sets})


# --- Accelerators side by side: statsmodels' OLS with a dummy for each configuration and for each accelerator but the reference.

def hardware():
    rng = np.random.default_rng(100)
    sets = []
    for name, cells, noise in [
        ("each configuration on both, twice", [(c, a, 2) for c in range(4) for a in ("H100:1", "H200:1")], None),
        ("most runs missing, unequal replicates",
         [(0, "H100:1", 3), (0, "H200:1", 1), (1, "H100:1", 2), (2, "H100:1", 1), (2, "H200:1", 4), (3, "H200:1", 1)], None),
        ("a third reached through the second, noise from outside",
         [(0, "H100:1", 3), (0, "H200:1", 2), (1, "H200:1", 1), (1, "A100:1", 1), (2, "A100:1", 2), (3, "H100:1", 2)],
         {"sd": 4e-4, "df": 9}),
    ]:
        worth = {"H100:1": 0.0, "H200:1": -0.005, "A100:1": 0.004}
        runs = [(c, a, 0.98 + 0.002 * c + worth[a] + rng.normal(0, 5e-4)) for c, a, n in cells for _ in range(n)]
        configs, y = sorted({c for c, _, _ in runs}), np.array([value for _, _, value in runs])
        counts = {a: sum(run[1] == a for run in runs) for a in worth}
        reference, *others = [a for a in sorted(counts, key=lambda a: -counts[a]) if counts[a] > 0]
        matrix = np.column_stack([[float(run[0] == c) for run in runs] for c in configs]
                                 + [[float(run[1] == a) for run in runs] for a in others])
        assert np.linalg.matrix_rank(matrix) == matrix.shape[1], name
        fit = sm.OLS(y, matrix).fit()
        scale = fit.mse_resid if noise is None else noise["sd"] ** 2
        found = [{"accelerator": a, "offset": fit.params[len(configs) + k],
                  "se": math.sqrt(fit.normalized_cov_params[len(configs) + k, len(configs) + k] * scale)}
                 for k, a in enumerate(others)]
        sets.append({"name": name, "noise": noise, "reference": reference, "offsets": found,
                     "runs": [{"config": f"c{c}", "accelerator": a, "value": value} for c, a, value in runs]})
    write("hardware.json", {"sets": sets})


# --- Machines that nothing joins: SciPy's regression of their means on the logarithm of their steps.

def step_offsets():
    rng = np.random.default_rng(953)
    sets = []
    for name, counts in [("one run each", [1, 1, 1, 1]), ("unequal runs", [3, 1, 2, 5, 1]), ("three machines", [2, 1, 4])]:
        steps = [int(v) for v in rng.integers(900, 1600, len(counts))]
        runs = [{"block": f"h{h}", "steps": steps[h] + k, "value": float(0.98 - 0.05 * math.log(steps[h] / 1000) + rng.normal(0, 1e-3))}
                for h, n in enumerate(counts) for k in range(n)]
        logs = np.array([np.mean([math.log(r["steps"]) for r in runs if r["block"] == f"h{h}"]) for h in range(len(counts))])
        means = np.array([np.mean([r["value"] for r in runs if r["block"] == f"h{h}"]) for h in range(len(counts))])
        slope = stats.linregress(logs, means).slope
        sets.append({"name": name, "runs": runs, "offsets": (slope * (logs - logs.mean())).tolist()})
    write("step-offsets.json", {"sets": sets})


for write_fixture in (
    fractions, plackett_burman, effects, lenth, rank_correlations, trends, tiers, hardware, step_offsets,
):
    write_fixture()
