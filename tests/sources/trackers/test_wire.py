"""The wire format of protobuf."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlscale.sources.trackers.wire import BYTES, FIXED32, FIXED64, VARINT, WireError, double, fields, signed, varint

from . import made


@given(st.integers(0, 2**64 - 1))
def test_a_number_is_read_back(value):
    data = b"xx" + made.varint(value) + b"yy"
    assert varint(data, 2, len(data)) == (value, len(data) - 2)


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_signed_number_is_read_back(value):
    assert signed(varint(made.varint(value), 0, 10)[0]) == value


@pytest.mark.parametrize(("data", "stop"), [(b"", 0), (b"\x80", 1), (b"\x80\x01", 1), (b"\xff" * 11, 11)])
def test_a_number_that_does_not_end(data, stop):
    with pytest.raises(WireError, match="a number at byte 0 does not end"):
        varint(data, 0, stop)


def test_every_kind_of_field():
    data = made.number(1, 300) + made.double(2, 0.5) + made.packed(300, "text") + made.single(4, 1.0)
    found = list(fields(data, 0, len(data)))
    assert [(number, kind) for number, kind, _, _ in found] == [(1, VARINT), (2, FIXED64), (300, BYTES), (4, FIXED32)]
    assert found[0][2] == 300
    assert double(data, found[1][2]) == 0.5
    assert data[slice(*found[2][2:])] == b"text"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x00\x01", "no number"),
        (b"\x0b", "of kind 3"),
        (b"\x0a\x05abc", "ends after its message"),
        (b"\x09abc", "ends after its message"),
        (b"\x0a", "does not end"),
    ],
)
def test_bytes_that_are_no_message(data, message):
    with pytest.raises(WireError, match=message):
        list(fields(data, 0, len(data)))


@given(st.binary(max_size=60))
def test_any_bytes(data):
    try:
        for _, kind, start, end in fields(data, 0, len(data)):
            assert kind == VARINT or 0 < start <= end <= len(data)
    except WireError:
        pass
