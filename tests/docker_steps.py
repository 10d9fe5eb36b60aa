"""Carries out a Dockerfile without Docker: each instruction as plain shell, each stage in a folder.

It knows the instructions that our Dockerfile uses, and refuses all others.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
# What a build may know of this machine: how pip reaches a registry.
INHERITED = re.compile(
    r"HOME|PIP_.*|SSL_CERT_FILE|REQUESTS_CA_BUNDLE|(https?|no|all)_proxy", re.IGNORECASE
)
DESCRIBING = ("USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD")


def read(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile, each as its word and the rest."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in joined]


class Ignored:
    """What a .dockerignore keeps out of the build. Of its patterns, * **/ ? and ! are known."""

    def __init__(self, text: str) -> None:
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        self._rules = [(_pattern(line.lstrip("!")), line[0] != "!") for line in lines]

    def __contains__(self, path: str) -> bool:
        """The last pattern that fits the path, or a folder it lies in, decides."""
        places = [path, *(folder.as_posix() for folder in Path(path).parents)]
        fitting = [out for pattern, out in self._rules if any(map(pattern.fullmatch, places))]
        return bool(fitting) and fitting[-1]


def _pattern(line: str) -> re.Pattern[str]:
    assert not set(line) & set("[]\\"), f"not known here: {line}"
    meaning = {"**/": "(.*/)?", "*": "[^/]*", "?": "[^/]"}
    parts = re.findall(r"\*\*/|.", line)
    return re.compile("".join(meaning.get(part) or re.escape(part) for part in parts))


@dataclass(slots=True)
class Stage:
    """What one FROM and the instructions after it have said so far."""

    environment: dict[str, str]
    folder: Path
    arguments: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    def expand(self, text: str) -> str:
        """Its $NAME and ${NAME} filled in; a name that nothing has set is an error."""
        known = self.arguments | self.environment
        return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: known[found[1] or found[2]], text)


class Build:
    """What `docker build` would do, `root` being the root of each stage in turn.

    Nothing is mounted: a path inside the image is a real one below `root`, given by an argument.
    What a stage leaves is moved away before the next begins: nothing gets there but by COPY.
    """

    def __init__(self, root: Path, base: Mapping[str, str], arguments: Mapping[str, str]) -> None:
        self.root = root
        self.bases: list[str] = []
        self.stage = Stage({}, root)  # before the first FROM: holds the defaults of ARGs
        self._base = base
        self._given = arguments
        self._defaults = self.stage.arguments
        self._ignored = Ignored((CHECKOUT / ".dockerignore").read_text())
        self._name = ""
        self._steps = {
            "FROM": self._from,
            "ARG": self._arg,
            "ENV": lambda rest: self.stage.environment.update(self._pairs(rest)),
            "LABEL": lambda rest: self.stage.labels.update(self._pairs(rest)),
            "WORKDIR": self._workdir,
            "COPY": self._copy,
            "RUN": self._run,
        }

    def run(self, instructions: list[tuple[str, str]]) -> Stage:
        """The last stage, whose files are now below `root`."""
        for word, rest in instructions:
            if word in DESCRIBING:
                self.stage.said[word] = rest
            elif word in self._steps:
                self._steps[word](rest)
            else:
                raise ValueError(f"{word} is not known here")
        return self.stage

    def _from(self, rest: str) -> None:
        if self.bases:
            self.root.rename(self.root.with_name(self._name))
        self.root.mkdir()
        image, _, self._name = rest.partition(" AS ")
        self.bases.append(Stage({}, self.root, self._defaults).expand(image))
        self.stage = Stage(dict(self._base), self.root)

    def _arg(self, rest: str) -> None:
        name, _, default = rest.partition("=")
        default = default or self._defaults.get(name, "")
        self.stage.arguments[name] = self._given.get(name, default)

    def _pairs(self, rest: str) -> dict[str, str]:
        pairs = (word.partition("=") for word in shlex.split(rest))
        return {name: self.stage.expand(value) for name, _, value in pairs}

    def _workdir(self, rest: str) -> None:
        self.stage.folder = self._inside(self.stage.expand(rest))
        self.stage.folder.mkdir(parents=True, exist_ok=True)

    def _copy(self, rest: str) -> None:
        *sources, last = shlex.split(self.stage.expand(rest))
        into = self._inside(last)
        if sources[0].startswith("--from="):
            stage = self.root.with_name(sources.pop(0).removeprefix("--from="))
            places = [stage / self._inside(source).relative_to(self.root) for source in sources]
        else:
            places = [CHECKOUT / source for source in sources]
        for place in places:
            if place.is_dir():
                shutil.copytree(place, into, symlinks=True, ignore=self._kept_out)
            else:
                assert place.relative_to(CHECKOUT).as_posix() not in self._ignored, place
                shutil.copy2(place, into)

    def _kept_out(self, folder: str, names: list[str]) -> list[str]:
        """For copytree; folders are looked into even where only something below them is kept."""
        here = Path(folder)
        if not here.is_relative_to(CHECKOUT):
            return []
        place = here.relative_to(CHECKOUT)
        files = [name for name in names if not (here / name).is_dir()]
        return [name for name in files if (place / name).as_posix() in self._ignored]

    def _run(self, rest: str) -> None:
        own = self.stage.arguments | self.stage.environment
        no_compiler = {"CC": "false", "CXX": "false"}
        command = ["sh", "-e", "-c", rest]
        env = inherited() | own | no_compiler
        subprocess.run(command, cwd=self.stage.folder, env=env, check=True)

    def _inside(self, path: str) -> Path:
        place = self.stage.folder / path
        assert place.is_relative_to(self.root), f"{path} is not given by an ARG"
        return place


def inherited() -> dict[str, str]:
    """The part of this process's environment that a build is given."""
    return {name: value for name, value in os.environ.items() if INHERITED.fullmatch(name)}
