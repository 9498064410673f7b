"""`import ddpg` offers the same names to Python, to editors and to type checkers, without importing TensorFlow."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import ddpg

ROOT = Path(__file__).parents[1]
NAMES = [
    "Config", "PRESETS", "RequestError", "RunStopped", "make_environment", "state_and_action_size", "ReplayBuffer",
    "Batch", "GaussianNoise", "OrnsteinUhlenbeckNoise", "ActorNetwork", "CriticNetwork", "DDPG", "Metrics", "Episode",
    "train", "Simulators", "Evaluation", "evaluate", "Policy", "load_policy", "load_agent", "save_agent",
]  # fmt: skip


def names_for_editors() -> dict[str, str]:
    """Return the names imported under TYPE_CHECKING in ddpg/__init__.py, each with its module."""
    tree = ast.parse(Path(ddpg.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    found = {}
    for statement in block.body:
        assert isinstance(statement, ast.ImportFrom)
        for alias in statement.names:
            # mypy and Pyright take only `X as X` for an export.
            assert alias.asname == alias.name
            assert alias.name not in found
            found[alias.name] = statement.module
    return found


def test_the_package_exports_what_its_readme_uses():
    assert sorted(ddpg.MODULES) == sorted(NAMES)
    assert sorted(ddpg.__all__) == sorted(NAMES)


def test_editors_and_type_checkers_see_the_names_that_python_finds():
    assert names_for_editors() == ddpg.MODULES


def test_dir_lists_every_export():
    assert set(NAMES) <= set(dir(ddpg))
    assert dir(ddpg) == sorted(set(dir(ddpg)))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_the_one_defined_in_its_module(name):
    value = getattr(ddpg, name)
    assert value is getattr(import_module(ddpg.MODULES[name]), name)
    if name != "PRESETS":
        assert value.__module__ == ddpg.MODULES[name]


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'ddpg' has no attribute 'Agent'"):
        ddpg.Agent  # noqa: B018
    with pytest.raises(ImportError):
        from ddpg import Agent  # noqa: F401


def test_the_package_is_marked_as_typed():
    assert (Path(ddpg.__file__).parent / "py.typed").is_file()


def test_settings_and_errors_come_without_tensorflow():
    code = (
        "import sys, ddpg; dir(ddpg); ddpg.Config(); ddpg.PRESETS; ddpg.RequestError; ddpg.RunStopped\n"
        "print([name for name in ('tensorflow', 'keras', 'gymnasium') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
