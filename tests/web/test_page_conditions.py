"""The page without a network, without WebAssembly, without memory, without kernels."""

import shutil

import numpy as np
import pytest
import soundfile
from bundles_for_tests import random_bundle
from tools_for_tests import from_tools

from tfsepgan.ondevice.streaming import StreamingSeparator
from tfsepgan.web.site import write_site

PAGE = from_tools("page_visit")


@pytest.fixture
def newcomer(chromium):
    """A visitor with an empty browser, who has opened nothing yet."""
    with chromium.new_context() as context:
        yield PAGE.Visit(context.new_page())


@pytest.fixture(scope="module")
def without_kernels(chromium, tmp_path_factory):
    """The folder of a small network that only LiteRT runs, with its file for browsers."""
    from tfsepgan.export.tflite.files import OnDevice, make_variants

    folder, scratch = (tmp_path_factory.mktemp(name) for name in ("model", "scratch"))
    settings = {"channels": 16, "blocks": 1, "levels": 1, "frame": 512, "hop": 256}
    facts = {"rate_hz": 44100, "sources": ("piano",), "trained": {"licence": "CC0"}}
    bundle = random_bundle("tfc_tdf", half_precision=True, **facts, **settings)
    bundle.save(folder)
    audio = np.random.default_rng(1).uniform(-0.5, 0.5, (20000, 2)).astype(np.float32)
    wanted = OnDevice(variants=("web",))
    make_variants(bundle, folder, scratch, wanted, audio, lambda step: None)
    return folder


def test_the_page_works_after_the_server_has_gone(newcomer, site, second, tmp_path):
    with PAGE.served(site) as address:
        newcomer.open(address)
        newcomer.page.get_by_text("also offline").wait_for()
    newcomer.open(address)
    stems = newcomer.separate(second, tmp_path)
    assert len(stems["piano"]) == 44100


def test_a_changed_file_is_not_kept(newcomer, site, tmp_path):
    changed = shutil.copytree(site, tmp_path / "changed")
    (changed / "icon.svg").write_text("<svg/>")
    with PAGE.served(changed) as address:
        newcomer.open(address)
        newcomer.page.wait_for_timeout(500)
        assert newcomer.page.evaluate("navigator.serviceWorker.controller") is None


def test_a_browser_without_webassembly_is_told(newcomer, address):
    newcomer.page.add_init_script("delete window.WebAssembly")
    newcomer.page.goto(address)
    assert "does not run WebAssembly" in newcomer.problem()


def test_a_recording_beyond_the_memory_is_refused_before_it_is_decoded(newcomer, address, minute):
    newcomer.page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'deviceMemory', {value: 0.01})"
    )
    newcomer.open(address)
    newcomer.choose(minute)
    problem = newcomer.problem()
    assert "minute.mp3 is 1:00 long" in problem and "tfsepgan-separate" in problem


def test_a_network_without_kernels_runs_in_litert(newcomer, without_kernels, second, tmp_path):
    site, mixture = tmp_path / "site", soundfile.read(second, dtype="float32")[0]
    file = write_site(without_kernels, site)
    separator = StreamingSeparator(file, channels=2)
    expected = separator.push(mixture)["piano"], separator.finish()["piano"]
    with PAGE.served(site) as address:
        newcomer.open(address)
        piano = newcomer.separate(second, tmp_path)["piano"]
    peak = np.abs(mixture).max()
    assert np.abs(piano - np.concatenate(expected)).max() < 3e-3 * peak
    assert np.abs(piano).max() > 0.1 * peak
