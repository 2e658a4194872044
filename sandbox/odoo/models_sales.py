"""The models of orders and invoices."""

from sandbox.odoo.schema import Model, Row, fields
from sandbox.odoo.store import Env

_INVOICE_STATUS = (
    "upselling=Upselling Opportunity, invoiced=Fully Invoiced, to invoice=To Invoice, "
    "no=Nothing to Invoice"
)


def _line_label(env: Env, row: Row) -> str:
    model, above = ("sale.order", "order_id") if "order_id" in row else ("account.move", "move_id")
    return f"{env.label(model, row[above])} - {(row['name'] or '').partition(chr(10))[0]}"


ORDER = Model(
    "sale.order",
    "Sales Order",
    fields(f"""
name | char | Order Reference | required
state | selection draft=Quotation, sent=Quotation Sent, sale=Sales Order, cancel=Cancelled | Status
locked | boolean | Locked
client_order_ref | char | Customer Reference
reference | char | Payment Ref.
origin | char | Source Document
date_order | datetime | Order Date | required
commitment_date | datetime | Delivery Date
effective_date | datetime | Effective Date
validity_date | date | Expiration
company_id | many2one res.company | Company
partner_id | many2one res.partner | Customer | required
partner_invoice_id | many2one res.partner | Invoice Address | required
partner_shipping_id | many2one res.partner | Delivery Address | required
user_id | many2one res.users | Salesperson
note | html | Terms and conditions
pricelist_id | many2one product.pricelist | Pricelist
currency_id | many2one res.currency | Currency
currency_rate | float | Currency Rate
payment_term_id | many2one account.payment.term | Payment Terms
incoterm | many2one account.incoterms | Incoterm
incoterm_location | char | Incoterm Location
warehouse_id | many2one stock.warehouse | Warehouse
carrier_id | many2one delivery.carrier | Delivery Method
order_line | one2many sale.order.line order_id | Order Lines
amount_untaxed | monetary | Untaxed Amount
amount_tax | monetary | Taxes
amount_total | monetary | Total
amount_invoiced | monetary | Already invoiced
amount_to_invoice | monetary | Un-invoiced Balance
invoice_ids | many2many account.move | Invoices
invoice_count | integer | Invoice Count
invoice_status | selection {_INVOICE_STATUS} | Invoice Status
picking_ids | one2many stock.picking sale_id | Transfers
delivery_count | integer | Delivery Orders
delivery_status | selection pending=Not Delivered, started=Started, partial=Partially Delivered, full=Fully Delivered | Delivery Status
picking_policy | selection direct=As soon as possible, one=When all products are ready | Shipping Policy
"""),
    order="date_order desc, id desc",
    searched=("name",),
)
LINE = Model(
    "sale.order.line",
    "Sales Order Line",
    fields(f"""
order_id | many2one sale.order | Order Reference | required
sequence | integer | Sequence
company_id | many2one res.company | Company
currency_id | many2one res.currency | Currency
order_partner_id | many2one res.partner | Customer
state | selection draft=Quotation, sent=Quotation Sent, sale=Sales Order, cancel=Cancelled | Order Status
display_type | selection line_section=Section, line_subsection=Subsection, line_note=Note | Display Type
is_downpayment | boolean | Is a down payment
is_delivery | boolean | Is a Delivery
product_id | many2one product.product | Product
product_template_id | many2one product.template | Product Template
product_uom_id | many2one uom.uom | Unit
product_uom_qty | float | Quantity | digits
name | text | Description | required
tax_ids | many2many account.tax | Taxes
pricelist_item_id | many2one product.pricelist.item | Pricelist Item
price_unit | float | Unit Price
technical_price_unit | float | Technical Price Unit
discount | float | Discount (%) | digits
price_subtotal | monetary | Subtotal
price_tax | float | Total Tax
price_total | monetary | Total
price_reduce_taxexcl | monetary | Price Reduce Tax excl
customer_lead | float | Lead Time
qty_delivered | float | Delivery Quantity | digits
qty_delivered_method | selection manual=Manual, stock_move=Stock Moves | Method to update delivered qty
qty_invoiced | float | Invoiced Quantity | digits
qty_to_invoice | float | Quantity To Invoice | digits
invoice_status | selection {_INVOICE_STATUS} | Invoice Status
invoice_lines | many2many account.move.line | Invoice Lines
move_ids | one2many stock.move sale_line_id | Stock Moves
warehouse_id | many2one stock.warehouse | Warehouse
"""),
    order="order_id, sequence, id",
    searched=("name",),
    label=_line_label,
)
INVOICE = Model(
    "account.move",
    "Journal Entry",
    fields("""
name | char | Number
ref | char | Reference
state | selection draft=Draft, posted=Posted, cancel=Cancelled | Status
move_type | selection entry=Journal Entry, out_invoice=Customer Invoice, out_refund=Customer Credit Note, in_invoice=Vendor Bill, in_refund=Vendor Credit Note, out_receipt=Sales Receipt, in_receipt=Purchase Receipt | Type
payment_state | selection not_paid=Not Paid, in_payment=In Payment, paid=Paid, partial=Partially Paid, reversed=Reversed, blocked=Blocked, invoicing_legacy=Invoicing App Legacy | Payment Status
date | date | Date
invoice_date | date | Invoice/Bill Date
invoice_date_due | date | Due Date
invoice_origin | char | Origin
payment_reference | char | Payment Reference
journal_id | many2one account.journal | Journal
company_id | many2one res.company | Company
partner_id | many2one res.partner | Partner
commercial_partner_id | many2one res.partner | Commercial Entity
partner_shipping_id | many2one res.partner | Delivery Address
invoice_user_id | many2one res.users | Salesperson
invoice_payment_term_id | many2one account.payment.term | Payment Terms
invoice_incoterm_id | many2one account.incoterms | Incoterm
currency_id | many2one res.currency | Currency
amount_untaxed | monetary | Untaxed Amount
amount_tax | monetary | Tax
amount_total | monetary | Total
amount_residual | monetary | Amount Due
amount_untaxed_signed | monetary | Untaxed Amount Signed
amount_total_signed | monetary | Total Signed
amount_residual_signed | monetary | Amount Due Signed
amount_total_in_currency_signed | monetary | Total in Currency Signed
invoice_line_ids | one2many account.move.line move_id | Invoice lines
line_ids | one2many account.move.line move_id | Journal Items
reversed_entry_id | many2one account.move | Reversal of
"""),
    order="date desc, name desc, invoice_date desc, id desc",
    searched=("name", "payment_reference", "ref"),
    label=lambda _env, row: row["name"] or "Draft Invoice",
)
INVOICE_LINE = Model(
    "account.move.line",
    "Journal Item",
    fields("""
move_id | many2one account.move | Journal Entry | required
name | char | Label
sequence | integer | Sequence
display_type | selection product=Product, tax=Tax, line_section=Section, line_note=Note, payment_term=Payment Term | Display Type
parent_state | selection draft=Draft, posted=Posted, cancel=Cancelled | Status
company_id | many2one res.company | Company
partner_id | many2one res.partner | Partner
currency_id | many2one res.currency | Currency
product_id | many2one product.product | Product
product_uom_id | many2one uom.uom | Unit
quantity | float | Quantity | digits
price_unit | float | Unit Price
discount | float | Discount (%) | digits
price_subtotal | monetary | Subtotal
tax_ids | many2many account.tax | Taxes
sale_line_ids | many2many sale.order.line | Sales Order Lines
"""),
    order="move_id, sequence, id",
    label=_line_label,
)
