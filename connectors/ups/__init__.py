"""UPS: parcels, through its Track API."""
