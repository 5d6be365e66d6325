"""The attackers: recover the words, identify the speaker, detect whether there was speech."""
