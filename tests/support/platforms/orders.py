"""Orders: UCI's Online Retail, Shopify, WooCommerce, Instacart."""

from __future__ import annotations

from tests.support.platforms.platform import ITEMS, USERS, Platform, item, table, user, when


def _invoice_date(k: int) -> str:
    """As a spreadsheet in the United States writes it: month first, nothing filled up with zeros."""
    month, day, rest = when(k, "%m %d %Y %H:%M").split(" ", 2)
    return f"{int(month)}/{int(day)}/{rest}"


_SALES = [
    [
        536365 + k,
        f"8512{item(k)}A",
        f"WHITE HANGING HEART {item(k)}",
        6,
        _invoice_date(k),
        f"{item(k) + 2}.55",
        17850 + user(k),
        "France",
    ]
    for k in range(60)
]
# Returns of the first three purchases, of the same customer and item; rows without a customer; corrections.
_RETURNS = [[f"C{600000 + k}", _SALES[k][1], _SALES[k][2], -6, _invoice_date(80 + k), *_SALES[k][5:]] for k in range(3)]
_NOBODY = [[700000 + k, "POST", "POSTAGE", 1, _invoice_date(90 + k), 18, "", "United Kingdom"] for k in range(12)]
_DEBT = [["A563186", "B", "Adjust bad debt", 1, _invoice_date(110), "-11062.06", 17850, "United Kingdom"]]
# The sign of the pound is one byte in the encoding of the file; the times of sales lie in two months.
_POUND = [[800000, "TEST001", "This is a \u00a3 test product", 1, _invoice_date(120), "4.5", 17851, "United Kingdom"]]
ONLINE_RETAIL = Platform(
    name="online_retail",
    files={
        "data.csv": table(
            "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
            [*_SALES, *_RETURNS, *_NOBODY, *_DEBT, *_POUND],
        ).encode("windows-1252")
    },
    types={"purchase": 64},  # three of which are returns
    dropped={"missing_field": 12, "amount_out_of_range": 1},
    users=USERS,
    items=ITEMS + 1,
    facts={
        "85123A": {"title": "WHITE HANGING HEART 3", "price": 5.55},
        "TEST001": {"title": "This is a \u00a3 test product"},
    },
    uninspected=("max_bad_line_share",),
)

_SHOPIFY_HEADER = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Currency,Subtotal,Total,Created at,Lineitem quantity,"
    "Lineitem name,Lineitem price,Lineitem sku,Lineitem requires shipping,Cancelled at,Refunded Amount,Id"
)


def _shopify_line(k: int, email: str, sku: str, first: bool) -> list[object]:
    """A line of an order; what is of the whole order stands in its first line alone."""
    created = when(k, "%Y-%m-%d %H:%M:%S -0400") if email or first else ""
    whole = ["refunded" if k == 39 else "paid", created, "fulfilled", "EUR", "9.00", "9.00"] if first else [""] * 6
    name = f"Mug {sku}" if sku else "Gift wrap"
    last = ["true", "", "0.00" if first else "", 450000000 + k if first else ""]
    return [f"#{1001 + k}", email, *whole, created, 2, name, f"{item(k) + 3}.50", sku, *last]


_SHOPIFY = [
    line
    for k in range(40)
    for line in (
        _shopify_line(k, f"Shopper{user(k)}@Example.com", f"SKU-{item(k)}", first=True),
        # Every fourth order has a second line, without a SKU; the last four orders are of nobody.
        *([_shopify_line(k, f"Shopper{user(k)}@Example.com", "", first=False)] if k % 4 == 0 else []),
        # Every fifth has one that leaves out even whose it is and when, as newer exports do.
        *([_shopify_line(k, "", f"SKU-{item(k + 1)}", first=False)] if k % 5 == 1 else []),
    )
]
_SHOPIFY += [_shopify_line(40 + k, "", f"SKU-{item(k)}", first=True) for k in range(4)]


def _shopify_product(n: int) -> list[list[object]]:
    """A product of two variants and two pictures: what all share stands in the first row."""
    shared = [f"Mug {n}", f"<p>A mug of {n} litres</p>", "Holm", "Home & Garden > Kitchen > Mugs", "Mug", "new", "true"]
    rows: list[list[object]] = [
        [f"mug-{n}", *shared, f"SKU-{n}", n, f"{n + 3}.50", f"https://cdn/{n}.png", "active"],
        [f"mug-{n}", *[""] * 7, f"SKU-{n + 1}", n + 1, f"{n + 4}.50", f"https://cdn/{n + 1}.png", ""],
        [f"mug-{n}", *[""] * 10, f"https://cdn/{n + 2}.png", ""],
    ]
    return rows if n + 1 < ITEMS else [rows[0], rows[2]]


SHOPIFY = Platform(
    name="shopify_orders",
    files={
        "orders_export_1.csv": table(_SHOPIFY_HEADER, _SHOPIFY),
        "products_export_1.csv": table(
            "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Variant SKU,Variant Inventory Qty,"
            "Variant Price,Image Src,Status",
            [row for n in range(0, ITEMS, 2) for row in _shopify_product(n)],
        ),
    },
    types={"purchase": 47},
    dropped={"missing_field": 14, "ignored_event_type": 1},
    users=USERS,
    items=ITEMS,
    facts={
        "SKU-3": {
            "title": "Mug 2",
            "brand": "Holm",
            "categories": ["Home & Garden", "Kitchen", "Mugs"],
            "price": 6.5,
            "stock": 3.0,
        }
    },
    uninspected=("max_bad_line_share",),
)

_STATUS = ("Completed", "Processing", "Completed", "Cancelled", "Refunded", "Failed", "On hold", "Pending payment")
_WOO = [
    [
        *[1000 + k, _STATUS[k % 8], when(k, "%Y-%m-%d %H:%M"), f"shopper{user(k)}@example.com", f"SKU{item(k)}"],
        *[f"Cup {item(k)}", 1, f"{item(k) + 1}.20"],
    ]
    for k in range(64)
]


def _woo_product(n: int) -> list[object]:
    """Product 3 is a variation of the one before it, which has its categories."""
    kind, categories, parent = (
        ("variation", "", f"SKU{n - 1}") if n == 3 else ("simple", "Home > Kitchen, Home > Gifts", "")
    )
    return [
        *[n, kind, f"SKU{n}", f"Cup {n}", 1, 0, "A cup", f"A cup of {n} litres", 10 * n],
        *["", f"{n + 1}.20", categories, "", f"https://shop/{n}.jpg, https://shop/{n}-b.jpg", parent],
    ]


WOOCOMMERCE = Platform(
    name="woocommerce",
    files={
        "orders.csv": table(
            '"Order Number","Order Status","Order Date","Email (Billing)",SKU,"Item Name","Quantity (- Refund)",'
            '"Item Cost"',
            _WOO,
        ),
        "wc-product-export-1.csv": table(
            'ID,Type,SKU,Name,Published,"Is featured?","Short description",Description,Stock,"Sale price",'
            '"Regular price",Categories,Tags,Images,Parent',
            [_woo_product(n) for n in range(ITEMS)],
        ),
    },
    types={"purchase": 24},
    dropped={"ignored_event_type": 40},
    users=USERS,
    items=ITEMS,
    facts={
        "SKU3": {
            "title": "Cup 3",
            "price": 4.2,
            "categories": ["Home", "Kitchen", "Gifts"],
            "stock": 30.0,
            "image": "https://shop/3.jpg",
        }
    },
    uninspected=("max_bad_line_share", "category_separator"),
)

# Nine orders a user, of two products each. The last ones are Instacart's test orders, whose products are not known.
_ORDERS = [(10 * n + order, 1 + n, order) for n in range(USERS) for order in range(1, 11)]
INSTACART = Platform(
    name="instacart",
    files={
        "orders.csv": table(
            "order_id,user_id,eval_set,order_number,order_dow,order_hour_of_day,days_since_prior_order",
            [
                [number, customer, "test" if order == 10 else "prior", order, 2, "08", 7.0 if order > 1 else ""]
                for number, customer, order in _ORDERS
            ],
        ),
        "order_products__prior.csv": table(
            "order_id,product_id,add_to_cart_order,reordered",
            [
                [number, 33120 + (customer + order + line) % ITEMS, 1 + line, 0]
                for number, customer, order in _ORDERS
                if order < 10
                for line in range(2)
            ],
        ),
        "products.csv": table(
            "product_id,product_name,aisle_id,department_id", [[33120 + n, f"Banana {n}", 24, 4] for n in range(ITEMS)]
        ),
        "aisles.csv": table("aisle_id,aisle", [[24, "fresh fruits"]]),
        "departments.csv": table("department_id,department", [[4, "produce"]]),
    },
    statements=(
        "copy (select user_id, product_id, order_number, order_id from '{folder}/order_products__*.csv' "
        "join '{folder}/orders.csv' using (order_id)) to '{folder}/purchases.parquet'",
        "copy (select * from '{folder}/products.csv' join '{folder}/aisles.csv' using (aisle_id) "
        "join '{folder}/departments.csv' using (department_id)) to '{folder}/items.csv'",
    ),
    types={"purchase": 108},
    users=USERS,
    items=ITEMS,
    facts={"33121": {"title": "Banana 1", "categories": ["fresh fruits"], "department": "produce"}},
    uninspected=("attributes", "repeats"),
)
