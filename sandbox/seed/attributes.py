"""The PIM's attributes and families."""

from sandbox.seed.labels import CATEGORIES, FAMILIES, OPTIONS, PARENTS
from sandbox.seed.ranges import RANGES, Range
from sandbox.world import Attribute, Category, Family, Text

# code|type|group|metric family|unit|français|English|Deutsch
_DIMENSIONS = """
thread|simpleselect|technical|||Filetage|Thread|Gewinde
finish|simpleselect|technical|||Matière et finition|Material and finish|Werkstoff und Oberfläche
series|simpleselect|technical|||Série|Series|Baureihe
seal|simpleselect|technical|||Étanchéité|Sealing|Abdichtung
profile|simpleselect|technical|||Profil|Profile|Profil
poles|simpleselect|technical|||Nombre de pôles|Number of poles|Polzahl
grade|simpleselect|technical|||Nuance|Grade|Sorte
design|simpleselect|technical|||Modèle|Design|Ausführung
size|simpleselect|technical|||Taille|Size|Größe
shoe_size|simpleselect|technical|||Pointure|Shoe size|Schuhgröße
color|simpleselect|technical|||Couleur|Colour|Farbe
tint|simpleselect|technical|||Teinte|Tint|Tönung
curve|simpleselect|technical|||Courbe|Curve|Kurve
output|simpleselect|technical|||Sortie|Output|Ausgang
port|simpleselect|technical|||Raccordement|Port|Anschluss
grit|simpleselect|technical|||Grain|Grit|Körnung
material|simpleselect|technical|||Matière|Material|Werkstoff
grooves|number|technical|||Nombre de gorges|Number of grooves|Rillenzahl
dn|number|technical|||Diamètre nominal|Nominal diameter|Nennweite
length|metric|technical|Length|MILLIMETER|Longueur|Length|Länge
bore|metric|technical|Length|MILLIMETER|Alésage|Bore|Bohrung
diameter|metric|technical|Length|MILLIMETER|Diamètre|Diameter|Durchmesser
width|metric|technical|Length|MILLIMETER|Ouverture|Width across flats|Schlüsselweite
tube|metric|technical|Length|MILLIMETER|Diamètre de tube|Tube diameter|Schlauchdurchmesser
stroke|metric|technical|Length|MILLIMETER|Course|Stroke|Hub
reach|metric|technical|Length|MILLIMETER|Portée|Sensing range|Reichweite
inner|metric|technical|Length|MILLIMETER|Diamètre intérieur|Inner diameter|Innendurchmesser
cross|metric|technical|Length|MILLIMETER|Section de tore|Cross section|Schnurstärke
wire|metric|technical|Length|MILLIMETER|Diamètre de fil|Wire diameter|Drahtdurchmesser
outer|metric|technical|Length|MILLIMETER|Diamètre extérieur|Outer diameter|Außendurchmesser
section|metric|technical|Area|SQUARE_MILLIMETER|Section|Cross section|Querschnitt
volume|metric|technical|Volume|LITER|Contenance|Volume|Inhalt
power|metric|technical|Power|KILOWATT|Puissance|Power|Leistung
rating|metric|technical|Intensity|AMPERE|Courant assigné|Rated current|Nennstrom
voltage|metric|technical|Voltage|VOLT|Tension|Voltage|Spannung
load|metric|technical|Weight|TON|Charge maximale|Working load limit|Tragfähigkeit
"""
_COMMON = """
sku|identifier|general|||Référence|SKU|Artikelnummer
gtin|identifier|general|||GTIN|GTIN|GTIN
name|text|marketing|||Nom|Name|Name
model_name|text|marketing|||Nom du modèle|Model name|Modellname
description|textarea|marketing|||Description|Description|Beschreibung
brand|simpleselect|general|||Marque|Brand|Marke
norm|text|technical|||Norme|Standard|Norm
weight|metric|technical|Weight|KILOGRAM|Poids|Weight|Gewicht
temperature_max|metric|technical|Temperature|CELSIUS|Température max.|Max. temperature|Max. Temperatur
certifications|multiselect|technical|||Certifications|Certifications|Zertifikate
origin|simpleselect|logistics|||Pays d'origine|Country of origin|Ursprungsland
package_quantity|number|logistics|||Conditionnement|Package quantity|Verpackungseinheit
hazardous|boolean|logistics|||Produit dangereux|Hazardous|Gefahrgut
available_since|date|logistics|||Disponible depuis|Available since|Verfügbar seit
price|price_collection|marketing|||Prix public|List price|Listenpreis
technical_table|table|technical|||Caractéristiques|Technical data|Technische Daten
image|image|media|||Photo|Picture|Bild
drawing|image|media|||Dessin|Drawing|Zeichnung
datasheet|file|media|||Fiche technique|Datasheet|Datenblatt
"""
BRANDS = {
    "altherm": "Altherm", "boltex": "Boltex", "cermont": "Cermont", "duravis": "Duravis",
    "elkra": "Elkra", "fluidor": "Fluidor", "hexaline": "Hexaline", "kranwerk": "Kranwerk",
    "norval": "Norval", "protek": "Protek",
}  # fmt: skip
CERTIFICATIONS = ("ce", "rohs", "reach", "iso_9001", "atex", "ul")
ORIGINS = ("FR", "DE", "IT", "CZ", "CN", "TW")
TABLE_COLUMNS = ("characteristic", "value", "tolerance")
UNITS: dict[tuple[str, str], str] = {
    ("lifting", "length"): "METER",
    ("adhesives", "volume"): "MILLILITER",
}
"The unit of a family where it is not the attribute's own."

MODEL_LEVEL = (
    "model_name", "description", "brand", "norm", "certifications", "origin", "image", "drawing",
    "datasheet", "technical_table", "hazardous",
)  # fmt: skip
VARIANT_LEVEL = (
    "sku", "gtin", "name", "weight", "package_quantity", "available_since", "price",
    "temperature_max",
)  # fmt: skip


def option_code(value: str) -> str:
    """An option code as the PIM allows it: letters, digits and underscores."""
    return value.replace("/", "_")


def option_label(value: str) -> Text:
    return OPTIONS.get(value) or {"fr_FR": value, "en_US": value, "de_DE": value}


def _options(code: str) -> dict[str, Text]:
    if code == "brand":
        return {key: {"fr_FR": name, "en_US": name, "de_DE": name} for key, name in BRANDS.items()}
    if code == "certifications":
        return {key: option_label(key.upper().replace("_", " ")) for key in CERTIFICATIONS}
    if code == "origin":
        return {key: OPTIONS[key] for key in ORIGINS}
    values = [value for sold in RANGES for value in sold.dims.get(code, ())]
    return {option_code(value): option_label(value) for value in values}


def _attribute(line: str) -> Attribute:
    code, kind, group, metric_family, unit, french, english, german = line.split("|")
    return Attribute(
        code=code,
        type=f"pim_catalog_{kind}",
        group=group,
        labels={"fr_FR": french, "en_US": english, "de_DE": german},
        localizable=code in {"name", "model_name", "description"},
        scopable=code == "description",
        metric_family=metric_family or None,
        unit=unit or None,
        options=_options(code) if "select" in kind else {},
        table_columns=TABLE_COLUMNS if kind == "table" else (),
    )


def attributes() -> tuple[Attribute, ...]:
    return tuple(_attribute(line) for line in (_COMMON + _DIMENSIONS.lstrip()).strip().splitlines())


def families() -> tuple[Family, ...]:
    grouped: dict[str, list[Range]] = {}
    for sold in RANGES:
        grouped.setdefault(sold.family, []).append(sold)
    common = (*VARIANT_LEVEL, *MODEL_LEVEL)
    return tuple(
        Family(
            code,
            FAMILIES[code],
            tuple(dict.fromkeys((*common, *(dim for sold in members for dim in sold.dims)))),
            members[0].axes,
        )
        for code, members in grouped.items()
    )


def categories() -> tuple[Category, ...]:
    return tuple(
        Category(code, PARENTS.get(code), labels, erp_id)
        for erp_id, (code, labels) in enumerate(CATEGORIES.items(), start=1)
    )
