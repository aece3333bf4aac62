"""What services of language models are asked, and how their answers are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct, field

from serve.explanations.language_model.failures import Failure, NoAnswerError

T = TypeVar("T")

MAX_TOKENS = 500  # of an answer
NAME = "explanation"  # of the schema, and of the tool that takes it


@dataclass(frozen=True)
class Prompt:
    """What is asked.

    Attributes:
        system: what the model is to do.
        user: JSON text with what it is about.
        schema: JSON schema of the answer.
    """

    system: str
    user: str
    schema: dict[str, Any]


class Service(Protocol):
    """A protocol of HTTP services.

    Attributes:
        url: of the provider's own service.
        path: behind the base URL.
    """

    url: str
    path: str

    def headers(self, key: str | None) -> dict[str, str]:
        """What a call bears beside its body."""
        ...

    def body(self, model: str, prompt: Prompt) -> dict[str, Any]:
        """The body of a call."""
        ...

    def answer(self, body: bytes) -> msgspec.Raw:
        """The JSON that the model answers, of the body of a response.

        Raises:
            NoAnswerError: there is none, or it was cut off.
        """
        ...


class OpenAI:
    """Chat completions with a schema of the answer, as OpenAI has them and many others too."""

    url, path = "https://api.openai.com/v1", "chat/completions"

    def headers(self, key: str | None) -> dict[str, str]:
        return {} if key is None else {"authorization": f"Bearer {key}"}

    def body(self, model: str, prompt: Prompt) -> dict[str, Any]:
        schema = {"name": NAME, "strict": True, "schema": prompt.schema}
        return {
            "model": model,
            "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
            "response_format": {"type": "json_schema", "json_schema": schema},
            "max_completion_tokens": MAX_TOKENS,
        }

    def answer(self, body: bytes) -> msgspec.Raw:
        choices = decoded(body, _Completion).choices
        if not choices or choices[0].finish_reason not in ("stop", None):
            raise NoAnswerError(Failure.BROKEN, "the answer was cut off, or is none")
        return msgspec.Raw((choices[0].message.content or "").encode())


class Anthropic:
    """Messages with a tool that takes the answer, which the model must call."""

    url, path = "https://api.anthropic.com", "v1/messages"

    def headers(self, key: str | None) -> dict[str, str]:
        return {"anthropic-version": "2023-06-01", **({} if key is None else {"x-api-key": key})}

    def body(self, model: str, prompt: Prompt) -> dict[str, Any]:
        return {
            "model": model,
            "max_tokens": MAX_TOKENS,
            "system": prompt.system,
            "messages": [{"role": "user", "content": prompt.user}],
            "tools": [{"name": NAME, "description": "Takes the answer.", "input_schema": prompt.schema}],
            "tool_choice": {"type": "tool", "name": NAME},
        }

    def answer(self, body: bytes) -> msgspec.Raw:
        message = decoded(body, _Message)
        calls = [block.input for block in message.content if block.type == "tool_use" and block.name == NAME]
        if len(calls) != 1 or message.stop_reason == "max_tokens":
            raise NoAnswerError(Failure.BROKEN, "the answer was cut off, or is none")
        return calls[0]


SERVICES: dict[str, Service] = {"openai": OpenAI(), "anthropic": Anthropic()}


class _ChatMessage(Struct):
    content: str | None = None


class _ChatChoice(Struct):
    message: _ChatMessage
    finish_reason: str | None = None


class _Completion(Struct):
    choices: list[_ChatChoice]


class _Block(Struct):
    type: str
    name: str | None = None
    input: msgspec.Raw = field(default_factory=msgspec.Raw)


class _Message(Struct):
    content: list[_Block]
    stop_reason: str | None = None


def decoded(body: bytes | msgspec.Raw, kind: type[T]) -> T:
    """JSON of the fields of `kind`; raises NoAnswerError where it is none, or has others."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoAnswerError(Failure.BROKEN, str(error)) from None
