"""A Langfuse that takes everything and keeps nothing: `python -m benchmarks.langfuse`. It prints its port.

It takes little of what is measured; what it is sent is checked by the tests.
"""

from __future__ import annotations

import asyncio
import json

_NO_ITEMS = {"data": [], "meta": {"page": 1, "limit": 100, "totalItems": 0, "totalPages": 0}}
_ANSWERS = {
    b"GET /api/public/health": (200, {"status": "OK", "version": "4.60.0"}),
    b"GET /api/public/dataset-items": (200, _NO_ITEMS),
    b"POST /api/public/scores": (202, {"message": "Accepted"}),
    b"POST /api/public/v2/datasets": (200, {"id": "dataset"}),
}


def _reply(head: bytes) -> bytes:
    status, body = next((known for start, known in _ANSWERS.items() if head.startswith(start)), (200, {}))
    content = json.dumps(body).encode()
    return b"HTTP/1.1 %d OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
        status,
        len(content),
        content,
    )


async def _serve() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        await reader.readexactly(int(line.partition(b":")[2]))
                writer.write(_reply(head))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
