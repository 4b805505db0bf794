"""`Admin`: adds a view for operators to a server."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from inspect import isawaitable
from typing import TypeVar

from trio_sio.abc import WebApplication
from trio_sio.admin.actions import Action, ActionTable, Value
from trio_sio.admin.files import PageFiles
from trio_sio.admin.notes import Notes
from trio_sio.admin.operator import Operator
from trio_sio.admin.packed import PackedReader
from trio_sio.admin.page_in_front import PageInFront
from trio_sio.admin.sessions import SessionBook
from trio_sio.exceptions import ConnectionRefused
from trio_sio.http import Request, Response
from trio_sio.router.socket import Socket
from trio_sio.server import Server

Check = Callable[[Socket], bool | Awaitable[bool]]
FallbackFunction = Callable[[Request], Awaitable[Response]]
ActionT = TypeVar("ActionT", bound=Callable[..., Awaitable[object]])


class Admin:
    """A view for operators: packets, sessions, limits, stalls, namespaces, and buttons.

    It has to be made before the server serves. It shows what users say, so there is no default
    for who may see it.

    Args:
        io: the server that is shown.
        check: called with the socket of whoever wants to see the view, async or not. It returns
            whether that is an operator, or raises `ConnectionRefused`. Compare tokens with
            `secrets.compare_digest`.
        namespace: where the view talks to its page.
        path: where the page is, with a slash at both ends. It is put before the option
            `fallback` of the server; `None` for no page, if another one embeds the view.
        title: of the view.
        read_only: whether nothing can be changed from the page: no session is disconnected, and
            there are no actions.
        notes: where `notes` begins, if it is to go on from another server's view.

    Attributes:
        namespace: the namespace.
        notes: what the application tells its operators, by `notes.add(text)`.

    Raises:
        TypeError: `check` cannot be called.
        RuntimeError: the server serves already.
        ValueError: `path` has no slash at one of its ends, or `namespace` is not a name.
    """

    def __init__(
        self,
        io: Server,
        *,
        check: Check,
        namespace: str = "/admin",
        path: str | None = "/admin/",
        title: str = "Under the hood",
        read_only: bool = False,
        notes: Notes | None = None,
    ) -> None:
        if not callable(check):
            raise TypeError(f"check must be a function, not {check!r}")
        if io.engine.serving:
            raise RuntimeError("Admin has to be made before the server serves")
        self.namespace = io.of(namespace)
        self.notes = Notes() if notes is None else notes
        self._io = io
        self._check = check
        self._title = title
        self._read_only = read_only
        self._actions = ActionTable()
        find_reader = partial(PackedReader.of, io, self.namespace.name)
        self._book = SessionBook(self.namespace.name, find_reader)
        self._files = PageFiles(path or "/admin/", self.namespace.name, title)
        self.namespace.use(self._admit)
        self.namespace.on("connection", self._enter)
        io.engine.observe(self._book)
        if path is not None:
            before = io.engine.options.fallback
            io.engine.set_options(
                fallback=PageInFront(self.page_or_none, before)
                if isinstance(before, WebApplication)
                else self.fallback(before)
            )

    def __repr__(self) -> str:
        return f"<Admin at {self._files.path!r}, {len(self.namespace.connected)} operators>"

    # -- who may see it ------------------------------------------------------------------------

    async def _admit(self, socket: Socket) -> None:
        verdict = self._check(socket)
        if isawaitable(verdict):
            verdict = await verdict
        if not isinstance(verdict, bool):  # a token that was returned by mistake, say
            raise TypeError(f"check must return True or False, not a {type(verdict).__name__}")
        if not verdict:
            raise ConnectionRefused("You may not see this.")

    async def _enter(self, socket: Socket) -> None:
        operator = Operator(
            *(socket, self._io, self._book, self._actions, self.notes), read_only=self._read_only
        )
        socket.nursery.start_soon(operator.push, self._title)

    # -- buttons -------------------------------------------------------------------------------

    def action(
        self,
        label: str,
        *,
        description: str = "",
        danger: bool = False,
        arguments: Mapping[str, Value] | None = None,
    ) -> Callable[[ActionT], ActionT]:
        """Add a button to the view; a decorator for an async function.

        The function is called with the operator's socket and the arguments, and is cancelled if
        the operator leaves. The page shows what it returns. It may raise `ConnectionRefused` or
        `PacketRefused` with a sentence for the operator; other errors are logged, and the page
        shows their kind.

        Args:
            label: what stands on the button.
            description: a sentence beside it.
            danger: whether the page asks before it calls.
            arguments: names of arguments with their defaults, which are bools, ints, floats or
                strings; the page has a field for each, and only such values are let through.

        Raises:
            TypeError: a default is of another kind, or the label is no text.
            ValueError: there is an action with this label.
        """

        def register(function: ActionT) -> ActionT:
            given = dict(arguments or {})
            self._actions.add(Action(label, function, description, danger, given))
            return function

        return register

    # -- the page ------------------------------------------------------------------------------

    async def page(self, request: Request) -> Response:
        """Return a file of the page, or 404; can be the option `fallback` of a server."""
        found = self.page_or_none(request)
        return found or Response.text(404, "There is nothing at this path.")

    def page_or_none(self, request: Request) -> Response | None:
        """Return a file of the page, or `None` if the path is another one."""
        options = self._io.engine.options
        return self._files.answer(request, options.path, options.transports)

    def fallback(self, otherwise: FallbackFunction | None = None) -> FallbackFunction:
        """Return a function for the option `fallback`: the page, and other paths as before.

        Args:
            otherwise: what answers other paths; `None` for 404.
        """

        async def answer(request: Request) -> Response:
            found = self.page_or_none(request)
            if found is not None:
                return found
            if otherwise is None:
                return Response.text(404, "There is nothing at this path.")
            return await otherwise(request)

        return answer
