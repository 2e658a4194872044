"""Company, users, languages, countries, currencies, units, taxes, terms: what other rows name."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sandbox.odoo.forms import moment, number, stamps
from sandbox.odoo.schema import Model, Row, fields
from sandbox.odoo.store import Store
from sandbox.world import LOCALES, World

COMPANY = Model(
    "res.company",
    "Companies",
    fields("""
name | char | Company Name | required
partner_id | many2one res.partner | Partner | required
currency_id | many2one res.currency | Currency | required
country_id | many2one res.country | Country
email | char | Email
website | char | Website
vat | char | Tax ID
active | boolean | Active
"""),
    order="name",
)
USER = Model(
    "res.users",
    "User",
    fields("""
name | char | Name | required
login | char | Login | required
lang | char | Language
company_id | many2one res.company | Company
active | boolean | Active
"""),
    order="name, login",
)
API_KEY = Model(
    "res.users.apikeys",
    "Users API Keys",
    fields("""
name | char | Description | required
user_id | many2one res.users | User | required
scope | char | Scope
expiration_date | datetime | Expiration Date
"""),
)
LANG = Model(
    "res.lang",
    "Languages",
    fields("""
name | char | Name | required
code | char | Locale Code | required
iso_code | char | ISO code
active | boolean | Active
"""),
    order="active desc, name",
    searched=("name", "code"),
)
COUNTRY = Model(
    "res.country",
    "Country",
    fields("""
name | char | Country Name | required translate
code | char | Country Code | required
currency_id | many2one res.currency | Currency
"""),
    order="name",
)
STATE = Model(
    "res.country.state",
    "Country state",
    fields("""
name | char | State Name | required
code | char | State Code | required
country_id | many2one res.country | Country | required
"""),
    order="code, id",
    label=lambda env, row: f"{row['name']} ({env.label('res.country', row['country_id'])})",
)
CURRENCY = Model(
    "res.currency",
    "Currency",
    fields("""
name | char | Currency | required
full_name | char | Name
symbol | char | Symbol | required
rate | float | Current Rate
inverse_rate | float | Inverse Rate
rounding | float | Rounding Factor
decimal_places | integer | Decimal Places
position | selection after=After Amount, before=Before Amount | Symbol Position
active | boolean | Active
"""),
    order="active desc, name",
    searched=("name", "full_name"),
)
UNIT = Model(
    "uom.uom",
    "Product Unit of Measure",
    fields("""
name | char | Unit Name | required translate
sequence | integer | Sequence
relative_factor | float | Contains | required
relative_uom_id | many2one uom.uom | Reference Unit
related_uom_ids | one2many uom.uom relative_uom_id | Related UoMs
factor | float | Absolute Quantity
rounding | float | Rounding Precision
active | boolean | Active
"""),
    order="sequence, relative_uom_id, id",
    parent="relative_uom_id",
)
TAX = Model(
    "account.tax",
    "Tax",
    fields("""
name | char | Tax Name | required translate
amount | float | Amount | required
amount_type | selection percent=Percentage, fixed=Fixed, division=Percentage Tax Included | Tax Computation
type_tax_use | selection sale=Sales, purchase=Purchases, none=None | Tax Type
price_include | boolean | Included in Price
company_id | many2one res.company | Company
active | boolean | Active
"""),
)
PAYMENT_TERM = Model(
    "account.payment.term",
    "Payment Terms",
    fields("""
name | char | Payment Terms | required translate
active | boolean | Active
company_id | many2one res.company | Company
"""),
)
INCOTERM = Model(
    "account.incoterms",
    "Incoterms",
    fields("""
name | char | Name | required translate
code | char | Code | required
active | boolean | Active
"""),
    searched=("name", "code"),
    label=lambda _env, row: f"[{row['code']}] {row['name']}",
)
JOURNAL = Model(
    "account.journal",
    "Journal",
    fields("""
name | char | Journal Name | required
code | char | Short Code | required
type | selection sale=Sales, purchase=Purchase, bank=Bank | Type
company_id | many2one res.company | Company
active | boolean | Active
"""),
    searched=("name", "code"),
)

USER_ID = 2
_KEY_DAYS = 90
_COUNTRIES = {
    "AT": ("Autriche", "Austria", "Österreich"),
    "BE": ("Belgique", "Belgium", "Belgien"),
    "CH": ("Suisse", "Switzerland", "Schweiz"),
    "CZ": ("Tchéquie", "Czech Republic", "Tschechien"),
    "DE": ("Allemagne", "Germany", "Deutschland"),
    "DK": ("Danemark", "Denmark", "Dänemark"),
    "ES": ("Espagne", "Spain", "Spanien"),
    "FR": ("France", "France", "Frankreich"),
    "GB": ("Royaume-Uni", "United Kingdom", "Vereinigtes Königreich"),
    "IE": ("Irlande", "Ireland", "Irland"),
    "IT": ("Italie", "Italy", "Italien"),
    "LU": ("Luxembourg", "Luxembourg", "Luxemburg"),
    "NL": ("Pays-Bas", "Netherlands", "Niederlande"),
    "PL": ("Pologne", "Poland", "Polen"),
    "PT": ("Portugal", "Portugal", "Portugal"),
    "SE": ("Suède", "Sweden", "Schweden"),
    "US": ("États-Unis", "United States", "Vereinigte Staaten"),
}
_INCOTERMS = {
    "CIP": "CARRIAGE AND INSURANCE PAID TO",
    "CPT": "CARRIAGE PAID TO",
    "DAP": "DELIVERED AT PLACE",
    "DDP": "DELIVERED DUTY PAID",
    "EXW": "EX WORKS",
    "FCA": "FREE CARRIER",
}
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "CHF": "CHF", "PLN": "zł"}
_LARGER_UNITS = {"Units": ("Dozens", 12.0), "m": ("km", 1000.0), "kg": ("t", 1000.0)}
_SHARE = Decimal("0.001")


def load(store: Store, world: World, base_url: str) -> None:
    magic = stamps(world.now)
    store.add(USER, [{"id": USER_ID, "name": "Passerelle", "login": "passerelle", "lang": "en_US",
                      "company_id": 1, "active": True, **magic}])  # fmt: skip
    # Of the clock, not of the world: keys end in real time. Odoo gives them 90 days at the most.
    ends = datetime.now(UTC) + timedelta(days=_KEY_DAYS)
    store.add(API_KEY, [{"id": 1, "name": "gateway", "user_id": USER_ID, "scope": "rpc",
                         "expiration_date": moment(ends), **magic}])  # fmt: skip
    store.add(LANG, _langs(magic))
    store.add(CURRENCY, _currencies(world, magic))
    store.add(COUNTRY, _countries(world, magic))
    store.add(STATE, [{"id": 1, "name": "Baden-Württemberg", "code": "BW", **magic,
                       "country_id": key_of(store, "res.country", "DE", "code")}])  # fmt: skip
    store.add(UNIT, _units(world, magic))
    store.add(TAX, _taxes(world, magic))
    store.add(PAYMENT_TERM, _terms(world, magic))
    store.add(INCOTERM, _incoterms(world, magic))
    store.add(JOURNAL, [{"id": 1, "name": "Customer Invoices", "code": "INV", "type": "sale",
                         "company_id": 1, "active": True, **magic}])  # fmt: skip
    store.add(COMPANY, [{"id": 1, "name": "Passerelle Fournitures", "website": base_url,
                         "currency_id": key_of(store, "res.currency", "EUR"),
                         "country_id": key_of(store, "res.country", "FR", "code"),
                         "active": True, **magic}])  # fmt: skip


def key_of(store: Store, model: str, value: str, by: str = "name") -> int:
    """The id of the row with this value; a KeyError tells of a world that contradicts itself."""
    return store[model].index(by)[value][0]


def _langs(magic: Row) -> list[Row]:
    names = {"fr_FR": "French / Français", "en_US": "English (US)", "de_DE": "German / Deutsch"}
    return [
        {"id": key, "name": names[code], "code": code, "iso_code": code, "active": True, **magic}
        for key, code in enumerate(LOCALES, 1)
    ]


def _currencies(world: World, magic: Row) -> list[Row]:
    rates = {"EUR": Decimal(1), **world.currency_rates}
    return [
        {
            "id": key,
            "name": name,
            "full_name": name,
            "symbol": _SYMBOLS.get(name, name),
            "rate": number(rate),
            "inverse_rate": number(1 / rate),
            "rounding": 0.01,
            "decimal_places": 2,
            "position": "after",
            "active": True,
            **magic,
        }
        for key, (name, rate) in enumerate(sorted(rates.items()), 1)
    ]


def _countries(world: World, magic: Row) -> list[Row]:
    codes = {address.country for company in world.companies for address in company.addresses}
    codes |= {warehouse.country for warehouse in world.warehouses} | _COUNTRIES.keys()
    return [
        {"id": key, "code": code, "currency_id": False, **magic,
         "name": dict(zip(LOCALES, _COUNTRIES.get(code, (code,) * 3), strict=True))}
        for key, code in enumerate(sorted(codes), 1)
    ]  # fmt: skip


def _units(world: World, magic: Row) -> list[Row]:
    used = {item.unit for item in world.items}
    used |= {line.unit for order in world.orders for line in order.lines}
    roots = ["Units", *sorted(used - {"Units"})]
    units = [(name, 1.0, 0) for name in roots]
    for at, root in enumerate(roots, 1):
        if root in _LARGER_UNITS and _LARGER_UNITS[root][0] not in used:
            units.append((*_LARGER_UNITS[root], at))
    return [
        {"id": key, "name": name, "sequence": 100, "relative_factor": factor, "factor": factor,
         "relative_uom_id": root or False, "rounding": 0.01, "active": True, **magic}
        for key, (name, factor, root) in enumerate(units, 1)
    ]  # fmt: skip


def tax_rate(untaxed: Decimal, tax: Decimal) -> float:
    """Percent, to a tenth: totals are rounded, so their ratio is not the rate itself."""
    return number((tax / untaxed).quantize(_SHARE) * 100) if untaxed else 0.0


def _taxes(world: World, magic: Row) -> list[Row]:
    rates = {tax_rate(order.untaxed, order.tax) for order in world.orders} | {20.0}
    return [
        {"id": key, "name": f"{rate:g}%", "amount": rate, "amount_type": "percent",
         "type_tax_use": "sale", "company_id": 1, "active": True, **magic}
        for key, rate in enumerate(sorted(rates, reverse=True), 1)
    ]  # fmt: skip


def _terms(world: World, magic: Row) -> list[Row]:
    names = dict.fromkeys(company.payment_terms for company in world.companies)
    return [
        {"id": key, "name": name, "active": True, "company_id": False, **magic}
        for key, name in enumerate(sorted(filter(None, names)), 1)
    ]


def _incoterms(world: World, magic: Row) -> list[Row]:
    codes = {company.incoterm for company in world.companies} | _INCOTERMS.keys()
    return [
        {"id": key, "code": code, "name": _INCOTERMS.get(code, code), "active": True, **magic}
        for key, code in enumerate(sorted(filter(None, codes)), 1)
    ]
