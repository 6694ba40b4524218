"""The training step of `ropescope-cli psc bench` in PyTorch eager, for comparison.

    python training_peer.py MODEL_DIR --lengths 1024,4096 [--threads N] [--dtype float32] [--device cuda]

The usual way to write it: a bfloat16 (or float32) model, scaled_dot_product_attention, torch.utils.checkpoint around
every layer, LoRA pairs of rank 8 and PSC modules with float32 masters that are cast in every forward,
torch.optim.AdamW. Prints one JSON object: {"training": [{"tokens", "seconds", "tokens_per_second"}]}.
"""

import argparse
import json
import os
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch.utils.checkpoint import checkpoint

RANK, SCALE, FACTOR = 8, 2.0, 4.0


class Peer:
    def __init__(self, folder: str, dtype: torch.dtype, device: str):
        self.dtype, self.device = dtype, device
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            self.c = json.load(file)
        self.w = {
            k: v.to(device, dtype)
            for k, v in load_file(os.path.join(folder, "model.safetensors")).items()
        }
        self.heads, self.kv = self.c["num_attention_heads"], self.c["num_key_value_heads"]
        self.d = self.c.get("head_dim") or self.c["hidden_size"] // self.heads
        self.trained = self.make_trained()

    def make_trained(self) -> dict:
        torch.manual_seed(0)
        made, hidden = {}, self.c["hidden_size"]
        q, kv, d = self.heads * self.d, self.kv * self.d, self.d
        for layer in range(self.c["num_hidden_layers"]):
            for name, inputs, outputs in (
                ("q", hidden, q),
                ("k", hidden, kv),
                ("v", hidden, kv),
                ("o", q, hidden),
            ):
                made[f"{layer}.{name}.a"] = (torch.rand(RANK, inputs) * 2 - 1) / inputs**0.5
                made[f"{layer}.{name}.b"] = torch.zeros(outputs, RANK)
            for name, heads in (("q", self.heads), ("k", self.kv)):
                made[f"{layer}.{name}.up"] = torch.zeros(heads, d, d)
                made[f"{layer}.{name}.down"] = (torch.rand(heads, d, d) * 2 - 1) / d
        return {k: v.to(self.device).requires_grad_(True) for k, v in made.items()}

    def t(self, name):
        return self.trained[name].to(self.dtype)

    def norm(self, x, name):
        return F.rms_norm(x, (x.shape[-1],), self.w[name + ".weight"], self.c["rms_norm_eps"])

    def project(self, x, layer, name):
        base = F.linear(x, self.w[f"model.layers.{layer}.self_attn.{name}_proj.weight"])
        a, b = self.t(f"{layer}.{name}.a"), self.t(f"{layer}.{name}.b")
        return base + F.linear(F.linear(x, a), b) * SCALE

    def place(self, x, layer, name, heads, cos, sin):
        x = x.view(-1, heads, self.d).transpose(0, 1)
        gate = torch.tanh(F.silu(x @ self.t(f"{layer}.{name}.up")) @ self.t(f"{layer}.{name}.down"))
        x = x * (1 + gate / 2)
        half = self.d // 2
        turned = torch.cat((-x[..., half:], x[..., :half]), -1)
        return (x * cos + turned * sin)[None]

    def layer(self, x, layer, cos, sin):
        name = f"model.layers.{layer}."
        a = self.norm(x, name + "input_layernorm")
        q = self.place(self.project(a, layer, "q"), layer, "q", self.heads, cos, sin)
        k = self.place(self.project(a, layer, "k"), layer, "k", self.kv, cos, sin)
        v = self.project(a, layer, "v").view(-1, self.kv, self.d).transpose(0, 1)[None]
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = x + self.project(out[0].transpose(0, 1).reshape(x.shape[0], -1), layer, "o")
        a = self.norm(x, name + "post_attention_layernorm")
        up = F.linear(a, self.w[name + "mlp.up_proj.weight"])
        gate = F.silu(F.linear(a, self.w[name + "mlp.gate_proj.weight"]))
        return x + F.linear(gate * up, self.w[name + "mlp.down_proj.weight"])

    def loss(self, ids):
        n, half = ids.shape[0] - 1, self.d // 2
        frequency = self.c["rope_theta"] ** (-torch.arange(half, dtype=torch.float64) / half)
        angle = torch.outer(torch.arange(n, dtype=torch.float64), frequency / FACTOR)
        cos, sin = (f(angle).repeat(1, 2).to(self.device, self.dtype) for f in (torch.cos, torch.sin))
        x = F.embedding(ids[:-1], self.w["model.embed_tokens.weight"])
        for layer in range(self.c["num_hidden_layers"]):
            x = checkpoint(self.layer, x, layer, cos, sin, use_reentrant=False)
        head = self.w.get("lm_head.weight", self.w["model.embed_tokens.weight"])
        logits = F.linear(self.norm(x, "model.norm"), head)
        return F.cross_entropy(logits.float(), ids[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--lengths", default="1024,4096,16384")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32"])
    parser.add_argument("--device", default="cpu")
    a = parser.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    peer = Peer(a.model, getattr(torch, a.dtype), a.device)
    optimizer = torch.optim.AdamW(peer.trained.values(), lr=1e-3, weight_decay=0.0)
    rows = []
    for tokens in (int(x) for x in a.lengths.split(",")):
        ids = torch.randint(3, peer.c["vocab_size"], (tokens + 1,)).to(a.device)
        best = float("inf")
        for repeat in range(a.repeats + 1):  # the first pays for set-up
            start = time.perf_counter()
            optimizer.zero_grad()
            peer.loss(ids).backward()
            torch.nn.utils.clip_grad_norm_(peer.trained.values(), 1.0)
            optimizer.step()
            if a.device != "cpu":
                torch.cuda.synchronize()
            if repeat > 0:
                best = min(best, time.perf_counter() - start)
        rows.append({"tokens": tokens, "seconds": best, "tokens_per_second": tokens / best})
    print(json.dumps({"threads": torch.get_num_threads(), "dtype": a.dtype, "device": a.device, "training": rows}))


if __name__ == "__main__":
    main()
