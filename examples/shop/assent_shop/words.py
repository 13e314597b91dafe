"""Words the sample shop is made of. People, streets and towns are invented."""

from __future__ import annotations

FIRST_NAMES = (
    "Ada", "Bruno", "Clara", "Dario", "Edda", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kamala", "Leo", "Mira",
    "Nils", "Olga", "Pablo", "Quinn", "Rosa", "Samir", "Tilda", "Umar", "Vera", "Wanda", "Yara",
)  # fmt: skip

LAST_NAMES = (
    "Alder", "Birch", "Castellan", "Dunmore", "Eastwick", "Fennimore", "Garrow", "Hollis", "Ivers", "Kestrel",
    "Larkin", "Moss", "Norwood", "Ostrander", "Pell", "Quillon", "Rook", "Sorrel", "Thorne", "Vance",
)  # fmt: skip

STREETS = (
    "Mill Lane", "Harbour Street", "Orchard Road", "Linden Avenue", "Station Road", "Chapel Hill", "Quarry Road",
    "Market Square", "Willow Walk", "Foundry Street",
)  # fmt: skip

TOWNS = (
    ("Elmswick", "OR", "970"),
    ("Fairhollow", "VT", "054"),
    ("Port Amber", "WA", "981"),
    ("Graystone", "CO", "803"),
    ("Lakemere", "MN", "551"),
    ("Stonebridge", "PA", "190"),
    ("Windrush", "TX", "787"),
    ("Oakharbor", "MI", "490"),
)

_COLOURS = ("black", "red", "navy")
_SIZES = ("S", "M", "L")

PRODUCTS: tuple[tuple[str, float, dict[str, tuple[str, ...]]], ...] = (
    ("Rain Jacket", 89, {"colour": _COLOURS, "size": _SIZES}),
    ("Wool Sweater", 64, {"colour": ("grey", "green"), "size": _SIZES}),
    ("Linen Shirt", 42, {"colour": ("white", "blue"), "size": _SIZES}),
    ("Trail Shoes", 110, {"size": ("39", "41", "43"), "sole": ("soft", "firm")}),
    ("Walking Boots", 139, {"size": ("39", "41", "43")}),
    ("Cotton Socks", 9, {"colour": _COLOURS}),
    ("Day Backpack", 75, {"capacity": ("18 litres", "26 litres"), "colour": ("black", "olive")}),
    ("Travel Bag", 98, {"capacity": ("35 litres", "50 litres")}),
    ("Camping Tent", 249, {"people": ("two", "four")}),
    ("Sleeping Bag", 119, {"warmth": ("summer", "three seasons", "winter")}),
    ("Head Torch", 35, {"light": ("200 lumen", "400 lumen")}),
    ("Steel Bottle", 24, {"capacity": ("500 ml", "750 ml"), "colour": ("steel", "red")}),
    ("Coffee Grinder", 58, {"drive": ("hand", "electric")}),
    ("Tea Kettle", 46, {"capacity": ("1 litre", "2 litres"), "colour": ("white", "black")}),
    ("Cast Iron Pan", 55, {"width": ("20 cm", "26 cm", "30 cm")}),
    ("Chef Knife", 79, {"blade": ("16 cm", "20 cm")}),
    ("Cutting Board", 29, {"wood": ("oak", "walnut")}),
    ("Desk Lamp", 49, {"colour": ("white", "black", "brass")}),
    ("Office Chair", 289, {"back": ("low", "high"), "cover": ("fabric", "leather")}),
    ("Standing Desk", 420, {"width": ("120 cm", "140 cm", "160 cm")}),
    ("Wireless Mouse", 32, {"colour": ("black", "white")}),
    ("Mechanical Keyboard", 95, {"switches": ("quiet", "clicky"), "layout": ("full size", "compact")}),
    ("Headphones", 159, {"fit": ("on ear", "over ear"), "colour": ("black", "sand")}),
    ("Bluetooth Speaker", 69, {"colour": ("blue", "grey")}),
    ("Notebook Set", 16, {"paper": ("lined", "dotted", "plain")}),
)
