"""The body of a request that was read before its handler: given on as if it came only now."""

from starlette.types import Message, Receive


def again(body: bytes, receive: Receive) -> Receive:
    """What receives the whole body, and after it whatever else comes."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
