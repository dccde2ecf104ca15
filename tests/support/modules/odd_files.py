"""Named snmp.yml files, good, odd and bad: PromSNMP and snmp_exporter should load the same ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

AUTHS = "auths:\n  public_v2: {version: 2, community: public}\n"
MODULES = "modules:\n  m:\n    walk: [1.3.6.1.2.1.2]\n    metrics: []\n"
BASE = f"""{AUTHS}modules:
  m:
    walk: [1.3.6.1.2.1.2]
    metrics:
    - name: a
      oid: 1.3.6.1.2.1.2.2.1.10
      type: counter
      help: h
      indexes: [{{labelname: i, type: gauge}}]
"""


def _module(*lines: str) -> str:
    return f"{AUTHS}modules:\n  m:\n" + "".join(f"    {line}\n" for line in lines)


def _metrics(written: str) -> str:
    return _module("walk: [1.3.6.1.2.1.2]", f"metrics: [{written}]")


def _metric(written: str) -> str:
    """A metric with further keys."""
    indexes = "" if "indexes:" in written else ", indexes: [{labelname: i, type: gauge}]"
    return _metrics(f"{{name: a, oid: 1.3.6.1.2, type: gauge, help: h{indexes}, {written}}}")


def _auth(written: str) -> str:
    return f"auths:\n  x: {written}\n{MODULES}"


def _each(kind: str, template: str, values: Sequence[str]) -> Iterator[tuple[str, str]]:
    for value in values:
        name = value if len(value) < 150 else f"{value[:15]} ({len(value)})"
        yield f"{kind} {name}", template.replace("@", value)


_NUMBERS = (
    *("25", "0", "300", "-1", "abc", "2.5", "4294967295", "4294967296", "'25'", "null", "", "0x10", "1e2", "true"),
    *("1_000", "010", "0o10", "0b11", "+5", "08", ".5", "5.", "1:30", "99999999999999999999", "[1]", "!!int '5'"),
)
_DURATIONS = (
    *("5s", "5", "0", "0s", "-5s", "500ms", "1m30s", "1h", "1.5s", "abc", "null", "'5 s'", "5d", "999999h", "''"),
    *("+5s", "5us", "100ns", "1e3", "' 5s'", "'5'", "[5s]"),
)
_FLAGS = ("true", "yes", "on", "1", "y", "null", "maybe", "'true'", "True", "TRUE", "n", "Y", "tRUE", "off", "No")
_OIDS = (
    *("1.3.6.1", ".1.3.6.1", "1.3", "1.10", "'1'", "ifTable", "1.3.6.1.", "''", "'.'", "null", "{a: b}"),
    *("1.3.6.99999999999", "1.50.3", "2.100.3", "1.3.-1", "' 1.3.6 '", "sysUpTime.0"),
)
_SCALES = (
    *("10", "0.5", "abc", "null", ".inf", ".nan", "-1", "1e3", "'5'", "0x10", "1_000", "0", "1e999", "+1", ".5"),
    *("1:30", "!!float 5", "010"),
)
_TEXTS = ("5", "yes", "", "null", "2024-01-01", "[x]", "{a: b}", "1.10", "'x'", "!!str 5", "!!int '5'", "!foo h")
_ENUMS = (
    *("{1: a}", "{'1': a}", "{a: 1}", "{-1: a}", "{1: 2}", "{1: }", "{1: a, 1: b}", "{1: a, 0x1: b}", "{1.0: a}"),
    *("{true: a}", "{null: a}", "[a]", "{0x10: a}", "{99999999999: a}", "{99999999999999999999: a}", "{1: yes}"),
    *("{1.5: a}", "{010: a}", "{1: [a]}", "null"),
)
_INDEXES = (
    *("null", "[null]", "[{}]", "[i]", "[{type: gauge}]", "[{labelname: i}]", "[{labelname: i, type: foo}]"),
    *("[{labelname: i, type: Bits}]", "[{labelname: i, type: DateAndTime}]", "[{labelname: i, type: Integer}]"),
    *("[{labelname: i, type: gauge, foo: 1}]", "[{labelname: i, type: OctetString, fixed_size: -1}]"),
    *("[{labelname: i, type: OctetString, fixed_size: x}]", "[{labelname: i, type: OctetString, fixed_size: 3.0}]"),
    *("[{labelname: i, type: OctetString, implied: x}]", "[{labelname: i, type: OctetString, implied: yes}]"),
    *("[{labelname: i, type: EnumAsInfo, enum_values: {1: a}}]", "[{labelname: 'a b', type: gauge}]"),
    *("[{labelname: i, type: gauge}, {labelname: i, type: gauge}]", "{labelname: i}"),
)
_LOOKUPS = """
[{labels: [i], labelname: n, oid: 1.3.7, type: DisplayString}]
[{labelname: n}]
[{labels: [], labelname: n}]
[{labels: , labelname: n}]
[{labels: [i], labelname: n, type: gauge}]
[{labels: [i], labelname: n, oid: 1.3.7}]
[{labels: [i], labelname: n, oid: 1.3.7, type: foo}]
[{labels: [i], labelname: n, oid: 1.3.7, type: Bits}]
[{labels: [x], labelname: n, oid: 1.3.7, type: gauge}]
[{labels: i, labelname: n, oid: 1.3.7, type: gauge}]
[{labels: [i], labelname: n, oid: .1.3.7, type: gauge}]
[{labels: [n], labelname: n, oid: 1.3.7, type: gauge}]
[{labels: [i], labelname: n, oid: 1.3.7, type: gauge, foo: 1}]
[{labels: [i], oid: 1.3.7, type: gauge}]
[{labels: [i], labelname: n, oid: 1.3.7, type: gauge, drop_source_indexes: true}]
[{labels: [b], labelname: a, oid: 1.3.7, type: gauge}, {labels: [a], labelname: b, oid: 1.3.8, type: gauge}]
null
[null]
""".strip().splitlines()
_MANY_REGEXES = r"""
(.*)C ( (?=a)b (?<=a)b (?!a)b (a)\1 a++ (?P<v>a) (?<v>a) \p{Greek} \p{Foo} a{1001} a{1000} (a{100}){100} a{3,2} (?>a)
(?#c)a (?x)a (?U)a* (?n)a \C a\Z a\z \Aa \Qa.b \Qa.b\E \QC:\C\E \h \x{10FFFF} \x{110000} \012 \u0041 [[:foo:]]
[[:alpha:]] [z-a] [a [] []a] [a&&b] a\ *a a** a+? a) )|( (?P<v>a)(?P<v>b) (?P<1v>a) a{ a{,5} {1} \pN \PL \k<a> \G \R
\K (a)?(?(1)b|c) (?R) \X [a-\d] \_ \e \cA \0 \8 (?i)a (?is-m:a) (? a|* \b \pZ\d\W (a?){50} (x+x+)+y (a|aa)+$
"""
_REGEXES = (
    *_MANY_REGEXES.split(),
    *("", "a?" * 3000, "(" * 900 + ")" * 900),
)
_EXTRACTS = (
    *("{T: [{regex: a, value: '$1'}]}", "{T: [{value: '1'}]}", "{T: [{regex: }]}", "{T: [{regex: a, foo: 1}]}", "[a]"),
    *("{T: {regex: a}}", "null", "{T: }", "{5: [{regex: a}]}", "{T: [a]}", "{T: [{regex: a, value: 1}]}"),
    *("{T: [{regex: a, value: }]}", "{T: [{regex: [a]}]}"),
)
_AUTHS = """
{}
public
[a]
{version: 2, foo: 1}
{version: 2, security_level: foo}
{version: 2, auth_protocol: foo, priv_protocol: bar}
{version: 1, community: x}
{community: 12345}
{community: yes}
{community: }
{community: [a]}
{version: 3}
{version: 3, username: u}
{version: 3, username: ''}
{version: 3, username: u, context_name: c}
{version: 3, username: u, auth_protocol: foo, priv_protocol: bar}
{version: 3, username: u, security_level: foo}
{version: 3, username: u, security_level: authNoPriv}
{version: 3, username: u, security_level: authNoPriv, password: short}
{version: 3, username: u, security_level: authNoPriv, password: longenough, priv_protocol: bar}
{version: 3, username: 5, security_level: authNoPriv, password: 12345678}
{version: 3, username: u, security_level: authPriv, password: longenough}
{version: 3, username: u, security_level: authpriv, password: x, priv_password: y}
""".splitlines()
_A = "{name: a, oid: 1.3.1, type: gauge}"
_A_STATE = "&a {name: a, oid: 1.3.1, type: EnumAsInfo, help: h, enum_values: {1: a}, regex_extracts: {A: [{regex: a}]}}"
_FILES: Mapping[str, str] = {
    "base": BASE,
    "nothing": "",
    "only comments": "# nothing\n",
    "list": "- a\n",
    "text": "hello\n",
    "version": f"version: 2\n{BASE}",
    "version text": f"version: abc\n{BASE}",
    "version mapping": f"version: {{a: 1}}\n{BASE}",
    "unknown key": f"foo: 1\n{BASE}",
    "auths twice": f"{BASE}auths: {{y: {{}}}}\n",
    "module twice": f"{BASE}  m:\n    walk: [1.3]\n    metrics: []\n",
    "auth twice": f"auths:\n  a: {{}}\n  a: {{}}\n{MODULES}",
    "module null": f"{AUTHS}modules:\n  m:\n",
    "module empty": f"{AUTHS}modules:\n  m: {{}}\n",
    "module list": f"{AUTHS}modules:\n  m: []\n",
    "module text": f"{AUTHS}modules:\n  m: hello\n",
    "modules list": f"{AUTHS}modules: [m]\n",
    "module key unknown": _module("walk: [1.3]", "wolk: [1.3]"),
    "module of an old file": _module("walk: [1.3]", "version: 2", "auth: {community: public}"),
    "module key twice": _module("walk: [1.3]", "walk: [1.4]"),
    "walk null": _module("walk:", "metrics:"),
    "walk text": _module("walk: 1.3.6.1"),
    "filters null": _module("walk: [1.3]", "filters:"),
    "filters of a generator": _module("walk: [1.3]", "filters: {static: []}"),
    "filter": _module("walk: [1.3]", "filters: [{oid: 1.3.6, targets: [1.3.7], values: ['^a', 1]}]"),
    "filter unknown key": _module("walk: [1.3]", "filters: [{oid: 1.3.6, targets: [1.3.7], values: [a], foo: 1}]"),
    "filter without values": _module("walk: [1.3]", "filters: [{oid: 1.3.6, targets: [1.3.7]}]"),
    "filter without targets": _module("walk: [1.3]", "filters: [{oid: 1.3.6, values: [a]}]"),
    "filter without oid": _module("walk: [1.3]", "filters: [{targets: [1.3.7], values: [a]}]"),
    "filter regex": _module("walk: [1.3]", "filters: [{oid: 1.3.6, targets: [1.3.7], values: ['(']}]"),
    "metric least": _metrics("{name: a, oid: 1.3, type: gauge}"),
    "metric empty": _metrics("{}"),
    "metric null": _metrics("null"),
    "metric text": _metrics("hello"),
    "metric without name": _metrics("{oid: 1.3, type: gauge}"),
    "metric without oid": _metrics("{name: a, type: gauge}"),
    "metric without type": _metrics("{name: a, oid: 1.3}"),
    "metric key unknown": _metric("foo: 1"),
    "metric key twice": _metric("help: again"),
    "metric type unknown": _metrics("{name: a, oid: 1.3, type: gague, help: x}"),
    "metric type of an index": _metrics("{name: a, oid: 1.3, type: Integer, help: x}"),
    "metric twice": _metrics("{name: a, oid: 1.3, type: gauge}, {name: a, oid: 1.3, type: gauge}"),
    "metric name odd": _metrics("{name: 'a b', oid: 1.3, type: gauge}"),
    "metric pattern": _metric("datetime_pattern: '%Q'"),
    "anchor of nothing": f"x: &a 1\n{BASE}",
    "alias": f"{AUTHS}modules:\n  m: &m\n    walk: [1.3]\n    metrics: []\n  n: *m\n",
    "merge": f"{AUTHS}modules:\n  m: &m\n    walk: [1.3]\n    metrics: []\n  n:\n    <<: *m\n    retries: 1\n",
    "merge and override": f"{AUTHS}modules:\n  m: &m\n    walk: [1.3]\n  n:\n    <<: *m\n    walk: [1.4]\n",
    "merge list": f"{AUTHS}modules:\n  m: &m\n    walk: [1.3]\n  n:\n    <<: [*m]\n",
    "merge after a key": f"{AUTHS}modules:\n  a: &a {{walk: [1.3]}}\n  m: {{walk: [1.9], <<: *a}}\n",
    "merge of a merge": f"{AUTHS}modules:\n  a: &a {{walk: [1.3]}}\n  m: {{get: [1.4], <<: {{walk: [1.5], <<: *a}}}}\n",
    "merge of several": f"{AUTHS}modules:\n  a: &a {{walk: [1.3]}}\n  m: {{<<: [*a, {{walk: [1.4], get: [1.5]}}]}}\n",
    "merge between a key twice": f"{AUTHS}modules:\n  m: {{walk: [1.3], <<: {{walk: [1.4]}}, walk: [1.5]}}\n",
    "merge of modules": f"{AUTHS}modules:\n  x: &x {{walk: [1.3]}}\n  <<: {{y: *x}}\n",
    "merge of a module that is there": f"{AUTHS}modules:\n  x: &x {{walk: [1.3]}}\n  <<: {{x: *x}}\n",
    "merge of enum values": _metrics(f"{_A_STATE}, {{<<: *a, oid: 1.3.2, enum_values: {{2: b}}}}"),
    "merge of an enum value that is there": _metrics(f"{_A_STATE}, {{<<: *a, oid: 1.3.2, enum_values: {{1: b}}}}"),
    "merge of extracts": _metrics(f"{_A_STATE}, {{<<: *a, oid: 1.3.2, regex_extracts: {{B: [{{regex: b}}]}}}}"),
    "merge of nothing": f"{AUTHS}modules:\n  m: {{<<: , walk: [1.3]}}\n",
    "anchor twice": f"{AUTHS}modules:\n  m: {{walk: &w [1.3], get: *w}}\n  n: {{walk: &w [1.4], get: *w}}\n",
    "anchor twice, one in the other": f"{AUTHS}modules:\n  m: &m\n    walk: &m [1.3]\n    get: *m\n",
    "anchor twice and a metric": _module("walk: &m [1.3]", f"metrics: [&m {_A}, {{<<: *m, oid: 1.4}}]"),
    "anchor twice and something wrong": f"{AUTHS}modules:\n  m: &m {{walk: &m [1.3], wolk: 1}}\n",
    "alias unknown": f"auths: *x\n{MODULES}",
    "two documents": f"{BASE}---\n{BASE}",
    "document start": f"---\n{BASE}",
    "document end": f"{BASE}...\n",
    "directive": f"%YAML 1.1\n---\n{BASE}",
    "tabs": BASE.replace("    walk", "\twalk"),
    "byte order mark": f"\ufeff{BASE}",
    "CR LF": BASE.replace("\n", "\r\n"),
    "no YAML": "a: [\n",
    "JSON": '{"auths": {"a": {"version": 2}}, "modules": {"m": {"walk": ["1.3"], "metrics": []}}}',
    "help of lines": BASE.replace("help: h", "help: |\n        two\n        lines"),
    "help folded": BASE.replace("help: h", "help: >-\n        two\n        lines"),
    "module name number": f"{AUTHS}modules:\n  5: {{walk: [1.3]}}\n",
    "module name null": f"{AUTHS}modules:\n  null: {{walk: [1.3]}}\n",
    "module name list": f"{AUTHS}modules:\n  [a]: {{walk: [1.3]}}\n",
    "complex key": f"{AUTHS}modules:\n  ? m\n  : {{walk: [1.3]}}\n",
    "NUL": BASE.replace("help: h", 'help: "a\\0b"'),
    "control character": BASE.replace("help: h", "help: a\x01b"),
    "emoji": BASE.replace("help: h", "help: \U0001f600"),
    "boolean key": BASE.replace("help: h", "help: h\n      yes: no"),
}


def odd_files() -> dict[str, str]:
    """All of them by name."""
    return dict(_FILES) | dict(_generated())


def _generated() -> Iterator[tuple[str, str]]:
    yield from _each("max_repetitions", _module("walk: [1.3]", "max_repetitions: @"), _NUMBERS)
    yield from _each("retries", _module("walk: [1.3]", "retries: @"), _NUMBERS)
    yield from _each("timeout", _module("walk: [1.3]", "timeout: @"), _DURATIONS)
    yield from _each("flag", _module("walk: [1.3]", "allow_nonincreasing_oids: @"), _FLAGS)
    yield from _each("walk", _module("walk: [@]"), _OIDS)
    yield from _each("get", _module("get: [@]"), _OIDS)
    yield from _each("oid", _metrics("{name: a, oid: @, type: gauge, help: x}"), _OIDS[:6])
    yield from _each("scale", _metric("scale: @"), _SCALES)
    yield from _each("help", _metrics("{name: a, oid: 1.3, type: gauge, help: @}"), _TEXTS)
    yield from _each("name", _metrics("{name: @, oid: 1.3, type: gauge, help: x}"), _TEXTS[:4])
    yield from _each("enum", _metric("enum_values: @"), _ENUMS)
    yield from _each("indexes", _metric("indexes: @"), _INDEXES)
    yield from _each("lookups", _metric("lookups: @"), _LOOKUPS)
    yield from _each("regex", _metric("regex_extracts: {T: [{regex: '@'}]}"), _REGEXES)
    yield from _each("extracts", _metric("regex_extracts: @"), _EXTRACTS)
    yield from _each("auth", _auth("@"), _AUTHS)
    versions = ("1", "2", "3", "4", "0", "2c", "'2'", "null", "2.0", "1.5", "true", "0x2")
    yield from _each("auth version", _auth("{version: @, username: u}"), versions)
    usm = "{version: 3, username: u, security_level: authPriv, password: longenough, priv_password: longenough, @}"
    for key, words in (
        ("auth_protocol", "MD5 SHA SHA224 SHA256 SHA384 SHA512 SHA-256 sha md5 foo '' null"),
        ("priv_protocol", "DES AES AES192 AES256 AES192C AES256C AES128 aes 3DES foo '' null"),
    ):
        yield from _each(key, _auth(usm.replace("@", f"{key}: @")), words.split())
