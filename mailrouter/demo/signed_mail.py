"""A mail with a real S/MIME signature (RFC 8551). It was made once with OpenSSL; the key was thrown away then."""

SIGNED = """\
MIME-Version: 1.0
Content-Type: multipart/signed;
 protocol="application/pkcs7-signature";
 micalg=sha-256; boundary="signed-by-ruth"

--signed-by-ruth
Content-Type: text/plain; charset=utf-8

Hello,

here is our opinion on the new working hours: they are fine as
they stand. I sign this mail, so that you can rely on every word.

Ruth Stone

--signed-by-ruth
Content-Type: application/pkcs7-signature; name="smime.p7s"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="smime.p7s"

MIIDfAYJKoZIhvcNAQcCoIIDbTCCA2kCAQExDTALBglghkgBZQMEAgEwCwYJKoZI
hvcNAQcBoIICGTCCAhUwggG8oAMCAQICFDjVvIfA+hRm635zuECaH3HyKndCMAoG
CCqGSM49BAMCMDwxEzARBgNVBAMMClJ1dGggU3RvbmUxJTAjBgkqhkiG9w0BCQEW
FnJ1dGhAc3RvbmUtbGF3LmV4YW1wbGUwIBcNMjYxMTIyMDc1MjEzWhgPMjEyNjEw
MjkwNzUyMTNaMDwxEzARBgNVBAMMClJ1dGggU3RvbmUxJTAjBgkqhkiG9w0BCQEW
FnJ1dGhAc3RvbmUtbGF3LmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AAQErGe5a9jVcCzTpnSTGMy6WByGmFvpDh6G+DQQzntI8CjWMBGQLCaLvVEuIgcL
SRNgv3JnWS6Iktf+oiwl9QyTo4GZMIGWMB0GA1UdDgQWBBTURbkDxSfSyn51UFTy
944yQ//6ZjAfBgNVHSMEGDAWgBTURbkDxSfSyn51UFTy944yQ//6ZjAPBgNVHRMB
Af8EBTADAQH/MCEGA1UdEQQaMBiBFnJ1dGhAc3RvbmUtbGF3LmV4YW1wbGUwCwYD
VR0PBAQDAgeAMBMGA1UdJQQMMAoGCCsGAQUFBwMEMAoGCCqGSM49BAMCA0cAMEQC
IFiBg96XH7qOQpel8qTwsYF1Ndmfd6XhD+8BxXephkOTAiBnqRho8wq0Z6cBcRVR
zW8Um6Dx2PF7zu+DceM39RSQXTGCASkwggElAgEBMFQwPDETMBEGA1UEAwwKUnV0
aCBTdG9uZTElMCMGCSqGSIb3DQEJARYWcnV0aEBzdG9uZS1sYXcuZXhhbXBsZQIU
ONW8h8D6FGbrfnO4QJofcfIqd0IwCwYJYIZIAWUDBAIBoGkwGAYJKoZIhvcNAQkD
MQsGCSqGSIb3DQEHATAcBgkqhkiG9w0BCQUxDxcNMjYxMTIyMDc1MjEzWjAvBgkq
hkiG9w0BCQQxIgQgpDIH2N0HSR2nT9cPfLTRfNGd9mGRVclRrEWctd/UgYYwCgYI
KoZIzj0EAwIERjBEAiAi4nwRVxlrTLo8PnUfzbL4WaT+IfvL9MHb4iIlH6pX4wIg
UsG/HHqPDE15b9TvFP88BOjjRgzqx9fJ2UC/M7bwfbY=

--signed-by-ruth--
"""
"""From MIME-Version on; lines end in LF here, in CRLF on the wire."""
