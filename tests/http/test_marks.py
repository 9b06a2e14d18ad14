# SPDX-License-Identifier: Apache-2.0
"""What ./test tries again alone: a file of which nothing failed but tests that are `measuring`."""
import os
import subprocess
import sys

import pytest

from instance import ROOT

TESTS = {
    "good": "def test_good():\n    pass\n",
    "plain": "def test_plain():\n    assert False\n",
    "measured": "@pytest.mark.measuring\ndef test_measured():\n    assert False\n",
    "ended": "@pytest.fixture\ndef end():\n    yield\n    assert False\n\n\n"
             "@pytest.mark.measuring\ndef test_ended(end):\n    pass\n",
    "broken": "@pytest.mark.measuring\ndef test_broken(nothing_of_this_name):\n    pass\n"}


@pytest.mark.parametrize("names,again", [
    ("good", None), ("measured", True), ("good measured", True), ("plain", False),
    ("measured plain", False), ("ended", False), ("measured ended", False), ("broken", False)])
def test_what_fails_is_tried_again_where_all_of_it_is_measuring(tmp_path, names, again):
    file = tmp_path / "test_file.py"
    file.write_text("import pytest\n" + "".join(f"\n\n{TESTS[name]}" for name in names.split()))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "conftest", file],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests/http"), "disturbed": "75"},
        cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == {None: 0, True: 75, False: 1}[again], done
