"""A refused request names the setting in the library, and the flag on the command line."""

import pytest

from ddpg.errors import RequestError, blame


def test_a_request_error_names_the_setting_or_the_flag():
    error = RequestError("0 is outside [1, inf)", "batch_size")
    assert str(error) == "batch_size: 0 is outside [1, inf)"
    assert error.for_command_line() == "--batch-size: 0 is outside [1, inf)"


def test_a_request_error_without_a_setting_is_its_message():
    error = RequestError("no display found")
    assert str(error) == error.for_command_line() == "no display found"


def test_blame_names_the_setting_in_errors_that_name_none_and_in_no_other():
    for named, expected in ((None, "checkpoint"), ("seed", "seed")):
        with pytest.raises(RequestError) as caught, blame("checkpoint"):
            raise RequestError("is corrupt", named)
        assert caught.value.setting == expected
    with pytest.raises(KeyError), blame("checkpoint"):
        raise KeyError("x")
