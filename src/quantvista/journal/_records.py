"""What records hold: kinds by number and version, encoded as MessagePack.

Numbers 1 to 99 belong to this package; node, venue and guard take theirs from 100, 200 and 300 on.
A number is never given to another kind, and a version never to another encoding.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from quantvista._native import FORMAT_VERSION, RawEngine, Record
from quantvista.errors import JournalError, QuantVistaError

__all__ = ["INPUT", "KINDS", "OUTPUT", "Body", "Entry", "Kind", "Kinds", "Note"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One encoding of one kind of record.

    Parameters
    ----------
    number : int
        In the journal: 1 to 65279.
    name : str
        In commands and exports.
    version : int
        Of the encoding. A change that an older reader would misread is a new version, and the
        class of the old one stays.
    """

    number: int
    name: str
    version: int


INPUT = Kind(1, "input", FORMAT_VERSION)
"""An input of the engine, in the engine's own encoding."""

OUTPUT = Kind(2, "output", FORMAT_VERSION)
"""An output of the engine, in the engine's own encoding."""


class Body(msgspec.Struct, frozen=True, omit_defaults=True):
    r"""Base of what records hold: a frozen struct that says its ``KIND``.

    Fields are written by their names; one that is added needs a default, and readers pass over
    those that they do not know.

    Examples
    --------
    >>> class Beat(Body, frozen=True):
    ...     KIND: ClassVar = Kind(60_000, "beat", 1)
    ...     count: int
    >>> Beat(count=3).encode()
    b'\x81\xa5count\x03'
    """

    KIND: ClassVar[Kind]

    def encode(self) -> bytes:
        """Write it as MessagePack.

        Returns
        -------
        bytes
            The payload of a record of its kind.
        """
        return _ENCODER.encode(self)


_ENCODER = msgspec.msgpack.Encoder()


class Note(Body, frozen=True, omit_defaults=True):
    """What a person or a process wants to be kept.

    Parameters
    ----------
    text : str
        What it says.
    by : str
        Who wrote it.
    """

    KIND: ClassVar[Kind] = Kind(3, "note", 1)

    text: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record that was decoded as far as its kind is known, for people and for tables.

    Parameters
    ----------
    sequence, ts, number, version : int
        As in the record; ``number`` is that of its kind.
    kind : str
        Its name, or the number where nobody knows one.
    value : object
        Plain values: dicts, lists, texts, integers, floats. Of a kind that is not known, what
        MessagePack says by itself, or the hexadecimal digits of the payload.
    problem : str
        Why the value is only that; empty if it is decoded.
    """

    sequence: int
    ts: int
    number: int
    kind: str
    version: int
    value: Any
    problem: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Make a plain dictionary of it, as ``--json`` and exports have it.

        Returns
        -------
        dict
            Without ``problem`` where there is none.
        """
        found = {name: getattr(self, name) for name in self.__slots__}
        if not self.problem:
            del found["problem"]
        return found


type _Decode = Callable[[bytes], Any]


class Kinds:
    """The kinds that somebody knows; those of several parts are joined with ``|``.

    Parameters
    ----------
    bodies : iterable of type
        Subclasses of `Body`, of each version that was ever written.

    Raises
    ------
    ValueError
        If two of them have one number and version, or one number two names.
    """

    def __init__(self, bodies: Iterable[type[Body]] = ()) -> None:
        self._bodies = tuple(bodies)
        self._names = {INPUT.number: INPUT.name, OUTPUT.number: OUTPUT.name}
        self._decoders: dict[tuple[int, int], msgspec.msgpack.Decoder[Any]] = {}
        for body in self._bodies:
            kind = body.KIND
            place = (kind.number, kind.version)
            if place in self._decoders:
                raise ValueError(f"`bodies` must have each kind once; found {kind} twice")
            if self._names.setdefault(kind.number, kind.name) != kind.name:
                known = self._names[kind.number]
                raise ValueError(f"`bodies` must name a number once; found {kind} beside {known!r}")
            self._decoders[place] = msgspec.msgpack.Decoder(body)

    def __or__(self, other: "Kinds") -> "Kinds":
        return Kinds(dict.fromkeys((*self._bodies, *other._bodies)))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all kinds, sorted."""
        return tuple(sorted(self._names.values()))

    def name(self, number: int) -> str:
        """Name a kind; one that is not known goes by its number.

        Parameters
        ----------
        number : int
            Of the kind.

        Returns
        -------
        str
            Its name.
        """
        return self._names.get(number, str(number))

    def number(self, name: str) -> int | None:
        """Find the number of a kind by its name.

        Parameters
        ----------
        name : str
            Of the kind.

        Returns
        -------
        int or None
            Its number; none if the name is not known.
        """
        return next((number for number, known in self._names.items() if known == name), None)

    def body(self, record: Record) -> Any:  # noqa: ANN401 - the body's own type
        """Decode a record of a known kind; none for one that is not known.

        Parameters
        ----------
        record : Record
            As it was read.

        Returns
        -------
        Body, dict or None
            The struct of its kind and version; a dictionary for inputs and outputs of the engine.

        Raises
        ------
        JournalError
            If the payload is not what its kind says.
        """
        decode = self._decode(record)
        if decode is None:
            return None
        try:
            return decode(record.payload)
        except (msgspec.DecodeError, QuantVistaError) as error:
            name = f"{self.name(record.kind)}, version {record.version}"
            text = f"record {record.sequence} is not what its kind ({name}) says: {error}"
            raise JournalError(text) from None

    def entry(self, record: Record) -> Entry:
        """Decode a record as far as possible; never fails.

        Parameters
        ----------
        record : Record
            As it was read.

        Returns
        -------
        Entry
            With plain values.
        """
        problem = ""
        try:
            body = self.body(record)
        except JournalError as error:
            body, problem = None, str(error)
        if body is not None:
            value = msgspec.to_builtins(body)
        else:
            what = f"kind {self.name(record.kind)}, version {record.version}, is not known here"
            problem = problem or what
            value = _raw(record.payload)
        return Entry(
            record.sequence,
            record.ts,
            record.kind,
            self.name(record.kind),
            record.version,
            value,
            problem,
        )

    def _decode(self, record: Record) -> _Decode | None:
        # The engine's bytes say their version themselves, and it knows all that there were.
        if record.kind == INPUT.number:
            return RawEngine.decode_input
        if record.kind == OUTPUT.number:
            return RawEngine.decode_output
        decoder = self._decoders.get((record.kind, record.version))
        return None if decoder is None else decoder.decode


def _raw(payload: bytes) -> Any:  # noqa: ANN401 - whatever MessagePack has
    try:
        return msgspec.to_builtins(msgspec.msgpack.decode(payload), str_keys=True)
    except (msgspec.MsgspecError, UnicodeDecodeError, TypeError, RecursionError):
        return payload.hex()


KINDS = Kinds((Note,))
"""What this package writes itself."""
