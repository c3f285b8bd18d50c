"""Panels of raters with what is to be concluded from them, in float64: numpy, scipy, statsmodels and krippendorff.

Derivatives are taken by complex steps from the likelihood as it is written in the papers, so that nothing here is shared
with the implementation.

    pip install numpy scipy statsmodels krippendorff
    python scripts/parity/i_statistics.py --out test/fixtures/statistics/panel.json
"""
import argparse, importlib.metadata as md, itertools, json, warnings
from pathlib import Path
import krippendorff
import numpy as np
from scipy import optimize, stats
import statsmodels.api as sm
from statsmodels.stats.contingency_tables import mcnemar

warnings.filterwarnings("ignore")
SYSTEMS, RATERS, PROMPTS = 4, 4, 30


def panel(rng):
    """Each rater judges each prompt once, a pair of systems drawn for it, in a drawn order."""
    strength = np.array([0.0, 0.5, 0.9, -0.4])
    taste = rng.normal(0, 1.0, (PROMPTS, SYSTEMS)) + 0
    rater_taste = rng.normal(0, 0.4, (RATERS, SYSTEMS))
    length = rng.normal(0, 1, (PROMPTS, SYSTEMS)).round(3)
    rows = []
    for p, r in itertools.product(range(PROMPTS), range(RATERS)):
        a, b = sorted(rng.choice(SYSTEMS, 2, replace=False).tolist())
        slot = int(rng.choice([1, -1]))
        style = round(float(length[p, a] - length[p, b]), 3)
        value = lambda s: strength[s] + taste[p, s] + rater_taste[r, s]
        z = value(a) - value(b) + 0.4 * slot + 0.3 * style
        u = rng.logistic() + z
        rows.append(dict(prompt=f"p{p}", rater=f"r{r}", a=a, b=b, slot=slot, style=style,
                         score=1.0 if u > 0.5 else 0.0 if u < -0.5 else 0.5))
    return rows


def column(rows, name):
    return np.array([row[name] for row in rows])


# ---- two-way clustered variance, by its definition ----
def one_way(psi, labels):
    groups = sorted(set(labels))
    sums = np.array([psi[[l == g for l in labels]].sum(0) for g in groups])
    return len(groups) / (len(groups) - 1) * sums.T @ sums


def two_way(psi, prompts, raters):
    cells = [f"{p}|{r}" for p, r in zip(prompts, raters)]
    by_prompt = one_way(psi, prompts)
    return by_prompt, by_prompt + one_way(psi, raters) - one_way(psi, cells)


def interval(value, psi, rows):
    prompts, raters = [[row[k] for row in rows] for k in ("prompt", "rater")]
    by_prompt, both = two_way(psi[:, None], prompts, raters)
    variance = max(by_prompt[0, 0], both[0, 0])
    freedom = min(len(set(prompts)), len(set(raters))) - 1
    half = stats.t.ppf(0.975, freedom) * np.sqrt(variance)
    return dict(value=value, standard_error=np.sqrt(variance), interval=[value - half, value + half],
                degrees_of_freedom=freedom)


def of_mean(rows, y):
    y = np.array(y)
    return interval(y.mean(), (y - y.mean()) / len(y), rows)


def of_difference(rows, y, group):
    psi = np.zeros(len(y))
    means = [y[group == g].mean() for g in (0, 1)]
    for g, sign in ((0, 1), (1, -1)):
        psi[group == g] = sign * (y[group == g] - means[g]) / (group == g).sum()
    return interval(means[0] - means[1], psi, rows)


# ---- likelihoods, rows x parameters ----
def sg(z):
    return 1 / (1 + np.exp(-z))


def halves(rows, x, slot, style):
    z = lead(rows, x, slot, style)
    y = column(rows, "score")
    return -(y * np.log(sg(z)) + (1 - y) * np.log(1 - sg(z)))


def rao_kupper(rows, x, slot, style):
    z, eta, y = lead(rows, x[:-1], slot, style), x[-1], column(rows, "score")
    first, second = sg(z - eta), sg(-z - eta)
    return -np.log(np.where(y == 1, first, np.where(y == 0, second, 1 - first - second)))


def lead(rows, x, slot, style):
    """x: strengths of all systems but the first, which has 0; then slot; then style."""
    theta = np.concatenate([[0], x[: SYSTEMS - 1]])
    z = theta[column(rows, "a")] - theta[column(rows, "b")]
    rest = list(x[SYSTEMS - 1:])
    if slot:
        z = z + rest.pop(0) * column(rows, "slot")
    if style:
        z = z + rest.pop(0) * column(rows, "style")
    return z


def gradients(rowwise, x):
    out = []
    for k in range(len(x)):
        shifted = np.array(x, dtype=complex)
        shifted[k] += 1e-30j
        out.append(rowwise(shifted).imag / 1e-30)
    return np.array(out).T


def hessian(rowwise, x):
    rows = []
    for k in range(len(x)):
        up, down = np.array(x), np.array(x)
        up[k] += 1e-5
        down[k] -= 1e-5
        rows.append((gradients(rowwise, up).sum(0) - gradients(rowwise, down).sum(0)) / 2e-5)
    h = np.array(rows)
    return (h + h.T) / 2


def fit(rowwise, start):
    found = optimize.root(lambda x: gradients(rowwise, x).sum(0), start, tol=1e-14)
    assert np.abs(gradients(rowwise, found.x).sum(0)).max() < 1e-9, found
    return found.x


def bradley_terry(rows, likelihood=halves, slot=False, style=False):
    rowwise = lambda x: likelihood(rows, x, slot, style)
    extra = [0.0] * (int(slot) + int(style)) + ([0.5] if likelihood is rao_kupper else [])
    x = fit(rowwise, np.array([0.0] * (SYSTEMS - 1) + extra))
    psi = -gradients(rowwise, x) @ np.linalg.inv(hessian(rowwise, x))
    theta = np.concatenate([[0], x[: SYSTEMS - 1]])
    full = np.hstack([np.zeros((len(rows), 1)), psi])
    differences = {f"{a}-{b}": interval(theta[a] - theta[b], full[:, a] - full[:, b], rows)
                   for a, b in itertools.combinations(range(SYSTEMS), 2)}
    rest = list(range(SYSTEMS - 1, len(x)))
    named = {}
    for name, there in (("slot", slot), ("style", style), ("tie_width", likelihood is rao_kupper)):
        if there:
            k = rest.pop(0)
            named[name] = interval(x[k], psi[:, k], rows)
    return dict(strengths=theta - theta.mean(), differences=differences,
                log_likelihood=-rowwise(x).sum(), **named)


def length_controlled(rng):
    rows = []
    for p in range(60):
        longer = int(rng.normal(60, 180))
        for _ in range(2):
            z = 0.4 + 0.9 * np.tanh(longer / 200) + rng.logistic()
            rows.append(dict(prompt=f"p{p}", longer=longer, score=1.0 if z > 0.3 else 0.0 if z < -0.3 else 0.5))
    y, d = column(rows, "score"), column(rows, "longer").astype(float)
    x = np.tanh(d / d.std())
    rowwise = lambda b: -(y * np.log(sg(b[0] + b[1] * x)) + (1 - y) * np.log(1 - sg(b[0] + b[1] * x))) \
        + 0.1 * b[1] ** 2 / 2 / len(y)
    theta, phi = fit(rowwise, np.zeros(2))
    return dict(rows=rows, rate=sg(theta), length_effect=phi, raw=y.mean())


def alphas(rng):
    ratings = rng.integers(-1, 2, (25, 1)) + rng.choice([-1, 0, 0, 0, 1], (25, 5))
    ratings = np.clip(ratings, -1, 1).astype(float)
    ratings[rng.random(ratings.shape) < 0.3] = np.nan
    items = [[v for v in row if not np.isnan(v)] for row in ratings]
    return dict(items=items, **{level: krippendorff.alpha(ratings.T, level_of_measurement=level)
                                for level in ("nominal", "ordinal", "interval")})


def check_against_statsmodels(rows, found):
    """The half-tie fit is a logistic regression without intercept."""
    x = np.zeros((len(rows), SYSTEMS))
    x[np.arange(len(rows)), column(rows, "a")] = 1
    x[np.arange(len(rows)), column(rows, "b")] = -1
    fitted = sm.GLM(column(rows, "score"), x[:, 1:], family=sm.families.Binomial()).fit(tol=1e-14)
    theta = np.concatenate([[0], fitted.params])
    assert np.abs(theta - theta.mean() - found["strengths"]).max() < 1e-9


def plain(o):
    if isinstance(o, (np.ndarray, np.generic)):
        return o.tolist()
    raise TypeError(type(o))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1301)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    rows = panel(rng)
    score = column(rows, "score")
    group = np.where(column(rows, "a") == 0, np.where(column(rows, "b") == 1, 0, 1), -1)
    half = bradley_terry(rows)
    check_against_statsmodels(rows, half)
    out = dict(
        versions={n: md.version(n) for n in ("numpy", "scipy", "statsmodels", "krippendorff")},
        rows=rows, systems=SYSTEMS,
        mean=of_mean(rows, score),
        difference=dict(group=group, **of_difference(rows, score, group)),
        bradley_terry=dict(
            half=half, half_slot_style=bradley_terry(rows, slot=True, style=True),
            rao_kupper=bradley_terry(rows, rao_kupper), rao_kupper_slot=bradley_terry(rows, rao_kupper, slot=True)),
        length_controlled=length_controlled(rng),
        alpha=alphas(rng),
        mcnemar=[dict(first=f, second=s, p=mcnemar([[0, f], [s, 0]], exact=True).pvalue)
                 for f, s in ((0, 0), (5, 1), (12, 12), (3, 17), (600, 700))],
    )
    options.out.write_text(json.dumps(out, default=plain, allow_nan=False) + "\n")


main()
