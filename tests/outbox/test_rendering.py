from outbox.rendering import render_mail


def test_names_cannot_break_out_of_a_mail() -> None:
    context = {
        "actor": "Kim & <script>",
        "organization": "Acme\nBcc: x@evil.test",
        "old": "member",
        "new": "admin",
        "url": "http://testserver/orgs/acme/",
    }
    mail = render_mail("role_changed", context)
    assert "Kim & <script> changed" in mail.text
    assert "Kim &amp; &lt;script&gt; changed" in mail.html
    assert "\n" not in mail.subject
    assert mail.subject.startswith("Your role in Acme")
