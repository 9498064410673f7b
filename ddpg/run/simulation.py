"""Where a run's experience comes from: one simulator, in turn with the updates, or several that step meanwhile."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from ddpg.agent import DDPG
from ddpg.command.ray import Machine
from ddpg.command.streams import note
from ddpg.config import Config
from ddpg.errors import RequestError
from ddpg.evaluation import ActingAgent, Evaluation, evaluate
from ddpg.experience.cluster_simulators import ClusterSimulators
from ddpg.experience.controllers import Controller, load_controller
from ddpg.experience.hindsight import make_hindsight
from ddpg.experience.parallel import Rounds
from ddpg.experience.simulators import Simulators
from ddpg.run.memory import available_memory
from ddpg.run.progress import Progress
from ddpg.storage.run_folder import RunFolder
from ddpg.task.environments import for_evaluation, open_environment, own_time_limit
from ddpg.task.reported import ReportedInfo, as_in_a_run, reported_columns
from ddpg.task.watched import CutEpisodes, WatchedEnvironment
from ddpg.training import Episode, train

Reported = dict[str, float]
Moment = tuple[Episode, list[tuple[Episode, Reported]]]  # where the run is; what has ended since the last moment


SIMULATOR_BYTES = 100 * 2**20  # of a process with a small task
EPISODES_BETWEEN_CUTS = 3  # in each simulator; with fewer, a large share is cut


@contextmanager
def explained(reason: str) -> Iterator[None]:
    """Add to a refusal why the task was made once more."""
    try:
        yield
    except RequestError as error:
        raise RequestError(f"{error.message}; {reason}", error.setting) from None


class OneSimulator:
    """One instance of the task to train in, whose endless episodes are cut, and one for evaluations.

    Args:
        agent: The agent.
        folder: The run folder, which knows when the user stops the run.
        steps: Environment steps of the run so far.
        stack: Closes both.

    Raises:
        RequestError: The task cannot be made, or not twice.
    """

    exact_between_checkpoints = True  # at the end of each episode the run can be saved so that nothing changes

    def __init__(self, agent: DDPG, folder: RunFolder, steps: int, stack: ExitStack) -> None:
        self.agent, self.config, self.stop = agent, agent.config, folder.stop
        with explained("an instance was opened before, to look at it: the task's close must free what it holds"):
            task = stack.enter_context(open_environment(self.config))
        longest = folder.kept.get("longest_episode", own_time_limit(task) or 0)
        self.reported = reported_columns(self.config, folder.kept.get("reports_success", False))
        self.task = task
        self._cuts = CutEpisodes(task, self.config, steps, longest)
        self.training: Any = self._cuts
        self.evaluation: Any = for_evaluation(task, self.config)
        if self.config.evaluate_in_training_task:
            return
        with explained(
            "training and evaluation open an instance each: where only one can exist, use --evaluate-in-training-task"
        ):
            self.evaluation = stack.enter_context(open_environment(self.config, evaluation=True))

    @property
    def longest(self) -> int:
        """The longest episode that ended by itself."""
        return self._cuts.longest

    def watch(self, bar: Progress) -> None:
        """Look after stops and the progress bar at each step, and collect what the task reports."""
        pairs = (self.training, bar.look), (self.evaluation, bar.look_at_evaluation)
        self.training, self.evaluation = (
            ReportedInfo(WatchedEnvironment(task, self.stop, look), self.reported) for task, look in pairs
        )

    def train(self, last: Episode, must_stop: Callable[[], bool]) -> Iterator[Moment]:
        """Train, and yield at the end of each episode.

        Raises:
            Stopped: The user stopped the run in the middle of an episode.
        """
        if name := self.config.warm_up_controller:
            function = load_controller(name, "warm_up_controller")
            self.agent.leader = Controller(function, self.training, "episode", last.number)
        for episode in train(self.agent, self.training, last, make_hindsight(self.training, self.config)):
            yield episode, [(episode, self.training.take())]
            if must_stop():
                return

    def evaluate(self, agent: ActingAgent, seed: int) -> tuple[Evaluation, Reported]:
        """Return an evaluation whose episode i is reset with `seed + i`, and what the task reported."""
        evaluation = evaluate(agent, self.evaluation, self.config.evaluation_episodes, seed)
        return evaluation, self.evaluation.take()


class SeveralSimulators:
    """Simulators in processes of their own or on a cluster, for training and evaluations.

    The arguments are those of `OneSimulator`, and whether the simulators are on the cluster that this process joined.
    """

    exact_between_checkpoints = False  # a simulator's state cannot be saved: all episodes are cut at each checkpoint

    def __init__(self, agent: DDPG, folder: RunFolder, steps: int, stack: ExitStack, on_cluster: bool = False) -> None:
        self.agent, self.config, self.stop, self.folder = agent, agent.config, folder.stop, folder
        self.reported = reported_columns(self.config, folder.kept.get("reports_success", False))
        self.task = stack.enter_context(open_environment(self.config))  # to ask it, not to step it
        self.longest = folder.kept.get("longest_episode", own_time_limit(self.task) or 0)
        wrap = partial(as_in_a_run, config=self.config, columns=self.reported)
        sizes = agent.state_size, agent.action_size
        count, timeout = self.config.num_envs or 1, self.config.env_timeout
        make: Any = ClusterSimulators if on_cluster else Simulators
        self.simulators = stack.enter_context(make(self.config, count, timeout, sizes, wrap))
        if on_cluster:
            self.simulators.tell = self._record_loss
        self._write_losses()
        made = [make_hindsight(self.task, self.config) for _ in range(count)]
        self.hindsights = [hindsight for hindsight in made if hindsight]
        self.bar: Progress | None = None

    def watch(self, bar: Progress) -> None:
        """Look after stops and the progress bar at each step of an evaluation."""
        self.bar = bar

        def look() -> None:
            self.stop.check()
            bar.look_at_evaluation(0)

        self.simulators.look = look

    def _record_loss(self, number: int) -> None:
        """Say that so many simulators were lost on a cluster, and keep it with the run."""
        loss = {"after_step": self.agent.steps, "simulators": number}
        self.folder.kept.setdefault("lost_simulators", []).append(loss)
        self._write_losses()
        which = "1 simulator was" if number == 1 else f"{number} simulators were"
        text = f"note: {which} lost after step {self.agent.steps}; "
        text += "others go on with new episodes, so the numbers are not those of an undisturbed run"
        (self.bar.note if self.bar else note)(text)

    def _write_losses(self) -> None:
        """Write after which steps how many simulators were lost into `config.json`, if any were."""
        if losses := self.folder.kept.get("lost_simulators"):
            self.folder.log.add_to_config(lost_simulators=losses)

    def train(self, last: Episode, must_stop: Callable[[], bool]) -> Iterator[Moment]:
        """Train, and yield after each round; where the run must stop, all episodes are cut."""
        rounds = Rounds(self.agent, self.simulators, last, self.longest, self.hindsights, self._leaders())
        while not rounds.are_over:
            if self.bar:
                self.bar.look_at_round(rounds.steps, rounds.count)
            ended = rounds.next()
            stop = must_stop()
            if stop:
                ended += rounds.cut()
            self.longest = rounds.longest
            yield rounds.position, [(episode, self._take()) for episode in ended]
            if stop:
                return

    def _leaders(self) -> list[Controller]:
        """Return a controller for each simulator, if one leads the first steps."""
        if not self.config.warm_up_controller:
            return []
        function = load_controller(self.config.warm_up_controller, "warm_up_controller")
        labels = [f"simulator {k}, episode" for k in range(self.simulators.num_envs)]
        return [Controller(function, self.task, label) for label in labels]

    def evaluate(self, agent: ActingAgent, seed: int) -> tuple[Evaluation, Reported]:
        """Return an evaluation whose episode i is reset with `seed + i`, and what the task reported."""
        evaluation = evaluate(agent, self.simulators, self.config.evaluation_episodes, seed)
        return evaluation, self._take()

    def _take(self) -> Reported:
        """Return what the next episode has reported; NaN where nothing was."""
        nothing = dict.fromkeys(self.reported, float("nan"))
        return nothing | (self.simulators.reported.pop(0) if self.simulators.reported else {})


def notes_on_simulators(config: Config, limit: int | None) -> list[str]:
    """Return what a user should know where the checkpoints cut most episodes; `limit` is the task's time limit."""
    rounds = config.checkpoint_every // (config.num_envs or 1)
    if config.num_envs and limit and rounds < EPISODES_BETWEEN_CUTS * limit:
        return [
            f"with --num-envs {config.num_envs}, checkpoints cut every episode after at most {rounds} of its steps; "
            f"episodes have up to {limit}: use --checkpoint-every {10 * limit * config.num_envs} or more"
        ]
    return []


Simulation = OneSimulator | SeveralSimulators


def open_simulation(
    agent: DDPG, folder: RunFolder, steps: int, stack: ExitStack, on_cluster: bool = False
) -> Simulation:
    """Return the simulator or simulators that a run's settings ask for."""
    if agent.config.num_envs:
        return SeveralSimulators(agent, folder, steps, stack, on_cluster)
    return OneSimulator(agent, folder, steps, stack)


def require_room(config: Config, machines: Sequence[Machine]) -> None:
    """Raise `RequestError` unless the machines of a cluster have a core for each simulator, or this one the memory."""
    if machines and config.num_envs is None:
        raise RequestError("needs --num-envs: one simulator takes turns with the updates in this process", "address")
    cores = sum(machine.cores for machine in machines)
    if machines and cores < (config.num_envs or 1):
        raise RequestError(f"{config.num_envs} simulators take a core each; the cluster has {cores}", "num_envs")
    most = available_memory() / SIMULATOR_BYTES
    if not machines and (config.num_envs or 0) > max(1, most):
        raise RequestError(
            f"{config.num_envs} simulators take about 0.1 GiB each; the memory left is for {most:.0f}", "num_envs"
        )
