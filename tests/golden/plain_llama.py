"""A Llama forward pass in plain PyTorch, independent of transformers, with PSC and LoRA.

Every mistake that the golden data must be able to show is an option here, so that the size of its
effect is measured with the same code.
"""

import glob
import json
import os
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

LORA_ALPHA = 16.0


@dataclass
class Calibration:
    tensors: dict  # names as in the paper's code
    strength: float = 1.0
    phase: bool = True
    lora: bool = True


@dataclass
class Mistakes:
    """Which deliberate errors are switched on; none by default."""

    names: set = field(default_factory=set)

    def __contains__(self, name):
        return name in self.names


class PlainLlama:
    def __init__(self, folder: str, dtype=torch.float32):
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            self.config = json.load(file)
        self.w = {}
        for shard in sorted(glob.glob(os.path.join(folder, "*.safetensors"))):
            self.w.update({k: v.to(dtype) for k, v in load_file(shard).items()})
        c = self.config
        self.dtype = dtype
        self.heads, self.kv_heads = c["num_attention_heads"], c["num_key_value_heads"]
        self.head_dim = c.get("head_dim") or c["hidden_size"] // self.heads
        self.head = self.w.get("lm_head.weight", self.w["model.embed_tokens.weight"])

    def logits(self, ids: list, plan, calibration=None, mistakes=(), grad=False) -> torch.Tensor:
        """[n, vocabulary] for token ids under a plan (inv_freq, attention_factor)."""
        mistakes = Mistakes(set(mistakes))
        with torch.set_grad_enabled(grad):
            tables = rotary_tables(plan, len(ids), self.dtype)
            x = self.w["model.embed_tokens.weight"][torch.tensor(ids)]
            for layer in range(self.config["num_hidden_layers"]):
                name = f"model.layers.{layer}."
                a = self.norm(x, name + "input_layernorm")
                x = x + self.attention(a, name + "self_attn.", tables, calibration, mistakes)
                x = x + self.mlp(
                    self.norm(x, name + "post_attention_layernorm"), name + "mlp.", mistakes
                )
            return F.linear(self.norm(x, "model.norm"), self.head)

    def norm(self, x, name):
        scale = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.config["rms_norm_eps"])
        return x * scale * self.w[name + ".weight"]

    def linear(self, x, name, mistakes):
        bias = None if "bias omitted" in mistakes else self.w.get(name + ".bias")
        return F.linear(x, self.w[name + ".weight"], bias)

    def mlp(self, x, name, mistakes):
        gate = F.silu(self.linear(x, name + "gate_proj", mistakes))
        return self.linear(
            gate * self.linear(x, name + "up_proj", mistakes), name + "down_proj", mistakes
        )

    def split(self, x, heads):  # [n, heads * d] -> [heads, n, d]
        return x.view(x.shape[0], heads, self.head_dim).transpose(0, 1)

    def attention(self, x, name, tables, calibration, mistakes):
        psc = Phases(calibration, name, self.dtype, mistakes)
        early = "PSC before LoRA" in mistakes
        rotated_first = "PSC after rotation" in mistakes
        group = self.heads // self.kv_heads
        q, k = (
            self.split(self.linear(x, name + p + "_proj", mistakes), h)
            for p, h in (("q", self.heads), ("k", self.kv_heads))
        )
        if early:
            q, k = psc.apply("q", q), psc.apply("k", k)
        q = q + self.split(psc.lora("q", x, q.shape[0] * self.head_dim), self.heads)
        k = k + self.split(psc.lora("k", x, k.shape[0] * self.head_dim), self.kv_heads)
        v = self.linear(x, name + "v_proj", mistakes)
        v = self.split(v + psc.lora("v", x, v.shape[-1]), self.kv_heads)
        if not early and not rotated_first:
            q = psc.apply("q", q)
            k = psc.apply_repeated(k, group) if psc.on_repeated else psc.apply("k", k)
        q, k = rotate(q, tables, mistakes), rotate(k, tables, mistakes)
        if rotated_first:
            q, k = psc.apply("q", q), psc.apply("k", k)
        if k.shape[0] != self.heads:
            k = k.repeat_interleave(group, 0)
        out = attend(q, k, v.repeat_interleave(group, 0)).transpose(0, 1).reshape(x.shape[0], -1)
        return self.linear(out, name + "o_proj", mistakes) + psc.lora("o", out, x.shape[-1])


def attend(q, k, v):  # [H, n, d] each
    scores = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5
    n = q.shape[1]
    scores = scores.masked_fill(torch.ones(n, n, dtype=torch.bool).triu(1), float("-inf"))
    return torch.softmax(scores, -1) @ v


def rotary_tables(plan, length, dtype):  # 2 x [n, d / 2], built in double
    inv_freq, attention_factor = plan
    angle = torch.outer(torch.arange(length, dtype=torch.float64), inv_freq)
    return (angle.cos() * attention_factor).to(dtype), (angle.sin() * attention_factor).to(dtype)


def rotate(x, tables, mistakes):
    cos, sin = tables
    if "interleaved pairs" in mistakes:
        a, b = x[..., 0::2], x[..., 1::2]
        return torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2)
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    if "opposite direction" in mistakes:
        sin = -sin
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class Phases:
    """PSC modules and LoRA pairs of one layer (arXiv 2505.12423), absent parts do nothing."""

    def __init__(self, calibration, layer: str, dtype, mistakes):
        self.c, self.layer, self.dtype, self.mistakes = calibration, layer, dtype, mistakes
        self.on_repeated = (
            calibration is not None
            and calibration.phase
            and (
                "PSC on repeated k, q modules" in mistakes
                or "PSC on repeated k, k modules tiled" in mistakes
            )
        )

    def tensor(self, name):
        return self.c.tensors[self.layer + name].to(self.dtype)

    def gate(self, x, up, down):  # x [heads, n, d], up and down [heads, d, d]
        if "U transposed" in self.mistakes:
            up = up.transpose(1, 2)
        y = F.silu(x @ up) @ down
        return x * (1 + self.c.strength * torch.tanh(y) / 2)

    def apply(self, which, x):
        if self.c is None or not self.c.phase:
            return x
        return self.gate(
            x, self.tensor(which + "_phase.up_phase"), self.tensor(which + "_phase.down_phase")
        )

    def apply_repeated(self, k, group):
        repeated = k.repeat_interleave(group, 0)
        if "PSC on repeated k, q modules" in self.mistakes:
            return self.apply("q", repeated)
        up, down = (self.tensor(f"k_phase.{n}_phase").repeat(group, 1, 1) for n in ("up", "down"))
        return self.gate(repeated, up, down)

    def lora(self, which, x, width):
        if self.c is None or not self.c.lora:
            return torch.zeros(x.shape[0], width, dtype=x.dtype)
        a, b = (self.tensor(f"{which}_lora.{n}_lora") for n in ("A", "B"))
        scale = 1.0 if "LoRA scale 1" in self.mistakes else LORA_ALPHA / a.shape[0]
        return F.linear(F.linear(x, a), b) * scale
