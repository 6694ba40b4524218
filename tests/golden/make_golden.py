#!/usr/bin/env python3
"""Makes every generated file of this folder anew; README.md says what is needed.

python tests/golden/make_golden.py [--bookworm DIR] [--stories DIR] [--out DIR] [--only NAME ...]
"""

import argparse
import datetime
import os
import shutil
import stat

import torch
import transformers

import golden_attention
import golden_bookworm
import golden_closed_form
import golden_inputs
import golden_models
import golden_psc
import golden_rope
import golden_stories
import golden_training

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PARTS = ("closed_form", "rope", "models", "psc", "training", "attention", "stories", "bookworm")
LIMIT = 4 * 1024 * 1024  # bytes, all of this folder


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--bookworm", default=os.path.join(ROOT, "resources", "models", "bookworm-11m")
    )
    parser.add_argument("--stories", default=os.path.join(ROOT, "tests", "fixtures", "stories260K"))
    parser.add_argument("--out", default=HERE, help="folder to write (default: this one)")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=PARTS,
        default=PARTS,
        help="psc and attention need models' output, training needs psc's",
    )
    parser.add_argument("--book", help="cut inputs/ anew from this text file")
    parser.add_argument(
        "--date", default=datetime.date.today().isoformat(), help="written into each file"
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="of PyTorch; the numbers were made with 1"
    )
    return parser.parse_args()


def take_inputs(out: str) -> None:
    """A fresh output folder gets the committed inputs and the typed-in file."""
    if os.path.samefile(out, HERE):
        return
    shutil.copytree(os.path.join(HERE, "inputs"), os.path.join(out, "inputs"), dirs_exist_ok=True)
    shutil.copy(os.path.join(HERE, "closed_form.json"), out)


def tidy(out: str) -> None:
    """Readable by everyone (safetensors writes 0600), and small enough to be committed."""
    total = 0
    for folder, folders, names in os.walk(out):
        folders[:] = [f for f in folders if f != "__pycache__"]
        for path in (os.path.join(folder, n) for n in names):
            os.chmod(
                path,
                os.stat(path).st_mode | stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH,
            )
            total += os.path.getsize(path)
    print(f"{out}: {total:,} bytes")
    assert total < LIMIT, f"the golden data takes {total} bytes, at most {LIMIT} are wanted"


def main() -> None:
    a = arguments()
    torch.set_num_threads(a.threads)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    os.makedirs(a.out, exist_ok=True)
    take_inputs(a.out)
    if a.book:
        golden_inputs.make(a.out, a.book, os.path.join(a.bookworm, "tokenizer.model"))
    parts = {
        "closed_form": lambda: golden_closed_form.check(a.out),
        "rope": lambda: golden_rope.make(a.out, a.date),
        "models": lambda: golden_models.make(a.out, a.date),
        "psc": lambda: golden_psc.make(a.out, a.date),
        "training": lambda: golden_training.make(a.out, a.date),
        "attention": lambda: golden_attention.make(a.out, a.date),
        "stories": lambda: golden_stories.make(a.out, a.date, a.stories),
        "bookworm": lambda: golden_bookworm.make(a.out, a.date, a.bookworm),
    }
    for name in PARTS:
        if name in a.only:
            parts[name]()
    tidy(a.out)


if __name__ == "__main__":
    main()
