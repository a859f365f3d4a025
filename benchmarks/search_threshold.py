"""The similarity from which on a search should call something a hit, measured for the model that a server serves.

`python benchmarks/search_threshold.py [URL] [--write NAME]` asks the embedding server at URL for the vectors of the
standard library's functions, without their docstrings, and of those docstrings' first sentences, as a question would be
put. It prints how similar right pairs are, how similar the best wrong function is to each question, and the threshold:
what 95 of 100 right pairs reach, rounded down to 0.05. With --write it goes to that model's entry in the catalogue.
"""

import argparse
import ast
import base64
import json
import pkgutil
import re
import struct
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import numpy as np

PAIRS = 1000
BATCH = 60
LONGEST = 1000  # characters: what editors send at most
SHARE = 5  # percent of right pairs that may fall below the threshold
STEP = 0.05
WORDS = 4  # a shorter sentence asks for nothing in particular
CATALOGUE = Path(__file__).parents[1] / "server" / "embserver" / "catalogue.toml"


def functions() -> Iterator[tuple[str, str]]:
    """A question and its function, over all modules of the standard library that are written in Python."""
    for module in sorted(module.name for module in pkgutil.iter_modules() if module.name in sys.stdlib_module_names):
        spec = find_spec(module)
        if spec is None or not spec.origin or not spec.origin.endswith(".py"):
            continue
        source = Path(spec.origin).read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and (pair := question_and_code(node)):
                yield pair


def question_and_code(node: ast.FunctionDef) -> tuple[str, str] | None:
    """The first sentence of the docstring and the rest of the function; None where one of them says too little."""
    said = " ".join((ast.get_docstring(node) or "").split())
    question = re.split(r"(?<=[.!?])\s", said, maxsplit=1)[0]
    if len(question.split()) < WORDS or len(node.body) < 2:  # noqa: PLR2004 - the docstring and something to find
        return None
    node.body = node.body[1:]
    return question, ast.unparse(node)[:LONGEST]


def embed(url: str, texts: Sequence[str]) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    """A row a text, of unit length, as an editor would ask for it."""
    with urllib.request.urlopen(f"{url}/v1/models") as answer:  # noqa: S310 - the user's own server
        model = json.load(answer)["data"][0]["id"]
    vectors = []
    for start in range(0, len(texts), BATCH):
        body = json.dumps({"input": list(texts[start : start + BATCH]), "model": model, "encoding_format": "base64"})
        request = urllib.request.Request(  # noqa: S310 - see above
            f"{url}/v1/embeddings", body.encode(), {"Content-Type": "application/json", "Authorization": "Bearer any"}
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - see above
            for item in json.load(answer)["data"]:
                data = base64.b64decode(item["embedding"])
                vectors.append(struct.unpack(f"<{len(data) // 4}f", data))
    return np.array(vectors, dtype=np.float32)


def write(name: str, threshold: float) -> None:
    """Put the threshold into the model's entry, in place of an earlier one."""
    text = CATALOGUE.read_text(encoding="utf-8")
    before, header, rest = text.partition(f"[{name}]\n")
    entry, bracket, after = rest.partition("\n[")
    if not header:
        sys.exit(f"{CATALOGUE} has no model {name}.")
    lines = [line for line in entry.splitlines() if not line.startswith("search_threshold")]
    while lines and not lines[-1]:
        lines.pop()
    entry = "\n".join([*lines, f"search_threshold = {threshold:.2f}", ""])
    CATALOGUE.write_text(f"{before}{header}{entry}{bracket}{after}", encoding="utf-8")


def main() -> None:
    """Measure, print, write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:4000", metavar="URL")
    parser.add_argument("--write", metavar="NAME", help="write the threshold to this model's entry in the catalogue")
    arguments = parser.parse_args()
    questions, codes = zip(*islice(dict(functions()).items(), PAIRS), strict=True)
    scores = embed(arguments.url, questions) @ embed(arguments.url, codes).T
    right = np.diag(scores).copy()
    np.fill_diagonal(scores, -1)
    wrong = scores.max(axis=1)
    percentiles = (1, SHARE, 25, 50, 75, 95, 99)
    print(f"{len(questions)} questions; cosine similarity at percentile")
    print("".join([f"{'':<22}", *(f"{percentile:>7}" for percentile in percentiles)]))
    for label, values in (("right function", right), ("best wrong function", wrong)):
        print("".join([f"{label:<22}", *(f"{value:>7.3f}" for value in np.percentile(values, percentiles))]))
    print(f"right function first: {np.mean(right > wrong):.1%}")
    threshold = float(np.floor(np.percentile(right, SHARE) / STEP) * STEP)
    print(f"threshold: {threshold:.2f}")
    if arguments.write:
        write(arguments.write, threshold)


if __name__ == "__main__":
    main()
