"""The edge of Passerelle, in the order a request crosses it."""
