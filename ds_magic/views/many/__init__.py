"""What is seen of several answers together: beside each other, counted, and where they part."""
