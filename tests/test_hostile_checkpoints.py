"""Checkpoints damaged by chance or on purpose: one line each time, and nothing else happens."""

import json
import random
import resource
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ddpg import RequestError
from ddpg.checkpoint import find_checkpoint
from ddpg.files import checksum
from ddpg.opening import resume_run, start_run
from ddpg.restore import load_policy


@pytest.fixture
def config(small):
    return replace(small, env="Endless-v0", episodes=6, evaluate_every=30, evaluation_episodes=1, checkpoint_every=10)


def peak() -> float:
    """The most memory that this process has held so far, in MiB; a checkpoint here has 0.03."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def sign_again(place: Path) -> None:
    """Make the manifest agree with the files, as somebody would who means harm."""
    manifest = json.loads((place / "manifest.json").read_text())
    for part in manifest["files"]:
        manifest["files"][part] = [(place / part).stat().st_size, checksum(place / part)]
    for segment in manifest["replay"]:
        path = place.parent / "replay" / f"{segment[0]:09d}-{segment[1]:09d}.float32"
        segment[2] = checksum(path) if path.exists() else segment[2]
    (place / "manifest.json").write_text(json.dumps(manifest))


def mutate(place: Path, random: random.Random) -> str:
    """Damage one file of a checkpoint in one way."""
    path = random.choice([*place.iterdir(), *(place.parent / "replay").iterdir()])
    data = bytearray(path.read_bytes())
    kind = random.choice(["cut", "flip", "insert", "empty", "link", "missing", "folder", "number", "climb"])
    if kind == "cut":
        data = data[: random.randrange(len(data))]
    elif kind == "flip":
        for _ in range(random.randint(1, 8)):
            data[random.randrange(min(len(data), 3000))] ^= 1 << random.randrange(8)
    elif kind == "insert":
        at = random.randrange(len(data))
        data[at:at] = random.randbytes(random.randint(1, 64))
    elif kind in ("number", "climb"):
        path = random.choice([place / "run.json", place / "manifest.json"])
        text = path.read_text()
        value = random.choice(["-1", "1e999", "99999999999999", "null", '"../../../../etc/passwd"', "[]", "{}", "true"])
        spots = [i for i, character in enumerate(text) if character.isdigit()]
        at = random.choice(spots)
        end = at + 1
        while text[end].isdigit():
            end += 1
        data = bytearray((text[:at] + value + text[end:]).encode())
    path.unlink()
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(b"" if kind == "empty" else data)
    if kind in ("flip", "insert", "number", "climb", "cut") and random.random() < 0.6:
        try:
            sign_again(place)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            return f"{kind} {path.name}"
        return f"{kind} {path.name}, signed again"
    return f"{kind} {path.name}"


@pytest.mark.parametrize("cases", [20, pytest.param(600, marks=pytest.mark.slow)])
def test_mutated_checkpoints_get_one_line_and_nothing_else_happens(config, tmp_path, cases):
    start_run(replace(config, keep=1), tmp_path / "run", tmp_path / "plots").go(show_progress=False)
    resume_run(tmp_path / "run", tmp_path / "plots", {}).lock.close()
    refused = 0
    for case in range(cases):
        folder = tmp_path / "mutated" / "checkpoints"
        shutil.rmtree(folder.parent, ignore_errors=True)
        shutil.copytree(tmp_path / "run", folder.parent)
        place = find_checkpoint(folder.parent)
        what = mutate(place, random.Random(case))
        before, began, usual = sorted(tmp_path.rglob("*")), time.monotonic(), peak()
        try:  # what evaluate.py opens, and what train.py --resume does; harmless: white space, or another number
            load_policy(place)
            run = resume_run(folder.parent, tmp_path / "plots", {})
            assert run.agent.replay_buffer.rows.nbytes < 10**6, what
            run.lock.close()
            run.records.close()
        except RequestError as error:
            assert "\n" not in str(error), what
            assert sorted(tmp_path.rglob("*")) == before, what
            refused += 1
        assert time.monotonic() - began < 20, what
        assert peak() - usual < 50, what
    assert refused > 0.8 * cases
