"""Every command and flag on the pages is one that the programs understand, by their own parsers."""

import argparse
import dataclasses
import re
import runpy
import shlex
import sys

import pytest

import ddpg.export.__main__ as export
import ddpg.molgan.__main__ as molgan
import ddpg.sweep.flags as sweep
from ddpg.command.presets import PRESETS
from ddpg.config import Config
from ddpg.molgan.config import MolGANConfig
from ddpg.policy import evaluate
from ddpg.run import plotting, report, train
from ddpg.sweep.grid import parse_vary
from ddpg.sweep.search import check_space, parse_search
from tests.helpers.pages import ROOT, all_pages, code_spans

PAGES = all_pages()
OTHERS = {  # of TensorBoard, emx-onnx-cgen, Ray and jupytext
    *("--to", "--set-kernel", "--execute"),
    *("--logdir", "--large-weight-threshold", "--model-name"),
    *("--head", "--port", "--include-dashboard", "--disable-usage-stats"),
}


class Parsed(Exception):
    """Raised in place of what a benchmark would do once its flags are read."""


def parse_benchmark(module: str, arguments: list[str], monkeypatch) -> list[str]:
    """Let a benchmark's own parser read its arguments, and return those that it would pass on to `train.py`."""
    parse_known_args = argparse.ArgumentParser.parse_known_args

    def parse_some(self, args=None, namespace=None):
        raise Parsed(parse_known_args(self, args, namespace)[1])

    def parse_all(self, args=None, namespace=None):
        unknown = parse_known_args(self, args, namespace)[1]
        assert not unknown, f"{module} does not know {unknown}"
        raise Parsed([])

    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", [module, *arguments])
        patch.setattr(argparse.ArgumentParser, "parse_known_args", parse_some)
        patch.setattr(argparse.ArgumentParser, "parse_args", parse_all)
        with pytest.raises(Parsed) as parsed:
            runpy.run_module(module, run_name="__main__")
    return parsed.value.args[0]


def understood(parse, arguments: list[str]) -> argparse.Namespace | None:
    """Parse arguments with a command's own parser; None where it only prints its help."""
    try:
        return parse(arguments)
    except SystemExit as end:
        assert end.code == 0, arguments
        return None


def check_training(arguments: list[str]) -> None:
    """Check flags of train.py and that the settings go together."""
    parsed = understood(train.parse, arguments)
    if parsed and not parsed.resume and not parsed.config:
        dataclasses.replace(PRESETS[parsed.preset or "blog"], **train.given_settings(parsed, Config))


def check_molgan(arguments: list[str]) -> None:
    """Check flags of MolGAN's commands and that the settings go together."""
    parsed = understood(molgan.parse, arguments)
    if parsed and parsed.command == "train" and not parsed.resume:
        MolGANConfig(**molgan.with_schedule(molgan.given_settings(parsed, MolGANConfig)))


def check_sweep(arguments: list[str]) -> None:
    """Check flags of the sweep's commands, and that the values that vary and the space of a search are allowed."""
    parsed = understood(sweep.parse, arguments)
    if parsed and parsed.command in ("train", "molgan"):
        settings = Config if parsed.command == "train" else MolGANConfig
        for name, values in parse_vary(parsed.vary, settings).items():
            for value in values:
                settings(**sweep.settings_given(parsed, settings) | {name: value})
    elif parsed and parsed.command == "tune":
        check_space(parse_search(parsed.search), Config())


def check_command(command: str, monkeypatch) -> None:
    """Fail unless a command of a page can be run."""
    words = shlex.split(command.partition(" > ")[0])
    words[0] = words[0].removeprefix(".venv/bin/")
    match words:
        case ["python", "train.py", *rest] | ["ddpg-train", *rest]:
            check_training(rest)
        case ["python", "evaluate.py", *rest] | ["ddpg-evaluate", *rest]:
            understood(evaluate.parse, rest)
        case ["python", "-m", "ddpg.molgan", *rest] | ["ddpg-molgan", *rest]:
            check_molgan(rest)
        case ["python", "-m", "ddpg.sweep", *rest] | ["ddpg-sweep", *rest]:
            check_sweep(rest)
        case ["python", "-m", "ddpg.run.plotting", *rest]:
            understood(plotting.parse, rest)
        case ["python", "-m", "ddpg.run.report", *rest]:
            understood(report.parse, rest)
        case ["python", "-m", "sphinx", *_, folder, "site"]:
            assert (ROOT / folder / "conf.py").is_file()
        case ["python", "-m", "pytest", *rest]:
            assert rest in ([], ["-m", "slow"]) or (ROOT / rest[-1]).is_file()
        case ["python", "-m", "ddpg.export", *rest] | ["ddpg-export", *rest]:
            understood(export.parse, rest)
        case ["emx-onnx-cgen", "compile", *_] | ["cc", *_] | ["./pendulum", *_]:
            pass  # tests/policy/test_c.py runs them
        case ["python", "examples/plant/drive.py", "./loop"]:
            pass  # tests/docs/test_plant.py does
        case ["python", "tests/mutations.py", *_]:
            assert (ROOT / "tests" / "mutations.py").is_file()
        case ["python", "-m", "benchmarks.draw", study]:
            assert (ROOT / study).is_dir()
        case ["python", "-m", module, *rest] if module.startswith("benchmarks."):
            check_training(parse_benchmark(module, rest, monkeypatch))
        case ["python", "-c", program]:
            compile(program, command, "exec")
        case ["pip", "install", *rest]:
            files = [word for word in rest if word.endswith(".txt")]
            assert all((ROOT / name).is_file() for name in files)
        case ["jupytext", *rest]:
            assert (ROOT / rest[-3]).is_file()
        case ["ray", "start", *_] | ["export", *_] | [".", ".venv/bin/activate"]:
            pass  # of Ray; tests/sweep/test_cluster.py starts a cluster
        case ["python3", "-m", "venv", ".venv"] | ["lint-imports"]:
            pass
        case _:
            pytest.fail(f"no parser for: {command}")


@pytest.mark.parametrize(
    ("page", "command"), [(page.name, command) for page in PAGES for command in dict.fromkeys(page.commands())]
)
def test_every_command_is_understood_by_the_program_that_it_starts(page, command, monkeypatch, capsys):
    check_command(command, monkeypatch)


def test_a_flag_that_is_only_the_beginning_of_another_is_refused(monkeypatch, capsys):
    """The check itself: `--seed` is no flag of a script that has `--seeds`, and `--episode` none of train.py."""
    for command in ("python -m benchmarks.learning.ablation --seed 1", "python train.py --episode 5"):
        with pytest.raises(AssertionError):
            check_command(command, monkeypatch)


def known_flags(capsys) -> set[str]:
    """Return every flag of every command and benchmark."""
    helped = [
        (train.parse, []),
        (evaluate.parse, []),
        (export.parse, []),
        *((molgan.parse, [name]) for name in ("train", "evaluate", "sample")),
        *((sweep.parse, [name]) for name in ("train", "molgan", "compare", "tune")),
    ]
    for parse, words in helped:
        understood(parse, [*words, "--help"])
    flags = set(re.findall(r"--[a-z][\w-]*", capsys.readouterr().out))
    for path in (ROOT / "benchmarks").rglob("*.py"):
        flags |= set(re.findall(r'"(--[a-z][\w-]*)"', path.read_text(encoding="utf-8")))
    return flags


def test_every_flag_that_a_page_mentions_exists(capsys):
    known = known_flags(capsys) | OTHERS
    for page in PAGES:
        mentioned = {flag for span in code_spans(page.text) for flag in re.findall(r"(?<![\w-])--[a-z][\w-]*", span)}
        assert mentioned <= known, page.name
