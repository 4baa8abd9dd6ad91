"""Files with tables: what was written is read, or the error says where the mistake is."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import os
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlnb.data.tables import read_table
from mlnb.errors import DataError, MissingExtra, UnknownName

WORDS = "Wow... Loved this place.\t1\nCrust is not good.\t0\n"
ANY_FILE = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)


@pytest.fixture
def read(tmp_path: Path):
    """Write a file, read it, and give the frame with what was told."""

    def read(content: str | bytes, *args, name: str = "reviews.txt", **words):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        told: list[str] = []
        frame = read_table(file, *args, tell=told.append, **words)
        assert told == [frame.attrs["read_as"]]
        return frame

    return read


def rows(frame: pd.DataFrame) -> list[list]:
    return [[None if pd.isna(value) else value for value in row] for row in frame.values.tolist()]


# ---------------------------------------------------------------------------------- what is told


def test_a_file_without_names_gets_those_that_are_given(read) -> None:
    frame = read(WORDS, ["Text", "Sentiment"])
    assert frame.to_dict("list") == {
        "Text": ["Wow... Loved this place.", "Crust is not good."],
        "Sentiment": [1, 0],
    }
    assert frame["Sentiment"].dtype == "int64"
    assert frame.attrs["read_as"] == (
        "reviews.txt: 2 rows of 2 columns, UTF-8, divided by TABs, no line of names"
    )
    assert list(read(WORDS)) == ["column_1", "column_2"]


def test_it_prints_how_it_was_read(tmp_path: Path, capsys) -> None:
    (tmp_path / "a.txt").write_text(WORDS)
    read_table(str(tmp_path / "a.txt"))
    assert capsys.readouterr().out.startswith("a.txt: 2 rows of 2 columns")


# --------------------------------------------------------------------------------------- columns

NAMED = "Review,Label,Id\nFine.,1,7\nBad.,0,8\n"


def test_columns_that_the_file_names_are_picked_and_renamed(read) -> None:
    assert list(read(NAMED)) == ["Review", "Label", "Id"]
    assert rows(read(NAMED, ["Id", "Review"])) == [[7, "Fine."], [8, "Bad."]]
    assert list(read(NAMED, {"Label": "label", 0: "text"})) == ["label", "text"]
    assert list(read(WORDS, {1: "label"})) == ["label"]


def test_a_wrong_name_is_answered_with_the_right_one(read) -> None:
    for columns in (["Reviw", "Label"], {"Reviw": "text"}):
        with pytest.raises(UnknownName, match=r"no column 'Reviw'; did you mean 'Review'"):
            read(NAMED, columns)
    with pytest.raises(DataError, match=r"line 1 looks like names, Review, Label, Id, and none"):
        read(NAMED, ["a", "b", "c"])
    assert len(read(NAMED, ["a", "b", "c"], header=False)) == 3
    with pytest.raises(DataError, match=r"line 1: 2 columns, and columns= has 3 names: a, b, c"):
        read(WORDS, ["a", "b", "c"])
    with pytest.raises(DataError, match="cannot have one name; received a, a"):
        read(WORDS, ["a", "a"])


@pytest.mark.parametrize(
    ("content", "has_names"),
    [
        ("text\tlabel\nGood.\tpos\nBad.\tneg\n", True),
        ("Good.\tpos\nBad.\tneg\n", False),
        ("good\tpos\nbad\tneg\nso so\tpos\n", False),
        ("text\tn\nGood\t1\n", True),
        ("1\t2\n3\t4\n", False),
        (",text\n0,Good.\n1,Bad.\n", True),
        ("sentence\nGood one.\nBad one.\n", True),
        ("Hello there\nGood one.\n", False),
        ("Größe,Länge\n1,2\n", True),
    ],
)
def test_names_are_told_from_a_first_row(read, content: str, has_names: bool) -> None:
    frame = read(content)
    assert ("names in the first line" in frame.attrs["read_as"]) == has_names
    assert len(frame) == content.count("\n") - has_names
    assert read(content, header=not has_names).attrs["read_as"] != frame.attrs["read_as"]


def test_names_without_rows_and_names_that_come_twice_are_errors(read) -> None:
    with pytest.raises(DataError, match="no row below the names text, label; if they are a row"):
        read("text,label\n")
    with pytest.raises(DataError, match=r"line 1: column 3 is called 'a', and so is column 1"):
        read("a,b,a\n1,2,3\n", header=True)
    with pytest.raises(DataError, match="without rows"):
        read("[]", name="a.json")


# ----------------------------------------------------------------------------------------- kinds


def test_numbers_are_numbers_and_words_stay_words(read) -> None:
    frame = read(
        "text,id,n,x,yes,gap\n"
        "NA,007,-1,1.5,True,1\n"
        "None,008,20,-2e-3,False,\n"
        "null,9,0,.5,True,NA\n"
        ",10,1,3,False,123456789012345678\n"
    )
    assert rows(frame[["text", "id"]]) == [
        ["NA", "007"], ["None", "008"], ["null", "9"], [None, "10"],
    ]  # fmt: skip
    assert [str(frame[name].dtype) for name in ("n", "x", "yes", "gap")] == [
        "int64", "float64", "bool", "Int64",
    ]  # fmt: skip
    assert frame["gap"].tolist() == [1, pd.NA, pd.NA, 123456789012345678]
    assert frame["x"].tolist() == [1.5, -0.002, 0.5, 3.0]


def test_a_number_too_long_to_be_one_stays_a_text(read) -> None:
    frame = read("a,b\n12345678901234567890,+49123\n1,2\n")
    assert rows(frame) == [["12345678901234567890", "+49123"], ["1", "2"]]


# ------------------------------------------------------------------------- separators and quotes


@pytest.mark.parametrize("sep", ["\t", ";", "|", ","])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_ends_of_lines_are_seen(read, sep: str, end: str) -> None:
    lines = [f"text{sep}label", f"Well done{sep}1", f'"So{sep} and ""so"""{sep}0', ""]
    frame = read(end.join(lines))
    assert rows(frame) == [["Well done", 1], [f'So{sep} and "so"', 0]]


def test_letters_that_look_like_ends_of_lines_are_letters(read) -> None:
    text = "a\u2028b\x85c\x0bd\x0ce"
    assert read(f"{text}\t1\nb\t2\n").iloc[0, 0] == text


def test_a_line_is_a_text_where_nothing_divides(read) -> None:
    frame = read('Good.\nI said, no, never.\n"Best!" she said\n\nok\n')
    assert rows(frame) == [["Good."], ["I said, no, never."], ['"Best!" she said'], ["ok"]]
    assert "a line each" in frame.attrs["read_as"]
    assert "1 blank line passed over" in frame.attrs["read_as"]
    assert rows(read("a\tb\n", sep=None)) == [["a\tb"]]


def test_quotes_that_nothing_closes_are_letters_where_the_lines_are_rows(read) -> None:
    frame = read('"Great place\t1\nso "bad"\t0\nsaid "hi"\t1\nno"\t0\n')
    assert rows(frame) == [['"Great place', 1], ['so "bad"', 0], ['said "hi"', 1], ['no"', 0]]
    assert "quotation marks are letters" in frame.attrs["read_as"]
    held = read('"a\tb\nc"\t1\nd\t2\n', quote='"')
    assert rows(held) == [["a\tb\nc", 1], ["d", 2]]


def test_quotes_around_a_whole_column_are_quotes(read) -> None:
    assert rows(read('"a"\t1\n"b"\t2\n')) == [["a", 1], ["b", 2]]
    assert rows(read('"a"\t1\n"b"\t2\n', quote=None)) == [['"a"', 1], ['"b"', 2]]


@pytest.mark.parametrize(
    ("content", "where", "what"),
    [
        ('text,l\n"a",1\n"b,2\n"c",3\n', "line 3, column 1", "goes on after its end"),
        ('text,l\n"a",1\n"b\nb",2\nc,"d\n', "line 5, column 3", "never closed"),
        ('text,l\n"a, b",1\n"b"x,2\n', "line 3, column 1", "goes on after its end"),
        ('"a"\t1\n"b\t2\n"c"\t3\n', "line 2, column 1", "goes on after its end"),
        ("t,l\na,1\nb,2,3\nc,3\n", "line 3, column 5", "a row of 3 cells, and the first row has 2"),
        ("t,l\na,1\nb\nc,3\n", "line 3, column 2", "a row of 1 cell, and the first row has 2"),
        ('t,l\n"a\nb",1\nb,2,3\nc,3\n', "line 4, column 5", "a row of 3 cells"),
        ("t\tl\r\na\t1\r\n\r\nb\t2\t3\r\n", "line 4, column 5", "a row of 3 cells"),
    ],
)
def test_a_mistake_is_an_error_with_line_and_column(read, content, where, what) -> None:
    with pytest.raises(DataError, match=what) as error:
        read(content, name="reviews.csv")
    assert str(error.value).startswith(f"reviews.csv, {where}: ")


def test_long_cells_are_read_and_csv_s_own_limit_stays(read) -> None:
    before = csv.field_size_limit()
    long = "a " * 150_000
    assert read(f'"{long}",1\nb,2\n').iloc[0, 0] == long
    assert csv.field_size_limit() == before


def test_a_million_columns_are_refused_at_once(read) -> None:
    begun = time.perf_counter()
    with pytest.raises(DataError, match=r"line 1: 1,000,000 columns; the limit is 10,000"):
        read(",".join("x" * 1_000_000) + "\n")
    assert time.perf_counter() - begun < 10


# ------------------------------------------------------------------------------------- encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_tells_the_encoding(read, encoding: str) -> None:
    frame = read("text,label\nÄgypten 😀,1\n".encode(encoding))
    assert frame.to_dict("list") == {"text": ["Ägypten 😀"], "label": [1]}
    big = codecs.BOM_UTF16_BE + "text,label\nÄ,1\n".encode("utf-16-be")
    assert read(big)["text"].tolist() == ["Ä"]


def test_bytes_of_another_encoding_are_an_error_with_a_remedy(read) -> None:
    content = "text,label\nä,1\nsagt café,2\n"
    latin = content.replace("ä", "a").encode("latin-1")
    with pytest.raises(DataError, match=r"line 3, column 9: the byte 0xE9 is no UTF-8; .*latin-1"):
        read(latin)
    assert read(latin, encoding="latin-1")["text"].tolist() == ["a", "sagt café"]
    with pytest.raises(DataError, match="looks like encoding='utf-16-le'"):
        read(content.encode("utf-16-le"))
    assert read(content.encode("utf-16-le"), encoding="utf-16-le")["label"].tolist() == [1, 2]
    with pytest.raises(DataError, match="cannot be decoded: unknown encoding: klingon"):
        read(content, encoding="klingon")
    with pytest.raises(DataError, match=r"line 1, column 1: the byte .* is no UTF-16"):
        read(b"\xff\xfe\x00\xd8a\x00", encoding="auto")


def test_a_nul_has_a_place_too(read) -> None:
    with pytest.raises(DataError, match="line 2, column 3: a NUL, which no text has"):
        read("text,label\nab\0,1\n")


# -------------------------------------------------------------------------------- what is no file


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n \r\n", "nothing but white space"),
        (b"PK\x03\x04rest", "is a zip file, as Excel's are"),
        (b"%PDF-1.7", "is a PDF"),
        (gzip.compress(WORDS.encode())[:-4], "is cut off"),
        (b"\x1f\x8b" + b"x" * 20, "no sound gzip file"),
        (gzip.compress(b""), "is empty"),
    ],
)
def test_what_is_no_table_is_said_to_be_none(read, content: bytes, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read(content)


def test_only_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "a\u202e.csv").write_text("x")
    with pytest.raises(DataError, match=r"is a folder; .* in it: a\\u202e\.csv"):
        read_table(tmp_path)
    with pytest.raises(DataError, match="no file at"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(DataError, match="the path of a file; received DataFrame"):
        read_table(pd.DataFrame())  # type: ignore[arg-type]
    with pytest.raises(DataError, match="cannot be read"):
        read_table("a\0b")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(DataError, match="no regular file"):
            read_table(tmp_path / "pipe")


def test_a_file_over_the_limit_is_not_read_nor_unpacked(read) -> None:
    with pytest.raises(DataError, match=r"limit is 20 B; .* most_bytes=48\)"):
        read(WORDS, most_bytes=20)
    bomb = gzip.compress(b"a\t1\n" * 1_000_000)
    with pytest.raises(DataError, match="unpacked, has"):
        read(bomb, most_bytes=100_000)


def test_gzipped_files_are_tables_as_well(read) -> None:
    assert len(read(gzip.compress(WORDS.encode()) * 2, name="a.tsv.gz")) == 4
    assert len(read(gzip.compress(b'{"a": 1}\n'), name="a.jsonl.gz")) == 1


@pytest.mark.parametrize(
    "words",
    [
        {"sep": "ab"},
        {"sep": '"'},
        {"header": "yes"},
        {"quote": "'"},
        {"columns": "text"},
        {"columns": []},
        {"columns": 3},
    ],
)
def test_words_that_do_not_exist_are_refused(read, words) -> None:
    with pytest.raises((DataError, UnknownName)):
        read(WORDS, **words)


# ------------------------------------------------------------------------------ JSON and Parquet


@pytest.mark.parametrize("name", ["a.jsonl", "a.txt"])
def test_json_lines_and_arrays(read, name: str) -> None:
    lines = '{"text": "a\\nb", "n": 1}\r\n\r\n{"text": "c", "s": [1]}\n'
    frame = read(lines, name=name)
    assert rows(frame) == [["a\nb", 1, None], ["c", None, [1]]]
    assert str(frame["n"].dtype) == "Int64"
    array = "[" + ",".join(lines.split("\r\n\r\n")) + "]"
    assert rows(read(array, name=name)) == rows(frame)
    assert rows(read(array, {"text": "T"}, name=name)) == [["a\nb"], ["c"]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"a": 1}\n{"a": \n', "line 2, column 7: no JSON"),
        ('[{"a": 1},\n {"a" 1}]', "line 2, column 7: no JSON"),
        ('{"a": 1}\n{"a": 1, "a": 2}\n', "line 2: an object with two values for 'a'"),
        ('{"a": 1}\n[1]\n', "row 2: a row is an object"),
        ("[1, 2]", "row 1: a row is an object"),
        ('{"text": {"0": "a"}, "n": {"0": 1}}', "one object, .*orient='records'"),
        ('{"rows": [{"a": 1}]}', "one object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "line 1: "),
        ("Good.\t1\n", "line 1, column 1: no JSON"),
    ],
)
def test_broken_json_is_an_error_with_its_place(read, content: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read(content, name="a.json")


def test_a_text_that_begins_like_json_is_a_text(read) -> None:
    assert rows(read("[sic] Good.\t1\n{what}\t2\n")) == [["[sic] Good.", 1], ["{what}", 2]]


def test_an_object_over_several_lines_is_a_row(read) -> None:
    assert rows(read('{\n "text": "a",\n "n": 1\n}\n', name="a.json")) == [["a", 1]]


def test_half_an_emoji_is_replaced_and_told(read) -> None:
    frame = read('{"a": "x\\ud83d"}\n{"a": "\\ud83d\\ude00"}\n')
    assert rows(frame) == [["x\ufffd"], ["😀"]]
    assert "1 broken letter replaced by" in frame.attrs["read_as"]


def test_numbers_too_large_for_a_column_stay_whole(read) -> None:
    assert read(f'{{"a": {2**70}}}\n').iloc[0, 0] == 2**70


def test_parquet_names_what_reads_it(tmp_path: Path, read, monkeypatch) -> None:
    def missing(_: object) -> None:
        raise ImportError("no pyarrow")

    monkeypatch.setattr(pd, "read_parquet", missing)
    with pytest.raises(MissingExtra, match="pip install pyarrow"):
        read(b"PAR1....PAR1")


def test_parquet_is_read_where_pyarrow_is(tmp_path: Path, read) -> None:
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"text": ["a", None], "n": [1, 2]}, index=[5, 9])
    frame.to_parquet(tmp_path / "a.parquet")
    again = read_table(tmp_path / "a.parquet", {"text": "T"}, tell=lambda _: None)
    assert rows(again) == [["a"], [None]]
    with pytest.raises(DataError, match="no sound Parquet file"):
        read(b"PAR1....PAR1")


# ------------------------------------------------------------------------------- there and back

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6)
)


def as_text(frame: pd.DataFrame) -> list[list[str]]:
    return [
        ["" if pd.isna(cell) else str(cell) for cell in row] for row in frame.astype(object).values
    ]


@ANY_FILE
@given(TABLES, st.sampled_from(",;|\t"), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_what_csv_writes_is_read_back(read, table, sep, end, quote_all) -> None:
    content = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    if not quote_all:  # of CR and LF csv quotes those only that are in the end of a line
        end = "\r\n"
    writer = csv.writer(content, delimiter=sep, lineterminator=end, quoting=quoting)
    writer.writerows([[f"z{cell}" for cell in row] for row in table])
    frame = read(content.getvalue(), sep=sep, header=False, quote='"')
    assert as_text(frame) == [[f"z{cell}" for cell in row] for row in table]


@ANY_FILE
@given(TABLES)
def test_without_a_word_it_is_the_table_or_an_error(read, table) -> None:
    wanted = [[f"z{cell}" for cell in row] for row in table]
    content = io.StringIO(newline="")
    csv.writer(content).writerows([["text", "label", "part", "id"][: len(table[0])], *wanted])
    with suppress(DataError):
        assert as_text(read(content.getvalue(), name="a.csv")) == wanted


@ANY_FILE
@given(
    st.lists(
        st.tuples(
            CELLS.map(lambda cell: "x" + cell.replace("\r", "")),
            st.integers(-(10**17), 10**17),
            st.floats(allow_nan=False),
            st.booleans(),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_what_pandas_writes_is_read_back_in_its_kinds(read, table) -> None:
    frame = pd.DataFrame(table, columns=["text", "n", "x", "yes"])
    again = read(frame.to_csv(index=False), name="a.csv")
    pd.testing.assert_frame_equal(again, frame, check_dtype=True)
    lines = read(frame.to_json(orient="records", lines=True, double_precision=15))
    assert lines[["text", "n", "yes"]].equals(frame[["text", "n", "yes"]])


@ANY_FILE
@given(st.binary(max_size=60))
def test_no_bytes_do_more_than_an_error(read, content: bytes) -> None:
    for words in ({}, {"sep": None, "encoding": "latin-1"}):
        with suppress(DataError, MissingExtra):
            assert len(read(content, **words)) > 0


# ------------------------------------------------------------------------------------ real files


def test_a_hundred_thousand_rows_take_less_than_a_second(read) -> None:
    line = '"This is, sentence {} and it was good",{},{}.5\n'
    content = "text,label,x\n" + "".join(line.format(n, n % 2, n) for n in range(100_000))
    begun = time.process_time()
    assert len(read(content, name="a.csv")) == 100_000
    assert time.process_time() - begun < 1.5


@pytest.mark.skipif("MLNB_DATA" not in os.environ, reason="needs MLNB_DATA")
def test_the_real_files() -> None:
    folder = Path(os.environ["MLNB_DATA"]) / "text"
    yelp = read_table(folder / "yelp_labelled.txt", ["Text", "Sentiment"], tell=lambda _: None)
    assert len(yelp) == 1000
    assert yelp["Sentiment"].sum() == 500
    assert yelp["Text"][764] == "I'm so happy to be here!!!\""
    sick = read_table(folder / "sick" / "SICK_train.txt", tell=lambda _: None)
    assert sick["relatedness_score"].between(1, 5).all()
    assert len(sick) == 4500
