"""Whether features see the future: other futures are tried, and the past must stay as it was."""

from quantvista.features.causality._check import Finding, check_feature, check_set
from quantvista.features.causality._inputs import Inputs, call
from quantvista.features.causality._opened import files_opened
from quantvista.features.causality._perturb import KINDS

__all__ = ["KINDS", "Finding", "Inputs", "call", "check_feature", "check_set", "files_opened"]
