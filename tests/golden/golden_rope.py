"""rope_tables.json: inverse frequencies and attention factors of transformers over a grid."""

import math
import os

import torch
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from golden_common import floats, origin, write_json
from plain_rope import factor_of, make_plan, original_length

DIMS = (16, 64, 96, 128)
BASES = (1e4, 5e5, 1e6)


def entry(
    kind: str, dim: int, base: float, max_position: int, parameters: dict, seq_len: int
) -> dict:
    block = {"rope_type": kind, "rope_theta": base, **parameters}
    config = LlamaConfig(
        hidden_size=4 * dim,
        num_attention_heads=4,
        head_dim=dim,
        max_position_embeddings=max_position,
        rope_parameters=dict(block),
    )
    if kind == "default":
        inv_freq, attention = LlamaRotaryEmbedding.compute_default_rope_parameters(config)
    else:
        inv_freq, attention = ROPE_INIT_FUNCTIONS[kind](config, device="cpu", seq_len=seq_len)
    assert inv_freq.dtype == torch.float32
    check_against_double(block, dim, max_position, seq_len, inv_freq, attention)
    return {
        "rope_type": kind,
        "head_dim": dim,
        "base": base,
        "max_position_embeddings": max_position,
        "original_max_position_embeddings": original_length(block, max_position),
        "factor": 1.0 if kind == "default" else factor_of(block, max_position),
        "parameters": {
            k: v for k, v in parameters.items() if k != "original_max_position_embeddings"
        },
        "seq_len": seq_len,
        "inv_freq": floats(inv_freq),
        "attention_factor": float(attention),
    }


WORST = {"inv_freq": 0.0, "attention": 0.0}


def check_against_double(block, dim, max_position, seq_len, inv_freq, attention):
    expected, t = make_plan(block, dim, max_position, seq_len)
    off = ((inv_freq.double() - expected) / expected).abs().max().item()
    assert off < 5e-6 and math.isclose(t, attention, rel_tol=1e-12), (
        block,
        dim,
        seq_len,
        off,
        t,
        attention,
    )
    WORST["inv_freq"] = max(WORST["inv_freq"], off)
    WORST["attention"] = max(WORST["attention"], abs(t - attention))


def bases_and_dims():
    return [(d, b) for d in DIMS for b in BASES]


def simple_types() -> list:
    out = []
    for d, b in bases_and_dims():
        out.append(entry("default", d, b, 4096, {}, 4096))
        for s in (1.0, 2.5, 4.0, 16.0):
            out.append(entry("linear", d, b, 4096, {"factor": s}, 16384))
        for s in (1.0, 2.0, 4.0):
            for n in (1000, 4096, 4097, 16384, 65536):
                out.append(entry("dynamic", d, b, 4096, {"factor": s}, n))
        for trained, s in ((8192, 8.0), (8192, 32.0), (1024, 4.0)):
            out.append(
                entry(
                    "llama3",
                    d,
                    b,
                    int(trained * s),
                    {
                        "factor": s,
                        "low_freq_factor": 1.0,
                        "high_freq_factor": 4.0,
                        "original_max_position_embeddings": trained,
                    },
                    int(trained * s),
                )
            )
        out.append(
            entry(
                "llama3",
                d,
                b,
                32768,
                {
                    "factor": 4.0,
                    "low_freq_factor": 2.0,
                    "high_freq_factor": 16.0,
                    "original_max_position_embeddings": 8192,
                },
                32768,
            )
        )
    return out


YARN_OPTIONS = (
    {"attention_factor": 1.0},
    {"attention_factor": 0.83},
    {"mscale": 0.707, "mscale_all_dim": 1.0},
    {"mscale": 1.0, "mscale_all_dim": 1.0},
    {"mscale": 1.0},
    {"mscale_all_dim": 0.707},
    {"truncate": False},
    {"beta_fast": 128.0, "beta_slow": 2.0},
    {"beta_fast": 16.0, "beta_slow": 4.0, "truncate": False},
)


def yarn() -> list:
    out = []
    for d, b in bases_and_dims():
        for trained in (1024, 4096, 32768):
            for s in (1.0, 2.0, 4.0, 16.0, 40.0):
                out.append(
                    entry(
                        "yarn",
                        d,
                        b,
                        int(trained * s),
                        {"factor": s, "original_max_position_embeddings": trained},
                        int(trained * s),
                    )
                )
        # no original length: the (already long) maximum is taken; the range may end past the pairs
        out.append(entry("yarn", d, b, 65536, {"factor": 16.0}, 65536))
        out.append(
            entry(
                "yarn",
                d,
                b,
                32768,
                {  # no factor: maximum / original
                    "factor": None,
                    "original_max_position_embeddings": 4096,
                },
                32768,
            )
        )
    for d in DIMS:
        for options in YARN_OPTIONS:
            out.append(
                entry(
                    "yarn",
                    d,
                    1e4,
                    65536,
                    {"factor": 16.0, "original_max_position_embeddings": 4096, **options},
                    65536,
                )
            )
    # gpt-oss' block: head size 64, base 150,000, untruncated, factor 32
    out.append(
        entry(
            "yarn",
            64,
            1.5e5,
            131072,
            {
                "factor": 32.0,
                "beta_fast": 32.0,
                "beta_slow": 1.0,
                "truncate": False,
                "original_max_position_embeddings": 4096,
            },
            131072,
        )
    )
    return out


def longrope() -> list:
    out = []
    for d, b in bases_and_dims():
        pairs = d // 2
        short = [round(1 + 0.02 * i % 0.9, 2) for i in range(pairs)]
        long = [round(1 + 30 * (i / (pairs - 1)) ** 2, 2) for i in range(pairs)]
        lists = {
            "short_factor": short,
            "long_factor": long,
            "original_max_position_embeddings": 4096,
        }
        for n in (4096, 4097):
            out.append(entry("longrope", d, b, 131072, {"factor": None, **lists}, n))
        out.append(entry("longrope", d, b, 131072, {"factor": 8.0, **lists}, 131072))
    for d in DIMS:
        lists = {
            "short_factor": [2.0] * (d // 2),
            "long_factor": [float(i + 1) for i in range(d // 2)],
        }
        for n in (2048, 2049):
            out.append(
                entry(
                    "longrope",
                    d,
                    1e4,
                    2048,
                    {"factor": 1.0, "original_max_position_embeddings": 2048, **lists},
                    n,
                )
            )
        out.append(
            entry(
                "longrope",
                d,
                1e4,
                8192,
                {
                    "factor": 4.0,
                    "attention_factor": 1.19,
                    "original_max_position_embeddings": 2048,
                    **lists,
                },
                8192,
            )
        )
    return out


def make(out_dir: str, date: str) -> None:
    entries = simple_types() + yarn() + longrope()
    print(
        f"rope tables: {len(entries)} entries, "
        f"float32 against double: {WORST['inv_freq']:.2e} relative"
    )
    assert all(len(e["inv_freq"]) == e["head_dim"] // 2 for e in entries)
    write_json(
        os.path.join(out_dir, "rope_tables.json"),
        {
            "origin": origin(
                date, "ROPE_INIT_FUNCTIONS (default: LlamaRotaryEmbedding), float32, CPU"
            ),
            "relative_tolerance": 1e-5,
            "entries": entries,
        },
    )
