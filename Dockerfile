# The commands and training in a container; docs/install.md shows how to run it.
#
#   docker build --tag tfsepgan .
#   docker build --tag tfsepgan:gpu --build-arg PYTHON=3.13 --build-arg "EXTRAS=[gpu]" .
#
# For a GPU, TensorFlow brings the CUDA libraries as packages; the host brings the driver and the
# NVIDIA Container Toolkit. TensorFlow 2.16, which Python below 3.13 gets, does not find these
# libraries by itself, so a GPU needs Python 3.13.
ARG PYTHON=3.11
FROM python:${PYTHON}-slim-bookworm

# HDF5, libsndfile, soxr and FFmpeg's libraries are inside the Python packages.
ARG EXTRAS=""
WORKDIR /opt/tfsepgan
COPY setup.py pyproject.toml MANIFEST.in README.md LICENSE ./
COPY tfsepgan tfsepgan
COPY exported_models exported_models
RUN pip install --no-cache-dir ".${EXTRAS}" && rm -rf build ./*.egg-info

# Not root; /work is for recordings, data and runs.
RUN useradd --create-home --uid 1000 musician && install --directory --owner=musician /work
USER musician
WORKDIR /work

ENTRYPOINT ["tfsepgan"]
CMD ["--help"]
