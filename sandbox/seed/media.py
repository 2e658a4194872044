"""Pictures and datasheets: small valid PNG, SVG and PDF files, drawn rather than stored."""

import struct
import zlib
from hashlib import sha1

from sandbox.world import MediaFile

WIDTH, HEIGHT = 320, 240


def media_file(filename: str, mime_type: str, body: bytes) -> MediaFile:
    """A file under the code a PIM gives: four folders, then digest and name."""
    digest = sha1(filename.encode(), usedforsecurity=False).hexdigest()
    code = "/".join((*digest[:4], f"{digest}_{filename.replace('-', '_')}"))
    return MediaFile(code, filename, mime_type, body)


def png(hue: int) -> bytes:
    """A washer in the colour of `hue` (0-359) on a light ground: four grey levels of one palette."""
    palette = bytes([245, 246, 248, *_rgb(hue, 0.55), *_rgb(hue, 0.8), 225, 228, 232])
    rows = b"".join(b"\x00" + _row(y) for y in range(HEIGHT))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", palette),
            _chunk(b"IDAT", zlib.compress(rows, 1)),
            _chunk(b"IEND", b""),
        )
    )


def _row(y: int) -> bytes:
    outer, inner = _half_width(y, 92), _half_width(y, 38)
    ring = bytes([1 if y < HEIGHT // 2 else 2])
    ground = bytes([0 if y < 220 else 3])  # noqa: PLR2004 - the shelf's edge
    middle = ground * (2 * inner)
    left = ground * (WIDTH // 2 - outer) + ring * (outer - inner)
    return left + middle + left[::-1]


def _half_width(y: int, radius: int) -> int:
    height = abs(y - HEIGHT // 2)
    return int((radius**2 - height**2) ** 0.5) if height < radius else 0


def _rgb(hue: int, light: float) -> tuple[int, int, int]:
    def channel(offset: int) -> int:
        position = (offset + hue / 30) % 12
        share = light - 0.35 * max(-1.0, min(position - 3, 9 - position, 1.0)) * min(
            light, 1 - light
        )
        return max(0, min(255, round(share * 255)))

    return channel(0), channel(8), channel(4)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def svg(title: str, hue: int) -> bytes:
    text = title.replace("&", "&amp;").replace("<", "&lt;")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 240" width="320" height="240">'
        f"<title>{text}</title>"
        '<rect width="320" height="240" fill="#fff"/>'
        f'<g fill="none" stroke="hsl({hue},45%,35%)" stroke-width="2">'
        '<path d="M40 120h240M160 20v200" stroke-dasharray="12 4 2 4"/>'
        '<path d="M80 90h40v-20h80v20h40v60h-40v20h-80v-20h-40z"/>'
        '<circle cx="160" cy="120" r="22"/></g>'
        f'<text x="16" y="228" font-family="sans-serif" font-size="12">{text}</text></svg>'
    ).encode()


def pdf(title: str, lines: tuple[str, ...]) -> bytes:
    """One page of text with a correct cross-reference table."""
    shown = (f"({_escaped(line)}) Tj T*" for line in (title, "", *lines))
    stream = ("BT /F1 14 Tf 60 780 Td 22 TL " + " ".join(shown) + " ET").encode("cp1252")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Font << /F1 5 0 R >> >>",
    )
    return _assembled(objects)


def _escaped(line: str) -> str:
    kept = line.encode("cp1252", "replace").decode("cp1252")
    return kept.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _assembled(objects: tuple[bytes, ...]) -> bytes:
    body = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start, size = len(body), len(objects) + 1
    body += b"xref\n0 %d\n0000000000 65535 f \n" % size
    body += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    body += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)
    return bytes(body)
