"""DHL: parcels of all its divisions, through Shipment Tracking (Unified)."""
