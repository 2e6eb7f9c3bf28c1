"""Songs: arranges, renders, mixes and masters bands around a piano performance."""
