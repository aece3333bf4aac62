"""The words of the synthetic shop: kinds of products, brands, styles and opinions."""

from __future__ import annotations

from typing import NamedTuple


class ProductType(NamedTuple):
    """One kind of product: its name, a size as a shop prints it, a typical price in dollars, its use."""

    name: str
    size: str
    price: float
    use: str


# Of each hobby: kinds of product in the order in which people buy them.
HOBBIES: dict[str, list[ProductType]] = {
    "Coffee": [
        ProductType(
            "Burr Coffee Grinder", "40 mm Conical Burrs", 89, "grinds beans evenly from espresso to French press"
        ),
        ProductType("Gooseneck Kettle", "1.0 Liter", 54, "pours a slow and steady stream"),
        ProductType("Pour Over Dripper", "Size 02", 24, "brews a clean cup by hand"),
        ProductType("Paper Coffee Filters", "100 Count", 9, "keep fine grounds out of the cup"),
        ProductType("Coffee Scale with Timer", "3 kg", 39, "weighs beans and water to a tenth of a gram"),
        ProductType("Glass Coffee Server", "600 ml", 29, "keeps the brew warm at the table"),
        ProductType("Airtight Coffee Canister", "16 oz", 27, "keeps beans fresh for weeks"),
    ],
    "Camping": [
        ProductType("Backpacking Tent", "2 Person, 3 Season", 159, "pitches in minutes and sheds rain"),
        ProductType("Sleeping Bag", "20 Degree, Regular", 119, "keeps you warm on frosty nights"),
        ProductType("Inflatable Sleeping Pad", "72 x 20 Inches", 59, "insulates from the cold ground"),
        ProductType("Canister Camp Stove", "10,000 BTU", 45, "boils a liter in four minutes"),
        ProductType("Nesting Cookset", "5 Piece", 42, "packs pot, pan and mugs into one bundle"),
        ProductType("Rechargeable Headlamp", "400 Lumens", 32, "lights the trail hands free"),
        ProductType("Squeeze Water Filter", "0.1 Micron", 36, "makes stream water safe to drink"),
    ],
    "Yoga": [
        ProductType("Yoga Mat", "72 Inches, 5 mm", 48, "grips through the sweatiest flow"),
        ProductType("Cork Yoga Blocks", "Set of 2", 22, "bring the floor closer"),
        ProductType("Cotton Yoga Strap", "8 Feet", 12, "deepens every stretch"),
        ProductType("Yoga Bolster", "25 x 12 Inches", 46, "supports restorative poses"),
        ProductType("Mat Cleaner Spray", "8 fl oz", 14, "freshens a mat with tea tree oil"),
        ProductType("Foam Roller", "18 Inches", 26, "loosens tight muscles after practice"),
        ProductType("Meditation Cushion", "Buckwheat Fill", 39, "keeps hips above knees while sitting"),
    ],
    "Drawing": [
        ProductType("Hardbound Sketchbook", "9 x 12 Inches, 110 Sheets", 18, "holds pencil and light washes"),
        ProductType("Graphite Drawing Pencils", "Set of 12, 8B-2H", 16, "shade from silver to deep black"),
        ProductType("Kneaded Erasers", "3 Pack", 6, "lift graphite without crumbs"),
        ProductType("Pigment Fineliner Pens", "Set of 8", 19, "draw crisp waterproof lines"),
        ProductType("Watercolor Pan Set", "24 Colors", 34, "re-wets quickly and glows on paper"),
        ProductType("Round Brush Set", "6 Pieces", 23, "holds a fine point and plenty of water"),
        ProductType("Tabletop Easel", "Beechwood", 37, "tilts for drawing and painting"),
    ],
    "Guitar": [
        ProductType("Acoustic Guitar", "Full Size Dreadnought", 229, "rings with a warm spruce top"),
        ProductType("Clip-On Tuner", "Chromatic", 15, "reads pitch even on a loud stage"),
        ProductType("Phosphor Bronze Strings", "Light, 12-53", 11, "stay bright for months"),
        ProductType("Guitar Capo", "6 String", 17, "clamps cleanly without buzz"),
        ProductType("Padded Gig Bag", "41 Inches", 49, "protects on the way to rehearsal"),
        ProductType("Folding Guitar Stand", "A-Frame", 24, "keeps the instrument within reach"),
        ProductType("Fretboard Care Kit", "4 Pieces", 21, "cleans and conditions rosewood"),
    ],
    "Gardening": [
        ProductType("Seed Starting Tray", "72 Cells", 19, "sprouts seedlings on a windowsill"),
        ProductType("Organic Potting Mix", "8 Quarts", 16, "feeds young roots and drains well"),
        ProductType("Hand Trowel", "Carbon Steel", 18, "digs through clay without bending"),
        ProductType("Bypass Pruning Shears", "8 Inches", 29, "cut green stems cleanly"),
        ProductType("Long Spout Watering Can", "1.5 Gallon", 33, "showers beds gently"),
        ProductType("Tomato Cages", "4 Pack, 48 Inches", 35, "hold heavy vines upright"),
        ProductType("Gardening Gloves", "Medium", 13, "shrug off thorns"),
    ],
    "Cycling": [
        ProductType("Road Bike Helmet", "Adjustable Fit, 54-61 cm", 69, "protects with plenty of air flow"),
        ProductType("Floor Bike Pump", "160 PSI", 44, "fits Presta and Schrader valves"),
        ProductType("LED Bike Light Set", "Front and Rear, USB", 31, "makes you visible from half a mile"),
        ProductType("Water Bottle Cage", "2 Pack", 15, "keeps a bottle put over cobbles"),
        ProductType("Chain Lubricant", "4 fl oz", 10, "quiets a chain for 200 miles"),
        ProductType("Bike Repair Stand", "Folding", 98, "lifts the wheels to working height"),
        ProductType("Handlebar Bag", "2.5 Liter", 38, "keeps snacks and phone at hand"),
    ],
    "Baking": [
        ProductType("Banneton Proofing Basket", "9 Inch Round", 20, "shapes sourdough as it rises"),
        ProductType("Bread Lame", "with 5 Blades", 11, "scores dough with one clean stroke"),
        ProductType("Cast Iron Dutch Oven", "5 Quart", 74, "traps steam for a crackling crust"),
        ProductType("Bench Scraper", "6 Inch", 9, "divides sticky dough"),
        ProductType("Wire Cooling Rack", "12 x 17 Inches", 17, "keeps crusts from going soggy"),
        ProductType("Serrated Bread Knife", "10 Inch", 36, "slices without crushing the crumb"),
        ProductType("Bread Box", "Large", 47, "keeps loaves fresh on the counter"),
    ],
    "Knitting": [
        ProductType("Merino Wool Yarn", "220 Yards, Worsted", 19, "knits up soft and springy"),
        ProductType("Circular Knitting Needles", "US 7, 32 Inches", 14, "glide on a cable that never kinks"),
        ProductType("Locking Stitch Markers", "50 Pieces", 7, "mark every repeat"),
        ProductType("Row Counter Ring", "Digital", 9, "remembers where you stopped"),
        ProductType("Blocking Mats", "9 Pack with T-Pins", 28, "dry lace to its true shape"),
        ProductType("Project Bag", "Drawstring", 25, "carries a work in progress"),
        ProductType("Umbrella Yarn Swift", "Large", 58, "winds hanks without tangles"),
    ],
    "Aquarium": [
        ProductType("Rimless Glass Aquarium", "10 Gallon", 79, "shows a planted scape from every side"),
        ProductType("Sponge Filter", "up to 20 Gallons", 13, "cleans gently enough for shrimp"),
        ProductType("Submersible Heater", "100 Watt", 27, "holds tropical warmth to half a degree"),
        ProductType("Planted Tank Substrate", "8 Liters", 30, "feeds roots for a year"),
        ProductType("Full Spectrum LED Light", "20 Inches", 52, "grows carpets of green"),
        ProductType("Freshwater Test Kit", "800 Tests", 33, "reads pH, ammonia, nitrite and nitrate"),
        ProductType("Gravel Siphon Vacuum", "6 Feet", 16, "changes water without buckets"),
    ],
}

BRANDS = [
    "Alder & Finch", "Northbay", "Kestrel Works", "Holm", "Juniper Lane", "Tidewater", "Brightwell", "O'Dell",
    "Fernhill", "Cobalt Peak", "Marrow & Oak", "Sundby", "Larkspur", "Ironwood", "Pepperell", "Quillon",
    "Basalt", "Wren & Sons", "Halcyon", "Driftline",
]  # fmt: skip
BRANDS_PER_HOBBY = 4

# A style is a family of words: the title shows the first, descriptions and reviews the others.
STYLES: dict[str, tuple[str, str, str]] = {
    "Matte Black": ("modern", "clean dark lines", "Black"),
    "Natural Wood": ("rustic", "warm natural grain", "Walnut"),
    "Pastel": ("playful", "soft pastel tones", "Blush"),
    "Professional": ("pro grade", "built for daily use by professionals", "Steel"),
    "Compact": ("travel friendly", "small enough for a rucksack", "Gray"),
    "Vintage": ("retro", "looks like an heirloom", "Cream"),
}

# Who sells through the shop, each with its share of the items; the first is the shop itself.
SELLERS = {"Hobby Shop": 0.5, "Maple Trading": 0.2, "Second Shelf": 0.15, "Northern Outlet": 0.1, "Tiny Atelier": 0.05}

PRAISE = ["Love it", "Excellent", "Just what I wanted", "Great quality", "Works perfectly"]
NEUTRAL = ["It is okay", "Decent for the price", "Does the job", "Not bad"]
COMPLAINT = ["Disappointed", "Not for me", "Broke too soon", "Would not buy again"]
