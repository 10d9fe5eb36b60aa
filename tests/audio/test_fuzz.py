"""Whatever bytes a codec is given: samples in -1..1, the right number of them, or BadInput."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion_service.audio.codecs import DECODERS, LegDecoder, Resampler
from emotion_service.audio.placement import Placer, Stretch
from emotion_service.errors import BadInput
from emotion_service.types import BLOCK

RATES = sorted({rate for codec in DECODERS.values() for rate in codec.sample_rates_hertz})
REFUSALS = {"UNKNOWN_ENCODING", "UNSUPPORTED_RATE", "UNSUPPORTED_CHANNELS", "TRUNCATED_AUDIO"}
MISPLACED = {"IMPLAUSIBLE_OFFSET", "RATE_CONTRADICTED"}


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([*DECODERS, "AUDIO/PCMU", "audio/opus", ""]) | st.text(max_size=20),
    st.sampled_from(RATES) | st.integers(0, 2**32 - 1),
    st.integers(0, 4),
    st.binary(max_size=600),
)
def test_any_bytes_in_any_format(encoding: str, rate: int, channels: int, data: bytes) -> None:
    try:
        decoder = LegDecoder(encoding, rate, channels)
        samples = decoder.decode(data)
    except BadInput as refused:
        assert refused.reason in REFUSALS
        return
    assert samples.dtype == np.float32
    assert samples.shape == (len(data) // decoder.frame_bytes,)
    assert bool(np.all(np.abs(samples) <= 1))  # false for what is not finite, too


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(RATES), st.lists(st.binary(max_size=900), max_size=12))
def test_any_bytes_resampled_in_any_pieces(rate: int, pieces: list[bytes]) -> None:
    decoder, resampler = LegDecoder("audio/pcm", rate), Resampler(rate)
    heard = [decoder.decode(piece[: len(piece) // 2 * 2]) for piece in pieces]
    out = [resampler.push(samples) for samples in heard]
    out.append(resampler.push(np.zeros(0, np.float32), last=True))
    result, count = np.concatenate(out), sum(map(len, heard))
    assert len(result) == (count * 8000 * 2 + rate) // (2 * rate)
    assert bool(np.all(np.isfinite(result)))


def length_of(stretch: Stretch) -> int:
    return len(stretch.samples) + stretch.skipped * BLOCK


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 500),
            st.none() | st.floats() | st.floats(0, 30),
            st.none() | st.integers(0, 2**64 - 1) | st.integers(0, 20),
        ),
        max_size=30,
    )
)
def test_any_offsets_and_numbers(messages: list[tuple[int, float | None, int | None]]) -> None:
    """Nothing but a refusal is ever raised; without one every sample has its place."""
    placer, placed = Placer(8000), 0
    for length, offset, sequence in messages:
        try:
            stretches = placer.place(np.ones(length, np.float32), offset, sequence)
        except BadInput as refused:
            assert refused.reason in MISPLACED
            return
        placed += sum(map(length_of, stretches))
    placed += sum(map(length_of, placer.flush()))
    assert placer.counters.received + placer.counters.lost == placed
