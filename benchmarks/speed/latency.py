"""Microseconds per action of a trained policy in every form, one state at a time, beside Stable-Baselines3's `predict`.

    python -m benchmarks.speed.latency    # about two minutes; writes results/latency/table.csv

Every form takes its turn in each round, and the median over the rounds is printed. The networks are untrained ones of
400 and 300 units, which cost as much as trained ones. Stable-Baselines3 is left out where it is not installed.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.common.output import add_output_flag, parser_for, write_csv

Form = Callable[[np.ndarray], object]


def forms(folder: Path, env: str) -> tuple[dict[str, Form], np.ndarray]:
    """Return the forms of a policy, each a function of one state, and a state."""
    from ddpg import Config, load_policy
    from ddpg.fast import numpy_policy
    from ddpg.policy.export import read_policy, write_policy
    from ddpg.policy.formats import FORMATS
    from ddpg.run.agent_state import load_for_acting
    from ddpg.run.start import start_run
    from ddpg.storage.checkpoints import find_checkpoint

    config = replace(Config(env=env, steps=1, evaluation_episodes=1, buffer_size=10_000), learning_starts=0)
    start_run(config, folder / "run", folder).train(show_progress=False)
    policy, source = load_policy(folder / "run"), read_policy(folder / "run")
    named = {"onnx": "policy.onnx", "litert": "policy.tflite", "saved_model": "policy", "keras": "policy.keras"}
    agent = load_for_acting(find_checkpoint(folder / "run"))
    made: dict[str, Form] = {"agent.act": lambda s: agent.act(s, explore=False), "load_policy": policy.act_flat}
    for name, file in named.items():
        write_policy(source, folder / file, name)
        made[name] = batched(FORMATS[name].functions.open_runtime(folder / file))
    write_policy(source, folder / "int8.tflite", "litert", quantize=True)
    made["litert, int8"] = batched(FORMATS["litert"].functions.open_runtime(folder / "int8.tflite"))
    made["NumPy"] = numpy_policy(agent.actor)
    if find_spec("stable_baselines3"):
        from stable_baselines3 import DDPG

        model = DDPG("MlpPolicy", env, policy_kwargs={"net_arch": [400, 300]}, device="cpu")
        made["Stable-Baselines3 predict"] = lambda s: model.predict(s, deterministic=True)
    return made, source.states[0]


def batched(run: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function of one state from a function of several."""
    return lambda state: run(state[None])


def microseconds(form: Form, state: np.ndarray, calls: int) -> float:
    """Return the mean time of a call."""
    start = time.perf_counter()
    for _ in range(calls):
        form(state)
    return 1e6 * (time.perf_counter() - start) / calls


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--env", default="Pendulum-v1")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=500, help="calls of each form in a round")
    add_output_flag(parser)
    arguments = parser.parse_args()
    from ddpg.command.tensorflow import import_tensorflow

    import_tensorflow()
    with tempfile.TemporaryDirectory() as folder:
        made, state = forms(Path(folder), arguments.env)
        times: dict[str, list[float]] = {name: [] for name in made}
        for _ in range(arguments.rounds):
            for name, form in made.items():
                form(state)
                times[name].append(microseconds(form, state, arguments.calls))
    rows = [
        {"env": arguments.env, "form": name, "round": k, "microseconds": round(each, 2)}
        for name, row in times.items()
        for k, each in enumerate(row)
    ]
    write_csv(arguments.out / "latency" / "table.csv", rows)
    for name, row in sorted(times.items(), key=lambda item: statistics.median(item[1])):
        print(f"{name:28}{statistics.median(row):8.1f} µs")


if __name__ == "__main__":
    main()
