"""A plugin for tests/run, loaded before all others: what they would import takes seconds, and nobody here needs it."""

import sys

# It compiles 39 grammars when jsonschema imports it, for addresses in a schema, of which ours have none.
sys.modules.setdefault("rfc3987_syntax", None)
