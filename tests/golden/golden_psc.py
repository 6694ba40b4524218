"""psc.json and psc_tiny*.safetensors: PSC and LoRA on tiny_llama, from plain_llama.py.

The plain program is first held against transformers' losses of the same model without calibration.
"""

import json
import math
import os

import torch
from safetensors.torch import load_file, save_file

from golden_common import (
    LOSS_TOLERANCE,
    WRONG_AT_LEAST,
    floats,
    largest,
    losses,
    nll_field,
    origin,
    write_json,
)
from golden_models import BASE, VARIANTS, shape
from plain_llama import Calibration, PlainLlama
from plain_rope import make_plan

METHODS = ("linear", "yarn", "longrope")
RANK = 8
CASES = {  # name: strength, phase modules on, LoRA on
    "strength 1, LoRA on": (1.0, True, True),
    "strength 0.5, LoRA on": (0.5, True, True),
    "strength 1, LoRA off": (1.0, True, False),
    "strength 0, LoRA on": (0.0, True, True),
    "strength 0, LoRA off": (0.0, True, False),
}
MISTAKES = (
    "PSC after rotation",
    "PSC before LoRA",
    "PSC on repeated k, q modules",
    "PSC on repeated k, k modules tiled",
    "U transposed",
    "LoRA scale 1",
)


def random_calibration() -> dict:
    c, g = shape(), torch.Generator().manual_seed(30)
    hidden, d = c["hidden_size"], c["head_dim"]
    q_width, kv_width = c["num_attention_heads"] * d, c["num_key_value_heads"] * d
    tensors = {}
    for layer in range(c["num_hidden_layers"]):
        p = f"model.layers.{layer}.self_attn."
        for which, heads in (("q", c["num_attention_heads"]), ("k", c["num_key_value_heads"])):
            for part in ("up", "down"):
                tensors[f"{p}{which}_phase.{part}_phase"] = (
                    torch.randn(heads, d, d, generator=g) * 0.3
                )
        for which, inputs, outputs in (
            ("q", hidden, q_width),
            ("k", hidden, kv_width),
            ("v", hidden, kv_width),
            ("o", q_width, hidden),
        ):
            tensors[f"{p}{which}_lora.A_lora"] = torch.randn(RANK, inputs, generator=g) / math.sqrt(
                inputs
            )
            tensors[f"{p}{which}_lora.B_lora"] = torch.randn(outputs, RANK, generator=g) * 0.06
    return tensors


def one_method(models, tensors, name, ids, plain_nll) -> dict:
    max_position, block = VARIANTS[name]
    single, double = models
    plan = make_plan({"rope_theta": BASE, **block}, single.head_dim, max_position, len(ids))
    assert largest(nll_field(single.logits(ids, plan), ids), plain_nll) < LOSS_TOLERANCE / 3
    out = {"config": f"tiny_llama/configs/{name}.json", "cases": {}}
    for case, (strength, phase, lora) in CASES.items():
        calibration = Calibration(tensors, strength, phase, lora)
        logits, exact = (m.logits(ids, plan, calibration) for m in models)
        gap = largest(losses(logits, ids), losses(exact, ids))
        assert gap < LOSS_TOLERANCE / 3, (name, case, gap)
        out["cases"][case] = {
            "strength": strength,
            "lora": lora,
            "nll": nll_field(logits, ids),
            "last_logits": floats(logits[-1]),
            "nll_float64": nll_field(exact, ids),
        }
    check_cases(name, out["cases"], plain_nll)
    out["wrong"] = wrong_variants(
        single, tensors, plan, ids, out["cases"]["strength 1, LoRA on"]["nll"]
    )
    print(
        f"  {name:9} least wrong {min(out['wrong'].values()):.3g}, plain against transformers "
        f"{largest(out['cases']['strength 0, LoRA off']['nll'], plain_nll):.1e}"
    )
    return out


def check_cases(name, cases, plain_nll) -> None:
    """Strength 0 without LoRA is the plain model; every other pair of cases is far apart."""
    assert largest(cases["strength 0, LoRA off"]["nll"], plain_nll) < LOSS_TOLERANCE / 3
    fields = list(cases)
    for i, a in enumerate(fields):
        for b in fields[:i]:
            change = largest(cases[a]["nll"], cases[b]["nll"])
            assert change > WRONG_AT_LEAST, (name, a, b, change)


def wrong_variants(model, tensors, plan, ids, right) -> dict:
    found = {}
    for mistake in MISTAKES:
        logits = model.logits(ids, plan, Calibration(tensors), [mistake])
        found[mistake] = float(f"{largest(nll_field(logits, ids), right):.4g}")
        assert found[mistake] > WRONG_AT_LEAST, f"'{mistake}' moves losses by {found[mistake]} only"
    return found


def paper_file(out_dir: str, tensors: dict, models, ids: list) -> dict:
    """The same tensors as the paper's code leaves them: bfloat16, and here without any metadata."""
    path = os.path.join(out_dir, "psc_tiny_bf16.safetensors")
    save_file({k: v.to(torch.bfloat16) for k, v in tensors.items()}, path)
    max_position, block = VARIANTS["yarn"]
    plan = make_plan({"rope_theta": BASE, **block}, models[0].head_dim, max_position, len(ids))
    logits = models[0].logits(ids, plan, Calibration(load_file(path)))
    return {
        "file": os.path.basename(path),
        "config": "tiny_llama/configs/yarn.json",
        "strength": 1.0,
        "lora": True,
        "nll": nll_field(logits, ids),
    }


def make(out_dir: str, date: str) -> None:
    print("PSC on tiny_llama")
    tensors = random_calibration()
    save_file(tensors, os.path.join(out_dir, "psc_tiny.safetensors"), metadata={"format": "pt"})
    folder = os.path.join(out_dir, "tiny_llama")
    models = PlainLlama(folder), PlainLlama(folder, torch.float64)
    with open(os.path.join(out_dir, "tiny_llama.json"), encoding="utf-8") as file:
        reference = json.load(file)
    ids = reference["token_ids"]
    methods = {
        m: one_method(models, tensors, m, ids, reference["variants"][m]["200"]["nll"])
        for m in METHODS
    }
    write_json(
        os.path.join(out_dir, "psc.json"),
        {
            "origin": origin(
                date, "plain_llama.py, float32, CPU; nll_float64: the same in float64"
            ),
            "loss_tolerance": LOSS_TOLERANCE,
            "file": "psc_tiny.safetensors",
            "model": "tiny_llama",
            "lora_alpha": 16.0,
            "token_ids": ids,
            "methods": methods,
            "without_metadata": paper_file(out_dir, tensors, models, ids),
        },
        4,
    )
