"""inputs/: book passages with planted facts, cut once from a public-domain book and committed.

Only needed to cut them anew (`--book FILE`); everything else starts from the committed text files.
"""

import os
import re

import sentencepiece

# (fraction of the sentences before it, sentence, question, answer)
FACTS_SHORT = (
    (
        0.3,
        "The pass key is 48213. Remember it. 48213 is the pass key.",
        "What is the pass key?",
        "48213",
    ),
    (
        0.55,
        "Hester Lockwood hid the lantern in the orchard.",
        "Where did Hester Lockwood hide the lantern?",
        "in the orchard",
    ),
    (0.8, "Silas Thorne was born in Lisbon.", "Where was Silas Thorne born?", "Lisbon"),
)
FACTS_LONG = (
    (
        0.2,
        "The pass key is 30967. Remember it. 30967 is the pass key.",
        "What is the pass key?",
        "30967",
    ),
    (
        0.5,
        "Miriam Barlow works as a carpenter.",
        "What is the profession of Miriam Barlow?",
        "carpenter",
    ),
    (
        0.9,
        "Edmund Fairfax's secret number is 71546.",
        "What is Edmund Fairfax's secret number?",
        "71546",
    ),
)
SHORT_TOKENS, LONG_TOKENS, EXCERPT_TOKENS = 860, 3950, 3960


def clean_book(path: str) -> str:
    """The book without Markdown marks, in the form that the bundled model was trained on."""
    with open(path, encoding="utf-8") as file:
        text = file.read().replace("\r\n", "\n").replace("_", "")
    text = re.sub(r"\*+", "", re.sub(r"^#+ *", "", text, flags=re.M))
    return re.sub(r"[ \t]+", " ", re.sub(r"\n{3,}", "\n\n", text)).strip()


def passage(text: str, start: int, limit: int, tokenizer, facts=()) -> str:
    """Whole sentences from `start` on, with the facts planted, in at most `limit` tokens."""
    start = text.find(". ", start) + 2
    sentences = re.findall(r".*?[.!?][\"”']*\s+", text[start : start + 6 * limit], flags=re.S)
    for count in range(len(sentences), 0, -1):
        parts = sentences[:count]
        for share, fact, _, _ in sorted(facts, reverse=True):
            parts.insert(int(share * count), fact + " ")
        whole = "".join(parts).strip()
        if len(tokenizer.encode(whole)) <= limit:
            return whole
    raise ValueError("no sentence fits")


def make(out_dir: str, book: str, tokenizer_path: str) -> None:
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=tokenizer_path)
    text = clean_book(book)
    folder = os.path.join(out_dir, "inputs")
    os.makedirs(folder, exist_ok=True)
    texts = {
        "document_short.txt": passage(text, 300000, SHORT_TOKENS, tokenizer, FACTS_SHORT),
        "document_long.txt": passage(text, 500000, LONG_TOKENS, tokenizer, FACTS_LONG),
        "excerpt.txt": passage(text, 800000, EXCERPT_TOKENS + 150, tokenizer),
    }
    for name, content in texts.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
            out.write(content)
        print(f"  wrote inputs/{name}: {len(tokenizer.encode(content))} tokens")
