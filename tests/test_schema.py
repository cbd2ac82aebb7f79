from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from newsdata.schema import CONFIGS, columns, features, features_json, table_schema


@pytest.mark.parametrize("config", CONFIGS)
def test_features_schema_and_columns_agree(config: str) -> None:
    kinds = features(config, "Asia/Shanghai")
    assert kinds.to_dict() == features_json(config, "Asia/Shanghai")
    assert kinds.arrow_schema.remove_metadata() == table_schema(config, "Asia/Shanghai")
    assert list(columns(config)) == list(kinds)


def test_every_field_may_be_null() -> None:
    assert all(field.nullable for config in CONFIGS for field in table_schema(config))


def test_features_in_the_card_are_those_that_datasets_writes(demo: Path) -> None:
    import datasets

    header = yaml.safe_load((demo / "1.0.0" / "README.md").read_text("utf-8").split("---\n")[1])
    for info in header["dataset_info"]:
        kinds = features(info["config_name"], "Asia/Shanghai")
        assert info["features"] == kinds._to_yaml_list()
        assert datasets.Features._from_yaml_list(info["features"]) == kinds
