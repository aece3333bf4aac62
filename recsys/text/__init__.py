"""Item texts to vectors: encoders from Hugging Face Transformers and a cache of what they computed."""

from recsys.text.fine_tuning import FineTunedText, build_fine_tuned_text
from recsys.text.items import ItemText, encode_items

__all__ = ["FineTunedText", "ItemText", "build_fine_tuned_text", "encode_items"]
