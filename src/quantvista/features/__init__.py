"""Features: expressions over streaming operators, the same bits in research and live."""

from quantvista.features._expression import Call, Column, Node, Number, canonical
from quantvista.features._feature import GROUPS, Feature, Registry
from quantvista.features._join import join
from quantvista.features._operators import OperatorInfo, Param, operator_infos
from quantvista.features._own import Operator
from quantvista.features._parse import parse
from quantvista.features._set import FeatureSet
from quantvista.features._shipped import FEATURES
from quantvista.features._store import FeatureStore, InProcess, OnlineStore, Stored
from quantvista.features._stream import FeatureStream
from quantvista.features._time import TIME_COLUMNS, time_columns

__all__ = [
    "FEATURES",
    "GROUPS",
    "TIME_COLUMNS",
    "Call",
    "Column",
    "Feature",
    "FeatureSet",
    "FeatureStore",
    "FeatureStream",
    "InProcess",
    "Node",
    "Number",
    "OnlineStore",
    "Operator",
    "OperatorInfo",
    "Param",
    "Registry",
    "Stored",
    "canonical",
    "join",
    "operator_infos",
    "parse",
    "time_columns",
]
