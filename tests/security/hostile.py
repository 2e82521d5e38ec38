"""What strangers, broken programs and scanners send: each of it may come with any address and any method."""

from tests.security.wire import FORM, Hostile

PARTS = "multipart/form-data; boundary=b"


def part(disposition: bytes, content: bytes = b"x", more: bytes = b"") -> Hostile:
    head = b"--b\r\nContent-Disposition: form-data; " + disposition + b"\r\n" + more
    return Hostile(body=head + b"\r\n" + content + b"\r\n--b--\r\n", content_type=PARTS)


def form(body: bytes) -> Hostile:
    return Hostile(body=body, content_type=FORM)


QUERIES = {
    name: Hostile(query=query)
    for name, query in {
        "NUL in the query": "q=%00&next=%00",
        "NUL spelled twice": "q=%2500&_changelist_filters=q%3D%2500",
        "half a pair": "q=%ED%A0%80&next=%ED%A0%80&before=%ED%A0%80",
        "no UTF-8": "q=%ff&person=%c3%28&app_label=%ff&model_name=%ff&field_name=%ff",
        "raw letters": "q=\u202e\u0663\U0001f600",
        "long": "q=" + "x" * 8000,
        "many words": "q=" + "+".join("ab" for _word in range(300)),
        "many fields": "&".join(f"x{number}=1" for number in range(300)),
        "no pairs": "=&&==;%;%zz",
        "numbers": "p=99999999999999999999&o=-99999999999.9.x&id=1e400&before=-1&page=9" + "9" * 5000,
        "next that is no URL": "next=http://%5B&operation=%7B&older_than=x&e=1",
        "line break": "next=%0d%0aSet-Cookie:x&process=%0a",
        "popup": "_popup=1&_to_field=password",
    }.items()
}

HEADERS = {
    name: Hostile(headers=headers)
    for name, headers in {
        "HX address in brackets": {"HX-Request": "true", "HX-Current-URL": "http://[", "HX-Target": "<"},
        "HX port": {"HX-Request": "true", "HX-Current-URL": "http://testserver:x/", "HX-Boosted": "x"},
        "HX coded": {
            "HX-Request": "true",
            "HX-Current-URL": "%ED%A0%80%00",
            "HX-Current-URL-URI-AutoEncoded": "true",
            "HX-Prompt": "%ff",
            "HX-Prompt-URI-AutoEncoded": "true",
            "Triggering-Event": "{",
        },
        "language": {"Accept-Language": "en;q=9e999,\xff,*;q=nan,../../x," + "x" * 3000},
        "no host": {"Host": ""},
        "half an address": {"Host": "[::1"},
        "host and letters": {"Host": "testserver:x"},
        "host beyond ASCII": {"Host": "test\xffserver"},
        "referer in brackets": {"Referer": "http://["},
        "referer beyond ASCII": {"Referer": "http://testserver/\xff\xed\xa0\x80?" + "x" * 5000},
        "referer elsewhere": {"Referer": "http://testserver//evil.test/"},
        "origin": {"Origin": "http://["},
        "origin port": {"Origin": "http://testserver:x"},
        "forwarded": {"X-Forwarded-For": "\xff,,x", "X-Forwarded-Host": "[", "X-Forwarded-Proto": "\xff"},
        "no session": {"Cookie": "sessionid=%00; csrftoken=\xff; messages=\xff"},
        "long session": {"Cookie": "sessionid=" + "a" * 9000 + "; =; ;;="},
        "quoted session": {"Cookie": 'sessionid="\\000"; csrftoken="\\777"; messages="\\000"'},
        "browser": {"User-Agent": '\xff\xed\xa0\x80"\\000"' + "x" * 5000},
        "request id": {"X-Request-ID": "{}\xff", "X-Correlation-ID": "\xff"},
        "token": {"X-CSRFToken": "\xff" * 32},
        "method": {"X-HTTP-Method-Override": "DELETE", "X-Requested-With": "XMLHttpRequest"},
        "negative length": {"Content-Length": "-1"},
        "length in letters": {"Content-Length": "ten"},
        "length in superscript": {"Content-Length": "\xb2"},
        "endless length": {"Content-Length": "9" * 5000},
        "length of more than came": {"Content-Length": "50"},
        "range": {"Range": "bytes=9-1", "If-Modified-Since": "x", "If-None-Match": "\xff"},
        "accept": {"Accept": "\xff;q=x", "Accept-Encoding": "\xff", "Authorization": "Basic \xff"},
    }.items()
}

# ``hex`` and ``idna`` are codecs of Python, but no charsets; ``x*=`` is a parameter as RFC 8187 codes it.
CONTENT_TYPES = {
    f"{media_type}; {parameters}"[:60]: Hostile(
        body=b"name=+AAA-&email=%ff", query="q=1", content_type=f"{media_type}; {parameters}"
    )
    for media_type in ("text/html", FORM, "application/json")
    for parameters in (
        "charset=hex",
        "charset=utf-7",
        "charset=utf-16",
        "charset=idna",
        "charset=undefined",
        "charset=\xff",
        "charset*=hex''utf-7",
        "x*=nonsense''%41",
        "x*0*=utf-8''x; x*=a'b",
        "=;;;" + "x=1;" * 500,
    )
}

BODIES = {
    "half a pair in a form": form(b"name=%ED%A0%80&email=%ED%A0%80&login=%ED%A0%80&action=%ED%A0%80"),
    "NUL in a form": form(
        b"name=%00&email=%00&login=%00&password=%00&next=%00&code=%00&role=%00&permission=%00"
    ),
    "no UTF-8 in a form": form(b"\xff\xfe\x00=\xff&name=\xff"),
    "marks in a form": form("name=\u202e&email=\u202e@x.test&login=\u202e&message=\u2066".encode()),
    "numbers in a form": form(b"invitation_max_age_days=9" + b"9" * 5000 + b"&code=1e400&session=-1&id=-1"),
    "long form": form(b"name=" + b"x" * 100_000),
    "many fields in a form": form(b"a=1&" * 400),
    "next in a form": form(b"next=http://%5B&login=a@b.test&password=x&email=a@b.test"),
    "method in a form": form(b"_method=DELETE&_save=1&form-TOTAL_FORMS=x&form-INITIAL_FORMS=-1"),
    "admin's action": form(
        b"action=delete_selected&_selected_action=%00&index=99999999999999999&select_across=x"
    ),
    "mail action": form(b"action_add=&action_primary=&action_send=&email=%ff"),
    "JSON": Hostile(body=b'{"name": "\\ud800", "n": 1e400}', content_type="application/json"),
    "no body": Hostile(content_type=PARTS),
    "half a part": Hostile(body=b"--b\r\n", content_type=PARTS),
    "no boundary": Hostile(body=b"--b", content_type="multipart/form-data"),
    "quote for a boundary": Hostile(body=b"--b", content_type='multipart/form-data; boundary="'),
    "boundary beyond ASCII": Hostile(body=b"--b", content_type="multipart/form-data; boundary=\xff"),
    "coded boundary": Hostile(body=b"--b", content_type="multipart/form-data; boundary*=utf-7''b"),
    "parts of another charset": Hostile(
        body=part(b"name=name", b"+2AA-").body, content_type=f"{PARTS}; charset=utf-7"
    ),
    "part's name in no charset": part(b"name*=hex''name"),
    "part's name in pieces": part(b"name*0*=utf-8''na; name*1=me; name*=a'b"),
    "part's file in no charset": part(b"name=name; filename*=nonsense''x"),
    "part's letters": part(b"name=\xff; filename=\x00", b"\x00\xed\xa0\x80"),
    "part in base64": part(b"name=name", b"!!!", b"Content-Transfer-Encoding: base64\r\n"),
    "part's own charset": part(b"name=name", b"\xff", b"Content-Type: text/plain; charset=hex\r\n"),
    "part's long head": part(b"name=" + b"\xff" * 3000),
}

PIECES = {
    f"{piece[:12]} in the path": Hostile(piece=piece)
    for piece in (
        "%00",
        "a%00b",
        "%2500",
        "_00",
        "a_00b",
        "%ED%A0%80",
        "%ff",
        "\u202e",
        "\u0663",
        "x" * 3000,
        "9" * 40,
        "-1",
        "1",
        "1e400",
        "..",
        "{}",
        "%0d%0aX:1",
        "_",
        "00000000-0000-0000-0000-000000000000",
    )
}

EVERYTHING = {**QUERIES, **HEADERS, **CONTENT_TYPES, **BODIES, **PIECES}
