"""The README's figures are those of the measurements beside it."""

import csv
import re
import statistics

import pytest

from tests.test_readme import README, ROOT, table


def read(name: str) -> list[dict[str, str]]:
    folder = ROOT / "plots" if name in ("speed.csv", "anatomy.csv", "scaling.csv") else ROOT / "benchmarks" / "results"
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_learning_figures_are_those_that_were_measured():
    header = "| task | preset | steps | seeds | mean over seeds | worst seed | best seed |"
    for task, preset, steps, seeds, mean, worst, best in table(header):
        rows = read(f"learning-{task}.csv" if preset == "blog" else f"learning-{task}-{preset}.csv")
        assert all(row["flags"].startswith(f"--preset {preset} ") for row in rows)
        assert {int(row["steps"]) for row in rows} == {int(steps.replace(",", ""))}
        means = [float(row["mean"]) for row in rows]
        assert int(seeds) == len(means)
        for shown, measured in ((mean, statistics.mean(means)), (worst, min(means)), (best, max(means))):
            assert float(shown) == pytest.approx(measured, abs=0.051)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("ablation", "| variant | Pendulum-v1 | InvertedPendulum-v5 | InvertedDoublePendulum-v5 |"),
        ("blog_mistakes", "| variant | Pendulum-v1 | InvertedPendulum-v5 |"),
    ],
)
def test_the_comparisons_are_those_that_were_measured(name, header):
    rows = read(f"{name}.csv")
    shown = {variant: cells for variant, *cells in table(header)}
    assert list(shown) == list(dict.fromkeys(row["variant"] for row in rows))
    for variant, cells in shown.items():
        for task, cell in zip(header.strip("|").split("|")[1:], cells, strict=True):
            late = [float(row["late"]) for row in rows if (row["task"], row["variant"]) == (task.strip(), variant)]
            assert len(late) == (5 if cell else 0)
            if cell:
                half_width = 2.776 * statistics.stdev(late) / 5**0.5  # Student's t for five seeds
                expected = (statistics.mean(late), pytest.approx(half_width, rel=0.01, abs=1.0))
                assert tuple(map(float, cell.split(" ± "))) == (pytest.approx(expected[0], abs=0.51), expected[1])


def header_of(beginning: str) -> str:
    return next(line for line in README.splitlines() if line.startswith(beginning))


def test_the_speed_figures_are_those_that_were_measured():
    measured: dict[tuple[str, ...], dict[str, dict[str, float]]] = {}  # by setting, contender and round
    for row in read("speed.csv"):
        setting = measured.setdefault((row["task"], row["batch_size"], row["updates"]), {})
        setting.setdefault(row["contender"], {})[row["round"]] = float(row["steps_per_second"])
    shown = table(header_of("| task | minibatch | updates | steps/s |"))
    assert [tuple(row[:3]) for row in shown] == list(measured)
    for *setting, speed, sb3, sbx, post, floor, gpu in shown:
        speeds = measured[tuple(setting)]
        assert float(speed) == pytest.approx(statistics.median(speeds["ours"].values()), abs=0.51)
        for cell, name in ((sb3, "sb3"), (sbx, "sbx"), (post, "post"), (floor, "floor")):
            if cell:
                ratio = statistics.median(speeds["ours"][number] / speed for number, speed in speeds[name].items())
                assert float(cell) == pytest.approx(1 / ratio if name == "floor" else ratio, abs=0.0051)
            else:
                assert name not in speeds
        assert gpu == ""  # not measured


def test_the_anatomy_of_a_step_is_the_one_that_was_measured():
    header = header_of("| ms in a step |")
    columns = [cell.strip().rsplit(", ", 1) for cell in header.strip("|").split("|")[1:]]
    rows = {
        (row["part"], row["task"], row["updates"]): float(row["milliseconds"])
        for row in read("anatomy.csv")
        if row["batch_size"] == "64"
    }
    assert len(rows) == len(table(header)) * len(columns)
    for part, *cells in table(header):
        for (task, updates), cell in zip(columns, cells, strict=True):
            assert float(cell) == pytest.approx(rows[part, task, updates], abs=0.0051)


def test_the_scaling_figures_are_those_that_were_measured():
    measured: dict[tuple[str, str], list[float]] = {}
    for row in read("scaling.csv"):
        measured.setdefault((row["axis"], row["size"]), []).append(float(row["measured"]))
    shown = 0
    for axis, cells in table("| what grows | what it costs |"):
        for size, cost in re.findall(r"([\d,]+): ([\d.]+)", cells):
            median = statistics.median(measured[axis.split(":")[0], size.replace(",", "")])
            assert float(cost) == pytest.approx(median, abs=0.0051)
            shown += 1
    assert shown == len(measured)
    stored = {size: statistics.median(measured["transitions stored", size]) for size in ("10000", "1000000")}
    assert stored["1000000"] == pytest.approx(stored["10000"], rel=0.1)


def figure(pattern: str) -> list[float]:
    """The numbers that a sentence of the README gives."""
    match = re.search(pattern, " ".join(README.split()))
    assert match, pattern
    return [float(number.replace(",", "")) for number in match.groups()]


def test_the_figures_of_startup_soak_and_checkpoints_are_those_that_were_measured():
    startup = read("startup.csv")
    shown = figure(
        r"--help` answers in ([\d.]+) s.*?imports alone take ([\d.]+) s.*?first environment step.*? after ([\d.]+) s"
    )
    for name, seconds in zip(("help", "imports", "first_step"), shown, strict=True):
        assert seconds == pytest.approx(statistics.median(float(row[name]) for row in startup), abs=0.0051), name

    soak = read("soak.csv")
    sizes = [float(row["resident_mib"]) for row in soak[1:]]
    speeds = [float(row["relative"]) for row in soak]
    low, high, files, change = figure(
        r"resident memory between (\d+) and (\d+) MiB.*?at most (\d+) files open.*?last tenth ([\d.]+) times as fast"
    )
    assert (low, high) == (pytest.approx(min(sizes), abs=0.51), pytest.approx(max(sizes), abs=0.51))
    assert files == max(int(row["open_files"]) for row in soak)
    assert change == pytest.approx(speeds[-1] / speeds[1], abs=0.0051)

    last = read("checkpoint_cost.csv")[-1]
    share, folder = figure(r"takes ([\d.]+) % of the run's time, and the folder holds ([\d.]+) times")
    assert share == pytest.approx(100 * float(last["share"]), abs=0.0051)
    assert folder == pytest.approx(float(last["folder"]), abs=0.0051)


def test_the_molgan_table_is_what_was_measured():
    """Means over the seeds, of the kept generator and of the last one."""
    with (ROOT / "plots" / "molgan.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = ("valid", "likeliest_valid", "likeliest_molgan_valid", "unique", "novel", "objective")
    shown = table("| setting | valid | before mending | as the original counts | unique | novel | solubility |")
    assert len(shown) > 5
    for setting, *cells in shown:
        variant, _, which = setting.strip("*").rpartition(", ")
        generator = {"kept": "best", "at the end": "last"}[which]
        some = [row for row in rows if (row["variant"], row["generator"]) == (variant, generator)]
        assert len(some) == 3, setting
        means = [statistics.mean(float(row[column]) for row in some) for column in columns]
        assert [cell.strip("*") for cell in cells] == [f"{mean:.2f}" for mean in means], setting
