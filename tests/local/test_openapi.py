"""The OpenAPI documents of the seeds, mended where they contradict the service, and that of `/beta/completions`,
tried by schemathesis.

Each mend has its reason, in short. Two more
are for the test: answers are 3 tokens long at most, and models that cannot answer at once are left out.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import content_type_conformance, not_a_server_error, response_schema_conformance

FOLDER = Path(__file__).parent / "openapi"
Schema = dict[str, Any]

ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string", "minLength": 1},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": "string"},
            },
        }
    },
}
REFUSED: Schema = {"description": "refused", "content": {"application/json": {"schema": ERROR}}}
REFUSALS = ("400", "401", "403", "404", "405", "413", "422", "429")
EVENT: Schema = {"type": "object", "required": ["data"], "properties": {"data": {"type": "string", "minLength": 6}}}
MESSAGE: Schema = {
    "type": "object",
    "required": ["role", "content"],
    "properties": {"role": {"enum": ["system", "user", "assistant"]}, "content": {"type": "string"}},
}
STOP: Schema = {"anyOf": [{"type": ["string", "null"]}, {"type": "array", "items": {"type": "string"}, "maxItems": 16}]}
NUMBERS = {"frequency_penalty": (-2, 2), "presence_penalty": (-2, 2), "temperature": (0, 2), "top_p": (0, 1)}


def mended_request(fields: Schema) -> Schema:
    """The properties of a request, mended."""
    fields = copy.deepcopy(fields)
    # "roles: S0, S2 leave out tool"; that one needs the id of an earlier call, which no schema can say.
    fields["messages"] = {"type": "array", "minItems": 1, "maxItems": 4, "items": MESSAGE}
    # "model: any string"; only these are known here.
    fields["model"] = {"enum": ["deepseek-chat", "deepseek-coder", "smollm2-135m-instruct"]}
    # "numbers: S0 integers for temperature …: floats; integers accepted", and the limits of S1.
    for name, (least, most) in NUMBERS.items():
        fields[name] = {"type": ["number", "null"], "minimum": least, "maximum": most}
    # "max_tokens: ≥ 1"; 3 for the test.
    fields["max_tokens"] = {"type": "integer", "minimum": 1, "maximum": 3}
    # S0's `type: null`, S2's `type: object` for what is a string or a list.
    fields["stop"] = STOP
    # JSON mode needs the word "json" in a message, which no schema can say.
    fields["response_format"] = {
        "type": ["object", "null"], "properties": {"type": {"const": "text"}}, "required": ["type"],
    }
    # S1: only with stream: true, top_logprobs only with logprobs: true; no schema says so across fields.
    fields["stream"] = {"const": True}
    fields["stream_options"] = {"type": ["object", "null"], "properties": {"include_usage": {"type": "boolean"}}}
    fields["logprobs"] = {"const": True}
    fields["top_logprobs"] = {"type": ["integer", "null"], "minimum": 0, "maximum": 20}
    # S0's `type: null`, S2's items without shape.
    fields["tools"] = {"type": "null"}
    # S0 any string, S2 an object.
    fields["tool_choice"] = {"enum": ["none", "auto", None]}
    return fields


def mended_answer(schema: Schema) -> Schema:
    """The shape of an answer, mended."""
    schema = copy.deepcopy(schema)
    choice = schema["properties"]["choices"]["items"]
    if "message" in choice.get("properties", {}):  # S0
        # "logprobs …: required, yet missing in S1's own example: optional"; null where not asked for.
        choice["properties"]["logprobs"] = {"type": ["object", "null"]}
        # reasoning_content and tool_calls are there only where the model thought or called.
        choice["properties"]["message"]["required"] = ["role", "content"]
        choice["required"] = ["index", "message", "finish_reason"]
    schema["required"] = sorted({*schema["required"], "usage"})
    return schema


def mended(document: Schema, stream: bool) -> Schema:
    """The whole document, mended. Under `stream` an answer is a stream of events, else one object."""
    document = copy.deepcopy(document)
    operation = document["paths"]["/chat/completions"]["post"]
    body = operation["requestBody"]["content"]["application/json"]
    body["schema"]["properties"] = mended_request(body["schema"]["properties"])
    if not stream:
        body["schema"]["properties"]["stream"] = {"enum": [False, None]}
        body["schema"]["properties"]["stream_options"] = {"type": "null"}
    # "required: S0 all fifteen; S1, S2 messages and model"; stream and logprobs for the test.
    body["schema"]["required"] = ["messages", "model", "stream", "logprobs", "max_tokens"]
    # S0's example has nulls where its own schema does not allow them.
    body.pop("example", None)
    operation["requestBody"]["required"] = True  # S0 forgets to say so
    operation.pop("parameters", None)  # S0 repeats Content-Type and Authorization, which OpenAPI forbids there
    operation.pop("security", None)
    document.pop("security", None)
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    content = {"text/event-stream": {"schema": EVENT}} if stream else {
        "application/json": {"schema": mended_answer(answer)}
    }
    # S0 has a second 200 under a name that is no status, and neither has a single error.
    operation["responses"] = {
        "200": {"description": "answered", "content": content}, **dict.fromkeys(REFUSALS, REFUSED),
    }
    return document


def of_texts(document: Schema, stream: bool) -> Schema:
    """The document of `/beta/completions`, which is of this repository, for answers of one kind."""
    operation = document["paths"]["/beta/completions"]["post"]
    properties = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    properties["stream"]["enum"] = [stream]
    if stream:
        properties["stream_options"] = {
            "type": "object", "nullable": True, "properties": {"include_usage": {"type": "boolean"}},
        }
        operation["responses"]["200"]["content"] = {"text/event-stream": {"schema": EVENT}}
    operation["responses"] |= dict.fromkeys(REFUSALS, REFUSED)
    return document


def cases(name: str, stream: bool, mode: schemathesis.GenerationMode):
    document = yaml.safe_load((FOLDER / name).read_text())
    (path,) = document["paths"]
    schema = schemathesis.openapi.from_dict((mended if path == "/chat/completions" else of_texts)(document, stream))
    return schema[path]["POST"].as_strategy(generation_mode=mode)


quick = settings(
    max_examples=25, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", ["s0.yaml", "s2.yaml", "completions.yaml"])
def test_what_the_documents_allow_is_answered_in_their_shape(local_server, name, stream):
    @quick
    @given(cases(name, stream, schemathesis.GenerationMode.POSITIVE))
    def every(case):
        response = case.call(
            base_url=local_server.base_url, headers={"Authorization": f"Bearer {local_server.api_key}"}
        )
        assert response.status_code == 200, (case.body, response.text)
        case.validate_response(response, checks=CHECKS)
        if stream:
            assert response.text.rstrip().endswith("data: [DONE]")

    every()


@pytest.mark.parametrize("name", ["s0.yaml", "s2.yaml", "completions.yaml"])
def test_what_the_documents_forbid_is_refused_in_the_documented_shape(local_server, name):
    @quick
    @given(cases(name, False, schemathesis.GenerationMode.NEGATIVE))
    def every(case):
        response = case.call(
            base_url=local_server.base_url, headers={"Authorization": f"Bearer {local_server.api_key}"}
        )
        assert response.status_code < 500
        case.validate_response(response, checks=CHECKS)

    every()
