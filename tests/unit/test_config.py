"""Config files: every one loads, overrides apply, and mistakes are named."""

from pathlib import Path

import pytest

from recsys.config import load_config
from recsys.core.errors import ConfigError

ROOT = Path(__file__).parents[2]
CONFIGS = sorted(path for path in (ROOT / "configs").rglob("*.yaml") if "rules" not in path.parts)
MINIMAL = "name: shop\ndata: {format: events, interactions: [events.csv]}\n"


@pytest.fixture
def minimal(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(MINIMAL, "utf8")
    return path


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_loads_and_is_named_after_its_file(path: Path) -> None:
    assert load_config(path).name == path.stem
    assert path.read_text("utf8").startswith("# "), "a config is headed by what it is and its command"


def test_overrides_apply_in_order_and_parse_yaml(minimal: Path) -> None:
    config = load_config(
        minimal, ["training.epochs=3", "training.epochs=4", "data.min_rating=null", "text.encoder=[a, b]"]
    )
    assert config.training.epochs == 4
    assert config.data.min_rating is None
    assert config.text.encoder == ["a", "b"]


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("training.epoch=3", "training.epoch"),
        ("nonsense=1", "nonsense"),
        ("training.epochs=0", "training.epochs"),
        ("training.epochs=many", "training.epochs"),
        ("training.learning_rate=.nan", "training.learning_rate"),
        ("model.dim=63", "model"),
        ("model.dropout=1", "model.dropout"),
        ("data.split.method=random", "data.split.method"),
        ("data.split.test_share=0.95", "data.split"),
        ("name=../up", "name"),
        ("training.retrieval_loss=mixed", "'full' or 'sampled'"),
        ("training.uniform_negatives=8", "training.uniform_negatives"),
        ("retrieval.retrievers=[]", "retrieval.retrievers"),
        ("retrieval.retrievers=[neighbors]", "retrieval.retrievers"),
        ("retrieval.retrievers=[transitions]", "popularity"),
        ("retrieval.retrievers=[popularity, transitions]", "als, content_encoder, content_tfidf, neighbours_bm25"),
        ("ranking.retrievers=[als]", "als more than once"),
        ("retrieval.plugins={als: {class: a.B}}", "als"),
        ("retrieval.plugins={Toy shop: {class: a.B}}", "Toy shop"),
        ("ranking.scorers=[toy]", "toy"),
        ("retrieval.plugins={price: {class: a.B}}", "names that are taken: price"),
        ("retrieval.plugins={source_sum: {class: a.B}}", "names that are taken: source_sum"),
        ("retrieval.plugins={brand_of: {class: a.B}}", "names that are taken: brand_of"),
        ("ranking.retrievers=[popularity]", "ranking names popularity, the same for everyone"),
        ("ranking.scorers=[als, recent_popularity]", "ranking names recent_popularity, the same for everyone"),
        ("ranking.prefix_share=1", "ranking.prefix_share"),
        (
            "ranking.order=toy",
            "ranking.order is toy, which is none of auto, ranker, hybrid, blend, two_tower, popularity",
        ),
        ("training.epochs", "--set key=value"),
        ("name.first=x", "section named name"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(minimal: Path, override: str, named: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(minimal, [override])
    assert named in str(error.value)


def test_the_ranker_may_read_a_part_of_what_is_fitted(minimal: Path) -> None:
    config = load_config(
        minimal,
        [
            "retrieval.retrievers=[popularity, transitions, ease, als]",
            "ranking.retrievers=[transitions]",
            "ranking.scorers=[als]",
        ],
    )
    assert (config.ranking.retrievers, config.ranking.scorers) == (["transitions"], ["als"])


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "name: [", "\x00"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, "utf8")
    with pytest.raises(ConfigError):
        load_config(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        load_config(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("overrides", "few", "many"),
    [
        ([], "full", "sampled"),
        (["training.retrieval_loss=full"], "full", "full"),
        (["training.retrieval_loss=sampled"], "sampled", "sampled"),
        (["text.trainable_layers=1"], "sampled", "sampled"),
        (["training.label_smoothing=0.1"], "full", "full"),
    ],
)
def test_the_retrieval_loss_follows_from_the_size_of_the_catalogue(
    minimal: Path, overrides: list[str], few: str, many: str
) -> None:
    config = load_config(minimal, overrides)
    assert config.retrieval_loss(10_000) == few
    assert config.retrieval_loss(10_001) == many


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (["text.trainable_layers=1", "training.retrieval_loss=full"], "retrieval_loss sampled"),
        (["text.trainable_layers=1", "training.label_smoothing=0.1"], "without label smoothing"),
        (["training.label_smoothing=0.1", "training.retrieval_loss=sampled"], "retrieval_loss full"),
    ],
)
def test_losses_that_do_not_fit_together_are_refused(minimal: Path, overrides: list[str], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        load_config(minimal, overrides)
