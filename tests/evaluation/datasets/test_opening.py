from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from evaluation.datasets.bird import BirdDataset
from evaluation.datasets.digest import dataset_digest
from evaluation.datasets.jsonl import JsonlDataset
from evaluation.datasets.opening import open_dataset
from sqlassay.errors import UnknownName, UserError

FORM = "(such as spider:data/spider; formats: bird, cosql, csv, defog, jsonl, langfuse, sparc, spider, spider2)"

BAD = {
    "spider": f"dataset 'spider' is not of the form FORMAT:PATH {FORM}",
    "spider:": f"dataset 'spider:' is not of the form FORMAT:PATH {FORM}",
    ":data": f"dataset ':data' is not of the form FORMAT:PATH {FORM}",
    "": f"dataset '' is not of the form FORMAT:PATH {FORM}",
    "spidr:data": "unknown dataset format 'spidr' (did you mean 'spider'?)",
    "jsonl:/gone/x.jsonl": "/gone/x.jsonl: no such file or folder (check the path)",
}


@pytest.mark.parametrize(("spec", "message"), BAD.items(), ids=BAD)
def test_a_bad_specification_is_one_line(spec: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        open_dataset(spec)
    assert str(caught.value) == message


def test_an_unknown_format_carries_its_name() -> None:
    with pytest.raises(UnknownName) as caught:
        open_dataset("spidr:data")
    assert (caught.value.kind, caught.value.name) == ("dataset format", "spidr")


def test_a_path_may_hold_colons(tmp_path: Path) -> None:
    file = tmp_path / "a:b:c.jsonl"
    file.touch()
    dataset = open_dataset(f"jsonl:{file}")
    assert isinstance(dataset, JsonlDataset)
    assert dataset.question_file == file


def test_the_home_folder_and_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "dev.json").touch()
    (tmp_path / "dbs").mkdir()
    dataset = open_dataset("bird:~/dev.json", databases="~/dbs", ids="position")
    assert isinstance(dataset, BirdDataset)
    assert (dataset.question_file, dataset.databases, dataset.ids) == (
        tmp_path / "dev.json",
        tmp_path / "dbs",
        "position",
    )


def test_the_digest_is_that_of_the_question_file(tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_bytes(b"[]\r\n")
    assert dataset_digest(open_dataset(f"spider:{tmp_path}")) == hashlib.sha256(b"[]\r\n").hexdigest()
