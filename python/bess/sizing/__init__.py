"""The battery of greatest value, over continuous capacity and power."""
