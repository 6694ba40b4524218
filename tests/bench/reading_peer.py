"""Prefill and decode of `ropescope-cli bench` with Hugging Face transformers, for comparison.

    python reading_peer.py MODEL_DIR --lengths 1024,4096 [--device cuda] [--dtype bfloat16] [--threads N]

The usual way to run it: AutoModelForCausalLM with attn_implementation="sdpa" and its dynamic cache, the
prompt in one forward with the logits of the last token alone, then greedy steps of one token.
Prints one JSON object: {"prefill": [{"tokens", "seconds", "tokens_per_second"}],
"decode": [{"cached", "tokens_per_second"}]}; best of --repeats, the first run not counted.
"""

import argparse
import json
import time

import torch
import transformers

STEPS = 32


def seconds_of(work, device: str) -> tuple:
    if device != "cpu":
        torch.cuda.synchronize()
    start = time.perf_counter()
    result = work()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


def decode(model, read) -> None:
    cache, token = read.past_key_values, read.logits[:, -1:].argmax(-1)
    for _ in range(STEPS):
        step = model(token, past_key_values=cache, use_cache=True)
        cache, token = step.past_key_values, step.logits[:, -1:].argmax(-1)
        token.item()  # a program looks at every token before the next


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--lengths", default="1024,4096,16384")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32"])
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=3)
    a = parser.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        a.model, dtype=getattr(torch, a.dtype), attn_implementation="sdpa"
    ).to(a.device)
    model.eval()
    prefill, decoding = [], []
    with torch.inference_mode():
        for tokens in (int(x) for x in a.lengths.split(",")):
            ids = torch.randint(3, model.config.vocab_size, (1, tokens)).to(a.device)
            read_best = step_best = float("inf")
            for repeat in range(a.repeats + 1):  # the first pays for set-up
                read_time, read = seconds_of(
                    lambda: model(ids, use_cache=True, logits_to_keep=1), a.device
                )
                step_time, _ = seconds_of(lambda: decode(model, read), a.device)
                if repeat > 0:
                    read_best = min(read_best, read_time)
                    step_best = min(step_best, step_time / STEPS)
            prefill.append(
                {"tokens": tokens, "seconds": read_best, "tokens_per_second": tokens / read_best}
            )
            decoding.append({"cached": tokens, "tokens_per_second": 1 / step_best})
    print(
        json.dumps(
            {
                "peer": f"transformers {transformers.__version__}, PyTorch {torch.__version__}",
                "device": a.device,
                "dtype": a.dtype,
                "prefill": prefill,
                "decode": decoding,
            }
        )
    )


if __name__ == "__main__":
    main()
