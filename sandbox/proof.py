"""The proof of delivery a carrier hands out: a one-page PDF, the same bytes for the same lines."""


def proof_of_delivery(*lines: str) -> bytes:
    """A PDF 1.4 file that shows the lines (Latin-1; other characters become `?`)."""
    drawn = " ".join(f"({_escaped(line)}) Tj T*" for line in lines)
    text = f"BT /F1 12 Tf 16 TL 60 780 Td {drawn} ET".encode("latin-1", "replace")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources 6 0 R>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        b"<</Font<</F1 5 0 R>>>>",
    ]
    return _file(objects)


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _file(objects: list[bytes]) -> bytes:
    body = b"%PDF-1.4\n"
    table = b"0000000000 65535 f \n"
    for number, content in enumerate(objects, start=1):
        table += b"%010d 00000 n \n" % len(body)
        body += b"%d 0 obj%b endobj\n" % (number, content)
    size = len(objects) + 1
    trailer = b"xref\n0 %d\n%btrailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return body + trailer % (size, table, size, len(body))
