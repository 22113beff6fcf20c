"""Words that are the form's own, the same on everybody's paper, and so may be seen by everybody. Pure."""

import unicodedata

TITLES = frozenset(
    {
        "住民票",
        "住民票の写し",
        "住民票記載事項証明書",
        "印鑑登録証明書",
        "戸籍全部事項証明書",
        "戸籍個人事項証明書",
        "戸籍の附票の写し",
        "所得・課税証明書",
        "所得証明書",
        "課税証明書",
        "納税証明書",
    }
)
LABELS = frozenset(
    {
        "住所",
        "氏名",
        "フリガナ",
        "生年月日",
        "性別",
        "続柄",
        "住民となった日",
        "本籍",
        "筆頭者",
        "個人番号",
        "備考",
        "登録番号",
        "戸籍事項",
        "改製日",
        "改製事由",
        "記録されている者",
        "名",
        "身分事項",
        "出生日",
        "出生地",
        "届出日",
        "届出人",
        "年度",
        "合計所得金額",
        "市民税",
        "県民税",
        "年税額",
        "以下余白",
        "複写",
        "見本",
    }
)
"""What may be somebody's data elsewhere on a certificate, such as 世帯主 and 出生, is none of them."""
FORM_WORDS = TITLES | LABELS


def is_form(text: str) -> bool:
    """Whether each word of a text is one of `FORM_WORDS`."""
    words = unicodedata.normalize("NFKC", text).split()
    return bool(words) and FORM_WORDS.issuperset(words)
