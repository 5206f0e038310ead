"""Small writers of event files and ``.wandb`` files, so that the tests need neither TensorBoard nor W&B."""

import json
import struct
import zlib


def varint(value):
    value &= (1 << 64) - 1
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def number(field, value):
    return varint(field << 3) + varint(value)


def double(field, value):
    return varint(field << 3 | 1) + struct.pack("<d", value)


def single(field, value):
    return varint(field << 3 | 5) + struct.pack("<f", value)


def packed(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def frame(payload):
    length = struct.pack("<Q", len(payload))
    return length + struct.pack("<I", crc32c(length)) + payload + struct.pack("<I", crc32c(payload))


def event(wall, step=0, *values):
    """One event; a step of 0 is not written, as protobuf does."""
    stepped = number(2, step) if step else b""
    summary = packed(5, b"".join(packed(1, value) for value in values)) if values else b""
    return frame(double(1, wall) + stepped + summary)


def started(wall):
    return frame(double(1, wall) + packed(3, "brain.Event:2"))


def plain(tag, value):
    return packed(1, tag) + single(2, value)


def tensor(tag, dtype, content, *, shape=b"", plugin="scalars"):
    """A value whose number or text lies in a tensor; ``content`` is the field that holds it."""
    metadata = packed(9, packed(1, packed(1, plugin))) if plugin else b""
    return packed(1, tag) + packed(8, number(1, dtype) + packed(2, shape) + content) + metadata


def written(tag, content):
    """A text summary, as ``add_text`` writes it: a tensor of one string."""
    return tensor(tag, 7, packed(8, content), shape=packed(2, number(1, 1)), plugin="text")


def hparams(**settings):
    def value(setting):
        if isinstance(setting, bool):
            return number(4, setting)
        return packed(3, setting) if isinstance(setting, str) else double(2, setting)

    entries = b"".join(packed(1, packed(1, key) + packed(2, value(of))) for key, of in settings.items())
    content = packed(2, packed(3, entries))
    return packed(1, "_hparams_/session_start_info") + packed(9, packed(1, packed(1, "hparams") + content))


def events(wall, curves, first=()):
    """An event file: what it starts with, then ``{tag: {step: value}}`` in the order of the steps, a second a step."""
    steps = sorted({step for curve in curves.values() for step in curve})
    rows = [
        event(wall + 1 + at, step, plain(tag, curve[step]))
        for at, step in enumerate(steps)
        for tag, curve in curves.items()
        if step in curve
    ]
    return started(wall) + b"".join(event(wall, 0, value) for value in first) + b"".join(rows)


BLOCK = 32768


def wandb(*records):
    """A ``.wandb`` file of the payloads ``records``."""
    data = bytearray(b":W&B\xe1\xbe\x00")
    for payload in records:
        at, kind = 0, 1
        while True:
            room = BLOCK - len(data) % BLOCK
            if room < 7:
                data += bytes(room)
                continue
            part = payload[at : at + room - 7]
            at += len(part)
            ends = at == len(payload)
            kind = (1 if ends else 2) if at == len(part) else (4 if ends else 3)
            data += struct.pack("<IHB", zlib.crc32(bytes([kind]) + part), len(part), kind) + part
            if ends:
                break
    return bytes(data)


def item(keys, value, raw=False):
    """An item of the history (``keys`` is a tuple) or of the configuration (a string)."""
    key = packed(1, keys) if isinstance(keys, str) else b"".join(packed(2, one) for one in keys)
    return key + packed(16, value if raw else json.dumps(value))


def history(step, values, time=1000.0):
    logged = {**values, "_step": step, "_timestamp": time + step}
    items = b"".join(packed(1, item(key if isinstance(key, tuple) else (key,), value)) for key, value in logged.items())
    return number(1, 7) + packed(2, items + packed(2, number(1, step) if step else b""))


def config(**settings):
    return packed(5, b"".join(packed(1, item(key, value)) for key, value in settings.items()))


def run(run_id, start, name="", group="", **settings):
    inside = packed(1, run_id) + packed(4, b"".join(packed(1, item(k, v)) for k, v in settings.items()))
    inside += packed(6, group) if group else b""
    inside += packed(8, name) if name else b""
    seconds = int(start)
    return packed(17, inside + packed(17, number(1, seconds) + number(2, round((start - seconds) * 1e9))))


def output(line, stream=1):
    return packed(13, (number(1, stream) if stream else b"") + packed(3, line))


def gpus(count):
    return packed(26, number(19, count))
