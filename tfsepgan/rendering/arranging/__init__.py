"""Bands from a piano performance with melody, chords and beats: arranged, rendered, mixed,
mastered.
"""
