"""Rotation plans in double from the papers' formulas, independent of transformers.

A plan is (inv_freq float64 [head_dim / 2], attention_factor). Parameters are named as in a Hugging
Face `rope_parameters` block.
"""

import math

import torch


def plain(base: float, dim: int) -> torch.Tensor:
    return torch.tensor([base ** (-2 * i / dim) for i in range(dim // 2)], dtype=torch.float64)


def original_length(p: dict, max_position: int) -> int:
    return p.get("original_max_position_embeddings") or max_position


def factor_of(p: dict, max_position: int) -> float:
    if p.get("factor") is not None:
        return float(p["factor"])
    return max_position / original_length(p, max_position)


def make_plan(p: dict, dim: int, max_position: int, length: int):
    kind = p.get("rope_type", p.get("type", "default"))
    theta = plain(p["rope_theta"], dim)
    if kind == "default":
        return theta, 1.0
    s = factor_of(p, max_position)
    if kind == "linear":
        return theta / s, 1.0
    if kind == "dynamic":
        n = max(length, max_position)
        base = p["rope_theta"] * (s * n / max_position - (s - 1)) ** (dim / (dim - 2))
        return plain(base, dim), 1.0
    trained = original_length(p, max_position)
    if kind == "yarn":
        return theta / yarn_divisors(p, dim, trained, s), yarn_attention(p, s)
    if kind == "longrope":
        lists = p["long_factor"] if length > trained else p["short_factor"]
        t = p.get("attention_factor")
        if t is None:
            t = 1.0 if s <= 1 else math.sqrt(1 + math.log(s) / math.log(trained))
        return theta / torch.tensor(lists, dtype=torch.float64), t
    if kind == "llama3":
        return llama3(p, theta, trained, s), 1.0
    raise ValueError(f"unknown rope type {kind}")


def yarn_divisors(p: dict, dim: int, trained: int, s: float) -> torch.Tensor:
    def pair_with(turns):  # the (fractional) pair that makes so many turns over the trained length
        return dim * math.log(trained / (2 * math.pi * turns)) / (2 * math.log(p["rope_theta"]))

    low, high = pair_with(p.get("beta_fast") or 32), pair_with(p.get("beta_slow") or 1)
    if p.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, dim - 1)
    if low == high:
        high += 0.001
    ramp = [min(max((i - low) / (high - low), 0.0), 1.0) for i in range(dim // 2)]
    return torch.tensor([s / (r + s * (1 - r)) for r in ramp], dtype=torch.float64)


def yarn_attention(p: dict, s: float) -> float:
    def g(m):
        return 1.0 if s <= 1 else 0.1 * m * math.log(s) + 1.0

    if p.get("attention_factor") is not None:
        return p["attention_factor"]
    if p.get("mscale") and p.get("mscale_all_dim"):
        return g(p["mscale"]) / g(p["mscale_all_dim"])
    return g(1.0)


def llama3(p: dict, theta: torch.Tensor, trained: int, s: float) -> torch.Tensor:
    out = []
    for f in theta.tolist():
        turns = trained * f / (2 * math.pi)
        x = (turns - p["low_freq_factor"]) / (p["high_freq_factor"] - p["low_freq_factor"])
        x = min(max(x, 0.0), 1.0)
        out.append((1 - x) * f / s + x * f)
    return torch.tensor(out, dtype=torch.float64)
