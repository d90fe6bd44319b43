"""Names of the 35 industries of the World Input-Output Database, 2013 release (ISIC Rev. 3 / NACE Rev. 1)."""

from __future__ import annotations

from typing import Final

WIOD_INDUSTRIES: Final[dict[str, str]] = {
    "c1": "Agriculture, hunting, forestry and fishing",
    "c2": "Mining and quarrying",
    "c3": "Food, beverages and tobacco",
    "c4": "Textiles and textile products",
    "c5": "Leather and footwear",
    "c6": "Wood and products of wood and cork",
    "c7": "Pulp, paper, printing and publishing",
    "c8": "Coke, refined petroleum and nuclear fuel",
    "c9": "Chemicals and chemical products",
    "c10": "Rubber and plastics",
    "c11": "Other non-metallic minerals",
    "c12": "Basic metals and fabricated metal",
    "c13": "Machinery, not elsewhere classified",
    "c14": "Electrical and optical equipment",
    "c15": "Transport equipment",
    "c16": "Other manufacturing and recycling",
    "c17": "Electricity, gas and water supply",
    "c18": "Construction",
    "c19": "Sale and repair of motor vehicles, retail sale of fuel",
    "c20": "Wholesale trade, except motor vehicles",
    "c21": "Retail trade, except motor vehicles, and repair of household goods",
    "c22": "Hotels and restaurants",
    "c23": "Inland transport",
    "c24": "Water transport",
    "c25": "Air transport",
    "c26": "Other transport services and travel agencies",
    "c27": "Post and telecommunications",
    "c28": "Financial intermediation",
    "c29": "Real estate activities",
    "c30": "Renting of machinery and other business activities",
    "c31": "Public administration, defence and compulsory social security",
    "c32": "Education",
    "c33": "Health and social work",
    "c34": "Other community, social and personal services",
    "c35": "Private households with employed persons",
}
"""Code in the files -> readable name (industry list of Timmer et al. 2015), in the order of the files."""
