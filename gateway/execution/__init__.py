"""How an operation is answered: the engines, and errors in the words of the graph."""
