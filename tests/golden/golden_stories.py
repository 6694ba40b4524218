"""stories260k.json: an independent C program on stories260K, and transformers beside it."""

import os

import sentencepiece

from golden_common import floats, losses, origin, rounded, write_json
from golden_greedy import greedy, load, logits_of

# From an independent C program (float32, temperature 0), typed in.
KNOWN = {
    "text": "Once upon a time, there was a little girl named Lily.",
    "ids_with_bos": [1, 403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426],
    "max_logits": [
        {"position": 0, "id": 403, "logit": 17.02352},
        {"position": 8, "id": 376, "logit": 13.40306},
        {"position": 15, "id": 338, "logit": 17.45652},
    ],
    "logit_tolerance": 1e-4,
    "greedy_text_from_bos": "Once upon a time, there was a little girl named Lily. She "
    "loved to play outside in the park. One day, she saw a big, red ball.",
}


def make(out_dir: str, date: str, folder: str) -> None:
    print("stories260K")
    tokenizer = sentencepiece.SentencePieceProcessor(
        model_file=os.path.join(folder, "tokenizer.model")
    )
    ids = KNOWN["ids_with_bos"]
    assert [1] + tokenizer.encode(KNOWN["text"]) == ids
    model = load(folder)
    logits = logits_of(model, ids)
    for known in KNOWN["max_logits"]:
        row = logits[known["position"]]
        assert int(row.argmax()) == known["id"]
        assert abs(float(row.max()) - known["logit"]) < KNOWN["logit_tolerance"], (
            known,
            float(row.max()),
        )
    story = greedy(model, [1], 64)
    story["text"] = tokenizer.decode(story["output_ids"])
    assert story["text"].startswith(KNOWN["greedy_text_from_bos"]), story["text"]
    print(f"  agrees with the C program; {story['text']!r}, least margin {story['least_margin']}")
    write_json(
        os.path.join(out_dir, "stories260k.json"),
        {
            "origin": origin(
                date, "known: an independent C program; transformers: sdpa, float32, CPU"
            ),
            "known": KNOWN,
            "transformers": {
                "logits": [
                    {"position": k["position"], "values": floats(logits[k["position"]])}
                    for k in KNOWN["max_logits"]
                ],
                "nll": [None] + rounded(losses(logits, ids), 9),
                "near_tie": 1e-3,
                "greedy_from_bos": story,
            },
        },
        3,
    )
