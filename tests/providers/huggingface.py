"""Chat completions as Hugging Face answers them: as OpenAI does, but for some failures and the list of models.

Sources: https://huggingface.co/docs/inference-providers/tasks/chat-completion,
https://github.com/huggingface/text-generation-inference/blob/main/docs/openapi.json
"""

from __future__ import annotations

from tests.providers.chat_completions import REPLIES as CHAT
from tests.providers.chat_completions import ChatCompletions, completion, error
from tests.providers.server import Reply

REPLIES: dict[str, Reply] = {
    **{name: reply for name, reply in CHAT.items() if not name.startswith(("rate_limited_", "ollama_", "missing_"))},
    "no_quota": Reply(
        402,
        {"error": "You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO."},
    ),
    "loading": Reply(503, {"error": "Model org/name is currently loading", "estimated_time": 20.5}),
    "crowded": Reply(429, {"error": "Model is overloaded", "error_type": "overloaded"}),
    "bad_key": Reply(401, {"error": "Invalid credentials in Authorization header: {key}"}),
    "not_allowed": Reply(403, {"error": "This authentication method does not have sufficient permissions"}),
    "not_supported": Reply(
        400,
        error("The requested model 'x' is not supported by any provider you have enabled.", code="model_not_supported"),
    ),
    "too_long_here": Reply(
        422,
        {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. "
            "Given: 5000 `inputs` tokens and 100 `max_new_tokens`",
            "error_type": "validation",
        },
    ),
    "ends": Reply(body=completion(finish_reason="eos_token")),
    "odd_choices": Reply(body=completion(choices=[5])),
}

ROUTED = {
    "object": "list",
    "data": [
        {
            "id": "org/name",
            "object": "model",
            "owned_by": "org",
            "providers": [
                {"provider": "together", "status": "live", "context_length": 131072, "supports_tools": True},
                {"provider": "novita", "status": "live", "context_length": 32768},
                {"provider": "gone", "status": "error", "context_length": 32768},
                {"provider": "silent", "status": "live"},
            ],
        },
        {"id": "", "providers": None},
        "nonsense",
    ],
}
"""The router's list of models."""


class HuggingFace(ChatCompletions):
    """Chat completions of the router and of endpoints."""

    replies = REPLIES
