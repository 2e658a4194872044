"""How fields are answered: lists of parents in, lists of values out, through ports."""
