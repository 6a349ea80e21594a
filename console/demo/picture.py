"""A picture for an attachment: a rate over time, as a PNG made by hand."""

import struct
import zlib
from collections.abc import Sequence

WIDTH, HEIGHT, EDGE = 720, 260, 24
_PAPER, _GRID, _FILL, _LINE = 0, 1, 2, 3
_PALETTE = bytes([255, 255, 255, 226, 232, 240, 254, 226, 226, 220, 38, 38])


def chart(values: Sequence[float]) -> bytes:
    """The values, from 0 to 1, from left to right."""
    inner = HEIGHT - 2 * EDGE
    tops = [HEIGHT - EDGE - round(inner * _at(values, (x - EDGE) / (WIDTH - 2 * EDGE))) for x in range(WIDTH)]
    rows = b"".join(b"\0" + bytes(_colour(x, y, tops) for x in range(WIDTH)) for y in range(HEIGHT))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    parts = [(b"IHDR", header), (b"PLTE", _PALETTE), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _at(values: Sequence[float], place: float) -> float:
    where = min(max(place, 0.0), 1.0) * (len(values) - 1)
    left = min(int(where), len(values) - 2)
    return values[left] + (values[left + 1] - values[left]) * (where - left)


def _colour(x: int, y: int, tops: Sequence[int]) -> int:
    if not (EDGE <= x < WIDTH - EDGE and EDGE <= y < HEIGHT - EDGE):
        return _PAPER
    neighbours = tops[max(x - 1, 0) : x + 2]
    if min(neighbours) - 1 <= y <= max(neighbours) + 1:
        return _LINE
    if (HEIGHT - EDGE - y) % ((HEIGHT - 2 * EDGE) // 4) == 0:
        return _GRID
    return _FILL if y > tops[x] else _PAPER


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
