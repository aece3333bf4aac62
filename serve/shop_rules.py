"""The shop's rules that are in force, made ready for the bundle that is served."""

from __future__ import annotations

from recsys.pipeline.policy import Policy
from recsys.rules.policy import CompiledRules
from serve.bundles.loaded import LoadedBundle
from serve.bundles.options import Options


class RulesInForce:
    """Which rules lists obey at the moment."""

    def __init__(self) -> None:
        self._latest: tuple[LoadedBundle, CompiledRules] | None = None

    def of(self, loaded: LoadedBundle) -> CompiledRules:
        """The rules as a bundle can follow them. For any number of threads; makes them ready where they are new."""
        latest = self._latest
        if latest is None or latest[0] is not loaded:
            latest = self._latest = loaded, CompiledRules.compile((), loaded.rule_base)
        return latest[1]


def policy_of(rules: CompiledRules, options: Options) -> Policy | None:
    """What the shop wants of lists that are asked for so; None: nothing."""
    return rules.bound(options.scenario, options.context_values)
