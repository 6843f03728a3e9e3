"""Activities from draft to held or cancelled."""
