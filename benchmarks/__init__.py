"""The generated gradients against hand-written ones: `python -m benchmarks`.

The package pins the threads of the BLAS before anything can import NumPy, which reads these variables once.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
