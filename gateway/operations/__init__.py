"""What a client asks: the request's parameters and its document, before anything runs."""
