"""The tiny model in an Ollama."""

from __future__ import annotations

from ollama import Client

from tests.servers import tiny_gguf

TEMPLATE = """{{- range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
"""


def create_tiny(url: str, name: str = tiny_gguf.NAME) -> None:
    """Give the Ollama at `url` the tiny model under this name, which it may have already."""
    path = tiny_gguf.write()
    with Client(url) as client:
        client.create(
            name,
            files={path.name: client.create_blob(path)},
            template=TEMPLATE,
            parameters={"num_ctx": tiny_gguf.CONTEXT, "stop": ["<|im_end|>"]},
        )
