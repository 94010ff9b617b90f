//! Published test vectors, and both halves against each other.

use protocol::rtp::{Packet, PayloadType, Ssrc};

use super::cipher::{Cipher, MasterKey};
use super::{OpenError, Profile, SealError, SessionKeys, SrtpOpener, SrtpSealer};
use crate::limits::SSRCS_MAX;

const PROFILES: [Profile; 3] =
    [Profile::AeadAes256Gcm, Profile::AeadAes128Gcm, Profile::AesCm128HmacSha1];

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .map(|digit| u8::try_from(digit).expect("a digit"))
        .collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// RFC 3711 B.3.
#[test]
fn keys_are_derived_as_in_rfc_3711() {
    let master = MasterKey::new(
        &hex("E1F97A0D3E018BE0D64FA32C06DE4139"),
        &hex("0EC675AD498AFEEBB6960B3AABE6"),
    )
    .expect("fits");
    let derive = |label, len| {
        let mut out = vec![0; len];
        master.derive(label, &mut out).expect("derives");
        out
    };
    assert_eq!(derive(0, 16), hex("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(derive(2, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
    assert_eq!(
        derive(1, 94),
        hex("CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE
             E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25
             6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2")
    );
}

/// RFC 6188 §7.4: key derivation with a 256-bit master key.
#[test]
fn keys_are_derived_as_in_rfc_6188() {
    let master = MasterKey::new(
        &hex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6"),
        &hex("3b04803de51ee7c96423ab5b78d2"),
    )
    .expect("fits");
    let mut out = [0; 32];
    master.derive(0, &mut out).expect("derives");
    assert_eq!(
        out[..],
        hex("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4")[..]
    );
}

fn gcm_cipher(profile: Profile, key: &str, salt: &str) -> Cipher {
    // The vectors of RFC 7714 §16 and §17 give session keys, not master keys.
    Cipher::with_session_key(profile, &hex(key), &hex(salt)).expect("fits")
}

const GCM_SALT: &str = "517569642070726f2071756f";
const GCM_128_KEY: &str = "000102030405060708090a0b0c0d0e0f";
const GCM_256_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const GCM_RTP: &str = "8040f17b 8041f8d3 5501a0b2 47616c6c 696120657374206f6d6e69732064697669
     736120696e207061727465732074726573";

fn check_gcm_rtp(profile: Profile, key: &str, sealed: &str) {
    let cipher = gcm_cipher(profile, key, GCM_SALT);
    let plain = hex(GCM_RTP);
    let mut buffer = plain.clone();
    buffer.resize(plain.len() + 16, 0);
    let ssrc = Ssrc(0x5501_a0b2);
    let len = cipher.seal_rtp(&mut buffer, 12, plain.len(), ssrc, 0xf17b).expect("room");
    assert_eq!(buffer[..len], hex(sealed)[..]);
    let Ok(len) = cipher.open_rtp(&mut buffer, 12, ssrc, 0xf17b) else { panic!("is genuine") };
    assert_eq!(buffer[..len], plain[..]);
}

/// RFC 7714 §16.1.1.
#[test]
fn aes_128_gcm_seals_as_in_rfc_7714() {
    check_gcm_rtp(
        Profile::AeadAes128Gcm,
        GCM_128_KEY,
        "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a
         51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce",
    );
}

/// RFC 7714 §16.2.1.
#[test]
fn aes_256_gcm_seals_as_in_rfc_7714() {
    check_gcm_rtp(
        Profile::AeadAes256Gcm,
        GCM_256_KEY,
        "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02
         76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13",
    );
}

/// RFC 7714 §17.1.
#[test]
fn srtcp_is_sealed_as_in_rfc_7714() {
    let cipher = gcm_cipher(Profile::AeadAes128Gcm, GCM_128_KEY, GCM_SALT);
    let plain = hex("81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
         deadbeef deadbeef deadbeef deadbeef deadbeef");
    let mut buffer = plain.clone();
    buffer.resize(plain.len() + 20, 0);
    let ssrc = Ssrc(0x4d61_7273);
    let len = cipher.seal_rtcp(&mut buffer, plain.len(), ssrc, 0x5d4).expect("room");
    assert_eq!(
        buffer[..len],
        hex("81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1
             730d6fda 4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4")[..]
    );
    let Ok(len) = cipher.open_rtcp(&mut buffer, ssrc) else { panic!("is genuine") };
    assert_eq!(buffer[..len], plain[..]);
}

/// A sealer and the opener of the other end, with made-up keys.
fn halves(profile: Profile) -> (SrtpSealer, SrtpOpener) {
    let len = 2 * (profile.key_bytes() + profile.salt_bytes());
    let material: Vec<u8> = (0..len).map(|at| u8::try_from(at).expect("short")).collect();
    let keys = SessionKeys::from_dtls(profile, &material).expect("the right length");
    assert!(SessionKeys::from_dtls(profile, &material[1..]).is_none());
    let (sealer, _) = keys.client_halves().expect("derives");
    let (_, opener) = keys.server_halves().expect("derives");
    (sealer, opener)
}

fn plain(ssrc: u32, number: u16) -> Vec<u8> {
    let packet = Packet {
        marker: false,
        capture_time: None,
        payload_type: PayloadType::OPUS,
        sequence_number: number,
        timestamp: u32::from(number) * 120,
        ssrc: Ssrc(ssrc),
        payload: b"a codec frame",
    };
    let mut bytes = vec![0; 64];
    let len = packet.write(&mut bytes).expect("fits");
    bytes.truncate(len);
    bytes
}

fn seal(sealer: &mut SrtpSealer, ssrc: u32, number: u16) -> Result<Vec<u8>, SealError> {
    let mut buffer = plain(ssrc, number);
    let len = buffer.len();
    buffer.resize(len + 16, 0xee);
    let len = sealer.seal(&mut buffer, len)?;
    buffer.truncate(len);
    Ok(buffer)
}

#[test]
fn what_is_sealed_is_opened_once_and_not_when_changed() {
    for profile in PROFILES {
        let (mut sealer, mut opener) = halves(profile);
        let sealed = seal(&mut sealer, 7, 100).expect("fresh");
        assert_eq!(sealed.len(), plain(7, 100).len() + profile.rtp_overhead_bytes());
        for at in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[at] ^= 0x40;
            let opened = opener.open(&mut forged);
            assert!(opened.is_err(), "{profile:?} byte {at}");
        }
        for len in 0..sealed.len() {
            assert!(opener.open(&mut sealed[..len].to_vec()).is_err(), "{profile:?} cut to {len}");
        }
        assert_eq!(opener.highest_index(Ssrc(7)), None, "forgeries left a trace");
        let mut genuine = sealed.clone();
        let len = opener.open(&mut genuine).expect("is genuine");
        assert_eq!(genuine[..len], plain(7, 100)[..]);
        assert_eq!(opener.open(&mut sealed.clone()), Err(OpenError::Replayed));
    }
}

#[test]
fn no_index_is_sealed_twice() {
    for profile in PROFILES {
        let (mut sealer, _) = halves(profile);
        seal(&mut sealer, 7, 200).expect("fresh");
        seal(&mut sealer, 7, 199).expect("out of order");
        seal(&mut sealer, 8, 200).expect("another stream");
        let ssrc = Ssrc(7);
        let again = |index| Err(SealError::MisuseIndexReused { ssrc, index });
        assert_eq!(seal(&mut sealer, 7, 200), again(200));
        assert_eq!(seal(&mut sealer, 7, 199), again(199));
        assert_eq!(seal(&mut sealer, 7, 72), again(72), "too far behind to know");
    }
}

#[test]
fn both_ends_count_rollovers_alike_over_loss_and_reordering() {
    for profile in PROFILES {
        let (mut sealer, mut opener) = halves(profile);
        let mut opened = 0_u64;
        // Three turns of the sequence number; every third packet is lost, pairs are swapped.
        for turn in 0..3 * 65_536_u32 / 4 {
            let wire = |step: u32| u16::try_from((turn * 4 + step) % 65_536).expect("16 bits");
            for step in [1, 0, 3, 2] {
                let mut sealed = seal(&mut sealer, 9, wire(step)).expect("fresh");
                if (turn * 4 + step) % 3 != 0 {
                    opener.open(&mut sealed).expect("is genuine");
                    opened += 1;
                }
            }
        }
        assert_eq!(opener.highest_index(Ssrc(9)), Some(3 * 65_536 - 1));
        assert_eq!(opened, 2 * 65_536);
    }
}

#[test]
fn a_forged_packet_does_not_move_the_rollover_counter() {
    let (mut sealer, mut opener) = halves(Profile::AeadAes256Gcm);
    opener.open(&mut seal(&mut sealer, 9, 100).expect("fresh")).expect("is genuine");
    // Claims a number from the next turn.
    let mut forged = plain(9, 60_000);
    forged.resize(60, 1);
    assert_eq!(opener.open(&mut forged), Err(OpenError::Forged));
    opener.open(&mut seal(&mut sealer, 9, 101).expect("fresh")).expect("is genuine");
}

#[test]
fn rtcp_is_opened_once_and_not_when_changed() {
    let report = hex("80c90001 00000007");
    for profile in PROFILES {
        let (mut sealer, mut opener) = halves(profile);
        let mut sealed = report.clone();
        sealed.resize(report.len() + 20, 0);
        let len = sealer.seal_rtcp(&mut sealed, report.len()).expect("room");
        sealed.truncate(len);
        assert_eq!(len, report.len() + profile.rtcp_overhead_bytes());
        for at in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[at] ^= 1;
            assert!(opener.open_rtcp(&mut forged).is_err(), "{profile:?} byte {at}");
        }
        for len in 0..sealed.len() {
            assert!(opener.open_rtcp(&mut sealed[..len].to_vec()).is_err(), "cut to {len}");
        }
        let mut genuine = sealed.clone();
        let len = opener.open_rtcp(&mut genuine).expect("is genuine");
        assert_eq!(genuine[..len], report[..]);
        assert_eq!(opener.open_rtcp(&mut sealed), Err(OpenError::Replayed));
    }
}

#[test]
fn streams_beyond_the_limit_are_refused_on_both_sides() {
    let (mut sealer, mut opener) = halves(Profile::AeadAes256Gcm);
    let limit = u32::try_from(SSRCS_MAX).expect("small");
    for ssrc in 0..limit {
        opener.open(&mut seal(&mut sealer, ssrc, 1).expect("room")).expect("is genuine");
    }
    assert_eq!(seal(&mut sealer, limit, 1), Err(SealError::Exhausted));
    assert_eq!(sealer.declare(Ssrc(limit)), Err(SealError::Exhausted));
    let (mut another, _) = halves(Profile::AeadAes256Gcm);
    let mut sealed = seal(&mut another, limit, 1).expect("room");
    assert_eq!(opener.open(&mut sealed), Err(OpenError::Exhausted));
}

#[test]
fn a_buffer_without_room_is_refused_and_spends_no_index() {
    let (mut sealer, _) = halves(Profile::AeadAes256Gcm);
    let mut buffer = plain(3, 5);
    let len = buffer.len();
    assert_eq!(sealer.seal(&mut buffer, len), Err(SealError::MisuseNoRoom));
    assert_eq!(sealer.seal(&mut buffer, 5), Err(SealError::MisuseMalformed));
    seal(&mut sealer, 3, 5).expect("still fresh");
}

#[test]
fn sealing_and_opening_do_not_allocate() {
    for profile in PROFILES {
        let (mut sealer, mut opener) = halves(profile);
        sealer.declare(Ssrc(1)).expect("room");
        opener.open(&mut seal(&mut sealer, 1, 0).expect("fresh")).expect("is genuine");
        let template = plain(1, 0);
        let mut buffer = [0; 128];
        assert_no_alloc::assert_no_alloc(|| {
            for number in 1..1000_u16 {
                buffer[..template.len()].copy_from_slice(&template);
                buffer[2..4].copy_from_slice(&number.to_be_bytes());
                let len = sealer.seal(&mut buffer, template.len());
                let opened = len.map(|len| opener.open(&mut buffer[..len]));
                assert!(matches!(opened, Ok(Ok(_))));
            }
        });
    }
}
