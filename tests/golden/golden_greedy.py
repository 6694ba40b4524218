"""Greedy generation with transformers that also records how near each choice was to a tie."""

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from golden_common import rounded


def load(folder: str, **changes) -> LlamaForCausalLM:
    config = LlamaConfig.from_pretrained(folder)
    if changes:
        config = LlamaConfig.from_dict({**config.to_dict(), **changes})
    return LlamaForCausalLM.from_pretrained(
        folder, config=config, dtype=torch.float32, attn_implementation="sdpa"
    ).eval()


@torch.no_grad()
def greedy(model, prompt: list, most: int, eos=None) -> dict:
    """Output ids, and per id the distance of its logit to the second best."""
    out = {"output_ids": [], "margins": []}
    step, cache = prompt, None
    while len(out["output_ids"]) < most:
        result = model(
            torch.tensor([step]), past_key_values=cache, use_cache=True, logits_to_keep=1
        )
        cache, logits = result.past_key_values, result.logits[0, -1]
        assert torch.isfinite(logits).all(), "a logit is not finite"
        best, second = torch.topk(logits, 2).values
        token = int(logits.argmax())
        out["output_ids"].append(token)
        out["margins"].append(rounded([best - second], 5)[0])
        step = [token]
        if token == eos:
            break
    out["finish_reason"] = "eos" if out["output_ids"][-1] == eos else "length"
    out["least_margin"] = min(out["margins"])
    return out


@torch.no_grad()
def logits_of(model, ids: list) -> torch.Tensor:
    logits = model(torch.tensor([ids]), use_cache=False).logits[0]
    assert torch.isfinite(logits).all(), "a logit is not finite"
    return logits
