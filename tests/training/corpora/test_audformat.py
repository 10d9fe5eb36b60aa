"""A database gives the clips that an index would; what it cannot give, or must not, is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from emotion_service.errors import CorpusError, EmotionServiceError
from emotion_service.training.corpora.audformat import database_rows
from emotion_service.training.corpora.corpus import Clip, corpus_folders, read_corpus

audformat: Any = pytest.importorskip("audformat")
pandas: Any = pytest.importorskip("pandas")
# audformat's own, of what it calls in newer versions of pandas.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

FILES = ("wav/a.wav", "wav/b.wav", "wav/c.wav")
EMOTIONS = ("anger", "fear", "neutral")
PEOPLE = {
    "s1": {"gender": "female", "language": "deu"},
    "s2": {"gender": "male", "language": "pol"},
}
Change: TypeAlias = Callable[[Any], None]


def column(database: Any, table: str, name: str, scheme: str | None, values: Any) -> None:
    if table not in database:
        database[table] = audformat.Table(audformat.filewise_index(list(FILES)))
    database[table][name] = audformat.Column(scheme_id=scheme)
    database[table][name].set(list(values))


def database() -> Any:
    """By audEERING's conventions: who spoke is in `files`, facts of a speaker in the header."""
    made = audformat.Database("named-otherwise")
    made.schemes["emotion"] = audformat.Scheme(labels=[*EMOTIONS, "boredom"])
    made.schemes["speaker"] = audformat.Scheme(labels=PEOPLE)
    column(made, "files", "speaker", "speaker", ["s1", "s2", "s1"])
    column(made, "emotion", "emotion", "emotion", EMOTIONS)
    return made


def saved(folder: Path, made: Any, storage: str = "parquet") -> Path:
    (folder / "wav").mkdir(parents=True)
    for file in FILES:
        (folder / file).touch()
    made.save(folder, storage_format=storage)
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(CorpusError) as refused:
        read_corpus(folder)
    return str(refused.value)


def people(rows: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    return [(row["speaker"], row["sex"], row["language"]) for row in rows]


# --- what is read -----------------------------------------------------------------------------


@pytest.mark.parametrize("storage", ["csv", "parquet"])
def test_a_database_gives_the_clips_of_an_index(tmp_path: Path, storage: str) -> None:
    folder = saved(tmp_path / "calls", database(), storage)
    assert read_corpus(folder) == [
        Clip("calls", folder / "wav/a.wav", "s1", "f", "de", "anger"),
        Clip("calls", folder / "wav/b.wav", "s2", "m", "pl", "fear"),
        Clip("calls", folder / "wav/c.wav", "s1", "f", "de", "neutral"),
    ]


def test_facts_of_a_speaker_may_stand_in_a_table_of_their_own(tmp_path: Path) -> None:
    """As in the emodb of audEERING, whose speakers are numbers."""
    made = audformat.Database("emodb", languages=["deu"])
    made.schemes["gender"] = audformat.Scheme(labels=["female", "male"])
    made["speaker"] = audformat.MiscTable(pandas.Index([3, 8], name="speaker", dtype="Int64"))
    made["speaker"]["gender"] = audformat.Column(scheme_id="gender")
    made["speaker"]["gender"].set(["male", "female"])
    made.schemes["speaker"] = audformat.Scheme("int", labels="speaker")
    column(made, "files", "speaker", "speaker", [3, 8, 3])
    column(made, "emotion", "emotion", None, EMOTIONS)
    rows = database_rows(saved(tmp_path / "emodb", made))
    assert people(rows) == [("3", "m", "de"), ("8", "f", "de"), ("3", "m", "de")]


def test_columns_of_a_table_do_without_schemes(tmp_path: Path) -> None:
    made = audformat.Database("plain", languages=["deu", "eng"])
    column(made, "all", "emotion", None, EMOTIONS)
    column(made, "all", "speaker", None, ["ann", "bob", "cem"])
    column(made, "all", "sex", None, ["female", "other", None])
    rows = database_rows(saved(tmp_path / "plain", made))
    assert people(rows) == [("ann", "f", ""), ("bob", "other", ""), ("cem", "", "")]


def test_where_raters_differ_the_gold_standard_is_read(tmp_path: Path) -> None:
    made = database()
    column(made, "emotion", "rater2", "emotion", ["boredom", "boredom", "boredom"])
    column(made, "emotion.gold_standard", "emotion", "emotion", ["anger", "boredom", "anger"])
    rows = database_rows(saved(tmp_path / "calls", made))
    assert [row["emotion"] for row in rows] == ["anger", "boredom", "anger"]


def test_the_tables_of_a_split_are_read_together(tmp_path: Path) -> None:
    made = database()
    made.drop_tables("emotion")
    for name, part in (("train", slice(0, 2)), ("test", slice(2, 3))):
        made[f"emotion.{name}"] = audformat.Table(audformat.filewise_index(list(FILES[part])))
        made[f"emotion.{name}"]["emotion"] = audformat.Column(scheme_id="emotion")
        made[f"emotion.{name}"]["emotion"].set(list(EMOTIONS[part]))
    found = {row["file"]: row["emotion"] for row in database_rows(saved(tmp_path / "a", made))}
    assert found == dict(zip(FILES, EMOTIONS, strict=True))


def test_a_database_with_emotions_is_among_the_corpora(tmp_path: Path) -> None:
    folder = saved(tmp_path / "calls", database())
    made = database()
    made.drop_tables("emotion")
    saved(tmp_path / "unlabelled", made)
    assert corpus_folders(tmp_path) == [folder]


def test_an_index_beside_a_database_is_what_is_read(tmp_path: Path) -> None:
    folder = saved(tmp_path / "calls", database())
    (folder / "index.csv").write_text(
        "file,speaker,sex,language,emotion\nwav/b.wav,bob,m,en,anger\n"
    )
    assert [clip.speaker for clip in read_corpus(folder)] == ["bob"]


# --- what is refused --------------------------------------------------------------------------


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = saved(tmp_path / "calls", database())

    def find_spec(name: str) -> ModuleSpec | None:
        return None if name == "audformat" else sys.modules[name].__spec__

    monkeypatch.setattr("emotion_service.training.corpora.audformat.find_spec", find_spec)
    with pytest.raises(EmotionServiceError) as refused:
        read_corpus(folder)
    assert str(refused.value) == (
        f"{folder} is an audformat database, and audformat is not installed: pip install "
        "'emotion-service[train]', or give the corpus an index.csv"
    )


def test_segments_are_refused(tmp_path: Path) -> None:
    made = database()
    made.drop_tables("emotion")
    index = audformat.segmented_index([FILES[0]] * 2, starts=["0s", "1s"], ends=["1s", "2s"])
    made["moods"] = audformat.Table(index)
    made["moods"]["emotion"] = audformat.Column(scheme_id="emotion")
    made["moods"]["emotion"].set(["anger", "neutral"])
    folder = saved(tmp_path / "calls", made)
    assert refusal(folder) == (
        f"{folder / 'db.yaml'} labels parts of files (tables moods): a clip is a whole file; write "
        "each segment to a file of its own, in a filewise table"
    )


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("emotion", "has no table with a column emotion: a corpus needs both"),
        ("files", "has no table with a column speaker: a corpus needs both"),
    ],
)
def test_a_database_without_emotions_or_speakers_is_refused(
    tmp_path: Path, table: str, said: str
) -> None:
    made = database()
    made.drop_tables(table)
    folder = saved(tmp_path / "calls", made)
    assert refusal(folder) == f"{folder / 'db.yaml'} {said}"


def test_an_emotion_that_its_scheme_does_not_list_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path / "calls", database(), "csv")
    table = folder / "db.emotion.csv"
    table.write_text(table.read_text().replace("fear", "feer"))
    assert refusal(folder) == (
        f"{folder / 'db.yaml'} has 1 files without emotion, or with one that the scheme does not "
        "list, first wav/b.wav: label them, or take them out"
    )


def test_a_file_without_a_speaker_is_refused(tmp_path: Path) -> None:
    made = database()
    made["files"]["speaker"].set(["s1", None, None])
    assert "has 2 files without speaker" in refusal(saved(tmp_path / "calls", made))


def test_an_emotion_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    made = database()
    made.drop_tables("emotion")
    column(made, "emotion", "emotion", None, ["anger", "feer", "neutral"])
    folder = saved(tmp_path / "calls", made)
    assert refusal(folder).startswith(
        f"{folder / 'db.yaml'} has 1 unknown emotions: 'feer' (did you mean fear?); "
    )


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path / "calls", database())
    (folder / FILES[1]).unlink()
    assert "names 1 files that do not exist, first wav/b.wav" in refusal(folder)


def test_raters_who_differ_are_refused(tmp_path: Path) -> None:
    made = database()
    column(made, "emotion", "rater2", "emotion", ["boredom", "boredom", "boredom"])
    said = refusal(saved(tmp_path / "calls", made))
    assert said.startswith(f"{tmp_path / 'calls'} cannot be read (")
    assert said.endswith("one emotion a file, if need be in a table emotion.gold_standard")


# --- what is not trusted ----------------------------------------------------------------------


def test_a_table_that_is_only_pickled_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path / "calls", database(), "pkl")
    assert refusal(folder) == (
        f"{folder} lacks 2 tables of its db.yaml, first db.emotion.csv or .parquet (pickles can "
        'run code and are not read): save the database with storage_format="parquet"'
    )


def test_a_pickle_beside_a_table_is_not_opened(tmp_path: Path) -> None:
    folder = saved(tmp_path / "calls", database())
    made_up = b"cbuiltins\nexec\n(S'raise SystemExit(7)'\ntR."
    for table in ("emotion", "files"):
        (folder / f"db.{table}.pkl").write_bytes(made_up)
    assert [clip.emotion for clip in read_corpus(folder)] == list(EMOTIONS)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("name: !!python/object/apply:sys.exit [7]\n", "could not determine a constructor"),
        ("name: [", "expected the node content"),
        ("- a list\n", "db.yaml cannot be read ("),
        ("name: a\nsource: b\nusage: other\ntables: 3\n", "db.yaml cannot be read ("),
    ],
)
def test_a_header_that_is_no_plain_mapping_is_refused(
    tmp_path: Path, header: str, said: str
) -> None:
    folder = saved(tmp_path / "calls", database())
    (folder / "db.yaml").write_text(header)
    assert said in refusal(folder)


@pytest.mark.parametrize("storage", ["csv", "parquet"])
def test_a_damaged_table_is_refused(tmp_path: Path, storage: str) -> None:
    folder = saved(tmp_path / "calls", database(), storage)
    (folder / f"db.emotion.{storage}").write_text("")
    said = refusal(folder)
    assert said.startswith(f"{folder} cannot be read (")
    assert said.endswith("one emotion a file, if need be in a table emotion.gold_standard")
