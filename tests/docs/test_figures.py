"""The figures on the pages are those of the measurements in the repository."""

import json
import re
import statistics

import numpy as np
import pytest

from ddpg.compare.curves import read_curves
from ddpg.compare.statistics import bootstrap_interval
from tests.helpers.pages import ROOT, Page, number, read_csv

README, RESULTS = Page("README.md"), Page("docs/results.md")
CHECKPOINTS, MOLGAN = Page("docs/checkpoints.md"), Page("docs/molgan.md")
DEPLOYMENT, CLUSTER, TRUST = Page("docs/deployment.md"), Page("docs/cluster.md"), Page("docs/trust.md")
GOALS = Page("docs/goals.md")
LEARNING = ("task", "preset", "steps", "seeds", "mean over seeds", "IQM", "worst seed", "best seed")


def learned(task: str, preset: str) -> dict[str, str]:
    """Return what `python -m ddpg.sweep compare --csv` printed for a row of the table of learning."""
    suffix = "" if preset == "blog" else f"-{preset}"
    (row,) = read_csv(f"results/learning-{task}{suffix}/table.csv")
    assert (row["task"], row["setting"]) == (task, preset)
    return row


@pytest.mark.parametrize("page", [README, RESULTS], ids=lambda page: page.name)
def test_the_table_of_learning_is_what_was_measured(page):
    for row in page.table(*LEARNING):
        measured = learned(row["task"], row["preset"])
        assert number(row["steps"]) == pytest.approx(number(measured["steps"]), rel=0.01)  # until an episode's end
        shown = [row["seeds"], row["mean over seeds"], row["worst seed"], row["best seed"], *numbers(row["IQM"])]
        columns = ("seeds", "test_mean", "test_min", "test_max", "test_iqm", "test_low", "test_high")
        assert [number(cell) for cell in shown] == pytest.approx([number(measured[c]) for c in columns], abs=0.051)


def numbers(cell: str) -> list[str]:
    """Return the numbers in a cell such as "-147.0 [-149.1, -145.6]"."""
    return [figure.replace(",", "") for figure in re.findall(r"-?\d+(?:,\d{3})*(?:\.\d+)?", cell)]


def test_the_optimum_of_pendulum_is_what_was_measured():
    """On the scale, random torques are 0 and the optimum is 1."""
    rows = RESULTS.table("who", "mean return", "on the scale")
    measured = {row["who"]: float(row["mean"]) for row in read_csv("results/pendulum_optimum/table.csv")}
    agents = float(learned("Pendulum-v1", "blog")["test_mean"])
    optimum, random = measured["optimum"], measured["random"]
    shown = [number(row["mean return"]) for row in rows]
    assert [shown[0], *shown[2:]] == pytest.approx([optimum, agents, random], abs=0.051)
    assert number(rows[2]["on the scale"]) == pytest.approx((agents - random) / (optimum - random), abs=0.00051)


@pytest.mark.parametrize(("name", "tasks", "seeds"), [
    ("ablation", ("Pendulum-v1", "InvertedPendulum-v5", "InvertedDoublePendulum-v5"), 5),
    ("ablation_halfcheetah", ("HalfCheetah-v5",), 3),
    ("blog_mistakes", ("Pendulum-v1", "InvertedPendulum-v5"), 5),
])  # fmt: skip
def test_the_comparisons_are_interquartile_means_and_bootstrap_intervals_over_the_seeds(name, tasks, seeds):
    measured = read_csv(f"results/{name}/table.csv")
    table = RESULTS.table("variant", *tasks)
    assert [row["variant"] for row in table] == list(dict.fromkeys(run["variant"] for run in measured))
    for row in table:
        for task in tasks:
            late = [float(run["late"]) for run in measured if (run["task"], run["variant"]) == (task, row["variant"])]
            assert len(late) == (seeds if row[task] else 0)
            if late:
                cut = seeds // 4
                middle = statistics.mean(sorted(late)[cut : seeds - cut])
                low, high = bootstrap_interval([np.array(late)])
                assert list(map(float, numbers(row[task]))) == pytest.approx([middle, low, high], abs=0.51)


FINAL = {"as it is": "9,484", "no normalized observations": "7,206", "batch normalization instead": "3,772"}


def test_the_final_returns_on_halfcheetah_are_means_over_the_seeds():
    runs = read_csv("results/ablation_halfcheetah/table.csv")
    for variant, shown in FINAL.items():
        assert shown in RESULTS.prose
        mean = statistics.mean(float(run["final"]) for run in runs if run["variant"] == variant)
        assert number(shown) == pytest.approx(mean, abs=0.51)
    assert "one of the three runs stopped with NaN" in RESULTS.prose
    assert [run["variant"] for run in runs if not run["final"]] == ["no target networks"]


def test_the_actor_and_its_average_are_what_was_measured():
    """The averages are those of the runs in the table of tasks."""
    curves = read_curves([ROOT / "results" / "average" / "curves.csv"])
    published = {row["task"]: float(row["last_mean"]) for row in read_csv("results/tasks/table.csv")}
    table = RESULTS.table("task", "the actor", "its average")
    assert {row["task"] for row in table} == {curve.task for curve in curves}
    for row in table:
        for setting in ("the actor", "its average"):
            own = [curve for curve in curves if (curve.task, curve.setting) == (row["task"], setting)]
            late = np.array([curve.scores[-10:].mean() for curve in own])
            assert len(late) == 3
            low, high = bootstrap_interval([late])
            assert list(map(float, numbers(row[setting]))) == pytest.approx([late.mean(), low, high], abs=0.51)
        assert late.mean() == pytest.approx(published[row["task"]])


def test_the_table_of_normalization_is_what_was_measured():
    settings = {
        "neither": "normalize_observations=false",
        "batch normalization": "normalize_observations=false, batch_normalization=true",
    }
    tasks = ("Pendulum-v1", "Reacher-v5", "InvertedDoublePendulum-v5")
    measured = {
        (row["setting"].partition(", ")[2], row["task"]): [
            float(row[f"test_{name}"]) for name in ("iqm", "low", "high")
        ]
        for row in read_csv("results/normalization/table.csv")
    }
    for row in RESULTS.table("normalization", *tasks):
        for task in tasks:
            expected = measured[settings.get(row["normalization"], ""), task]
            assert list(map(float, numbers(row[task]))) == pytest.approx(expected, abs=0.051)


def test_the_cost_of_a_thousand_runs_is_what_was_measured():
    measured = {row["kind"]: row for row in read_csv("results/sweep_scale/table.csv")}
    columns = ("seconds_per_run", "driver_seconds_per_run", "driver_mib", "worker_mib", "ray_mib")
    for row in CLUSTER.table(
        "runs", "seconds of a core per run", "of them the driver's", "driver, MiB", "worker, MiB", "Ray, MiB"
    ):
        kind = "empty" if row["runs"].startswith("1,000") else "ten steps"
        shown = [number(cell) for cell in list(row.values())[1:]]
        assert shown == pytest.approx([float(measured[kind][column]) for column in columns], abs=0.0051)


def test_the_parity_is_what_was_measured_and_within_its_bar():
    rows = read_csv("results/parity/table.csv")

    def worst(way: str, updates: str) -> float:
        return max(float(r["difference"]) for r in rows if (r["way"], r["updates"]) == (way, updates))

    counts = ("after 1 update", "10 updates", "100 updates", "200 updates")
    for row, way in zip(
        TRUST.table("settings", "compared with", *counts), ("both", "the paper's settings"), strict=True
    ):
        for column in counts:
            assert float(row[column]) == pytest.approx(worst(way, re.search(r"\d+", column)[0]), rel=0.1)
            assert float(row[column]) < 1e-10
    for row in TRUST.table("Stable-Baselines3 with", "after 200 updates"):
        assert float(row["after 200 updates"]) == pytest.approx(worst(row["Stable-Baselines3 with"], "200"), rel=0.1)
    mistakes = TRUST.table("planted mistake", "after 10 updates")
    assert len(mistakes) >= 10
    for row in mistakes:
        assert float(row["after 10 updates"]) == pytest.approx(
            worst(f"mistake: {row['planted mistake']}", "10"), rel=0.1
        )
        assert float(row["after 10 updates"]) > 1e-6


def test_the_loops_beside_stable_baselines3_are_what_was_measured():
    measured = {(r["task"], r["steps"]): float(r["difference"]) for r in read_csv("results/parity_loop/table.csv")}
    columns = ("100 steps", "200 steps", "500 steps", "1,000 steps")
    for row in TRUST.table("task", *columns):
        for column in columns:
            steps = column.removesuffix(" steps").replace(",", "")
            assert float(row[column]) == pytest.approx(measured[row["task"], steps], rel=0.1)


def test_the_latencies_are_medians_over_the_rounds():
    names = {
        "LiteRT, 8-bit integers": "litert, int8",
        "LiteRT": "litert",
        "ONNX (onnxruntime)": "onnx",
        "the same arithmetic in NumPy": "NumPy",
        "`agent.act`": "agent.act",
        "`load_policy`": "load_policy",
        "Stable-Baselines3's `predict`": "Stable-Baselines3 predict",
        "SavedModel": "saved_model",
        "Keras": "keras",
    }
    measured: dict[str, list[float]] = {}
    for row in read_csv("results/latency/table.csv"):
        measured.setdefault(row["form"], []).append(float(row["microseconds"]))
    shown = {names[row["form"]]: number(row["µs per action"]) for row in DEPLOYMENT.table("form", "µs per action")}
    assert shown == pytest.approx({form: statistics.median(times) for form, times in measured.items()}, abs=0.051)


def test_the_long_run_and_the_cost_of_checkpoints_are_what_was_measured():
    soak, cost = CHECKPOINTS.tables_with("what", "measured")
    tenths = read_csv("results/soak/table.csv")
    sizes = [float(row["resident_mib"]) for row in tenths[1:]]
    speeds = [float(row["relative"]) for row in tenths]
    files = max(int(row["open_files"]) for row in tenths)
    assert [number(row["measured"]) for row in soak[:3]] == pytest.approx([min(sizes), max(sizes), files], abs=0.51)
    assert number(soak[3]["measured"]) == pytest.approx(speeds[-1] / speeds[1], abs=0.0051)
    last = read_csv("results/checkpoint_cost/table.csv")[-1]
    measured = [float(last["seconds"]), 100 * float(last["share"]), float(last["folder"])]
    assert [number(row["measured"]) for row in cost] == pytest.approx(measured, abs=0.0051)


def test_the_table_of_molgan_has_the_means_over_its_three_seeds():
    columns = {
        "valid": "valid",
        "valid before repair": "likeliest_valid",
        "as the original counts": "likeliest_molgan_valid",
        "unique": "unique",
        "novel": "novel",
        "solubility": "objective",
    }
    runs = read_csv("results/molgan/table.csv")
    table = MOLGAN.table("setting", "generator", *columns)
    assert len(table) > 5
    for row in table:
        some = [run for run in runs if (run["variant"], run["generator"]) == (row["setting"], row["generator"])]
        assert len(some) == 3, row
        for shown, column in columns.items():
            assert row[shown] == f"{statistics.mean(float(run[column]) for run in some):.2f}", (row, column)


def test_the_success_with_hindsight_and_without_is_what_was_measured():
    """Each row of the table is one of the CSV file, which comes from the tests of the runs kept beside it."""
    table = GOALS.table(
        "task", "hindsight", "steps", "seeds", "success, final policies", "worst seed", "best seed", "return"
    )
    measured = read_csv("results/goals/table.csv")
    for shown, row in zip(table, measured, strict=True):
        assert (shown["task"], shown["hindsight"], shown["seeds"]) == (
            row["task"],
            row["hindsight_goals"],
            row["seeds"],
        )
        tests = [
            json.loads(path.read_text(encoding="utf-8"))["results"]
            for path in (ROOT / "results" / "goals" / row["task"]).glob(
                f"hindsight{row['hindsight_goals']}-seed*/test.json"
            )
        ]
        rates = [test["success_rate"] for test in tests]
        figures = [np.mean(rates), min(rates), max(rates)]
        assert len(rates) == int(row["seeds"])
        cells = [number(shown[name]) for name in ("success, final policies", "worst seed", "best seed")]
        assert cells == pytest.approx(figures, abs=0.0051)
        assert number(shown["return"]) == pytest.approx(np.mean([test["mean"] for test in tests]), abs=0.051)
        assert number(shown["steps"]) == float(row["steps"])


def test_the_picture_of_hindsight_shows_as_many_rewards_as_the_page_says():
    rewards = [row["reward"] for row in read_csv("results/goals/episode.csv") if row["stored"] == "again"]
    assert f"{rewards.count('0')} of {len(rewards)} rows have the reward 0" in " ".join(GOALS.text.split())


def test_what_the_penalty_on_actions_does_to_a_policy_at_the_bounds_is_what_was_measured():
    measured = {(row["seed"], row["action_penalty"]): row for row in read_csv("results/action_penalty/table.csv")}
    columns = ("seed", "saturation", "with the penalty", "last evaluation", "evaluation with it")
    table = Page("docs/troubleshooting.md").table(*columns)
    assert [row["seed"] for row in table] == sorted({seed for seed, _ in measured})
    for row in table:
        plain, penalized = (measured[row["seed"], penalty] for penalty in "01")
        expected = [float(run[name]) for name in ("saturation", "evaluation") for run in (plain, penalized)]
        assert [number(row[name]) for name in columns[1:3]] == pytest.approx(expected[:2], abs=0.0051)
        assert [number(row[name]) for name in columns[3:]] == pytest.approx(expected[2:], abs=0.51)
