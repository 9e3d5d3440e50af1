"""How many tokens a text is: counted with the model's own tokenizer where it is at hand, else estimated.

Nothing is downloaded: whether a count is exact depends on the machine, and every count says which it is.
"""

from __future__ import annotations

import hashlib
import math
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

BYTES_PER_TOKEN = 3
"""For estimates. English and SQL have about four, other languages and rows of numbers and dates fewer.

Over the schemas of Spider, BIRD and Defog, o200k_base has 4.1 in bare DDL and 3.0 (2.5 to 3.3) in DDL with rows."""
ESTIMATE = "estimate"

# What tiktoken keeps its files under, and what must be in them; source: tiktoken_ext/openai_public.py. It asks the
# network for a file that is missing or another one, so that we look first.
_FOLDER = "https://openaipublic.blob.core.windows.net/encodings"
_FILES = {"cl100k_base": "cl100k_base", "o200k_base": "o200k_base", "o200k_harmony": "o200k_base"}
_SHA256 = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}


@dataclass(frozen=True)
class TokenCount:
    """How many tokens a text is.

    Attributes:
        tokens: How many.
        exact: Whether the model's own tokenizer has counted them.
        counted_by: What has counted: the name of the tokenizer, such as `tiktoken o200k_base`, or `estimate`.
    """

    tokens: int
    exact: bool
    counted_by: str


def count(text: str, model: str = "") -> TokenCount:
    """The tokens of a text, as `model` reads it.

    Args:
        text: Any text. What surrounds a message in a conversation is not counted.
        model: As the provider names it: OpenAI's are counted by tiktoken, models of the Hugging Face hub
            (`owner/name`) by their own `tokenizer.json`; both only where the file is on this machine. Any other is
            estimated, as is a text for no model.
    """
    counter = _counter(model)
    if counter is None:
        return TokenCount(math.ceil(len(text.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN), False, ESTIMATE)
    return TokenCount(counter.of(text), True, counter.name)


@dataclass(frozen=True)
class _Counter:
    name: str
    of: Callable[[str], int]


@lru_cache(maxsize=64)
def _counter(model: str) -> _Counter | None:
    return _hub(model) if "/" in model else _openai(model)


def _openai(model: str) -> _Counter | None:
    try:
        import tiktoken

        encoding = tiktoken.encoding_name_for_model(model)
    except (ImportError, KeyError):
        return None
    if not _is_at_hand(encoding):
        return None
    encoder = tiktoken.get_encoding(encoding)
    return _Counter(f"tiktoken {encoding}", lambda text: len(encoder.encode_ordinary(text)))


def _is_at_hand(encoding: str) -> bool:
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    file = _FILES.get(encoding)
    if folder == "" or file is None:
        return False
    name = hashlib.sha1(f"{_FOLDER}/{file}.tiktoken".encode(), usedforsecurity=False).hexdigest()
    try:
        content = Path(folder or Path(tempfile.gettempdir(), "data-gym-cache"), name).read_bytes()
    except OSError:
        return False
    return hashlib.sha256(content).hexdigest() == _SHA256[file]


def _hub(model: str) -> _Counter | None:
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
        from tokenizers import Tokenizer
    except ImportError:
        return None
    try:
        file = try_to_load_from_cache(model, "tokenizer.json")
    except HFValidationError:  # not a name of a repository
        return None
    if not isinstance(file, str):
        return None
    tokenizer = Tokenizer.from_file(file)
    return _Counter(f"tokenizers {model}", lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids))
