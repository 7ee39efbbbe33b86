# mlaan in a container, on the CPU:
#     docker build -t mlaan .
# and on CUDA devices, with the torch of Python's package index:
#     docker build -t mlaan-cuda --build-arg DEVICE=cuda .
# Then, with the data and the runs in the folder at hand:
#     docker run --rm -v "$PWD:/work" [--gpus all] mlaan train … [--device cuda]
ARG DEVICE=cpu

FROM debian:13-slim AS build
WORKDIR /mlaan
COPY scripts/install-packages scripts/
RUN scripts/install-packages python3-venv
COPY . .

FROM build AS build-cpu
RUN cmake --preset release -DMLAAN_BUILD_TESTS=OFF -DMLAAN_BUILD_EXAMPLES=OFF \
 && cmake --build build --target package

FROM debian:13-slim AS run-cpu
RUN --mount=type=bind,from=build-cpu,source=/mlaan/build,target=/packages \
    apt-get -qq update \
 && apt-get -qq -y --no-install-recommends install \
      /packages/mlaan_*.deb libopenblas0-openmp ca-certificates \
 && rm -rf /var/lib/apt/lists/*

FROM build AS build-cuda
RUN python3 -m venv /opt/torch && /opt/torch/bin/pip install --no-cache-dir torch numpy
RUN cmake --preset release -DMLAAN_BUILD_TESTS=OFF -DMLAAN_BUILD_EXAMPLES=OFF \
      "-DCMAKE_PREFIX_PATH=$(/opt/torch/bin/python -c 'import torch; print(torch.utils.cmake_prefix_path)')" \
 && cmake --build build --target mlaan_program && cmake --install build --component program

# The program finds torch's libraries where they were when it was built.
FROM build-cuda AS run-cuda
RUN rm -rf /mlaan/build

FROM run-${DEVICE}
WORKDIR /work
ENTRYPOINT ["mlaan"]
