"""What datasets say about columns: BIRD's CSV files, Defog's metadata, and how it comes to a schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.datasets.bird import BirdDataset
from evaluation.datasets.defog import DefogDataset
from evaluation.datasets.describing import described
from sqlassay.errors import UserError
from sqlassay.schema import Column, Schema, Table

HEADER = "original_column_name,column_name,column_description,data_format,value_description\n"


@pytest.fixture
def bird(tmp_path: Path) -> BirdDataset:
    (tmp_path / "dev.json").write_text('[{"db_id": "a", "question": "x", "SQL": "SELECT 1"}]')
    (tmp_path / "dev_databases" / "a" / "database_description").mkdir(parents=True)
    return BirdDataset(tmp_path)


def write(dataset: BirdDataset, name: str, content: bytes) -> Path:
    path = dataset.path / "dev_databases" / "a" / "database_description" / name
    path.write_bytes(content)
    return path


def test_bird(bird: BirdDataset) -> None:
    write(
        bird,
        "Frpm.csv",
        b"\xef\xbb\xbf" + HEADER.encode() + b"CDSCode ,CDSCode,CDSCode,integer,\n"
        b'"Academic Year",,,integer,\n'
        b'NCESDist,,"This field represents\nthe 7-digit  id",integer,"commonsense evidence: \nan agency"\n'
        b"sex,gender of it,,text,F: female\r\n"
        b"short,of cells\n"
        b",nameless,column,text,\n\n",
    )
    write(bird, "schools.csv", HEADER.encode() + "Straße,,die Straße – “S”,text,".encode("cp1252"))
    assert bird.descriptions("a") == {
        "Frpm": {
            "CDSCode": "",
            "Academic Year": "",
            "NCESDist": "This field represents the 7-digit id; an agency",
            "sex": "gender of it; F: female",
            "short": "of cells",
        },
        "schools": {"Straße": "die Straße – “S”"},
    }
    assert bird.descriptions("b") == {}


@pytest.mark.parametrize("db_id", ["", "..", "../a", "/etc", "a/b"])
def test_a_name_does_not_lead_out_of_the_folder(bird: BirdDataset, db_id: str) -> None:
    (bird.path / "database_description").mkdir()
    (bird.path / "database_description" / "t.csv").write_text(HEADER + "a,,b,c,")
    assert bird.descriptions(db_id) == {}


def test_a_file_that_cannot_be_read_is_named(bird: BirdDataset) -> None:
    path = bird.path / "dev_databases" / "a" / "database_description" / "t.csv"
    path.mkdir()
    with pytest.raises(UserError) as raised:
        bird.descriptions("a")
    assert str(raised.value).startswith(f"{path}: is a folder")


def test_a_very_long_cell(bird: BirdDataset) -> None:
    write(bird, "t.csv", HEADER.encode() + b"a,," + b"x" * 200_000 + b",c,")
    assert len(bird.descriptions("a")["t"]["a"]) == 200_000


@pytest.fixture
def defog(tmp_path: Path) -> DefogDataset:
    (tmp_path / "questions").mkdir()
    (tmp_path / "metadata").mkdir()
    (tmp_path / "questions" / "q.csv").write_text("question,db_name,query\nx,shop,SELECT 1\n")
    return DefogDataset(tmp_path / "questions" / "q.csv")


def test_defog(defog: DefogDataset, tmp_path: Path) -> None:
    columns = [{"column_name": "uId", "column_description": "the\nuser"}, {"column_name": "x"}]
    (tmp_path / "metadata" / "shop.json").write_text(json.dumps({"table_metadata": {"div.users": columns}}))
    assert defog.descriptions("shop") == {"div.users": {"uId": "the user", "x": ""}}
    assert defog.descriptions("elsewhere") == {}
    assert defog.descriptions("../metadata/shop") == {}


@pytest.mark.parametrize("content", ["[]", "{}", '{"table_metadata": []}', '{"table_metadata": {"t": [{}]}}'])
def test_metadata_of_another_form_is_named(defog: DefogDataset, tmp_path: Path, content: str) -> None:
    path = tmp_path / "metadata" / "shop.json"
    path.write_text(content)
    with pytest.raises(UserError, match="does not describe a database as Defog does") as raised:
        defog.descriptions("shop")
    assert str(raised.value).startswith(f"{path}: ")


def test_descriptions_come_to_columns_in_any_case() -> None:
    schema = Schema(
        (Table("Users", (Column("uid", "INT", False, True), Column("x", ""))), Table("t", (Column("a", ""),)))
    )
    texts = {"div.users": {"UID": "the user", "gone": "no column"}, "T": {"a": "of T"}, "other.t": {"a": "of another"}}
    users, t = described(schema, texts).tables
    assert users.columns == (Column("uid", "INT", False, True, "the user"), Column("x", ""))
    assert t.columns[0].description == "of T"
    assert described(schema, {}) == schema
