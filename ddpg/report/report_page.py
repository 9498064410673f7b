"""The page of a report: one function per section. Everything that comes from the run folder is escaped."""

import base64
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from html import escape
from pathlib import Path

import numpy as np

from ddpg.agent import DDPG
from ddpg.command.packages import versions
from ddpg.command.presets import PRESETS, as_json, closest_preset
from ddpg.command.text import number
from ddpg.errors import one_line
from ddpg.evaluation import Evaluation
from ddpg.report import play
from ddpg.report.record import Record
from ddpg.run.agent_state import load_for_acting
from ddpg.run.diagnosis import signs_of_failure
from ddpg.run.plotting import draw_reward_curve, draw_updates
from ddpg.run.summary import YARDSTICKS
from ddpg.run.training_run import COLUMNS
from ddpg.settings.setting import text_of
from ddpg.storage.checkpoint_format import CorruptFileError
from ddpg.storage.checkpoints import step_of

USUAL = COLUMNS["evaluations"]  # a task may report more
MOST_CHECKPOINTS = 6  # to play with
MOST_NUMBERS = 800_000  # in their networks: about 4 MB


def page(record: Record) -> str:
    """Return the whole page behind its first line."""
    title = f"DDPG on {record.config.env}, seed {record.config.seed}"
    sections = (
        progress(record),
        curve(record),
        evaluations(record),
        warnings(record),
        updates(record),
        settings(record),
        versions_of(record),
        film(record),
        pendulum(record),
    )
    return play.document(title, filter(None, sections))


def progress(record: Record) -> str:
    """Return how far the run is."""
    episode, config = record.episode, record.config
    planned = f"{config.steps:,} steps" if config.steps is not None else f"{config.episodes:,} episodes"
    state = "finished" if record.is_finished else "good enough to stop" if record.good_enough else "not finished"
    return (
        f"<p>{escape(record.path.name)}: {state}, {episode.steps:,} steps, {episode.number:,} episodes and "
        f"{record.agent.updates:,} updates of {planned} planned, at the newest checkpoint.</p>"
    )


def curve(record: Record) -> str:
    """Return the reward curve."""
    return section(
        "Returns",
        picture(
            lambda path: draw_reward_curve(record.path, as_json(record.config), path),
            "the reward curve",
            "Return of each episode, its running average, and the noise-free evaluations, over environment steps",
        ),
    )


def evaluations(record: Record) -> str:
    """Return the untrained, the best and the last policy over the same starts, the final test, and what is known."""
    rows = [(name, f"{step:,}", *figures(found)) for name, (step, found) in record.kept.items()]
    steps, mean, std, episodes = (record.evaluations[name][-1] for name in ("steps", "mean", "std", "episodes"))
    rows.append(("last", f"{steps:,.0f}", number(mean), number(std), f"{episodes:.0f}"))
    parts = [table(("policy", "at step", "mean return", "std", "noise-free episodes"), rows)]
    reported = [(name, number(values[-1])) for name, values in record.evaluations.items() if name not in USUAL]
    if reported:
        parts.append(table(("reported by the task", "at the last evaluation"), reported))
    if record.test:
        single = {name: value for name, value in record.test.items() if not isinstance(value, list)}
        shown = [(name, number(each) if isinstance(each, float) else text_of(each)) for name, each in single.items()]
        parts += ["<h3>Final test</h3>", table(("figure", "value"), shown)]
    if record.config.env in YARDSTICKS and not record.config.env_kwargs:
        parts.append(f"<p>Known: {escape(YARDSTICKS[record.config.env])}.</p>")
    return section("Evaluations", *parts)


def figures(evaluation: Evaluation) -> tuple[str, str, str]:
    """Return an evaluation's cells."""
    return number(evaluation.mean), number(evaluation.std), str(len(evaluation.returns))


def warnings(record: Record) -> str:
    """Return what the log says about learning that failed."""
    if not (record.has_updates or record.is_finished):
        return section("Diagnosis", "<p>No update has been made yet.</p>")
    untrained = record.kept.get("untrained")
    found = signs_of_failure(record.path, record.agent, untrained and untrained[1], record.last)
    if not found:
        return section("Diagnosis", "<p>No sign of failed learning.</p>")
    return section("Diagnosis", "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in found) + "</ul>")


def updates(record: Record) -> str:
    """Return the metrics of the updates."""
    if not record.has_updates:
        return ""
    buffer = record.agent.replay_buffer
    rewards = buffer.split(buffer.rows[: len(buffer)]).reward
    text = (
        "The critic's loss; its values Q and their targets y, with what the rewards in the replay buffer can add up "
        "to, max |r| / (1 - γ); the share of the policy's actions within 1 % of a bound."
    )
    drawn = picture(
        lambda path: draw_updates(record.updates, rewards, record.config.gamma, path), "the picture of updates", text
    )
    return section("Updates", drawn, f"<p>{escape(text)}</p>")


def settings(record: Record) -> str:
    """Return the settings: what differs from the closest preset, and all."""
    config = as_json(record.config)
    preset, different = closest_preset(config, PRESETS)
    usual = as_json(PRESETS[preset])
    rows = [(name, text_of(value), text_of(usual[name])) for name, value in different.items()]
    differing = table(("setting", "here", f"preset {preset}"), rows) if rows else ""
    everything = table(("setting", "value"), [(name, text_of(value)) for name, value in config.items()])
    return section(
        "Settings",
        f"<p>The preset <b>{preset}</b>" + (", but:</p>" if rows else " as it is.</p>"),
        differing,
        f"<details><summary>All settings</summary>{everything}</details>",
    )


def versions_of(record: Record) -> str:
    """Return the versions that the run had, and those of today where they differ."""
    now = versions()
    rows = [
        (name, version, "" if now.get(name) == version else now.get(name, "none"))
        for name, version in record.versions.items()
    ]
    if not any(other for *_, other in rows):
        return section("Versions", table(("package", "version"), [row[:2] for row in rows]))
    return section("Versions", table(("package", "of the run", "of this report, if another"), rows))


def film(record: Record) -> str:
    """Return the film in the run folder, if there is one."""
    if not record.film:
        return ""
    data = base64.b64encode(record.film.read_bytes()).decode()
    name = escape(record.film.name)
    if record.film.suffix == ".gif":
        return section("Film", f'<img alt="{name}" src="data:image/gif;base64,{data}">')
    return section("Film", f'<video controls aria-label="{name}" src="data:video/mp4;base64,{data}"></video>')


def pendulum(record: Record) -> str:
    """Return the page to play with, of a run of the task whose physics it has."""
    sizes, gravity = (record.agent.state_size, record.agent.action_size), record.config.env_kwargs.get("g", 10.0)
    known = record.config.env == play.TASK and not record.config.env_kwargs.keys() - {"g"}
    if not known or sizes != (3, 1) or not isinstance(gravity, int | float) or not np.isfinite(gravity):
        return ""
    evaluations = zip(record.evaluations["steps"], record.evaluations["mean"], strict=True)
    means = {int(step): float(mean) for step, mean in evaluations if np.isfinite([step, mean]).all()}
    checkpoints = [
        {"steps": step, "mean": means.get(step)} | play.networks_of(agent)
        for step, agent in sorted(agents_to_play_with(record).items())
    ]
    run = {"name": "this run", "about": "", "torque": 2.0, "checkpoints": checkpoints}
    data = play.data_script([run], {"g": float(gravity)})
    return f"<h2>Play with its policy</h2>\n{play.body()}\n<script>{data}</script>\n{play.scripts()}"


def agents_to_play_with(record: Record) -> dict[int, DDPG]:
    """Return the agents of some checkpoints by their steps, the newest one's too; not more than can be sent by mail."""
    networks = (record.agent.actor, record.agent.critic, record.agent.target_critic)
    numbers = sum(int(np.prod(variable.shape)) for network in networks for variable in network.variables)
    older = [path for path in record.checkpoints if step_of(path) < record.step]
    agents, most = {record.step: record.agent}, min(MOST_CHECKPOINTS, MOST_NUMBERS // numbers) - 1
    for at in np.linspace(0, len(older) - 1, max(0, min(most, len(older)))):
        with suppress(CorruptFileError):  # deleted by its run meanwhile
            agents[step_of(older[round(at)])] = load_for_acting(older[round(at)])
    return agents


# HTML


def section(title: str, *parts: str) -> str:
    """Return a section; its parts are HTML."""
    return "\n".join(["<section>", f"<h2>{title}</h2>", *filter(None, parts), "</section>"])


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    lines = [
        f'<tr><th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in rest) + "</tr>"
        for first, *rest in rows
    ]
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def picture(draw: Callable[[Path], None], name: str, text: str) -> str:
    """Return a picture, with its text for those who cannot see it; where it cannot be drawn, a line says why."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture.png")
        try:
            draw(path)
        except Exception as error:
            return f"<p>{escape(name)} could not be drawn ({escape(one_line(error))}).</p>"
        data = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{escape(text)}" src="data:image/png;base64,{data}">'
