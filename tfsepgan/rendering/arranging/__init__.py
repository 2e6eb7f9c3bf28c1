"""Full bands out of a piano performance with melody, chords and beats: arranged, rendered, mixed
and mastered."""
