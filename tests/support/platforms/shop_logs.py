"""Event logs of shops in delimited text: RetailRocket, REES46, H&M, Amazon Personalize, Taobao."""

from __future__ import annotations

import gzip

from tests.support.platforms.platform import ITEMS, USERS, Platform, item, lines, seconds, table, user, when

# Of ten events one is a purchase, two are of carts, seven are views.
_TYPES = ("transaction", "addtocart", "addtocart", *["view"] * 7)
# With a millisecond behind each second, and with one type in capitals.
_RETAILROCKET = [
    [
        seconds(k) * 1000 + 77,
        100 + user(k),
        "VIEW" if k == 3 else _TYPES[k % 10],
        500 + item(k),
        9000 + k if k % 10 == 0 else "",
    ]
    for k in range(60)
]
# Each item has two categories one after the other; item 500 is no longer available.
_PROPERTIES = [
    [(seconds(week * 168) * 1000), 500 + n, name, value]
    for n in range(ITEMS)
    for week in (0, 1)
    for name, value in (
        ("categoryid", 1000 + n + 10 * week),
        ("790", f"n{(n + 1) * 10 + week}.000"),
        ("available", 0 if n == 0 and week else 1),
        ("888", "1116713 960601 n277.200"),
    )
]
RETAILROCKET = Platform(
    name="retailrocket",
    files={
        "events.csv": table("timestamp,visitorid,event,itemid,transactionid", _RETAILROCKET),
        "item_properties_part1.csv": table("timestamp,itemid,property,value", _PROPERTIES[:30]),
        "item_properties_part2.csv": table("timestamp,itemid,property,value", _PROPERTIES[30:]),
        "category_tree.csv": table("categoryid,parentid", [[1000 + n, 213] for n in range(ITEMS)]),
    },
    types={"view": 42, "add_to_cart": 12, "purchase": 6},
    users=USERS,
    items=ITEMS,
    facts={"503": {"categories": ["1013"], "price": 41.0, "available": True}, "500": {"available": False}},
)

_REES_TYPES = ("purchase", "cart", "cart", *["view"] * 7)
# Two thirds of the items have a category, and one has no brand. User 100 takes something out of the cart again.
_REES46 = [
    [
        f"{when(k)} UTC",
        _REES_TYPES[k % 10],
        500 + item(k),
        2053013555631882655 + item(k),
        ["electronics.smartphone", "appliances.kitchen.washer", ""][item(k) % 3],
        "" if item(k) == 6 else f"brand{item(k) % 2}",
        f"{item(k) + 1}.50",
        541312100 + user(k),
        f"session-{k // 3}",
    ]
    for k in range(60)
]
_REMOVED = [f"{when(70)} UTC", "remove_from_cart", *_REES46[1][2:]]
_REES_HEADER = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session"
REES46 = Platform(
    name="rees46",
    files={
        "2019-Oct.csv": table(_REES_HEADER, _REES46[:30]),
        "2019-Nov.csv.gz": gzip.compress(table(_REES_HEADER, [*_REES46[30:], _REMOVED]).encode()),
    },
    types={"view": 42, "add_to_cart": 12, "purchase": 6, "remove_from_cart": 1},
    users=USERS,
    items=ITEMS,
    facts={
        "500": {"brand": "brand0", "categories": ["electronics", "smartphone"], "price": 1.5},
        "501": {"brand": "brand1", "categories": ["appliances", "kitchen", "washer"], "price": 2.5},
    },
)

_HM = [
    [when(24 * (k // 12), "%Y-%m-%d"), f"{user(k):064x}", f"0{108775010 + item(k)}", 0.0508 + item(k) / 100, 1 + k % 2]
    for k in range(60)
]
_ARTICLES = (
    "article_id,product_code,prod_name,product_type_no,product_type_name,product_group_name,graphical_appearance_no,"
    "graphical_appearance_name,colour_group_code,colour_group_name,perceived_colour_value_id,"
    "perceived_colour_value_name,perceived_colour_master_id,perceived_colour_master_name,department_no,"
    "department_name,index_code,index_name,index_group_no,index_group_name,section_no,section_name,garment_group_no,"
    "garment_group_name,detail_desc"
)
_ARTICLE = "108775,{name},253,Vest top,Garment Upper body,1010016,Solid,9,Black,4,Dark,5,Black,1676,Jersey Basic,A,"
_ARTICLE += "Ladieswear,1,Ladieswear,16,Womens Everyday Basics,1002,Jersey Basic,"
HM = Platform(
    name="hm",
    files={
        "transactions_train.csv": table("t_dat,customer_id,article_id,price,sales_channel_id", _HM),
        "articles.csv": _ARTICLES
        + "\n"
        + "".join(
            f'0{108775010 + n},{_ARTICLE.format(name=f"Strap top {n}")}"Jersey top, {n} straps."\n'
            for n in range(ITEMS)
        ),
        "customers.csv": table(
            "customer_id,FN,Active,club_member_status,fashion_news_frequency,age,postal_code",
            [
                [f"{n:064x}", "", "", "ACTIVE" if n else "PRE-CREATE", "NONE", 20 + n if n else "", f"{n:064x}"]
                for n in range(USERS)
            ],
        ),
    },
    types={"purchase": 60},
    users=USERS,
    items=ITEMS,
    facts={
        "0108775012": {
            "title": "Strap top 2",
            "categories": ["Vest top"],
            "description": "Jersey top, 2 straps.",
            "colour": "Black",
            "department": "Jersey Basic",
        }
    },
    user_facts={f"{3:064x}": {"age": 23.0, "membership": "ACTIVE"}, f"{0:064x}": {"membership": "PRE-CREATE"}},
    uninspected=("attributes",),
)

_PERSONALIZE_TYPES = ("Purchase", "AddToCart", "AddToCart", *["View"] * 7)
_SCHEMA = {
    "type": "record",
    "name": "Interactions",
    "namespace": "com.amazonaws.personalize.schema",
    "fields": [
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"},
        {"name": "EVENT_TYPE", "type": "string"},
        {"name": "EVENT_VALUE", "type": ["float", "null"]},
    ],
    "version": "1.0",
}
PERSONALIZE = Platform(
    name="personalize",
    files={
        "interactions.csv": table(
            "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE",
            [[f"u{user(k)}", f"i{item(k)}", seconds(k), _PERSONALIZE_TYPES[k % 10], ""] for k in range(60)],
        ),
        "items.csv": table(
            "ITEM_ID,PRICE,CATEGORY_L1,PRODUCT_DESCRIPTION",
            [[f"i{n}", f"{n + 1}.25", "Home|Kitchen", f"A mug of {n} litres"] for n in range(ITEMS)],
        ),
        "users.csv": table("USER_ID,AGE,GENDER", [[f"u{n}", 30 + n, "FM"[n % 2]] for n in range(USERS)]),
        "schema.json": lines([_SCHEMA]),
    },
    types={"view": 42, "add_to_cart": 12, "purchase": 6},
    users=USERS,
    items=ITEMS,
    facts={"i3": {"price": 4.25, "categories": ["Home", "Kitchen"], "description": "A mug of 3 litres"}},
    user_facts={"u1": {"age": 31.0, "gender": "M"}},
)

# A favourite beside the four of the others, a time of 1970 and one of 2037.
_TAOBAO_TYPES = ("buy", "cart", "fav", *["pv"] * 7)
_TAOBAO = [[100 + user(k), 500 + item(k), 4000000 + item(k) % 3, _TAOBAO_TYPES[k % 10], seconds(k)] for k in range(60)]
TAOBAO = Platform(
    name="taobao",
    files={
        "UserBehavior.csv": table(
            "", [*_TAOBAO, [100, 500, 4000000, "pv", 44], [101, 501, 4000001, "pv", 2_122_867_355]]
        )
    },
    types={"view": 42, "click": 6, "add_to_cart": 6, "purchase": 6},
    dropped={"time_too_early": 1, "time_in_future": 1},
    users=USERS,
    items=ITEMS,
    facts={"503": {"categories": ["4000000"]}, "505": {"categories": ["4000002"]}},
    uninspected=("item.categories",),
)
