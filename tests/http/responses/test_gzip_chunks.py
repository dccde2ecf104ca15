"""gzip members of joined chunks, read by ordinary decoders."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import igzip

from promsnmp.http.responses import gzip_chunks
from promsnmp.http.responses.gzip_chunks import ChunkedListBuilder, GzipChunk, compress_chunk, join_chunks
from promsnmp.inventory.targets import TargetGroup


def groups(*numbers: int) -> list[TargetGroup]:
    """A group per number, with the number as digest: multiples of 128 begin chunks."""
    return [TargetGroup(b'{"n":%d}' % number * 20, number) for number in numbers]


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_joined_chunks_are_one_gzip_member_of_the_whole_text(texts: list[bytes]) -> None:
    member, size = join_chunks(map(compress_chunk, texts))
    whole = b"".join(texts)
    assert size == len(whole)
    assert gzip.decompress(member) == whole
    assert bytes(igzip.decompress(member)) == whole  # type: ignore[no-untyped-call]
    decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert decoder.decompress(member) + decoder.flush() == whole
    assert (decoder.eof, decoder.unused_data) == (True, b"")


@pytest.mark.parametrize("numbers", [(), (0,), (1,), (128, 256), (1, 128), (1, 2, 3), tuple(range(1000))])
def test_a_list_is_the_same_json_compressed_and_plain(numbers: tuple[int, ...]) -> None:
    made = ChunkedListBuilder("application/json").build(groups(*numbers))
    expected = b"[" + b",\n".join(group.text for group in groups(*numbers)) + b"]\n"
    assert (gzip.decompress(made.gzip), b"".join(made.plain())) == (expected, expected)


def test_a_change_compresses_only_its_chunk_and_equals_a_fresh_build(monkeypatch: pytest.MonkeyPatch) -> None:
    maker, all_groups = ChunkedListBuilder("x"), groups(*range(3000))
    maker.build(all_groups)
    compressed: list[int] = []

    def counted(text: bytes) -> GzipChunk:
        compressed.append(len(text))
        return compress_chunk(text)

    monkeypatch.setattr(gzip_chunks, "compress_chunk", counted)
    chance = random.Random(4)
    for change in ("replace", "insert", "remove") * 5:
        place = chance.randrange(len(all_groups))
        new = groups(chance.randrange(10**6) * 2 + 1)
        all_groups = [
            *all_groups[:place],
            *(new if change != "remove" else []),
            *all_groups[place + (change != "insert") :],
        ]
        compressed.clear()
        made = maker.build(all_groups)
        assert len(compressed) <= 2
        fresh = ChunkedListBuilder("x").build(all_groups)
        assert (made.gzip, made.etag) == (fresh.gzip, fresh.etag)


def test_the_etag_changes_with_any_element_and_is_the_same_for_every_builder() -> None:
    first = ChunkedListBuilder("x").build(groups(1, 2, 3)).etag
    assert ChunkedListBuilder("x").build(groups(1, 2, 3)).etag == first
    assert (
        len(
            {
                first,
                ChunkedListBuilder("x").build(groups(1, 2)).etag,
                ChunkedListBuilder("x").build(groups(1, 2, 4)).etag,
            }
        )
        == 3
    )
