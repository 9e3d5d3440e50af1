"""What a writer of SQL has to know about each dialect: rules that models often get wrong.

Each is held by a test on its engine.
"""

from __future__ import annotations

from collections.abc import Mapping

RULES: Mapping[str, tuple[str, ...]] = {
    "sqlite": (
        "Quote names with \"double quotes\" and text with 'single quotes'. Names ignore case.",
        "= on text minds case, LIKE does not.",
        "/ between integers cuts off the fraction (1 / 2 is 0): multiply by 1.0, or CAST(x AS REAL).",
        "|| joins text; + only adds numbers.",
        "Dates are text such as '2024-01-31': use date(), strftime('%Y', d), julianday(a) - julianday(b). There is no"
        " YEAR(), DATEDIFF(), EXTRACT or INTERVAL.",
        "LIMIT n OFFSET m; there is no TOP and no FETCH FIRST.",
        "NULL sorts first, unless NULLS LAST is written.",
        "Booleans are 1 and 0. Lists are joined by GROUP_CONCAT(x, ', ').",
    ),
    "duckdb": (
        "Quote names with \"double quotes\" and text with 'single quotes'. Names ignore case, even in quotes.",
        "= and LIKE on text mind case, ILIKE does not.",
        "/ between integers keeps the fraction (1 / 2 is 0.5), // cuts it off.",
        "|| joins text.",
        "Dates: DATE '2024-01-31', d + INTERVAL 1 DAY, year(d), strftime(d, '%Y-%m'), date_diff('day', a, b),"
        " current_date.",
        "LIMIT n OFFSET m.",
        "Every selected column is in GROUP BY (or GROUP BY ALL) or in an aggregate.",
        "NULL sorts last, also with DESC, unless NULLS FIRST is written.",
        "Text is not a number: CAST(x AS DOUBLE), or TRY_CAST where it may not be one.",
        "Lists are joined by string_agg(x, ', ').",
    ),
    "postgres": (
        "Names without quotes are folded to lower case; write \"Name\" where the schema does. Text: 'single quotes'.",
        "= and LIKE on text mind case, ILIKE does not.",
        "/ between integers cuts off the fraction (1 / 2 is 0): cast one of them, x::numeric.",
        "|| joins text.",
        "Dates: DATE '2024-01-31', d + INTERVAL '1 day', EXTRACT(YEAR FROM d), to_char(d, 'YYYY-MM'), CURRENT_DATE;"
        " one date minus another is a number of days.",
        "LIMIT n OFFSET m.",
        "Every selected column is in GROUP BY or in an aggregate. Aliases of SELECT cannot be used in WHERE or HAVING.",
        "ROUND(x, 2) needs numeric: ROUND(x::numeric, 2).",
        "NULL sorts last, with DESC first, unless NULLS FIRST or NULLS LAST is written.",
        "Text is not compared with numbers without a cast. Lists are joined by STRING_AGG(x, ', ').",
    ),
    "mysql": (
        "Quote names with `backticks` and text with 'single quotes'.",
        "= and LIKE on text ignore case, unless the column's collation says otherwise.",
        "/ between integers keeps the fraction (1 / 2 is 0.5), DIV cuts it off.",
        "CONCAT(a, b) joins text; || means OR.",
        "Dates: '2024-01-31', DATE_ADD(d, INTERVAL 1 DAY), YEAR(d), DATE_FORMAT(d, '%Y-%m'), DATEDIFF(a, b) in days,"
        " CURDATE().",
        "LIMIT n OFFSET m; a subquery of IN cannot have a LIMIT.",
        "Every selected column is in GROUP BY, depends on it, or is in an aggregate.",
        "There is no FULL OUTER JOIN. NULL sorts first, with DESC last; there is no NULLS LAST.",
        "CAST knows SIGNED, DECIMAL(10, 2) and CHAR, not INTEGER or VARCHAR. Lists are joined by"
        " GROUP_CONCAT(x SEPARATOR ', ').",
    ),
    "trino": (
        "Quote names with \"double quotes\" and text with 'single quotes'. Names ignore case.",
        "= and LIKE on text mind case; there is no ILIKE: lower(x) LIKE 'abc%'.",
        "/ between integers cuts off the fraction (1 / 2 is 0): CAST(x AS double).",
        "|| joins text; cast other types to varchar first.",
        "Dates: DATE '2024-01-31', d + INTERVAL '1' DAY, year(d), date_format(d, '%Y-%m'), date_diff('day', a, b),"
        " current_date.",
        "OFFSET m comes before LIMIT n.",
        "Every selected column is in GROUP BY or in an aggregate. Aliases of SELECT cannot be used in WHERE, GROUP BY"
        " or HAVING.",
        "NULL sorts last, also with DESC, unless NULLS FIRST is written.",
        "Text is not compared with numbers or dates without CAST, or TRY_CAST where it may fail. Lists are joined by"
        " listagg(x, ', ') WITHIN GROUP (ORDER BY x).",
    ),
}
"""By sqlglot dialect, one sentence or two for each matter."""


def text(dialect: str) -> str:
    """The rules as a list in Markdown; empty for a dialect that has none here."""
    return "\n".join(f"- {rule}" for rule in RULES.get(dialect, ()))
