"""Strategies that ask a model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from adapters.base import FinishReason
from database_backends.errors import BackendError
from database_backends.result import ExecutionFailure, ResultTable
from evaluation.base.case import Case, Executed
from evaluation.base.execution import failed_prediction
from evaluation.base.strategy import EvaluationStrategy
from evaluation.datasets.base import Question
from evaluation.generation import Asked, ModelSource
from evaluation.judging.ballot import Ballot, JudgeUnreadable, Menu, read_ballot, schema_of
from evaluation.judging.bench import Bench, Judge
from evaluation.judging.panel import Vote, decide, disagree
from evaluation.judging.quoting import quoted, shortened
from evaluation.judging.samples import sample
from evaluation.judging.taxonomy import Category
from evaluation.records import CallRecord
from evaluation.verdicts import FIGURES, JUDGE_CATEGORIES, JUDGE_WHY, JUDGES, Reason, Status, Verdict
from prompts.template import PromptTemplate
from sqlassay.errors import UserError

GRADE = "grade"
"""What a judge's only answer is called."""
USUAL_ROW = 80
"""Characters of a row, for an estimate."""
USUAL_STATEMENT = 300
"""Characters of a statement, for an estimate."""
GIVEN = frozenset({"question", "evidence", "schema", "dialect", "grades", "criteria", "categories"})
"""The variables of every judge's prompt."""


class LLMEvaluator(EvaluationStrategy):
    """Judges by asking models, which must be named: none is the model under test by default.

    This class asks the panel, reads what it says and counts the votes; a subclass says what is shown and what the
    grades mean. Everything that it shows is data: it is quoted before it reaches the prompt, whatever the prompt.

    Args:
        prompt: Name, name@version or file of the prompt; the strategy's own unless given.
        vote: How many judges must agree: `majority` or `unanimous`.
        rows: Rows of each result that the judges are shown.
        variant: Tells two strategies of one name apart; part of the label.
    """

    needs_model: ClassVar[bool] = True
    needs_gold: ClassVar[bool] = False
    own_prompt: ClassVar[str]
    """The prompt's name unless another is given."""
    shows: ClassVar[frozenset[str]] = frozenset()
    """What its prompt may show beside `GIVEN`."""
    subjects: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """What it judges: of each of these variables its prompt must show one."""
    by_criteria: ClassVar[bool] = False
    """Whether it grades by the criteria of the prompt; otherwise there must be none."""

    template: PromptTemplate

    def __init__(self, prompt: str = "", vote: str = "majority", rows: int = 20, variant: str = "") -> None:
        if vote not in list(Vote):
            raise UserError(f"vote is {vote!r}", remedy=f"one of {', '.join(Vote)}")
        if not _is_whole(rows) or rows < 1:
            raise UserError(f"rows is {rows!r}", remedy="a whole number from 1")
        self.judges: tuple[Judge, ...] = ()
        self.vote = Vote(vote)
        self.rows = rows
        self._prompt = prompt or self.own_prompt
        self._variant = variant

    def appoint(self, bench: Bench) -> None:
        """Give it its judges, before it is asked for a verdict or its settings.

        Raises:
            UserError: There is none, two have one name, or the prompt is not one for this strategy.
        """
        if not bench.judges:
            raise no_judge(self.label)
        names = [judge.name for judge in bench.judges]
        for name in names:
            if names.count(name) > 1:
                raise UserError(f"{self.label}: two judges are named {name!r}", remedy="give one of them a `label`")
        self.judges = bench.judges
        self.template = bench.prompt(self._prompt)
        unknown = sorted(self.template.variables - GIVEN - self.shows)
        if unknown:
            raise UserError(
                f"{self.label}: prompt {self.template.ref} shows {', '.join(unknown)}",
                place=str(self.template.path),
                remedy=f"there are {', '.join(sorted(GIVEN | self.shows))}",
            )
        self.check_prompt()

    def check_prompt(self) -> None:
        """Refuse a prompt of another kind: what is said to it would not be understood.

        Raises:
            UserError: It offers too few grades, has criteria that nobody reads, or does not show what is judged.
        """
        if len(self.template.grades) < 2:
            raise self.unfit("offers fewer than two grades", "`grades:` with a description and a score each")
        if self.template.criteria and not self.by_criteria:
            raise self.unfit("grades by criteria, which is for llm_judge_rubric", f"such as {self.own_prompt}")
        for names in self.subjects:
            if not self.template.variables.intersection(names):
                raise self.unfit(f"shows no {' and no '.join(names)}", f"such as {self.own_prompt}")

    def check_scores(self) -> None:
        """Refuse grades that say who is at fault: such a remark is no score of the answer.

        Raises:
            UserError: A grade blames the gold.
        """
        blame = Category.GOLD_MAY_BE_WRONG.value
        if blame in self.template.grades:
            raise self.unfit(f"has the grade {blame!r}, which is for llm_judge_on_fail", f"such as {self.own_prompt}")

    def unfit(self, problem: str, remedy: str) -> UserError:
        """The mistake that the prompt is not one for this strategy."""
        return UserError(
            f"{self.label}: prompt {self.template.ref} {problem}", place=str(self.template.path), remedy=remedy
        )

    @property
    def label(self) -> str:
        """The name, or `name:variant`."""
        return f"{self.name}:{self._variant}" if self._variant else self.name

    @property
    def settings(self) -> Mapping[str, object]:
        """Who judges, by which prompt, and how votes count."""
        return {
            JUDGES: [{"name": judge.name, **judge.identity} for judge in self.judges],
            "prompt": {"ref": self.template.ref, "sha256": self.template.sha256},
            "vote": self.vote.value,
            "rows": self.rows,
        }

    @property
    def menu(self) -> Menu:
        """What a judge is asked about, and the grades it may give."""
        return {GRADE: tuple(self.template.grades)}

    @property
    def categories(self) -> tuple[Category, ...]:
        """What a judge may say is wrong: of a gold only one who is shown it."""
        return tuple(one for one in Category if self.needs_gold or one is not Category.GOLD_MAY_BE_WRONG)

    @abstractmethod
    async def beforehand(self, case: Case) -> Verdict | None:
        """The verdict where no judge is needed; `None` where one is."""

    @abstractmethod
    def shown(self, case: Case) -> Sequence[Mapping[str, str]]:
        """The texts of each request that every judge is sent; they are data, and will be quoted."""

    def facts(self, case: Case) -> Mapping[str, object]:
        """Further variables of the prompt, in words of our own."""
        return {}

    @abstractmethod
    def verdict(self, case: Case, grades: Mapping[str, str]) -> Verdict:
        """What the grades of the panel mean, without evidence."""

    def combine(self, ballots: Sequence[Ballot]) -> Ballot:
        """What one judge says, from its answers to each of the requests; none of them failed."""
        (ballot,) = ballots
        return ballot

    def went_with(self, ballot: Ballot, grades: Mapping[str, str]) -> bool:
        """Whether what one judge found wrong counts for the verdict of the panel."""
        return ballot.grades == grades

    def undecided(self, case: Case, reason: Reason) -> Verdict:
        """The verdict where the panel gives none."""
        return Verdict.of(reason)

    async def evaluate(self, case: Case) -> Verdict:
        """Ask the panel; judges that fail, cannot be read or cannot agree leave the item unscored.

        Raises:
            RunStopped: A judge answers nothing any more, or the budget is spent.
        """
        known = await self.beforehand(case)
        if known is not None:
            return known
        texts = self.shown(case)
        calls: list[CallRecord] = []
        ballots = [await self._ballot(judge, texts, case, calls) for judge in self.judges]
        decided = decide(ballots, self.vote)
        verdict = self.undecided(case, decided) if isinstance(decided, Reason) else self.verdict(case, decided)
        told = self._evidence(ballots, decided)
        figures = {**_mapping(verdict.evidence.get(FIGURES)), **told.pop(FIGURES, {})}
        evidence = {**verdict.evidence, **told, **({FIGURES: figures} if figures else {})}
        return Verdict(verdict.reason, verdict.score, evidence, tuple(calls))

    async def _ballot(
        self, judge: Judge, texts: Sequence[Mapping[str, str]], case: Case, calls: list[CallRecord]
    ) -> Ballot:
        """What one judge says; every answer is noted."""
        ballots = []
        for one in texts:
            ballot = await self._ask(judge, one, case, calls)
            if ballot.failure is not None:
                return ballot
            ballots.append(ballot)
        return self.combine(ballots)

    async def _ask(self, judge: Judge, texts: Mapping[str, str], case: Case, calls: list[CallRecord]) -> Ballot:
        source = judge.source
        assert source is not None  # noqa: S101 - a bench that only names its judges is asked nothing
        try:
            variables = self._variables(texts, self._schema(source, case.question, case.target), case)
        except BackendError as error:
            return Ballot(failure=Reason.BACKEND_DOWN, error=str(error))
        asked = await source.ask(
            self.template,
            case.question,
            case.target,
            variables=variables,
            schema=schema_of(self.menu, self.categories),
            usable=lambda completion: self._read(completion.text, completion.finish_reason).failure is None,
        )
        ballot = self._heard(asked)
        calls.append(CallRecord(self.label, judge.name, ballot.words, asked.record))
        return ballot

    def rehearsed(self, question: Question, target: str) -> Iterator[tuple[ModelSource, Mapping[str, object]]]:
        """For an estimate: whom it would ask, with the variables of each request. What is not known yet is made up.

        Raises:
            BackendError: The schema cannot be read.
        """
        for source in [judge.source for judge in self.judges if judge.source is not None]:
            dialect = source.databases.backend.dialect
            golds = question.golds(dialect)
            if self.needs_gold and not (golds or question.gold_results):
                continue
            table = ResultTable(("column",), ("",), [("x" * USUAL_ROW,)] * self.rows)
            other = Executed(golds[0] if golds else "x" * USUAL_STATEMENT, table)
            case = Case(question, dialect, (other,), other.sql, other, target=target)
            schema = self._schema(source, question, target)
            for texts in self.shown(case):
                yield source, self._variables(texts, schema, case)

    def _schema(self, source: ModelSource, question: Question, target: str) -> str:
        text = source.databases.schema_text(target, question.db_id, self.template.schema)
        return text.about(question.context, source.schema_tokens, source.adapter.model).text

    def _variables(self, texts: Mapping[str, str], schema: str, case: Case) -> dict[str, object]:
        question = {
            "question": _in_its_conversation(case.question),
            "evidence": case.question.evidence,
            "schema": schema,
        }
        return {
            **quoted({**question, **{name: shortened(text) for name, text in texts.items()}}),
            **self.facts(case),
            "grades": _described(self.template.grades),
            "criteria": _described(self.template.criteria),
            "categories": [{"name": one.value, "description": one.description} for one in self.categories],
        }

    def _heard(self, asked: Asked) -> Ballot:
        """The ballot in what was answered; a judge that failed says nothing about the answer."""
        if asked.completion is None:
            settled = asked.settled
            told = "" if settled is None else str(settled.evidence.get("message", settled.reason.words))
            unscored = settled is not None and settled.status is Status.UNSCORED
            reason = settled.reason if settled is not None and unscored else Reason.JUDGE_UNREADABLE
            return Ballot(failure=reason, error=told[:500] or "no answer")
        return self._read(asked.completion.text, asked.completion.finish_reason)

    def _read(self, text: str, finish: FinishReason) -> Ballot:
        if finish is not FinishReason.STOP:
            return Ballot(failure=Reason.JUDGE_UNREADABLE, error=f"its answer ended by: {finish.value}")
        try:
            return read_ballot(text, self.menu, self.categories)
        except JudgeUnreadable as error:
            return Ballot(failure=Reason.JUDGE_UNREADABLE, error=str(error))

    def _evidence(self, ballots: Sequence[Ballot], decided: Mapping[str, str] | Reason) -> dict[str, Any]:
        """What each judge said, and of those who went with the verdict, what they found wrong and why."""
        agreeing = [
            ballot
            for ballot in ballots
            if ballot.failure is None and not isinstance(decided, Reason) and self.went_with(ballot, decided)
        ]
        told: dict[str, Any] = {
            JUDGES: {judge.name: ballot.words for judge, ballot in zip(self.judges, ballots, strict=True)}
        }
        if not isinstance(decided, Reason):
            categories = dict.fromkeys(one.value for ballot in agreeing for one in ballot.categories)
            told[JUDGE_CATEGORIES] = list(categories)
        why = next((ballot.why for ballot in agreeing if ballot.why), "")
        if why:
            told[JUDGE_WHY] = why
        figures = _means([ballot.figures for ballot in ballots if ballot.failure is None])
        differ = disagree(ballots)
        if differ is not None:
            figures["judges disagree in %"] = 100.0 * differ
        if figures:
            told[FIGURES] = figures
        return told

    def result(self, case: Case, *, ordered: bool) -> str:
        """What the statement under test returned, as a judge is shown it."""
        return "" if case.predicted is None else sample(case.predicted.outcome, self.rows, ordered=ordered)


def no_judge(label: str) -> UserError:
    """The mistake that nobody is named who judges."""
    return UserError(
        f"{label} has no judge",
        remedy="name it, `judges: [{adapter: …, model: …}]` beside `strategy` in an experiment file or"
        f" `--strategy {label}:judge=ADAPTER:MODEL`; it is never the model under test by default",
    )


def without_judge(case: Case) -> Verdict | None:
    """The verdict that stands without a gold and without a judge: no statement, or one that does not run."""
    if case.settled is not None:
        return case.settled
    if case.predicted is None:
        return Verdict.of(Reason.NO_SQL)
    outcome = case.predicted.outcome
    return failed_prediction(outcome) if isinstance(outcome, ExecutionFailure) else None


def _in_its_conversation(question: Question) -> str:
    """The question, after the turns before it: alone, *and the others?* can be answered by nobody."""
    earlier = [f"earlier, turn {number}: {turn.text}" for number, turn in enumerate(question.earlier, start=1)]
    return (
        "\n".join([*earlier, f"the question, turn {len(earlier) + 1}: {question.text}"]) if earlier else question.text
    )


def _is_whole(number: object) -> bool:
    """Whether what a file gave as a number is a whole one."""
    return isinstance(number, int)


def _described(offers: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"name": name, "description": offer.description} for name, offer in offers.items()]


def _means(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each figure over the judges that have it."""
    values: dict[str, list[float]] = {}
    for one in figures:
        for name, value in one.items():
            values.setdefault(name, []).append(value)
    return {name: sum(many) / len(many) for name, many in values.items()}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
