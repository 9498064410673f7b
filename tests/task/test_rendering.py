"""Films and windows of an evaluation show the robot."""

import gymnasium
import pytest

from ddpg import Config
from ddpg.task.environments import open_environment


@pytest.mark.parametrize(
    ("task", "camera"),
    [
        ("HalfCheetah-v5", "track"),
        ("Swimmer-v5", "track"),
        ("Walker2d-v5", "track"),  # its settings name the body to follow, which Gymnasium 1.4 does not use
        ("InvertedPendulum-v5", None),  # its model has no such camera
    ],
)
def test_the_camera_follows_a_robot_that_would_leave_the_picture(task, camera):
    mujoco = pytest.importorskip("mujoco")
    with open_environment(Config(env=task)) as environment:
        renderer = environment.unwrapped.mujoco_renderer
        in_pictures, in_windows = renderer.camera_id, (renderer.default_cam_config or {}).get("fixedcamid", -1)
        name = mujoco.mj_id2name(renderer.model, mujoco.mjtObj.mjOBJ_CAMERA, in_pictures)
    assert (name if in_pictures >= 0 else None) == camera
    assert in_windows == in_pictures


@pytest.mark.parametrize(
    ("choice", "camera"),
    [({"camera_id": 0}, 0), ({"camera_id": -1}, -1), ({"default_camera_config": {"distance": 9}}, -1)],
)
def test_a_camera_that_was_chosen_stays(choice, camera):
    pytest.importorskip("mujoco")
    with open_environment(Config(env="HalfCheetah-v5", env_kwargs=choice), "rgb_array") as environment:
        renderer = environment.unwrapped.mujoco_renderer
        assert renderer.camera_id == camera
        assert "fixedcamid" not in renderer.default_cam_config


def test_a_camera_that_the_task_chose_stays():
    pytest.importorskip("mujoco")
    from gymnasium.envs.mujoco.half_cheetah_v5 import HalfCheetahEnv

    gymnasium.register("OwnCamera-v0", lambda **settings: HalfCheetahEnv(camera_id=1, **settings))
    try:
        with open_environment(Config(env="OwnCamera-v0")) as environment:
            assert environment.unwrapped.mujoco_renderer.camera_id == 1
    finally:
        del gymnasium.registry["OwnCamera-v0"]
