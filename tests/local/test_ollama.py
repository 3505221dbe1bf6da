"""Models that Ollama has here, in folders laid out as it lays them out, old and new."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import ds_magic
from ds_magic.api.errors import DeepSeekError
from ds_magic.local.model_failures import WeightsError
from ds_magic.local.models import ollama
from ds_magic.local.models.listing import local_models
from ds_magic.local.models.obtain import identity, obtained
from tests.local.tiny_models import write_model

pytestmark = pytest.mark.usefixtures("no_servers_left")

MODEL = "application/vnd.ollama.image.model"
OLD, NEW = ("manifests", "registry.ollama.ai"), ("manifest-v2", "ollama.com")


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Ollama's folder, with nothing in it."""
    monkeypatch.delenv("DS_MAGIC_LOCAL_MODEL", raising=False)
    monkeypatch.setenv("DS_MAGIC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    (tmp_path / "ollama/blobs").mkdir(parents=True)
    return tmp_path / "ollama"


@pytest.fixture
def pulled(folder, tmp_path):
    """A model as `ollama pull` leaves it: its blob."""

    def pull(name: str = "tiny", tag: str = "latest", owner: str = "library", layout=OLD, content=None) -> Path:
        if content is None:
            content = write_model(tmp_path / "tiny.gguf").read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        blob = folder / "blobs" / f"sha256-{digest}"
        blob.write_bytes(content)
        root, host = layout
        manifest = folder / root / host / owner / name / tag
        manifest.parent.mkdir(parents=True, exist_ok=True)
        layers = [
            {"mediaType": "application/vnd.ollama.image.template", "digest": f"sha256:{'0' * 64}", "size": 3},
            {"mediaType": MODEL, "digest": f"sha256:{digest}", "size": len(content)},
        ]
        config = {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": f"sha256:{'1' * 64}"}
        manifest.write_text(json.dumps({"schemaVersion": 2, "config": config, "layers": layers}))
        return blob

    return pull


@pytest.mark.parametrize("layout", [OLD, NEW])
def test_a_model_is_used_where_it_lies(pulled, folder, layout):
    blob = pulled(layout=layout)
    before = sorted(folder.rglob("*"))
    assert obtained("ollama:tiny").path == blob
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(("name", "given"), [
    ("ollama:tiny:1b", {"tag": "1b"}),
    ("ollama:ada/tiny", {"owner": "ada"}),
    ("ollama:hf.co/ada/tiny:Q8_0", {"owner": "ada", "tag": "Q8_0", "layout": ("manifests", "hf.co")}),
])
def test_tags_owners_and_hosts_are_part_of_a_name(pulled, name, given):
    blob = pulled(**given)
    assert obtained(name).path == blob
    assert [str(each) for each, _ in ollama.kept()] == [name]


def test_of_two_layouts_the_newer_counts(pulled, tmp_path):
    pulled(layout=OLD)
    newer = pulled(layout=NEW, content=write_model(tmp_path / "newer.gguf", seed=1).read_bytes())
    assert obtained("ollama:tiny").path == newer
    assert len(list(ollama.kept())) == 1


def test_a_model_that_is_not_here_is_told_with_those_that_are_and_how_to_pull_it(pulled):
    pulled("other")
    with pytest.raises(WeightsError, match="no model tiny:1b") as caught:
        obtained("ollama:tiny:1b")
    assert "ollama:other" in caught.value.remedy and "`ollama pull tiny:1b`" in caught.value.remedy


@pytest.mark.parametrize("content", [
    "", "no JSON", "[]", '{"layers": 3}', '{"layers": ["model"]}', '{"layers": []}', "[" * 5000,
    f'{{"layers": [{{"mediaType": "{MODEL}", "digest": "sha256:../../../etc/passwd"}}]}}',
    f'{{"layers": [{{"mediaType": "{MODEL}", "digest": "sha256:{"a" * 64}"}}]}}',
])
def test_a_damaged_manifest_is_told_and_passed_over_in_lists(pulled, folder, content):
    pulled("good")
    pulled("bad")
    (folder / "manifests/registry.ollama.ai/library/bad/latest").write_text(content)
    with pytest.raises(WeightsError, match="damaged") as caught:
        obtained("ollama:bad")
    assert "`ollama pull bad`" in caught.value.remedy
    assert [model.name for model in local_models()] == ["ollama:good"]


def test_a_model_that_is_kept_as_tensors_needs_the_file_from_the_hub(pulled, folder):
    pulled()
    layers = [{"mediaType": "application/vnd.ollama.image.tensor; name=a", "digest": f"sha256:{'a' * 64}"}]
    (folder / "manifests/registry.ollama.ai/library/tiny/latest").write_text(json.dumps({"layers": layers}))
    with pytest.raises(WeightsError, match="as tensors") as caught:
        obtained("ollama:tiny")
    assert "needs the file from the Hub" in caught.value.remedy


def test_a_model_that_was_pulled_anew_has_a_server_of_its_own(pulled, folder, tmp_path):
    pulled()
    before = identity("ollama:tiny")
    assert identity("ollama:tiny:latest") == before
    pulled(content=write_model(tmp_path / "newer.gguf", seed=1).read_bytes())
    assert identity("ollama:tiny") != before


@pytest.mark.model
def test_a_request_is_answered_by_a_model_of_ollamas(pulled):
    pulled(tag="1b")
    answer = ds_magic.chat("Hi", local_model="ollama:tiny:1b", max_tokens=3)
    assert answer.model == "tiny:1b"
    assert answer.provenance.more.items() >= {"local_model": "ollama:tiny:1b"}.items()


@pytest.mark.model
def test_one_that_llama_cpp_cannot_load_needs_the_file_from_the_hub(pulled, tmp_path):
    content = write_model(tmp_path / "odd.gguf").read_bytes()
    assert content.count(b"blk.0.ffn_up.weight") == 1
    pulled("odd", content=content.replace(b"blk.0.ffn_up.weight", b"blk.0.ffn_xy.weight"))
    with pytest.raises(DeepSeekError, match="could not load") as caught:
        ds_magic.chat("Hi", local_model="ollama:odd", max_tokens=3)
    assert "needs the file from the Hub" in caught.value.remedy
