"""An agent that does not fit into memory is refused, and a run takes little memory and no more as it goes on."""

import importlib
import sys

import pytest

from ddpg import Config, RequestError
from ddpg.run import memory
from ddpg.run.memory import GIB, available_memory, require_memory


def test_a_buffer_that_does_not_fit_is_refused_with_the_largest_that_does(monkeypatch):
    """The system would grant the pages and kill the run when they fill."""
    monkeypatch.setattr(memory, "available_memory", lambda: 1.5 * GIB)
    with pytest.raises(
        RequestError,
        match=r"100000000 transitions of 36 bytes take 3.35 GiB, but only 1.50 GiB is free; use at most (\d+)",
    ) as caught:
        require_memory(Config(buffer_size=10**8), 3, 1)
    assert caught.value.setting == "buffer_size"
    largest = int(caught.value.message.split()[-1])
    require_memory(Config(buffer_size=largest), 3, 1)
    with pytest.raises(RequestError):
        require_memory(Config(buffer_size=largest + 1), 3, 1)


def test_networks_that_do_not_fit_are_refused_with_their_size(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 2 * GIB)
    with pytest.raises(
        RequestError,
        match=r"take 2980\d\d\d+\.\d\d GiB with their optimizers, but only 2\.00 GiB is free; use fewer units",
    ) as caught:
        require_memory(Config(hidden_units=(10**8, 10**8)), 3, 1)
    assert caught.value.setting == "hidden_units"


def test_the_size_of_the_networks_is_that_of_their_variables_and_adams():
    """Online and target networks and two moments, float32, of the paper's 400 and 300 units on Pendulum."""
    actor = 3 * 400 + 400 + 400 * 300 + 300 + 300 + 1
    critic = 4 * 400 + 400 + 400 * 300 + 300 + 300 + 1
    with pytest.MonkeyPatch.context() as patch:
        for slack, fits in ((500 * 4, True), (-1, False)):  # the critic's count allows for both of its layouts
            patch.setattr(
                memory, "available_memory", lambda slack=slack: 16 * (actor + critic) + 64 * 36 + 16 * 400 + slack
            )
            if fits:
                require_memory(Config(buffer_size=64), 3, 1)
            else:
                patch.setattr(memory, "available_memory", lambda: 16 * (actor + critic) - 1)
                with pytest.raises(RequestError, match="fewer units"):
                    require_memory(Config(buffer_size=64), 3, 1)


def test_an_average_of_the_actor_counts_as_one_more():
    """It has no optimizer and no target."""
    actor = 3 * 400 + 400 + 400 * 300 + 300 + 300 + 1
    with_average, without = (memory.network_bytes(Config(evaluation_tau=tau), 3, 1) for tau in (0.1, 1.0))
    assert with_average - without == 4 * actor


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and the container's limit")
def test_the_free_memory_is_that_of_the_machine_or_its_container(monkeypatch):
    """The smaller one: a container's limit kills a run that the machine could hold."""
    machine = available_memory()
    assert 2**28 < machine < 2**44
    files = {"memory.max": "3000000", "memory.current": "1000000"}
    read_text = memory.Path.read_text
    monkeypatch.setattr(memory.Path, "read_text", lambda self, *a: files.get(self.name) or read_text(self, *a))
    assert available_memory() == 2_000_000


@pytest.fixture
def benchmark():
    """The benchmark that measures a run's memory in a process of its own."""
    return importlib.import_module("benchmarks.endurance.memory")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")
def test_a_run_stays_within_250_mb_of_tensorflow_and_its_buffer(benchmark):
    """Full-sized networks, so that what XLA takes to compile them counts; the peak is reached in the first steps."""
    figures = benchmark.measure("Pendulum-v1", 600, "--evaluate-every", "200", "--evaluation-episodes", "2")
    assert figures["peak"] - figures["imported"] < 250e6


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")
def test_resident_memory_does_not_grow_between_step_5_000_and_step_20_000(benchmark):
    """The rows that fill the buffer meanwhile are 0.3 MiB; a retrace at each step, or a leaked tensor, is far more."""
    small = "--hidden-units 16 16 --batch-size 16 --evaluate-every 2000 --evaluation-episodes 1 --checkpoint-every 2000"
    figures = benchmark.measure("Pendulum-v1", 20_000, *small.split(" "))
    assert benchmark.growth(figures["by_step"], 5_000, 20_000) < 12 * benchmark.MIB


def test_a_buffer_that_the_run_can_never_fill_counts_only_as_far_as_it_is_filled(monkeypatch):
    """States of 96 x 96 x 3 numbers: the default buffer takes 206 GiB, but 300 steps of them do not."""
    monkeypatch.setattr(memory, "available_memory", lambda: 2 * GIB)
    monkeypatch.setattr(memory, "total_memory", lambda: 32 * GIB)
    require_memory(Config(buffer_size=100_000, steps=300), 96 * 96 * 3, 3)
    with pytest.raises(RequestError, match=r"take 20\.60 GiB, but only 2\.00 GiB is free; use at most"):
        require_memory(Config(buffer_size=100_000, steps=30_000), 96 * 96 * 3, 3)
    with pytest.raises(RequestError, match=r"take 206\.01 GiB, but only 2\.00 GiB is free; use at most 1330$"):
        require_memory(Config(steps=300), 96 * 96 * 3, 3)  # no system grants more than it has
