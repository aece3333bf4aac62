"""What the processes of one server have in common; the first hands it to the workers that it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from serve.buckets import Buckets, per_minute
from serve.key_file import KeyFile
from serve.settings import Settings


@dataclass(frozen=True)
class Shared:
    """Whom the server answers.

    Attributes:
        keys: in force; None: no key is asked for.
        buckets: what each caller has asked for lately; None: nobody counts.
        budget: calls of the language model that are left; None: there is no such model, or nobody else calls it.
        later: other processes have served before: what of theirs is gone is missing, and not yet to be made.
    """

    keys: KeyFile | None = None
    buckets: Buckets | None = None
    budget: Buckets | None = None
    later: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As the settings say.

        Raises:
            ConfigError: the file of keys is not in order.
        """
        keys = None if settings.api_keys is None else KeyFile(settings.api_keys)
        buckets = None if settings.rate_limit is None else Buckets(settings.rate_limit, settings.rate_burst)
        asks = settings.language_model != "none"
        return cls(keys, buckets, per_minute(settings.language_model_per_minute) if asks else None)
