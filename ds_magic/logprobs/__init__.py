"""What the numbers beside the tokens say: tables of token probabilities, and what follows from them."""
