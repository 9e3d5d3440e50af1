"""Build the `shop` demo database, once for SQLite and once for DuckDB, with the same rows in both.

The shop is an invented online retailer of coffee and outdoor gear. Every row comes from the lists below and
from a random generator with a fixed seed, so that two builds always hold the same data.

Run as a script with `python build_database.py FOLDER`, or call `build(folder)`.
"""

from __future__ import annotations

import argparse
import hashlib
import sqlite3
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from random import Random
from typing import TypeVar

import duckdb

Value = int | str | bool | Decimal | date | datetime | None
Row = tuple[Value, ...]
Tables = dict[str, list[Row]]
Kind = TypeVar("Kind")

SEED = 20_731
FIRST_DAY = date(2023, 1, 1)
LAST_DAY = date(2025, 3, 31)
CENT = Decimal("0.01")

SQLITE_TYPES = {"money": "REAL", "date": "TEXT", "timestamp": "TEXT", "boolean": "INTEGER", "text": "TEXT"}
DUCKDB_TYPES = {
    "money": "DECIMAL(10, 2)",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "boolean": "BOOLEAN",
    "text": "VARCHAR",
}

# Parents come before children, so that both engines can check every foreign key while the rows go in.
SCHEMA: dict[str, str] = {
    "regions": """
        region_id INTEGER PRIMARY KEY,
        name {text} NOT NULL,
        country_code {text} NOT NULL
    """,
    "customers": """
        customer_id INTEGER PRIMARY KEY,
        first_name {text} NOT NULL,
        last_name {text} NOT NULL,
        email {text} NOT NULL,
        birth_date {date},
        city {text} NOT NULL,
        postal_code {text} NOT NULL,
        region_id INTEGER NOT NULL REFERENCES regions (region_id),
        signup_date {date} NOT NULL,
        newsletter {boolean} NOT NULL,
        referred_by INTEGER REFERENCES customers (customer_id)
    """,
    "categories": """
        category_id INTEGER PRIMARY KEY,
        name {text} NOT NULL,
        parent_id INTEGER REFERENCES categories (category_id)
    """,
    "suppliers": """
        supplier_id INTEGER PRIMARY KEY,
        name {text} NOT NULL,
        country_code {text} NOT NULL,
        contact_email {text}
    """,
    "products": """
        product_id INTEGER PRIMARY KEY,
        sku {text} NOT NULL UNIQUE,
        name {text} NOT NULL,
        category_id INTEGER NOT NULL REFERENCES categories (category_id),
        supplier_id INTEGER REFERENCES suppliers (supplier_id),
        price {money} NOT NULL,
        weight_grams INTEGER,
        launched_on {date} NOT NULL,
        discontinued {boolean} NOT NULL
    """,
    "employees": """
        employee_id INTEGER PRIMARY KEY,
        first_name {text} NOT NULL,
        last_name {text} NOT NULL,
        title {text} NOT NULL,
        department {text} NOT NULL,
        manager_id INTEGER REFERENCES employees (employee_id),
        hired_on {date} NOT NULL,
        salary {money} NOT NULL
    """,
    "orders": """
        order_id INTEGER PRIMARY KEY,
        customer_id INTEGER NOT NULL REFERENCES customers (customer_id),
        employee_id INTEGER REFERENCES employees (employee_id),
        placed_at {timestamp} NOT NULL,
        shipped_at {timestamp},
        status {text} NOT NULL,
        shipping_fee {money} NOT NULL,
        coupon_code {text}
    """,
    "order_items": """
        order_id INTEGER NOT NULL REFERENCES orders (order_id),
        line_no INTEGER NOT NULL,
        product_id INTEGER NOT NULL REFERENCES products (product_id),
        quantity INTEGER NOT NULL,
        unit_price {money} NOT NULL,
        discount_pct INTEGER NOT NULL,
        PRIMARY KEY (order_id, line_no)
    """,
    "payments": """
        payment_id INTEGER PRIMARY KEY,
        order_id INTEGER NOT NULL REFERENCES orders (order_id),
        method {text} NOT NULL,
        amount {money} NOT NULL,
        paid_at {timestamp} NOT NULL
    """,
    "refunds": """
        refund_id INTEGER PRIMARY KEY,
        payment_id INTEGER NOT NULL REFERENCES payments (payment_id),
        amount {money} NOT NULL,
        reason {text},
        refunded_at {timestamp} NOT NULL
    """,
    "reviews": """
        review_id INTEGER PRIMARY KEY,
        product_id INTEGER NOT NULL REFERENCES products (product_id),
        customer_id INTEGER NOT NULL REFERENCES customers (customer_id),
        rating INTEGER NOT NULL,
        comment {text},
        reviewed_on {date} NOT NULL
    """,
    "stock_movements": """
        movement_id INTEGER PRIMARY KEY,
        product_id INTEGER NOT NULL REFERENCES products (product_id),
        moved_on {date} NOT NULL,
        kind {text} NOT NULL,
        quantity INTEGER NOT NULL
    """,
}

REGIONS: list[Row] = [
    (1, "Highlands", "GB"),
    (2, "Lakeland", "GB"),
    (3, "Bavaria", "DE"),
    (4, "Saxony", "DE"),
    (5, "Île-de-France", "FR"),
    (6, "Skåne", "SE"),
    (7, "Bohemia", "CZ"),
    (8, "Azores", "PT"),
]

# City and postal code by region. The Azores stay without customers on purpose.
CITIES: dict[int, list[tuple[str, str]]] = {
    1: [("Inverness", "IV1 1HY"), ("Fort William", "PH33 6EN"), ("Aviemore", "PH22 1RH")],
    2: [("Keswick", "CA12 5JR"), ("Ambleside", "LA22 9HP"), ("Kendal", "LA9 4QL")],
    3: [("München", "80331"), ("Nürnberg", "90402"), ("Garmisch", "82467")],
    4: [("Dresden", "01067"), ("Leipzig", "04109"), ("Görlitz", "02826"), ("Chemnitz", "09111")],
    5: [("Paris", "75011"), ("Versailles", "78000"), ("Créteil", "94000")],
    6: [("Malmö", "211 20"), ("Lund", "222 22"), ("Ystad", "271 30")],
    7: [("Praha", "110 00"), ("Plzeň", "301 00"), ("Kutná Hora", "284 01")],
}

FIRST_NAMES = [
    "Anna",
    "Ben",
    "Chloé",
    "Dmitri",
    "Elif",
    "Fatima",
    "Greta",
    "Hugo",
    "Ingrid",
    "Jürgen",
    "Kasia",
    "Łukasz",
    "Maya",
    "Noah",
    "Olga",
    "Pavel",
    "Renée",
    "Søren",
    "Tomáš",
    "Uwe",
    "Vera",
    "Wren",
    "Yūko",
    "Zoë",
    "Aoife",
    "Bruno",
    "Clara",
    "Daniel",
    "Emma",
    "Felix",
]
LAST_NAMES = [
    "Almond",
    "Berg",
    "Castellan",
    "D'Arcy",
    "Eriksson",
    "Fuchs",
    "Grün",
    "Hallam",
    "Ivanova",
    "Jansen",
    "Kovář",
    "Lindqvist",
    "Moreau",
    "Novák",
    "O'Rourke",
    "Petrov",
    "Quist",
    "Rossi",
    "Schäfer",
    "Thorne",
    "Underhill",
    "Vogel",
    "Whitlock",
    "Young",
    "Zeller",
    "Müller",
    "Dubois",
    "Svensson",
]

CATEGORIES: list[Row] = [
    (1, "Coffee", None),
    (2, "Beans", 1),
    (3, "Single origin", 2),
    (4, "Blends", 2),
    (5, "Decaf", 2),
    (6, "Brewing", 1),
    (7, "Grinders", 6),
    (8, "Kettles", 6),
    (9, "Filters", 6),
    (10, "Outdoor", None),
    (11, "Camp kitchen", 10),
    (12, "Tents", 10),
    (13, "Backpacks", 10),
    (14, "Lighting", 10),
    (15, "Hammocks", 10),
    (16, "Gifts", None),
    (17, "Gift cards", 16),
    (18, "Mugs", 16),
]

SUPPLIERS: list[Row] = [
    (1, "Alta Verde Growers", "CO", "export@altaverde.example"),
    (2, "Kaffa Hills Union", "ET", None),
    (3, "Nordbrand Metallwaren", "DE", "vertrieb@nordbrand.example"),
    (4, "Pico Ceramics", "PT", "hello@pico.example"),
    (5, "Fjällvind Textil", "SE", "order@fjallvind.example"),
    (6, "Stonebridge Outfitters", "GB", None),
    (7, "Lumen & Wick", "GB", "trade@lumenwick.example"),
    (8, "Papír Bohemia", "CZ", "obchod@papir.example"),
    (9, "Sete Colinas", "PT", None),
    (10, "Harbour Mill", "GB", "desk@harbourmill.example"),
    (11, "Old Quarry Pottery", "GB", "studio@oldquarry.example"),
]

# Name, price and supplier (None: made by the shop itself) by category. Prices repeat on purpose.
PRODUCTS: dict[int, list[tuple[str, str, int | None]]] = {
    3: [
        ("Huila Reserve", "14.90", 1),
        ("Nariño Mountain", "16.50", 1),
        ("Tolima Honey", "15.20", 1),
        ("Yirga Bloom", "17.80", 2),
        ("Guji Natural", "17.80", 2),
        ("Sidama Washed", "16.50", 2),
        ("Bourbon Azul", "22.00", 9),
        ("Gesha Noite", "38.00", 9),
    ],
    4: [
        ("Dawn Patrol", "11.90", None),
        ("Base Camp Espresso", "12.90", None),
        ("Ridge Line", "12.90", None),
        ("Storm Kettle", "13.40", None),
        ("House Filter", "9.90", 10),
        ("Winter Cabin", "14.90", None),
    ],
    5: [
        ("Quiet Night Decaf", "13.90", None),
        ("Swiss Water Huila", "15.90", 1),
        ("Sundown Decaf", "13.90", 10),
    ],
    7: [
        ("Handmill One", "49.00", 3),
        ("Handmill Pro", "119.00", 3),
        ("Burr Station", "229.00", 3),
        ("Trail Grinder", "64.50", 6),
        ("Pocket Mill", "34.50", 6),
    ],
    8: [
        ("Gooseneck 600", "59.00", 3),
        ("Gooseneck 900", "69.00", 3),
        ("Whistler", "42.00", 10),
        ("Camp Kettle", "28.00", 6),
        ("Electric Swan", "139.00", 3),
    ],
    9: [
        ("Cone Filters 100", "5.40", 8),
        ("Cone Filters 40", "2.60", 8),
        ("Basket Filters 100", "5.40", 8),
        ("Steel Cone", "24.00", 3),
        ("Linen Sock", "8.20", 5),
        ("Chemist Squares 100", "9.90", 8),
    ],
    11: [
        ("Ember Stove", "79.00", 6),
        ("Ember Stove Mini", "49.00", 6),
        ("Nesting Pots", "45.00", 6),
        ("Titan Spork", "8.20", 3),
        ("Enamel Plate", "7.50", 11),
        ("Enamel Bowl", "7.50", 11),
        ("Trail Mug", "12.90", 6),
        ("Fire Steel", "11.00", None),
        ("Cool Bag 20", "39.00", 5),
    ],
    12: [
        ("Lark 1", "189.00", 5),
        ("Lark 2", "249.00", 5),
        ("Heron 3", "349.00", 5),
        ("Heron 4", "429.00", 5),
        ("Tarp Wing", "89.00", 5),
        ("Groundsheet", "29.00", 5),
    ],
    13: [
        ("Daypack 18", "59.00", 5),
        ("Daypack 24", "69.00", 5),
        ("Ridge 40", "139.00", 6),
        ("Ridge 55", "169.00", 6),
        ("Ridge 70", "199.00", 6),
        ("Rain Cover", "18.00", 5),
        ("Roll Top 25", "89.00", 5),
    ],
    14: [
        ("Firefly Lantern", "32.00", 7),
        ("Firefly String", "24.00", 7),
        ("Headlight 200", "29.00", 7),
        ("Headlight 400", "49.00", 7),
        ("Beeswax Candle", "6.80", None),
        ("Storm Lantern", "54.00", 7),
    ],
    18: [
        ("Trail Mug", "14.50", 4),
        ("Pico Espresso Cup", "11.00", 4),
        ("Pico Cappuccino Cup", "13.40", 4),
        ("Fog Mug", "16.50", 4),
        ("Tide Mug", "16.50", 4),
        ("Travel Tumbler", "27.00", 3),
        ("Carafe 800", "36.00", 4),
    ],
}

# Possible weights in grams by category.
WEIGHTS = {
    3: range(250, 1_001, 250),
    4: range(250, 1_001, 250),
    5: range(250, 1_001, 250),
    7: range(300, 3_200, 50),
    8: range(350, 1_400, 50),
    9: range(20, 300, 10),
    11: range(20, 900, 20),
    12: range(600, 4_800, 100),
    13: range(150, 2_600, 50),
    14: range(60, 700, 20),
    18: range(90, 600, 10),
}

NEVER_ORDERED = {"Heron 4", "Beeswax Candle", "Gesha Noite", "Chemist Squares 100", "Cool Bag 20"}
NEVER_REVIEWED = {"Rain Cover", "Cone Filters 40", "Groundsheet", "Titan Spork", "Heron 3", *NEVER_ORDERED}
DISCONTINUED = {"Swiss Water Huila", "Whistler", "Linen Sock", "Roll Top 25", "Headlight 200", "Tolima Honey"}

# Employee 22 is an outside adviser and, like the managing director, reports to nobody.
EMPLOYEES: list[Row] = [
    (1, "Sigrid", "Hallam", "Managing director", "Management", None, date(2016, 3, 1), Decimal("98000.00")),
    (2, "Owen", "Castellan", "Head of sales", "Sales", 1, date(2017, 5, 15), Decimal("72000.00")),
    (3, "Ilse", "Vogel", "Head of operations", "Operations", 1, date(2017, 9, 1), Decimal("72000.00")),
    (4, "Bram", "Jansen", "Head roaster", "Roastery", 1, date(2018, 1, 8), Decimal("64000.00")),
    (5, "Maya", "Lindqvist", "Team lead", "Sales", 2, date(2019, 2, 4), Decimal("52000.00")),
    (6, "Tariq", "Whitlock", "Team lead", "Sales", 2, date(2020, 2, 29), Decimal("52000.00")),
    (7, "Petra", "Novák", "Warehouse lead", "Operations", 3, date(2018, 10, 1), Decimal("48000.00")),
    (8, "Gwen", "O'Rourke", "Support lead", "Support", 3, date(2019, 6, 17), Decimal("47500.00")),
    (9, "Luca", "Rossi", "Roaster", "Roastery", 4, date(2020, 8, 3), Decimal("41000.00")),
    (10, "Hana", "Kovář", "Roaster", "Roastery", 4, date(2022, 4, 11), Decimal("39500.00")),
    (11, "Ned", "Thorne", "Sales representative", "Sales", 5, date(2021, 1, 11), Decimal("38000.00")),
    (12, "Aya", "Quist", "Sales representative", "Sales", 5, date(2021, 7, 1), Decimal("38000.00")),
    (13, "Dario", "Moreau", "Sales representative", "Sales", 6, date(2022, 3, 14), Decimal("37000.00")),
    (14, "Maya", "Lindqvist", "Sales representative", "Sales", 6, date(2023, 9, 4), Decimal("35500.00")),
    (15, "Elsa", "Grün", "Sales representative", "Sales", 6, date(2024, 2, 29), Decimal("35500.00")),
    (16, "Rhys", "Young", "Packer", "Operations", 7, date(2021, 11, 22), Decimal("29000.00")),
    (17, "Zdeněk", "Petrov", "Packer", "Operations", 7, date(2022, 11, 28), Decimal("29000.00")),
    (18, "Cora", "Almond", "Packer", "Operations", 7, date(2023, 12, 31), Decimal("28500.00")),
    (19, "Ines", "Dubois", "Support agent", "Support", 8, date(2020, 5, 18), Decimal("33000.00")),
    (20, "Max", "Zeller", "Support agent", "Support", 8, date(2024, 1, 1), Decimal("31000.00")),
    (21, "Filip", "Svensson", "Apprentice roaster", "Roastery", 9, date(2024, 9, 2), Decimal("24000.00")),
    (22, "Beatrix", "Fuchs", "Adviser", "Management", None, date(2021, 4, 6), Decimal("18000.00")),
]
SALES_STAFF = [5, 6, 11, 12, 13, 14, 15]

COUPONS = ["WELCOME10", "welcome10", "Welcome10", "SUMMIT", "summit", "FREESHIP", "LEAP24"]
METHODS = ["card", "card", "card", "card", "PayPal", "PayPal", "bank transfer", "gift card"]
REFUND_REASONS = ["damaged", "damaged", "wrong item", "late delivery", "changed mind", None, None]
COMMENTS = [
    "Great value, would buy again.",
    "Smaller than I thought.",
    "100% worth it",
    "It's fine.",
    "Broke after two weeks.",
    "great taste, smooth finish",
    "Arrived late but works well.",
    "Sehr gut!",
    "Très pratique en randonnée",
    "Not for me",
    "Lid leaks a little.",
    "GREAT GIFT",
    "",
]

# Orders at the moments where a careless date condition goes wrong: year ends, month ends, leap day, midnight.
FIXED_ORDER_TIMES = [
    datetime(2023, 1, 31, 19, 5, 0),
    datetime(2023, 3, 31, 22, 17, 45),
    datetime(2023, 6, 30, 16, 40, 12),
    datetime(2023, 9, 30, 8, 0, 30),
    datetime(2023, 12, 31, 9, 12, 0),
    datetime(2023, 12, 31, 23, 59, 59),
    datetime(2024, 1, 1, 0, 0, 0),
    datetime(2024, 1, 1, 13, 30, 0),
    datetime(2024, 1, 31, 21, 45, 10),
    datetime(2024, 2, 29, 0, 0, 0),
    datetime(2024, 2, 29, 12, 20, 30),
    datetime(2024, 2, 29, 23, 10, 0),
    datetime(2024, 3, 31, 10, 10, 10),
    datetime(2024, 6, 30, 18, 25, 0),
    datetime(2024, 9, 30, 20, 0, 0),
    datetime(2024, 11, 30, 11, 11, 11),
    datetime(2024, 12, 31, 15, 0, 0),
    datetime(2024, 12, 31, 23, 30, 0),
    datetime(2025, 1, 1, 0, 15, 0),
    datetime(2025, 3, 31, 17, 55, 0),
]


def _as(kind: type[Kind], value: Value) -> Kind:
    """Return the value of a row under the type its column has."""
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is not of type {kind.__name__}")
    return value


def _random_day(rng: Random, first: date, last: date) -> date:
    return first + timedelta(days=rng.randint(0, (last - first).days))


def _random_time(rng: Random) -> time:
    return time(rng.randint(6, 23), rng.randint(0, 59), rng.randint(0, 59))


def _ascii(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return "".join(letter for letter in folded.lower() if letter.isalpha())


def _customers(rng: Random) -> list[Row]:
    rows: list[Row] = []
    for customer_id in range(1, 241):
        first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
        email = f"{_ascii(first)}.{_ascii(last)}{customer_id}@mail.example"
        if customer_id % 40 == 0:
            # The same person registered a second time and typed the address in other letters.
            first, last, email = str(rows[-7][1]), str(rows[-7][2]), str(rows[-7][3]).title()
        elif customer_id % 11 == 0:
            email = email.upper()
        birth_date = None if rng.random() < 0.25 else _random_day(rng, date(1950, 1, 1), date(2006, 12, 31))
        if customer_id in (29, 58):
            birth_date = date(1996, 2, 29)
        region_id = rng.choices(list(CITIES), weights=[5, 4, 7, 6, 5, 3, 2])[0]
        city, postal_code = rng.choice(CITIES[region_id])
        signup_date = _random_day(rng, date(2022, 6, 1), date(2025, 2, 28))
        referred_by = rng.randint(1, customer_id - 1) if customer_id > 5 and rng.random() < 0.22 else None
        newsletter = rng.random() < 0.4
        rows.append(
            (
                customer_id,
                first,
                last,
                email,
                birth_date,
                city,
                postal_code,
                region_id,
                signup_date,
                newsletter,
                referred_by,
            )
        )
    return rows


def _products(rng: Random) -> list[Row]:
    rows: list[Row] = []
    skus = rng.sample(range(100, 9_000), 400)
    skus[4] = 731
    for category_id, items in PRODUCTS.items():
        for name, price, supplier in items:
            product_id = len(rows) + 1
            sku = f"{skus[product_id]:05d}"
            old = name in DISCONTINUED
            weight = None if rng.random() < 0.12 else rng.choice(WEIGHTS[category_id])
            launched = _random_day(rng, date(2019, 1, 1), date(2024, 6, 30))
            rows.append((product_id, sku, name, category_id, supplier, Decimal(price), weight, launched, old))
    return rows


def _order_times(rng: Random, customers: Sequence[Row]) -> list[tuple[datetime, int]]:
    """Return (time, customer) for every order, in time order; about one customer in eight never orders."""
    buyers = [row for row in customers if rng.random() > 0.13]
    weights = [rng.choice([1, 1, 1, 2, 2, 3, 6]) for _ in buyers]
    times: list[tuple[datetime, int]] = []
    for buyer in rng.choices(buyers, weights=weights, k=980):
        signup = _as(date, buyer[8])
        day = _random_day(rng, max(signup, FIRST_DAY), LAST_DAY)
        if rng.random() < 0.12 and signup < date(day.year, 11, 1) and day.year < LAST_DAY.year:
            day = _random_day(rng, date(day.year, 11, 20), date(day.year, 12, 24))
        times.append((datetime.combine(day, _random_time(rng)), _as(int, buyer[0])))
    for moment in FIXED_ORDER_TIMES:
        early = [row for row in buyers if _as(date, row[8]) <= moment.date()]
        times.append((moment, _as(int, rng.choice(early)[0])))
    return sorted(times)


def _items(rng: Random, order_id: int, products: Sequence[Row], placed_on: date) -> list[Row]:
    on_sale = [row for row in products if row[2] not in NEVER_ORDERED and _as(date, row[7]) <= placed_on]
    # A dearer product is bought less often.
    weights = [1 / (20 + float(_as(Decimal, row[5]))) for row in on_sale]
    rows: list[Row] = []
    for line_no in range(1, rng.choice([1, 1, 2, 2, 2, 3, 3, 4, 5]) + 1):
        product = rng.choices(on_sale, weights=weights)[0]
        if rows and rng.random() < 0.03:
            product = next(row for row in products if row[0] == rows[-1][2])
        price = _as(Decimal, product[5])
        if placed_on.year < 2024 and rng.random() < 0.3:
            price = (price * Decimal("0.95")).quantize(CENT, ROUND_HALF_UP)
        discount = rng.choice([0, 0, 0, 0, 0, 0, 5, 10, 20])
        rows.append((order_id, line_no, product[0], rng.choice([1, 1, 1, 2, 2, 3, 4]), price, discount))
    return rows


def _total(items: Sequence[Row], shipping_fee: Decimal) -> Decimal:
    total = shipping_fee
    for _, _, _, quantity, price, discount in items:
        total += _as(int, quantity) * _as(Decimal, price) * (100 - _as(int, discount)) / 100
    return total.quantize(CENT, ROUND_HALF_UP)


def _sales(rng: Random, customers: Sequence[Row], products: Sequence[Row]) -> Tables:
    """Return the orders with all that hangs on them: items, payments and refunds."""
    orders: list[Row] = []
    items: list[Row] = []
    payments: list[Row] = []
    refunds: list[Row] = []
    for order_id, (placed_at, customer_id) in enumerate(_order_times(rng, customers), start=1001):
        recent = placed_at.date() > LAST_DAY - timedelta(days=12)
        status = "pending" if recent else rng.choices(["delivered", "cancelled", "returned"], [88, 7, 5])[0]
        shipped_at = None
        if status in ("delivered", "returned"):
            days, minutes = rng.choice([0, 1, 1, 1, 2, 2, 3, 5]), rng.randint(30, 900)
            shipped_at = placed_at + timedelta(days=days, minutes=minutes)
        seller = rng.choice(SALES_STAFF) if rng.random() < 0.3 else None
        hired_later = {14: date(2023, 9, 4), 15: date(2024, 2, 29)}
        if seller in hired_later and placed_at.date() < hired_later[seller]:
            seller = 13
        fee = Decimal(rng.choice(["0.00", "3.90", "4.90", "4.90", "9.50"]))
        coupon = rng.choice(COUPONS) if rng.random() < 0.18 else None
        order_lines = _items(rng, order_id, products, placed_at.date())
        orders.append((order_id, customer_id, seller, placed_at, shipped_at, status, fee, coupon))
        items.extend(order_lines)
        if rng.random() < {"pending": 0.5, "cancelled": 0.4}.get(status, 0.0):
            continue
        total = _total(order_lines, fee)
        parts = [total]
        if rng.random() < 0.09 and total > 10:
            share = (total * rng.choice([25, 40, 50]) / 100).quantize(CENT, ROUND_HALF_UP)
            parts = [share, total - share]
        for part in parts:
            paid_at = placed_at + timedelta(minutes=rng.randint(0, 240))
            payment_id = len(payments) + 1
            payments.append((payment_id, order_id, rng.choice(METHODS), part, paid_at))
            backs = []
            if status in ("cancelled", "returned"):
                backs = [part]
            elif rng.random() < 0.03 and part > 20:
                backs = [Decimal("5.00")] if rng.random() < 0.6 else [Decimal("5.00"), Decimal("7.50")]
            for back in backs:
                moment = paid_at + timedelta(days=rng.randint(3, 40), minutes=rng.randint(0, 600))
                refunds.append((len(refunds) + 1, payment_id, back, rng.choice(REFUND_REASONS), moment))
    return {"orders": orders, "order_items": items, "payments": payments, "refunds": refunds}


def _reviews(rng: Random, sales: Tables, products: Sequence[Row]) -> list[Row]:
    buyer = {order[0]: order[1] for order in sales["orders"]}
    placed = {order[0]: order[3] for order in sales["orders"]}
    silent = {row[0] for row in products if row[2] in NEVER_REVIEWED}
    rows: list[Row] = []
    seen: set[tuple[Value, Value]] = set()
    for item in rng.sample(sales["order_items"], 700):
        key = (item[2], buyer[item[0]])
        if item[2] in silent or key in seen:
            continue
        seen.add(key)
        rating = rng.choices([1, 2, 3, 4, 5], [4, 7, 16, 40, 33])[0]
        comment = rng.choice(COMMENTS) if rng.random() < 0.6 else None
        ordered_on = _as(datetime, placed[item[0]]).date()
        reviewed_on = min(ordered_on + timedelta(days=rng.randint(4, 60)), LAST_DAY)
        rows.append((len(rows) + 1, *key, rating, comment, reviewed_on))
    return rows


def _stock_movements(rng: Random, products: Sequence[Row]) -> list[Row]:
    moves: list[tuple[date, Value, str, int]] = []
    for product in products:
        first_day = max(_as(date, product[7]), FIRST_DAY)
        moves.append((first_day, product[0], "purchase", rng.randrange(120, 300, 20)))
        for _ in range(rng.randint(10, 18)):
            kind = rng.choice(["sale", "sale", "sale", "sale", "purchase", "return", "adjustment"])
            quantity = {
                "sale": -rng.randint(1, 15),
                "purchase": rng.randrange(10, 80, 10),
                "return": rng.randint(1, 2),
                "adjustment": rng.choice([-3, -2, -1, 0, 1]),
            }[kind]
            moves.append((_random_day(rng, first_day, LAST_DAY), product[0], kind, quantity))
    moves.sort(key=lambda move: (move[0], _as(int, move[1])))
    return [(number, move[1], move[0], move[2], move[3]) for number, move in enumerate(moves, start=1)]


def make_tables() -> Tables:
    """Return the rows of every table, the same at every call."""
    rng = Random(SEED)
    customers = _customers(rng)
    products = _products(rng)
    sales = _sales(rng, customers, products)
    return {
        "regions": REGIONS,
        "customers": customers,
        "categories": CATEGORIES,
        "suppliers": SUPPLIERS,
        "products": products,
        "employees": EMPLOYEES,
        **sales,
        "reviews": _reviews(rng, sales, products),
        "stock_movements": _stock_movements(rng, products),
    }


def _create_statements(types: dict[str, str]) -> Iterator[str]:
    for table, columns in SCHEMA.items():
        yield f"CREATE TABLE {table} ({columns.format(**types)})"


def _sqlite_value(value: Value) -> int | float | str | None:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return value


def _duckdb_literal(value: Value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, (bool, int, Decimal)):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def _write_sqlite(path: Path, tables: Tables) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        for statement in _create_statements(SQLITE_TYPES):
            connection.execute(statement)
        for table in SCHEMA:
            rows = [tuple(_sqlite_value(value) for value in row) for row in tables[table]]
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - names of SCHEMA
        connection.commit()


def _write_duckdb(path: Path, tables: Tables) -> None:
    with closing(duckdb.connect(str(path), config={"default_block_size": "16384"})) as connection:
        connection.execute("BEGIN")
        for statement in _create_statements(DUCKDB_TYPES):
            connection.execute(statement)
        for table in SCHEMA:
            rows = ["(" + ", ".join(map(_duckdb_literal, row)) + ")" for row in tables[table]]
            # One statement for all rows is far quicker, but its rows may not refer to one another.
            refers_to_itself = f"REFERENCES {table} " in SCHEMA[table]
            for part in rows if refers_to_itself else [", ".join(rows)]:
                connection.execute(f"INSERT INTO {table} VALUES {part}")  # noqa: S608 - made of the lists above
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT")


def build(folder: Path) -> None:
    """Write `shop/shop.sqlite` and `shop/shop.duckdb` below a folder, unless this script already did so.

    Args:
        folder: Where the `shop` folder is or shall be; made if it is missing.
    """
    target = folder / "shop"
    stamp_file = target / ".built"
    stamp = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    files = ("shop.sqlite", "shop.duckdb")
    complete = all((target / name).is_file() for name in files) and stamp_file.is_file()
    if complete and stamp_file.read_text(encoding="utf-8") == stamp:
        return
    target.mkdir(parents=True, exist_ok=True)
    tables = make_tables()
    with tempfile.TemporaryDirectory(dir=target, prefix=".building-") as name:
        workshop = Path(name)
        _write_sqlite(workshop / "shop.sqlite", tables)
        _write_duckdb(workshop / "shop.duckdb", tables)
        (workshop / ".built").write_text(stamp, encoding="utf-8")
        for file in (*files, ".built"):
            (workshop / file).replace(target / file)


def main() -> None:
    """Build the database in the folder named on the command line."""
    parser = argparse.ArgumentParser(description="Build the shop demo database.")
    parser.add_argument("folder", type=Path, help="where to write shop/shop.sqlite and shop/shop.duckdb")
    build(parser.parse_args().folder)


if __name__ == "__main__":
    main()
