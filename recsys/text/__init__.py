"""Item texts to vectors: encoders from Hugging Face Transformers and a cache of what they computed."""

from recsys.text.items import ItemText, encode_items

__all__ = ["ItemText", "encode_items"]
