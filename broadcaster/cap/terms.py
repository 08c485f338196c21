"""Words and names that our CAP messages use, fixed here because a message's bytes never change.

Add to these; a changed word would change messages that went out long ago.
"""

from schemas.content import HOTLINE, Mode

SCHEME = "VN-ADMIN-"
"""valueName of a geocode: the scheme, then the edition of the area register its codes belong to."""
EVENT_SCHEME = "VN-HANOI-CATEGORY"
"""valueName of an eventCode: our category's code."""
RISK_PARAMETER = "VN-DISASTER-RISK-LEVEL"
"""valueName of a parameter: the level of natural-disaster risk, 1 to 5 (Decision 18/2021/QĐ-TTg)."""
CONTACT = HOTLINE
"""Where the alert names nobody."""
LANGUAGES = {"vi": "vi-VN", "en": "en-US"}
"""Tags that ours are written out as; any other stands as it is."""
STATUS = {Mode.ACTUAL: "Actual", Mode.EXERCISE: "Exercise", Mode.TEST: "Test"}
NOTES = {
    Mode.ACTUAL: "",
    Mode.EXERCISE: "Đây là diễn tập, không phải tình huống thật.",
    Mode.TEST: "Đây là tin thử nghiệm kỹ thuật.",
}
CANCELLED = {"vi": "Hủy: ", "en": "Cancelled: "}
REASON = {"vi": "", "en": "This alert was withdrawn. Reason, in Vietnamese: "}

EVENTS = {
    "bao": "Tropical cyclone",
    "mua_lon": "Heavy rain",
    "lu_song": "River flood",
    "ngap_ung": "Urban flooding",
    "giong_loc": "Thunderstorm",
    "nang_nong": "Heat wave",
    "ret_hai": "Severe cold",
    "sat_lo": "Landslide",
    "dong_dat": "Earthquake",
    "chay_no": "Fire and explosion",
    "chay_rung": "Forest fire danger",
    "an_ninh": "Public security",
    "lua_dao": "Online fraud",
    "de_dieu": "Dyke safety",
    "dich_benh": "Disease outbreak",
    "atvstp": "Food safety",
    "tiem_chung": "Vaccination",
    "dich_vat_nuoi": "Animal disease",
    "khong_khi": "Air quality",
    "moi_truong": "Environmental sanitation",
    "giao_thong": "Traffic",
    "van_tai": "Public transport",
    "mat_dien": "Power outage",
    "mat_nuoc": "Water outage",
    "vien_thong": "Telecommunications failure",
    "cay_xanh": "Fallen trees",
    "giao_duc": "Education",
    "dat_dai": "Land and construction",
    "an_sinh": "Social welfare",
    "hanh_chinh": "Public administration",
    "van_hoa": "Culture and sport",
    "tuyen_truyen": "Public information",
}
"""Our categories in English; the register of categories names them in Vietnamese."""
