"""attention.json: attention weights of tiny_llama, pooled into the cells of a picture."""

import json
import math
import os

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from golden_common import origin, rounded, write_json

VARIANTS = ("default", "yarn")
# tokens: pictures of queries [begin, end), keys [begin, end), height, width
PICTURES = {
    37: [((0, 37), (0, 37), 37, 37), ((0, 37), (0, 37), 5, 9), ((20, 37), (3, 30), 4, 10)],
    200: [((0, 200), (0, 200), 16, 16), ((90, 170), (13, 101), 7, 11)],
}
TOLERANCE = 1e-4  # weights; float32 scores of size 30 are good to about 1e-5


def weights(folder: str, variant: str, ids: list) -> np.ndarray:
    """[layers, heads, n, n] in double, from transformers' float32 eager attention."""
    config = LlamaConfig.from_json_file(os.path.join(folder, "configs", variant + ".json"))
    model = LlamaForCausalLM.from_pretrained(
        folder, config=config, dtype=torch.float32, attn_implementation="eager"
    )
    with torch.no_grad():
        out = model.eval()(torch.tensor([ids]), use_cache=False, output_attentions=True)
    return torch.cat(out.attentions).double().numpy()


def borders(begin: int, end: int, cells: int) -> list:
    return [begin + (end - begin) * i // cells for i in range(cells + 1)]


def pooled(attention: np.ndarray, picture, reduce) -> list:
    """Cells row by row; None where a cell lies in the future wholly."""
    (q_begin, q_end), (k_begin, k_end), height, width = picture
    rows, columns = borders(q_begin, q_end, height), borders(k_begin, k_end, width)
    n = len(attention)
    past = np.tril(np.ones((n, n), dtype=bool))
    cells = []
    for top, bottom in zip(rows, rows[1:]):
        for left, right in zip(columns, columns[1:]):
            seen = attention[top:bottom, left:right][past[top:bottom, left:right]]
            cells.append(float(reduce(seen)) if seen.size else None)
    return cells


def one_picture(attentions: np.ndarray, picture) -> dict:
    (queries, keys, height, width) = picture
    maps = []
    for layer, heads in enumerate(attentions):
        for head, attention in enumerate(heads):
            both = {}
            for name, reduce in (("max", np.max), ("mean", np.mean)):
                cells = pooled(attention, picture, reduce)
                both[name] = [None if c is None else rounded([c], 6)[0] for c in cells]
            maps.append({"layer": layer, "head": head, **both})
    return {"queries": queries, "keys": keys, "height": height, "width": width, "maps": maps}


def make(out_dir: str, date: str) -> None:
    print("attention of tiny_llama")
    folder = os.path.join(out_dir, "tiny_llama")
    with open(os.path.join(out_dir, "tiny_llama.json"), encoding="utf-8") as file:
        token_ids = json.load(file)["token_ids"]
    variants = {}
    for variant in VARIANTS:
        for n, pictures in PICTURES.items():
            attentions = weights(folder, variant, token_ids[:n])
            assert attentions.shape == (3, 4, n, n), attentions.shape
            assert math.isclose(attentions.sum(), attentions.shape[0] * 4 * n, rel_tol=1e-5)
            # A cell a token for one layer only: 37 x 37 numbers a head.
            variants.setdefault(variant, {})[str(n)] = [
                one_picture(attentions[1:2] if p[2] == n else attentions, p) for p in pictures
            ]
            for picture in variants[variant][str(n)]:
                if picture["height"] == n:
                    for m in picture["maps"]:
                        m["layer"] = 1
    write_json(
        os.path.join(out_dir, "attention.json"),
        {
            "origin": origin(date, "LlamaForCausalLM, eager, float32, CPU; pooled in double"),
            "tolerance": TOLERANCE,
            "model": "tiny_llama",
            "token_ids": token_ids,
            "variants": variants,
        },
        3,
    )
