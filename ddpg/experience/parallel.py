"""Training with several simulators, which step while the agent learns.

One simulator and the updates take turns in `ddpg.training`. Here a round is: send N actions; make the updates that are
due on what is stored; receive; store N transitions. So a round takes as long as the simulators or the updates, and not
both. The order is fixed, so the numbers do not depend on how fast each simulator is.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv

from ddpg import equations
from ddpg.agent import DDPG, Metrics
from ddpg.equations import MeanMetrics
from ddpg.errors import RequestError, RunStopped
from ddpg.experience.controllers import Controller
from ddpg.experience.hindsight import Hindsight, make_hindsight
from ddpg.experience.simulators import SimulatorError, require_usable
from ddpg.fast import compile_policy_of_many, compile_updates
from ddpg.noise import make_noise
from ddpg.seeding import integer_seed
from ddpg.settings.schedules import falling, rounds_after_episode
from ddpg.training import AVERAGED_EPISODES, Episode
from ddpg.training import train as train_with_one

SURELY_LONG = 10  # times the longest episode that has ended by itself: such an episode may never end


def train(agent: DDPG, environments: gymnasium.Env | VectorEnv, resume_from: Episode = Episode()) -> Iterator[Episode]:
    """Train an agent, and yield an `Episode` at the end of each one: with one simulator as `ddpg.training.train`.

    With N simulators, those that end in the same round are yielded in the order of the simulators. Episodes are
    numbered as they begin, and episode k is reset with a seed that depends on `(seed, k)` alone. Whenever the steps
    pass a multiple of `checkpoint_every`, all running episodes are cut, as by a time limit, and new ones begin: this is
    where a run can be resumed. The run ends with the first round at or after `steps` environment steps, or else when
    `episodes` episodes have ended; those that were cut count too.

    Args:
        agent: The agent that acts and learns.
        environments: A task from `make_environment`; `Simulators`; or N tasks from `make_environment` in a vector
            environment that does not reset them.
        resume_from: Where an interrupted run was cut.

    Raises:
        RequestError: The vector environment resets its tasks, or their actions are not scaled.
        RunStopped: A simulator failed or returned what cannot be learned from; the message names it.
    """
    if not isinstance(environments, VectorEnv):
        yield from train_with_one(agent, environments, resume_from, make_hindsight(environments, agent.config))
        return
    rounds = Rounds(agent, environments, resume_from)
    while not rounds.are_over:
        yield from rounds.next()


class Rounds:
    """The rounds of a training, each one step of all N simulators; `train` has the arguments.

    Attributes:
        steps: Environment steps of the run so far.
        begun: Episodes that have begun; their numbers have been given out.
        running: Which simulators have an episode in progress, a mask `(N,)`.
        longest: The longest episode so far that ended by itself, or the task's own time limit; 0 for none.
    """

    def __init__(
        self,
        agent: DDPG,
        environments: VectorEnv,
        resume_from: Episode = Episode(),
        longest: int = 0,
        hindsights: Sequence[Hindsight] = (),
        leaders: Sequence[Controller] = (),
    ) -> None:
        require_usable(environments, (agent.state_size, agent.action_size))
        if agent.config.hindsight_goals and not hindsights:
            raise RequestError("several simulators need a Hindsight for each", "hindsight_goals")
        self.hindsights, self.leaders = hindsights, leaders  # of each simulator, if there are any
        self.agent, self.environments, self.config = agent, environments, agent.config
        self.count, config = environments.num_envs, agent.config
        new_noise = partial(make_noise, config.noise, agent.action_size, config.noise_sigma, agent.rngs["noise"])
        self.noises = [new_noise() for _ in range(self.count)]
        actor = lambda states: agent.actor(states)  # noqa: E731
        self.policy = compile_policy_of_many(actor, self.count, agent.state_size, config.jit_compile)
        self.compiled_updates = cache(partial(compile_updates, agent.train_step, agent.replay_buffer, config))

        self.begun, self.steps, self.recent_returns = resume_from.number, resume_from.steps, resume_from.recent_returns
        self.taken = self.count  # steps in the last round
        self.updates_due, self.metrics, self.last_metrics = 0, MeanMetrics(Metrics), resume_from.metrics
        self.running, self.longest = np.zeros(self.count, bool), longest
        self.numbers, self.lengths = np.zeros(self.count, int), np.zeros(self.count, int)
        self.returns, self.states = np.zeros(self.count), np.zeros((self.count, agent.state_size), np.float32)

    @property
    def are_over(self) -> bool:
        """Whether the run has come to its end."""
        if self.config.steps is not None:
            return self.steps >= self.config.steps
        return self.begun - self.running.sum() >= self.config.episodes

    @property
    def position(self) -> Episode:
        """Where the run is after a round: it has begun so many episodes, and one resumed from here begins others."""
        return Episode(self.begun, self.steps, self.taken, self.recent_returns, self.last_metrics)

    def next(self) -> list[Episode]:
        """Take one step with every simulator, and learn meanwhile; return the episodes that have ended."""
        if not self.running.all():
            self._begin(~self.running)
        actions = self._explore()
        next_states, rewards, terminated, truncated, lost = self._step(actions)
        for k in map(int, np.flatnonzero(~lost)):
            self.agent.remember(self.states[k], actions[k], rewards[k], next_states[k], terminated[k])
            if self.hindsights:
                info = self.environments.infos[k]  # type: ignore[attr-defined]
                self.hindsights[k].see(self.states[k], actions[k], next_states[k], terminated[k], info)
        self.taken = self.count - int(lost.sum())
        self.steps += self.taken
        self.states, self.lengths, self.returns = next_states, self.lengths + ~lost, self.returns + rewards
        ended = np.flatnonzero(terminated | truncated)
        self.updates_due = self._updates_in_round()
        self._close(np.flatnonzero(terminated | truncated | lost))
        self.longest = max([self.longest, *map(int, self.lengths[ended])])
        episodes = [self._end(int(k)) for k in ended]
        return episodes + (self.cut() if self.position.passed(self.config.checkpoint_every) or self.are_over else [])

    def cut(self) -> list[Episode]:
        """Cut all running episodes, as by a time limit: their last values are bootstrapped.

        Their returns are not counted, except those of episodes that may have no end. The updates that are due are made,
        so that nothing is left in progress.

        Returns:
            The episodes that are counted.
        """
        endless = np.flatnonzero(self.running & (self.lengths > SURELY_LONG * self.longest))
        self._close(np.flatnonzero(self.running))
        self._update()
        episodes = [self._end(int(k)) for k in endless]
        self.metrics = MeanMetrics(Metrics)
        return episodes

    def _begin(self, which: np.ndarray) -> None:
        """Begin an episode in the simulators of a mask `(N,)`."""
        environments: Any = self.environments
        seeds: list[int | None] = [None] * self.count
        for k in map(int, np.flatnonzero(which)):
            self.begun += 1
            self.numbers[k], self.lengths[k], self.returns[k] = self.begun, 0, 0.0
            self.noises[k].reset()
            if self.leaders and self.agent.steps < self.config.learning_starts:
                self.leaders[k].episode = self.begun - 1
                self.leaders[k].begin_episode()
            seeds[k] = integer_seed(self.config.seed, "episodes", self.begun)
        states, _ = self._call(lambda: environments.reset(seed=seeds, options={"reset_mask": which.copy()}))
        self.states = np.where(which[:, None], states, self.states).astype(np.float32)
        self.running |= which

    def _explore(self) -> np.ndarray:
        """Return the actions `(N, action_size)` of the exploration policy, from one call for all states."""
        agent, random, shape = self.agent, self.agent.rngs["warm_up"], (self.count, self.agent.action_size)
        led = agent.steps < self.config.learning_starts
        if led and not self.leaders:
            return random.uniform(-1, 1, shape).astype(np.float32)
        scale = np.float32(falling(agent.steps, self.config.noise_decay_steps))
        noise = np.stack([noise.sample() for noise in self.noises]) * scale
        if led:
            actions = np.stack([leader.act(state) for leader, state in zip(self.leaders, self.states, strict=True)])
        else:
            actions = self.policy(agent.normalized(self.states))
        actions = equations.exploration_action(actions, noise)
        if self.config.random_actions and not led:
            chosen = random.random((self.count, 1)) < self.config.random_actions
            return np.where(chosen, random.uniform(-1, 1, shape), actions).astype(np.float32)
        return actions

    def _step(self, actions: np.ndarray) -> tuple[np.ndarray, ...]:
        """Step all simulators, and learn until they answer; return next states, rewards and both flags, as copies.

        What comes last is a mask of the simulators that were lost on a cluster. Their step has no result, and their
        episode is cut.
        """
        environments: Any = self.environments
        receive = partial(environments.step, actions)
        if hasattr(environments, "step_async"):
            self._call(lambda: environments.step_async(actions), ahead=1)
            receive = environments.step_wait
        self._update()
        results = self._call(receive, ahead=1)
        states, rewards = np.array(results[0], np.float32), np.array(results[1], np.float64)
        for k in np.flatnonzero(~(np.isfinite(states).all(axis=1) & np.isfinite(rewards))):
            raise self._stopped(int(k), f"it returned the state {states[k]} and the reward {rewards[k]}", ahead=1)
        lost = getattr(environments, "lost", np.zeros(self.count, bool))
        return states, rewards, np.array(results[2], bool), np.array(results[3], bool), lost

    def _updates_in_round(self) -> int:
        """Return how many updates the steps of the last round ask for."""
        steps, frequency = self.agent.steps, self.config.train_frequency
        if steps < self.config.first_update_step or not frequency:
            return 0
        return (steps // frequency - (steps - self.taken) // frequency) * self.config.gradient_steps

    def _close(self, ended: np.ndarray) -> None:
        """Do what these simulators' episodes ask for at their ends: hindsight, and updates after an episode."""
        self.running[ended] = False
        for k in ended:
            if self.hindsights and self.lengths[k]:
                self.hindsights[k].store(self.agent, int(self.numbers[k]))
            if self.agent.steps >= self.config.first_update_step:
                self.updates_due += rounds_after_episode(self.config, int(self.lengths[k])) * self.config.gradient_steps

    def _update(self) -> None:
        """Make the updates that are due: those of a round in one compiled call, those after an episode one by one."""
        agent, due = self.agent, self.updates_due
        size = due if self.config.train_frequency else self.config.gradient_steps
        for _ in range(due // size if due else 0):
            self.metrics.add(self.compiled_updates(size)(agent.minibatches(size)))
        if due:
            agent.training_policy.forget()
        agent.updates += due
        self.updates_due = 0

    def _end(self, k: int) -> Episode:
        """Return the episode that simulator k has come to the end of; its metrics are those since the one before."""
        self.recent_returns = (*self.recent_returns, float(self.returns[k]))[-AVERAGED_EPISODES:]
        metrics, self.metrics = self.metrics.mean(), MeanMetrics(Metrics)
        self.last_metrics = metrics or self.last_metrics
        return Episode(int(self.numbers[k]), self.steps, int(self.lengths[k]), self.recent_returns, metrics)

    def _call(self, call: Callable, ahead: int = 0) -> Any:
        """Call the simulators; stop the run with one line if that fails, at the step that is so many ahead."""
        try:
            return call()
        except SimulatorError as error:
            raise self._stopped(error.index, error.problem, ahead) from None
        except Exception as error:
            raise RunStopped(f"step {self.steps}: the vector environment raised {error!r}") from error

    def _stopped(self, k: int, problem: str, ahead: int) -> RunStopped:
        return RunStopped(f"simulator {k}, episode {self.numbers[k]}, step {self.lengths[k] + ahead}: {problem}")
