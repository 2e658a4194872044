"""Who buys and who sells: 60 companies with contacts and addresses, five representatives of ours."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from sandbox.world import Company, Contact, Owner, PostalAddress

COMPANIES = 60
EXAMPLE_CUSTOMER = "C10001"
_EXAMPLE_NAME = "Ateliers Mécaniques du Rhône"

# country|language|dialling code|VAT pattern|legal forms|cities with postal codes
_COUNTRIES = """
FR|fr|+33 4|FR{:02d}{:09d}|SAS,SARL,SA|69007 Lyon,38000 Grenoble,59800 Lille,31000 Toulouse,44000 Nantes
DE|de|+49 89|DE{1:09d}|GmbH,AG,KG|80331 München,70173 Stuttgart,50667 Köln,04109 Leipzig
BE|fr|+32 2|BE0{1:09d}|SRL,SA|1000 Bruxelles,4000 Liège,6000 Charleroi
IT|it|+39 02|IT{:02d}{:09d}|Srl,SpA|20121 Milano,10121 Torino,40121 Bologna
ES|es|+34 93|ESB{1:09d}|SL,SA|08001 Barcelona,28001 Madrid
NL|nl|+31 20|NL{1:09d}B01|BV,NV|1011 Amsterdam,5611 Eindhoven
CH|fr|+41 22|CHE{1:09d}|SA,Sàrl|1201 Genève,1003 Lausanne,8001 Zürich
GB|en|+44 20|GB{1:09d}|Ltd,PLC|M1 1AE Manchester,B1 1BB Birmingham
"""
_TRADES = (
    "Mécanique Générale", "Usinage", "Maintenance Industrielle", "Maschinenbau", "Automation",
    "Chaudronnerie", "Hydraulique", "Anlagentechnik", "Engineering", "Robotique", "Levage",
    "Electrotechnik", "Emballage", "Convoyage", "Tooling",
)  # fmt: skip
_FOUNDERS = (
    "Bernard", "Keller", "Rossi", "Van Damme", "Perrin", "Schneider", "Garcia", "Dupuis",
    "Hoffmann", "Moreau", "Whitfield", "De Vries", "Lambert", "Brunner", "Conti", "Fabre",
)  # fmt: skip
_FIRST = (
    "Claire", "Julien", "Sabine", "Markus", "Élodie", "Paolo", "Ingrid", "Thomas", "Nadia",
    "Oliver", "Lucía", "Jeroen", "Camille", "Stefan", "Amélie", "Karim",
)  # fmt: skip
_LAST = (
    "Martin", "Weber", "Lefèvre", "Bianchi", "Janssens", "Fischer", "Roux", "Blanc", "Meyer",
    "Garnier", "Wood", "Navarro", "Bakker", "Chevalier", "Haas", "Benali",
)  # fmt: skip
_JOBS = ("Acheteur", "Responsable maintenance", "Comptabilité", "Directeur technique", "Logistique")
_STREETS = ("rue de l'Industrie", "avenue des Frères Lumière", "chemin du Port", "rue Ampère")
_TERMS = ("30 Days", "45 Days", "30 Days End of Month", "Immediate Payment")
_INCOTERMS = ("DAP", "EXW", "FCA", "DDP")
_SEGMENTS = ("key_account", "distributor", "sme", "sme", "maintenance")


@dataclass(frozen=True, slots=True)
class _Country:
    code: str
    language: str
    dialling: str
    vat: str
    forms: tuple[str, ...]
    cities: tuple[tuple[str, str], ...]


def _countries() -> dict[str, _Country]:
    found = {}
    for line in _COUNTRIES.strip().splitlines():
        code, language, dialling, vat, forms, cities = line.split("|")
        pairs = (city.rpartition(" ") for city in cities.split(","))
        placed = tuple((zip_code, city) for zip_code, _, city in pairs)
        found[code] = _Country(code, language, dialling, vat, tuple(forms.split(",")), placed)
    return found


def owners() -> tuple[Owner, ...]:
    people = (("Hélène", "Marchand"), ("Victor", "Delmas"), ("Anja", "Richter"),
              ("Marco", "Ferri"), ("Sophie", "Aubert"))  # fmt: skip
    return tuple(
        Owner(
            str(61_000_001 + index * 137),
            first,
            last,
            f"{_ascii(first)}.{_ascii(last)}@passerelle-supplies.example",
            f"+33 4 72 00 11 {index:02d}",
        )
        for index, (first, last) in enumerate(people)
    )


def companies(rng: Random, sellers: tuple[Owner, ...]) -> tuple[Company, ...]:
    countries = _countries()
    spread = ["FR"] * 30 + ["DE"] * 8 + ["BE"] * 5 + ["IT"] * 4 + ["ES"] * 3 + ["NL"] * 3
    spread += ["CH"] * 4 + ["GB"] * 3
    return tuple(
        _company(index, countries[code], rng, sellers[index % len(sellers)].id)
        for index, code in enumerate(spread)
    )


def _company(index: int, country: _Country, rng: Random, owner: str) -> Company:
    example = index == 0
    erp_id, segment = 1000 + 20 * index, "key_account" if example else rng.choice(_SEGMENTS)
    founder = _FOUNDERS[index % len(_FOUNDERS)]
    trade = _TRADES[index % len(_TRADES)]
    name = _EXAMPLE_NAME if example else f"{founder} {trade} {rng.choice(country.forms)}"
    domain = f"{_ascii(name).replace(' ', '-')}-{index + 1:02d}.example"
    swiss = country.code == "CH"
    return Company(
        number=f"C{10_001 + index}",
        name=name,
        email=f"contact@{domain}",
        phone=_phone(country, rng),
        website=f"https://www.{domain}",
        vat=country.vat.format(rng.randint(10, 99), rng.randint(100_000_000, 999_999_999)),
        segment=segment,
        language=country.language,
        currency="CHF" if swiss else "EUR",
        pricelist_id=4 if swiss else {"key_account": 3, "distributor": 2}.get(segment, 1),
        payment_terms="45 Days" if example else rng.choice(_TERMS),
        incoterm="DAP" if example else rng.choice(_INCOTERMS),
        blocked=not example and index % 23 == 7,  # noqa: PLR2004 - three companies are on hold
        credit_limit=_credit(index, rng),
        contacts=_contacts(index, country, domain, rng),
        addresses=_addresses(index, name, country, rng),
        preferences=_preferences(rng),
        owner_id=owner,
        erp_id=erp_id,
        crm_id=str(9_100_000_001 + index * 7919),
    )


def _credit(index: int, rng: Random) -> Decimal | None:
    if index and index % 6 == 0:
        return None
    return Decimal(50_000 if index == 0 else rng.choice((5_000, 10_000, 25_000, 80_000)))


def _phone(country: _Country, rng: Random) -> str:
    digits = f"{rng.randint(0, 99_999_999):08d}"
    return " ".join((country.dialling, digits[:2], digits[2:4], digits[4:6], digits[6:]))


def _contacts(index: int, country: _Country, domain: str, rng: Random) -> tuple[Contact, ...]:
    people = []
    for place in range(3 if index == 0 else rng.randint(2, 5)):
        first, last = rng.choice(_FIRST), _LAST[(index * 5 + place) % len(_LAST)]
        people.append(
            Contact(
                id=1000 + 20 * index + 1 + place,
                first_name=first,
                last_name=last,
                email=f"{_ascii(first)}.{_ascii(last)}@{domain}",
                phone=_phone(country, rng),
                job_title=_JOBS[place],
                crm_id=str(8_200_000_001 + (index * 5 + place) * 104_729),
            )
        )
    return tuple(people)


def _addresses(index: int, name: str, country: _Country, rng: Random) -> tuple[PostalAddress, ...]:
    """The seat, often an invoice address, and one to three places to deliver to."""
    base = 1000 + 20 * index
    rows = [_address(base, "contact", name, country, rng)]
    if index % 2 == 0:
        rows.append(_address(base + 10, "invoice", f"{name} - Comptabilité", country, rng))
    for place in range(2 if index == 0 else rng.randint(1, 3)):
        label = f"Site {'ABC'[place]}"
        rows.append(_address(base + 11 + place, "delivery", label, country, rng))
    return tuple(rows)


def _address(row: int, kind: str, label: str, country: _Country, rng: Random) -> PostalAddress:
    zip_code, city = rng.choice(country.cities)
    return PostalAddress(
        id=row,
        kind=kind,  # type: ignore[arg-type]
        label=label,
        street=f"{rng.randint(1, 180)} {rng.choice(_STREETS)}",
        street2="Bâtiment C" if rng.random() < 0.25 else "",  # noqa: PLR2004 - some have a second line
        zip=zip_code,
        city=city,
        country=country.code,
        phone=_phone(country, rng),
    )


def _preferences(rng: Random) -> dict[str, str]:
    return {
        "preferred_carrier": rng.choice(("dhl", "ups")),
        "order_confirmation": rng.choice(("email", "edi")),
        "delivery_window": rng.choice(("morning", "afternoon", "any")),
        "newsletter": rng.choice(("yes", "no")),
    }


def _ascii(text: str) -> str:
    plain = text.lower().translate(str.maketrans("éèêëàâîïôöûüùçäí", "eeeeaaiioouuucai"))
    return plain.replace(" ", "-").replace("'", "")
