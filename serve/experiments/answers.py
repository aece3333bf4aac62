"""What is answered about experiments."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from recsys.experiments.findings import Verdict
from recsys.store import TextAction
from serve.answers import Answer
from serve.variants.in_force import ExperimentsState

ExperimentStatus = Literal["draft", "running", "stopped", "fault"]
_KEY = Annotated[str, Meta(examples=["new-ranker"])]
_TERMS = {
    "title": "The new ranker against the old one",
    "variants": [{"name": "old"}, {"name": "new", "overrides": {"bundle": "20240502-020000"}}],
}
_VERSION = Annotated[
    int,
    Meta(description="Number of changes of the store's experiments, and of whom they assign, so far.", examples=[12]),
]
_OF_EXPERIMENT = Annotated[
    int,
    Meta(
        description="Counts the definitions that users may have been assigned by: lists and verdicts are of one.",
        examples=[1],
    ),
]
_WHO = Annotated[str | None, Meta(description="Name of the API key; null: nobody knows.", examples=["merchandising"])]


class ExperimentRow(Answer):
    """An experiment, and how it stands."""

    key: _KEY
    terms: Annotated[
        dict[str, Any], Meta(description="What it says, as PUT takes it, defaults included.", examples=[_TERMS])
    ]
    status: Annotated[
        ExperimentStatus,
        Meta(
            description="draft: nobody is in it yet; running; stopped: nobody is any more; fault: another version of "
            "the program kept it, this one cannot read it, and it does not run.",
            examples=["running"],
        ),
    ]
    fault: Annotated[str | None, Meta(description="Why it cannot be read.", examples=[None])]
    version: _OF_EXPERIMENT
    first_bucket: Annotated[
        int, Meta(description="Of the 10,000 of its layer: it has those from this one on.", examples=[0])
    ]
    end_bucket: Annotated[int, Meta(description="To before this one.", examples=[10_000])]
    started_at: Annotated[
        str | None, Meta(description="When this version was; null: it was not.", examples=["2024-05-01T12:00:00Z"])
    ]
    stopped_at: Annotated[str | None, Meta(examples=[None])]
    change: Annotated[int, Meta(description="Number of the change that made it so, for If-Match.", examples=[12])]
    updated_at: Annotated[str | None, Meta(examples=["2024-05-01T12:00:00Z"])]
    updated_by: _WHO


class ExperimentsResponse(Answer):
    """All experiments of the shop."""

    version: _VERSION
    source: Annotated[
        ExperimentsState,
        Meta(
            description="live: those of the store; stale: the last ones known, the store does not answer; unread: "
            "those of the store are not known yet, and lists go without; off: there is no store, and so none.",
            examples=["live"],
        ),
    ]
    experiments: Annotated[list[ExperimentRow], Meta(description="By key.")]


class ExperimentResponse(Answer):
    """An experiment as it is now."""

    version: _VERSION
    experiment: ExperimentRow


class ChangedExperimentResponse(Answer):
    """An experiment as it is from now on: here at once, in every other worker within two seconds."""

    version: _VERSION
    done: Annotated[
        Literal["created", "replaced", "started", "stopped", "nothing"],
        Meta(description="nothing: it said the same before.", examples=["started"]),
    ]
    experiment: ExperimentRow


class DeletedExperimentResponse(Answer):
    """An experiment is no more."""

    key: _KEY
    version: _VERSION


class ExperimentChangeRow(Answer):
    """A change of one experiment."""

    change: Annotated[int, Meta(description="Its number among all changes.", examples=[12])]
    action: Annotated[TextAction, Meta(examples=["replaced"])]
    who: _WHO
    at: Annotated[str | None, Meta(examples=["2024-05-01T12:00:00Z"])]
    before: Annotated[
        dict[str, Any] | None,
        Meta(description="What it was: its terms, and version, status, buckets and times.", examples=[None]),
    ]
    after: Annotated[dict[str, Any] | None, Meta(description="What it was from then on.", examples=[_TERMS])]


class ExperimentChangesResponse(Answer):
    """A page of the trail of changes, the latest first."""

    changes: list[ExperimentChangeRow]
    next_cursor: Annotated[str | None, Meta(description="For the next page; null after the last.", examples=[None])]


class AssignmentResponse(Answer):
    """What an experiment gives to a user."""

    key: _KEY
    version: _OF_EXPERIMENT
    user_id: Annotated[str, Meta(examples=["A1YJEY40YUW4SE"])]
    unit: Annotated[
        str,
        Meta(
            description="The id that the user is assigned by: the own, or one that was merged into it and whose lists "
            "came first.",
            examples=["A1YJEY40YUW4SE"],
        ),
    ]
    bucket: Annotated[int, Meta(description="Of the layer, that the unit falls into.", examples=[4711])]
    variant: Annotated[str | None, Meta(description="null: none.", examples=["new"])]
    reason: Annotated[
        Literal["assigned", "not_running", "other_bucket", "interleaved"],
        Meta(
            description="assigned: lists of the user are of the variant, unless a request asks for something else "
            "itself; interleaved: each list is drafted from both; not_running; other_bucket: the experiment does not "
            "have the user's bucket.",
            examples=["assigned"],
        ),
    ]


class ObservedUsers(Answer):
    """What a verdict was made from."""

    lists: Annotated[int, Meta(description="Of the version, as far as they are logged.", examples=[12_000])]
    crossovers: Annotated[
        int,
        Meta(
            description="Users with lists of several variants: of two ids that were merged since. The variant of the "
            "first list counts.",
            examples=[0],
        ),
    ]
    left_out: Annotated[int, Meta(description="Their lists of other variants.", examples=[0])]
    reaches_back: Annotated[
        bool, Meta(description="The store keeps all lists and events since the version was started.", examples=[True])
    ]


class ResultsResponse(Answer):
    """What came of an experiment so far."""

    experiment: ExperimentRow
    as_of: Annotated[
        str, Meta(description="Lists and events of before this moment count.", examples=["2024-05-15T12:00:00Z"])
    ]
    computed_at: Annotated[
        str, Meta(description="When that was computed; it is kept for a while.", examples=["2024-05-15T12:00:03Z"])
    ]
    seconds: Annotated[float, Meta(description="How long it took.", examples=[0.4])]
    observed: Annotated[ObservedUsers | None, Meta(description="null: the version was never started.")]
    verdict: Annotated[
        Verdict | None,
        Meta(description="By day and as a whole, with the reasons for its states; null: it was never started."),
    ]
