"""The streams and consumers of the transport, declared once, here.

Streams keep messages by limits, not as a work queue: a work queue forgets the ids of messages it
delivered when the broker restarts, and a relay that repeats itself would send twice. Emergencies
have a stream of their own, because a stream takes messages in one at a time.
"""

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamInfo,
)
from nats.js.errors import NotFoundError

from schemas.content import Channel, Lane
from schemas.dispatch import dispatch_subject

DAY = 86_400.0
MAX_AGE = 7 * DAY
DUPLICATE_WINDOW = 3 * DAY
MAX_BYTES = 2 * 1024**3
ACK_WAIT = 30.0
"""Seconds without a word of a dispatch after which the broker gives it to another worker."""
EMERGENCY_ACK_WAIT = 6.0
"""The same for an emergency: a killed worker's slices wait so long. Not less: whoever is alive but held
up for that long has its window sent twice."""
MAX_ACK_PENDING = 10_000
DELIVERED = (Channel.PUSH, Channel.SMS)
"""Channels that are dispatched to; screens poll instead."""


def stream_of(lane: Lane) -> str:
    """The stream that carries the lane."""
    return "EMERGENCY" if lane is Lane.EMERGENCY else "DISPATCH"


def durable_of(lane: Lane, channel: Channel) -> str:
    """The consumer that all workers of a lane and channel share."""
    return f"{channel}-{lane}"


def ack_wait(lane: Lane) -> float:
    """Seconds after which a dispatch of the lane that nobody spoke of goes to another worker."""
    return EMERGENCY_ACK_WAIT if lane is Lane.EMERGENCY else ACK_WAIT


def stream_configs(replicas: int) -> tuple[StreamConfig, ...]:
    """Every stream, for a broker of that many replicas."""
    names = dict.fromkeys(stream_of(lane) for lane in Lane)
    return tuple(
        StreamConfig(
            name=name,
            subjects=[f"dispatch.{lane}.*" for lane in Lane if stream_of(lane) == name],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW,
            max_age=MAX_AGE,
            max_bytes=MAX_BYTES,
            duplicate_window=DUPLICATE_WINDOW,
            num_replicas=replicas,
            allow_direct=True,
            allow_atomic=True,
        )
        for name in names
    )


def consumer_config(lane: Lane, channel: Channel) -> ConsumerConfig:
    """The consumer of a lane and channel: manual acks, no delivery limit of the broker's.

    How often a dispatch may fail is ours to say, in retry.py: the broker's limit would leave it
    undelivered without a word.
    """
    return ConsumerConfig(
        durable_name=durable_of(lane, channel),
        filter_subject=dispatch_subject(lane, channel),
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ack_wait(lane),
        max_deliver=-1,
        max_ack_pending=MAX_ACK_PENDING,
    )


async def declare(js: JetStreamContext, replicas: int = 1) -> None:
    """Creates what is missing and brings the rest to this configuration. Safe to repeat."""
    for config in stream_configs(replicas):
        assert config.name is not None
        try:
            await js.stream_info(config.name)
        except NotFoundError:
            await js.add_stream(config)
        else:
            await js.update_stream(config)
    for lane in Lane:
        for channel in DELIVERED:
            await js.add_consumer(stream_of(lane), consumer_config(lane, channel))


async def standing(js: JetStreamContext, lane: Lane) -> StreamInfo | None:
    """What the broker says of the lane's stream; None where it lacks the stream or one of its consumers.

    It asks and changes nothing: in a cluster each declaration, even of what is there, is agreed on by all.
    """
    try:
        info = await js.stream_info(stream_of(lane))
        for channel in DELIVERED:
            await js.consumer_info(stream_of(lane), durable_of(lane, channel))
    except NotFoundError:
        return None
    return info
