"""The files in a bundle from which new items are encoded."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

from recsys.core.parameters import Count, Number, Parameters, Positive

ENCODER_FOLDER: Final = "encoder"
MODEL_FILE: Final = "encoder.onnx"  # of this folder, as those that follow; int32 ids and mask [B, L] -> float32 [B, E]
TOKENIZER_FILE: Final = "tokenizer.json"
NOTES_FILE: Final = "encoder.json"
ITEM_INPUTS_FILE: Final = "item_inputs.json"  # beside the folder: what the item tower's inputs are made with

Size = Annotated[int, Meta(ge=1, le=2**31 - 2)]


class EncoderNotes(Parameters, frozen=True, kw_only=True):
    """What goes with the text encoder of a bundle.

    Attributes:
        fingerprint: hexadecimal, of all that a text's vector depends on beside the text.
        weights_sha256: of the weights that the graph was exported from.
        layers: numbers of the hidden states that are averaged, 0 for the embeddings.
        pooling: how the tokens of a text are put together: their mean.
        dim: E, width of a text's vector.
        max_tokens: tokens read of a text.
        text_max_chars: longest text of an item, in characters.
        category_separator: between the categories in it.
        learned_dim: how many numbers of an item's vector are learned; text components follow them.
    """

    fingerprint: str
    weights_sha256: str
    layers: list[Count]
    pooling: str
    dim: Size
    max_tokens: Size
    text_max_chars: Size
    category_separator: str
    learned_dim: Size


class PriceNotes(Parameters, frozen=True, kw_only=True):
    """See `recsys.encoding.price_scale.PriceScale`."""

    mean: Number
    std: Positive


class VocabularyNotes(Parameters, frozen=True, kw_only=True):
    """See `recsys.encoding.vocabulary.ItemVocabulary`."""

    brands: list[str]
    categories: list[str]


class ItemInputs(Parameters, frozen=True, kw_only=True):
    """What it takes to give the item tower an item it has not seen: encoder, vocabulary, price scale."""

    text_encoder: str
    text_weights_sha256: str
    price_scale: PriceNotes
    vocabulary: VocabularyNotes
