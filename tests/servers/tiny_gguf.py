"""A language model of half a megabyte with random weights, which real model servers load and run as a large one.

    python -m tests.servers.tiny_gguf        writes it where docker-compose.test.yml looks for it
    python -m tests.servers.tiny_gguf PATH   writes it there

It knows nothing: its answers are printable characters by chance, the same ones for the same prompt at temperature 0.
Its tokens are single bytes, so that a text has as many tokens as bytes in UTF-8.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

NAME = "sqlassay-tiny"
PATH = Path(__file__).parent / "models" / f"{NAME}.gguf"

CONTEXT = 4096
"""Tokens that fit, the answer's included."""

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

BLOCKS, WIDTH, HEADS, HIDDEN = 2, 64, 4, 128
SEED = 20


def characters() -> list[str]:
    """The character by which GPT-2's tokenizer writes each byte, from 0 to 255."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(256 + hidden.index(byte)) if byte in hidden else chr(byte) for byte in range(256)]


def weights() -> dict[str, np.ndarray]:
    """The tensors by name, float32, a matrix as (outputs, inputs)."""
    random = np.random.default_rng(SEED)

    def matrix(outputs: int, inputs: int) -> np.ndarray:
        return (random.standard_normal((outputs, inputs)) / np.sqrt(inputs)).astype(np.float32)

    tokens = 256 + len(SPECIAL)
    found = {
        "token_embd.weight": matrix(tokens, WIDTH) * np.float32(np.sqrt(WIDTH)),
        "output_norm.weight": np.ones(WIDTH, np.float32),
        "output.weight": matrix(tokens, WIDTH) * np.float32(4),
    }
    # The first channel is 1 for every token and no block adds to it: what it weighs in the output is a bias. By it, the
    # model says only what is printable, and an end now and then.
    found["token_embd.weight"][:, 0] = 1
    found["output.weight"][:, 0] = -1000
    found["output.weight"][ord(" ") : ord("~") + 1, 0] = 0
    found["output.weight"][256 + SPECIAL.index("<|im_end|>"), 0] = 8
    for block in range(BLOCKS):
        for name, outputs, inputs in (
            ("attn_q", WIDTH, WIDTH),
            ("attn_k", WIDTH, WIDTH),
            ("attn_v", WIDTH, WIDTH),
            ("attn_output", WIDTH, WIDTH),
            ("ffn_gate", HIDDEN, WIDTH),
            ("ffn_up", HIDDEN, WIDTH),
            ("ffn_down", WIDTH, HIDDEN),
        ):
            found[f"blk.{block}.{name}.weight"] = matrix(outputs, inputs)
        found[f"blk.{block}.attn_output.weight"][0] = 0
        found[f"blk.{block}.ffn_down.weight"][0] = 0
        for name in ("attn_norm", "ffn_norm"):
            found[f"blk.{block}.{name}.weight"] = np.ones(WIDTH, np.float32)
    return found


def write(path: Path = PATH) -> Path:
    """Write the model, whole or not at all; one that is there already and the same stays as it is."""
    import gguf

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        new = Path(folder) / path.name
        writer = gguf.GGUFWriter(new, "llama")
        writer.add_name(NAME)
        writer.add_context_length(CONTEXT)
        writer.add_block_count(BLOCKS)
        writer.add_embedding_length(WIDTH)
        writer.add_feed_forward_length(HIDDEN)
        writer.add_head_count(HEADS)
        writer.add_head_count_kv(HEADS)
        writer.add_rope_dimension_count(WIDTH // HEADS)
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_vocab_size(256 + len(SPECIAL))
        writer.add_file_type(gguf.LlamaFileType.ALL_F32)

        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("gpt-2")
        writer.add_token_list([*characters(), *SPECIAL])
        writer.add_token_types([gguf.TokenType.NORMAL] * 256 + [gguf.TokenType.CONTROL] * len(SPECIAL))
        writer.add_token_merges([" ".join(SPECIAL[:2])])  # there must be one; this one never happens
        writer.add_bos_token_id(256)
        writer.add_eos_token_id(256 + SPECIAL.index("<|im_end|>"))
        writer.add_add_bos_token(False)
        writer.add_chat_template(CHAT_TEMPLATE)

        for name, tensor in weights().items():
            writer.add_tensor(name, tensor)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        if not path.is_file() or path.read_bytes() != new.read_bytes():
            new.chmod(0o644)
            new.replace(path)
    return path


if __name__ == "__main__":
    write(*map(Path, sys.argv[1:2]))
