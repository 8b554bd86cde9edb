"""Makes keys and tokens with PyJWT and jwcrypto: some to be believed, and forgeries that must not be.

    forge.py FOLDER

writes FOLDER/jwks.json, FOLDER/secret (of HS*), and to standard output one JSON object a line:
{"name", "token", "issuer": "keys" or "secret", "valid": true or false}.
"""

import base64
import json
import sys
import time

import jwt
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from jwcrypto import jwe, jwk, jws

folder = sys.argv[1]
now = int(time.time())
KEYS, SECRETS = "https://issuer.example", "https://secrets.example"
rows = []


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(**more):
    base = {"iss": KEYS, "aud": "weir", "exp": now + 3600, "iat": now, "tenant": "acme", "sub": "u1"}
    base.update(more)
    return {name: value for name, value in base.items() if value is not None}


def add(name, token, valid=False, issuer="keys"):
    rows.append({"name": name, "token": token if isinstance(token, str) else token.decode(), "issuer": issuer,
                 "valid": valid})


rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
other_rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
p256, other_p256 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
p384, ed = ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()
k256 = ec.generate_private_key(ec.SECP256K1())
secret = b64(b"0123456789abcdef" * 4).encode()


def public(key, kid, **more):
    entry = json.loads(jwk.JWK.from_pyca(key.public_key()).export_public())
    entry.pop("kid", None)
    return {**entry, "kid": kid, **more}


with open(f"{folder}/jwks.json", "w") as file:
    json.dump({"keys": [
        public(rsa_key, "rsa"), public(p256, "p256", use="sig", alg="ES256"), public(p384, "p384"),
        public(ed, "ed", key_ops=["verify"]), public(other_p256, "enc", use="enc"),
        {"kty": "PQC", "kid": "of the future"},
    ]}, file)
with open(f"{folder}/secret", "wb") as file:
    file.write(secret)

signers = {"RS256": (rsa_key, "rsa"), "RS384": (rsa_key, "rsa"), "RS512": (rsa_key, "rsa"), "PS256": (rsa_key, "rsa"),
           "PS384": (rsa_key, "rsa"), "PS512": (rsa_key, "rsa"), "ES256": (p256, "p256"), "ES384": (p384, "p384"),
           "EdDSA": (ed, "ed")}


def signed(payload, alg="ES256", key=None, header=None, kid=True):
    own, own_id = signers.get(alg, (None, None))
    fields = {"kid": own_id} if kid and own_id else {}
    fields.update(header or {})
    return jwt.encode(payload, key or own, algorithm=alg, headers=fields)


def raw(header, payload, sign):
    """Header and payload as bytes, of whatever they are; `sign` makes the signature's bytes of what is signed."""
    data = f"{b64(header)}.{b64(payload)}".encode()
    return f"{data.decode()}.{b64(sign(data))}"


def es256_parts(data):
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    return decode_dss_signature(p256.sign(data, ec.ECDSA(hashes.SHA256())))


def es256(data):
    r, s = es256_parts(data)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def hs256(key):
    def sign(data):
        mac = hmac.HMAC(key, hashes.SHA256())
        mac.update(data)
        return mac.finalize()
    return sign


plain = json.dumps(claims()).encode()
header = json.dumps({"alg": "ES256", "kid": "p256"}).encode()

# To be believed.
for alg in signers:
    add(f"{alg} by PyJWT", signed(claims(), alg), valid=True)
for alg in ["HS256", "HS384", "HS512"]:
    add(f"{alg} by PyJWT", jwt.encode(claims(iss=SECRETS), secret.decode(), algorithm=alg), valid=True, issuer="secret")
for alg in ["RS256", "PS256", "ES256", "ES384", "EdDSA"]:
    key, kid = signers[alg]
    token = jws.JWS(plain)
    token.add_signature(jwk.JWK.from_pyca(key), alg, json.dumps({"alg": alg, "kid": kid, "typ": "at+jwt"}))
    add(f"{alg} by jwcrypto", token.serialize(compact=True), valid=True)
add("several audiences", signed(claims(aud=["a", "weir"])), valid=True)
add("without kid where one key fits", signed(claims(), "EdDSA", kid=False), valid=True)
add("with jku, x5u and x5c, which nobody looks at", signed(claims(), header={
    "jku": "http://127.0.0.1:1/keys", "x5u": "http://127.0.0.1:1/x5u", "x5c": ["AAAA"]}), valid=True)

# No signature.
for spelling in ["none", "None", "NONE", "nOnE", "none ", "", "NoNe"]:
    head = json.dumps({"alg": spelling, "kid": "rsa"}).encode()
    add(f"alg {spelling!r}, no signature", f"{b64(head)}.{b64(plain)}.")
    add(f"alg {spelling!r}, some signature", raw(head, plain, es256))
add("alg none by PyJWT", jwt.encode(claims(), None, algorithm="none"))
add("a good header without a signature", f"{b64(header)}.{b64(plain)}.")
add("no signature part", f"{b64(header)}.{b64(plain)}")

# The public key as the secret of an HMAC.
for name, encoding, form in [
    ("PEM", serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    ("DER", serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
    ("PKCS#1 PEM", serialization.Encoding.PEM, serialization.PublicFormat.PKCS1),
    ("PKCS#1 DER", serialization.Encoding.DER, serialization.PublicFormat.PKCS1),
]:
    text = rsa_key.public_key().public_bytes(encoding, form)
    for kid in ["rsa", "p256"]:
        head = json.dumps({"alg": "HS256", "kid": kid}).encode()
        add(f"HS256 with the RSA key's {name}, kid {kid}", raw(head, plain, hs256(text)))
    add(f"HS256 with the RSA key's {name}, no kid", raw(b'{"alg":"HS256"}', plain, hs256(text)))
jwks_key = json.dumps(public(rsa_key, "rsa")).encode()
add("HS256 with the JWK as secret", raw(b'{"alg":"HS256","kid":"rsa"}', plain, hs256(jwks_key)))
add("HS256 with an empty secret", raw(b'{"alg":"HS256","kid":"rsa"}', plain, hs256(b"")))
add("HS256 of the other issuer's secret", raw(b'{"alg":"HS256"}', plain, hs256(secret)))
add("HS256 with a wrong secret", jwt.encode(claims(iss=SECRETS), "x" * 64, algorithm="HS256"), issuer="secret")
add("RS256 for the issuer of secrets", signed(claims(iss=SECRETS), "RS256"), issuer="secret")
add("alg none for the issuer of secrets", jwt.encode(claims(iss=SECRETS), None, algorithm="none"), issuer="secret")

# Keys that the token brings along.
mine = jwk.JWK.from_pyca(other_p256)
for name, fields in [
    ("jwk", {"jwk": json.loads(mine.export_public())}),
    ("jwk and the kid of a known key", {"jwk": json.loads(mine.export_public()), "kid": "p256"}),
    ("jku", {"jku": "http://127.0.0.1:1/keys", "kid": "mine"}),
    ("x5u", {"x5u": "http://127.0.0.1:1/keys", "kid": "mine"}),
]:
    add(f"a key of its own by {name}", signed(claims(), key=other_p256, kid=False, header=fields))
for kid in ["p256", "enc", "unknown", "../../../../dev/null", "/dev/null", "' UNION SELECT 'k' --", "rsa\u0000", "", "*",
            "P256", "k" * 300]:
    add(f"another key as {kid[:30]!r}", signed(claims(), key=other_p256, header={"kid": kid}))
add("another RSA key of the same kid", signed(claims(), "RS256", key=other_rsa))
add("another key without a kid", signed(claims(), key=other_p256, kid=False))
add("a key for encryption", signed(claims(), key=other_p256, header={"kid": "enc"}))
add("ES256K", jwt.encode(claims(), k256, algorithm="ES256K", headers={"kid": "p256"}))
add("ES256 with a key of P-384", raw(json.dumps({"alg": "ES256", "kid": "p384"}).encode(), plain, es256))
add("RS256 with the key for ES256", signed(claims(), "RS256", header={"kid": "p256"}))
add("PS256's signature as RS256", raw(b'{"alg":"RS256","kid":"rsa"}', plain, lambda data: rsa_key.sign(
    data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())))
add("RS1", raw(b'{"alg":"RS1","kid":"rsa"}', plain, lambda data: rsa_key.sign(data, padding.PKCS1v15(), hashes.SHA1())))
add("PS256 without salt", raw(b'{"alg":"PS256","kid":"rsa"}', plain, lambda data: rsa_key.sign(
    data, padding.PSS(padding.MGF1(hashes.SHA256()), 0), hashes.SHA256())))

# What the header may not say.
for name, fields in [("crit", {"crit": ["exp"]}), ("crit of nothing", {"crit": []}),
                     ("crit of what is unknown", {"crit": ["weir"], "weir": 1}),
                     ("crit and b64", {"crit": ["b64"], "b64": False}), ("b64", {"b64": False})]:
    head = json.dumps({"alg": "ES256", "kid": "p256", **fields}).encode()
    add(name, raw(head, plain, es256))
for typ in ["dpop+jwt", "secevent+jwt", "logout+jwt", "JWS", "text/jwt"]:
    add(f"typ {typ}", signed(claims(), header={"typ": typ}))
add("alg twice", raw(b'{"alg":"none","alg":"ES256","kid":"p256"}', plain, es256))
add("alg in an array", raw(b'{"alg":["ES256"],"kid":"p256"}', plain, es256))
add("a header that is no object", raw(b'["ES256"]', plain, es256))
add("a header that is not UTF-8", raw(b'{"alg":"ES256","kid":"p256","x":"\xff"}', plain, es256))
add("a header with something behind", raw(header + b" x", plain, es256))

# What the payload may not say.
for name, change in [
    ("expired", {"exp": now - 3600}), ("expired long ago", {"exp": 0}), ("exp of the past as a fraction", {"exp": 0.5}),
    ("exp as a string", {"exp": str(now + 3600)}), ("no exp", {"exp": None}), ("exp as a list", {"exp": [now + 3600]}),
    ("exp true", {"exp": True}), ("negative exp", {"exp": -1}), ("nbf in an hour", {"nbf": now + 3600}),
    ("nbf as a string", {"nbf": "0"}), ("iat in an hour", {"iat": now + 3600}), ("another issuer", {"iss": "https://evil.example"}),
    ("the issuer with a slash", {"iss": KEYS + "/"}), ("the issuer in capitals", {"iss": KEYS.upper()}),
    ("no issuer", {"iss": None}), ("another audience", {"aud": "other"}), ("no audience", {"aud": None}),
    ("an audience that begins alike", {"aud": "weird"}), ("no audience in a list", {"aud": []}),
    ("the audience within an object", {"aud": {"weir": True}}), ("no tenant", {"tenant": None}),
    ("an empty tenant", {"tenant": ""}), ("a tenant with a line end", {"tenant": "acme\r\nX-Admin: 1"}),
    ("a tenant with a NUL", {"tenant": "acme\0"}), ("two tenants", {"tenant": ["acme", "globex"]}),
    ("a tenant as an object", {"tenant": {"id": "acme"}}), ("a long tenant", {"tenant": "t" * 300}),
    ("a large token", {"more": "x" * 8000}),
]:
    add(name, raw(header, json.dumps(claims(**change)).encode(), es256))
expiry = f'"exp":{now + 3600}'
start = f'{{"iss":"{KEYS}","aud":"weir","tenant":"acme",'
for name, text in [
    ("exp twice", f'{start}"exp":{now - 3600},{expiry}}}'), ("tenant twice", f'{start}"tenant":"globex",{expiry}}}'),
    ("iss twice", f'{start}"iss":"https://evil.example",{expiry}}}'),
    ("tenant twice, once escaped", f'{start}"t\\u0065nant":"globex",{expiry}}}'), ("exp too large", start + '"exp":1e400}'),
    ("exp NaN", start + '"exp":NaN}'), ("exp Infinity", start + '"exp":Infinity}'), ("exp in hex", start + '"exp":0xffffffff}'),
    ("a comma too much", f"{start}{expiry},}}"), ("a comment", f"{start}/**/{expiry}}}"),
    ("deeply nested", f'{start}{expiry},"x":{"[" * 200}{"]" * 200}}}'), ("a payload that is no object", '"acme"'),
    ("a byte order mark", "\ufeff" + f"{start}{expiry}}}"), ("half a surrogate pair", f'{start}{expiry},"x":"\\ud800"}}'),
]:
    add(name, raw(header, text.encode(), es256))
add("a payload that is not UTF-8", raw(header, f'{start}{expiry},"x":"'.encode() + b'\xc0\x80"}', es256))
add("an empty payload", raw(header, b"", es256))

# Signatures in other forms.
good = signed(claims())
head, body, signature = good.split(".")


def der(data):
    return encode_dss_signature(*es256_parts(data))


order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
zero = bytes(32)
add("an ECDSA signature in DER form", raw(header, plain, der))
add("r and s are zero", raw(header, plain, lambda data: zero + zero))
add("r is zero", raw(header, plain, lambda data: zero + es256(data)[32:]))
add("s is zero", raw(header, plain, lambda data: es256(data)[:32] + zero))
add("r and s are the order", raw(header, plain, lambda data: order.to_bytes(32, "big") * 2))
add("r and s exchanged", raw(header, plain, lambda data: es256(data)[32:] + es256(data)[:32]))
add("a signature with a byte more", raw(header, plain, lambda data: es256(data) + b"\0"))
add("a signature with a byte less", raw(header, plain, lambda data: es256(data)[:-1]))
add("an RSA signature of zeros", raw(b'{"alg":"RS256","kid":"rsa"}', plain, lambda data: bytes(256)))
add("an RSA signature of one", raw(b'{"alg":"RS256","kid":"rsa"}', plain, lambda data: bytes(255) + b"\1"))
add("an Ed25519 signature of zeros", raw(b'{"alg":"EdDSA","kid":"ed"}', plain, lambda data: bytes(64)))
add("the signature of another token", f"{head}.{b64(plain[:-1] + b' }')}.{signature}")
add("truncated", good[:-4])
add("padded", good + "==")
add("with the standard alphabet", f"{head}.{body}." + signature.replace("-", "+").replace("_", "/") + "+/==")
add("with bits behind the signature's end", good[:-1] + {"A": "B", "Q": "R", "g": "h", "w": "x"}[good[-1]])
add("with a blank within", f"{head}. {body}.{signature}")
add("only dots", "..")
add("no dots", "token")
add("four parts", f"{good}.{signature}")
add("six parts", f"{good}.a.b.c")

# Encrypted, and signed within signed.
sealed = jwe.JWE(plain, json.dumps({"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "rsa"}))
sealed.add_recipient(jwk.JWK.from_pyca(rsa_key.public_key()))
add("an encrypted token", sealed.serialize(compact=True))
direct = jwe.JWE(plain, json.dumps({"alg": "dir", "enc": "A256GCM"}))
direct.add_recipient(jwk.JWK(kty="oct", k=b64(b"k" * 32)))
add("a token encrypted directly", direct.serialize(compact=True))
add("a token within a token", raw(b'{"alg":"ES256","kid":"p256","cty":"JWT"}', good.encode(), es256))
general = jws.JWS(plain)
general.add_signature(jwk.JWK.from_pyca(p256), "ES256", header.decode())
add("JSON serialization", general.serialize().replace("\n", ""))

for row in rows:
    print(json.dumps(row))
