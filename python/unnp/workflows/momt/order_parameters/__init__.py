"""The order parameters that tell solid from liquid, one file for each; ``order.kind`` chooses."""

from typing import TYPE_CHECKING

from unnp.workflows.momt.kinds import kinds_of, one_of
from unnp.workflows.momt.order_parameters.base import OrderParameter

ORDER_PARAMETERS = kinds_of(__name__, OrderParameter)

if TYPE_CHECKING:
    Order = OrderParameter
else:
    Order = one_of(ORDER_PARAMETERS)
