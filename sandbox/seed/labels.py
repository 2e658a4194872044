"""Words of the catalogue in three languages: options, categories, families, attributes.

A line reads `CODE|français|English|Deutsch`; an option missing here is its own label (M8, 2RS, IP54).
"""

from sandbox.world import Text


def _table(lines: str) -> dict[str, Text]:
    rows = (line.strip().split("|") for line in lines.strip().splitlines())
    return {code: {"fr_FR": fr, "en_US": en, "de_DE": de} for code, fr, en, de in rows}


OPTIONS = _table("""
ZN|acier zingué 8.8|zinc plated steel 8.8|Stahl verzinkt 8.8
A2|inox A2|stainless steel A2|Edelstahl A2
A4|inox A4|stainless steel A4|Edelstahl A4
ZZ|flasques métalliques|metal shields|Metalldeckscheiben
2RS|joints caoutchouc|rubber seals|Gummidichtungen
RED|rouge|red|rot
BLUE|bleu|blue|blau
YELLOW|jaune|yellow|gelb
WHITE|blanc|white|weiß
BLACK|noir|black|schwarz
CLEAR|incolore|clear|klar
SMOKE|fumé|smoke|getönt
JAW|à mâchoires|jaw type|Klauenbauform
BELLOWS|à soufflet|bellows type|Balgbauform
DISC|à disque|disc type|Lamellenbauform
RIGID|rigide|rigid|starr
CHROME|chromée|chrome plated|verchromt
INSULATED|isolée 1000 V|insulated 1000 V|isoliert 1000 V
SQ14|1/4"|1/4"|1/4"
SQ38|3/8"|3/8"|3/8"
SQ12|1/2"|1/2"|1/2"
SLOT|fente|slotted|Schlitz
PH|Phillips|Phillips|Phillips
PZ|Pozidriv|Pozidriv|Pozidriv
TX|Torx|Torx|Torx
COMBI|universelle|combination|Kombi
CUTTER|coupante|side cutting|Seitenschneider
GRIP|étau|locking|Grip
SNAP|circlips|circlip|Sicherungsring
FLAP|à lamelles|flap|Fächer
FIBRE|fibre|fibre|Fiber
VELCRO|auto-agrippant|hook and loop|Klett
NONWOVEN|non tissé|non-woven|Vlies
NITRILE|nitrile|nitrile|Nitril
LATEX|latex|latex|Latex
LEATHER|cuir|leather|Leder
CUT5|anti-coupure|cut resistant|schnittfest
WELDER|soudeur|welding|Schweißer
CHEM|chimie|chemical|Chemie
COLD|froid|cold|Kälteschutz
PRECISION|précision|precision|Präzision
S3HIGH|S3 montantes|S3 high|S3 hoch
S5BOOT|bottes S5|S5 boots|S5 Stiefel
OFFICE|tertiaire|office|Büro
HIVIS|haute visibilité|high visibility|Warnschutz
SOFTSHELL|softshell|softshell|Softshell
RAIN|pluie|rain|Regen
BASIC|standard|basic|Standard
VENT|ventilé|ventilated|belüftet
ELECTRIC|électricien|electrician|Elektriker
CLIMB|travaux en hauteur|work at height|Höhenarbeit
SPORT|sport|sport|Sport
OVER|surlunettes|over-glasses|Überbrille
GOGGLE|masque|goggles|Vollsicht
SLIM|fines|slim|schmal
LASER|laser|laser|Laser
H07VK|H07V-K|H07V-K|H07V-K
H05VK|H05V-K|H05V-K|H05V-K
INDUCTIVE|inductif|inductive|induktiv
CAPACITIVE|capacitif|capacitive|kapazitiv
OPTICAL|optique|optical|optisch
IOLINK|IO-Link|IO-Link|IO-Link
STRAIGHT|droit|straight|gerade
ELBOW|coudé|elbow|Winkel
TEE|en T|tee|T-Form
CROSS|en croix|cross|Kreuz
BULKHEAD|passe-cloison|bulkhead|Schott
MINI|mini ISO 6432|mini ISO 6432|Mini ISO 6432
PROFILE|profilé ISO 15552|profile ISO 15552|Profil ISO 15552
BALL|à boisseau sphérique|ball|Kugelhahn
BUTTERFLY|papillon|butterfly|Klappe
CHECK|anti-retour|check|Rückschlag
GLOBE|à soupape|globe|Geradsitz
CENTRIFUGAL|centrifuge|centrifugal|Kreisel
GEAR|à engrenages|gear|Zahnrad
DIAPHRAGM|à membrane|diaphragm|Membran
VACUUM|à vide|vacuum|Vakuum
ISO32|hydraulique ISO VG 32|hydraulic ISO VG 32|Hydraulik ISO VG 32
ISO46|hydraulique ISO VG 46|hydraulic ISO VG 46|Hydraulik ISO VG 46
ISO68|hydraulique ISO VG 68|hydraulic ISO VG 68|Hydraulik ISO VG 68
ISO100|hydraulique ISO VG 100|hydraulic ISO VG 100|Hydraulik ISO VG 100
GEAR150|engrenages 150|gear 150|Getriebe 150
GEAR220|engrenages 220|gear 220|Getriebe 220
CHAIN|chaînes|chain|Ketten
COMPRESSOR|compresseur|compressor|Kompressor
FOOD|alimentaire H1|food grade H1|Lebensmittel H1
HSSCO|HSS cobalt|HSS cobalt|HSS Kobalt
HM|carbure|solid carbide|Hartmetall
RUTILE|rutile|rutile|Rutil
STAINLESS|inox|stainless|Edelstahl
CASTIRON|fonte|cast iron|Gusseisen
THREADLOCK|frein-filet|threadlocker|Schraubensicherung
INSTANT|cyanoacrylate|instant|Sekundenkleber
EPOXY|époxy|epoxy|Epoxid
SEALANT|mastic|sealant|Dichtmasse
NBR|nitrile NBR|nitrile NBR|Nitril NBR
FKM|Viton FKM|Viton FKM|Viton FKM
FR|France|France|Frankreich
DE|Allemagne|Germany|Deutschland
IT|Italie|Italy|Italien
CZ|Tchéquie|Czechia|Tschechien
CN|Chine|China|China
TW|Taïwan|Taiwan|Taiwan
""")

# CODE@parent|fr|en|de; the tree is three deep below `master`.
_TREE = """
fastening@master|Fixation|Fastening|Befestigung
screws@fastening|Vis|Screws and bolts|Schrauben
hex_screws@screws|Vis à tête hexagonale|Hex head bolts|Sechskantschrauben
socket_screws@screws|Vis six pans creux|Socket screws|Innensechskantschrauben
countersunk_screws@screws|Vis à tête fraisée|Countersunk screws|Senkschrauben
nuts@fastening|Écrous et rondelles|Nuts and washers|Muttern und Scheiben
hex_nuts@nuts|Écrous hexagonaux|Hex nuts|Sechskantmuttern
lock_nuts@nuts|Écrous frein|Lock nuts|Sicherungsmuttern
washers@nuts|Rondelles|Washers|Scheiben
transmission@master|Transmission|Power transmission|Antriebstechnik
guidance@transmission|Guidage|Bearings and guidance|Lagerung
ball_bearings@guidance|Roulements à billes|Ball bearings|Kugellager
bearing_units@guidance|Paliers|Bearing units|Lagereinheiten
belts@transmission|Courroies et poulies|Belts and pulleys|Riementriebe
v_belts@belts|Courroies trapézoïdales|V-belts|Keilriemen
pulleys@belts|Poulies|Pulleys|Riemenscheiben
drives@transmission|Moteurs et accouplements|Motors and couplings|Motoren und Kupplungen
electric_motors@drives|Moteurs électriques|Electric motors|Elektromotoren
couplings@drives|Accouplements|Couplings|Kupplungen
springs@transmission|Ressorts|Springs|Federn
tools@master|Outillage|Tools|Werkzeuge
cutting@tools|Outils coupants|Cutting tools|Zerspanung
drill_bits@cutting|Forets|Drill bits|Bohrer
abrasive_discs@cutting|Abrasifs|Abrasives|Schleifmittel
hand_tools@tools|Outils à main|Hand tools|Handwerkzeuge
wrenches@hand_tools|Clés|Wrenches|Schlüssel
sockets@hand_tools|Douilles|Sockets|Steckschlüssel
screwdrivers@hand_tools|Tournevis|Screwdrivers|Schraubendreher
pliers@hand_tools|Pinces|Pliers|Zangen
ppe@master|Protection individuelle|Personal protection|Arbeitsschutz
hand_foot@ppe|Mains et pieds|Hands and feet|Hände und Füße
gloves@hand_foot|Gants|Gloves|Handschuhe
safety_shoes@hand_foot|Chaussures de sécurité|Safety shoes|Sicherheitsschuhe
head_body@ppe|Tête et corps|Head and body|Kopf und Körper
workwear@head_body|Vêtements de travail|Workwear|Arbeitskleidung
helmets@head_body|Casques|Helmets|Helme
eyewear@head_body|Lunettes|Eyewear|Schutzbrillen
electrical@master|Électricité|Electrical|Elektrotechnik
wiring@electrical|Câblage et protection|Wiring and protection|Verdrahtung und Schutz
cables@wiring|Câbles|Cables|Leitungen
circuit_breakers@wiring|Disjoncteurs|Circuit breakers|Leitungsschutzschalter
automation@electrical|Automatisme|Automation|Automatisierung
contactors@automation|Contacteurs|Contactors|Schütze
sensors@automation|Capteurs|Sensors|Sensoren
fluids@master|Fluides|Fluid technology|Fluidtechnik
pneumatics@fluids|Pneumatique|Pneumatics|Pneumatik
push_fittings@pneumatics|Raccords instantanés|Push-in fittings|Steckverschraubungen
cylinders@pneumatics|Vérins|Cylinders|Zylinder
solenoid_valves@pneumatics|Électrovannes|Solenoid valves|Magnetventile
process@fluids|Pompes et robinetterie|Pumps and valves|Pumpen und Armaturen
process_valves@process|Vannes|Valves|Armaturen
pumps@process|Pompes|Pumps|Pumpen
sealing@fluids|Étanchéité|Sealing|Dichtungstechnik
o_rings@sealing|Joints toriques|O-rings|O-Ringe
workshop@master|Atelier|Workshop|Werkstatt
chemicals@workshop|Chimie|Chemicals|Chemie
oils@chemicals|Huiles|Oils|Öle
adhesives@chemicals|Colles|Adhesives|Klebstoffe
equipment@workshop|Équipement|Equipment|Ausstattung
bins@equipment|Bacs|Storage bins|Lagerkästen
electrodes@equipment|Soudage|Welding|Schweißen
slings@equipment|Levage|Lifting|Heben
clearance@master|Déstockage|Clearance|Abverkauf
"""
_LABELS = _table("\n".join(line.replace("@", "\x00", 1) for line in _TREE.strip().splitlines()))
PARENTS = {key.split("\x00")[0]: key.split("\x00")[1] for key in _LABELS}
CATEGORIES: dict[str, Text] = {
    "master": {"fr_FR": "Catalogue", "en_US": "Catalogue", "de_DE": "Katalog"},
    **{key.split("\x00")[0]: labels for key, labels in _LABELS.items()},
}

FAMILIES = _table("""
screws|Vis|Screws|Schrauben
nuts_washers|Écrous et rondelles|Nuts and washers|Muttern und Scheiben
bearings|Roulements|Bearings|Lager
belts|Courroies|Belts|Riemen
motors|Moteurs|Motors|Motoren
pulleys|Poulies|Pulleys|Riemenscheiben
couplings|Accouplements|Couplings|Kupplungen
drill_bits|Forets|Drill bits|Bohrer
wrenches|Clés et douilles|Wrenches and sockets|Schlüssel
hand_tools|Outils à main|Hand tools|Handwerkzeuge
abrasives|Abrasifs|Abrasives|Schleifmittel
gloves|Gants|Gloves|Handschuhe
shoes|Chaussures|Shoes|Schuhe
clothing|Vêtements|Clothing|Kleidung
helmets|Casques|Helmets|Helme
eyewear|Lunettes|Eyewear|Schutzbrillen
cables|Câbles|Cables|Leitungen
breakers|Disjoncteurs|Circuit breakers|Schutzschalter
contactors|Contacteurs|Contactors|Schütze
sensors|Capteurs|Sensors|Sensoren
fittings|Raccords|Fittings|Verschraubungen
cylinders|Vérins|Cylinders|Zylinder
valves|Vannes|Valves|Ventile
pumps|Pompes|Pumps|Pumpen
oils|Huiles|Oils|Öle
seals|Joints|Seals|Dichtungen
springs|Ressorts|Springs|Federn
storage|Rangement|Storage|Lagerung
welding|Soudage|Welding|Schweißen
adhesives|Colles|Adhesives|Klebstoffe
lifting|Levage|Lifting|Heben
""")
