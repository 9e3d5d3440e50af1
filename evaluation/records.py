"""What is written down about one item: the lines of `items.jsonl`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from database_backends.result import ExecutionFailure, Outcome
from evaluation.verdicts import Reason, Status, Verdict

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass(frozen=True)
class VerdictRecord:
    """One strategy's verdict.

    Attributes:
        strategy: The strategy's label, such as `execution_match:bird`.
        status: `correct`, `incorrect` or `unscored`.
        score: Between 0 and 1.
        reason: From the closed vocabulary.
        evidence: What shows it.
    """

    strategy: str
    status: Status
    score: float
    reason: Reason
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, strategy: str, verdict: Verdict) -> VerdictRecord:
        """The record of a verdict."""
        return cls(strategy, verdict.status, verdict.score, verdict.reason, verdict.evidence)

    @property
    def verdict(self) -> Verdict:
        """The verdict that this is the record of."""
        return Verdict(self.reason, self.score, self.evidence)


@dataclass(frozen=True)
class VerdictLine(VerdictRecord):
    """One line of `verdicts.jsonl`: a verdict with the question that it is about.

    Attributes:
        id: The question's id.
        db_id: The question's database.
    """

    id: str = ""
    db_id: str = ""

    def to_json(self) -> dict[str, Any]:
        """As JSON types, the question first."""
        return {"id": self.id, "db_id": self.db_id, **vars(self)}


@dataclass(frozen=True)
class ExecutionRecord:
    """One executed statement, without its rows.

    Attributes:
        sql: The statement.
        rows: Rows that came back; `None` when it failed.
        truncated: Whether rows were left out because a limit was reached.
        seconds: Wall-clock time of execution and fetching.
        failure: What kind of failure it was; `None` when it ran.
        message: The engine's words about the failure.
        cached: Whether the result was known from before.
        source: The name of the file that the result is from, when there is no statement; `sql` is then empty.
    """

    sql: str
    rows: int | None = None
    truncated: bool = False
    seconds: float = 0.0
    failure: str | None = None
    message: str | None = None
    cached: bool = False
    source: str | None = None

    @classmethod
    def of(cls, sql: str, outcome: Outcome, *, cached: bool = False, source: str | None = None) -> ExecutionRecord:
        """The record of an execution, or of a result from a file."""
        seconds = round(outcome.seconds, 6)
        if isinstance(outcome, ExecutionFailure):
            kind, message = outcome.kind.value, outcome.message[:500]
            return cls(sql, seconds=seconds, failure=kind, message=message, cached=cached, source=source)
        return cls(sql, len(outcome.rows), outcome.truncated, seconds, cached=cached, source=source)


@dataclass(frozen=True)
class AttemptRecord:
    """One request that failed, or that was held back because the endpoint was down (`CircuitOpen`).

    Attributes:
        error: The class of the error.
        message: The provider's words.
        waited: Seconds waited after it.
        seconds: Wall-clock time until it failed.
        status: The HTTP status, where there was one.
    """

    error: str
    message: str
    waited: float
    seconds: float = 0.0
    status: int | None = None


@dataclass(frozen=True)
class AnswerRecord:
    """What the model was asked and what it said.

    Attributes:
        prompt_sha256: Of the rendered messages, which are in `prompts.jsonl`.
        prompt: Name and version of the prompt, such as `zero_shot@1`; empty in runs from before it was recorded.
        prompt_template_sha256: Of the prompt's file.
        text: The answer.
        finish_reason: Why the model stopped.
        model: The model that answered, as the provider names it.
        input_tokens: Tokens of the prompt; `None` where the provider does not say. Where a filter withheld answers
            before, theirs are in all four counts as well.
        output_tokens: Tokens of the answer; `None` where the provider does not say.
        cached_tokens: Tokens of the prompt that the provider had cached.
        reasoning_tokens: Tokens of the answer that were spent on thinking.
        cost: In the currency of the experiment's prices; `None` when a price or a token count is unknown. What the
            withheld answers took is in it.
        seconds: Wall-clock time of the request that was answered.
        first_token_seconds: Of these, until the first piece of the answer; `None` when it did not come in pieces.
        request_id: The provider's id of the request.
        cached: Whether the answer came from the response cache: then nothing was asked or paid.
        dropped: Generic settings that the provider does not know.
        attempts: The failed requests before.
        schema_left_out: What of the schema the prompt did not show for want of space: `table`, or `table.column`.
        examples: The ids of the examples that the prompt showed, in this order.
        withheld: The ids of those that it would have shown, had they not told the answer.
        chat_format: The format in which the messages were sent as one text; `None` where they were sent as messages,
            and in runs from before it was recorded.
        sent_sha256: Of that text; `None` also where the format has no place for such messages: nothing was sent.
    """

    prompt_sha256: str
    prompt: str = ""
    prompt_template_sha256: str = ""
    text: str = ""
    finish_reason: str | None = None
    model: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    seconds: float = 0.0
    first_token_seconds: float | None = None
    request_id: str | None = None
    cached: bool = False
    dropped: tuple[str, ...] = ()
    attempts: tuple[AttemptRecord, ...] = ()
    schema_left_out: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    chat_format: str | None = None
    sent_sha256: str | None = None


def names_of(answers: Iterable[AnswerRecord | None]) -> dict[str, None]:
    """Who answered, as their providers say; nothing where nobody did."""
    return {one.model: None for one in answers if one is not None and one.finish_reason and one.model}


@dataclass(frozen=True)
class CallRecord:
    """One request that was made on the way to an answer, by a composite model or by a prompt that takes two.

    Attributes:
        role: What it was for: `fallback`, `classifier`, `sample 2`, `attempt 1`, `linking`.
        model: The name of the model that was asked.
        why: Why its answer is not the one that counts, or what it decided.
        answer: What it said; `None` when it was not asked.
        sql: Its statement.
        ran: How its statement ran; `None` when it was not run.
    """

    role: str
    model: str
    why: str
    answer: AnswerRecord | None = None
    sql: str | None = None
    ran: ExecutionRecord | None = None


@dataclass(frozen=True)
class RouteRecord:
    """Which model a question was sent to, and why.

    Attributes:
        route: The class of the question.
        decided_by: `classifier`, `keywords` or `default`.
        confidence: The classifier's, between 0 and 1; `None` when it gave none.
    """

    route: str
    decided_by: str
    confidence: float | None = None


@dataclass(frozen=True)
class HistoryRecord:
    """What a prompt was given of the turns before.

    Attributes:
        by: Whose statements: `gold`, or `own` for the system's own answers.
        shown: How many turns, the newest ones.
        left_out: How many older ones did not fit the window.
        without_sql: Of those that were shown, how many had no statement.
    """

    by: str
    shown: int
    left_out: int = 0
    without_sql: int = 0


@dataclass(frozen=True)
class FirstRecord:
    """The first attempt of a model that repairs its statements, judged as if it were the last.

    Attributes:
        sql: The statement; `None` when there was none.
        predicted: How it ran; `None` when it was not run.
        verdicts: One per strategy.
    """

    sql: str | None
    predicted: ExecutionRecord | None
    verdicts: tuple[VerdictRecord, ...]


@dataclass(frozen=True)
class ItemRecord:
    """One question in one run.

    Attributes:
        id: The question's id.
        position: The question's place in the selection, from 0.
        db_id: The question's database.
        question: The question in natural language.
        evidence: The dataset's hint; empty when there is none, and in records from before it was kept.
        difficulty: The dataset's own grade.
        tags: The dataset's labels.
        conversation: The conversation that the question is a turn of.
        turn: Which turn, from 0.
        turns: How many turns the conversation has.
        history: What the prompt was given of the turns before; `None` where prompts are given nothing of them.
        answer: What the model said; `None` when predictions were given.
        extraction: How the SQL was found in the answer.
        removed: What else was in the answer, and was taken off; empty also in records from before this was kept.
        sql: The statement under test; `None` when there is none.
        golds: The acceptable statements and how they ran.
        predicted: How the statement under test ran; `None` when it was not run.
        verdicts: One per strategy.
        calls: What was asked besides, on the way to `answer`, by a composite model or by a prompt that takes two.
        answered_by: The name of the model that answered, where several could have.
        route: Which class of question chose the model, where one did.
        note: How a composite model chose the answer, in words.
        first: The first attempt of a model that repairs its statements.
        judging: What the strategies asked of judges; `role` is the label of the strategy.
        started: UTC time at which the item was begun, ISO 8601.
        seconds: Wall-clock time of the whole item.
    """

    id: str
    position: int
    db_id: str
    question: str
    evidence: str = ""
    difficulty: str | None = None
    tags: tuple[str, ...] = ()
    conversation: str | None = None
    turn: int | None = None
    turns: int | None = None
    history: HistoryRecord | None = None
    answer: AnswerRecord | None = None
    extraction: str | None = None
    removed: tuple[str, ...] = ()
    sql: str | None = None
    golds: tuple[ExecutionRecord, ...] = ()
    predicted: ExecutionRecord | None = None
    verdicts: tuple[VerdictRecord, ...] = ()
    calls: tuple[CallRecord, ...] = ()
    answered_by: str | None = None
    route: RouteRecord | None = None
    note: str | None = None
    first: FirstRecord | None = None
    judging: tuple[CallRecord, ...] = ()
    started: str = ""
    seconds: float = 0.0

    def verdict_lines(self) -> list[VerdictLine]:
        """The lines of `verdicts.jsonl` for this item."""
        return [VerdictLine(**vars(record), id=self.id, db_id=self.db_id) for record in self.verdicts]

    @classmethod
    def from_json(cls, value: object) -> ItemRecord:
        """Read back a line of `items.jsonl`.

        Raises:
            ValueError: It is not an item record.
        """
        return _adapter().validate_python(value)


@cache
def _adapter() -> TypeAdapter[ItemRecord]:
    from pydantic import TypeAdapter

    return TypeAdapter(ItemRecord)
