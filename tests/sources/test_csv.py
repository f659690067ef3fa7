"""CSV through the public door: layouts, encodings, words for missing, and mistakes."""

import csv
import gzip
import io

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nervura.errors import SourceError
from nervura.parsing import DOUBTFUL_WORDS, MISSING_WORDS, infer_parsing, parse
from nervura.sources import read


def write(folder, content, name="table.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def columns(folder, content, name="table.csv"):
    return read(write(folder, content, name)).frame.collect().to_dict(as_series=False)


def message(folder, content, name="table.csv"):
    with pytest.raises(SourceError) as caught:
        read(write(folder, content, name)).frame.collect()
    return str(caught.value)


def test_columns_are_trimmed_strings_with_missing_words_null(tmp_path):
    found = read(write(tmp_path, "age,job\n 39 , clerk\n?,NA\n41,\n"))
    assert isinstance(found.frame, pl.LazyFrame)
    assert found.frame.collect().to_dict(as_series=False) == {"age": ["39", None, "41"], "job": ["clerk", None, None]}
    assert (found.name, found.origin) == ("table", str(tmp_path / "table.csv"))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_finds_the_separator(tmp_path, separator):
    text = f"a{separator}b\n1,5 and {separator}x\n2,5{separator}y\n" if separator != "," else "a,b\n1|5,x;\n2,y\n"
    found = read(write(tmp_path, text))
    assert found.reading["separator"] == separator
    assert found.frame.collect().shape == (2, 2)


def test_semicolons_win_over_decimal_commas(tmp_path):
    found = read(write(tmp_path, "preço;peso\n1,5;2,25\n3,5;4,75\n"))
    assert found.reading["separator"] == ";"
    assert found.reading["decimal"] == ","


def test_the_hint_of_excel_is_not_a_row(tmp_path):
    assert columns(tmp_path, "sep=;\na;b\n1;2\n") == {"a": ["1"], "b": ["2"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_finds_the_encoding(tmp_path, encoding):
    found = read(write(tmp_path, "cidade,país\nSão Paulo,Brasil\nZürich,Schweiz\n".encode(encoding)))
    assert found.frame.collect()["cidade"].to_list() == ["São Paulo", "Zürich"]
    assert found.frame.collect_schema().names() == ["cidade", "país"]
    assert bool(found.notes) == (encoding == "cp1252")


def test_latin_letters_late_in_a_long_file(tmp_path):
    path = write(tmp_path, b"a,b\n" + b"plain,1\n" * 300_000 + "café,2\n".encode("latin-1"))
    assert read(path).frame.tail(1).collect()["a"].item() == "café"


def test_cyrillic_is_not_read_as_accents(tmp_path):
    pytest.importorskip("charset_normalizer")
    text = "имя,город\n" + "Наталья Петрова,Москва большая столица\nИван Сидоров,Санкт Петербург на реке\n" * 20
    assert read(write(tmp_path, text.encode("cp1251"))).frame.collect()["имя"][1] == "Иван Сидоров"


def test_compressed(tmp_path):
    zstandard = pytest.importorskip("zstandard")
    text = b"a,b\n1,2\n3,4\n"
    assert columns(tmp_path, gzip.compress(text), "t.csv.gz") == {"a": ["1", "3"], "b": ["2", "4"]}
    frames = zstandard.compress(text) + zstandard.compress(b"5,6\n")
    found = read(write(tmp_path, frames, "t.csv.zst"))
    assert found.frame.collect()["a"].to_list() == ["1", "3", "5"]
    assert (found.name, found.reading["compression"]) == ("t", "zstd")


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_a_compressed_file_cut_off(tmp_path, kind):
    text = "".join(f"{number},{number * number % 9973}\n" for number in range(5000)).encode()
    whole = gzip.compress(text) if kind == "gz" else pytest.importorskip("zstandard").compress(text)
    assert "cut off" in message(tmp_path, whole[: len(whole) // 2], f"t.csv.{kind}")


def test_the_same_compressed_file_is_unpacked_once_and_again_when_it_changes(tmp_path):
    path = write(tmp_path, gzip.compress(b"a,b\n1,2\n"), "t.csv.gz")
    read(path)
    path.write_bytes(gzip.compress(b"a,b\n1,2\n33,44\n"))
    assert read(path).frame.collect().height == 2


def test_quotes_newlines_and_stray_quotes(tmp_path):
    text = 'name,size\n"a, ""b""",2\n"two\nlines",3\n'
    assert columns(tmp_path, text)["name"] == ['a, "b"', "two\nlines"]
    assert columns(tmp_path, 'pipe,n\n5" pipe,2\nsmall,3\n', "inch.csv")["pipe"] == ['5" pipe', "small"]
    assert columns(tmp_path, 'a,b\n1, "x, y"\n2, "z"\n', "space.csv")["b"] == ["x, y", "z"]
    assert columns(tmp_path, 'a\tb\n"open\t2\n3\t4\n', "open.tsv")["a"] == ['"open', "3"]
    assert columns(tmp_path, "a,b\n'x, y',1\n'z',2\n", "single.csv")["a"] == ["x, y", "z"]
    assert columns(tmp_path, "a,b\nit's,1\n'tis,2\n", "apostrophe.csv")["a"] == ["it's", "'tis"]


def test_line_ends_and_blank_lines(tmp_path):
    expected = {"a": ["1", "3"], "b": ["2", "4"]}
    assert columns(tmp_path, "a,b\r\n1,2\r\n3,4\r\n") == expected
    assert columns(tmp_path, "a,b\r1,2\r3,4\r", "old.csv") == expected
    assert columns(tmp_path, "\n\na,b\n1,2\n\n3,4\n\n\n", "blank.csv") == expected
    assert columns(tmp_path, "a,b\n1,2\n3,4", "open.csv") == expected
    assert columns(tmp_path, "a,b\n1,2\n,\n3,4\n", "empty.csv")["a"] == ["1", None, "3"]


def test_doubtful_words_are_missing_only_among_numbers_and_dates(tmp_path):
    found = read(write(tmp_path, "n,word,day\n1,None,2024-01-02\nnone,some,-\n3,-,2024-02-03\n4,x,2024-02-04\n"))
    frame = found.frame.collect()
    assert frame["n"].null_count() == 1
    assert frame["day"].null_count() == 1
    assert frame["word"].to_list() == ["None", "some", "-", "x"]
    assert found.reading["null_words_in"] == {"n": ["none"], "day": ["-"]}


def test_namibia_is_a_country(tmp_path):
    codes = ["NA", "BR", "DE", "US", "FR", "IT", "ES", "PT", "NL", "BE", "AT", "ZA"]
    found = read(write(tmp_path, "code,n\n" + "".join(f"{code},1\n" for code in codes)))
    assert found.frame.collect()["code"].to_list() == codes
    assert any("'NA'" in note for note in found.notes)


def test_names_that_are_blank_or_equal(tmp_path):
    found = read(write(tmp_path, ",a,a,a_2\n1,2,3,4\n"))
    assert found.frame.collect_schema().names() == ["column_1", "a", "a_3", "a_2"]
    assert len(found.notes) == 2


def test_a_file_without_a_header(tmp_path):
    found = read(write(tmp_path, "5.1,3.5,setosa\n4.9,3.0,setosa\n7.0,3.2,versicolor\n", "iris.data"))
    assert found.frame.collect()["column_3"].to_list() == ["setosa", "setosa", "versicolor"]
    assert not found.reading["has_header"] and "header" in found.notes[0]
    assert columns(tmp_path, "country,1990,1991\nBR,1,2\nDE,3,4\n")["1990"] == ["1", "3"]


def test_one_column_and_a_text_file(tmp_path):
    assert columns(tmp_path, "name\nAna Lima\nRui Paz\n") == {"name": ["Ana Lima", "Rui Paz"]}
    assert columns(tmp_path, "a\tb\n1\t2\n", "t.txt") == {"a": ["1"], "b": ["2"]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        (" \n \n", "white space"),
        ("a,b\n", "one line alone: a, b"),
        ("a,b\n1,2\n3\n4,5\n", "line 3 .* has 1"),
        ("a,b\n1,2\n3,4\n4,5,6\n", "line 4 .* has 3"),
        ('a,b\n"x\ny",2\n3,4\n4,5,6\n', "line 5 .* has 3"),
        (b"PK\x03\x04\0\0\0", "Excel"),
        (bytes(range(256)) * 4, "binary"),
    ],
)
def test_mistakes_are_told(tmp_path, content, words):
    with pytest.raises(SourceError, match=words):
        read(write(tmp_path, content))


def test_ragged_rows_far_down_and_quotes_left_open(tmp_path):
    path = write(tmp_path, "a,b\n" + "1,2\n" * 500_000 + "1,2,3\n" + "1,2\n" * 10)
    with pytest.raises(SourceError, match="line 500002 .* has 3"):
        read(path)
    path = write(tmp_path, 'a,b\n"q, r",2\n' + "1,2\n" * 400_000 + '1,"2\n' + "1,2\n" * 10)
    with pytest.raises(SourceError, match="line 400003"):
        read(path)


def test_no_such_file(tmp_path):
    write(tmp_path, "a,b\n1,2\n", "sales.csv")
    with pytest.raises(SourceError, match="no file .*Did you mean 'sales.csv'"):
        read(tmp_path / "sale.csv")
    with pytest.raises(SourceError, match="no folder"):
        read(tmp_path / "nowhere" / "sales.csv")


def test_reading_is_json(tmp_path):
    import json

    found = read(write(tmp_path, "a;b\n1;2\n"))
    assert json.loads(json.dumps(found.reading)) == found.reading
    assert found.reading | {"separator": ";", "quote": '"', "encoding": "utf-8", "compression": None} == found.reading


words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp", "Cn", "Cf"))
    | st.sampled_from(" ,;|\t\n\"'"),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(words, words, words), min_size=1, max_size=8),
    separator=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_odd_tables_come_back(tmp_path, rows, separator, line_end):
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([("first", "second", "third"), *rows])
    frame = read(write(tmp_path, buffer.getvalue())).frame.collect()
    missing = {*MISSING_WORDS, *DOUBTFUL_WORDS, None}
    expected = [tuple(None if word.strip() in missing else word.strip() for word in row) for row in rows]
    found = [tuple(None if word in missing else word for word in row) for row in frame.rows()]
    assert found == expected


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    numbers=st.lists(st.floats(-1e6, 1e6).map(lambda number: round(number, 2)), min_size=3, max_size=8, unique=True),
    decimal=st.sampled_from(".,"),
)
def test_numbers_in_both_decimal_forms(tmp_path, numbers, decimal):
    other = "," if decimal == "." else "."
    text = [f"{n:,.2f}".replace(",", "_").replace(".", decimal).replace("_", other) for n in numbers]
    content = "value;word\n" + "".join(f"{number};w\n" for number in text)
    found = read(write(tmp_path, content))
    values = found.frame.collect()["value"]
    parsing = infer_parsing(values.unique(), decimal=found.reading["decimal"])
    assert found.frame.select(parse(pl.col("value"), parsing)).collect()["value"].to_list() == numbers


pieces = st.sampled_from(
    [b"a", b"1.5", b",", b";", b"\n", b"\r\n", b'"', b"'", b" ", b"\t", b"\xe9", b"NA", b"sep=;\n", b"\r"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.lists(pieces, max_size=30).map(b"".join), st.binary(max_size=60)))
def test_any_bytes_are_read_or_refused_in_words(tmp_path, content):
    try:
        read(write(tmp_path, content)).frame.collect()
    except SourceError as error:
        assert str(error).endswith((".", "gzip", "normalizer"))
