"""Export a policy, and prove that the file answers as the agent does before it is renamed to its final name."""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from ddpg.agent import DDPG
from ddpg.command.inputs import read_object
from ddpg.command.paths import absolute
from ddpg.errors import RequestError, blame
from ddpg.policy.describe import describe, evaluation_at, random_states
from ddpg.policy.formats import FORMATS, format_to_write, require_packages
from ddpg.policy.plain_policy import exact_actions, plain_policy
from ddpg.policy.policy import Policy
from ddpg.replay_buffer import row_size
from ddpg.run.agent_state import acting_agent, open_checkpoint
from ddpg.storage.checkpoint_format import SavedCheckpoint
from ddpg.storage.checkpoints import all_checkpoints, find_checkpoint
from ddpg.storage.files import remove
from ddpg.storage.replay_files import segments_in
from ddpg.task.environments import open_environment, require_same_sizes
from ddpg.task.record import require_recorded

TOLERANCE = 1e-5  # of the action range
ROUNDING = 4  # times the agent's own rounding error: the limit where this is more than the tolerance
STATES = 1_000  # to verify with, of each kind


class Exported(NamedTuple):
    """A policy file and how far it is from the agent."""

    path: Path
    difference: float  # the largest between the file's action and the agent's, in units of the action range
    states: int  # how many states were compared
    metadata: dict[str, Any]


class Source(NamedTuple):
    """A policy to export, and the states to verify it with."""

    policy: Policy
    model: Any  # the plain Keras model
    metadata: dict[str, Any]
    states: np.ndarray  # (N, state_size) float32
    actions: np.ndarray  # (N, action_size), the agent's own, in the task's units
    usual: int  # how many of these, the first ones, are usual: from the replay buffer, or random if there is none
    tolerance: float  # how far a file's actions may be from the agent's, in units of the action range


def export_policy(
    checkpoint: str | Path | DDPG,
    out: str | Path,
    format: str | None = None,
    best: bool = False,
    overwrite: bool = False,
    quantize: bool = False,
    environment: gymnasium.Env | None = None,
) -> Exported:
    """Write the policy of a checkpoint, or of an agent from a training loop of one's own, as one file.

    Args:
        checkpoint: A run folder, for its newest checkpoint, or one checkpoint; or an agent.
        out: The file, or the folder of a SavedModel.
        format: One of `ddpg.policy.formats.FORMATS`, such as "onnx"; None goes by the ending of `out`.
        best: Of a run folder, take the checkpoint that evaluated best.
        overwrite: Replace an existing file.
        quantize: 8-bit integers, for "litert" only.
        environment: Beside an agent, its task from `make_environment`; only its spaces are used.

    Returns:
        The file and its largest difference from the agent.

    Raises:
        RequestError: The checkpoint or the output cannot be used, a package is missing, or the file does not answer as
            the agent does (by more than 1e-5 of the action range, or four times the agent's own rounding error; a
            quantized file may differ).
    """
    out = absolute(out)
    name = format or format_to_write(out)
    if quantize and name != "litert":
        raise RequestError(f"only the format litert can be quantized, not {name}", "quantize")
    require_packages(name)
    check_output(out, overwrite, name)
    if isinstance(checkpoint, DDPG):
        if environment is None:
            raise RequestError("give the agent's task too: export_policy(agent, out, environment=...)")
        source = source_of_agent(checkpoint, environment)
    else:
        source = read_policy(absolute(checkpoint), best)
    return write_policy(source, out, name, quantize)


def check_output(out: Path, overwrite: bool, name: str = "") -> None:
    """Refuse an output whose folder does not exist, or in whose place is something that may not be replaced.

    With `overwrite`, a file may be replaced, and a folder if it is a SavedModel that this program wrote. A file of
    metadata, which some formats write beside the policy, is replaced only if this program wrote it.

    Args:
        out: The file, or the folder of a SavedModel.
        overwrite: Whether it may be replaced.
        name: The format.
    """
    if out.is_dir() and overwrite and not is_own_folder(out):
        raise RequestError(
            f"{out} is a folder that this program did not export, so it is not replaced; choose another name", "out"
        )
    if not out.parent.is_dir():
        raise RequestError(f"there is no folder {out.parent}", "out")
    suffix = FORMATS[name].metadata_suffix if name else ""
    beside = out.with_name(out.name + suffix)
    for path in (out, beside):
        if (path.exists() or path.is_symlink()) and not overwrite:
            raise RequestError(f"{path} already exists; choose another name, or use --overwrite", "out")
    if suffix and (beside.exists() or beside.is_symlink()) and not is_own_metadata(beside):
        raise RequestError(f"{beside} holds no metadata of this program, so it is not replaced; move it away", "out")


def is_own_folder(folder: Path) -> bool:
    """Return whether a folder holds a SavedModel with this program's metadata, and nothing else."""
    known = {"saved_model.pb", "fingerprint.pb", "variables", "assets", "metadata.json"}
    names = {path.name for path in folder.iterdir()} if not folder.is_symlink() else set()
    return names <= known and "saved_model.pb" in names and is_own_metadata(folder / "metadata.json")


def is_own_metadata(path: Path) -> bool:
    """Return whether a file holds the metadata of a policy that this program wrote."""
    try:
        return not path.is_symlink() and {"task", "state", "action"} <= read_object(path).keys()
    except (OSError, ValueError):
        return False


def read_policy(path: Path, best: bool = False) -> Source:
    """Read a policy from a checkpoint, with the agent's own actions in states from its replay buffer and elsewhere."""
    with blame("checkpoint"):
        saved = open_checkpoint(find_checkpoint(path, best))
        agent = acting_agent(saved)
        with open_environment(agent.config) as environment:
            require_same_sizes(environment, (agent.state_size, agent.action_size), agent.config)
            require_recorded(environment, saved, agent.config, ("actions",))
            policy = Policy(agent, environment)
    step = saved.description["episode"]["steps"]
    metadata = describe(agent, policy, step, evaluation_at(saved.run_dir, step))
    return source_of(agent, policy, replay_states(saved, agent.state_size, agent.action_size), metadata)


def source_of_agent(agent: DDPG, environment: gymnasium.Env) -> Source:
    """Return the policy of an agent in memory, to be verified in states from its replay buffer and elsewhere."""
    require_same_sizes(environment, (agent.state_size, agent.action_size), agent.config)
    policy, buffer = Policy(agent, environment), agent.replay_buffer
    rows = buffer.rows[: min(buffer.added, buffer.capacity)]
    usual = rows[:: 1 + len(rows) // STATES, : agent.state_size].copy()
    return source_of(agent, policy, usual, describe(agent, policy, agent.steps))


def source_of(agent: DDPG, policy: Policy, usual: np.ndarray, metadata: dict[str, Any]) -> Source:
    """Return a policy with the states to verify it with: usual ones `(N, state_size)`, random ones and large ones."""
    random = random_states(policy, STATES, np.random.default_rng(0))
    large = random[: STATES // 10] * np.float32(1_000)  # most of these drive the actions to their bounds
    states = np.concatenate([usual, random, large, -large])
    actions = np.array([np.ravel(policy.act_flat(state)) for state in states])
    low, high = policy.bounds()
    compared = (np.minimum(actions - low, high - actions) <= TOLERANCE * (high - low)).all(axis=1)
    compared[: len(usual) + len(random)] = True  # of the large ones, those at the bounds
    states, actions = states[compared], actions[compared]
    rounding = np.max(np.abs(actions - exact_actions(agent, low, high, states)) / (high - low))
    tolerance = max(TOLERANCE, ROUNDING * float(rounding))
    model = plain_policy(agent, low, high)
    return Source(policy, model, metadata, states, actions, len(usual) or STATES, tolerance)


def replay_states(saved: SavedCheckpoint, state_size: int, action_size: int) -> np.ndarray:
    """Return up to 1,000 of the newest states in the replay files of a run, `(N, state_size)`; N may be 0."""
    width = row_size(state_size, action_size)
    steps = all_checkpoints(saved.path.parent)
    if not saved.manifest["replay"] and steps:  # the best networks are saved without the buffer; the newest has it
        saved = open_checkpoint(steps[-1])
    rows = np.zeros((0, width), np.float32)
    with saved.reading("manifest.json"):
        segments = segments_in(saved.manifest)
    for segment in segments[-1:]:
        path = saved.path.parent / "replay" / segment.name
        if path.is_file() and path.stat().st_size == 4 * width * (segment.stop - segment.start):
            rows = np.fromfile(path, np.float32).reshape(-1, width)
    return rows[:: 1 + len(rows) // STATES, :state_size]


def write_policy(source: Source, out: Path, name: str, quantize: bool = False) -> Exported:
    """Write a policy in one format under a temporary name, verify the file, and rename it."""
    functions = FORMATS[name].functions
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as folder:
        partial = Path(folder, out.name)
        if quantize:  # in integers, states far from the usual ones cannot be told apart
            source = source._replace(states=source.states[: source.usual], actions=source.actions[: source.usual])
            functions.write_quantized(source.model, source.metadata, partial, source.states[:: 1 + source.usual // 500])
        else:
            functions.write(source.model, source.metadata, partial)
        difference = largest_difference(source, partial, name, within_bounds=not quantize)
        if not np.isfinite(difference) or (difference > source.tolerance and not quantize):
            raise RequestError(
                f"the {name} file differs from the agent by {difference:.3g} of the action range "
                f"(at most {source.tolerance:.3g} is allowed), so it was not kept",
                "format",
            )
        for written in Path(folder).iterdir():
            target = out.parent / written.name
            if target.is_dir():  # a file is replaced as it is
                remove(target)
            written.replace(target)
    return Exported(out, difference, len(source.states), source.metadata)


def largest_difference(source: Source, path: Path, name: str, within_bounds: bool) -> float:
    """Return the largest difference between a file's actions and the agent's, in units of the action range.

    The states go in all at once, and some one by one. With `within_bounds`, an action outside the bounds counts as
    infinitely wrong; a quantized file may round beyond them.
    """
    run = FORMATS[name].functions.open_runtime(path)
    low, high = source.policy.bounds()
    together, some = run(source.states), source.states[:20]
    one_by_one = np.concatenate([run(state[None]) for state in some])
    if within_bounds and ((together < np.float32(low)).any() or (together > np.float32(high)).any()):
        return np.inf
    differences = (together - source.actions, one_by_one - source.actions[: len(some)])
    return max(float(np.max(np.abs(difference) / (high - low))) for difference in differences)
