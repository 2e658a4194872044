"""A connector to the four systems of the peers' mock, written as a third party would: outside."""

from shop_si.carrier import Carrier
from shop_si.client import ShopConfig
from shop_si.crm import Crm
from shop_si.erp import Erp
from shop_si.pim import Pim

__all__ = ["Carrier", "Crm", "Erp", "Pim", "ShopConfig"]
