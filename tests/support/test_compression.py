"""gzip: other programs read what we compress, and we read what they compress."""

from __future__ import annotations

import gzip

from promsnmp.support.compression import compress, decompress

BODY = b'ifInOctets{ifIndex="1"} 1000\n' * 1000


def test_any_gzip_reader_reads_what_compress_returns() -> None:
    compressed = compress(BODY)
    assert gzip.decompress(compressed) == BODY
    assert len(compressed) < len(BODY) / 20


def test_decompress_reads_several_members() -> None:
    assert decompress(gzip.compress(BODY) + compress(b"end")) == BODY + b"end"
    assert decompress(compress(b"")) == b""
