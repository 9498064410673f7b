"""Train, evaluate and sample MolGAN: `python -m ddpg.molgan train --objective solubility`."""

import argparse
import json
import shlex
import sys
import time
from contextlib import nullcontext
from pathlib import Path

from ddpg.command.command import Parser, command_words, program_name, run_command, run_to_end
from ddpg.command.flags import add_run_flags, add_setting_flags, given_settings, integer_from, refuse_beside_resume
from ddpg.command.paths import absolute, shown
from ddpg.command.streams import results_only
from ddpg.command.tensorflow import import_tensorflow
from ddpg.errors import RequestError, blame
from ddpg.molgan.config import MolGANConfig, with_schedule
from ddpg.molgan.measure import load_best, measure_checkpoint, require_rdkit

COMMAND = "ddpg-molgan"


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = Parser(prog=program_name(COMMAND), description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="train|evaluate|sample")

    train = commands.add_parser("train", help="train on molecules", allow_abbrev=False)
    train.add_argument(
        "--data", type=absolute, metavar="FILE", help=".smi, .csv or .sdf (.gz), or by default 5,000 random molecules"
    )
    add_run_flags(train, "runs/molgan/TIME-seedS")
    add_setting_flags(train, MolGANConfig)

    evaluate = commands.add_parser("evaluate", help="measure a trained generator", allow_abbrev=False)
    evaluate.add_argument(
        "--samples", type=integer_from(1), default=6_400, metavar="N", help="graphs to generate (default: 6400)"
    )
    evaluate.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    sample = commands.add_parser("sample", help="write molecules as SMILES", allow_abbrev=False)
    sample.add_argument(
        "--count", type=integer_from(1), default=100, metavar="N", help="graphs to generate (default: 100)"
    )
    sample.add_argument(
        "--out", type=absolute, required=True, metavar="FILE", help="new file, one SMILES per line (empty if not valid)"
    )
    for command in (evaluate, sample):
        command.add_argument(
            "--checkpoint",
            type=absolute,
            required=True,
            metavar="DIR",
            help="a run folder, for its best checkpoint, or one checkpoint",
        )
        command.add_argument(
            "--seed", type=integer_from(0), default=0, metavar="S", help="seed of the random numbers (default: 0)"
        )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    return run_command(COMMAND, lambda: run(parse(argv)))


def run(arguments: argparse.Namespace) -> int:
    """Run the command that the arguments name."""
    return {"train": train, "evaluate": evaluate, "sample": sample}[arguments.command](arguments)


def train(arguments: argparse.Namespace) -> int:
    """Train as the arguments say, and print the results."""
    require_rdkit()
    given = given_settings(arguments, MolGANConfig)
    if arguments.resume:
        refuse_beside_resume(arguments, ("run_dir", "data"))
    else:
        config = MolGANConfig(**with_schedule(given))
    import_tensorflow()  # only now that the settings are known to be valid: it takes seconds
    from ddpg.molgan.chemistry.dataset import random_molecules, read_molecules
    from ddpg.molgan.start import default_run_dir, resume_run, start_run
    from ddpg.storage.run_log import refuse_existing

    if arguments.resume:
        training_run = resume_run(arguments.resume, arguments.plot_dir, given)
    else:
        run_dir = arguments.run_dir or default_run_dir(config, time.localtime())
        refuse_existing(run_dir)  # before the data are read, which may take a minute
        with blame("data"):
            dataset = read_molecules(arguments.data) if arguments.data else random_molecules()
        print(f"data        {dataset}")
        training_run = start_run(config, dataset, run_dir, arguments.plot_dir)
    code = run_to_end(COMMAND, training_run, arguments, "train")
    if code == 0:
        report(training_run, arguments.start)
    return code


def report(run, start: Path) -> None:
    """Print results, file locations as a user in the folder `start` would write them, and the next command."""
    print(f"trained     {run.epoch.number} epochs, {run.agent.updates} updates")
    print(f"took        {run.folder.seconds:.0f} s with evaluations")
    if run.results:
        titles = {
            "likeliest_valid": "valid before repair",
            "unique": "unique",
            "novel": "novel",
            "objective": "objective",
        }
        print("evaluation  " + ", ".join(f"{title} {run.results[name]:.2f}" for name, title in titles.items()))
    folder = str(shown(run.folder.path, start))
    print(f"run folder  {folder}")
    print("plots       " + ", ".join(str(shown(path, start)) for path in run.plot_paths))
    print("next        " + shlex.join([*command_words(COMMAND, start), "evaluate", "--checkpoint", folder]))


def evaluate(arguments: argparse.Namespace) -> int:
    """Measure a generator as the arguments say, and print the results."""
    with results_only() if arguments.json else nullcontext() as stdout:
        checkpoint_dir, results = measure_checkpoint(arguments.checkpoint, arguments.samples, arguments.seed)
        if arguments.json:
            print(json.dumps(results), file=stdout)
            return 0
    from ddpg.molgan.evaluation import OBJECTIVE_SCORES, SHARES

    print(f"checkpoint  {shown(checkpoint_dir, arguments.start)}")
    print(f"{arguments.samples} graphs, seed {arguments.seed}; in parentheses by the count of the authors' code")
    print(f"{'':16}  {'sampled':17}  {'likeliest':17}  data")
    for name in (*SHARES, *OBJECTIVE_SCORES, "objective"):
        cells = [both_counts(results, name), both_counts(results, name, "likeliest_")]
        last = f"{results[f'data_{name}']:.3f}" if f"data_{name}" in results else ""
        print(f"{name:16}  {cells[0]:17}  {cells[1]:17}  {last}".rstrip())
    return 0


def both_counts(results: dict[str, float], name: str, prefix: str = "") -> str:
    """Return a result by the strict count, and in parentheses by the authors' count if there is one."""
    authors_count = results.get(f"{prefix}molgan_{name}")
    return f"{results[prefix + name]:.3f}" + (f"  ({authors_count:.3f})" if authors_count is not None else "")


def sample(arguments: argparse.Namespace) -> int:
    """Write as many SMILES as the arguments ask for."""
    if arguments.out.exists() or arguments.out.is_symlink():
        raise RequestError(f"{arguments.out} already exists; choose another file", "out")
    checkpoint_dir, agent, _ = load_best(arguments.checkpoint)
    from ddpg.molgan.chemistry.molecules import to_molecules, to_smiles
    from ddpg.molgan.evaluation import generate
    from ddpg.storage.files import replaced_file

    graphs, _ = generate(agent, arguments.count, arguments.seed)
    smiles = [to_smiles(molecule) for molecule in to_molecules(graphs)]
    with replaced_file(arguments.out) as file:
        file.write("\n".join([*smiles, ""]).encode())
    print(f"checkpoint  {shown(checkpoint_dir, arguments.start)}")
    out = shown(arguments.out, arguments.start)
    print(f"sampled     {sum(map(bool, smiles))} valid molecules of {len(smiles)} graphs: {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
