"""The token explorer: heat map, card, overview, search and branching, live or as one HTML file."""
