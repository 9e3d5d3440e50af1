"""The index of green runs: what goes in comes out, whole, small, and also where two write at once."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from evaluation.gate import baselines
from evaluation.gate.baselines import Baselines, _adapter, _text
from evaluation.gate.snapshot import Kept, Snapshot, digest_of, pairs
from evaluation.statistics.clustered import DATABASE
from evaluation.statistics.paired import Paired
from sqlassay.errors import UserError

ONE = Snapshot(
    title="m · p@1 · sqlite",
    kin="m · p · sqlite",
    runs=("r-01",),
    started="2026-11-20T00:00:00+00:00",
    strategy={"label": "execution_match", "relative_tolerance": 1e-6},
    dataset="d",
    selection={"ids": []},
    limits={},
    backend="sqlite",
    databases={"shop": "blake2b:1"},
    questions={"q0": Kept("shop", "1", "2", "c")},
)
TEXTS = st.text(max_size=6)
QUESTIONS = st.dictionaries(
    TEXTS,
    st.builds(Kept, TEXTS, TEXTS, TEXTS, st.text("ciu-", min_size=2, max_size=2), st.none() | TEXTS),
    max_size=5,
)
SNAPSHOTS = st.builds(
    replace, st.just(ONE), title=TEXTS, questions=QUESTIONS, removed=st.lists(TEXTS, max_size=2).map(tuple)
)


@given(st.dictionaries(TEXTS, st.dictionaries(TEXTS, SNAPSHOTS, max_size=3), max_size=3))
def test_what_is_written_is_read(green: dict[str, dict[str, Snapshot]]) -> None:
    assert _adapter().validate_python(json.loads(_text(green))["baselines"]) == green


@given(QUESTIONS, QUESTIONS, st.frozensets(TEXTS, max_size=2))
def test_pairs_are_the_answers_that_both_have_scored(
    before: dict[str, Kept], now: dict[str, Kept], changed: frozenset[str]
) -> None:
    counted = [
        (one, a, b)
        for one in (before.keys() & now.keys()) - changed
        for a, b in zip(before[one].verdicts, now[one].verdicts, strict=True)
        if a in "ci" and b in "ci"
    ]
    found = pairs(replace(ONE, questions=before), replace(ONE, questions=now), changed)
    assert found.won == sum((a, b) == ("i", "c") for _, a, b in counted)
    assert found.lost == sum((a, b) == ("c", "i") for _, a, b in counted)
    assert (found.clustered is None) is (not counted)
    if found.clustered is not None:
        whole = found.clustered.whole
        assert (whole.pairs, whole.questions) == (len(counted), len({one for one, _, _ in counted}))
        if found.clustered.by == DATABASE:
            assert found.clustered.clusters.keys() == {before[one].db_id for one, _, _ in counted}
        assert whole.difference == pytest.approx((found.won - found.lost) / len(counted))


def test_questions_that_were_asked_once_are_tossed_coins() -> None:
    before = {f"q{n}": Kept("d", "", "", mark) for n, mark in enumerate("ccccciiu")}
    now = {f"q{n}": Kept("d", "", "", mark) for n, mark in enumerate("cciiicuc")}
    found = pairs(replace(ONE, questions=before), replace(ONE, questions=now))
    assert found.clustered is not None
    assert (found.lost, found.won, found.unscored) == (3, 1, 2)
    assert found.clustered.p == Paired.of(3, 1, 2).p


def test_what_only_one_of_both_has_is_counted() -> None:
    """Three repeats against one, and a question that was not asked again."""
    before = {"q0": Kept("d", "", "", "c"), "q1": Kept("d", "", "", "u")}
    now = {"q0": Kept("d", "", "", "ici"), "q1": Kept("d", "", "", "c--")}
    assert pairs(replace(ONE, questions=before), replace(ONE, questions=now))[1:] == (1, 0, 1, 2)


def test_ten_thousand_questions_are_less_than_a_megabyte(tmp_path: Path) -> None:
    questions = {
        f"spider-dev-{number:05d}": Kept("concert_singer", digest_of([str(number)]), digest_of(["x", str(number)]), "c")
        for number in range(10_000)
    }
    index = Baselines(tmp_path / "baselines.json")
    index.promote("nightly", [replace(ONE, questions=questions)], {})
    assert index.path.stat().st_size < 1_000_000
    assert index.of("nightly")[0].questions == questions


def test_a_turn_has_its_conversation_and_another_line_no_word_of_it(tmp_path: Path) -> None:
    """So that an index of before is read, and one without conversations can be read by what was before."""
    turn, alone = Kept("d", "q", "g", "c", "c1"), Kept("d", "q", "g", "c")
    index = Baselines(tmp_path / "baselines.json")
    index.promote("e", [replace(ONE, questions={"t": turn, "q": alone})], {})
    assert '"t":["d","q","g","c","c1"]' in index.path.read_text()
    assert '"q":["d","q","g","c"]' in index.path.read_text()
    assert index.of("e")[0].questions == {"t": turn, "q": alone}


def test_the_newer_run_stays(tmp_path: Path) -> None:
    index = Baselines(tmp_path / "new" / "baselines.json")
    newer, older = replace(ONE, runs=("new",)), replace(ONE, runs=("old",), started="2026-11-19T23:00:00-02:00")
    later = replace(ONE, runs=("later",), started="2026-11-20T00:00:00+00:00")
    assert index.promote("e", [newer], {}) == []
    assert index.promote("e", [replace(older, started="2026-11-19T00:00:00+00:00")], {}) == [ONE.title]
    assert index.of("e") == [newer]
    assert index.promote("e", [later], {}) == []
    assert index.of("e") == [later]
    assert index.promote("e", [replace(later, title="m · p@2 · sqlite")], {"m · p@2 · sqlite": ONE.title}) == []
    assert [one.title for one in index.of("e")] == ["m · p@2 · sqlite"]
    assert index.of("another") == []


PROGRAM = """
import sys
from dataclasses import replace
from pathlib import Path
from evaluation.gate.baselines import Baselines
from tests.evaluation.gate.test_baselines import ONE
for number in range(20):
    Baselines(Path(sys.argv[1])).promote(sys.argv[2], [replace(ONE, title=f"{number}")], {})
"""


def test_two_processes_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "baselines.json"
    command = [sys.executable, "-c", PROGRAM, str(path)]
    started = [subprocess.Popen([*command, name], cwd=Path(__file__).parents[3]) for name in ("a", "b", "c")]
    assert [process.wait(timeout=60) for process in started] == [0, 0, 0]
    index = Baselines(path)
    assert [len(index.of(name)) for name in ("a", "b", "c")] == [20, 20, 20]
    assert sorted(one.name for one in tmp_path.iterdir()) == [".baselines.json.lock", "baselines.json"]


def test_nobody_waits_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "PATIENCE", 0.1)
    with (
        FileLock(tmp_path / ".baselines.json.lock"),
        pytest.raises(UserError, match=r"another process has held it for 0\.1 seconds"),
    ):
        Baselines(tmp_path / "baselines.json").promote("e", [ONE], {})


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        Baselines(tmp_path / "file" / "baselines.json").promote("e", [ONE], {})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"started": "soon"}, "Invalid isoformat"),
        ({"started": "2026-11-20T00:00:00"}, "when it was started lacks the offset from UTC"),
        ({"strategy": {}}, "its strategy has no label"),
    ],
)
def test_an_index_that_was_meddled_with_is_told(change: dict[str, object], why: str, tmp_path: Path) -> None:
    path = tmp_path / "baselines.json"
    Baselines(path).promote("e", [ONE], {})
    content = json.loads(path.read_text())
    content["baselines"]["e"][ONE.title] |= change
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=f"is no index of baselines: .*{why}"):
        Baselines(path).of("e")
