"""tiny_llama*/ and tiny_llama.json: losses and logits of small random Llamas, every rope type."""

import json
import os

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

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
from plain_llama import PlainLlama
from plain_rope import make_plan

TRAINED, BASE = 64, 10000.0
LENGTHS = (48, 200)
SHORT_FACTOR = [1.0, 1.0, 1.05, 1.1, 1.2, 1.3, 1.4, 1.5]
LONG_FACTOR = [1.0, 1.3, 1.9, 2.6, 3.2, 3.6, 4.1, 4.5]

# name: (max_position_embeddings, rope block without theta)
VARIANTS = {
    "default": (TRAINED, {"rope_type": "default"}),
    "linear": (TRAINED, {"rope_type": "linear", "factor": 4.0}),
    "dynamic": (TRAINED, {"rope_type": "dynamic", "factor": 4.0}),
    "yarn": (
        256,
        {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": TRAINED},
    ),
    "longrope": (
        256,
        {
            "rope_type": "longrope",
            "factor": 4.0,
            "original_max_position_embeddings": TRAINED,
            "short_factor": SHORT_FACTOR,
            "long_factor": LONG_FACTOR,
        },
    ),
    "llama3": (
        256,
        {
            "rope_type": "llama3",
            "factor": 4.0,
            "original_max_position_embeddings": TRAINED,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
        },
    ),
}


def shape(**changes) -> dict:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": 128,
        "hidden_size": 64,
        "intermediate_size": 112,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": True,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        **changes,
    }


def new_config(base: dict, max_position: int, block: dict, dtype="float32") -> dict:
    return {
        **base,
        "max_position_embeddings": max_position,
        "rope_parameters": {"rope_theta": BASE, **block},
        "dtype": dtype,
    }


def old_config(base: dict, max_position: int, block: dict, dtype="float32") -> dict:
    """The spelling before transformers 5; longrope as Phi-3 (length at the root)."""
    scaling = {"type": block["rope_type"], **{k: v for k, v in block.items() if k != "rope_type"}}
    root = {}
    if block["rope_type"] == "longrope":
        root["original_max_position_embeddings"] = scaling.pop("original_max_position_embeddings")
        scaling.pop("factor")
    return {
        **base,
        "max_position_embeddings": max_position,
        **root,
        "rope_theta": BASE,
        "rope_scaling": None if block["rope_type"] == "default" else scaling,
        "torch_dtype": dtype,
    }


def random_weights(c: dict, seed: int) -> dict:
    """Random; query and key weights are large, so that attention is sharp and position matters."""
    g = torch.Generator().manual_seed(seed)
    hidden, ffn, d = c["hidden_size"], c["intermediate_size"], c["head_dim"]
    q_width, kv_width = c["num_attention_heads"] * d, c["num_key_value_heads"] * d

    def normal(std, *size):
        return torch.randn(*size, generator=g) * std

    def norm_weight():
        return 1 + normal(0.2, hidden)

    w = {
        "model.embed_tokens.weight": normal(0.2, c["vocab_size"], hidden),
        "model.norm.weight": norm_weight(),
    }
    for i in range(c["num_hidden_layers"]):
        p = f"model.layers.{i}."
        w[p + "input_layernorm.weight"] = norm_weight()
        w[p + "post_attention_layernorm.weight"] = norm_weight()
        widths = {
            "self_attn.q_proj": (0.14, q_width, hidden),
            "self_attn.k_proj": (0.14, kv_width, hidden),
            "self_attn.v_proj": (0.15, kv_width, hidden),
            "self_attn.o_proj": (0.12, hidden, q_width),
            "mlp.gate_proj": (0.12, ffn, hidden),
            "mlp.up_proj": (0.12, ffn, hidden),
            "mlp.down_proj": (0.08, hidden, ffn),
        }
        for name, (std, rows, columns) in widths.items():
            w[p + name + ".weight"] = normal(std, rows, columns)
            if c["attention_bias"] and "self_attn" in name or c["mlp_bias"] and "mlp" in name:
                w[p + name + ".bias"] = normal(0.4, rows)
    if not c["tie_word_embeddings"]:
        w["lm_head.weight"] = normal(0.2, c["vocab_size"], hidden)
    return w


def dump(path: str, config: dict) -> None:
    with open(path, "w", encoding="utf-8") as out:
        out.write(json.dumps(config, indent=2) + "\n")


def write_tiny(folder: str) -> None:
    os.makedirs(os.path.join(folder, "configs"), exist_ok=True)
    base = shape()
    save_file(
        random_weights(base, 20),
        os.path.join(folder, "model.safetensors"),
        metadata={"format": "pt"},
    )
    for name, (max_position, block) in VARIANTS.items():
        dump(os.path.join(folder, "configs", name + ".json"), new_config(base, max_position, block))
        dump(
            os.path.join(folder, "configs", name + ".old.json"),
            old_config(base, max_position, block),
        )
    dump(os.path.join(folder, "config.json"), new_config(base, *VARIANTS["default"]))


def write_bias(folder: str) -> None:
    """Biases, untied head, head_dim 24 (not hidden / heads), bfloat16, two indexed shards."""
    os.makedirs(folder, exist_ok=True)
    base = shape(
        tie_word_embeddings=False,
        attention_bias=True,
        mlp_bias=True,
        head_dim=24,
        num_hidden_layers=2,
    )
    w = {k: v.to(torch.bfloat16) for k, v in random_weights(base, 21).items()}
    names = sorted(w)
    shards = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    where = {n: shards[0] if "layers.0" in n or "embed" in n else shards[1] for n in names}
    for shard in shards:
        save_file(
            {n: w[n] for n in names if where[n] == shard},
            os.path.join(folder, shard),
            metadata={"format": "pt"},
        )
    total = sum(t.numel() * t.element_size() for t in w.values())
    dump(
        os.path.join(folder, "model.safetensors.index.json"),
        {"metadata": {"total_size": total}, "weight_map": where},
    )
    dump(os.path.join(folder, "config.json"), old_config(base, *VARIANTS["yarn"], dtype="bfloat16"))


def token_ids() -> list:
    return torch.randint(
        3, 128, (max(LENGTHS),), generator=torch.Generator().manual_seed(22)
    ).tolist()


def theirs(folder: str, config_path: str, ids: list, dtype=torch.float32) -> torch.Tensor:
    config = LlamaConfig.from_json_file(config_path)
    model = LlamaForCausalLM.from_pretrained(
        folder, config=config, dtype=dtype, attn_implementation="eager"
    )
    with torch.no_grad():
        return model.eval()(torch.tensor([ids]), use_cache=False).logits[0]


def wrong_plans(name: str, block: dict, max_position: int, d: int, n: int) -> dict:
    """Plausible mistakes in the plan: name -> (inv_freq, attention factor)."""

    def plan(**changes):
        return make_plan({**block, **changes}, d, changes.get("max", max_position), n)

    right, t = plan()
    plans = {}
    if name != "default" and not (name == "dynamic" and n <= TRAINED):
        plans["factor off"] = (plan(rope_type="default")[0], 1.0)
    if t != 1.0:
        plans["attention factor omitted"] = (right, 1.0)
        plans["attention factor squared"] = (right, t * t)
    if name in ("yarn", "llama3"):
        plans["linear instead"] = plan(rope_type="linear")
        plans["maximum taken for the original length"] = (
            plan(original_max_position_embeddings=256)[0],
            t,
        )
    if name == "yarn":
        plans["llama3 ramp instead"] = (
            plan(rope_type="llama3", low_freq_factor=1.0, high_freq_factor=32.0)[0],
            t,
        )
    if name == "longrope":
        other = "short_factor" if n > TRAINED else "long_factor"
        swapped = {"short_factor": block[other], "long_factor": block[other]}
        plans[other.replace("_", " ") + "s instead"] = plan(**swapped)
    if name == "dynamic" and n > TRAINED:
        plans["factor 1"] = plan(factor=1.0)
        plans["static: length 256"] = make_plan(block, d, max_position, 256)
    return plans


def wrong_variants(model: PlainLlama, name, block, max_position, ids, right) -> dict:
    plan = make_plan(block, model.head_dim, max_position, len(ids))
    mistakes = ["interleaved pairs"] + (["bias omitted"] if model.config["attention_bias"] else [])
    found = {
        m: largest(losses(model.logits(ids, plan, mistakes=[m]), ids), right) for m in mistakes
    }
    for mistake, bad in wrong_plans(name, block, max_position, model.head_dim, len(ids)).items():
        found[mistake] = largest(losses(model.logits(ids, bad), ids), right)
    for mistake, change in found.items():
        assert (
            change > WRONG_AT_LEAST
        ), f"{name} at {len(ids)}: '{mistake}' moves losses by {change} only"
    return {k: float(f"{v:.4g}") for k, v in found.items()}


def one_length(folder, configs, name, block, max_position, ids) -> dict:
    """All numbers of one model, configuration and length; `name` is the rope type."""
    logits = theirs(folder, configs[0], ids)
    for other in configs[1:]:
        assert torch.equal(
            theirs(folder, other, ids), logits
        ), f"{other} gives another result than {configs[0]}"
    plan = make_plan(block, PlainLlama(folder).head_dim, max_position, len(ids))
    ours = PlainLlama(folder).logits(ids, plan)
    double = PlainLlama(folder, torch.float64).logits(ids, plan)
    right = losses(logits, ids)
    agree = {
        "plain float32": largest(losses(ours, ids), right),
        "float64": largest(losses(double, ids), right),
    }
    assert max(agree.values()) < LOSS_TOLERANCE / 3, (name, agree)
    wrong = wrong_variants(PlainLlama(folder), name, block, max_position, ids, right)
    print(
        f"  {name:9} n={len(ids):3}: mean loss {right.mean():.4f}, "
        f"plain {agree['plain float32']:.1e}, "
        f"float64 {agree['float64']:.1e}, least wrong {min(wrong.values()):.3g}"
    )
    return {
        "nll": nll_field(logits, ids),
        "last_logits": floats(logits[-1]),
        "nll_float64": nll_field(double, ids),
        "wrong": wrong,
    }


def bfloat16_spread(folder: str, config: str, ids: list) -> float:
    change = largest(
        losses(theirs(folder, config, ids, torch.bfloat16), ids),
        losses(theirs(folder, config, ids), ids),
    )
    return float(f"{change:.3g}")


def make(out_dir: str, date: str) -> None:
    print("tiny models")
    tiny, bias = os.path.join(out_dir, "tiny_llama"), os.path.join(out_dir, "tiny_llama_bias")
    write_tiny(tiny)
    write_bias(bias)
    ids, variants = token_ids(), {}
    for name, (max_position, block) in VARIANTS.items():
        full = {"rope_theta": BASE, **block}
        configs = [os.path.join(tiny, "configs", name + end) for end in (".json", ".old.json")]
        variants[name] = {
            "model": "tiny_llama",
            "configs": [os.path.relpath(c, out_dir) for c in configs],
        }
        for n in LENGTHS:
            variants[name][str(n)] = one_length(tiny, configs, name, full, max_position, ids[:n])
    max_position, block = VARIANTS["yarn"]
    config = os.path.join(bias, "config.json")
    variants["bias"] = {"model": "tiny_llama_bias", "configs": ["tiny_llama_bias/config.json"]}
    for n in LENGTHS:
        variants["bias"][str(n)] = one_length(
            bias, [config], "yarn", {"rope_theta": BASE, **block}, max_position, ids[:n]
        )
        variants["bias"][str(n)]["largest_change_in_bfloat16"] = bfloat16_spread(
            bias, config, ids[:n]
        )
    write_json(
        os.path.join(out_dir, "tiny_llama.json"),
        {
            "origin": origin(
                date, "LlamaForCausalLM, eager, float32, CPU; nll_float64 and wrong: plain_llama.py"
            ),
            "loss_tolerance": LOSS_TOLERANCE,
            "lengths": list(LENGTHS),
            "token_ids": ids,
            "variants": variants,
        },
        4,
    )
