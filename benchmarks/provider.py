"""A provider that answers every chat completion after the same time: `python -m benchmarks.provider SECONDS`.

It prints its port, and answers many at once in one thread, so that it takes little of what is measured. `GET` gives the
seconds from the first request since the last `GET` to the answer of the last one.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

_ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1760000000,
        "model": "bench-2026-01-01",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "```sql\nSELECT count(*) FROM products\n```"},
            }
        ],
        "usage": {"prompt_tokens": 700, "completion_tokens": 12, "total_tokens": 712},
    }
).encode()
_REPLY = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(_ANSWER), _ANSWER)


async def _serve(seconds: float) -> None:
    times: list[float] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if head.startswith(b"GET"):
                    span = b"%.6f" % (max(times) - min(times))
                    times.clear()
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(span), span))
                    continue
                times.append(time.monotonic())
                length = next(
                    int(line.partition(b":")[2])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                )
                await reader.readexactly(length)
                await asyncio.sleep(seconds)
                writer.write(_REPLY)
                times.append(time.monotonic())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
