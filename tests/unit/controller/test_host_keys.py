"""Host keys off consoles as real images print them, and off what only looks like it."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchhost.controller.host_keys import host_keys_on
from support.consoles import ECDSA, ED25519, OTHER_ED25519, RSA, block, console

KEYS = (ECDSA, ED25519, RSA)


def test_the_keys_of_a_first_boot_are_found_without_their_comments() -> None:
    assert host_keys_on(console(*KEYS)) == KEYS


@pytest.mark.parametrize(
    "prefix",
    [
        pytest.param("[   12.345678] cloud-init[812]: ", id="the-kernel-s-clock-and-a-program"),
        pytest.param("<14>Jan  6 15:27:32 cloud-init: ", id="a-priority-and-a-time"),
        pytest.param("<14>Jun  3 17:07:52 ec2: ", id="the-old-name"),
        pytest.param("\x1b[0;32m  ", id="a-colour"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_what_is_put_in_front_of_lines_does_not_matter(prefix: str, newline: str) -> None:
    text = newline.join(prefix + line for line in block(*KEYS).splitlines())
    assert host_keys_on(text) == KEYS


def test_lines_that_others_print_meanwhile_do_not_matter() -> None:
    noise = "[   31.337] hv_balloon: Max. dynamic memory size: 8192 MB\n[  OK  ] Finished cloud-final.service.\n"
    assert host_keys_on(block(*KEYS).replace("\n", f"\n{noise}")) == KEYS


def test_the_last_complete_block_counts() -> None:
    begun = block(RSA).rsplit("-----END", 1)[0]
    text = console(OTHER_ED25519) + console(ED25519) + begun
    assert host_keys_on(text) == (ED25519,)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="an-empty-console"),
        pytest.param("-----END SSH HOST KEY KEYS-----\n-----BEGIN SSH HOST KEY KEYS-----\n", id="an-end-first"),
        pytest.param(block(ED25519).rsplit("-----END", 1)[0], id="a-block-that-is-still-printed"),
        pytest.param(ED25519, id="a-key-outside-of-a-block"),
        pytest.param(block(), id="a-block-without-keys"),
        pytest.param(block(f"no{ED25519}"), id="another-type"),
        pytest.param(block("ssh-dss AAAAB3NzaC1kc3MAAACBAL3bJ4WVn1N5nnKVKdhQf4z48Moki88rcC0lDP0bz3en"), id="a-dsa-key"),
        pytest.param(block(ED25519[:-4]), id="a-key-that-has-lost-its-end"),
        pytest.param(block(ED25519[:40] + ED25519[44:]), id="a-key-that-has-lost-its-middle"),
        pytest.param(block(RSA[:200]), id="a-long-key-that-has-lost-its-end"),
        pytest.param(block(ED25519[:40] + "[   31.3] eth0: up\n" + ED25519[40:]), id="a-key-with-a-line-in-it"),
        pytest.param(block(ED25519.replace("ssh-ed25519", "ssh-rsa")), id="a-key-of-another-type-than-it-says"),
        pytest.param(block(f"ssh-ed25519 {'A' * 5000}"), id="a-key-without-end"),
        pytest.param(block("x" * 70_000 + "\n" + ED25519), id="a-block-without-end"),
    ],
)
def test_no_key_is_taken_from(text: str) -> None:
    assert host_keys_on(text) == ()


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        pytest.param("ssh-ed25519", [b"k" * 31], id="a-short-ed25519-key"),
        pytest.param("ssh-ed25519", [b"k" * 32, b"more"], id="more-than-an-ed25519-key"),
        pytest.param("ssh-rsa", [b"\x01\x00\x01", b"\x00" + b"n" * 64], id="an-rsa-key-that-openssh-refuses"),
        pytest.param("ssh-rsa", [b"", b"\x00" + b"n" * 256], id="an-rsa-key-without-exponent"),
        pytest.param("ecdsa-sha2-nistp256", [b"nistp384", b"\x04" + b"p" * 64], id="a-point-on-another-curve"),
        pytest.param("ecdsa-sha2-nistp384", [b"nistp384", b"\x04" + b"p" * 64], id="a-point-of-another-length"),
    ],
)
def test_what_is_built_like_a_key_and_is_none_is_not_taken(kind: str, fields: list[bytes]) -> None:
    blob = b"".join(len(field).to_bytes(4, "big") + field for field in (kind.encode(), *fields))
    assert host_keys_on(block(f"{kind} {base64.b64encode(blob).decode()}")) == ()


def test_a_broken_key_does_not_spoil_the_others() -> None:
    assert host_keys_on(block(ECDSA[:-8], ED25519, RSA[:300])) == (ED25519,)


def test_no_more_keys_than_a_host_has_are_taken() -> None:
    head = base64.b64decode(ED25519.split()[1])[:-1]
    many = [f"ssh-ed25519 {base64.b64encode(head + bytes([number])).decode()}" for number in range(100)]
    assert host_keys_on(block(*many, many[0])) == tuple(many[:8])


@given(st.text(), st.lists(st.sampled_from([*KEYS, "\r", "-----BEGIN SSH HOST KEY KEYS-----", "\x1b[0m", "ssh-rsa "])))
def test_whatever_a_guest_prints_nothing_but_keys_comes_out(noise: str, lines: list[str]) -> None:
    found = host_keys_on(noise + block(*lines, noise))
    assert set(found) <= set(KEYS)
