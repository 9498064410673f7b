"""The line of a sweep's progress: counts, the share that is done, and the speed of the last half minute."""

import pytest

from ddpg import Config
from ddpg.sweep import progress as progress_
from ddpg.sweep.jobs import TrainingJob, write_test
from ddpg.sweep.progress import SweepProgress


class Bar:
    """Keeps what a tqdm bar would show."""

    def __init__(self, total, initial, disable, **_):
        self.total, self.n, self.initial, self.disable = total, initial, initial, disable

    def set_description_str(self, text, refresh):
        self.counts = text

    def set_postfix_str(self, text, refresh):
        self.speed = text

    def update(self, more):
        self.n += more

    def refresh(self):
        pass


@pytest.fixture
def jobs(tmp_path):
    """Four runs of 10,000 steps."""
    made = [TrainingJob(tmp_path / str(k), Config(steps=10_000)) for k in range(4)]
    for job in made:
        job.folder.mkdir()
    return made


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets, and no bar on the screen."""
    now = [0.0]
    monkeypatch.setattr(progress_.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress_, "tqdm", Bar)
    return now


def at(job, steps):
    (job.folder / "episodes.csv").write_text(f"episode,steps,seconds\n1,{steps},1.0\n")


def test_runs_are_counted_as_done_running_waiting_and_failed(jobs, clock):
    progress = SweepProgress(jobs, enabled=True)
    at(jobs[0], 10_000)
    at(jobs[1], 5_000)
    progress.end(jobs[0])
    progress.show(running=1)
    assert progress.bar.counts == "1 done, 1 running, 2 waiting "
    assert (progress.bar.total, progress.bar.n, progress.bar.disable) == (4, 1.5, False)
    progress.end(jobs[1], failed=True)
    progress.show(running=2)
    assert progress.bar.counts == "1 done, 2 running, 0 waiting, 1 failed "


def test_the_speed_is_that_of_all_runs_together_over_the_last_half_minute(jobs, clock):
    at(jobs[0], 1_000)
    progress = SweepProgress(jobs, enabled=True, unit="epoch")
    progress.show(running=1)
    assert progress.bar.speed == "0 epochs/s together"
    assert progress.bar.initial == pytest.approx(0.1)  # a sweep that goes on
    for now, steps, speed in ((10, 3_000, 200), (20, 4_000, 150), (45, 9_000, 200), (100, 9_110, 2)):
        clock[0] = now
        at(jobs[0], steps)
        progress.show(running=1)
        assert progress.bar.speed == f"{speed:.0f} epochs/s together"
    assert progress.bar.n == pytest.approx(0.911)


def test_the_bar_never_goes_back(jobs, clock):
    """A run that is repeated begins again."""
    at(jobs[0], 5_000)
    progress = SweepProgress(jobs, enabled=True)
    at(jobs[0], 1_000)
    progress.show(running=1)
    assert progress.bar.n == 0.5


def test_a_sweep_that_goes_on_begins_with_its_finished_runs(jobs, clock):
    at(jobs[2], 10_000)
    write_test(jobs[2], {"mean": 1.0})
    progress = SweepProgress(jobs, enabled=False)
    progress.show(running=0)
    assert progress.bar.initial == 1 and progress.bar.disable
    assert progress.bar.counts == "1 done, 0 running, 3 waiting "
