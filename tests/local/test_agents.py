"""What agent libraries post, byte for byte, to the embedded server in both of its contracts.

Each is answered, or refused with the field that DeepSeek's service would not take either. MODEL stands for a model
that is there.
"""

from __future__ import annotations

import json

import pytest

ADD = (
    b'{"type":"function","function":{"name":"add","description":"Add two numbers","parameters":{"properties":{"a":'
    b'{"title":"A","type":"integer"},"b":{"title":"B","type":"integer"}},"required":["a","b"],"title":"add_args",'
    b'"type":"object","additionalProperties":false},"strict":true}}'
)
LOOSE = (
    b'{"type":"function","function":{"name":"add","description":"Add two numbers","parameters":{"type":"object",'
    b'"properties":{"a":{"type":"integer"},"b":{"type":"integer","default":1}},"required":["a"]},"strict":null},'
    b'"cache_control":{"type":"ephemeral"}}'
)
CALL = b'{"id":"call_1","type":"function","function":{"name":"add","arguments":"{\\"a\\":17,\\"b\\":25}"}}'
PERSON = (
    b'{"type":"object","properties":{"name":{"type":"string","maxLength":20},"age":{"type":"integer"}},'
    b'"required":["name","age"],"additionalProperties":false}'
)

ANSWERED = {
    "openai-agents": b'{"messages":[{"content":"You are terse.","role":"system"},{"role":"user","content":"What is 17 '
    b'plus 25?"}],"model":"MODEL","max_tokens":24,"parallel_tool_calls":true,"store":true,"stream":false,"tools":['
    + ADD + b'],"metadata":{"trace":"t1"},"reasoning_effort":"low","prompt_cache_key":"k1"}',
    "openai-agents, the second turn": b'{"messages":[{"content":"You are terse.","role":"system"},{"role":"user",'
    b'"content":"What is 17 plus 25?"},{"role":"assistant","content":null,"tool_calls":[' + CALL + b'],'
    b'"reasoning_content":"I add them."},{"role":"tool","tool_call_id":"call_1","content":"42"}],"model":"MODEL",'
    b'"max_tokens":8,"stream":true,"stream_options":{"include_usage":true},"tools":[' + ADD + b'],"store":false}',
    "langchain-openai": b'{"messages":[{"content":"You are terse.","role":"system"},{"content":[{"type":"text","text":'
    b'"What is 17 "},{"type":"text","text":"plus 25?"}],"role":"user","name":"ada"}],"model":"MODEL","n":1,"stream":'
    b'false,"temperature":0.7,"max_completion_tokens":8,"logit_bias":{},"tools":[' + LOOSE + b'],"parallel_tool_calls":'
    b'false,"tool_choice":"auto","logprobs":false}',
    "langchain-openai, the second turn": b'{"messages":[{"content":"What is 17 plus 25?","role":"user"},{"content":'
    b'null,"role":"assistant","reasoning_content":"","tool_calls":[{"type":"function","id":"call_1","function":{"name":'
    b'"add","arguments":"{\\"a\\": 17, \\"b\\": 25}"}}]},{"content":[{"type":"text","text":"42"}],"role":"tool",'
    b'"name":"add","tool_call_id":"call_1"}],"model":"MODEL","max_tokens":8,"stream":false,"temperature":null,"tools":['
    + LOOSE + b']}',
    "langchain-openai, an object": b'{"messages":[{"content":"Ada is 36.","role":"user"}],"model":"MODEL","max_tokens":'
    b'60,"response_format":{"type":"json_schema","json_schema":{"name":"Person","description":"","strict":true,'
    b'"schema":' + PERSON + b'}},"stream":false}',
    "litellm": b'{"model":"MODEL","messages":[{"role":"developer","content":"Be terse."},{"role":"user","content":"Hi",'
    b'"cache_control":{"type":"ephemeral"}}],"max_tokens":4,"max_retries":0,"user":"u-1","stream":true,'
    b'"stream_options":{"include_usage":true},"tools":[],"tool_choice":null,"logit_bias":{},"top_p":1,"n":1,'
    b'"service_tier":"auto","seed":null,"timeout":600.0,"extra_headers":{},"thinking":{"type":"enabled",'
    b'"budget_tokens":1024}}',
    "litellm, what it had from others": b'{"model":"MODEL","messages":[{"role":"user","content":"What is 17 plus 25?"},'
    b'{"content":"","role":"assistant","tool_calls":[{"index":0,"function":{"arguments":"{\\"a\\":17,\\"b\\":25}",'
    b'"name":"add"},"id":"call_1","type":"function","provider_specific_fields":{"a":1}}],"function_call":null,'
    b'"provider_specific_fields":null,"annotations":[],"reasoning_content":"I add."},{"tool_call_id":"call_1","role":'
    b'"tool","name":"add","content":"42"}],"max_tokens":8,"tools":[' + LOOSE + b']}',
    "pydantic-ai": b'{"messages":[{"role":"system","content":"Be terse."},{"role":"user","content":[{"text":"Hi",'
    b'"type":"text"}]}],"model":"MODEL","max_completion_tokens":8,"parallel_tool_calls":true,"stream":false,'
    b'"tool_choice":"auto","tools":[' + ADD + b'],"stop":null,"presence_penalty":null,"user":null,"timeout":null}',
    "llama-index": b'{"messages":[{"role":"system","content":"Be terse."},{"role":"user","content":"Hi"},{"role":'
    b'"assistant","content":"Hello.","tool_calls":null,"reasoning_content":""},{"role":"user","content":"And?"}],'
    b'"model":"MODEL","stream":true,"temperature":0.1,"max_tokens":4,"tools":[{"type":"function","function":{"name":'
    b'"add","description":"add(a: int, b: int)\\nAdd.","parameters":{"properties":{"a":{"title":"A","type":"integer"}},'
    b'"required":["a"],"type":"object","additionalProperties":false}}}],"tool_choice":"auto","parallel_tool_calls":'
    b'true,"stream_options":{"include_usage":true}}',
    "autogen": b'{"messages":[{"content":"You are a helpful AI assistant.","role":"system"},{"content":"Hi","role":'
    b'"user","name":"user_proxy"},{"content":"Hello.","role":"assistant","name":"assistant_1","reasoning_content":""},'
    b'{"content":"Go on.","role":"user","name":"critic"}],"model":"MODEL","max_tokens":4,"stream":false,"tools":['
    b'{"type":"function","function":{"name":"add","description":"Add","parameters":{"type":"object","properties":{"a":'
    b'{"description":"a","title":"A","type":"integer"}},"required":["a"],"additionalProperties":false},"strict":'
    b'false}}]}',
    "autogen, functions as they were": b'{"messages":[{"role":"user","content":"Hi"}],"model":"MODEL","max_tokens":4,'
    b'"functions":[{"name":"add","parameters":{"type":"object","properties":{}}}],"function_call":"auto"}',
    "crewai": b'{"model":"MODEL","messages":[{"role":"system","content":"You are a clerk.\\nThought: ..."},{"role":'
    b'"user","content":"\\nCurrent Task: say hi\\n\\nBegin!"}],"stop":["\\nObservation:"],"max_tokens":4,"stream":'
    b'false,"tools":null,"callbacks":[],"api_base":null,"n":null,"response_format":null}',
    "smolagents": b'{"messages":[{"role":"system","content":[{"type":"text","text":"You are an expert."}]},{"role":'
    b'"user","content":[{"type":"text","text":"New task:\\nsay hi"}]},{"role":"assistant","content":[{"type":"text",'
    b'"text":"Thought: I greet."}]},{"role":"user","content":[{"type":"text","text":"Observation:\\nok"}]}],"stop":['
    b'"Observation:","Calling tools:"],"model":"MODEL","max_tokens":4}',
    "instructor": b'{"messages":[{"role":"system","content":"As a genius expert, your task is to '
    b'understand the content and provide the parsed objects in json that match the following json_schema:\\n{}"},'
    b'{"role":"user","content":"Ada is 36."}],"model":"MODEL","max_tokens":60,"reasoning_effort":"none",'
    b'"response_format":{"type":"json_object"},"stream":false}',
    "instructor, by a function": b'{"messages":[{"role":"user","content":"Ada is 36."}],"model":"MODEL","max_tokens":60'
    b',"thinking":{"type":"disabled"},"tools":[{"type":"function","function":{"name":"Person","description":"Correctly '
    b'extracted","parameters":' + PERSON + b'}}],"tool_choice":{"type":"function","function":{"name":"Person"}},'
    b'"parallel_tool_calls":false}',
    "aider": b'{"model":"MODEL","messages":[{"role":"system","content":[{"type":"text","text":"Act as an expert.",'
    b'"cache_control":{"type":"ephemeral"}}]},{"role":"user","content":"Hi"},{"role":"assistant","content":"Ok."},'
    b'{"role":"user","content":"Go on."}],"stream":true,"temperature":0,"max_tokens":4}',
    "aider, with a prefix left unused": b'{"model":"MODEL","messages":[{"role":"user","content":"Hi"},{"role":'
    b'"assistant","content":"Ok.","prefix":false},{"role":"user","content":"Go on."}],"stream":false,"max_tokens":4}',
    "continue": b'{"messages":[{"role":"system","content":"<important_rules>"},{"role":"user","content":[{"type":"text"'
    b',"text":"Hi"}]}],"model":"MODEL","max_tokens":32,"stop":["\\n"],"stream":true,"temperature":0.01,"tools":['
    + LOOSE + b'],"parallel_tool_calls":false,"tool_choice":"none"}',
    "LibreChat": b'{"model":"MODEL","user":"66f1a0c2d1","stream":true,"messages":[{"role":"system","content":"Be '
    b'terse.","name":"instructions"},{"role":"user","content":"Hi"}],"temperature":1,"top_p":1,"presence_penalty":0,'
    b'"frequency_penalty":0,"max_tokens":4,"stream_options":{"include_usage":true}}',
    "jupyter-ai": b'{"messages":[{"content":"You are Jupyternaut.","role":"system"},{"content":"Hi","role":"user"}],'
    b'"model":"MODEL","n":1,"stream":true,"temperature":0.7,"max_tokens":4}',
    "ai-sdk": b'{"model":"MODEL","max_tokens":4,"temperature":0,"messages":[{"role":"system","content":"Be terse."},'
    b'{"role":"user","content":[{"type":"text","text":"Hi"}]}],"tools":[' + LOOSE + b'],"tool_choice":"auto","stream":'
    b'true,"stream_options":{"include_usage":true,"include_obfuscation":false}}',
    "the openai SDK, an answer sent back": b'{"messages":[{"role":"user","content":"Hi"},{"content":"Hello.","refusal":'
    b'null,"role":"assistant","annotations":[],"audio":null,"function_call":null,"tool_calls":null,'
    b'"reasoning_content":"Hm."},{"role":"user","content":"And?"}],"model":"MODEL","max_completion_tokens":4,'
    b'"modalities":["text"],"verbosity":"low","safety_identifier":"x","prediction":null,"web_search_options":{},'
    b'"audio":null,"response_format":{"type":"text"},"top_logprobs":null,"logprobs":null}',
    "semantic-kernel": b'{"messages":[{"role":"developer","name":null,"content":[{"type":"text","text":"Be terse."}]},'
    b'{"role":"user","content":"Hi"}],"model":"MODEL","max_tokens":4,"number_of_responses":1,"frequency_penalty":0.0,'
    b'"presence_penalty":0.0,"temperature":0.0,"top_p":1.0,"stream":false,"logit_bias":null,"user":""}',
}

FORCED = b'"tools":[' + ADD + b'],"tool_choice":"required","max_tokens":40}'
REFUSED = {
    "a picture": (b'{"model":"MODEL","messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},'
                  b'{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}]}',
                  "messages[0].content"),
    "several answers": (b'{"model":"MODEL","messages":[{"role":"user","content":"Hi"}],"n":3}', "n"),
    "a result of a function as it was": (
        b'{"model":"MODEL","messages":[{"role":"user","content":"Hi"},{"role":"function","name":"add","content":"42"}]}',
        "messages[1].role"),
    "a result of no call": (
        b'{"model":"MODEL","messages":[{"role":"user","content":"Hi"},{"role":"tool","tool_call_id":"call_9",'
        b'"content":"42"}]}', "messages[1].tool_call_id"),
    "a choice of no function": (
        b'{"model":"MODEL","messages":[{"role":"user","content":"Hi"}],"tools":[],"tool_choice":"required",'
        b'"thinking":{"type":"disabled"}}', "tool_choice"),
    "a tool of OpenAI's own": (
        b'{"model":"MODEL","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"web_search_preview"}]}',
        "tools[0]"),
}


@pytest.fixture(params=["api", "todays"])
def either(request):
    """What asks the server of the seeds, and that of today."""
    return request.getfixturevalue(request.param)


def posted(api, body, path="/v1/chat/completions"):
    headers = {"Content-Type": "application/json", "Accept": "application/json", "X-Stainless-Lang": "python"}
    data = body.replace(b"MODEL", api.model.encode())
    assert json.loads(data)["model"] == api.model
    return api.session.post(api.base_url + path, data=data, headers=headers, timeout=300)


@pytest.mark.parametrize("library", ANSWERED)
def test_what_an_agent_library_posts_is_answered(library, either):
    response = posted(either, ANSWERED[library])
    assert response.status_code == 200, response.text
    if json.loads(ANSWERED[library]).get("stream"):
        assert response.text.rstrip().endswith("data: [DONE]") and '"error"' not in response.text
    else:
        message = response.json()["choices"][0]["message"]
        assert message.get("content") or message.get("tool_calls") or message.get("reasoning_content")


@pytest.mark.parametrize("what", REFUSED)
def test_what_deepseek_has_not_is_refused_with_the_field(what, either):
    body, field = REFUSED[what]
    response = posted(either, body)
    error = response.json()["error"]
    assert response.status_code in (400, 422) and (error["param"] or "").startswith(field), response.text


def test_a_call_that_a_library_forces_is_made_or_refused_with_the_field_where_the_model_thinks(api, todays):
    body = b'{"model":"MODEL","messages":[{"role":"user","content":"What is 17 plus 25?"}],' + FORCED
    assert posted(api, body).json()["choices"][0]["message"]["tool_calls"]
    refused = posted(todays, body)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "tool_choice")
