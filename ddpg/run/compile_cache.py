"""XLA's compiled code, kept between processes: a run that compiles what an earlier one has compiled starts sooner.

TensorFlow can write what it compiled to a folder and read it in the next process. By itself it fails, or crashes, where
such a file is damaged. So a file is used only if a checksum lies beside it and fits.
"""

import hashlib
import os
import platform
import re
from pathlib import Path

import tensorflow as tf

from ddpg.run.files import checksum

FOLDER_VARIABLE = "DDPG_COMPILE_CACHE"  # another folder, or "off"
FLAGS_VARIABLE = "TF_XLA_FLAGS"
FLAG = "--tf_xla_persistent_cache_directory"
MAX_FILES = 32  # of half a MiB each


def use_compile_cache() -> Path | None:
    """Let TensorFlow keep what it compiles from now on, after damaged and old files were removed.

    Returns:
        The folder; None if the cache is turned off, cannot be written, or the user has given TensorFlow another one.
    """
    folder = cache_folder()
    flags = os.environ.get(FLAGS_VARIABLE, "")
    if folder is None or (FLAG in flags and f"{FLAG}={folder} " not in f"{flags} "):
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        remove_unusable(folder)
    except OSError:  # a home that cannot be written to: the run compiles as it would without a cache
        return None
    if FLAG not in flags:
        os.environ[FLAGS_VARIABLE] = f"{flags} {FLAG}={folder} --tf_xla_persistent_cache_device_types=CPU".strip()
    return folder


def cache_folder() -> Path | None:
    """Return the folder of the code that this machine and this TensorFlow compile; None without one."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen == "off":
        return None
    try:
        base = Path(chosen or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "ddpg", "compiled"))
    except RuntimeError:  # a user without a home, as in some containers
        return None
    made_for = "\n".join([tf.__version__, processor(), os.environ.get("XLA_FLAGS", "")])
    return base.absolute() / hashlib.sha256(made_for.encode()).hexdigest()[:16]


def processor() -> str:
    """Return what tells processors apart that need different code: their model and instruction sets."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", errors="replace").split("\n\n")[0].splitlines()
    except OSError:  # not Linux
        return f"{platform.machine()} {platform.processor()}"
    return "\n".join(line for line in lines if re.match(r"model name|flags|Features|CPU (part|implementer)", line))


def remove_unusable(folder: Path) -> None:
    """Remove files whose checksum is missing or wrong, and all but the newest `MAX_FILES`."""
    files = sorted(folder.glob("*.pb"), key=modified, reverse=True)
    for number, file in enumerate(files):
        seal = seal_of(file)
        try:
            usable = number < MAX_FILES and seal.read_text("ascii") == checksum(file)
        except (OSError, ValueError):  # another process may have removed it at the same time
            usable = False
        if not usable:
            file.unlink(missing_ok=True)
            seal.unlink(missing_ok=True)


def seal_compiled_code() -> None:
    """Write the checksums of new files, so that the next process may use them."""
    folder = cache_folder()
    if folder is None:
        return
    for file in folder.glob("*.pb"):
        seal = seal_of(file)
        if not seal.exists():
            try:
                partial = seal.with_suffix(f".{os.getpid()}")
                partial.write_text(checksum(file), "ascii")
                partial.replace(seal)
            except OSError:  # a full disk, or another process has removed the file: it is compiled again
                continue


def seal_of(file: Path) -> Path:
    """Return the path of a file's checksum."""
    return file.with_suffix(".sha256")


def modified(file: Path) -> float:
    """Return when a file was written; 0 if it is gone."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
