"""bookworm.json: greedy answers, continuations and losses of the bundled model."""

import os

import sentencepiece
import torch

from golden_common import WRONG_AT_LEAST, largest, losses, origin, rounded, write_json
from golden_greedy import greedy, load, logits_of
from golden_inputs import FACTS_LONG, FACTS_SHORT
from plain_llama import PlainLlama
from plain_rope import make_plan

BOS, EOS = 1, 2
SHORT, LONG, ANSWER, CONTINUATION = 900, 3960, 48, 64
TRAINED, FACTOR = 1024, 4.0
YARN = {
    "rope_type": "yarn",
    "rope_theta": 10000.0,
    "factor": FACTOR,
    "original_max_position_embeddings": TRAINED,
}
NEAR_TIE = 1e-3


def read(out_dir: str, name: str) -> str:
    with open(os.path.join(out_dir, "inputs", name), encoding="utf-8", newline="") as file:
        return file.read()


class Prompts:
    """Builds prompts piece by piece as the model card says."""

    def __init__(self, folder: str):
        self.tokenizer = sentencepiece.SentencePieceProcessor(
            model_file=os.path.join(folder, "tokenizer.model")
        )

    def document(self, text: str) -> list:
        return [BOS] + self.tokenizer.encode(f"### Document\n{text}\n")

    def question(self, question: str) -> list:
        """Without SentencePiece's dummy prefix: the first two ids of "\\n" + part are dropped."""
        return self.tokenizer.encode(f"\n### Question\n{question}\n### Answer\n")[2:]

    def text(self, ids: list) -> str:
        return self.tokenizer.decode([i for i in ids if i != EOS])


def answers(model, prompts, out_dir, name, facts, wrong_models=None) -> dict:
    """Every planted fact asked; `wrong_models` are asked too and must answer otherwise."""
    document = prompts.document(read(out_dir, name))
    out = {"document": f"inputs/{name}", "document_ids": document, "questions": []}
    for _, _, question, answer in facts:
        ids = prompts.question(question)
        result = greedy(model, document + ids, ANSWER, EOS)
        text = prompts.text(result["output_ids"])
        print(
            f"  {len(document) + len(ids)} tokens: {question} -> {text!r} (planted: {answer!r}), "
            f"least margin {result['least_margin']}"
        )
        wrong = {}
        for label, other in (wrong_models or {}).items():
            wrong[label] = prompts.text(greedy(other, document + ids, ANSWER, EOS)["output_ids"])
            assert wrong[label] != text, f"{label} answers as the right method does"
        out["questions"].append(
            {
                "question": question,
                "planted": answer,
                "question_ids": ids,
                "prompt_tokens": len(document) + len(ids),
                "text": text,
                **result,
                "wrong": wrong,
            }
        )
    return out


def continuation(model, prompts, ids) -> dict:
    result = greedy(model, ids, CONTINUATION)
    print(
        f"  continuation of {len(ids)} tokens: {prompts.text(result['output_ids'])[:60]!r}, "
        f"least margin {result['least_margin']}"
    )
    return {"prompt_tokens": len(ids), **result, "text": prompts.text(result["output_ids"])}


def scored(model, folder, ids, plan) -> dict:
    nll = losses(logits_of(model, ids), ids)
    double = losses(PlainLlama(folder, torch.float64).logits(ids, plan), ids)
    print(
        f"  losses of {len(ids)} tokens: mean {nll.mean():.5f}, "
        f"against float64 {largest(nll, double):.1e}"
    )
    return {
        "mean_nll": float(nll.mean()),
        "nll": [None] + rounded(nll, 7),
        "largest_difference_to_float64": rounded([largest(nll, double)], 3)[0],
    }


def make(out_dir: str, date: str, folder: str) -> None:
    print("bookworm")
    prompts = Prompts(folder)
    excerpt = ([BOS] + prompts.tokenizer.encode(read(out_dir, "excerpt.txt")))[:LONG]
    assert len(excerpt) == LONG
    plain = load(folder)
    yarn = load(folder, max_position_embeddings=int(FACTOR * TRAINED), rope_parameters=dict(YARN))
    linear = load(
        folder, rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": FACTOR}
    )
    others = {"no scaling": plain, "linear": linear}
    assert (
        yarn.model.rotary_emb.rope_type == "yarn" and plain.model.rotary_emb.rope_type == "default"
    )
    short = excerpt[:SHORT]
    plans = {"none": {"rope_type": "default", "rope_theta": 10000.0}, "yarn 4": YARN}
    data = {
        "origin": origin(
            date, "LlamaForCausalLM, sdpa attention, float32 (weights are bfloat16), CPU"
        ),
        "near_tie": NEAR_TIE,
        "trained_length": TRAINED,
        "excerpt": "inputs/excerpt.txt",
        "excerpt_ids": excerpt,
        "short": {
            "method": "none",
            "factor": 1.0,
            "ask": answers(plain, prompts, out_dir, "document_short.txt", FACTS_SHORT),
            "generate": continuation(plain, prompts, short),
        },
        "long": {
            "method": "yarn",
            "factor": FACTOR,
            "ask": answers(yarn, prompts, out_dir, "document_long.txt", FACTS_LONG, others),
            "generate": continuation(yarn, prompts, excerpt),
        },
        "score_tokens": SHORT,
        "score": {
            name: scored(model, folder, short, make_plan(plans[name], 64, 4096, SHORT))
            for name, model in (("none", plain), ("yarn 4", yarn))
        },
    }
    change = largest(data["score"]["none"]["nll"], data["score"]["yarn 4"]["nll"])
    assert change > WRONG_AT_LEAST, f"YaRN moves the losses by {change} only"
    data["score"]["largest_change_between_methods"] = rounded([change], 4)[0]
    write_json(os.path.join(out_dir, "bookworm.json"), data, 4)
