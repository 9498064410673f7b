"""The figures of docs/performance.md are those of the measurements in the repository."""

import statistics

import pytest

from tests.helpers.pages import Page, number, read_csv

PERFORMANCE = Page("docs/performance.md")


SETTING = ("task", "batch_size", "updates")
GPU = "results/gpu/speed.csv"


def by_setting(
    path: str, settings: tuple[str, ...] = SETTING, contender: str = "contender", measure: str = "steps_per_second"
) -> dict[tuple[str, ...], dict[str, dict[str, float]]]:
    """Return the measurements of a file by the columns of a setting, by contender and by round."""
    measured: dict[tuple[str, ...], dict[str, dict[str, float]]] = {}
    for row in read_csv(path):
        setting = measured.setdefault(tuple(row[column] for column in settings), {})
        setting.setdefault(row[contender], {})[row["round"]] = float(row[measure])
    return measured


def median_ratio(ours: dict[str, float], other: dict[str, float]) -> float:
    """Return the median of the ratios within a round."""
    return statistics.median(ours[number] / speed for number, speed in other.items())


def test_the_table_of_speed_has_the_median_ratios_within_a_round():
    measured, gpu = by_setting("results/speed/table.csv"), by_setting(GPU, contender="processor")
    (table,) = [table for table in PERFORMANCE.tables() if "steps/s" in table[0]]
    assert [(row["task"], row["minibatch"], row["updates"]) for row in table] == list(measured)
    columns = {
        "over Stable-Baselines3": "sb3",
        "over SBX": "sbx",
        "over the post": "post",
        "time over NumPy's": "numpy",
    }
    for row, speeds in zip(table, measured.values(), strict=True):
        assert number(row["steps/s"]) == pytest.approx(statistics.median(speeds["ours"].values()), abs=0.51)
        on_gpu = gpu.get((row["task"], row["minibatch"], row["updates"]))
        assert row["on a GPU"] == (f"{statistics.median(on_gpu['GPU'].values()):,.0f}" if on_gpu else "")
        for column, name in columns.items():
            assert bool(row[column]) == (name in speeds)
            if row[column]:
                ratio = median_ratio(speeds["ours"], speeds[name])
                assert number(row[column]) == pytest.approx(1 / ratio if name == "numpy" else ratio, abs=0.0051)


@pytest.mark.parametrize(
    ("path", "settings", "columns", "ratio", "of", "over"),
    [
        (
            GPU,
            {"minibatch": "batch_size", "updates": "updates"},
            {"GPU, steps/s": "GPU", "CPU, steps/s": "CPU"},
            "GPU over CPU",
            "GPU",
            "CPU",
        ),
        (
            "results/gpu/runs.csv",
            {"runs": "runs"},
            {"GPU": "GPU", "CPU, one thread each": "CPU"},
            "GPU over CPU",
            "GPU",
            "CPU",
        ),
        (
            "results/gpu/deterministic.csv",
            {"updates": "updates"},
            {"GPU, steps/s": "GPU", "deterministic GPU, steps/s": "deterministic GPU"},
            "deterministic over GPU",
            "deterministic GPU",
            "GPU",
        ),
    ],
)
def test_the_speeds_on_a_gpu_are_what_was_measured(path, settings, columns, ratio, of, over):
    measured = by_setting(path, tuple(settings.values()), "processor")
    (table,) = [table for table in PERFORMANCE.tables() if {*settings, *columns, ratio} == set(table[0])]
    shown = {tuple(row[column].replace(",", "") for column in settings): row for row in table}
    assert list(shown) == list(measured)
    for setting, speeds in measured.items():
        for column, name in columns.items():
            assert number(shown[setting][column]) == pytest.approx(statistics.median(speeds[name].values()), abs=0.51)
        assert number(shown[setting][ratio]) == pytest.approx(median_ratio(speeds[of], speeds[over]), abs=0.0051)


def test_the_readme_has_the_range_of_the_gains_on_a_gpu():
    gains = [median_ratio(speeds["GPU"], speeds["CPU"]) for speeds in by_setting(GPU, contender="processor").values()]
    sentence = f"it is {min(gains):.0f} to {max(gains):.0f} times as fast as on the 16 cores beside it"
    assert sentence in " ".join(Page("README.md").prose.split())


def test_the_differences_of_weights_on_a_gpu_are_what_was_measured():
    measured = read_csv("results/gpu/agreement.csv")
    (table,) = [table for table in PERFORMANCE.tables() if "from the CPU" in table[0]]
    columns = ("from_cpu", "from_second_run", "from_second_deterministic_run")
    for row, (updates, *cells) in zip(measured, map(dict.values, table), strict=True):
        assert updates == row["updates"]
        for cell, column in zip(cells, columns, strict=True):
            assert number(cell) == pytest.approx(float(row[column]), abs=0.6 * 10 ** -len(cell.partition(".")[2]))


def test_the_costs_of_options_are_what_was_measured():
    measured = by_setting("results/options/table.csv", ("updates",), "option", "milliseconds")
    columns = {"one update per step": ("1",), "50 updates every 50 steps": ("50",)}
    shown = {row["option"].strip("`"): row for row in PERFORMANCE.table("option", *columns)}
    for column, updates in columns.items():
        options = measured[updates]
        assert list(shown) == [option for option in options if option != "none"]
        for option, row in shown.items():
            ratio = median_ratio(options[option], options["none"])
            assert number(row[column].strip(" %")) == pytest.approx(100 * (ratio - 1), abs=0.51)


def test_the_trainings_on_a_gpu_are_what_was_measured():
    on_gpu: dict[str, list] = {}
    for row in read_csv("results/gpu/training.csv"):
        on_gpu.setdefault(row["seed"], []).append(row)
    runs = {
        "GPU": on_gpu.values(),
        "CPU": [read_csv(f"results/tasks/Walker2d-v5/seed{seed}/evaluations.csv") for seed in range(3)],
    }
    table = PERFORMANCE.table("processor", "seeds", "three runs", "mean")
    assert [row["processor"] for row in table] == list(runs)
    for row in table:
        late = [
            statistics.mean(float(each["mean"]) for each in run if 395_000 <= int(each["steps"]) <= 495_000)
            for run in runs[row["processor"]]
        ]
        assert row["three runs"] == ", ".join(f"{mean:,.0f}" for mean in late)
        assert number(row["mean"]) == pytest.approx(statistics.mean(late), abs=0.51)


def test_the_breakdown_of_a_step_is_what_was_measured():
    (table,) = [table for table in PERFORMANCE.tables() if "ms in a step" in table[0]]
    measured = {
        (row["part"], f"{row['task']}, {row['updates']}"): float(row["milliseconds"])
        for row in read_csv("results/speed/parts.csv")
        if row["batch_size"] == "64"
    }
    shown = {
        (row["ms in a step"], column): number(cell)
        for row in table
        for column, cell in row.items()
        if column != "ms in a step"
    }
    assert shown == pytest.approx(measured, abs=0.0051)


FLOOR = {
    "the products by OpenBLAS (NumPy)": ("products by NumPy", "ms"),
    "the products by torch (oneDNN)": ("products by torch", "ms"),
    "the bytes": ("bytes", "ms"),
    "the floor": ("floor", "ms"),
    "an update, 50 per call": ("update of 50", "ms"),
    "an update, one per call": ("update alone", "ms"),
    "an update, 50 per call, over the floor": ("update of 50", "over_floor"),
    "an update, one per call, over the floor": ("update alone", "over_floor"),
}
PROFILE = {
    "the call: passing 52 variables in and the results out": "call",
    "the compiled program": "program",
    "its matrix products": "matrix products",
    "Adam and the soft updates": "Adam and soft updates",
    "two copies of the weights between the hidden layers": "copies of weights",
    "everything else": "everything else",
}


def test_the_floor_and_the_parts_of_an_update_are_what_was_measured():
    tasks = ("Pendulum-v1", "HalfCheetah-v5")
    measured = {(row["task"], row["part"]): row for row in read_csv("results/floor/table.csv")}
    columns = [f"{task}, ms" for task in tasks]
    floor, profile = PERFORMANCE.table("what", *columns), PERFORMANCE.table("part", *columns)
    assert len(floor) == len(FLOOR) and len(profile) == len(PROFILE)
    for task, column in zip(tasks, columns, strict=True):
        shown = {row["what"]: number(row[column]) for row in floor}
        expected = {name: float(measured[task, part][unit]) for name, (part, unit) in FLOOR.items()}
        assert shown == pytest.approx(expected, abs=0.0051)
        shown = {row["part"]: number(row[column]) for row in profile}
        expected = {name: float(measured[task, f"profile: {part}"]["ms"]) for name, part in PROFILE.items()}
        assert shown == pytest.approx(expected, abs=0.0051)


def test_the_speed_with_an_update_at_the_floor_follows_from_what_was_measured():
    speeds = by_setting("results/speed/table-amd-64.csv")
    floors = {(r["task"], r["part"]): float(r["ms"]) for r in read_csv("results/floor/table.csv")}
    parts = {
        (r["task"], r["updates"], r["part"]): float(r["milliseconds"])
        for r in read_csv("results/speed/parts-amd-64.csv")
    }
    (table,) = [table for table in PERFORMANCE.tables() if "SBX with the floor" in table[0]]
    assert [(row["task"], "64", row["updates"]) for row in table] == list(speeds)
    for row in table:
        task, updates = row["task"], row["updates"]
        by_contender = speeds[task, "64", updates]
        step, update = parts[task, updates, "step"], parts[task, updates, "update"]
        least = step - update + floors[task, "floor"] + (floors[task, "profile: call"] if updates == "1" else 0.0)
        assert number(row["steps/s here"]) == pytest.approx(statistics.median(by_contender["ours"].values()), abs=0.51)
        for contender, name in (("sb3", "Stable-Baselines3"), ("sbx", "SBX")):
            ratio = median_ratio(by_contender["ours"], by_contender[contender])
            assert number(row[f"over {name}"]) == pytest.approx(ratio, abs=0.0051)
            assert number(row[f"{name} with the floor"]) == pytest.approx(ratio * step / least, abs=0.051)


def test_the_speeds_of_runs_side_by_side_are_medians_and_ratios_within_a_round():
    speeds: dict[str, dict[str, dict[str, float]]] = {}  # by task, way and round
    for row in read_csv("results/sweep_speed/table.csv"):
        ways = speeds.setdefault(row["task"], {})
        ways.setdefault(row["way"], {})[row["round"]] = float(row["steps_per_second"])
    columns = ("one run, all cores", "plain processes", "sweep")
    table = PERFORMANCE.table("task", *columns, "sweep over one run", "sweep over plain processes")
    assert [row["task"] for row in table] == list(speeds)
    for row in table:
        ways = speeds[row["task"]]
        for column in columns:
            assert number(row[column]) == pytest.approx(statistics.median(ways[column].values()), abs=0.51)
        for other in ("one run, all cores", "plain processes"):
            ratio = median_ratio(ways["sweep"], ways[other])
            shown = row[f"sweep over {other.partition(',')[0]}"]
            assert number(shown) == pytest.approx(ratio, abs=0.0051)


def test_the_costs_of_larger_sizes_are_what_was_measured():
    measured: dict[tuple[str, float], list[float]] = {}
    for row in read_csv("results/scaling/table.csv"):
        measured.setdefault((row["axis"], number(row["size"])), []).append(float(row["measured"]))
    medians = {key: statistics.median(values) for key, values in measured.items()}
    table = PERFORMANCE.table("what grows", "measured", "size", "cost")
    assert {(row["what grows"], number(row["size"])): number(row["cost"]) for row in table} == pytest.approx(
        medians, abs=0.0051
    )
    assert medians["transitions stored", 1e6] == pytest.approx(medians["transitions stored", 1e4], rel=0.1)


def test_the_times_to_start_are_medians():
    rounds = read_csv("results/startup/table.csv")
    for row in PERFORMANCE.table("until", "column", "seconds"):
        column = row["column"].strip("`")
        assert number(row["seconds"]) == pytest.approx(statistics.median(float(r[column]) for r in rounds), abs=0.0051)


@pytest.mark.slow
def test_the_starts_that_the_benchmark_times_still_start():
    """Its processes replace parts of a run by name."""
    from benchmarks.speed.startup import first_episode, first_step

    assert first_step("Pendulum-v1")[0] > 0
    assert first_episode("Pendulum-v1") > 0


def test_the_table_of_several_simulators_has_the_medians():
    settings = ("milliseconds", "simulators", "train_frequency")
    measured = by_setting("results/simulators/table.csv", settings, "loop")
    (table,) = [table for table in Page("docs/simulators.md").tables() if "steps for an update" in table[0]]
    assert [(row["a step sleeps, ms"], row["N"], row["steps for an update"]) for row in table] == list(measured)
    for row, loops in zip(table, measured.values(), strict=True):
        for name in ("one", "several"):
            assert number(row[f"{name}, steps/s"]) == round(statistics.median(loops[name].values()))
        for column, name in (("one", "one"), ("the updates alone", "updates"), ("Stable-Baselines3", "sb3")):
            ratio = f"{median_ratio(loops['several'], loops[name]):.2f}" if name in loops else ""
            assert row[f"over {column}"] == ratio


def test_the_times_to_a_return_are_medians_over_the_seeds():
    ends: dict[tuple[str, str], dict[str, tuple[float, float]]] = {}
    for row in read_csv("results/time_to_return/table.csv"):
        ends.setdefault((row["task"], row["contender"]), {})[row["seed"]] = float(row["seconds"]), float(row["steps"])
    medians = {run: [statistics.median(values) for values in zip(*ends[run].values(), strict=True)] for run in ends}
    names = {"this project": "ours", "Stable-Baselines3": "sb3", "SBX": "sbx"}
    for row in PERFORMANCE.table(
        "task", "return", "contender", "seconds", "steps", "reached", "seconds over this project's"
    ):
        seconds, steps = medians[row["task"], names[row["contender"]]]
        ours, _ = medians[row["task"], "ours"]
        assert (number(row["seconds"]), number(row["steps"])) == (round(seconds), steps)
        assert number(row["seconds over this project's"]) == pytest.approx(seconds / ours, abs=0.0051)
