"""Train, evaluate and sample MolGAN: `python -m ddpg.molgan train --objective solubility`."""

import argparse
import dataclasses
import importlib.util
import json
import shlex
import sys
import time
from pathlib import Path
from typing import Any

from ddpg.command_line import Parser, add_flag, answer, given_settings, import_tensorflow, whole_number
from ddpg.errors import RequestError
from ddpg.molgan.config import MolGANConfig

PROGRAM = "python -m ddpg.molgan"


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = Parser(prog=PROGRAM, description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="train|evaluate|sample")

    train = commands.add_parser("train", help="train on molecules", allow_abbrev=False)
    train.add_argument("--data", type=Path, metavar="FILE", help=".smi, .csv or .sdf (default: a set made here)")
    for field in dataclasses.fields(MolGANConfig):
        add_flag(train, MolGANConfig, field)
    train.add_argument("--run-dir", type=Path, metavar="DIR", help="new folder (default: runs/molgan/TIME-seedS)")
    train.add_argument("--resume", type=Path, metavar="DIR", help="go on with the run in this folder")
    train.add_argument("--plot-dir", type=Path, metavar="DIR", default=Path("plots"), help="for the pictures")
    train.add_argument("--progress", action=argparse.BooleanOptionalAction, default=True, help="show a progress bar")

    evaluate = commands.add_parser("evaluate", help="measure a trained generator", allow_abbrev=False)
    evaluate.add_argument("--samples", type=whole_number(1), default=6_400, metavar="N", help="graphs (default: 6400)")
    evaluate.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    sample = commands.add_parser("sample", help="write molecules as SMILES", allow_abbrev=False)
    sample.add_argument("--count", type=whole_number(1), default=100, metavar="N", help="graphs (default: 100)")
    sample.add_argument("--out", type=Path, required=True, metavar="FILE", help="a line each, empty if invalid")
    for command in (evaluate, sample):
        command.add_argument("--checkpoint", type=Path, required=True, metavar="DIR", help="a run folder (its best)")
        command.add_argument("--seed", type=whole_number(0), default=0, metavar="S", help="of what is drawn")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    arguments = parse(argv)
    carry_out = {"train": train, "evaluate": evaluate, "sample": sample}[arguments.command]
    return answer(PROGRAM, lambda: carry_out(arguments))


def require_rdkit() -> None:
    """Refuse in one line where RDKit is missing."""
    if importlib.util.find_spec("rdkit") is None:
        raise RequestError("MolGAN needs RDKit; try: pip install -r requirements-molgan.txt")


def train(arguments: argparse.Namespace) -> int:
    """Train as the arguments say, and tell where everything is."""
    require_rdkit()
    given = given_settings(arguments, MolGANConfig)
    config = None if arguments.resume else MolGANConfig(**with_schedule(given))
    import_tensorflow()
    from ddpg.molgan.dataset import own_molecules, read_molecules
    from ddpg.molgan.run import resume, start
    from ddpg.records import refuse_existing

    if config is None:
        for name in ("run_dir", "data", *(name for name in given if name != "epochs")):
            if vars(arguments).get(name) is not None:
                raise RequestError("a resumed run has its own; leave it out", name)
        run = resume(arguments.resume, given.get("epochs"), arguments.plot_dir)
    else:
        folder = arguments.run_dir or Path("runs", "molgan", f"{time.strftime('%Y%m%d-%H%M%S')}-seed{config.seed}")
        refuse_existing(folder)  # before the data are read, which takes a while
        dataset = read_molecules(arguments.data) if arguments.data else own_molecules()
        print(f"data        {dataset}")
        run = start(config, dataset, folder, arguments.plot_dir)
    run.go(arguments.progress)
    again = shlex.join([*PROGRAM.split(), "train", "--resume", str(run.folder)])
    if run.stop.number:
        print(f"{PROGRAM}: stopped; to go on: {again}", file=sys.stderr)
        return 128 + run.stop.number
    print(f"trained     {run.last.epoch} epochs, {run.last.rounds} rounds, {run.seconds:.0f} s")
    print(f"run folder  {run.folder}")
    print("pictures    " + ", ".join(map(str, run.pictures)))
    print("next        " + shlex.join([*PROGRAM.split(), "evaluate", "--checkpoint", str(run.folder)]))
    return 0


def with_schedule(given: dict[str, Any]) -> dict[str, Any]:
    """Return settings in which the objective comes in between 30 % and 80 % of the epochs, unless they say when."""
    epochs = given.get("epochs", MolGANConfig().epochs)
    return {"rl_start": epochs * 3 // 10, "rl_full": epochs * 8 // 10} | given


def evaluate(arguments: argparse.Namespace) -> int:
    """Measure as the arguments say, and print the figures."""
    agent, smiles = load_best(arguments.checkpoint)
    from ddpg.molgan.evaluation import SCORES, SHARES, data_scores, evaluate_generator
    from ddpg.molgan.rewards import Reward

    rewards = {name: Reward([name]) for name in SCORES}
    rewards["objective"] = Reward(agent.config.objectives, smiles)
    figures = evaluate_generator(agent, arguments.samples, arguments.seed, set(smiles), rewards)
    data = data_scores(smiles, rewards)
    if arguments.json:
        all_figures = {"samples": arguments.samples} | figures | {f"data_{name}": data[name] for name in data}
        print(json.dumps(all_figures))
        return 0
    print(f"{arguments.samples} graphs, seed {arguments.seed}: strictly (as MolGAN's own code counts)")
    print(f"{'':16}  {'sampled':17}  {'likeliest':17}  data")
    for name in (*SHARES, *rewards):
        cells = [both_ways(figures, name), both_ways(figures, name, "likeliest_")]
        last = f"{data[name]:.3f}" if name in data else ""
        print(f"{name:16}  {cells[0]:17}  {cells[1]:17}  {last}".rstrip())
    return 0


def both_ways(figures: dict[str, float], name: str, prefix: str = "") -> str:
    """Return a figure as it is counted strictly, and as MolGAN's own code counts it where that differs."""
    other = figures.get(f"{prefix}molgan_{name}")
    return f"{figures[prefix + name]:.3f}" + (f"  ({other:.3f})" if other is not None else "")


def sample(arguments: argparse.Namespace) -> int:
    """Write as many SMILES as were asked for, and say where."""
    agent, _ = load_best(arguments.checkpoint)
    from ddpg.files import new_file
    from ddpg.molgan.evaluation import generate
    from ddpg.molgan.molecules import to_molecules, to_smiles

    if arguments.out.exists():
        raise RequestError(f"{arguments.out} exists already; name another file", "out")
    graphs, _ = generate(agent, arguments.count, arguments.seed)
    smiles = [to_smiles(molecule) for molecule in to_molecules(graphs)]
    with new_file(arguments.out) as file:
        file.write("\n".join([*smiles, ""]).encode())
    print(f"{sum(map(bool, smiles))} valid molecules of {len(smiles)} graphs in {arguments.out}")
    return 0


def load_best(path: Path):
    """Return the agent of a checkpoint, or of a run folder's best one, and the SMILES of its data."""
    require_rdkit()
    import_tensorflow()
    from ddpg.checkpoint import all_checkpoints, find_checkpoint
    from ddpg.molgan.restore import dataset_of, load

    best = all_checkpoints(path / "checkpoints", "best")
    place = best[-1] if best else find_checkpoint(path)
    agent, description = load(place)
    return agent, dataset_of(place, description).smiles


if __name__ == "__main__":
    sys.exit(main())
