"""Rewrites that keep a statement's meaning never move a verdict, nor the guard. Over all golds of Spider."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlglot import exp, parse_one

from database_backends import guard
from database_backends.result import Limits
from database_backends.runner import Runner, default_workers
from evaluation.databases import Databases
from evaluation.datasets.opening import open_dataset
from evaluation.records import ItemRecord
from evaluation.scoring import score
from evaluation.strategies.making import make_strategy
from evaluation.verdicts import Status

pytestmark = [pytest.mark.data, pytest.mark.timeout(300)]

LIMITS = Limits(seconds=20)


def comments(sql: str) -> str:
    return f"/* the answer; */ -- really\n{sql.rstrip().rstrip(';')} ; -- done"


def parentheses(sql: str) -> str | None:
    tree = parse_one(sql, read="sqlite")
    wheres = list(tree.find_all(exp.Where))
    for where in wheres:
        where.set("this", exp.Paren(this=exp.Paren(this=where.this)))
    return tree.sql("sqlite") if wheres else None


def commuted_conditions(sql: str) -> str | None:
    tree = parse_one(sql, read="sqlite")
    found = [*tree.find_all(exp.And), *tree.find_all(exp.Or), *tree.find_all(exp.EQ)]
    for node in found:
        left, right = node.this, node.expression
        node.set("this", right)
        node.set("expression", left)
    return tree.sql("sqlite") if found else None


def commuted_join(sql: str) -> str | None:
    tree = parse_one(sql, read="sqlite")
    joins = tree.args.get("joins") or []
    plain = len(joins) == 1 and not joins[0].side and joins[0].args.get("on") is not None
    if not isinstance(tree, exp.Select) or not plain or tree.is_star:
        return None
    source = tree.args["from_"]
    first, second = source.this, joins[0].this
    source.set("this", second)
    joins[0].set("this", first)
    return tree.sql("sqlite")


def output_names(sql: str) -> str | None:
    tree = parse_one(sql, read="sqlite")
    if not isinstance(tree, exp.Select) or tree.is_star or any(output.alias for output in tree.expressions):
        return None
    outputs = [exp.alias_(output, f"renamed_{place}") for place, output in enumerate(tree.expressions)]
    tree.set("expressions", outputs)
    return tree.sql("sqlite")


def reversed_outputs(sql: str) -> str | None:
    tree = parse_one(sql, read="sqlite")
    by_place = any(isinstance(order.this, exp.Literal) for order in tree.find_all(exp.Ordered))
    if not isinstance(tree, exp.Select) or len(tree.expressions) < 2 or by_place:
        return None
    tree.set("expressions", tree.expressions[::-1])
    return tree.sql("sqlite")


def common_table(sql: str) -> str | None:
    tree = parse_one(sql, read="sqlite")
    if tree.args.get("order") or tree.args.get("limit"):
        return None
    return f"WITH answer AS ({tree.sql('sqlite')}) SELECT * FROM answer"


def derived_table(sql: str) -> str | None:
    tree = parse_one(sql, read="sqlite")
    if tree.args.get("order") or tree.args.get("limit"):
        return None
    return f"SELECT * FROM ({tree.sql('sqlite')}) AS answer"


def union_all_split(sql: str) -> str | None:
    tree = parse_one(sql, read="sqlite")
    parts = ("order", "limit", "group", "having", "distinct", "joins")
    if not isinstance(tree, exp.Select) or any(tree.args.get(part) for part in parts):
        return None
    source = tree.args["from_"].this
    if not isinstance(source, exp.Table) or any(tree.find_all(exp.AggFunc)):
        return None
    name = source.alias_or_name
    halves = [tree.copy().where(f"{name}.rowid % 2 = {rest}", dialect="sqlite").sql("sqlite") for rest in (0, 1)]
    return " UNION ALL ".join(halves)


REWRITES: dict[str, tuple[Callable[[str], str | None], int]] = {
    "comments": (comments, 972),
    "parentheses": (parentheses, 400),
    "commuted conditions": (commuted_conditions, 550),
    "commuted join": (commuted_join, 200),
    "output names": (output_names, 800),
    "outputs reversed": (reversed_outputs, 150),
    "common table": (common_table, 600),
    "derived table": (derived_table, 600),
    "UNION ALL split": (union_all_split, 80),
}
"""Each with the number of golds that it changes at least: a rewrite that changes nothing would prove nothing."""


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner(default_workers(), megabytes=LIMITS.megabytes) as runner:
        yield runner


@pytest.mark.parametrize("name", REWRITES)
def test_no_verdict_moves(name: str, data: Path, runner: Runner) -> None:
    rewrite, at_least = REWRITES[name]
    dataset = open_dataset(f"spider:{data / 'spider'}")
    rewritten = {}
    questions = []
    for question in dataset.questions():
        sql = rewrite(question.gold[0])
        if sql is not None and dataset.database(question.db_id, (".sqlite",)):
            guard.check(sql, "sqlite")
            rewritten[question.id] = sql
            questions.append(question)
    assert len(questions) >= at_least

    records: list[ItemRecord] = []
    strategies = [make_strategy("execution_match")]
    asyncio.run(
        score(
            questions,
            rewritten,
            Databases(dataset, "sqlite"),
            strategies,
            runner,
            records.append,
            limits=LIMITS,
            gold_limits=LIMITS,
        )
    )
    moved = {r.sql: r.verdicts[0].reason.value for r in records if r.verdicts[0].status is not Status.CORRECT}
    assert moved == {}
    assert Counter(r.verdicts[0].status for r in records)[Status.CORRECT] == len(questions)
