"""Whether what settings say of the columns of event logs is made use of: what nothing reads is refused."""

from __future__ import annotations

from collections.abc import Sequence

from recsys.core.errors import DataError
from recsys.prepare.formats.reports import InputReport
from recsys.prepare.mapping_settings import MappingConfig

MOST_NAMED = 5


def require_used(mapping: MappingConfig, reports: Sequence[InputReport], *, is_read: bool) -> None:
    """Stop at settings that no input of interactions makes use of.

    Args:
        mapping: the settings.
        reports: of the inputs of interactions, the first lines of which have been looked at.
        is_read: whether they have been read to their ends; until then, columns of JSON may still come.

    Raises:
        DataError: naming the settings.
    """
    used = set[str]().union(*(report.used for report in reports))
    if not is_read:
        used |= {f"columns.{name}" for report in reports for name in report.may_come}
    wanted = {f"columns.{ours}": f"data.columns: {{{ours}: {theirs}}}" for ours, theirs in mapping.columns.items()}
    if mapping.event_type is not None:
        wanted["event_type"] = f"data.event_type: {mapping.event_type}"
    if mapping.header is not None:
        wanted["header"] = "data.header"
    if unused := [words for key, words in wanted.items() if key not in used]:
        named = ", ".join(str(report.path) for report in reports[:MOST_NAMED])
        raise DataError(
            f"inputs of interactions that make use of {', '.join(unused)}",
            f"none among {named}: their formats have no such column, all have types, or none is without names",
            "correct the names, or remove the settings",
        )
