"""Calls over HTTP that wait as long as a busy machine takes: httpx gives up after five seconds."""

from functools import partial

import httpx

from tests.waiting import PATIENCE

get = partial(httpx.get, timeout=PATIENCE)
head = partial(httpx.head, timeout=PATIENCE)
post = partial(httpx.post, timeout=PATIENCE)
put = partial(httpx.put, timeout=PATIENCE)
stream = partial(httpx.stream, timeout=PATIENCE)
