// SPDX-License-Identifier: Apache-2.0
// What holds for every row of the table of algorithms, and the keys that Ed25519 and RSA refuse
// (threat rows C13 and C14).
#include "unit/crypto/hex.h"

#include <pthread.h>

#include "base/fault.h"
#include "crypto/init.h"
#include "crypto/sign.h"

#define RSA_1024_DER \
    "30820278020100300d06092a864886f70d0101010500048202623082025e0201000281" \
    "8100b968320f4d45e0d1b9db1adc517a57f331ce391c04d4f96f1a313901a8f0a82502" \
    "c709579c0bfb766807ae6a967cc4039dee1726331b8b89537bf781687e8f9ee9137d0c" \
    "dc167f777df8eb34052d76ceb3bb1d9b0ca266a3b2f72f83b752f324fec08e8f4a8487" \
    "d93492af332e677b412dd69e87c6ce9effea3ff6a69a533bff0203010001028181008a" \
    "3febb40546a9d138e8ec2a8486d9b5f9d970343856267875eb663a9aa2787ec08771ab" \
    "e62bf921dd887cc1f5dcaabc97b2c588326bc3ac6e97ed828d4c72022201b5a1514fe3" \
    "8d1d126b1608f32d9d65cba72822113b28a712faa10e85213c50dbf954eb7c62cc3341" \
    "a9b900202206bd13e51a793036f99a3524a79b1afc01024100f08b7d2d0796834c6df1" \
    "b322c590a744c96b416a460db821cecf89abd44cb89a2cf984b544d1cf01da6e65849e" \
    "7638d11bdc9504bc0590765e9207148844e481024100c551cad8050626ce20656325b3" \
    "26172dc826988d02b6798657c3243d77bf4c9e4bcb22525bf08be9722aac7d29bde8f2" \
    "897ca2721955a8f6358022aca9b5e07f024100beab12b1dacde78d71a8a081f37051e6" \
    "2872280c013366bd059d64571b9524ceb0cfa7edb77b474704c97516c634979cc924f3" \
    "ca28ef902f038f64a555cea6010240370b2c14bac20e8d2dc85ab227999699b4dddf6c" \
    "66b7548b3f6c366dd73bcc39d456e44a294f9f180e3b0d47151fdf1dd970a538430cfc" \
    "4742816e2ad064e62d0241009cdb762cfa8d80f6efedefee523a2f076c5a35c7a0f0c5" \
    "aaeda5ba2f4445cb4592c8883346b91c1826b1503824579deda3eff23c2ec054501d06" \
    "c2d6f6394fdd"
#define RSA_E3_DER \
    "308204bd020100300d06092a864886f70d0101010500048204a7308204a30201000282" \
    "010100e5e62004e01f56cba4776a409e54dec0955c6d01d4d345ed33e183e395c389a4" \
    "f584e8e09bd3759664ae66f091ed3c471973d624293624318e7fb6ad53beb3e65743d2" \
    "8089fad4f3ae24ffaddf01c26bfe26a6cf728fc0e2a4c496677f03bafc6833638500b6" \
    "e3f03eaa7a3ec2a778d2fe6ee399f43b214ec378900fd7685dea221b2e83847eb4db6c" \
    "042cf1e3104ff9191e458ac2d2c59356cca68d359f001a4fefe9553a2d6b015030d86a" \
    "ad7cc77d4c7bfbaf09e650373db649562672739d2d2b00aaf95409a99e7182249c749a" \
    "b40f5e392a9602ba82357ebe7d0315ac252f2ea294a1fb247c7f47fb0937a18e2685bc" \
    "251f6dffd0d5d5e75f54425ae257020103028201010099441558956a39dd184f9c2b14" \
    "3894806392f3568de22e9e229657ed0e825bc34e589b4067e24e64431eef4b0bf37d84" \
    "bba28ec2c624182109aa79c8e27f22998f828c55b151e34d1ec3551e94abd6f2a96f19" \
    "dfa1b52b41c32db99a54ad2752f0224258ab2497f57f1c517f2c6fa5e1fef497bbf827" \
    "6b89d7a5b55fe4f03e9ad31626495d1a50c7484f067344aa6b0cf98b33d6d85d46b00e" \
    "cc00d4d99d4a19577b9389ae90dabfad5eab909d6de8aa759306ff09c0990effdeb848" \
    "3fecd05a0d8f3846fade5059d1f486a59155753194859bf147df7adfea36ee8ad04b15" \
    "e1d476569512203f4e1e60f2ef3a78e8a7dcabaca659f2dc01deff9e60d33df28b0281" \
    "8100faf777639b3198285f704164ae27efae32367e206f5af848a15d4e8685fc61660d" \
    "278f7f697e67fc51ba5afb8c6d7532ea2f36db3a405536767583ae8147bf26f030df74" \
    "5e1f3f8e24c3065bee537f185c93fbcbb1dfbfb49786b5a0577f3a7ebb1fe378fbe805" \
    "fdd16ff64264144f7896dda440fbcf9106da275d3a43e8f25902818100ea827db1dda5" \
    "a388201d61e04de8bfb77096f9a80eebe3429f3d56c76936af8e3f8efc874ad5bae57a" \
    "687c1634ea754ab1f03a554105156a4772b13b45477bef28a34ccc22e75194bebfb1d0" \
    "5420ebd15401d374f853c27dbea5a30c7325d0d3b55d3d3c0ae2bf898046985ffbd7e1" \
    "b223dcfde4eb43f5cc2d409488c195042f02818100a74fa4ed1221101aea4ad6431ec5" \
    "4a742179a96af4e750306b9389af03fd964408c50a54f0feeffd8bd191fd0848f8cc9c" \
    "1f79e77c2ae379a44e57c9ab852a19f575ea4d9414d5096dd759929ee254bae862a7dd" \
    "213fd5230faf23c03a54d1a9d2154250a7f003fe8b9ff981980d8a506493c2d5fd350b" \
    "59e6c4e8d1829b4c3b028181009c56fe7693c3c25ac01396958945d524f5b9fbc55f47" \
    "ecd714d38f2f9b79ca5ed509fdaf87392743a6f052b9789c4e31cbf57c38d603639c2f" \
    "a1cb7cd8da529f706cdddd6c9a366329d521358d6b47e0e2abe24dfae281a929c3c208" \
    "4cc3e08d23937e280741d50655846595528febcc17e8a9434782a3dd73806305d66358" \
    "1f028180059037a840c2d36ad3857325499683e4b6f5855130c1cbb87ac6a6ab115643" \
    "16a0c9623f21affb2138791586a04a406286f594cc22293f964f48f470ad2e691e8faa" \
    "350d89e2c25d43421208bb6cd2e7b74e606b6fe957b921543e9be3640fcb9f248b26eb" \
    "eda106d7072628c27b64c44fcdcfd876365f27c68be4b2f04f28d0"
#define RSA_MISMATCH_DER \
    "308204be020100300d06092a864886f70d0101010500048204a8308204a40201000282" \
    "010100b16d61149cbdd543b1a49a6a453f560ffea17d124be2aa43b3badab3483bb5a0" \
    "bf52fe7fadf9819ac124b8d5a738d8cbec368f0290937de0893afeb15c638ee22ec126" \
    "c2519572e94563b22401e1e05a8c60ab977daa4c6be903580af27a30b84ea53deab4f6" \
    "9dd73500305a2be83c017a7716157242e52bc54f92683e1f9d89c4191a528667450bb9" \
    "4a0e9dee56ac380bb8e8372a48c5b6e717c83c3ff6cbfd0a49f37248e5f611cff32663" \
    "2c8db04d341a67c8dd0ae7760a9350fe705795a5863dd0680a2617cc47990d2f8f61b1" \
    "76f94eeb6d8ffa1528359f25e49036feb1a9926f17a6edbb60d46ffe8d4e00932880e3" \
    "e3e260a9624758c115159693d6a70203010001028201000ef072c68e3b2afce4c53cd6" \
    "c0d151745792b8bbfe0197f52aadae3a6252e44aa9729ab3c8beddcbea8963cd6f831f" \
    "3c8c5c1a8427e9b7d4f3b4ddd059c3d456d3cf151e841e462e55bbba44b18c252b4337" \
    "85c75326b6b13c0511d2fe627cb602d4d15e288dcacc3b26acef9ae19adb41187e7f2c" \
    "22b3bc5f1a86d80c24f808cdc62988f80cc68633d7c352f6d1ea688f5f77e66ff2d14a" \
    "57d6fc8c015a6f73f08335caba64a51ceec9729d1200e86c06522919d6572560707362" \
    "47f5f456829ac08ee60f7f169a39de1aa20fa7dd18c5910193483806dc4bc15ca39562" \
    "9ab078b5ac60391f1f5851c54d65e83d11959d7f8aa87130c93b39974171b0ed673902" \
    "818100f91f0128c01b696b642bd059544285ce884a21a008c654f293b85a0f0432156e" \
    "61bb822d2edf4d45073c83c34cd41f0383fef0e8e5096f7b3e57dde0ed045ebe5b6183" \
    "a9cc9c44a469f18c158ccb129ea23f101bd62ceb0120ed90d57fce105517ffc48bfac8" \
    "a07163d0b38aadf8dca1689294659b62350280d5d87d6e67ca6f02818100d1e79e8be3" \
    "21de0f30a3014b22c9851eca8d120127686930818ca84c2030dbee3083171931542af3" \
    "33abf69f4f85a9ad00598aadb3b7c13d5ae332cf252fbfde2cb484f33c32f42c6b8022" \
    "5cb3dc20bebaa76fd254a91388a7cbc814187b0ea00be10be95093c300f3c4c01a7662" \
    "ed4db147fab661af4e87def323168894722902818100c47e3bffd466caa3b60308f72c" \
    "8abbd7c790112d953e3a4a8b5161576ecbc233aa4aa7c6d3adb5d8b87876c55898074e" \
    "5292879a6aed224d67430ef3167fd7eaf550d8f4d93a78b9e6066ba3a3c5990e1e92f7" \
    "35bd9cf84f8f955223d406c8c31586db943d5e798e76586b04fb6bcb3a54ad28f76bb3" \
    "ee73e702c51b4a35fb6902818100b253f310a950d695551ec7348c4364c33a160b9bcb" \
    "5d1b30c87f3564275d1b1c0b3ef3dac55bda797006c2a9aa27c67561fcb0a2ce32690b" \
    "b5319cb2fbc6cb5cf7e20da9901541f89303f32d8ae8933136e6954bbdfd3ec934b51e" \
    "306473f782e554b687eb9afd6acbaef5fe05621a758d0db7e446ad672c6baf68b9f623" \
    "17b102818024840f144285cf538c7a7c0889d42e03ee7cc2e2927b3ef0dc2f687e8b03" \
    "8244e4e560ec567e378ed7e83578f0917c730b7491a119b41498ff7a6e58e8b5fba70b" \
    "9ee3e22ba8b1b116ba430b36ae3d1e865350905387d6c7018dcf1fd7e5555745a47d9a" \
    "dbc9a8dab6a0b3862a574cea95b28c153aeb773e6b78c19532898923"
#define RSA_4096_N \
    "b182f8d9a32081ee6b787f5bd9a63d9419cefd484af3f9e9e2e30bfdd034dde2706096" \
    "861c7c46e1eb8c41882ee6c99d665d2dcb4c82cfd4928d1dbf8d64214a67ed46bc2129" \
    "1490734dfce6b30b9bbb595454a088d7c075e936783ecaf4cdccb7db106cc2116c88b9" \
    "78696b21d5f72237a61b47badee1108947ba99200b9e4cd5ef8439d0104accd0befee9" \
    "578c864bf1c8285f2d78bb94982fe0eb73758b54d4ab684d86679edeb94341ec0ae6f3" \
    "d8c9036ffab93861c399a01a7db09afe54c1be393e6d3608dbe1cd8519bdb28042bfbd" \
    "2d76ea4882aa8b53aebfcab6be630edbfc55f1eb6017579c1e601920ede1a047f5ff42" \
    "509060d47366b814ccd378993b5fab4fbd3fe83932ae08a9a5ed0a6d355a1f82f04bce" \
    "33d0fb8bcdee1257277a6ebdd43619ff52dd91f919b3ceb54b391da0464d913bbb43a8" \
    "6e0c78d074e9e3adc183999b0578916cff3559fda234c463793560ad96fb80e4ea3aa8" \
    "9044c0afab3c0b696ad1a543efcdf5590314d714335bb4e92d3f577716a8f4fd018f29" \
    "bcb48e02c430c96d594672ef78109ebf2b5565abb16faee676b92a73572a3532dfd191" \
    "8d2c76969c5f5578d8da0ce6f9e17a5997ed4d52a861e353f10db6a23ca39c406422f0" \
    "4ba24acfdbeb7e25aafeb3b0b5cfa5263b089eee01cade4ac592f6aaedab42e6ae2eb9" \
    "75bdaaa2a37662e8690012ee07751ef6205128d2b381"

// RFC 8032 7.1, TEST 2.
#define ED_PUBLIC "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define ED_R "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
#define ED_S "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
// The same s plus the order of the group.
#define ED_S_PLUS_L "f52db7415978abc61b2c2eb6aeebfca0387b2eaeb4302aeeb00d291612bb0c10"

static const struct sign_algorithm *rows_find(const char *name)
{
    const struct sign_algorithm *algorithm = sign_algorithm_find(str_from(name));
    assert_non_null(algorithm);
    return algorithm;
}

// Making RSA keys takes long: one of each row for the whole file.
#define ROWS 4
static struct sign_key *rows_keys[ROWS];

static struct verifier_ctx *rows_verifier(const struct sign_algorithm *algorithm,
                                          const struct public_key *public_key)
{
    struct verify_key *key = NULL;
    struct verifier_ctx *verifier = NULL;
    assert_int_equal(verify_key_create(algorithm, public_key, &key), TWOLEG_NONE);
    assert_int_equal(verifier_create(key, &verifier), TWOLEG_NONE);
    verify_key_free(&key);
    return verifier;
}

static void rfc7518_3_1_the_table(void **state)
{
    (void)state;
    static const char *const names[] = {"ES256", "EdDSA", "RS256", "PS256"};
    for (size_t i = 0; i < ROWS; i++)
        assert_ptr_equal(sign_algorithm_at(i), rows_find(names[i]));
    assert_null(sign_algorithm_at(ROWS));
    assert_ptr_equal(sign_algorithm_find(STR("eddsa")), NULL);
    assert_null(sign_algorithm_find(STR("RS512")));
    assert_false(rows_find("EdDSA")->slow);
    assert_true(rows_find("RS256")->slow && rows_find("PS256")->slow);
}

static void every_row_signs_what_only_its_own_key_verifies(void **state)
{
    (void)state;
    struct signature signatures[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        struct signer *signer = NULL;
        assert_int_equal(signer_create(rows_keys[i], &signer), TWOLEG_NONE);
        for (int n = 0; n < 3; n++)
            assert_int_equal(signer_sign(signer, STR("message"), &signatures[i]), TWOLEG_NONE);
        assert_int_equal(signatures[i].len, signer_signature_len(signer));
        assert_int_equal(signatures[i].len, i < 2 ? 64 : 256);
        signer_free(&signer);
    }
    for (size_t k = 0; k < ROWS; k++) {
        struct verifier_ctx *verifier =
            rows_verifier(sign_algorithm_at(k), sign_key_public(rows_keys[k]));
        for (size_t i = 0; i < ROWS; i++) {
            struct str bytes = str_of(signatures[i].bytes, signatures[i].len);
            assert_int_equal(verifier_check(verifier, STR("message"), bytes),
                             i == k ? TWOLEG_NONE : TWOLEG_TOKEN_FORGED);
            assert_int_equal(verifier_check(verifier, STR("massage"), bytes),
                             TWOLEG_TOKEN_FORGED);
        }
        verifier_free(&verifier);
    }
}

static void C15_every_flipped_bit_and_other_length_is_refused(void **state)
{
    (void)state;
    for (size_t i = 1; i < ROWS; i++) {
        struct signer *signer = NULL;
        struct signature good;
        assert_int_equal(signer_create(rows_keys[i], &signer), TWOLEG_NONE);
        assert_int_equal(signer_sign(signer, STR("m"), &good), TWOLEG_NONE);
        struct verifier_ctx *verifier =
            rows_verifier(sign_algorithm_at(i), sign_key_public(rows_keys[i]));
        for (size_t bit = 0; bit < 8 * good.len; bit++) {
            struct signature bad = good;
            bad.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(verifier_check(verifier, STR("m"), str_of(bad.bytes, bad.len)),
                             TWOLEG_TOKEN_FORGED);
        }
        for (size_t len = 0; len < good.len + 2; len++)
            if (len != good.len)
                assert_int_equal(verifier_check(verifier, STR("m"), str_of(good.bytes, len)),
                                 TWOLEG_TOKEN_FORGED);
        verifier_free(&verifier);
        signer_free(&signer);
    }
}

static void der_keeps_the_key_of_every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        char memory[SIGN_KEY_DER_MAX];
        struct buf out;
        buf_init(&out, memory, sizeof memory);
        assert_int_equal(sign_key_to_der(rows_keys[i], &out), TWOLEG_NONE);
        for (size_t k = 0; k < ROWS; k++) {
            struct sign_key *again = NULL;
            // DER does not say which padding an RSA key is for: its row in the store does.
            bool fits = i == k || (i >= 2 && k >= 2);
            assert_int_equal(sign_key_from_der(sign_algorithm_at(k), buf_str(&out), &again),
                             fits ? TWOLEG_NONE : TWOLEG_MALFORMED);
            if (fits)
                assert_memory_equal(sign_key_public(again), sign_key_public(rows_keys[i]),
                                    sizeof(struct public_key));
            sign_key_free(&again);
        }
        struct sign_key *cut = NULL;
        assert_int_equal(sign_key_from_der(sign_algorithm_at(i), str_of(memory, out.len - 1),
                                           &cut), TWOLEG_MALFORMED);
        assert_null(cut);
    }
}

static void rows_refuse_der(const char *hex)
{
    uint8_t bytes[2048];
    struct sign_key *key = NULL;
    struct str der = hex_read(hex, bytes, sizeof bytes);
    assert_int_equal(sign_key_from_der(rows_find("RS256"), der, &key), TWOLEG_MALFORMED);
    assert_int_equal(sign_key_from_der(rows_find("PS256"), der, &key), TWOLEG_MALFORMED);
    assert_null(key);
}

static void C13_private_rsa_keys_that_are_short_weak_or_mixed_are_refused(void **state)
{
    (void)state;
    rows_refuse_der(RSA_1024_DER);
    rows_refuse_der(RSA_E3_DER);
    rows_refuse_der(RSA_MISMATCH_DER);
}

static enum twoleg_error rows_rsa(const struct public_key *public_key)
{
    struct verify_key *key = NULL;
    enum twoleg_error error = verify_key_create(rows_find("RS256"), public_key, &key);
    verify_key_free(&key);
    assert_int_equal(verify_key_create(rows_find("PS256"), public_key, &key), error);
    verify_key_free(&key);
    return error;
}

static void rows_exponent(struct public_key *key, const char *hex)
{
    key->second.len = hex_read(hex, key->second.bytes, sizeof key->second.bytes).len;
}

static void C13_public_rsa_keys_by_modulus_and_exponent(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "00", "01", "03", "11", "ffff", "010000", "010002",
                                      "00010001", "0100000001", "0000000001"};
    const struct public_key good = *sign_key_public(rows_keys[2]);
    struct verify_key *first = NULL;
    assert_int_equal(verify_key_create(rows_find("RS256"), &good, &first), TWOLEG_NONE);
    verify_key_free(&first);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct public_key key = good;
        rows_exponent(&key, bad[i]);
        assert_int_equal(rows_rsa(&key), TWOLEG_MALFORMED);
    }
    struct public_key key = good;
    key.first.bytes[key.first.len - 1] &= 0xfe; // even
    assert_int_equal(rows_rsa(&key), TWOLEG_MALFORMED);
    key = good;
    key.first.bytes[0] = 0x7f; // 2047 bits
    assert_int_equal(rows_rsa(&key), TWOLEG_MALFORMED);
    key = good;
    key.first.len = 64; // 512 bits
    key.first.bytes[63] |= 1;
    assert_int_equal(rows_rsa(&key), TWOLEG_MALFORMED);
    key = good;
    memmove(key.first.bytes + 1, key.first.bytes, key.first.len++);
    key.first.bytes[0] = 0; // a leading zero
    assert_int_equal(rows_rsa(&key), TWOLEG_MALFORMED);
    key.first.len = 0;
    assert_int_equal(rows_rsa(&key), TWOLEG_MALFORMED);
    key.first.len = hex_read(RSA_4096_N, key.first.bytes, sizeof key.first.bytes).len;
    assert_int_equal(rows_rsa(&key), TWOLEG_NONE);
    key.first.len = PUBLIC_MEMBER_MAX + 1;
    assert_int_equal(rows_rsa(&key), TWOLEG_MALFORMED);
}

static void C14_ed25519_s_that_is_not_reduced_is_refused(void **state)
{
    (void)state;
    struct public_key key = {0};
    uint8_t bytes[64];
    key.first.len = hex_read(ED_PUBLIC, key.first.bytes, 32).len;
    struct verifier_ctx *verifier = rows_verifier(rows_find("EdDSA"), &key);
    assert_int_equal(verifier_check(verifier, STR("r"), hex_read(ED_R ED_S, bytes, 64)),
                     TWOLEG_NONE);
    assert_int_equal(verifier_check(verifier, STR("r"), hex_read(ED_R ED_S_PLUS_L, bytes, 64)),
                     TWOLEG_TOKEN_FORGED);
    verifier_free(&verifier);
}

// All points of small order in every encoding, and encodings of no point.
static void C14_ed25519_keys_of_small_order_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "0200000000000000000000000000000000000000000000000000000000000000",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    struct public_key public_key = {0};
    struct verify_key *key = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        public_key.first.len = hex_read(bad[i], public_key.first.bytes, 32).len;
        assert_int_equal(verify_key_create(rows_find("EdDSA"), &public_key, &key),
                         TWOLEG_MALFORMED);
    }
    public_key.first.len = hex_read(ED_PUBLIC, public_key.first.bytes, 32).len - 1;
    assert_int_equal(verify_key_create(rows_find("EdDSA"), &public_key, &key), TWOLEG_MALFORMED);
    assert_null(key);
}

// A slow row's signer is made for each token, and outlives the key that it shares.
static void *rows_sign_many(void *context)
{
    struct signer *signer = context;
    struct signature signature;
    for (int i = 0; i < 20; i++)
        if (signer_sign(signer, STR("m"), &signature) != TWOLEG_NONE)
            return context;
    signer_free(&signer);
    return NULL;
}

static void signers_of_one_rsa_key_work_at_once_and_without_it(void **state)
{
    (void)state;
    char memory[SIGN_KEY_DER_MAX];
    struct buf out;
    struct sign_key *key = NULL;
    pthread_t threads[3];
    buf_init(&out, memory, sizeof memory);
    assert_int_equal(sign_key_to_der(rows_keys[3], &out), TWOLEG_NONE);
    assert_int_equal(sign_key_from_der(rows_find("PS256"), buf_str(&out), &key), TWOLEG_NONE);
    for (size_t i = 0; i < 3; i++) {
        struct signer *signer = NULL;
        assert_int_equal(signer_create(key, &signer), TWOLEG_NONE);
        assert_int_equal(pthread_create(&threads[i], NULL, rows_sign_many, signer), 0);
    }
    sign_key_free(&key);
    for (size_t i = 0; i < 3; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

static void D8_no_randomness_no_key_of_any_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        struct sign_key *key = NULL;
        fault_arm(FAULT_RANDOM, 1, true);
        // What the thread has drawn already may do for a small key; then the next has nothing.
        enum twoleg_error error = TWOLEG_NONE;
        for (int n = 0; n < 200 && !error; n++) {
            error = sign_key_create(sign_algorithm_at(i), &key);
            sign_key_free(&key);
        }
        fault_arm(FAULT_RANDOM, 0, false);
        assert_int_equal(error, TWOLEG_NO_RANDOM);
    }
}

static int rows_start(void **state)
{
    (void)state;
    int error = (int)crypto_init();
    for (size_t i = 0; i < ROWS && !error; i++)
        error = (int)sign_key_create(sign_algorithm_at(i), &rows_keys[i]);
    return error;
}

static int rows_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        sign_key_free(&rows_keys[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc7518_3_1_the_table),
        cmocka_unit_test(every_row_signs_what_only_its_own_key_verifies),
        cmocka_unit_test(C15_every_flipped_bit_and_other_length_is_refused),
        cmocka_unit_test(der_keeps_the_key_of_every_row),
        cmocka_unit_test(C13_private_rsa_keys_that_are_short_weak_or_mixed_are_refused),
        cmocka_unit_test(C13_public_rsa_keys_by_modulus_and_exponent),
        cmocka_unit_test(C14_ed25519_s_that_is_not_reduced_is_refused),
        cmocka_unit_test(C14_ed25519_keys_of_small_order_are_refused),
        cmocka_unit_test(signers_of_one_rsa_key_work_at_once_and_without_it),
        cmocka_unit_test(D8_no_randomness_no_key_of_any_row),
    };
    return cmocka_run_group_tests(tests, rows_start, rows_end);
}
