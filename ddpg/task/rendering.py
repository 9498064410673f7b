"""Windows and videos of an evaluation."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gymnasium
import numpy as np
from gymnasium.wrappers import RecordVideo

from ddpg.errors import OTHERS, RequestError, install, one_line


def require_display(setting: str) -> None:
    """Refuse a window where there is no display; SDL would end the process without a word.

    Args:
        setting: The option that asks for the window.
    """
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"} & os.environ.keys():
        hint = "use --video DIR" if setting == "render" else "remove render_mode"
        raise RequestError(f"no display found for a window; {hint}", setting)


def follow_robot(environment: gymnasium.Env) -> None:
    """Let the camera of a MuJoCo task follow the robot, if its model has a camera named "track" for this.

    Gymnasium 1.4 uses neither that camera nor the body to follow that a task's settings name (`trackbodyid`), so a
    HalfCheetah runs out of the picture within a second. A camera that the user or the task has chosen is not
    changed.
    """
    renderer = getattr(environment.unwrapped, "mujoco_renderer", None)
    if renderer is None or renderer.camera_id != -1:
        return
    settings = environment.spec.kwargs if environment.spec else {}
    if settings.keys() & {"camera_id", "camera_name", "default_camera_config"}:
        return
    import mujoco

    camera = mujoco.mj_name2id(renderer.model, mujoco.mjtObj.mjOBJ_CAMERA, "track")
    if camera >= 0:
        renderer.camera_id = camera  # for pictures
        renderer.default_cam_config = {"type": mujoco.mjtCamera.mjCAMERA_FIXED, "fixedcamid": camera}  # for windows


@contextmanager
def recorded(environment: gymnasium.Env, video_dir: Path, name: str) -> Iterator[gymnasium.Env]:
    """Write one MP4 per episode into a folder.

    Args:
        environment: A task made with the render mode "rgb_array".
        video_dir: The folder.
        name: What the files' names begin with.

    Raises:
        RequestError: A package is missing, the task has no pictures, or the folder is not writable.
    """
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # SDL need not look for a display, and complain on stderr
    require_pictures(environment)
    try:
        recorder = RecordVideo(environment, str(video_dir), lambda episode: True, name_prefix=name)
    except gymnasium.error.DependencyNotInstalled as error:
        raise RequestError(f"{error}; try: {install('moviepy')}", "video") from None
    except OSError as error:
        raise RequestError(f"cannot write to {video_dir}: {error.strerror}", "video") from None
    try:
        yield recorder
    finally:
        if recorder.recording:
            recorder.stop_recording()


def require_pictures(environment: gymnasium.Env) -> None:
    """Raise `RequestError` unless a task renders pictures that a film can be made of."""
    if environment.render_mode != "rgb_array":
        raise RequestError(
            f"the task has the render mode {environment.render_mode!r}, not 'rgb_array'; its constructor must keep the "
            "mode that it is given in self.render_mode",
            "video",
        )
    try:
        environment.reset(seed=0)
        picture = environment.render()
    except OTHERS as error:
        raise RequestError(f"the task cannot be rendered ({one_line(error)})", "video") from None
    if getattr(picture, "ndim", 0) != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:  # type: ignore
        shape = f"shape {picture.shape}, {picture.dtype}" if isinstance(picture, np.ndarray) else repr(picture)[:60]
        raise RequestError(f"the task's render() gives {shape}, not a picture (height, width, 3) of uint8", "video")
