import numpy as np

from tfsepgan.separation.spatial import DIFFUSE, divided, power, spreads_of


def test_it_is_the_wiener_filter_of_the_shares():
    """Bin by bin with matrices: share_j R_j (sum of share_k R_k)^-1 x."""
    draw = np.random.default_rng(5)
    parts = (draw.normal(size=(3, 2, 4, 9)) + 1j * draw.normal(size=(3, 2, 4, 9))).astype("c8")
    spreads = spreads_of(parts, power(parts))
    shares = np.abs(parts).sum(axis=1)
    result = divided(parts.sum(axis=0), shares / shares.sum(axis=0), spreads)
    wide = np.pad(spreads, [(0, 0), (0, 0), (2, 2)], mode="edge")
    for frame in range(4):
        for place in range(9):
            ll, rr, real, imaginary = wide[:, :, place : place + 5].sum(axis=-1)
            matrices = np.array([[ll, real + 1j * imaginary], [real - 1j * imaginary, rr]])
            matrices = np.moveaxis(matrices, 2, 0) / ((ll + rr) / 2)[:, None, None]
            matrices = matrices + DIFFUSE * np.eye(2)
            share = np.abs(parts[:, :, frame, place]).sum(axis=1)
            weighted = (share / share.sum())[:, None, None] * matrices
            mixture = parts[:, :, frame, place].sum(axis=0)
            expected = weighted[:-1] @ np.linalg.inv(weighted.sum(axis=0)) @ mixture
            np.testing.assert_allclose(result[:, :, frame, place], expected, rtol=0, atol=1e-4)
