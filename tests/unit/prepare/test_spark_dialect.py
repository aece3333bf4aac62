"""Statements as Spark is to read them."""

from __future__ import annotations

import pytest

from recsys.prepare.spark.dialect import in_spark, parsed, table_names


@pytest.mark.parametrize(
    ("statement", "translated"),
    [
        (
            'SELECT * EXCLUDE (a) FROM t ANTI JOIN u USING (b) ORDER BY "user"',
            "SELECT * EXCEPT (a) FROM t ANTI JOIN u USING (b) ORDER BY `user` NULLS LAST",
        ),
        ("SELECT seq >> 40 FROM t WHERE x <= $limit", "SELECT SHIFTRIGHT(seq, 40) FROM t WHERE x <= 10"),
        ("SELECT a FROM t WHERE r >= $least", "SELECT a FROM t WHERE r >= CAST('2.5' AS DOUBLE)"),
        ("SELECT a FROM t WHERE s = $word", "SELECT a FROM t WHERE s = 'it\\'s'"),
        ("SELECT a FROM t WHERE $nothing IS NULL", "SELECT a FROM t WHERE NULL IS NULL"),
        ("SELECT a FROM t WHERE list_contains($words, k)", "SELECT a FROM t WHERE ARRAY_CONTAINS(ARRAY('a', 'b'), k)"),
        ("SELECT hash(a, b) FROM t", "SELECT XXHASH64(a, b) FROM t"),
        ("SELECT row_number() OVER () FROM t", "SELECT ROW_NUMBER() OVER (ORDER BY NULL NULLS LAST) FROM t"),
        (
            "SELECT row_number() OVER (PARTITION BY a ORDER BY b DESC) FROM t",
            "SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY b DESC) FROM t",
        ),
    ],
)
def test_translations(statement: str, translated: str) -> None:
    values = {"limit": 10, "least": 2.5, "word": "it's", "nothing": None, "words": ["a", "b"]}
    assert in_spark(parsed(statement), values) == translated


def test_a_parameter_needs_a_value() -> None:
    with pytest.raises(KeyError):
        in_spark(parsed("SELECT $a"), {})


def test_tables_of_a_statement() -> None:
    statement = (
        "CREATE TABLE new AS WITH w AS (SELECT * FROM a) SELECT * FROM w JOIN b USING (x) SEMI JOIN (SELECT 1 FROM c)"
    )
    assert table_names(parsed(statement)) == {"new", "a", "b", "c"}
