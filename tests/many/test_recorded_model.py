"""A recording of the real model is the same answer again, table and all."""

from ds_magic import Client
from ds_magic.api.addresses import EMBEDDED


def test_a_replay_has_every_number_of_the_model(local_server, tmp_path):
    path = tmp_path / "run.jsonl"
    client = Client(
        local_server.base_url, local_server.api_key, model=local_server.model, name=EMBEDDED, journal=path,
        locate=lambda: (local_server.base_url, local_server.api_key),
    )
    fields = {"stream": True, "top_logprobs": 20, "max_tokens": 12, "temperature": 0.8, "seed": 3}
    live = client.chat("Name a bird; écris-le en français: 🐦", **fields)
    again = Client(replay=path, speed=0).chat("Name a bird; écris-le en français: 🐦", **fields)
    assert again.raw == live.raw and again.notes == live.notes
    assert again.logprobs.to_pandas().equals(live.logprobs.to_pandas()) and len(again.logprobs) == 12
    assert again.provenance == live.provenance and again.recorded.backend == EMBEDDED


def test_a_branch_of_the_model_is_replayed(local_server, tmp_path):
    path = tmp_path / "run.jsonl"
    client = Client(
        local_server.base_url, local_server.api_key, model=local_server.model, name=EMBEDDED, journal=path,
        locate=lambda: (local_server.base_url, local_server.api_key),
    )
    answer = client.chat("The capital of France?", stream=True, top_logprobs=5, max_tokens=6, temperature=0)
    branch = answer.fork(1, rank=2, client=client)
    assert answer.fork(1, rank=2, client=Client(replay=path, speed=0)).content == branch.content
