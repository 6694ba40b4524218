"""Holds the typed-in closed_form.json against plain_rope.py, to find typing errors."""

import json
import math
import os

import torch
import torch.nn.functional as F

from plain_rope import make_plan, plain, yarn_attention

TYPES = {
    "none": "default",
    "pi": "linear",
    "dynamic": "dynamic",
    "yarn": "yarn",
    "llama3": "llama3",
}


def turns_ramp(entry) -> torch.Tensor:
    """YaRN with the ramp of the paper: linear in turns over the trained length."""
    theta = plain(entry["base"], entry["head_dim"])
    keep = ((entry["original_length"] * theta / (2 * math.pi) - 1) / 31).clamp(0, 1)
    return theta * (keep + (1 - keep) / entry["factor"])


def frequencies(entry):
    d, s, trained = entry["head_dim"], entry["factor"], entry["original_length"]
    block = {"rope_theta": entry["base"], "factor": s, **entry["parameters"]}
    if entry["method"] == "ntk":
        return plain(entry["base"] * s ** (d / (d - 2)), d), 1.0
    if block.pop("ramp", "code") == "paper":
        return turns_ramp(entry), yarn_attention(block, s)
    block["rope_type"] = TYPES[entry["method"]]
    return make_plan(block, d, trained, entry["planned_length"])


def check_vectors(data) -> None:
    r = data["rotation"]
    angle = r["position"] * plain(r["base"], r["head_dim"])
    a, b = torch.tensor(r["x"], dtype=torch.float64).view(2, 2)
    turned = torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()])
    assert (turned - torch.tensor(r["half_split"], dtype=torch.float64)).abs().max() < r[
        "absolute_tolerance"
    ]
    p = data["psc"]
    up = torch.tensor(
        [[0.1 * (i + 1) - 0.05 * j for j in range(4)] for i in range(4)], dtype=torch.float64
    )
    down = torch.tensor(
        [[0.2 * (-1) ** (i + j) + 0.1 * i for j in range(4)] for i in range(4)], dtype=torch.float64
    )
    x = torch.tensor(p["x"], dtype=torch.float64)
    out = x * (1 + torch.tanh(F.silu(x @ up) @ down) / 2)
    assert (out - torch.tensor(p["out"], dtype=torch.float64)).abs().max() < p["absolute_tolerance"]


def check(out_dir: str) -> None:
    with open(os.path.join(out_dir, "closed_form.json"), encoding="utf-8") as file:
        data = json.load(file)
    for entry in data["frequencies"]:
        inv_freq, t = frequencies(entry)
        for i, expected in zip(entry["indices"], entry["inv_freq"], strict=True):
            assert math.isclose(
                inv_freq[i].item(), expected, rel_tol=entry["relative_tolerance"]
            ), (entry["name"], i, inv_freq[i].item(), expected)
        assert math.isclose(t, entry.get("attention_factor", t), rel_tol=1e-9), entry["name"]
    for entry in data["bases"]:
        base = frequencies({**entry, "parameters": {}})[0][1].item() ** (-entry["head_dim"] / 2)
        assert math.isclose(base, entry["new_base"], rel_tol=1e-12), (entry, base)
    for entry in data["yarn_ranges"]:
        for turns, expected in ((32, entry["raw_low"]), (1, entry["raw_high"])):
            raw = entry["head_dim"] * math.log(entry["original_length"] / (2 * math.pi * turns))
            raw /= 2 * math.log(entry["base"])
            assert abs(raw - expected) < entry["absolute_tolerance"], (entry["name"], raw)
    for entry in data["attention_factors"]["longrope_trained_4096"]:
        value = math.sqrt(1 + math.log(entry["factor"]) / math.log(4096))
        assert abs(value - entry["value"]) < data["attention_factors"]["absolute_tolerance"]
    for entry in data["attention_factors"]["yarn"]:
        assert abs(yarn_attention({}, entry["factor"]) - entry["value"]) < 1e-9
    check_vectors(data)
    print("closed_form.json agrees with the formulas")
