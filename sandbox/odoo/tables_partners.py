"""Customers with their contacts and addresses, as partners."""

from typing import Any

from sandbox.odoo.forms import Ids, number, stamps, text
from sandbox.odoo.schema import Model, Row, fields
from sandbox.odoo.store import Store
from sandbox.odoo.tables_reference import key_of
from sandbox.world import Company, Contact, PostalAddress, World

PARTNER = Model(
    "res.partner",
    "Contact",
    fields("""
name | char | Name
complete_name | char | Complete Name
ref | char | Reference
active | boolean | Active
lang | char | Language
vat | char | Tax ID
company_registry | char | Company ID
is_company | boolean | Is a Company
company_type | selection person=Person, company=Company | Company Type | computed
parent_id | many2one res.partner | Related Company
child_ids | one2many res.partner parent_id | Contact
commercial_partner_id | many2one res.partner | Commercial Entity
commercial_company_name | char | Company Name Entity
type | selection contact=Contact, invoice=Invoice Address, delivery=Delivery Address, other=Other Address | Address Type
street | char | Street
street2 | char | Street2
zip | char | Zip
city | char | City
state_id | many2one res.country.state | State
country_id | many2one res.country | Country
country_code | char | Country Code
email | char | Email
phone | char | Phone
website | char | Website Link
function | char | Job Position
comment | html | Notes
barcode | char | Barcode
color | integer | Color Index
company_id | many2one res.company | Company
user_id | many2one res.users | Salesperson
currency_id | many2one res.currency | Currency
property_product_pricelist | many2one product.pricelist | Pricelist
specific_property_product_pricelist | many2one product.pricelist | Specific Pricelist
property_payment_term_id | many2one account.payment.term | Customer Payment Terms
sale_incoterm_id | many2one account.incoterms | Default Sales Incoterm
credit | monetary | Total Receivable
credit_limit | float | Credit Limit
use_partner_credit_limit | boolean | Partner Limit
credit_to_invoice | monetary | Credit To Invoice
total_invoiced | monetary | Total Invoiced
customer_rank | integer | Customer Rank
supplier_rank | integer | Supplier Rank
sale_order_ids | one2many sale.order partner_id | Sales Order
sale_order_count | integer | Sale Order Count
invoice_ids | one2many account.move partner_id | Invoices
sale_warn_msg | text | Message for Sales Order
"""),
    order="complete_name, id",
    searched=("complete_name", "email", "ref", "vat", "company_registry"),
    label=lambda _env, row: row["complete_name"],
    computes={
        "company_type": lambda _env, row: "company" if row.get("is_company") else "person",
    },
)

ON_HOLD = "Account on hold: orders wait for the release by accounts receivable."
"What the seller is warned of; Odoo 19 has no blocking flag on a partner, only this text."

_LANGS = {"fr": "fr_FR", "de": "de_DE"}


def load(store: Store, world: World) -> None:
    """Adds the partners. An address with the id of its company is the company's own."""
    ids = Ids(_known(world))
    table = store.add(PARTNER)
    for company in world.companies:
        ids.claim(company.erp_id)
        table.add(_company(store, company, world))
    own = ids.fresh()
    house = store["res.company"].rows[1]
    table.add(_shared(store, own, None, world) | {"name": house["name"], "is_company": True,
              "complete_name": house["name"], "commercial_partner_id": own})  # fmt: skip
    house["partner_id"] = own
    for company in world.companies:
        for address in company.addresses:
            if address.id != company.erp_id:
                table.add(_address(store, company, address, world))
                ids.claim(address.id)
        for contact in company.contacts:
            table.add(_contact(store, company, contact, ids.claim(contact.id), world))


def _known(world: World) -> list[int]:
    found = [company.erp_id for company in world.companies]
    found += [address.id for company in world.companies for address in company.addresses]
    return found + [contact.id for company in world.companies for contact in company.contacts]


def _shared(store: Store, key: int, company: Company | None, world: World) -> Row:
    """What a child takes over from its company: commercial fields, language, terms."""
    row: Row = {"id": key, "active": True, "type": "contact", "lang": "en_US", **stamps(world.now)}
    if company is None:
        return row
    terms = company.payment_terms
    return row | {
        "lang": _LANGS.get(company.language, "en_US"),
        "vat": text(company.vat),
        "commercial_partner_id": company.erp_id,
        "commercial_company_name": company.name,
        "currency_id": key_of(store, "res.currency", "EUR"),
        "property_product_pricelist": company.pricelist_id,
        "property_payment_term_id": bool(terms) and key_of(store, "account.payment.term", terms),
        # Of a widespread community module: a plain Odoo keeps delivery terms on orders only.
        "sale_incoterm_id": bool(company.incoterm)
        and key_of(store, "account.incoterms", company.incoterm, "code"),
        "user_id": 2,
    }


def _place(store: Store, address: PostalAddress) -> Row:
    return {
        "street": text(address.street),
        "street2": text(address.street2),
        "zip": text(address.zip),
        "city": text(address.city),
        "country_id": key_of(store, "res.country", address.country, "code"),
        "country_code": address.country,
        "phone": text(address.phone),
    }


def _company(store: Store, company: Company, world: World) -> Row:
    seat = next((a for a in company.addresses if a.id == company.erp_id), None)
    place: dict[str, Any] = _place(store, seat or company.addresses[0]) if company.addresses else {}
    return _shared(store, company.erp_id, company, world) | place | {
        "name": company.name,
        "complete_name": company.name,
        "ref": company.number,
        "is_company": True,
        "email": text(company.email),
        "phone": text(company.phone),
        "website": text(company.website),
        "specific_property_product_pricelist": company.pricelist_id,
        "credit_limit": number(company.credit_limit) if company.credit_limit is not None else 0.0,
        "use_partner_credit_limit": company.credit_limit is not None,
        "customer_rank": 1,
        "sale_warn_msg": ON_HOLD if company.blocked else False,
    }  # fmt: skip


def _address(store: Store, company: Company, address: PostalAddress, world: World) -> Row:
    return _shared(store, address.id, company, world) | _place(store, address) | {
        "name": text(address.label),
        "complete_name": f"{company.name}, {address.label}",
        "parent_id": company.erp_id,
        "type": address.kind,
    }  # fmt: skip


def _contact(store: Store, company: Company, contact: Contact, key: int, world: World) -> Row:
    name = f"{contact.first_name} {contact.last_name}"
    seat = _place(store, company.addresses[0]) if company.addresses else {}
    return _shared(store, key, company, world) | seat | {
        "name": name,
        "complete_name": f"{company.name}, {name}",
        "parent_id": company.erp_id,
        "email": text(contact.email),
        "phone": text(contact.phone),
        "function": text(contact.job_title),
    }  # fmt: skip
