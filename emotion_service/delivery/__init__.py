"""Who hears of a call: everything that leaves it goes through here."""
