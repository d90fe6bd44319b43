"""How often the verdict is wrong, and how many replicates it needs: measured on made-up truths whose label is known.

A truth is a mean response and end state over nine intensities, and how often a replicate is ruined; its studies add
noise. What the rule should say follows from the truth itself, by the rule's definitions without any test. Early-warning
alarms are tried on stationary series, and on series whose memory grows.

    python experiments/verdict_errors.py --out docs
    python experiments/verdict_errors.py --quick
    python experiments/verdict_errors.py --noise study.npz   # arrays d and e of a study, (replicates, intensities)
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import signal, stats

from ecosim.resilience import Margins, Verdict, classify, curvature, early_warning, jensen_gap, sequential
from ecosim.resilience.looks import SCHEDULE

X = np.linspace(0.0, 800.0, 9)  # firm-days of capacity lost
U = X / X[-1]
RUINED = -0.6  # response of a ruined replicate at the largest intensity
MARGINS = Margins()
SIGMA, TWIN = 0.05, 0.8
REPLICATES = 200
GRID = (60, 86, 100, 120, 150, 180, 200, 240, 300, 360, 480, 640, 960, 1440, 1920)
LABELS = ("FRAGILE", "INCONCLUSIVE", "RESILIENT", "ROBUST", "ANTIFRAGILE")
COLOURS = ("#d55e00", "#bbbbbb", "#56b4e9", "#0072b2", "#009e73")  # Okabe & Ito

Noise = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Truth:
    """Mean response ``d`` and end state ``e`` at nine intensities, before ``ruin``, the share of replicates ruined."""

    name: str
    d: np.ndarray
    e: np.ndarray
    ruin: float = 0.0

    @property
    def mean(self) -> np.ndarray:
        """Mean response with the ruined among the others."""
        mean = self.d.copy()
        mean[-1] += self.ruin * (RUINED - mean[-1])
        return mean

    def fragile(self, slack: float = 0.0) -> bool:
        """Whether it is FRAGILE by definition, with each harm beyond its margin by ``slack``."""
        j = np.arange(1, 8)
        outer = self.mean[j + np.minimum(j, 8 - j)]
        concave = (curvature(self.mean) < -MARGINS.delta_j - slack) & (outer < -MARGINS.delta - slack)
        return bool(concave.any() or self.e.min() < -MARGINS.delta_e - slack or self.ruin > MARGINS.p_ruin + slack)

    def label(self) -> str:
        """What the rule should say: "boundary" where the truth lies on a margin of what it would be."""
        dust = 1e-9
        if self.fragile(dust):
            return "FRAGILE"
        gap, gain = float(jensen_gap(self.mean)) - MARGINS.delta_j, float(self.mean.mean()) - MARGINS.delta
        moved = max(np.abs(self.mean).max() - MARGINS.delta, np.abs(self.e).max() - MARGINS.delta_e)
        if self.fragile(-dust) or min(gap, gain) == np.clip(min(gap, gain), -dust, dust) or abs(moved) <= dust:
            return "boundary"
        if min(gap, gain) > 0:
            return "ANTIFRAGILE"
        return "ROBUST" if moved < 0 else "RESILIENT"

    def wrong(self, verdict: Verdict) -> dict[str, bool]:
        """Which claims a verdict makes that are not true here; RESILIENT claims only not to be fragile."""
        dust = 1e-9
        mild = not self.fragile(-dust)
        grows = min(jensen_gap(self.mean) - MARGINS.delta_j, self.mean.mean() - MARGINS.delta) > dust
        still = max(np.abs(self.mean).max() - MARGINS.delta, np.abs(self.e).max() - MARGINS.delta_e) < -dust
        return {
            "false FRAGILE": verdict.label == "FRAGILE" and not self.fragile(dust),
            "false non-fragile": verdict.label in ("RESILIENT", "ROBUST", "ANTIFRAGILE") and not mild,
            "false ROBUST": verdict.label == "ROBUST" and not (mild and still),
            "false ANTIFRAGILE": verdict.label == "ANTIFRAGILE" and not (mild and grows),
        }


def truths() -> list[Truth]:
    """22 truths: 15 clear of every margin, 7 exactly on one."""
    calm = np.zeros(9)
    rise = float(jensen_gap(U**2))
    crooked = np.array([0, 0.1, 0.15, 0.1, 0, 0.05, 0, 0, -0.04])
    return [
        Truth("loss 0.15 x²", -0.15 * U**2, calm),
        Truth("loss 0.3 x²", -0.3 * U**2, calm),
        Truth("threshold: loss 0.3 above x = 1/2", -0.3 * (U > 0.5), calm),
        Truth("sigmoid: loss 0.3", -0.3 * (1 / (1 + np.exp(-12 * (U - 0.6))) - 1 / (1 + np.exp(7.2))), calm),
        Truth("buffer: loss 0.4 (x - 0.4)", -0.4 * np.maximum(0, U - 0.4), calm),
        Truth("linear loss 0.1 x, half of it lasting", -0.1 * U, -0.05 * U),
        Truth("gain 0.2 x², 15 % ruin", 0.2 * U**2, calm, 0.15),
        Truth("no response", calm, calm),
        Truth("loss 0.01 x", -0.01 * U, calm),
        Truth("linear loss 0.1 x", -0.1 * U, calm),
        Truth("saturating loss 0.2", -0.2 * (1 - np.exp(-4 * U)), calm),
        Truth("linear gain 0.1 x", 0.1 * U, calm),
        Truth("saturating gain 0.15", 0.15 * (1 - np.exp(-3 * U)), calm),
        Truth("gain 0.4 x²", 0.4 * U**2, calm),
        Truth("dip, then gain: 0.6 x² - 0.15 x", 0.6 * U**2 - 0.15 * U, calm),
        Truth("on the margin: H = -2 % with loss", -0.08 * U**2, calm),
        Truth("on the margin: e = -2 %, gain 0.4 x²", 0.4 * U**2, np.where(U == 1, -0.02, 0.0)),
        Truth("on the margin: 5 % ruin, gain 0.5 x²", 0.5 * U**2, calm, 0.05),
        Truth("on the margin: J = 2 %", 0.02 / rise * U**2, calm),
        Truth("on the margin: G = 2 %", 0.4 * U**2 - 2 * (0.4 * float((U**2).mean()) - 0.02) * U, calm),
        Truth("on the margin: crooked, H = -2 % with loss", crooked, calm),
        Truth("on the margin: loss 0.02 x", -0.02 * U, calm),
    ]


# Noise ----------------------------------------------------------------------------------------------------------------


def gaussian(sigma: float = SIGMA, twin: float = TWIN) -> Noise:
    """Noise of relative responses whose runs have spread ``sigma`` and correlation ``twin`` with their twin.

    With common random numbers the run without shock is its own twin, so that d(0) = 0; without (``twin`` = 0) it is
    another run.
    """

    def draw(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        both = []
        for _ in range(2):
            own = sigma * np.sqrt(1 - twin) * rng.standard_normal((count, 10))
            noise = own[:, :9] - own[:, 9:]
            if twin > 0:
                noise[:, 0] = 0.0
            both.append(noise)
        return both[0], both[1]

    return draw


def spread(sd: float) -> Noise:
    """Gaussian noise with common random numbers of which single responses have standard deviation ``sd``."""
    return gaussian(sd / np.sqrt(2 * (1 - TWIN)))


def resampled(d: np.ndarray, e: np.ndarray) -> Noise:
    """Noise of a real study: rows of its ``d`` and ``e``, (replicates, intensities), less their means, drawn again."""
    left_d, left_e = d - d.mean(axis=0), e - e.mean(axis=0)

    def draw(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        rows = rng.integers(len(d), size=count)
        return left_d[rows], left_e[rows]

    return draw


def sample(truth: Truth, noise: Noise, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Responses and end states of one study, (``count``, 9) each."""
    left_d, left_e = noise(rng, count)
    d = truth.d + left_d
    d[rng.random(count) < truth.ruin, -1] = RUINED
    return d, truth.e + left_e


# Rates ----------------------------------------------------------------------------------------------------------------


def in_sequence(truth: Truth, noise: Noise, rng: np.random.Generator) -> Verdict:
    """The verdict of a study that is looked at as it grows, and stopped when it may be."""
    d, e = sample(truth, noise, rng, SCHEDULE[-1])
    go_on: int | None = SCHEDULE[0]
    while go_on:
        look = sequential(X, d[:go_on], e[:go_on])
        go_on = look.go_on
    return look.verdict


def rates(noise: Noise, studies: int, replicates: int | None, seed: int = 0, on_margin: int = 1) -> pd.DataFrame:
    """Share of each label and each wrong claim, by truth; ``replicates`` is None for studies in sequence.

    Truths on a margin, where errors are most frequent, get ``on_margin`` times as many studies.
    """
    rows = []
    for number, truth in enumerate(truths()):
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, number])))
        found = []
        for _ in range(studies * (on_margin if truth.label() == "boundary" else 1)):
            if replicates is None:
                verdict = in_sequence(truth, noise, rng)
            else:
                verdict = classify(X, *sample(truth, noise, rng, replicates))
            found.append({"n": verdict.n, **{of: verdict.label == of for of in LABELS}, **truth.wrong(verdict)})
        rows.append({"truth": truth.name, "is": truth.label(), **pd.DataFrame(found).mean().to_dict()})
    return pd.DataFrame(rows)


def weak(studies: int, seed: int = 4) -> pd.DataFrame:
    """Share of studies of weak effects that get the label aimed at, with and without common random numbers."""
    calm = np.zeros(9)
    effects = {
        **{f"FRAGILE: concave loss, {100 * a:g} % at x_max": Truth("", -a * U**2, calm) for a in (0.11, 0.12, 0.13)},
        "FRAGILE: lasting loss, 3 % at x_max": Truth("", -0.1 * U, -0.03 * U),
        "ROBUST: loss of 1 % at x_max": Truth("", -0.01 * U, calm),
        **{f"ANTIFRAGILE: gain of {100 * a:g} % x²": Truth("", a * U**2, calm) for a in (0.22, 0.23, 0.25)},
    }
    rows = []
    for number, (name, truth) in enumerate(effects.items()):
        row: dict[str, object] = {"label aimed at": name}
        for way, twin in (("with", TWIN), ("without", 0.0)):
            rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, number, int(10 * twin)])))
            labels = [classify(X, *sample(truth, gaussian(twin=twin), rng, REPLICATES)).label for _ in range(studies)]
            row[way] = labels.count(name.split(":")[0]) / studies
        rows.append(row)
    return pd.DataFrame(rows)


def aims() -> dict[str, Truth]:
    """Truths of the power table, named by the label aimed at and the effect."""
    calm = np.zeros(9)
    return {
        **{
            f"FRAGILE: concave loss, {100 * a:g} % at x_max": Truth("", -a * U**2, calm) for a in (0.12, 0.15, 0.2, 0.3)
        },
        **{f"FRAGILE: lasting loss, {100 * a:g} % at x_max": Truth("", -0.1 * U, -a * U) for a in (0.03, 0.04, 0.06)},
        **{f"FRAGILE: ruin in {100 * p:g} %": Truth("", 0.2 * U**2, calm, p) for p in (0.1, 0.15, 0.2)},
        "RESILIENT: linear loss, 10 % at x_max": Truth("", -0.1 * U, calm),
        "ROBUST: no response": Truth("", calm, calm),
        "ROBUST: loss of 1 % at x_max": Truth("", -0.01 * U, calm),
        **{f"ANTIFRAGILE: gain of {100 * a:g} % x²": Truth("", a * U**2, calm) for a in (0.25, 0.3, 0.4)},
    }


def needed(studies: int, seed: int = 1, power: float = 0.8) -> pd.DataFrame:
    """Fewest replicates of `GRID` with which ``power`` of the studies get the label, at one of four looks."""
    rows = []
    for number, (name, truth) in enumerate(aims().items()):
        row: dict[str, object] = {"label aimed at": name}
        for sd in (0.01, 0.02, 0.032, 0.05, 0.07, 0.1):
            rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, number, round(1000 * sd)])))
            drawn = [sample(truth, spread(sd), rng, GRID[-1]) for _ in range(studies)]

            low, high = -1, len(GRID)
            while high - low > 1:
                middle = (low + high) // 2
                found = [classify(X, d[: GRID[middle]], e[: GRID[middle]], looks=4).label for d, e in drawn]
                enough = found.count(name.split(":")[0]) >= power * studies
                low, high = (low, middle) if enough else (middle, high)
            row[f"{100 * sd:g} %"] = str(GRID[high]) if high < len(GRID) else f"> {GRID[-1]}"
        rows.append(row)
    return pd.DataFrame(rows)


def alarms(series: int, days: int = 500, seed: int = 2, surrogates: int = 199) -> pd.DataFrame:
    """Share of series with an alarm at 5 %: by Kendall's tau as if windows were independent, and by surrogates."""
    kinds = {f"AR(1), {phi:g}": np.full(days, phi) for phi in (0.0, 0.5, 0.9)}
    kinds["AR(1), 0.3 rising to 0.95"] = np.linspace(0.3, 0.95, days)
    rows = []
    for number, (name, phi) in enumerate(kinds.items()):
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, number])))
        for detrend in (None, "gaussian"):
            found = []
            for at in range(series):
                found.append(_alarm(_series(phi, rng), detrend, surrogates, at))
            rows.append({"series": name, "trend taken off": detrend or "no", **pd.DataFrame(found).mean().to_dict()})
    return pd.DataFrame(rows)


def _series(phi: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    lead = 200  # days until the start is forgotten
    noise, values = rng.standard_normal(lead + len(phi)), np.zeros(len(phi))
    last = float(signal.lfilter([1.0], [1.0, -phi[0]], noise[:lead])[-1])
    for day, memory in enumerate(phi):
        values[day] = last = memory * last + noise[lead + day]
    return values


def _alarm(series: np.ndarray, detrend, surrogates: int, seed: int) -> dict[str, bool]:
    found = early_warning(series, detrend=detrend, surrogates=surrogates, seed=seed)
    naive = [
        stats.kendalltau(np.arange(len(of)), of, alternative="greater").pvalue <= 0.05
        for of in (found.variance, found.autocorrelation)
    ]
    return {
        "naive: variance": naive[0],
        "naive: autocorrelation": naive[1],
        "naive: both": all(naive),
        "surrogates: variance": found.p_variance <= 0.05,
        "surrogates: autocorrelation": found.p_autocorrelation <= 0.05,
        "surrogates: both": found.p <= 0.05,
    }


# Page -----------------------------------------------------------------------------------------------------------------


def table(frame: pd.DataFrame) -> str:
    """Markdown; shares in percent."""
    lines = ["| " + " | ".join(frame.columns) + " |", "|---" * len(frame.columns) + "|"]
    for row in frame.itertuples(index=False):
        cells = [value if isinstance(value, str) else f"{value:.0f}" if value > 1 else f"{100 * value:.3g} %"
                 for value in row]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def worst(frame: pd.DataFrame) -> pd.DataFrame:
    """The largest rate of each wrong claim, off and on the margins."""
    names = [name for name in frame.columns if name.startswith("false")]
    off = frame["is"] != "boundary"
    return pd.DataFrame(
        [{"truths": where, **frame.loc[rows, names].max().to_dict()} for where, rows in
         (("clear of every margin", off), ("exactly on a margin", ~off))]
    )  # fmt: skip


def told(frame: pd.DataFrame) -> str:
    """Labels by truth, and the largest error rates."""
    shown = frame.drop(columns=[name for name in frame.columns if name.startswith("false")])
    shown = shown.rename(columns={"n": "mean n"})
    return f"{table(shown)}\n\nLargest rate of each wrong claim:\n\n{table(worst(frame))}"


def draw_rates(frames: dict[str, pd.DataFrame], path: Path) -> None:
    """Shares of labels by truth, a panel a design."""
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, len(frames), figsize=(4.2 + 3.2 * len(frames), 6.6), sharey=True)
    for panel, (title, frame) in zip(np.atleast_1d(panels), frames.items(), strict=True):
        left = np.zeros(len(frame))
        for label, colour in zip(LABELS, COLOURS, strict=True):
            panel.barh(frame["truth"], frame[label], left=left, color=colour, label=label, height=0.8)
            left += frame[label].to_numpy()
        panel.set(title=title, xlabel="share of studies", xlim=(0, 1))
    panel.invert_yaxis()  # shared by all
    handles, names = panel.get_legend_handles_labels()
    figure.legend(handles, names, loc="lower center", ncols=5, frameon=False)
    figure.tight_layout(rect=(0, 0.04, 1, 1))
    save(figure, path)


def draw_power(frame: pd.DataFrame, path: Path) -> None:
    """Replicates needed against noise; studies that need more than the grid are left out."""
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, 4, figsize=(14, 4.6), sharey=True)
    sds = [float(name.removesuffix(" %")) for name in frame.columns[1:]]
    kinds = ("FRAGILE", "RESILIENT", "ROBUST", "ANTIFRAGILE")
    for panel, kind in zip(panels, kinds, strict=True):
        for row in frame[frame["label aimed at"].str.startswith(kind + ":")].itertuples(index=False):
            counts = [float(cell) if cell.isdigit() else np.nan for cell in row[1:]]
            panel.plot(sds, counts, marker="o", label=row[0].split(": ")[1])
        panel.set(title=kind, xlabel="noise: sd of d, % of output", yscale="log", ylim=(50, 2200))
        panel.set_yticks([60, 120, 240, 480, 960, 1920], ["60", "120", "240", "480", "960", "1920"])
        panel.minorticks_off()
        panel.legend(fontsize=7, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("replicates for 80 % of studies")
    figure.tight_layout()
    save(figure, path)


def save(figure, path: Path) -> None:
    """Write a figure so that the same numbers give the same file."""
    from matplotlib import pyplot as plt

    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ecosim"}):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def fill(page: Path, parts: dict[str, str]) -> None:
    """Put measured parts between their marks in a page."""
    text = page.read_text(encoding="utf-8")
    for name, part in parts.items():
        begin, end = f"<!-- measured: {name} -->", f"<!-- end: {name} -->"
        found = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        text = found.sub(lambda _, body=f"{begin}\n\n{part}\n\n{end}": body, text)
    page.write_text(text, encoding="utf-8")


def main() -> None:
    """Measure everything and write the tables and figures."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--studies", type=int, default=1000)
    asked.add_argument("--quick", action="store_true", help="a small run, to see that it works")
    asked.add_argument(
        "--noise", type=Path, default=None, help="only: rates under the noise of a study, from a npz file"
    )
    asked.add_argument("--out", type=Path, default=None, help="folder with verdict.md, for its tables and figures")
    given = asked.parse_args()
    studies = 20 if given.quick else given.studies
    if given.noise is not None:
        with np.load(given.noise) as arrays:
            print(told(rates(resampled(arrays["d"], arrays["e"]), studies, REPLICATES)))
        return
    paired = rates(gaussian(), studies, REPLICATES, on_margin=5)
    apart = rates(gaussian(twin=0.0), studies, REPLICATES, seed=3, on_margin=5)
    looked = rates(gaussian(), studies, None)
    power = needed(max(10, studies // 5))
    warned = alarms(max(10, 2 * studies // 5), surrogates=99 if given.quick else 199)
    parts = {"paired": told(paired), "apart": told(apart), "looks": told(looked)}
    parts |= {"weak": table(weak(studies)), "power": table(power), "warning": table(warned)}
    for name, part in parts.items():
        print(f"## {name}\n\n{part}\n")
    if given.out is not None:
        figures = given.out / "figures"
        figures.mkdir(parents=True, exist_ok=True)
        panels = {"with common random numbers": paired, "without": apart, "in sequence": looked}
        draw_rates(panels, figures / "verdict_errors.svg")
        draw_power(power, figures / "verdict_power.svg")
        fill(given.out / "verdict.md", parts)


if __name__ == "__main__":
    main()
