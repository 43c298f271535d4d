#!/bin/sh
# Makes the environment of `make test-mmdet3d` in the folder $1: MMDetection3D 1.4 as published, on the CPU.
# mmcv 2.1 has no wheel for today's torch, so its 77 files of C++ are compiled. Each includes all of torch, which a
# precompiled header spares: 10 minutes of one core instead of an hour. $2 is how to install torch.
set -eu
folder=$1
torch=${2:-"torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu"}
test -e "$folder/bin/python" || "${PYTHON:-python3}" -m venv "$folder"
folder=$(cd "$folder" && pwd)
pip="$folder/bin/python -m pip --disable-pip-version-check"

# setuptools 80 no longer has what mmcv's setup.py and mmengine ask for, and torch would take a newer one; numpy 2 and
# OpenCV 4.12 came after all of these.
$pip install --quiet 'setuptools<80' wheel ninja
$pip install --quiet $torch
$pip install --quiet 'setuptools<80' 'numpy==1.26.4' 'opencv-python-headless<4.12' 'opencv-python<4.12' mmengine==0.10.7 \
    addict packaging pillow pyyaml yapf numba pycocotools pyquaternion scipy shapely six terminaltables tqdm

include=$("$folder/bin/python" -c 'import torch; print(torch.__path__[0] + "/include")')
CFLAGS="-O0 -g0 -w"
echo '#include <torch/types.h>' > "$folder/torch_types.hpp"
c++ -x c++-header $CFLAGS -fPIC -I"$include" -I"$include/torch/csrc/api/include" -std=c++17 \
    -DTORCH_API_INCLUDE_EXTENSION_H -DTORCH_EXTENSION_NAME=_ext \
    "$folder/torch_types.hpp" -o "$folder/torch_types.hpp.gch"
# The header counts only where every flag is the same, so these replace Python's own.
CFLAGS="$CFLAGS -include $folder/torch_types.hpp" MMCV_WITH_OPS=1 FORCE_CUDA=0 MAX_JOBS="${MAX_JOBS:-2}" PATH="$folder/bin:$PATH" \
    $pip install --quiet --no-build-isolation --no-deps mmcv==2.1.0
# Without their dependencies: Open3D, the Lyft kit and others are for data sets and pictures that are not looked at here.
$pip install --quiet --no-deps mmdet==3.3.0 mmdet3d==1.4.0
"$folder/bin/python" -c 'import mmcv.ops, mmdet3d.datasets, mmdet3d.models'
