"""audformat databases (https://audeering.github.io/audformat), read as the rows of an index.

| of a clip | is                                                                           |
|-----------|------------------------------------------------------------------------------|
| file      | the index of the tables that hold its emotion                                |
| emotion   | a column `emotion`, or of the scheme `emotion`; of tables named              |
|           | `….gold_standard` alone, if there are such                                   |
| speaker   | a column, or of the scheme, `speaker`                                        |
| sex       | `gender`, else `sex`: a column, or a field of the speaker's labels; may lack |
| language  | `language`, likewise; else the database's, if it has just one; may lack      |

Tables are read from CSV or Parquet. A pickle can run code when it is read, and so can a YAML header
with tags; neither is trusted.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from emotion_service.errors import CorpusError, EmotionServiceError

HEADER = "db.yaml"
GOLD_STANDARD = ".gold_standard"
SEXES = {"female": "f", "male": "m"}
DAMAGE = (AttributeError, LookupError, TypeError, ValueError)  # what audformat raises where it is


def holds_emotions(folder: Path) -> bool:
    """Whether a database has a table with emotions. For errors, see database_rows."""
    return bool(_tables_with(_header(folder), "emotion"))


def database_rows(folder: Path) -> list[dict[str, str]]:
    """The rows of a database: file (from `folder` on), speaker, sex, language, emotion.

    Raises:
        EmotionServiceError: the extra [train] is not installed.
        CorpusError: the database is damaged or lacks a table, labels parts of files, or has a file
            without an emotion or a speaker, or with several.
    """
    header = _header(folder)
    lacks = [name for name in ("emotion", "speaker") if not _tables_with(header, name)]
    if lacks:
        raise CorpusError(
            f"{folder / HEADER} has no table with a column {' and none with '.join(lacks)}: a "
            "corpus needs both"
        )
    _refuse_segments(folder, header)
    _refuse_missing(folder, header)
    found = _values(folder, _gold(header))
    for name in ("emotion", "speaker"):
        empty = [row["file"] for row in found if not row[name]]
        if empty:
            raise CorpusError(
                f"{folder / HEADER} has {len(empty)} files without {name}, or with one that the "
                f"scheme does not list, first {empty[0]}: label them, or take them out"
            )
    usual = str(header.languages[0]) if len(header.languages) == 1 else ""
    return [_row(values, usual) for values in found]


def _header(folder: Path) -> Any:
    """A database that knows its tables by name and columns, but not what they hold."""
    if find_spec("audformat") is None:
        raise EmotionServiceError(
            f"{folder} is an audformat database, and audformat is not installed: pip install "
            "'emotion-service[train]', or give the corpus an index.csv"
        )
    import audformat  # noqa: PLC0415
    import yaml  # noqa: PLC0415

    path = folder / HEADER
    try:
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))
        return audformat.Database.load_header_from_yaml(plain)
    except (yaml.YAMLError, *DAMAGE) as error:
        raise CorpusError(
            f"{path} cannot be read ({_line(error)}): give it as audformat saves it"
        ) from error


def _tables_with(header: Any, name: str) -> list[str]:
    """The tables with a column of this name or scheme."""
    return [
        table
        for table, content in header.tables.items()
        if any(name in (column, about.scheme_id) for column, about in content.columns.items())
    ]


def _gold(header: Any) -> list[str]:
    """The tables with the emotions on which raters agreed, if any are marked so, else all."""
    tables = _tables_with(header, "emotion")
    return [table for table in tables if table.endswith(GOLD_STANDARD)] or tables


def _refuse_segments(folder: Path, header: Any) -> None:
    used = {*_gold(header), *_tables_with(header, "speaker")}
    parts = sorted(name for name in used if header.tables[name].is_segmented)
    if parts:
        raise CorpusError(
            f"{folder / HEADER} labels parts of files (tables {', '.join(parts)}): a clip is a "
            "whole file; write each segment to a file of its own, in a filewise table"
        )


def _refuse_missing(folder: Path, header: Any) -> None:
    gone = [
        name
        for name in (*header.tables, *header.misc_tables)
        if not any((folder / f"db.{name}.{kind}").is_file() for kind in ("csv", "parquet"))
    ]
    if gone:
        raise CorpusError(
            f"{folder} lacks {len(gone)} tables of its {HEADER}, first db.{gone[0]}.csv or "
            ".parquet (pickles can run code and are not read): save the database with "
            'storage_format="parquet"'
        )


def _values(folder: Path, tables: list[str]) -> list[dict[str, str]]:
    """What audformat finds, "" for nothing, from a copy without pickles, which it would prefer."""
    import audformat  # noqa: PLC0415

    fields = ("speaker", "gender", "sex", "language")
    with TemporaryDirectory() as copy:
        for path in folder.glob("db.*"):
            if path.suffix in (".yaml", ".csv", ".parquet"):
                shutil.copy(path, copy)
        try:
            frame = audformat.Database.load(copy).get("emotion", fields, tables=tables)
        except DAMAGE as error:
            said = _line(error).replace(copy, str(folder))
            raise CorpusError(
                f"{folder} cannot be read ({said}): give it as audformat saves it, and one emotion "
                f"a file, if need be in a table emotion{GOLD_STANDARD}"
            ) from error
    plain = frame.astype(object).where(frame.notna(), "").reset_index()
    return [
        {name: str(value) for name, value in row.items()} for row in plain.to_dict(orient="records")
    ]


def _row(values: Mapping[str, str], language: str) -> dict[str, str]:
    sex = values["gender"] or values["sex"]
    return {
        "file": values["file"],
        "speaker": values["speaker"],
        "sex": SEXES.get(sex, sex),
        "language": _two_letters(values["language"] or language),
        "emotion": values["emotion"],
    }


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _two_letters(language: str) -> str:
    """The shorter of a language's codes: deu is de elsewhere."""
    import iso639  # noqa: PLC0415  (audformat brings it)

    return iso639.Lang(language).pt1 or language if iso639.is_language(language) else language
