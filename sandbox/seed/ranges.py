"""What the company sells: product ranges, each a grid of dimensions that yields its products.

A range with `axes` yields one model per combination of its other dimensions, and variants of it.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Names(NamedTuple):
    fr: str
    en: str
    de: str


@dataclass(frozen=True, slots=True)
class Range:
    """`sku`, `model` and `names` are patterns over the dimensions; prices grow along the grid."""

    family: str
    category: str
    sku: str
    names: Names
    dims: dict[str, tuple[str, ...]]
    price: float
    growth: float = 0.12
    model: str = ""
    axes: tuple[str, ...] = ()
    submodel: str = ""
    "A second level of models, by the first axis."
    norm: str = ""
    unit: str = "Units"
    weight: float = 0.1
    "Kilograms of the smallest product."
    lead_time_days: int = 3
    made_to_order: bool = False


def _grid(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_THREADS = _grid("M5 M6 M8 M10 M12")
_NUT_THREADS = _grid("M3 M4 M5 M6 M8 M10 M12 M16 M20")
_LENGTHS = _grid("16 20 30 40 50 60 80")
_FINISHES = _grid("ZN A2 A4")
_BORES = _grid("10 12 15 17 20 25 30 40 50")
_COLORS = _grid("RED BLUE YELLOW WHITE BLACK")
_POWERS = _grid("0.18 0.37 0.55 0.75 1.1 1.5 2.2 4 5.5 7.5")
_SIZES = _grid("S M L XL XXL")
_PORTS = _grid("G1/8 G1/4 G3/8 G1/2")


def _screw(prefix: str, category: str, norm: str, names: Names) -> Range:
    return Range(
        "screws", category, prefix + "-{thread}X{length}-{finish}", names,
        {"thread": _THREADS, "length": _LENGTHS, "finish": _FINISHES},
        price=0.18, growth=0.22, model=prefix + "-{finish}", axes=("thread", "length"),
        norm=norm, weight=0.004,
    )  # fmt: skip


def _nut(prefix: str, category: str, norm: str, names: Names) -> Range:
    return Range(
        "nuts_washers", category, prefix + "-{thread}-{finish}", names,
        {"thread": _NUT_THREADS, "finish": _FINISHES},
        price=0.05, growth=0.2, model=prefix + "-{finish}", axes=("thread",),
        norm=norm, weight=0.002,
    )  # fmt: skip


FASTENERS = (
    _screw("VIS-HEX", "hex_screws", "DIN 933", Names(
        "Vis à tête hexagonale {thread}x{length} {finish}",
        "Hex head bolt {thread}x{length} {finish}",
        "Sechskantschraube {thread}x{length} {finish}")),
    _screw("VIS-CHC", "socket_screws", "DIN 912", Names(
        "Vis à tête cylindrique six pans creux {thread}x{length} {finish}",
        "Socket head cap screw {thread}x{length} {finish}",
        "Zylinderschraube mit Innensechskant {thread}x{length} {finish}")),
    _screw("VIS-FHC", "countersunk_screws", "DIN 7991", Names(
        "Vis à tête fraisée {thread}x{length} {finish}",
        "Countersunk screw {thread}x{length} {finish}",
        "Senkschraube {thread}x{length} {finish}")),
    _nut("ECR-HEX", "hex_nuts", "DIN 934", Names(
        "Écrou hexagonal {thread} {finish}", "Hex nut {thread} {finish}",
        "Sechskantmutter {thread} {finish}")),
    _nut("ECR-FRN", "lock_nuts", "DIN 985", Names(
        "Écrou frein {thread} {finish}", "Lock nut {thread} {finish}",
        "Sicherungsmutter {thread} {finish}")),
    _nut("RON-PLA", "washers", "DIN 125", Names(
        "Rondelle plate {thread} {finish}", "Flat washer {thread} {finish}",
        "Unterlegscheibe {thread} {finish}")),
    _nut("RON-GRO", "washers", "DIN 127", Names(
        "Rondelle élastique {thread} {finish}", "Spring washer {thread} {finish}",
        "Federring {thread} {finish}")),
)  # fmt: skip

DRIVES = (
    Range("bearings", "ball_bearings", "ROUL-{series}-{bore}-{seal}", Names(
        "Roulement à billes série {series}, alésage {bore} mm, {seal}",
        "Ball bearing series {series}, bore {bore} mm, {seal}",
        "Kugellager Reihe {series}, Bohrung {bore} mm, {seal}"),
        {"series": _grid("60 62 63"), "bore": _BORES, "seal": _grid("ZZ 2RS")},
        price=3.2, model="ROUL-{series}-{seal}", axes=("bore",), norm="ISO 15", weight=0.02),
    Range("bearings", "bearing_units", "PAL-{series}-{bore}", Names(
        "Palier à semelle {series}, alésage {bore} mm", "Pillow block unit {series}, bore {bore} mm",
        "Stehlager {series}, Bohrung {bore} mm"),
        {"series": _grid("UCP UCF"), "bore": _grid("20 25 30 35 40 50 60")},
        price=11.5, model="PAL-{series}", axes=("bore",), norm="ISO 3228", weight=0.7),
    Range("belts", "v_belts", "COUR-{profile}-{length}", Names(
        "Courroie trapézoïdale {profile} {length} mm", "V-belt {profile} {length} mm",
        "Keilriemen {profile} {length} mm"),
        {"profile": _grid("SPZ SPA SPB"), "length": tuple(str(n) for n in range(800, 2300, 100))},
        price=6.4, growth=0.06, model="COUR-{profile}", axes=("length",), norm="ISO 4184",
        weight=0.08),
    Range("motors", "electric_motors", "MOT-{poles}P-{power}KW", Names(
        "Moteur asynchrone triphasé {power} kW, {poles} pôles",
        "Three-phase motor {power} kW, {poles} poles",
        "Drehstrommotor {power} kW, {poles}-polig"),
        {"poles": _grid("2 4 6"), "power": _POWERS}, price=96.0, growth=0.25, model="MOT-{poles}P",
        axes=("power",), norm="IEC 60034", weight=4.5, lead_time_days=10, made_to_order=True),
    Range("pulleys", "pulleys", "POUL-{profile}-{diameter}X{grooves}", Names(
        "Poulie {profile} Ø{diameter} mm, {grooves} gorges",
        "Pulley {profile} Ø{diameter} mm, {grooves} grooves",
        "Keilriemenscheibe {profile} Ø{diameter} mm, {grooves} Rillen"),
        {"profile": _grid("SPZ SPA SPB"), "grooves": _grid("1 2 3"),
         "diameter": _grid("63 71 80 90 100 112 125 140 160 180")},
        price=9.8, weight=0.4, lead_time_days=5),
    Range("couplings", "couplings", "ACC-{design}-{bore}", Names(
        "Accouplement {design}, alésage {bore} mm", "Coupling, {design}, bore {bore} mm",
        "Kupplung, {design}, Bohrung {bore} mm"),
        {"design": _grid("JAW BELLOWS DISC RIGID"),
         "bore": _grid("6 8 10 12 14 16 20 25 30 40")},
        price=14.2, weight=0.15, lead_time_days=7),
)  # fmt: skip

TOOLS = (
    Range("drill_bits", "drill_bits", "FORET-{grade}-{diameter}", Names(
        "Foret {grade} Ø{diameter} mm", "Drill bit {grade} Ø{diameter} mm",
        "Spiralbohrer {grade} Ø{diameter} mm"),
        {"grade": _grid("HSS HSSCO HM"),
         "diameter": _grid("1 1.5 2 2.5 3 3.3 3.5 4 4.2 4.5 5 5.5 6 6.5 6.8 7 8 8.5 10 12")},
        price=0.9, growth=0.14, model="FORET-{grade}", axes=("diameter",), norm="DIN 338",
        weight=0.01),
    Range("wrenches", "wrenches", "CLE-{design}-{width}", Names(
        "Clé mixte {width} mm, {design}", "Combination wrench {width} mm, {design}",
        "Ring-Maulschlüssel {width} mm, {design}"),
        {"design": _grid("CHROME INSULATED"),
         "width": _grid("6 7 8 9 10 11 12 13 14 15 16 17 18 19 21 22 24 27 30 32")},
        price=3.1, growth=0.1, model="CLE-{design}", axes=("width",), norm="DIN 3113", weight=0.05),
    Range("wrenches", "sockets", "DOU-{design}-{width}", Names(
        "Douille carré {design}, {width} mm", "Socket {design} drive, {width} mm",
        "Steckschlüsseleinsatz {design}, {width} mm"),
        {"design": _grid("SQ14 SQ38 SQ12"), "width": _grid("8 9 10 11 12 13 14 17 19 22")},
        price=2.2, model="DOU-{design}", axes=("width",), norm="DIN 3124", weight=0.04),
    Range("hand_tools", "screwdrivers", "TOURN-{design}-{length}", Names(
        "Tournevis {design}, lame {length} mm", "Screwdriver {design}, blade {length} mm",
        "Schraubendreher {design}, Klinge {length} mm"),
        {"design": _grid("SLOT PH PZ TX"), "length": _grid("50 75 100 125 150 200")},
        price=3.9, weight=0.06),
    Range("hand_tools", "pliers", "PINCE-{design}-{length}", Names(
        "Pince {design} {length} mm", "Pliers, {design}, {length} mm", "Zange, {design}, {length} mm"),
        {"design": _grid("COMBI CUTTER GRIP SNAP"), "length": _grid("140 160 180 250")},
        price=12.9, weight=0.22),
    Range("abrasives", "abrasive_discs", "DISQ-{design}-P{grit}", Names(
        "Disque abrasif {design}, grain {grit}", "Abrasive disc, {design}, grit {grit}",
        "Schleifscheibe, {design}, Körnung {grit}"),
        {"design": _grid("FLAP FIBRE VELCRO NONWOVEN"), "grit": _grid("40 60 80 120 180 240")},
        price=1.15, growth=0.05, model="DISQ-{design}", axes=("grit",), norm="EN 13743",
        weight=0.05, unit="Box"),
)  # fmt: skip

PROTECTION = (
    Range("gloves", "gloves", "GANT-{design}-{size}", Names(
        "Gants de protection {design}, taille {size}", "Safety gloves, {design}, size {size}",
        "Schutzhandschuhe, {design}, Größe {size}"),
        {"design": _grid("NITRILE LATEX LEATHER CUT5 WELDER CHEM COLD PRECISION"),
         "size": _SIZES},
        price=2.4, growth=0.03, model="GANT-{design}", axes=("size",), norm="EN 388", weight=0.08),
    Range("shoes", "safety_shoes", "CHAUS-{design}-{shoe_size}", Names(
        "Chaussures de sécurité {design}, pointure {shoe_size}",
        "Safety shoes, {design}, size {shoe_size}",
        "Sicherheitsschuhe, {design}, Größe {shoe_size}"),
        {"design": _grid("S1P S2 S3 S3HIGH S5BOOT OFFICE"),
         "shoe_size": tuple(str(n) for n in range(38, 48))},
        price=44.0, growth=0.02, model="CHAUS-{design}", axes=("shoe_size",), norm="EN ISO 20345",
        weight=1.1),
    Range("clothing", "workwear", "VESTE-{design}-{color}-{size}", Names(
        "Veste de travail {design}, {color}, taille {size}",
        "Work jacket, {design}, {color}, size {size}",
        "Arbeitsjacke, {design}, {color}, Größe {size}"),
        {"design": _grid("HIVIS SOFTSHELL RAIN"), "color": _grid("YELLOW BLUE RED BLACK"),
         "size": _SIZES},
        price=39.0, growth=0.02, model="VESTE-{design}", axes=("color", "size"),
        submodel="VESTE-{design}-{color}",
        norm="EN ISO 20471", weight=0.6),
    Range("helmets", "helmets", "CASQ-{design}-{color}", Names(
        "Casque de chantier {design}, {color}", "Safety helmet, {design}, {color}",
        "Schutzhelm, {design}, {color}"),
        {"design": _grid("BASIC VENT ELECTRIC CLIMB"), "color": _COLORS},
        price=9.5, norm="EN 397", weight=0.4),
    Range("eyewear", "eyewear", "LUN-{design}-{tint}", Names(
        "Lunettes de protection {design}, {tint}", "Safety glasses, {design}, {tint}",
        "Schutzbrille, {design}, {tint}"),
        {"design": _grid("SPORT OVER GOGGLE SLIM LASER"), "tint": _grid("CLEAR SMOKE")},
        price=5.9, norm="EN 166", weight=0.05),
)  # fmt: skip

ELECTRICAL = (
    Range("cables", "cables", "CAB-{design}-{section}-{color}", Names(
        "Câble {design} {section} mm², {color}", "Cable {design} {section} mm², {color}",
        "Leitung {design} {section} mm², {color}"),
        {"design": _grid("H07VK H05VK"), "section": _grid("0.75 1 1.5 2.5 4 6"),
         "color": _COLORS},
        price=0.42, growth=0.15, model="CAB-{design}", axes=("section", "color"), norm="EN 50525",
        unit="m", weight=0.02),
    Range("breakers", "circuit_breakers", "DISJ-{curve}-{poles}P-{rating}A", Names(
        "Disjoncteur {rating} A courbe {curve}, {poles} pôles",
        "Circuit breaker {rating} A curve {curve}, {poles} poles",
        "Leitungsschutzschalter {rating} A Kurve {curve}, {poles}-polig"),
        {"curve": _grid("B C"), "poles": _grid("1 2 3"),
         "rating": _grid("6 10 16 20 25 32 40 63")},
        price=7.6, model="DISJ-{curve}", axes=("poles", "rating"), norm="EN 60898", weight=0.12),
    Range("contactors", "contactors", "CONT-{rating}A-{voltage}V", Names(
        "Contacteur {rating} A, bobine {voltage} V", "Contactor {rating} A, coil {voltage} V",
        "Schütz {rating} A, Spule {voltage} V"),
        {"rating": _grid("9 12 18 25 32 40 65 80"), "voltage": _grid("24 48 110 230")},
        price=18.5, norm="IEC 60947", weight=0.35),
    Range("sensors", "sensors", "CAPT-{design}-{reach}-{output}", Names(
        "Capteur {design}, portée {reach} mm, sortie {output}",
        "Sensor, {design}, range {reach} mm, {output} output",
        "Sensor, {design}, Reichweite {reach} mm, Ausgang {output}"),
        {"design": _grid("INDUCTIVE CAPACITIVE OPTICAL"), "reach": _grid("2 4 8 15 30"),
         "output": _grid("PNP NPN NAMUR IOLINK")},
        price=21.0, norm="EN 60947-5-2", weight=0.06, lead_time_days=6),
)  # fmt: skip

FLUIDS = (
    Range("fittings", "push_fittings", "RAC-{design}-{tube}-{port}", Names(
        "Raccord instantané {design}, tube {tube} mm, {port}",
        "Push-in fitting, {design}, tube {tube} mm, {port}",
        "Steckverschraubung, {design}, Schlauch {tube} mm, {port}"),
        {"design": _grid("STRAIGHT ELBOW TEE CROSS BULKHEAD"), "tube": _grid("4 6 8 10"),
         "port": _PORTS},
        price=1.35, model="RAC-{design}", axes=("tube", "port"), weight=0.02),
    Range("cylinders", "cylinders", "VER-{series}-{bore}X{stroke}", Names(
        "Vérin pneumatique {series} Ø{bore}, course {stroke} mm",
        "Pneumatic cylinder {series} Ø{bore}, stroke {stroke} mm",
        "Pneumatikzylinder {series} Ø{bore}, Hub {stroke} mm"),
        {"series": _grid("MINI PROFILE"), "bore": _grid("20 25 32 40 50 63"),
         "stroke": _grid("25 50 80 100 125 160 200 250")},
        price=27.0, model="VER-{series}", axes=("bore", "stroke"), norm="ISO 15552", weight=0.3,
        lead_time_days=8),
    Range("valves", "process_valves", "VANNE-{design}-DN{dn}", Names(
        "Vanne {design} DN{dn}", "Valve, {design}, DN{dn}", "Armatur, {design}, DN{dn}"),
        {"design": _grid("BALL BUTTERFLY CHECK GLOBE"),
         "dn": _grid("8 10 15 20 25 32 40 50 65 80")},
        price=13.4, norm="EN 12266", weight=0.3),
    Range("valves", "solenoid_valves", "EV-{voltage}V-{port}", Names(
        "Électrovanne {voltage} V, {port}", "Solenoid valve {voltage} V, {port}",
        "Magnetventil {voltage} V, {port}"),
        {"voltage": _grid("12 24 48 110 230"), "port": _PORTS}, price=31.0, weight=0.28),
    Range("pumps", "pumps", "POMPE-{design}-{power}KW", Names(
        "Pompe {design} {power} kW", "Pump, {design}, {power} kW", "Pumpe, {design}, {power} kW"),
        {"design": _grid("CENTRIFUGAL GEAR DIAPHRAGM VACUUM"), "power": _POWERS},
        price=188.0, growth=0.2, norm="ISO 5199", weight=8.0, lead_time_days=15,
        made_to_order=True),
    Range("oils", "oils", "HUILE-{grade}-{volume}L", Names(
        "Huile {grade}, {volume} L", "Oil {grade}, {volume} L", "Öl {grade}, {volume} L"),
        {"grade": _grid("ISO32 ISO46 ISO68 ISO100 GEAR150 GEAR220 CHAIN COMPRESSOR FOOD"),
         "volume": _grid("1 5 20 60")},
        price=8.2, growth=0.3, model="HUILE-{grade}", axes=("volume",), norm="DIN 51524",
        weight=0.9),
)  # fmt: skip

SUPPLIES = (
    Range("seals", "o_rings", "JT-{inner}X{cross}-{material}", Names(
        "Joint torique {inner}x{cross} {material}", "O-ring {inner}x{cross} {material}",
        "O-Ring {inner}x{cross} {material}"),
        {"inner": tuple(str(n) for n in range(5, 105, 5)), "cross": _grid("1.5 2 2.5 3 4"),
         "material": _grid("NBR FKM")},
        price=0.12, growth=0.16, norm="ISO 3601", weight=0.001),
    Range("springs", "springs", "RES-{wire}-{outer}-{length}", Names(
        "Ressort de compression fil {wire}, Ø{outer}, L{length}",
        "Compression spring wire {wire}, Ø{outer}, L{length}",
        "Druckfeder Draht {wire}, Ø{outer}, L{length}"),
        {"wire": _grid("0.8 1 1.2 1.6 2"), "outer": _grid("8 10 12 16"),
         "length": _grid("15 20 30 40 50 60")},
        price=0.65, norm="EN 15800", weight=0.005),
    Range("storage", "bins", "BAC-{volume}L-{color}", Names(
        "Bac à bec {volume} L, {color}", "Storage bin {volume} L, {color}",
        "Sichtlagerkasten {volume} L, {color}"),
        {"volume": _grid("1 3 8 14 24 40"), "color": _grid("BLUE RED YELLOW BLACK")},
        price=1.8, growth=0.3, weight=0.2),
    Range("welding", "electrodes", "ELEC-{grade}-{diameter}", Names(
        "Électrode de soudage {grade} Ø{diameter} mm", "Welding electrode {grade} Ø{diameter} mm",
        "Schweißelektrode {grade} Ø{diameter} mm"),
        {"grade": _grid("RUTILE BASIC STAINLESS CASTIRON"),
         "diameter": _grid("1.6 2 2.5 3.2 4 5")},
        price=11.0, norm="EN ISO 2560", unit="kg", weight=1.0),
    Range("adhesives", "adhesives", "COL-{design}-{volume}ML", Names(
        "Colle {design}, {volume} ml", "Adhesive, {design}, {volume} ml",
        "Klebstoff, {design}, {volume} ml"),
        {"design": _grid("THREADLOCK INSTANT EPOXY SEALANT"), "volume": _grid("10 20 50 100 250")},
        price=4.6, growth=0.35, weight=0.03),
    Range("lifting", "slings", "ELIN-{load}T-{length}", Names(
        "Élingue textile {load} t, {length} m", "Textile sling {load} t, {length} m",
        "Hebeband {load} t, {length} m"),
        {"load": _grid("1 2 3 5"), "length": _grid("1 2 3 4 6")},
        price=7.9, growth=0.22, norm="EN 1492", weight=0.4),
)  # fmt: skip

RANGES = (*FASTENERS, *DRIVES, *TOOLS, *PROTECTION, *ELECTRICAL, *FLUIDS, *SUPPLIES)
