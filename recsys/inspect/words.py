"""What shops call columns and events: one table for each, the likeliest name first.

Names are compared as letters and digits in one case: `Lineitem sku` is `lineitemsku`.
"""

from __future__ import annotations

import re
from typing import Final

from recsys.core.values.event_types import normal_event_type
from recsys.prepare.formats.matching import plain_name

# Of event logs; orders and reviews are such logs, too.
EVENT_COLUMNS: Final[dict[str, str]] = {
    "user_id": "user_id visitor_id customer_id user visitor customer client_id member_id uid shopper_id buyer_id "
    "user_pseudo_id reviewer_id account_id customer_email email email_billing billing_email person_id usr_id user_no "
    "kunde kundennr kundennummer kunden_id client member buyer reviewer distinct_id anonymous_id cookie_id device_id "
    "session_id user_session session customer_no customer_number cust_id client_number visitor_token user_token "
    "id_customer id_client id_user household_key username клиент покупатель пользователь id_клиента 用户 用户id 顾客 "
    "顧客 顧客id 会員 会員id ユーザー ユーザーid cliente id_cliente usuario utilisateur utente",
    "item_id": "item_id product_id itemid articleid article_id sku lineitem_sku stock_code asin parent_asin movie_id "
    "goods_id content_id item product article variant_id variant_sku product_sku sku_id isbn book_id song_id track_id "
    "artikel artikelnummer artikelnr produkt target_id game_id business_id article_no article_number item_no "
    "item_number product_no product_number product_code item_code aid object_id listing_id offer_id "
    "video_id document_id id_product id_article id_item "
    "товар артикул id_товара 商品 商品id 商品コード 商品番号 product_view_sku produit id_produit "
    "producto id_producto articulo prodotto",
    "event_type": "event_type event event_name behavior_type behaviour_type behavior behaviour action action_type "
    "feedback_type interaction_type interaction activity type aktion событие действие 行为 行為 イベント evento "
    "evenement accion",
    "timestamp": "timestamp event_time event_timestamp time date datetime created_at t_dat invoice_date order_date "
    "unix_review_time ts event_date occurred_at sent_at purchase_date transaction_date date_time event_at order_time "
    "created time_stamp unixtime epoch datum zeit bestelldatum zeitpunkt day order_number sequence"
    " collector_tstamp derived_tstamp date_add date_order "
    "date_commande дата время дата_заказа 时间 時間 日時 購入日時 日期 日付 fecha fecha_pedido data_ordine",
    "rating": "rating overall stars score rate user_rating star_rating grade",
    "price": "price unit_price lineitem_price item_cost item_price amount unitprice preis einzelpreis cost sale_price "
    "product_price unit_price_tax_incl unit_price_tax_excl цена 价格 価格 単価 金額 prix prix_unitaire precio prezzo",
    "quantity": "quantity qty lineitem_quantity quantity_refund count units menge anzahl num_items "
    "product_quantity qty_ordered количество 数量 quantite cantidad quantita",
    "event_id": "event_id transaction_line_id feedback_id insert_id message_id",
}
# Of catalogues, and of event rows that say something of their item.
ITEM_COLUMNS: Final[dict[str, str]] = {
    "item_id": "item_id product_id article_id sku variant_sku stock_code asin parent_asin movie_id goods_id id product "
    "business_id game_id video_id content_id sku_id item_no article_no product_no артикул 商品id "
    "article item code handle isbn book_id artikelnummer artikelnr",
    "title": "title name product_name prod_name item_name product_title lineitem_name movie_title description_short "
    "item_title productname bezeichnung titel artikelname book_title",
    "brand": "brand store vendor manufacturer brand_name item_brand brands marke hersteller label publisher",
    "categories": "categories category category_code category_path product_category genres item_category "
    "product_type_name category_name type aisle department product_type main_category kategorie kategorien genre class "
    "category_l1 item_category1 category_id categoryid",
    "price": "price variant_price regular_price unit_price sale_price list_price item_price preis",
    "description": "description detail_desc body_html product_description desc text beschreibung",
    "image": "image image_url images image_src img im_url picture image_link photo bild",
}
# Of a catalogue's further columns: attributes that are kept under these names.
STOCK_COLUMNS: Final = "stock inventory variant_inventory_qty quantity available_quantity in_stock bestand lagerbestand"
USER_COLUMNS: Final[dict[str, str]] = {
    "age": "age alter birth_year",
    "gender": "gender sex geschlecht",
    "city": "city town stadt ort",
    "country": "country land",
    "birthday": "birthday birth_date date_of_birth geburtsdatum",
    "signup": "signup signup_date registered_at registration_date created_at member_since registered",
    "membership": "membership club_member_status club_membership_status loyalty_level tier segment",
    "occupation": "occupation job",
}

IGNORED: Final = "ignore"
# What an event is called, and what it is here.
EVENT_TYPES: Final[dict[str, str]] = {
    "view": "view views viewed pv page_view pageview view_item product_view detail productview visit "
    "item_view product_viewed browse read watch viewcontent ansicht seen listen play detail_page_view "
    "просмотр 浏览 瀏覽 閲覧",
    "click": "click clicks clicked clk select_item product_click tap open clickout fav favorite favourite like liked "
    "star bookmark wishlist add_to_wishlist addtowishlist save collect clickout_item 点击 收藏 クリック",
    "add_to_cart": "add_to_cart addtocart cart added_to_cart add_cart basket add_to_basket cart_add product_added "
    "checkout addcart add carts корзина в_корзину 加购 加入购物车 カート カート追加 panier carrito",
    "purchase": "purchase purchases purchased buy bought transaction order ordered sale paid completed complete "
    "checkout_complete order_completed conversion processing kauf bestellung bezahlt fulfilled pending "
    "partially_refunded purchase_complete orders shipped delivered achat compra покупка заказ 购买 購入 購買",
    "rating": "rating rate rated review reviewed",
    "refund": "refund refunded return returned chargeback storno retoure",
    "cancel": "cancel canceled cancelled cancellation storniert",
    "remove_from_cart": "remove_from_cart removed_from_cart removefromcart cart_remove product_removed remove",
    "impression": "impression impressions item_impression product_impression exposure exposed 曝光",
    IGNORED: "session_start scroll user_engagement first_visit login logout search view_search_results page_load "
    "view_item_list view_cart failed voided ranking dislike "
    "home_page_view category_page_view "
    "shopping_cart_page_view begin_checkout "
    "add_shipping_info add_payment_info view_promotion select_promotion pending_payment on_hold draft "
    "offen",
}


def printable(text: str) -> str:
    """A text of a file without what a terminal or YAML would take for more than letters."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _ranked(words: str) -> dict[str, int]:
    return {plain_name(word): rank for rank, word in reversed(list(enumerate(words.split())))}


_RANKED: Final = {
    id(table): {role: _ranked(words) for role, words in table.items()}
    for table in (EVENT_COLUMNS, ITEM_COLUMNS, USER_COLUMNS)
}
_MEANINGS: Final = {plain_name(word): ours for ours, words in EVENT_TYPES.items() for word in words.split()}
_STOCK: Final = _ranked(STOCK_COLUMNS)


def likeness(column: str, role: str, table: dict[str, str]) -> float:
    """How surely a column's name means a role of a table: 1 for its likeliest name, 0 for no name of it.

    Of a path (`items[].item_id`) the last part counts, and less what stands before it; a name with something before
    one of the table's (`shop_customer_id`) counts less.
    """
    ranks = _RANKED[id(table)][role]
    last = re.split(r"\.|\[\]", column)[-1] or column
    names = [(plain_name(column), 1.0), (plain_name(last), 0.95)]
    if column.endswith("[]"):  # the name of a list is that of many
        names.append((plain_name(column).removesuffix("s"), 0.9))
    for name, factor in names:
        if name in ranks:
            return factor * (1 - 0.4 * ranks[name] / len(ranks))
    ends = [rank for word, rank in ranks.items() if len(word) > 4 and word.isascii() and names[0][0].endswith(word)]
    return 0.5 * (1 - 0.4 * min(ends) / len(ranks)) if ends else 0.0


def is_stock(column: str) -> bool:
    """Whether a column of a catalogue is called as a number of pieces."""
    return plain_name(column) in _STOCK


def meaning_of(event_type: str) -> str | None:
    """Our name of an event type, or `IGNORED`; None of words that are not known."""
    return _MEANINGS.get(plain_name(normal_event_type(event_type)))
