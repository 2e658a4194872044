"""`passerelle doctor`: the technical proof of every connection, and its reports."""
