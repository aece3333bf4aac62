"""What `python -m serve --check` does: everything that a start does, but to serve."""

from __future__ import annotations

from recsys.bundle import open_bundle
from serve.bundles.loaded import LoadedBundle
from serve.explanations.language_model.client import Endpoint
from serve.explanations.warm_up import warm_up as warm_up_explanations
from serve.languages import Languages
from serve.live_items.warm_up import with_new_item
from serve.recommendations.warm_up import warm_up
from serve.settings import NO_STORE, Settings
from serve.shared import Shared
from serve.shop_rules.kept_rules import GivenRules
from serve.shop_rules.warm_up import warm_up as warm_up_rules
from serve.store.link import open_store


def check(settings: Settings) -> str:
    """Read keys, languages and rules, try the store out, open the bundle, recommend once; what the bundle is called.

    Raises:
        RecsysError: one of them is not in order.
    """
    Shared.of(settings)
    Languages(settings)
    GivenRules.of(settings)
    if settings.language_model != "none":
        Endpoint.of(settings)
    if settings.store != NO_STORE:
        with open_store(settings.store, settings.store_timeout_s) as store:
            store.try_out()
    with open_bundle(settings.bundle, verify=settings.verify) as bundle:
        verified = settings.model_copy(update={"trusted_version": bundle.version})
        _prepare(LoadedBundle.open(bundle.path, verified, warm_up))
        return f"{bundle.name}, version {bundle.version}"


def _prepare(loaded: LoadedBundle) -> None:
    """What a server with a store does before it serves a bundle: so all loops that a start needs are compiled."""
    if loaded.bundle.item_encoder is not None:
        warm_up(with_new_item(loaded))
    warm_up_explanations(loaded)
    warm_up_rules(loaded)
