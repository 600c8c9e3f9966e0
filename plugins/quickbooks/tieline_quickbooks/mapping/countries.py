"""Countries in two letters: Intuit has written ISO 3166 in three since October 2025, and two or a name before.

https://blogs.intuit.com/2025/08/13/upcoming-changes-to-the-accounting-api
"""

from __future__ import annotations

_PAIRS = (
    "ARE:AE ARG:AR AUS:AU AUT:AT BEL:BE BGR:BG BHR:BH BRA:BR CAN:CA CHE:CH CHL:CL CHN:CN COL:CO CYP:CY CZE:CZ "
    "DEU:DE DNK:DK EGY:EG ESP:ES EST:EE FIN:FI FRA:FR GBR:GB GGY:GG GHA:GH GRC:GR HKG:HK HRV:HR HUN:HU IDN:ID "
    "IMN:IM IND:IN IRL:IE ISL:IS ISR:IL ITA:IT JAM:JM JEY:JE JPN:JP KEN:KE KOR:KR KWT:KW LKA:LK LTU:LT LUX:LU "
    "LVA:LV MAR:MA MEX:MX MLT:MT MUS:MU MYS:MY NAM:NA NGA:NG NLD:NL NOR:NO NZL:NZ OMN:OM PAK:PK PER:PE PHL:PH "
    "POL:PL PRI:PR PRT:PT QAT:QA ROU:RO SAU:SA SGP:SG SVK:SK SVN:SI SWE:SE THA:TH TTO:TT TUR:TR TWN:TW TZA:TZ "
    "UGA:UG UKR:UA URY:UY USA:US VNM:VN ZAF:ZA ZMB:ZM ZWE:ZW"
)
_BY_THREE = dict(pair.split(":") for pair in _PAIRS.split())
_TWO_LETTERS = 2


def alpha_2(country: str | None) -> str | None:
    """None for what is neither two letters nor three that are known here."""
    word = (country or "").upper()
    if len(word) == _TWO_LETTERS and word.isascii() and word.isalpha():
        return word
    return _BY_THREE.get(word)
