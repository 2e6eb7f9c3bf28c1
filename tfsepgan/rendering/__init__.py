"""Stems out of scores: MIDI and MusicXML played by soundfonts into the layouts that training reads."""
