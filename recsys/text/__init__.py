"""Item texts to vectors: encoders from Hugging Face Transformers and a cache of what they computed."""
