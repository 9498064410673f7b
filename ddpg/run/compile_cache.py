"""XLA's compiled code, kept between processes: a run that compiles what an earlier one has compiled starts sooner.

TensorFlow can write what it compiles to a folder, and read it there in the next process. By itself it fails, or
crashes, where such a file is damaged or cannot be written. So each process has a private, temporary folder for it. The
folder begins with copies of the files in the user's cache whose checksums fit. New files are added to the cache later.
"""

import atexit
import contextlib
import hashlib
import os
import platform
import re
import shutil
import tempfile
from pathlib import Path

from ddpg.run.files import checksum

FOLDER_VARIABLE = "DDPG_COMPILE_CACHE"  # another folder, or "off"
FLAGS_VARIABLE = "TF_XLA_FLAGS"
FLAG = "--tf_xla_persistent_cache_directory"
PREFIX = "ddpg-compiled-"  # of a private folder's name
MAX_FILES = 32  # two for each size of the networks, half a MiB together
FREE_BYTES = 64 * 1024**2  # TensorFlow fails if it cannot write

private: Path | None = None  # this process's folder, once there is one


def use_compile_cache() -> Path | None:
    """Let TensorFlow use compiled code from now on; call it before TensorFlow computes anything.

    Returns:
        The private folder, or None: the cache is turned off, there is no room, or the user has given TensorFlow a
        cache or a file of flags.
    """
    global private
    if private is not None:
        return private
    shared, flags = cache_folder(), os.environ.get(FLAGS_VARIABLE, "")
    flags = re.sub(rf'{FLAG}="[^"]*{PREFIX}[^"]*"', "", flags)  # that of the process that started this one
    if shared is None or FLAG in flags or (flags.strip() and not flags.strip().startswith("-")):
        return None
    try:
        if shutil.disk_usage(tempfile.gettempdir()).free < FREE_BYTES:
            return None
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    except OSError:
        return None
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # no folder yet, or one that cannot be read: everything is compiled anew
        copy_verified(shared, folder)
    os.environ[FLAGS_VARIABLE] = f'{flags} {FLAG}="{folder}" --tf_xla_persistent_cache_device_types=CPU'.strip()
    private = folder
    return folder


def publish_compiled_code() -> None:
    """Add what this process has compiled to the user's cache, for processes to come."""
    if private is None or not (shared := cache_folder()):
        return
    try:
        shared.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = {name_of(file) for file in shared.iterdir()}
        for file in private.glob("*.pb"):
            if file.name not in known:
                partial = shared / f"partial-{os.getpid()}"
                shutil.copyfile(file, partial)
                partial.replace(shared / f"{file.name}.{checksum(file)}")
    except OSError:  # a full disk, or a home that cannot be written: the next process compiles again
        return


def copy_verified(shared: Path, folder: Path) -> None:
    """Copy files whose content has the checksum in their name; remove all others, and the oldest beyond `MAX_FILES`."""
    if not is_own(shared):
        return
    files = sorted(shared.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
    for number, file in enumerate(files):
        if number < MAX_FILES and file.name == f"{name_of(file)}.{checksum(file)}":
            shutil.copyfile(file, folder / name_of(file))
            os.utime(file)
        else:
            file.unlink(missing_ok=True)


def name_of(file: Path) -> str:
    """Return TensorFlow's name of a file in the cache, which is its name without the checksum."""
    return file.name.rpartition(".")[0]


def is_own(folder: Path) -> bool:
    """Return whether a folder, whose files are executed, can be written by nobody else."""
    status = folder.stat()
    return not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o022)


def cache_folder() -> Path | None:
    """Return the folder of code for this TensorFlow, processor and its cores, and flags; None without a cache."""
    import tensorflow as tf

    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen == "off":
        return None
    try:
        base = Path(chosen or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "ddpg", "compiled"))
    except RuntimeError:  # a user without a home, as in some containers
        return None
    made_for = "\n".join([tf.__version__, processor(), str(os.cpu_count()), os.environ.get("XLA_FLAGS", "")])
    return base.absolute() / hashlib.sha256(made_for.encode()).hexdigest()[:16]


def processor() -> str:
    """Return what tells processors apart that need different code: their model and instruction sets."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", errors="replace").split("\n\n")[0].splitlines()
    except OSError:  # not Linux
        return f"{platform.machine()} {platform.processor()}"
    return "\n".join(line for line in lines if re.match(r"model name|flags|Features|CPU (part|implementer)", line))
