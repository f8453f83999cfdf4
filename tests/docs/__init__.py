"""Pages for operators, held to what they speak of."""
