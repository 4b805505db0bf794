"""`Post`: how a namespace reaches the other servers of its cluster."""

from dataclasses import dataclass

from trio_sio.adapters.cluster.broker import Broker, Subscription, count_others
from trio_sio.adapters.cluster.member import Member
from trio_sio.protocol.cluster.channels import Channels


@dataclass(frozen=True, slots=True)
class Post:
    """How a namespace reaches the other servers.

    Attributes:
        broker: carries messages.
        channels: the namespace's, for requests and responses.
        subscription: hears them.
        member: this server.
        timeout: seconds in which the other servers have to respond.
    """

    broker: Broker
    channels: Channels
    subscription: Subscription
    member: Member
    timeout: float

    async def count_others(self) -> int | None:
        """Return how many other servers have the namespace; `None` if nobody can say."""
        return await count_others(self.broker, self.subscription, self.channels.request)

    async def request(self, payload: bytes) -> None:
        """Send a request."""
        await self.broker.publish(self.channels.request, payload)

    async def respond(self, payload: bytes) -> None:
        """Send a response."""
        await self.broker.publish(self.channels.response, payload)

    def respond_nowait(self, payload: bytes) -> None:
        """Send a response, or drop and count it."""
        self.broker.publish_nowait(self.channels.response, payload)
