"""HubSpot: companies, their people and representatives, from its CRM."""
