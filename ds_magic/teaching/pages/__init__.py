"""Pages of HTML to hand out, which need nothing: of results, and of a saved notebook."""
