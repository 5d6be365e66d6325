"""Who tries to get the voice back: what was said, who said it, whether anybody spoke at all."""
