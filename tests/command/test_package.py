"""The package installs: its names, its extras, and a wheel that trains elsewhere."""

import os
import subprocess
import sys
import tomllib
import zipfile
from importlib import import_module

import pytest

from ddpg.command.command import COMMANDS
from tests.helpers.pages import ROOT


def requirements(name: str) -> set[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith(("#", "-r"))}


def test_the_extras_are_those_of_the_requirement_files():
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    assert set(extras["tasks"]) == requirements("requirements-tasks.txt")
    assert set(extras["molgan"]) == requirements("requirements-molgan.txt")
    assert {*extras["onnx"], *extras["litert"], *extras["c"]} == requirements("requirements-export.txt")
    assert set(extras["goals"]) == requirements("requirements-goals.txt")
    assert set(extras["sweep"]) == requirements("requirements-sweep.txt")
    assert set(extras["test"]) - {"ddpg-reference[tasks,molgan,onnx,litert,c,sweep]"} == requirements(
        "requirements-test.txt"
    )


def test_a_requirements_file_includes_those_that_its_extra_stands_for():
    def included(name: str) -> set[str]:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        return {line.split()[1] for line in lines if line.startswith("-r ")}

    assert included("requirements.txt") == set()
    for name in ("tasks", "goals", "molgan", "export", "sweep"):
        assert included(f"requirements-{name}.txt") == {"requirements.txt"}
    assert included("requirements-test.txt") == {
        f"requirements-{name}.txt" for name in ("tasks", "molgan", "export", "sweep")
    }


def test_every_console_script_leads_to_a_function_and_is_known_to_the_messages():
    with (ROOT / "pyproject.toml").open("rb") as file:
        scripts = tomllib.load(file)["project"]["scripts"]
    assert scripts.keys() == COMMANDS.keys()
    for target in scripts.values():
        module, _, function = target.partition(":")
        assert callable(getattr(import_module(module), function))


@pytest.mark.parametrize(("name", "room"), [("train", "run"), ("evaluate", "policy")])
def test_the_scripts_of_a_checkout_run_what_the_console_scripts_run(name, room):
    script = import_module(name)
    assert script.__file__ == str(ROOT / f"{name}.py")
    assert script.main is import_module(f"ddpg.{room}.{name}").main


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_wheel_trains_evaluates_and_exports_from_any_folder(tmp_path):
    """Built without the network and installed beside this environment's packages, with its own console scripts."""

    def run(*words, **options) -> str:
        done = subprocess.run([*map(str, words)], capture_output=True, text=True, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    source = tmp_path / "source"
    run("git", "clone", "-q", ROOT, source)  # a clean checkout: no build folders, no caches
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    run(*pip, "wheel", "--no-build-isolation", "--no-deps", "-w", tmp_path / "wheels", source)
    (wheel,) = (tmp_path / "wheels").iterdir()
    assert wheel.name.startswith("ddpg_reference-")
    run(*pip, "install", "--no-deps", "--no-index", "--target", tmp_path / "site", wheel)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    options = {"cwd": elsewhere, "env": {**os.environ, "PYTHONPATH": str(tmp_path / "site")}}
    scripts = tmp_path / "site" / "bin"
    assert str(tmp_path / "site") in run(sys.executable, "-c", "import ddpg; print(ddpg.__file__)", **options)
    flags = ["--steps", "200", "--evaluation-episodes", "1", "--no-progress", "--run-dir", "mine"]
    printed = run(scripts / "ddpg-train", "--env", "Pendulum-v1", *flags, **options)
    assert "next        ddpg-evaluate --checkpoint mine" in printed
    assert "mean" in run(scripts / "ddpg-evaluate", "--checkpoint", "mine", "--episodes", "2", **options)
    run(scripts / "ddpg-export", "--checkpoint", "mine", "--out", "policy.onnx", **options)
    assert "train" in run(scripts / "ddpg-molgan", "--help", **options)
    assert {path.name for path in elsewhere.iterdir()} == {"mine", "plots", "policy.onnx"}


@pytest.mark.slow
def test_the_packages_of_a_release_can_be_built_and_have_a_licence(tmp_path):
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    files = sorted(tmp_path.iterdir())
    assert [file.suffix for file in files] == [".whl", ".gz"]
    check = [sys.executable, "-m", "twine", "check", "--strict", *map(str, files)]
    assert subprocess.run(check, capture_output=True, text=True, check=True).stdout.count("PASSED") == 2
    with zipfile.ZipFile(files[0]) as wheel:
        assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
        page = {f"ddpg/report/page/{path.name}" for path in (ROOT / "ddpg" / "report" / "page").iterdir()}
        assert page <= set(wheel.namelist())


def test_the_version_is_the_same_everywhere():
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {version} (" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
