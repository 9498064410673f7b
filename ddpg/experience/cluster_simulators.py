"""Several simulators in Ray actors, on the machines of a cluster, as one `gymnasium.vector.VectorEnv`.

`Simulators` has the same methods for processes of this machine. What is different here: a simulator can be lost with
its machine. That costs its episode, and another simulator takes its place.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from ddpg.config import Config
from ddpg.errors import RequestError, one_line
from ddpg.experience.simulator import SECONDS_TO_CLOSE, Simulator, Wrap, no_wrapper
from ddpg.experience.simulators import SimulatorError, not_sent, sizes_of, spec_of

SECONDS_TO_PLACE = 60.0  # for machines to have room for one more simulator
MOST_LOSSES = 5  # of one simulator in a row, without an episode between them: then its task is at fault


class Actor:
    """A simulator in its Ray actor; the arguments after `index` are those of `Simulator`."""

    def __init__(self, index: int, *arguments: Any) -> None:
        os.environ["DDPG_SIMULATOR"] = str(index)
        self.simulator = Simulator(*arguments)

    def ask(self, use: str, method: str, **arguments: Any) -> Any:
        """Call a method of the simulator, of its task for a use."""
        self.simulator.use = use
        return getattr(self.simulator, method)(**arguments)


class ClusterSimulators(VectorEnv):
    """N simulators on the Ray cluster that this process has joined; the arguments are those of `Simulators`.

    A simulator that is lost has no result of its step, but zeros. Its episode is over then, without an end.

    Attributes:
        reported, infos, lost, look: Those of `Simulators`.
        tell: Called with how many simulators were lost with their episodes, after others have taken their places.

    Raises:
        RequestError: The task cannot be sent to other machines, or they have no room.
        SimulatorError: By `reset` and `step_wait`: a task failed, took too long, or is lost again and again.
    """

    def __init__(
        self,
        config: Config,
        count: int,
        timeout: float | None = None,
        sizes: tuple[int, int] | None = None,
        wrap: Wrap = no_wrapper,
    ) -> None:
        import ray

        sizes = sizes or sizes_of(config)
        self.metadata = {"autoreset_mode": AutoresetMode.DISABLED}
        self.num_envs, self.timeout, self.use = count, timeout, "training"
        self.single_observation_space = spaces.Box(-np.inf, np.inf, (sizes[0],), np.float32)
        self.single_action_space = spaces.Box(-1, 1, (sizes[1],), np.float32)
        self.observation_space = batch_space(self.single_observation_space, count)
        self.action_space = batch_space(self.single_action_space, count)
        self.reported: list[dict[str, float]] = []
        self.infos: list[dict[str, Any]] = []
        self.lost = np.zeros(count, bool)
        self.look: Callable[[], None] = lambda: None
        self.tell: Callable[[int], None] = lambda number: None
        self.states = np.zeros((count, sizes[0]), np.float32)
        self.losses, self.is_new = np.zeros(count, int), np.zeros(count, bool)
        options: dict[str, Any] = {"num_cpus": 1, "scheduling_strategy": "SPREAD"}
        options["enable_task_events"] = False  # Ray would keep a record of each step
        self.make_actor = ray.remote(**options)(Actor).remote
        self.arguments = config, spec_of(config), sizes, wrap
        self.actors: dict[int, Any] = {}
        self.asked: dict[int, Any] = {}  # what each simulator has not answered yet
        try:
            ray.get(self._place(range(count)))
        except SimulatorError as error:
            self.close()
            raise RequestError(error.problem, "num_envs") from None
        except Exception as error:
            self.close()
            raise not_sent(config, error) from None

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin episodes in the simulators of `options["reset_mask"]`, or in all; return the states of all."""
        waiting = np.flatnonzero((options or {}).get("reset_mask", np.ones(self.num_envs, bool)))
        while len(waiting):  # again where a simulator is lost meanwhile
            self._ask({int(k): ("reset", {"seed": seed[k] if seed else None}) for k in waiting})
            answers = self._answers()
            for k, (state, _) in answers.items():
                self.states[k] = state
                self.losses[k] *= self.is_new[k]  # an older simulator has come through an episode
                self.is_new[k] = False
            waiting = np.setdiff1d(waiting, list(answers))
        return self.states.copy(), {}

    def step_async(self, actions: np.ndarray) -> None:
        """Send actions `(N, action_size)`."""
        self._ask({k: ("step", {"action": action}) for k, action in enumerate(actions)})

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Wait for the step."""
        nothing = np.zeros_like(self.states[0]), 0.0, False, False, {"lost": True}
        answers = self._answers()
        each = [answers.get(k, nothing) for k in range(self.num_envs)]
        states, rewards, terminated, truncated, infos = zip(*each, strict=True)
        self.states[:] = states
        self.infos = [info["info"][0] if "info" in info else {} for info in infos]
        self.reported += [info["reported"] for info in infos if "reported" in info]
        self.lost = np.array(["lost" in info for info in infos])
        return self.states.copy(), np.array(rewards), np.array(terminated), np.array(truncated), {}

    def step(self, actions: np.ndarray):
        """Take one step with every simulator."""
        self.step_async(actions)
        return self.step_wait()

    def turn_to(self, use: str) -> None:
        """Let each simulator step its task for "training" or the one for "evaluation"."""
        self.use = use

    def _ask(self, calls: dict[int, tuple[str, dict[str, Any]]]) -> None:
        """Send a call of one of its methods to each of these simulators."""
        self.asked = {k: self.actors[k].ask.remote(self.use, name, **given) for k, (name, given) in calls.items()}

    def _answers(self) -> dict[int, Any]:
        """Wait for the answers, and return them; those that are lost have none, and others are in their places."""
        import ray

        (indices, asked), self.asked = (list(part) for part in zip(*self.asked.items(), strict=True)), {}
        _, late = ray.wait(asked, num_returns=len(asked), timeout=self.timeout, fetch_local=False)
        if late:
            raise SimulatorError(indices[asked.index(late[0])], f"no answer within {self.timeout:g} s (--env-timeout)")
        answers, lost = {}, []
        try:
            answers = dict(zip(indices, ray.get(asked), strict=True))
        except ray.exceptions.RayError:  # one by one, to see which
            for k, each in zip(indices, asked, strict=True):
                try:
                    answers[k] = ray.get(each)
                except ray.exceptions.RayActorError:
                    lost.append(k)
                except ray.exceptions.RayError as error:
                    raise SimulatorError(k, one_line(error)) from None
        for k, (*_, info) in answers.items():
            if "problem" in info:
                raise SimulatorError(k, info["problem"])
        if lost:
            self._replace(lost)
        return answers

    def _replace(self, lost: list[int]) -> None:
        """Put other simulators into the places of those that are lost."""
        import ray

        for k in lost:
            self.losses[k] += 1
            if self.losses[k] == MOST_LOSSES:
                raise SimulatorError(k, f"it was lost {MOST_LOSSES} times in a row; its task may crash")
            ray.kill(self.actors[k])  # it may live on where only the network failed
        number = int((~self.is_new[lost]).sum())  # a new one has lost no episode
        self._place(lost)
        if number:
            self.tell(number)

    def _place(self, indices: Iterable[int]) -> list[Any]:
        """Start simulators where there is room; return what `ray.get` makes of them: nothing, or an error."""
        import ray

        ready = {}
        for k in indices:
            self.actors[k], self.is_new[k] = self.make_actor(k, *self.arguments), True
            ready[k] = self.actors[k].__ray_ready__.remote()
        late = list(ready.values())
        while late:  # many take a while to start; what counts is whether there is one more
            started, late = ray.wait(late, timeout=SECONDS_TO_PLACE)
            if not started:
                k = next(k for k, each in ready.items() if each in late)
                problem = f"the cluster had no room for another simulator within {SECONDS_TO_PLACE:g} s"
                raise SimulatorError(k, f"{problem}; each takes one core")
        return list(ready.values())

    def close_extras(self, **_: Any) -> None:
        """Close the tasks, for which they have five seconds, and end the actors."""
        import ray

        if ray.is_initialized() and self.actors:
            closing = [actor.ask.remote(self.use, "close") for actor in self.actors.values()]
            ray.wait(closing, num_returns=len(closing), timeout=SECONDS_TO_CLOSE)
            for actor in self.actors.values():
                ray.kill(actor)
        self.actors = {}

    def __enter__(self) -> "ClusterSimulators":
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()
