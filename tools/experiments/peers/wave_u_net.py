"""Wave-U-Net in PyTorch.

Source: Stoller, Ewert & Dixon 2018, "Wave-U-Net" (arXiv:1806.03185), table 1: 12 levels, 24 more
filters on each level, filters of 15 samples on the way down and 5 on the way up, decimation by two,
linear interpolation.
Departs from it: zero padding and one source (its models M1 and M2), whose estimate is not limited
by tanh.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

LEVELS, MORE, DOWN, UP = 12, 24, 15, 5
SLOPE = 0.2  # of the leaky rectifier


class WaveUNet(nn.Module):
    """`[batch, 1, time]` to `[batch, 1, time]`."""

    def __init__(self) -> None:
        super().__init__()
        wide = [MORE * level for level in range(1, LEVELS + 1)]
        self.down = nn.ModuleList(
            nn.Conv1d(before, after, DOWN, padding=DOWN // 2)
            for before, after in zip([1, *wide], wide, strict=False)
        )
        self.deepest = nn.Conv1d(wide[-1], MORE * (LEVELS + 1), DOWN, padding=DOWN // 2)
        below = [*wide[1:], MORE * (LEVELS + 1)]
        self.up = nn.ModuleList(
            nn.Conv1d(deeper + same, same, UP, padding=UP // 2)
            for deeper, same in zip(below, wide, strict=True)
        )
        self.out = nn.Conv1d(wide[0] + 1, 1, 1)

    def forward(self, mixture: Tensor) -> Tensor:
        time = mixture.shape[-1]
        mixture = functional.pad(mixture, (0, -time % 2**LEVELS))
        signal, skipped = mixture, []
        for layer in self.down:
            signal = functional.leaky_relu(layer(signal), SLOPE)
            skipped.append(signal)
            signal = signal[..., ::2]
        signal = functional.leaky_relu(self.deepest(signal), SLOPE)
        for layer, same in zip(reversed(self.up), reversed(skipped), strict=True):
            signal = functional.interpolate(signal, scale_factor=2, mode="linear")
            signal = functional.leaky_relu(layer(torch.cat([signal, same], dim=1)), SLOPE)
        return self.out(torch.cat([signal, mixture], dim=1))[..., :time]
