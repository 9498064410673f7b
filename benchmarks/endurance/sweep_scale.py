"""What a sweep costs for each run: a thousand runs that hardly train, and a few real ones.

    python -m benchmarks.endurance.sweep_scale    # about 15 minutes on two cores

The thousand runs write the files of a run and train nothing, so what is measured is Ray's and the sweep's own: seconds
per run, and the driver's processor time and memory. The real runs train a few steps: what starting TensorFlow and
compiling cost. It writes results/sweep_scale/table.csv.
"""

import json
import resource
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common.output import add_output_flag, parser_for, write_csv
from benchmarks.common.processes import resident_mib
from benchmarks.common.sweeps import carry_out
from ddpg import Config
from ddpg.sweep.jobs import TrainingJob, write_test


@dataclass(frozen=True)
class EmptyJob(TrainingJob):
    """A run that writes its files and trains nothing."""

    def run(self) -> bool:
        """Write the files."""
        self.folder.mkdir(parents=True)
        (self.folder / "config.json").write_text(json.dumps({"config": self.config.as_json()}))
        (self.folder / "episodes.csv").write_text("episode,steps,seconds\n1,10,0.1\n")
        (self.folder / "evaluations.csv").write_text("steps,mean,std,episodes\n0,0,0,1\n10,1,0,1\n")
        write_test(self, {})
        return True


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--empty", type=int, default=1_000, help="runs that train nothing (default: 1000)")
    parser.add_argument("--real", type=int, default=10, help="runs that train ten steps (default: 10)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (default: 2)")
    add_output_flag(parser)
    arguments = parser.parse_args()
    rows = [
        measure("empty", EmptyJob, arguments.empty, arguments.jobs),
        measure("ten steps", TrainingJob, arguments.real, arguments.jobs),
    ]
    write_csv(arguments.out / "sweep_scale" / "table.csv", rows)
    for row in rows:
        print(", ".join(f"{name} {value}" for name, value in row.items()))


def measure(kind: str, job_type: type[TrainingJob], count: int, cores: int) -> dict[str, Any]:
    """Carry out so many runs, and return what they cost."""
    config = Config(steps=10, evaluation_episodes=1, threads=1)
    peak = WorkerPeak()
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    with tempfile.TemporaryDirectory() as folder, peak:
        sweep_dir = Path(folder, "sweep")
        jobs = [job_type(sweep_dir / f"seed{seed}", with_seed(config, seed), 0) for seed in range(count)]
        carry_out(sweep_dir, jobs, {}, cores)
    seconds, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_SELF)
    driver = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "runs": count,
        "kind": kind,
        "jobs": cores,
        "seconds": round(seconds, 1),
        "seconds_per_run": round(seconds * cores / count, 3),
        "driver_seconds_per_run": round(driver / count, 4),
        "driver_mib": round(resident_mib()),
        "worker_mib": round(peak.worker),
        "ray_mib": round(peak.ray),
    }


def with_seed(config: Config, seed: int) -> Config:
    """Return settings with another seed."""
    return Config(**config.as_json() | {"seed": seed, "hidden_units": config.hidden_units})


class WorkerPeak:
    """Meanwhile, watches the resident memory of the largest worker and of all of Ray's own processes, in MiB."""

    def __init__(self) -> None:
        self.worker = self.ray = 0.0

    def __enter__(self) -> "WorkerPeak":
        self.running = True
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.running = False
        self.thread.join()

    def _watch(self) -> None:
        while self.running:
            ray = 0.0
            for entry in Path("/proc").iterdir():
                if not entry.name.isdigit():
                    continue
                try:
                    command = (entry / "cmdline").read_text().replace("\0", " ")
                except OSError:
                    continue
                if command.startswith("ray::"):
                    self.worker = max(self.worker, resident_mib(entry.name))
                elif "/ray/" in command:
                    ray += resident_mib(entry.name)
            self.ray = max(self.ray, ray)
            time.sleep(0.5)


if __name__ == "__main__":
    main()
