"""Writes the golden files of this folder: tiny random BERT checkpoints and what transformers computes with them.

    pip install -r requirements.txt
    python make_goldens.py            # rewrites the case folders beside this script
    python make_goldens.py --check    # writes nothing; exit code 1 when a committed file differs

README.md describes every file and tensor. Everything is CPU, float32, one thread, eager attention, dropout 0.
"""

import argparse
import filecmp
import importlib
import importlib.metadata
import os
import shutil
import sys
import tempfile
from pathlib import Path

# Read by torch while it is imported: the portable kernels give the same bits on more kinds of CPU.
os.environ["ATEN_CPU_CAPABILITY"] = "default"
os.environ["MKL_CBWR"] = "COMPATIBLE"
os.environ["HF_HUB_OFFLINE"] = "1"

HERE = Path(__file__).resolve().parent


def check_versions() -> None:
    """Ends the script unless every installed version is the pinned one."""
    wrong = []
    for line in (HERE / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, pinned = line.split("==")
        try:
            installed = importlib.metadata.version(name).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            installed = "nothing"
        if installed != pinned:
            wrong.append(f"  {name}: pinned {pinned}, installed {installed}")
    if wrong:
        sys.exit("versions differ from requirements.txt (pip install -r requirements.txt):\n" + "\n".join(wrong))


def write_all(output: Path) -> None:
    """Writes every case as a folder of `output`."""
    import torch
    from transformers.utils import logging

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.backends.mkldnn.enabled = False
    logging.set_verbosity_error()
    logging.disable_progress_bar()

    for module in case_modules():
        module.write(output)


def case_modules() -> list:
    """Every `case_*.py` beside this script. A module that reads what others have written names them in AFTER."""
    names = sorted(path.stem for path in HERE.glob("case_*.py"))
    modules = [importlib.import_module(name) for name in names]
    return sorted(modules, key=lambda module: len(getattr(module, "AFTER", ())))


def differences(expected: Path, found: Path) -> list[str]:
    """The files, relative to their root, that only one side has or whose bytes differ."""
    cases = [case.name for case in sorted(expected.iterdir())]
    files_expected = {path.relative_to(expected) for path in expected.rglob("*") if path.is_file()}
    files_found = {
        path.relative_to(found) for case in cases for path in (found / case).rglob("*") if path.is_file()
    }
    lines = [f"missing: {path}" for path in sorted(files_expected - files_found)]
    lines += [f"not written by the generator: {path}" for path in sorted(files_found - files_expected)]
    lines += [
        f"differs: {path}"
        for path in sorted(files_expected & files_found)
        if not filecmp.cmp(expected / path, found / path, shallow=False)
    ]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed files, write nothing")
    arguments = parser.parse_args()
    check_versions()
    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary)
        write_all(fresh)
        if arguments.check:
            lines = differences(fresh, HERE)
            print("\n".join(lines) if lines else "all golden files reproduced byte for byte")
            sys.exit(1 if lines else 0)
        for case in sorted(fresh.iterdir()):
            shutil.rmtree(HERE / case.name, ignore_errors=True)
            shutil.copytree(case, HERE / case.name, copy_function=shutil.copyfile)
            print(case.name, sum(path.stat().st_size for path in case.rglob("*") if path.is_file()), "bytes")


if __name__ == "__main__":
    main()
