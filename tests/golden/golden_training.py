"""training.json: gradients and updates of PSC and LoRA on tiny_llama, by PyTorch's own autograd.

The model is plain_llama.py in float64; nothing of its graph is checkpointed. The optimizer is
torch.optim.AdamW, clipping is torch.nn.utils.clip_grad_norm_.
"""

import json
import os

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from golden_common import origin, write_json
from golden_models import BASE, VARIANTS
from plain_llama import Calibration, PlainLlama
from plain_rope import make_plan

METHODS = ("linear", "yarn")
RATE, WARM_UP, DECAY, CLIP, STEPS = 1e-2, 2, 0.1, 0.5, 4
SAMPLES = 5  # values of every gradient, evenly over its elements


def leaves(tensors: dict) -> dict:
    return {k: v.double().clone().requires_grad_(True) for k, v in tensors.items()}


def loss_of(model, ids, plan, tensors):
    logits = model.logits(ids[:-1], plan, Calibration(tensors), grad=True)
    return F.cross_entropy(logits, torch.tensor(ids[1:]))


def gradients(model, ids, plan, start) -> dict:
    tensors = leaves(start)
    loss = loss_of(model, ids, plan, tensors)
    loss.backward()
    found = {}
    for name, tensor in tensors.items():
        flat = tensor.grad.flatten()
        at = [i * (flat.numel() - 1) // (SAMPLES - 1) for i in range(SAMPLES)]
        found[name] = {"norm": float(flat.norm()), "at": at, "values": [float(flat[i]) for i in at]}
    return {"loss": float(loss.detach()), "gradients": found}


def updates(model, ids, plan, start) -> dict:
    """Losses before each of STEPS updates and after the last, and the clipped gradients' norms."""
    tensors = leaves(start)
    optimizer = torch.optim.AdamW(list(tensors.values()), lr=RATE, weight_decay=DECAY)
    losses, norms = [], []
    for step in range(STEPS):
        loss = loss_of(model, ids, plan, tensors)
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(tensors.values(), CLIP)))
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / WARM_UP)
        optimizer.step()
    losses.append(float(loss_of(model, ids, plan, tensors).detach()))
    assert losses[-1] < losses[0], losses
    assert max(norms) > CLIP, "nothing was clipped"
    return {"losses": losses, "norms": norms}


def make(out_dir: str, date: str) -> None:
    print("training on tiny_llama")
    with open(os.path.join(out_dir, "psc.json"), encoding="utf-8") as file:
        ids = json.load(file)["token_ids"]
    start = load_file(os.path.join(out_dir, "psc_tiny.safetensors"))
    model = PlainLlama(os.path.join(out_dir, "tiny_llama"), torch.float64)
    methods = {}
    for name in METHODS:
        max_position, block = VARIANTS[name]
        plan = make_plan({"rope_theta": BASE, **block}, model.head_dim, max_position, len(ids))
        methods[name] = {
            "config": f"tiny_llama/configs/{name}.json",
            **gradients(model, ids, plan, start),
            **updates(model, ids, plan, start),
        }
        print(f"  {name:9} loss {methods[name]['losses'][0]:.4f} -> {methods[name]['losses'][-1]:.4f}")
    write_json(
        os.path.join(out_dir, "training.json"),
        {
            "origin": origin(date, "plain_llama.py under torch autograd, float64, CPU"),
            "file": "psc_tiny.safetensors",
            "model": "tiny_llama",
            "lora_alpha": 16.0,
            "rate": RATE,
            "warm_up": WARM_UP,
            "weight_decay": DECAY,
            "clip": CLIP,
            "token_ids": ids,
            "methods": methods,
        },
        4,
    )
