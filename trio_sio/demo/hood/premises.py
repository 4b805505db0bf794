"""What the demo's servers in one process share, when one takes over from another."""

from dataclasses import dataclass, field

from trio_sio.admin import Notes
from trio_sio.demo.hall import Hall
from trio_sio.demo.hood.access import Access
from trio_sio.demo.hood.stage import Stage
from trio_sio.demo.limits import Limits


@dataclass(frozen=True, slots=True, eq=False)
class Premises:
    """What outlives a server.

    Attributes:
        hall: who is here, and what was said.
        access: who may look under the hood; nobody without the token by default.
        notes: what is told there.
        stage: lets one button be pressed at a time.
    """

    hall: Hall = field(default_factory=lambda: Hall(Limits()))
    access: Access = field(default_factory=lambda: Access.of(None))
    notes: Notes = field(default_factory=Notes)
    stage: Stage = field(default_factory=Stage)
