"""Render the two synthetic demo calls that ship with the project.

Each call is a stereo FLAC at 8 kHz (channel 0 customer, channel 1 agent) and a JSON file with the
truth about it. espeak-ng says the words; pace, pitch and pitch range are asked of it line by line,
and everything after that (band, vocal effort, level, timing, ringback, line noise) is done here.

The calls are a stimulus for speech activity, pitch, pace and talk-over. They are not a recording
of an emotion, and nothing in them was tuned to make a model name one.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal
from xml.sax.saxutils import escape

import numpy as np
import soundfile as sf  # type: ignore[import-untyped, unused-ignore]
import soxr
from numpy.typing import NDArray
from scipy import signal

Samples = NDArray[np.float64]
Leg = Literal["customer", "agent"]

RATE: Final = 8_000  # Hz
FRAME: Final = RATE // 100  # samples in 10 ms: every bound in the truth lies on this grid
LEGS: Final[tuple[Leg, Leg]] = ("customer", "agent")  # in channel order
SPEECH_DBFS: Final = -26.0  # active level of every line, so that loudness tells nothing
RINGBACK_DBFS: Final = -24.0
NOISE_DBFS: Final = -70.0
AUDIBLE_DBFS: Final = -55.0  # a line begins and ends with its first and last 10 ms above this
LEAD_IN: Final = 0.3  # seconds of line noise before the ringback
TAIL: Final = 0.7  # seconds of line noise after the last word


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a line is said. `pitch` and `pitch_range` are on espeak-ng's own scale, 0 to 99."""

    manner: Literal["calm", "pressed"]
    words_per_minute: int
    pitch: int
    pitch_range: int
    effort: float  # 0 to 1: how far the spectrum tilts up, as it does in a raised voice


CALM: Final = Delivery("calm", 150, 42, 45, effort=0.0)
PRESSED: Final = Delivery("pressed", 210, 80, 99, effort=0.3)
SOOTHING: Final = Delivery("calm", 145, 36, 40, effort=0.0)
EASING: Final = Delivery("calm", 160, 50, 60, effort=0.1)


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence. `gap` is the pause in seconds since the line before; below 0 it breaks in."""

    leg: Leg
    text: str
    delivery: Delivery = CALM
    gap: float = 0.35


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    language: str
    voices: dict[Leg, str]  # espeak-ng voice and variant
    ringback_hertz: tuple[float, ...]
    ringback_seconds: float
    noise_seed: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """One line, or the ringback, where it lies in the call (bounds in samples)."""

    leg: Leg
    start: int
    end: int
    kind: Literal["speech", "ringback"]
    text: str
    manner: Literal["calm", "pressed"]


ENGLISH: Final = Call(
    name="english",
    language="en",
    voices={"customer": "en-us+f2", "agent": "en-us+m3"},
    ringback_hertz=(440.0, 480.0),
    ringback_seconds=2.0,
    noise_seed=1,
    lines=(
        Line("agent", "Good morning, internet support, this is Alex. How can I help?", gap=0.6),
        Line("customer", "Hello. My internet went down on Monday evening.", gap=0.6),
        Line("customer", "I restarted the router and checked the cables, as your website says."),
        Line("customer", "The red light is still on, and I work from home."),
        Line("customer", "So I would like to know when it will be repaired."),
        Line("agent", "Thank you. I see that a technician was booked for yesterday.", gap=0.6),
        Line("agent", "The visit was closed without a note, so we need to open a new ticket, and"),
        Line("customer", "No, nobody came yesterday!", PRESSED, gap=-0.9),
        Line("customer", "I sat at home the whole day and waited for you!", PRESSED, gap=0.2),
        Line("customer", "And now I am back at the end of the line?", PRESSED, gap=0.2),
        Line("agent", "I understand, and what I can offer you today is a refund of", gap=0.4),
        Line("customer", "I do not want a refund, I want somebody to fix it!", PRESSED, gap=-1.0),
        Line("customer", "This is the third time that I have called you!", PRESSED, gap=0.2),
        Line("customer", "And every time I tell the same story all over again!", PRESSED, gap=0.2),
        Line(
            "agent", "You are right, I am sorry. You will not have to tell it again.", SOOTHING, 0.7
        ),
        Line("agent", "A technician comes today at two, and at three I will call you.", SOOTHING),
        Line("customer", "All right. Today at two. But please do call me.", EASING, gap=0.8),
        Line("agent", "I will. Thank you for your patience.", SOOTHING, gap=0.5),
    ),
)

GERMAN: Final = Call(
    name="german",
    language="de",
    voices={"customer": "de+m3", "agent": "de+f2"},
    ringback_hertz=(425.0,),
    ringback_seconds=1.5,
    noise_seed=2,
    lines=(
        Line("agent", "Guten Tag, hier ist der Paketservice. Wie kann ich Ihnen helfen?", gap=0.6),
        Line("customer", "Guten Tag. Ich warte auf ein Paket mit einem Ersatzteil.", gap=0.6),
        Line("customer", "Auf Ihrer Seite steht, dass es am Dienstag zugestellt wurde."),
        Line("customer", "Bei mir ist aber nichts angekommen, und bei den Nachbarn auch nicht."),
        Line("customer", "Können Sie bitte nachsehen, wo es liegt?"),
        Line("agent", "Einen Moment. Das Paket wurde an der Haustür abgelegt.", gap=0.6),
        Line("agent", "Dann fragen Sie bitte zuerst beim Absender nach, denn der kann einen"),
        Line("customer", "Nein, das habe ich doch schon gemacht!", PRESSED, gap=-0.9),
        Line(
            "customer", "Der schickt mich zu Ihnen, und Sie schicken mich zurück!", PRESSED, gap=0.2
        ),
        Line("customer", "Seit einer ganzen Woche geht das jetzt schon so!", PRESSED, gap=0.2),
        Line("agent", "Das verstehe ich gut, ich würde Ihnen gerne ein Formular", gap=0.4),
        Line("customer", "Ich brauche kein Formular, ich brauche mein Paket!", PRESSED, gap=-1.0),
        Line("customer", "Unsere Heizung läuft nicht, und es ist kalt im Haus!", PRESSED, gap=0.2),
        Line("customer", "Und jedes Mal erzähle ich alles wieder von vorne!", PRESSED, gap=0.2),
        Line("agent", "Sie haben recht, das tut mir leid. Ich kümmere mich darum.", SOOTHING, 0.7),
        Line("agent", "Ich rufe den Fahrer an, und Sie hören bis fünf Uhr von mir.", SOOTHING),
        Line("customer", "Gut. Bis fünf Uhr. Ich verlasse mich darauf.", EASING, gap=0.8),
        Line("agent", "Das können Sie. Vielen Dank für Ihre Geduld.", SOOTHING, gap=0.5),
    ),
)


def amplitude(dbfs: float) -> float:
    return float(10.0 ** (dbfs / 20.0))


def speak(text: str, voice: str, delivery: Delivery) -> Samples:
    """The words from espeak-ng, at 8 kHz, neither trimmed nor shaped."""
    ssml = f'<speak><prosody range="{delivery.pitch_range}">{escape(text)}</prosody></speak>'
    pace, pitch = str(delivery.words_per_minute), str(delivery.pitch)
    command = ["espeak-ng", "-m", "-z", "-v", voice, "-s", pace, "-p", pitch, "--stdout", ssml]
    try:
        wav = subprocess.run(command, check=True, capture_output=True).stdout
    except FileNotFoundError:
        raise SystemExit(
            "render.py needs espeak-ng, which is not installed. On Debian or Ubuntu:\n"
            "    sudo apt-get install espeak-ng"
        ) from None
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode(errors="replace").strip()
        raise SystemExit(f"espeak-ng could not say {text!r} as {voice}: {reason}") from None
    audio, rate = sf.read(io.BytesIO(wav), dtype="float64")
    return np.asarray(soxr.resample(audio, rate, RATE, quality="VHQ"), dtype=np.float64)


def telephone_band(audio: Samples) -> Samples:
    """300 to 3400 Hz, without delay."""
    band = signal.butter(4, (300.0, 3400.0), "bandpass", fs=RATE, output="sos")
    return np.asarray(signal.sosfiltfilt(band, audio), dtype=np.float64)


def frame_power(audio: Samples) -> Samples:
    whole = audio[: len(audio) // FRAME * FRAME].reshape(-1, FRAME)
    return np.asarray(np.mean(whole**2, axis=1), dtype=np.float64)


def active_power(audio: Samples) -> float:
    """Mean power while there is speech: frames at most 15.9 dB (P.56's margin) below the result."""
    power = frame_power(audio)
    level = float(power.mean())
    for _ in range(10):
        level = float(power[power > level * amplitude(-15.9) ** 2].mean())
    return level


def render_line(line: Line, voice: str) -> Samples:
    """One line as it sounds on the wire: shaped, levelled, and cut to the audible part."""
    audio = speak(line.text, voice, line.delivery)
    audio = np.asarray(signal.lfilter([1.0, -line.delivery.effort], [1.0], audio))
    audio = telephone_band(np.pad(audio, RATE // 10))
    audio *= amplitude(SPEECH_DBFS) / np.sqrt(active_power(audio))
    audible = np.flatnonzero(frame_power(audio) > amplitude(AUDIBLE_DBFS) ** 2)
    return audio[audible[0] * FRAME : (audible[-1] + 1) * FRAME]


def ringback(call: Call) -> Samples:
    """The tone the caller hears while the other end rings, with 5 ms ramps."""
    time = np.arange(round(call.ringback_seconds * RATE)) / RATE
    tone = np.sum([np.sin(2.0 * np.pi * hertz * time) for hertz in call.ringback_hertz], axis=0)
    tone *= amplitude(RINGBACK_DBFS) / np.sqrt(np.mean(tone**2))
    ramp = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.005)
    return np.asarray(tone * ramp, dtype=np.float64)


def render(call: Call) -> tuple[Samples, list[Segment]]:
    """Both legs, shape (samples, 2), and where everything in them lies."""
    start = round(LEAD_IN * RATE)
    pieces = [ringback(call)]
    segments = [Segment("agent", start, start + len(pieces[0]), "ringback", "", "calm")]
    for line in call.lines:
        piece = render_line(line, call.voices[line.leg])
        start = segments[-1].end + round(line.gap * 100) * FRAME
        end = start + len(piece)
        pieces.append(piece)
        segments.append(Segment(line.leg, start, end, "speech", line.text, line.delivery.manner))

    length = segments[-1].end + round(TAIL * RATE)
    noise = np.random.default_rng(call.noise_seed).standard_normal((len(LEGS), length))
    legs = [telephone_band(row) for row in noise]
    legs = [row * amplitude(NOISE_DBFS) / np.sqrt(np.mean(row**2)) for row in legs]
    for piece, segment in zip(pieces, segments, strict=True):
        legs[LEGS.index(segment.leg)][segment.start : segment.end] += piece
    return np.stack(legs, axis=1), segments


def truth(call: Call, segments: list[Segment]) -> dict[str, object]:
    """What the JSON beside the audio says. The turn is where the customer first sounds pressed."""
    talk_overs = [
        {"start_seconds": customer.start / RATE, "end_seconds": agent.end / RATE, "by": "customer"}
        for agent, customer in pairwise(segments)
        if customer.leg == "customer" and customer.start < agent.end
    ]
    return {
        "sample_rate_hertz": RATE,
        "synthetic": True,
        "language": call.language,
        "turn_offset_seconds": next(s.start for s in segments if s.manner == "pressed") / RATE,
        "segments": [
            {
                "leg": segment.leg,
                "start_seconds": segment.start / RATE,
                "end_seconds": segment.end / RATE,
                "kind": segment.kind,
                "text": segment.text,
                "manner": segment.manner,
            }
            for segment in segments
        ],
        "talk_overs": talk_overs,
    }


def write(call: Call, folder: Path) -> None:
    audio, segments = render(call)
    peak = float(np.max(np.abs(audio)))
    if peak >= 1.0:
        raise SystemExit(f"{call.name}: the audio would clip (peak {peak:.2f})")
    facts = truth(call, segments)
    path = folder / f"{call.name}.flac"
    pcm = np.round(audio * 32767.0).astype(np.int16)
    sf.write(path, pcm, RATE, format="FLAC", subtype="PCM_16", compression_level=1.0)
    text = json.dumps(facts, indent=2, ensure_ascii=False)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    size, seconds = path.stat().st_size // 1000, len(audio) / RATE
    print(f"{path}: {seconds:.1f} s, {size} kB, turn at {facts['turn_offset_seconds']} s")


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Render the synthetic demo calls: english and german, .flac with .json truth.",
        epilog="Needs espeak-ng. The same version of it gives the same files, byte for byte.",
    )
    here = Path(__file__).resolve().parent
    parser.add_argument(
        "--out",
        type=Path,
        default=here,
        metavar="DIR",
        help="folder to write to (default: the script's own)",
    )
    folder: Path = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for call in (ENGLISH, GERMAN):
        write(call, folder)


if __name__ == "__main__":
    main()
