"""A refused request names the setting in the library, and the flag on the command line."""

import pytest

from ddpg.errors import RequestError, blame, install


def test_a_request_error_names_the_setting_or_the_flag():
    error = RequestError("0 is outside [1, inf)", "batch_size")
    assert str(error) == "batch_size: 0 is outside [1, inf)"
    assert error.for_command_line() == "--batch-size: 0 is outside [1, inf)"


def test_a_request_error_without_a_setting_is_its_message():
    error = RequestError("no display found")
    assert str(error) == error.for_command_line() == "no display found"


@pytest.mark.parametrize("named", [True, False])
def test_a_command_that_installs_works_without_an_activated_environment(monkeypatch, tmp_path, named):
    python = tmp_path / "bin of mine" / "python"
    python.parent.mkdir()
    python.touch(mode=0o755)
    monkeypatch.setattr("sys.executable", str(python))
    monkeypatch.setenv("PATH", str(python.parent) if named else str(tmp_path))
    assert install("ray") == ("pip install ray" if named else f"'{python}' -m pip install ray")


def test_blame_names_the_setting_in_errors_that_name_none_and_in_no_other():
    for named, expected in ((None, "checkpoint"), ("seed", "seed")):
        with pytest.raises(RequestError) as caught, blame("checkpoint"):
            raise RequestError("is corrupt", named)
        assert caught.value.setting == expected
    with pytest.raises(KeyError), blame("checkpoint"):
        raise KeyError("x")
