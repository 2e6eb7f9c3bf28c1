"""Trains the network of a peer for some minutes of the processor, and separates with it.

    VENV/bin/python tools/experiments/peers/train_torch.py --network open-unmix --minutes 60 \\
        --windows data/alike --output runs/alike/open-unmix

VENV has torch, torchaudio and openunmix; this package is not needed there. Networks:

- open-unmix: `openunmix.model.OpenUnmix`, as its authors train it (frames of 4096, hop 1024,
  16 kHz, three bidirectional LSTM of 512), with the mixture's phase;
- conv-tasnet: `torchaudio.models.ConvTasNet`, the best of its paper, with filters of 20 samples;
- hybrid-demucs: `torchaudio.models.HDemucs`, as published (48 channels);
- hybrid-demucs-16: the same with 16 channels;
- wave-u-net: `wave_u_net.WaveUNet`, written from its paper.

The training can be interrupted, and goes on when it is started again.
"""

import argparse
import os
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from alike import (
    CLIP_NORM,
    LOSS_WEIGHT,
    Budget,
    Windows,
    common_flags,
    train_until_spent,
    write_estimates,
)
from openunmix.model import OpenUnmix
from torch import Tensor, nn
from torchaudio.models import ConvTasNet, HDemucs
from wave_u_net import WaveUNet

RATE_HZ, STATISTICS_STEPS = 44100, 16


class Masked(nn.Module):
    """Open-Unmix on waveforms: its magnitudes with the phase of the mixture."""

    frame, hop, cutoff_hz = 4096, 1024, 16000

    def __init__(self, windows: Windows):
        super().__init__()
        self.register_buffer("window", torch.hann_window(self.frame))
        # as openunmix's training does: mean and deviation of the magnitudes of each bin
        seen = [torch.from_numpy(windows.at(step)[0]) for step in range(STATISTICS_STEPS)]
        magnitudes = self.spectrum(torch.cat(seen)).abs()
        deviation = magnitudes.std(dim=(0, 2))
        self.network = OpenUnmix(
            nb_bins=self.frame // 2 + 1,
            nb_channels=1,
            max_bin=int(self.cutoff_hz * self.frame / RATE_HZ),
            input_mean=magnitudes.mean(dim=(0, 2)).numpy(),
            input_scale=deviation.clamp(min=1e-4 * deviation.max()).numpy(),
        )

    def spectrum(self, signal: Tensor) -> Tensor:
        return torch.stft(
            signal, self.frame, self.hop, window=self.window, center=True, return_complex=True
        )

    def forward(self, mixture: Tensor) -> Tensor:
        spectrum = self.spectrum(mixture)
        magnitude = spectrum.abs()
        estimate = self.network(magnitude[:, None])[:, 0]
        masked = estimate * spectrum / magnitude.clamp(min=1e-8)
        return torch.istft(
            masked, self.frame, self.hop, window=self.window, length=mixture.shape[-1]
        )


class OnWaveforms(nn.Module):
    """A network `[batch, 1, time]` to `[batch, ..., time]` with one source, as a function of
    `[batch, time]`.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, mixture: Tensor) -> Tensor:
        return self.network(mixture[:, None]).reshape(mixture.shape)


class Peer(NamedTuple):
    """A network, and how many windows of which length make a step."""

    build: Callable[[Windows], nn.Module]
    batch: int
    crop: int


def conv_tasnet(_: Windows) -> nn.Module:
    return OnWaveforms(ConvTasNet(num_sources=1, enc_kernel_size=20, msk_activate="relu"))


def hybrid_demucs(channels: int) -> Callable[[Windows], nn.Module]:
    return lambda _: OnWaveforms(HDemucs(["source"], audio_channels=1, channels=channels))


PEERS = {
    "open-unmix": Peer(Masked, 8, 131072),
    "conv-tasnet": Peer(conv_tasnet, 4, 32768),  # steps of 8 whole windows take minutes
    "hybrid-demucs": Peer(hybrid_demucs(48), 4, 131072),
    "hybrid-demucs-16": Peer(hybrid_demucs(16), 4, 131072),
    "wave-u-net": Peer(lambda _: OnWaveforms(WaveUNet()), 4, 32768),
}


def train(options: argparse.Namespace) -> None:
    """Train a network until its time is over; then separate."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    peer = PEERS[options.network]
    windows = Windows(options.windows, batch=peer.batch, crop=peer.crop)
    network = peer.build(windows)
    optimizer = torch.optim.Adam(network.parameters())
    options.output.mkdir(parents=True, exist_ok=True)
    saved, step, spent = options.output / "state.pt", 0, 0.0
    if saved.exists():
        state = torch.load(saved, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        step, spent = state["step"], state["spent"]

    def save(step: int, spent: float) -> None:
        state = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
        partial = saved.with_suffix(".partial")
        torch.save({**state, "step": step, "spent": spent}, partial)
        os.replace(partial, saved)

    def learn(mixture: np.ndarray, source: np.ndarray, learning_rate: float) -> float:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        estimate = network(torch.from_numpy(mixture))
        loss = LOSS_WEIGHT * torch.mean((estimate - torch.from_numpy(source)) ** 2)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM)
        optimizer.step()
        return loss.item()

    network.train()
    facts = {
        "network": options.network,
        "seed": options.seed,
        "parameters": sum(one.numel() for one in network.parameters()),
        **train_until_spent(learn, save, windows, Budget(options.minutes, spent), step),
    }
    network.eval()

    def separate(mixtures: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return network(torch.from_numpy(mixtures)).numpy()

    write_estimates(options.windows, options.output, separate, facts)


def main() -> None:
    """Read the command line and train."""
    parser = common_flags(__doc__)
    parser.add_argument("--network", choices=PEERS, required=True)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
