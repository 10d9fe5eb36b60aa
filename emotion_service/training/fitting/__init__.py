"""From clips over lines to a fitted, calibrated, exported network."""
