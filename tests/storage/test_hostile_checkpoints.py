"""Checkpoints damaged by chance or on purpose: one line each time, and nothing else happens."""

import json
import random
import resource
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ddpg import RequestError, load_policy
from ddpg.run.start import resume_run
from ddpg.storage.checkpoints import find_checkpoint
from ddpg.storage.files import checksum
from tests.helpers.runs import finished_run, release

HARMFUL = ["-1", "1e999", "99999999999999", "null", '"../../../../etc/passwd"', "[]", "{}", "true"]


def peak_memory() -> float:
    """Return the most memory that this process has held so far, in MiB; a checkpoint here has 0.03."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def sign_again(checkpoint_dir: Path) -> bool:
    """Make the manifest agree with the files, as an attacker would; return whether it can still be read."""
    try:
        manifest = json.loads((checkpoint_dir / "manifest.json").read_text())
        for part in manifest["files"]:
            manifest["files"][part] = [(checkpoint_dir / part).stat().st_size, checksum(checkpoint_dir / part)]
        for segment in manifest["replay"]:
            path = checkpoint_dir.parent / "replay" / f"{segment[0]:09d}-{segment[1]:09d}.float32"
            segment[2] = checksum(path) if path.exists() else segment[2]
        (checkpoint_dir / "manifest.json").write_text(json.dumps(manifest))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return False
    return True


def with_another_number(text: str, rng: random.Random) -> str:
    """Replace one whole number of a JSON text by something harmful."""
    start = rng.choice([index for index, character in enumerate(text) if character.isdigit()])
    stop = start + 1
    while text[stop].isdigit():
        stop += 1
    return text[:start] + rng.choice(HARMFUL) + text[stop:]


def damage(checkpoint_dir: Path, rng: random.Random) -> str:
    """Damage one file of a checkpoint in one way, and say which."""
    path = rng.choice([*checkpoint_dir.iterdir(), *(checkpoint_dir.parent / "replay").iterdir()])
    kind = rng.choice(["cut", "flip", "insert", "empty", "link", "missing", "folder", "number"])
    if kind == "number":
        path = rng.choice([checkpoint_dir / "run.json", checkpoint_dir / "manifest.json"])
    data = bytearray(path.read_bytes())
    path.unlink()
    if kind == "cut":
        data = data[: rng.randrange(len(data))]
    elif kind == "flip":
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(min(len(data), 3000))] ^= 1 << rng.randrange(8)
    elif kind == "insert":
        at = rng.randrange(len(data))
        data[at:at] = rng.randbytes(rng.randint(1, 64))
    elif kind == "empty":
        data.clear()
    elif kind == "number":
        data = bytearray(with_another_number(data.decode(), rng).encode())
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(data)
    changed = kind in ("flip", "insert", "number", "cut")
    signed = changed and rng.random() < 0.6 and sign_again(checkpoint_dir)
    return f"{kind} {path.name}{', signed again' if signed else ''}"


@pytest.mark.parametrize("cases", [4, pytest.param(600, marks=[pytest.mark.slow, pytest.mark.timeout(1_800)])])
def test_damaged_checkpoints_are_refused_in_one_line_and_nothing_else_happens(small, tmp_path, cases):
    """Opened as `evaluate.py` and `train.py --resume` do; harmless are a space more, or another plausible number."""
    config = replace(small, env="Endless-v0", episodes=2, evaluation_episodes=1, checkpoint_every=10)
    finished_run(replace(config, keep_checkpoints=1), tmp_path / "run")
    release(resume_run(tmp_path / "run", tmp_path / "plots", {}))
    refused, folder = 0, tmp_path / "damaged"
    for case in range(cases):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tmp_path / "run", folder)
        checkpoint_dir = find_checkpoint(folder)
        what = damage(checkpoint_dir, random.Random(case))
        before, memory, start = sorted(tmp_path.rglob("*")), peak_memory(), time.process_time()
        try:
            load_policy(checkpoint_dir)
            run = resume_run(folder, tmp_path / "plots", {})
            assert run.agent.replay_buffer.rows.nbytes < 10**6, what
            release(run)
        except RequestError as error:
            assert "\n" not in str(error), what
            assert sorted(tmp_path.rglob("*")) == before, what
            refused += 1
        assert time.process_time() - start < 20, what
        assert peak_memory() - memory < 50, what
    assert refused > 0.8 * cases
