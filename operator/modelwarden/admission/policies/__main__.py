"""Write the policies into a folder of the chart."""

import sys
from pathlib import Path

from modelwarden.admission.policies import POLICIES
from modelwarden.admission.policies.written import write

FOLDER = Path("charts/modelwarden/files/policies")

write(POLICIES, Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
