"""Expected values for test/domain/analysis, by SciPy, statsmodels and plain NumPy.

    pip install numpy scipy statsmodels
    python test/oracles/statistics.py

writes test/fixtures/statistics/*.json; each says which versions made it. The fixtures are kept, so that the tests need no Python.
Nothing here is a translation of src/domain/analysis: where no library has the quantity, it is worked out along another way
(generalised least squares with the full covariance matrix, not Henderson's equations with the configurations absorbed).
"""

import json
import math
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import integrate, stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "statistics"
VERSIONS = {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__}
PRIOR_DF = 6


def write(name, content):
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"made_by": "test/oracles/statistics.py", "versions": VERSIONS, **content}, indent=1)
    (FOLDER / f"{name}.json").write_text(text + "\n")


def campaign(seed, cells, host_sd, hardware=0.0, run_sd=1.5e-4, effects=5e-4):
    """Runs of `cells` [(configuration, block, replicates)], in shuffled order."""
    rng = np.random.default_rng(seed)
    configs = sorted({c for c, _, _ in cells})
    blocks = sorted({b for _, b, _ in cells})
    mu = {c: 0.98 + effects * rng.standard_normal() for c in configs}
    offset = {b: host_sd * rng.standard_normal() + (hardware if i % 4 == 3 else 0.0) for i, b in enumerate(blocks)}
    runs = [
        {"config": c, "block": b, "value": float(mu[c] + offset[b] + run_sd * rng.standard_normal())}
        for c, b, n in cells
        for _ in range(n)
    ]
    rng.shuffle(runs)
    return runs


def balanced():
    return campaign(1, [(c, b, 2) for c in "ABCD" for b in ("h1", "h2", "h3")], host_sd=7e-4)


def missing_runs():
    """Nine blocks joined by the incumbent and a few retests; unequal replicates, most cells empty."""
    cells = [("incumbent", f"h{i}", 1 + i % 3) for i in range(1, 9)]
    cells += [(f"c{i}", f"h{1 + i % 9}", 1 + (i % 4 == 0)) for i in range(12)]
    cells += [("c1", "h5", 2), ("c8", "h2", 1), ("c3", "h7", 3)]
    return campaign(2, cells, host_sd=7e-4, hardware=-5e-3)


def two_islands():
    """Two groups of blocks with no configuration in common."""
    cells = [("A", "h1", 2), ("A", "h2", 1), ("B", "h2", 3), ("C", "h1", 1), ("A", "h3", 1)]
    cells += [("D", "g1", 1), ("D", "g2", 2), ("E", "g2", 1), ("E", "g3", 1), ("F", "g3", 2), ("F", "g4", 1)]
    cells += [("D", "g5", 1), ("G", "g5", 2), ("E", "g1", 1)]
    return campaign(3, cells, host_sd=1e-3)


def alike():
    """Blocks that do not differ: the estimate of their variance may come out as 0."""
    cells = [(c, f"h{i}", 1 + (i + j) % 2) for j, c in enumerate("ABC") for i in range(1, 9)]
    return campaign(seed=5, cells=cells, host_sd=0.0)


def few_hosts():
    """Four blocks, missing cells and unequal replicates: too few blocks to shrink by."""
    cells = [("incumbent", "h1", 3), ("incumbent", "h2", 1), ("A", "h1", 1), ("A", "h3", 2), ("B", "h2", 2)]
    cells += [("B", "h4", 1), ("C", "h4", 4), ("D", "h3", 1)]
    return campaign(4, cells, host_sd=7e-4)


DATA = {
    "balanced": balanced(),
    "few hosts": few_hosts(),
    "missing runs": missing_runs(),
    "two islands": two_islands(),
    "hosts alike": alike(),
}


def cells_of(runs):
    cells = defaultdict(list)
    for run in runs:
        cells[run["config"], run["block"]].append(run["value"])
    return cells


def pooled(runs):
    """Residual mean square of a one-way ANOVA with a mean for each cell."""
    labels = [f"{r['config']}|{r['block']}" for r in runs]
    names = sorted(set(labels))
    design = np.array([[float(label == name) for name in names] for label in labels])
    fit = sm.OLS([r["value"] for r in runs], design).fit()
    return math.sqrt(fit.mse_resid), int(fit.df_resid)


def noise_floors():
    cases = []
    few = {
        "one pair": campaign(11, [("A", "h1", 2), ("B", "h1", 1), ("A", "h2", 1)], host_sd=7e-4),
        "five df, unequal": campaign(12, [("A", "h1", 4), ("B", "h2", 3), ("C", "h1", 1)], host_sd=7e-4),
        "six df": campaign(13, [("A", "h1", 4), ("B", "h2", 4)], host_sd=7e-4),
    }
    for name, runs in {**DATA, **few}.items():
        sd, df = pooled(runs)
        for prior in (None, 2e-4):
            # Posterior scale of a variance under a scaled inverse chi-square prior.
            used = prior is not None and df < PRIOR_DF
            variance = (df * sd**2 + PRIOR_DF * prior**2) / (df + PRIOR_DF) if used else sd**2
            effective = df + PRIOR_DF if used else df
            # Of a variance under an inverse chi-square, by SciPy's inverse gamma.
            interval = stats.invgamma.ppf([0.025, 0.975], effective / 2, scale=effective * variance / 2) ** 0.5
            expected = {
                "sd": math.sqrt(variance),
                "df": df,
                "effectiveDf": effective,
                "interval": interval.tolist(),
            }
            cases.append({"name": f"{name}, prior {prior}", "runs": runs, "prior": prior, "expected": expected})
    write("noise-floor", {"cases": cases})


def indicators(runs):
    configs = list(dict.fromkeys(r["config"] for r in runs))
    blocks = list(dict.fromkeys(r["block"] for r in runs))
    x = np.array([[float(r["config"] == c) for c in configs] for r in runs])
    z = np.array([[float(r["block"] == b) for b in blocks] for r in runs])
    return configs, blocks, x, z, np.array([r["value"] for r in runs])


def islands(runs, blocks):
    group = {b: {b} for b in blocks}
    by_config = defaultdict(set)
    for run in runs:
        by_config[run["config"]].add(run["block"])
    for joined in by_config.values():
        whole = set().union(*(group[b] for b in joined))
        for b in whole:
            group[b] = whole
    return [sorted(g) for g in {id(g): g for g in group.values()}.values()]


def unshrunk(runs):
    """statsmodels OLS on sum-to-zero coded blocks, one contrast less than blocks in each connected group."""
    configs, blocks, x, z, y = indicators(runs)
    coding = np.zeros((len(blocks), 0))
    for group in islands(runs, blocks):
        at = [blocks.index(b) for b in group]
        part = np.zeros((len(blocks), len(at) - 1))
        for column, h in enumerate(at[:-1]):
            part[h, column] = 1.0
            part[at[-1], column] = -1.0
        coding = np.hstack([coding, part])
    design = np.hstack([x, z @ coding])
    fit = sm.OLS(y, design).fit()
    assert np.linalg.matrix_rank(design) == design.shape[1]
    sd, _ = pooled(runs)
    # Standard errors with the pure error of the cells as the noise, not the fit's residual.
    unscaled = np.sqrt(np.diag(fit.normalized_cov_params))[: len(configs)]
    mu, b = fit.params[: len(configs)], coding @ fit.params[len(configs) :]
    return {
        "configs": {
            c: {"adjusted": float(m), "standardError": float(sd * s), "rawMean": float(y[x[:, i] == 1].mean())}
            for i, (c, m, s) in enumerate(zip(configs, mu, unscaled))
        },
        "blocks": {h: float(v) for h, v in zip(blocks, b)},
        "components": len(islands(runs, blocks)),
    }


def between_variance(runs):
    """Henderson's method III: drop in the residual sum of squares by the blocks, less what noise explains, over its slope."""
    _, blocks, x, z, y = indicators(runs)
    sd, _ = pooled(runs)
    alone = sm.OLS(y, x).fit()
    with warnings.catch_warnings():
        # Without a constraint the blocks are rank-deficient; what they leave is not.
        warnings.simplefilter("ignore")
        both = sm.OLS(y, np.hstack([x, z])).fit()
    df = int(np.linalg.matrix_rank(np.hstack([x, z])) - np.linalg.matrix_rank(x))
    sweep = np.eye(len(y)) - x @ np.linalg.pinv(x)
    return max(0.0, (alone.ssr - both.ssr - df * sd**2) / np.trace(z.T @ sweep @ z)), df


def gls(runs, within, between, between_df, noise_df):
    """Fixed configurations, random blocks: V in full, best linear unbiased prediction of the blocks."""
    configs, blocks, x, z, y = indicators(runs)

    def covariance(w, b):
        v_inv = np.linalg.inv(b * z @ z.T + w * np.eye(len(y)))
        return v_inv, np.linalg.inv(x.T @ v_inv @ x)

    v_inv, cov = covariance(within, between)
    mu = cov @ x.T @ v_inv @ y
    offsets = between * z.T @ v_inv @ (y - x @ mu)
    runs_of = z.sum(axis=0)
    contrasts = []
    for one in configs[1:]:
        l = np.array([float(c == one) - float(c == configs[0]) for c in configs])

        def variance(w, b):
            return float(l @ covariance(w, b)[1] @ l)

        # Satterthwaite by numerical derivatives: 2 g² / Var(g), the delta method.
        g = variance(within, between)
        dw = (variance(within * 1.001, between) - variance(within * 0.999, between)) / (0.002 * within)
        db = (variance(within, between * 1.001) - variance(within, between * 0.999)) / (0.002 * between) if between else 0.0
        df = g**2 / ((dw * within) ** 2 / noise_df + (db * between) ** 2 / between_df)
        d = float(l @ mu)
        contrasts.append(
            {
                "one": one,
                "other": configs[0],
                "difference": d,
                "standardError": math.sqrt(g),
                "df": float(df),
                "pBetter": float(stats.t.cdf(-d / math.sqrt(g), df)),
            }
        )
    return {
        "configs": {
            c: {"adjusted": float(m), "standardError": float(math.sqrt(s))}
            for c, m, s in zip(configs, mu, np.diag(cov))
        },
        "blocks": {
            h: {"offset": float(b), "shrinkage": float(n * between / (n * between + within))}
            for h, b, n in zip(blocks, offsets, runs_of)
        },
        "contrasts": contrasts,
    }


def fits():
    cases = []
    for name, runs in DATA.items():
        sd, df = pooled(runs)
        between, between_df = between_variance(runs)
        shrunk = gls(runs, sd**2, between, between_df, df) if between_df >= 6 else None
        cases.append(
            {
                "name": name,
                "runs": runs,
                "noise": {"sd": sd, "df": df},
                "blockVariance": {"variance": between, "df": between_df},
                "unshrunk": unshrunk(runs),
                "shrunk": shrunk,
            }
        )
    write("adjusted-values", {"cases": cases})


def t_tests():
    """Two configurations on one block: the verdict must be the ordinary two-sample t-test."""
    rng = np.random.default_rng(21)
    cases = []
    for n, m, gain in ((2, 2, 5e-4), (3, 5, 2e-4), (6, 2, -3e-4), (2, 9, 0.0)):
        a, b = 0.98 - gain + 1.5e-4 * rng.standard_normal(n), 0.98 + 1.5e-4 * rng.standard_normal(m)
        lower = stats.ttest_ind(a, b, alternative="less")
        higher = stats.ttest_ind(a, b, alternative="greater")
        cases.append(
            {
                "candidate": a.tolist(),
                "incumbent": b.tolist(),
                "df": int(n + m - 2),
                "pLower": float(1 - lower.pvalue),
                "pHigher": float(1 - higher.pvalue),
            }
        )
    grid = [(t, df) for t in (-40.0, -6.5, -2.0, -0.3, 0.0, 1e-3, 0.7, 2.5, 12.0) for df in (0.5, 1, 2.37, 6, 13.5, 200, 1e5)]
    probabilities = [(p, df) for p in (1e-6, 0.02, 0.4, 0.5, 0.5001, 0.8, 0.98, 0.9999) for df in (1, 2.37, 6, 13.5, 200, 1e4)]
    write(
        "t-distribution",
        {
            "cdf": [{"t": t, "df": df, "p": float(stats.t.cdf(t, df))} for t, df in grid],
            "quantile": [{"p": p, "df": df, "t": float(stats.t.ppf(p, df))} for p, df in probabilities],
            "tests": cases,
        },
    )


def selection():
    def maximum(m):
        # As the tail integral, not as the mean of the density.
        above, _ = integrate.quad(lambda x: 1 - stats.norm.cdf(x) ** m, 0, 40, epsabs=1e-13, epsrel=1e-12, limit=400)
        below, _ = integrate.quad(lambda x: stats.norm.cdf(x) ** m, -40, 0, epsabs=1e-13, epsrel=1e-12, limit=400)
        return above - below

    rng = np.random.default_rng(31)
    shrinkage = []
    for name, spread, ses in (
        ("equal errors", 5e-4, np.full(12, 1.5e-4)),
        ("unequal errors", 4e-4, rng.uniform(1e-4, 4e-4, 16)),
        ("no spread beyond the noise", 0.0, np.full(9, 3e-4)),
    ):
        y = 0.98 + spread * rng.standard_normal(len(ses)) + ses * rng.standard_normal(len(ses))
        if name.startswith("no spread"):
            y = 0.98 + 0.5 * ses * rng.standard_normal(len(ses))
        # Less 0.98, which changes no variance: statsmodels sums squares uncentred, and loses eight digits on values near 1.
        found = combine_effects(y - 0.98, ses**2, method_re="dl")
        tau2 = max(0.0, float(found.tau2))
        weights = 1 / (ses**2 + tau2)
        mean = float(np.average(y, weights=weights))
        posterior = [
            # Conjugate normal update, precision by precision; with no spread all mass is at the mean.
            (float((mean / tau2 + v / s**2) / (1 / tau2 + 1 / s**2)), float((1 / tau2 + 1 / s**2) ** -0.5))
            if tau2 > 0
            else (mean, 0.0)
            for v, s in zip(y, ses)
        ]
        shrinkage.append(
            {
                "name": name,
                "estimates": [{"value": float(v), "standardError": float(s)} for v, s in zip(y, ses)],
                "variance": tau2,
                "mean": mean,
                "values": [{"value": v, "standardDeviation": s} for v, s in posterior],
            }
        )
    discoveries = []
    for ps in (
        [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269, 0.275, 0.34, 0.341, 0.384],
        [0.5, 0.02, 0.02, 0.9, 0.0004, 1.0],
        [0.3, 0.4, 0.99],
        np.sort(rng.uniform(size=25) ** 3)[::-1].tolist(),
        [0.04],
    ):
        rejected, adjusted, _, _ = multipletests(ps, alpha=0.1, method="fdr_bh")
        discoveries.append({"p": ps, "adjusted": adjusted.tolist(), "isReal": [bool(r) for r in rejected]})
    write(
        "selection",
        {
            "maxima": [{"m": m, "expected": maximum(m)} for m in (1, 2, 3, 13, 16, 100, 900)],
            "shrinkage": shrinkage,
            "discoveries": discoveries,
        },
    )


noise_floors()
fits()
t_tests()
selection()
