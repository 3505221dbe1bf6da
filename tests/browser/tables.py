"""Tables of token probabilities for the browser tests, made in a kernel or here."""

import math

from ds_magic.logprobs.table import LogprobTable


def entry(text, p=0.5, alternatives=(), **fields):
    """A wire entry; `text` may be bytes."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    tops = [{"token": name, "logprob": math.log(share), "bytes": list(name.encode())} for name, share in alternatives]
    token = raw.decode(errors="replace")
    return {"token": token, "bytes": list(raw), "logprob": math.log(p), "top_logprobs": tops, **fields}


CONTEST = [
    entry("The", 0.99, [("The", 0.99)]),
    entry(" capital", 0.95, [(" capital", 0.95)]),
    entry(" is", 0.97, [(" is", 0.97)]),
    entry(" Paris", 0.87, [(" Paris", 0.87), (" Lyon", 0.05), (" Nice", 0.01)]),
    entry(".\n", 0.02, [(",", 0.9), (".\n", 0.02)]),
    *(entry(bytes([byte]), 0.9) for byte in "🚀".encode()),
    {**entry(" odd", 0.5, [(" a", 0.9)]), "logprob": -9999.0},
    entry("", 0.6, [("", 0.6)]),
]
"""`The capital is Paris.`, with a contest, a rocket in four tokens and a censored token, as the wire has it."""


def contest():
    """The table of it."""
    return LogprobTable.from_wire(CONTEST, vocabulary_size=50_000)


HOSTILE = [
    "</script><script>document.title='pwned'</script>",
    "<img src=x onerror=\"document.title='pwned'\">",
    "<b>bold</b>",
    "\"'`${document.title='pwned'}",
    "a\nb\tc\x00",
    "\u202eevil",
    "שלום",
    "é\u0301\u0302",
]


def hostile():
    """Every token tries to break out of the page."""
    return LogprobTable.from_wire([entry(token, 0.3, [(token, 0.3), (HOSTILE[0], 0.2)]) for token in HOSTILE] * 3)


def long(n=8192):
    """Many tokens with 20 alternatives and a line break now and then."""
    words = [f" w{i}" for i in range(997)]
    shares = [0.36 / 1.6**i for i in range(20)]
    rows = []
    for i in range(n):
        names = [words[(i * 7 + j * 31) % 997] for j in range(20)]
        if i % 60 == 59:
            names[0] = ".\n"
        k = (i * i) % 20 if i % 5 == 0 else 0
        rows.append(entry(names[k], shares[k], list(zip(names, shares, strict=True))))
    return LogprobTable.from_wire(rows, vocabulary_size=50_000)
