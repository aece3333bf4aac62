"""Small files in the style of the platforms in configs/platforms/, quirks included, and what must come of them.

No row is anyone's: users, items and times count up, so that every number here can be derived by hand.
"""

from tests.support.platforms.json_logs import GA4, GORSE, METARANK
from tests.support.platforms.orders import INSTACART, ONLINE_RETAIL, SHOPIFY, WOOCOMMERCE
from tests.support.platforms.platform import Platform
from tests.support.platforms.ratings import AMAZON_2014, AMAZON_2018, AMAZON_2023, MOVIELENS
from tests.support.platforms.shop_logs import HM, PERSONALIZE, REES46, RETAILROCKET, TAOBAO

PLATFORMS = (
    *(RETAILROCKET, REES46, HM, PERSONALIZE, TAOBAO),
    *(ONLINE_RETAIL, SHOPIFY, WOOCOMMERCE, INSTACART),
    *(GA4, GORSE, METARANK),
    *(MOVIELENS, AMAZON_2014, AMAZON_2018, AMAZON_2023),
)

__all__ = ["PLATFORMS", "Platform"]
