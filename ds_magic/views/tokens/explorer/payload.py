"""A LogprobTable as bytes for the explorer: columns, a vocabulary, alternatives in 16 bits.

The layout, all little-endian: a uint32 with the header's length, the header (JSON, padded with blanks to a
multiple of 4), then the arrays that the header's `arrays` lists as [name, type, offset, length], each at an
offset (from the end of the header) that its type's size divides. What is seldom there stands in the header:
bytes of tokens that their label does not tell, bounds of censored tokens. `decode.js` reads it.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ds_magic.logprobs.alternatives import only
from ds_magic.logprobs.distribution import SOFTMAX_ERROR
from ds_magic.logprobs.glyphs import encodable, inline, label

from ..heatmap import drawn_groups
from ..numbers import TRUTH, VAGUE_REST
from ..tints import METRICS, classes

if TYPE_CHECKING:
    from ds_magic.logprobs.table import LogprobTable

STATUSES = ("exact", "censored", "missing", "degenerate", "constrained")
# Alternatives' logprobs in steps of 1/2048 nat down to −32 nats; 65535 stands for "no number".
STEP = 2048
NO_NUMBER = 65535
HELD = 50
"""Alternatives of a token that a page holds; the embedded server can give the whole vocabulary."""
_CUT = f"Here are the {HELD} likeliest alternatives of each token; all others are counted together."


def pack(table: LogprobTable, *, shared: int = 0, given: str = "") -> bytes:
    """The table as bytes. `shared`: how many first tokens a branch has from its parent; `given`: what stands before."""
    whole, table = table, only(table, HELD)
    used, codes, alternative_codes = _vocabulary(table)
    pairs = [table._vocabulary[code] for code in used.tolist()]
    code_type = np.uint16 if len(pairs) < 1 << 16 else np.uint32
    logprobs = table._alternative_logprobs
    steps = np.round(np.minimum(-np.nan_to_num(logprobs, nan=0.0) * STEP, NO_NUMBER - 1))
    counts = np.diff(table._alternative_starts)
    arrays: dict[str, np.ndarray] = {
        "logprob": table.logprob.astype(np.float32),
        "low": table.entropy_low.astype(np.float32),
        "high": table.entropy_high.astype(np.float32),
        "rest": table.rest_mass.astype(np.float32),
        "code": codes.astype(code_type),
        "rank": np.minimum(table.rank, NO_NUMBER).astype(np.uint16),
        "alternativeCode": alternative_codes.astype(code_type),
        "alternativeStep": np.where(np.isnan(logprobs), NO_NUMBER, steps).astype(np.uint16),
        "count": counts.astype(np.uint8 if counts.max(initial=0) < 256 else np.uint32),
        "chosen": _chosen(table, counts),
        "status": np.array([STATUSES.index(status) for status in table.status.tolist()], np.uint8),
        "flags": (table.forced * 1 + table.damaged * 2).astype(np.uint8),
        **{f"class_{name}": classes(table, name).astype(np.int8) for name in METRICS},
    }
    starts = np.array([start for start, _ in drawn_groups(table)], np.uint32)
    if len(starts) < len(table):
        arrays["group"] = starts
    if len(table) and (table.position != table.position[0] + np.arange(len(table))).any():
        arrays["position"] = table.position.astype(np.uint32)
    labels = [label(token, token_bytes, limit=60) for token, token_bytes in pairs]
    header: dict[str, Any] = {
        "given": encodable(given),
        "vocabulary": table.vocabulary_size or 0,
        "first": int(table.position[0]) if len(table) else 0,
        "shared": shared,
        "step": STEP,
        "noNumber": NO_NUMBER,
        "vagueRest": VAGUE_REST,
        "restError": SOFTMAX_ERROR,
        "statuses": STATUSES,
        "metrics": [
            {"name": name, "title": metric.title, "classes": metric.names, "unknown": metric.unknown}
            for name, metric in METRICS.items()
        ],
        "labels": labels,
        "bytes": {
            str(code): token_bytes[:256].hex()
            for code, (shown, (_, token_bytes)) in enumerate(zip(labels, pairs, strict=True))
            if shown.replace("·", " ").encode() != token_bytes
        },
        "uppers": {
            str(i): float(table.logprob_upper[i]) for i in np.flatnonzero(~np.isnan(table.logprob_upper)).tolist()
        },
        "texts": _texts(table),
        "notes": [TRUTH, *table.notes, *([_CUT] if table is not whole else [])],
        "measures": _measures(table),
    }
    return _joined(header, arrays)


def entries(data: bytes) -> list[dict[str, Any]]:
    """The wire's entries of a table that `pack` packed; alternatives are as exact as they are drawn.

    Raises ValueError where the bytes are no such table.
    """
    header, columns = _split(data)
    names = [_spelt(header, code) for code in range(len(header["labels"]))]
    ends = np.cumsum(columns["count"].astype(np.int64))
    steps = columns["alternativeStep"].tolist()
    numbers = [None if step == NO_NUMBER else -step / STEP for step in steps]
    codes, logprobs = columns["alternativeCode"].tolist(), columns["logprob"].astype(float).tolist()
    found: list[dict[str, Any]] = []
    for i, code in enumerate(columns["code"].tolist()):
        begin, end = int(ends[i] - columns["count"][i]), int(ends[i])
        status, flags, chosen = STATUSES[columns["status"][i]], int(columns["flags"][i]), int(columns["chosen"][i])
        logprob: float | None = _CENSORED if status == "censored" else logprobs[i]
        logprob = None if logprob != logprob else logprob
        listed = [{**names[codes[at]], "logprob": numbers[at]} for at in range(begin, end)]
        if chosen and logprob is not None:
            listed[chosen - 1]["logprob"] = logprob
        entry = {**names[code], "logprob": logprob, "top_logprobs": listed}
        if status == "constrained":
            entry["constrained"] = True
        if flags & 1:
            entry["forced"] = True
        found.append(entry)
    return found


_CENSORED = -9999.0  # what servers send for a token that is none of the alternatives


def _spelt(header: dict[str, Any], code: int) -> dict[str, Any]:
    """The token of a code, as the wire spells it."""
    label, held = header["labels"][code], header["bytes"].get(str(code))
    spelt = label.replace("·", " ").encode() if held is None else bytes.fromhex(held)
    if not spelt:
        _, named, name = label.strip("⟨⟩").partition(": ")  # ⟨end⟩, or ⟨end: im_end⟩
        return {"token": "", "bytes": [], **({"mark": name} if named else {})}
    return {"token": spelt.decode("utf-8", "replace"), "bytes": list(spelt)}


def _split(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The header and the columns of packed bytes."""
    start = 4 + int.from_bytes(data[:4], "little")
    header = json.loads(data[4:start])
    columns = {
        name: np.frombuffer(data, np.dtype(type_).newbyteorder("<"), length, start + offset)
        for name, type_, offset, length in header["arrays"]
    }
    return header, columns


def _chosen(table: LogprobTable, counts: np.ndarray) -> np.ndarray:
    """The place of the chosen token among its alternatives, from 1; 0 where it is none of them."""
    places = np.zeros(len(table), np.int64)
    rows = table._alternative_rows[table._chosen]
    places[rows] = np.flatnonzero(table._chosen) - table._alternative_starts[rows] + 1
    return places.astype(np.uint8 if counts.max(initial=0) < 256 else np.uint32)


def _vocabulary(table: LogprobTable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The codes that this table uses, and its tokens and alternatives as indices into them."""
    index = {pair: code for code, pair in enumerate(table._vocabulary)}
    own = np.array([index[pair] for pair in zip(table.token, table.bytes, strict=True)], np.int64)
    used, inverse = np.unique(np.concatenate((own, table._alternative_codes)), return_inverse=True)
    return used, inverse[: len(own)], inverse[len(own) :]


def _texts(table: LogprobTable) -> dict[str, str]:
    """How tokens stand in the running text where it is not their label: characters of several tokens, joins."""
    texts: dict[str, str] = {}
    for start, end in drawn_groups(table):
        text = "".join(table.text[start:end])
        shown = inline(text)[:2000]
        if end - start > 1 or (shown and shown != label(table.token[start], table.bytes[start], limit=60)):
            texts[str(start)] = shown or label(table.token[start], table.bytes[start])
    return texts


def _measures(table: LogprobTable) -> list[list[str]]:
    """What is said of the whole: names and values with their bounds."""
    measures = {
        "perplexity": table.perplexity,
        "surprise a token": table.mean_surprisal,
        "bits a byte": table.bits_per_byte,
        "mean entropy": table.mean_entropy,
    }
    return [[name, str(value)] for name, value in measures.items() if not math.isnan(value.low)]


def _joined(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> bytes:
    blocks: list[bytes] = []
    listed = []
    offset = 0
    for name, array in arrays.items():
        padding = -offset % 4
        blocks.append(b"\0" * padding)
        offset += padding
        data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        listed.append([name, array.dtype.name, offset, len(array)])
        blocks.append(data)
        offset += len(data)
    text = json.dumps({**header, "arrays": listed}, ensure_ascii=False).encode("utf-8", "replace")
    text += b" " * (-len(text) % 4)
    return b"".join([len(text).to_bytes(4, "little"), text, *blocks])
