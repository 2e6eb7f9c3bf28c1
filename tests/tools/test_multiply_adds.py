"""Multiply-adds are counted as they are computed, in closed form."""

import keras
import pytest
from tools_for_tests import from_tools

from tfsepgan.layers.bands import BandDense, BandMerge, BandSplit, band_groups
from tfsepgan.layers.time_frequency import FrequencyDense, TimeFrequencyConv

GROUPS = band_groups(19, narrowest=2, a_width=3)


@pytest.fixture(scope="module")
def tool():
    return from_tools("multiply_adds")


@pytest.mark.parametrize(
    ("layer", "shape", "wanted"),
    [
        (keras.layers.Dense(5), (None, None, 7), 7 * 5),
        (keras.layers.Dense(5), (None, None, 6, 7), 6 * 7 * 5),
        (TimeFrequencyConv(5, (3, 1), 2), (None, None, 6, 7), 3 * 6 * 7 * 5),
        (FrequencyDense(2), (None, None, 6, 7), 2 * 6 * 2 * 7),
        (BandSplit(GROUPS, 19, 5), (None, None, 38), 38 * 5),
        (BandDense(5), (None, None, 6, 7), 6 * 7 * 5),
        (BandMerge(GROUPS, 19, 2), (None, None, 7, 5), 5 * 38),
        (keras.layers.BatchNormalization(), (None, None, 7), 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, keras.layers.Layer) else "",
)
def test_a_layer_counts_each_weight_as_often_as_a_frame_uses_it(tool, layer, shape, wanted):
    signal = keras.Input(shape[1:])
    network = keras.Model(signal, layer(signal))
    assert sum(row.products for row in tool.counts(network)) == wanted


def test_a_pass_counts_the_frames_that_there_are(tool):
    signal = keras.Input((None, 1))
    strided = keras.layers.Conv1D(4, 8, strides=4, padding="same")(signal)
    network = keras.Model(signal, keras.layers.Conv1D(2, 3, padding="same")(strided))
    assert tool.products_in(network, 64) == 16 * (8 * 4 + 3 * 4 * 2)
