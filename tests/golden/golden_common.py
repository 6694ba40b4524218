"""What every part shares: exact number output, file header, comparison helpers."""

import json
import math
import os

import numpy as np
import torch

LOSS_TOLERANCE = 1e-4  # nats per token; what the C++ tests allow against the float32 losses
WRONG_AT_LEAST = 100 * LOSS_TOLERANCE  # a wrong variant must move some loss by this much


def floats(values) -> list:
    """Float32 values as their shortest exact decimal, float64 values as they are."""
    array = (
        values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
    )
    if array.dtype == np.float32:
        return [float(str(v)) for v in array.ravel()]
    return [float(v) for v in array.ravel()]


def rounded(values, digits: int) -> list:
    """Values with that many significant digits."""
    return [float(f"{float(v):.{digits}g}") for v in values]


def write_json(path: str, data: dict, lines: int = 2) -> None:
    """One item a line down to `lines` levels of dictionaries, compact below."""
    with open(path, "w", encoding="utf-8") as out:
        out.write(_text(data, lines) + "\n")
    print(f"  wrote {os.path.basename(path)}: {os.path.getsize(path):,} bytes")


def _text(value, levels: int) -> str:
    if levels > 0 and isinstance(value, dict):
        items = [json.dumps(k) + ":" + _text(v, levels - 1) for k, v in value.items()]
        return "{\n" + ",\n".join(items) + "\n}"
    if levels > 0 and isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(_text(v, 0) for v in value) + "\n]"
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def origin(date: str, what: str) -> dict:
    import transformers

    return {
        "what": what,
        "made_by": "tests/golden/make_golden.py",
        "date": date,
        "torch": torch.__version__.split("+")[0],
        "transformers": transformers.__version__,
    }


def losses(logits: torch.Tensor, ids: list) -> torch.Tensor:
    """Negative log likelihood of ids[1:] in nats, [n - 1], from logits [n, vocabulary]."""
    log_p = torch.log_softmax(logits.double(), -1)
    targets = torch.tensor(ids[1:])
    return -log_p[:-1].gather(1, targets[:, None])[:, 0]


def nll_field(logits: torch.Tensor, ids: list) -> list:
    """As `ropescope-cli score` gives it: one entry a token, null for the first."""
    nll = losses(logits, ids)
    assert torch.isfinite(nll).all(), "a loss is not finite"
    return [None] + (floats(nll) if logits.dtype == torch.float64 else rounded(nll, 9))


def largest(a, b) -> float:
    """Largest absolute difference of two loss fields or tensors."""
    a, b = ([x for x in v if x is not None] if isinstance(v, list) else v for v in (a, b))
    difference = float(
        np.abs(np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)).max()
    )
    assert math.isfinite(difference)
    return difference
