// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "crypto/hash.h"
#include "crypto/library_memory.h"
#include "crypto/tls_file.h"
#include "crypto/tls_tickets.h"

// TLS 1.2 with forward secrecy and AEAD only; 1.3 has nothing else. AES first, except for clients
// that put ChaCha20 first, since they have no AES in hardware.
#define TLS_CIPHERS_12 "ECDHE+AESGCM:ECDHE+CHACHA20"
#define TLS_CIPHERS_13 \
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define TLS_GROUPS "X25519:P-256:P-384"
#define TLS_TICKET_IV ((size_t)16) // of AES-CBC
// Of sessions without a name, on all listeners: a session proves nothing about a client.
#define TLS_SESSIONS "twoleg"
#define TLS_NAME_MAX ((size_t)260) // what holds a name in a ClientHello; the library refuses more
// What may come without a byte for us: a handshake, later changes of keys and the beginning of a
// record. OpenSSL takes any number of the second, and keeps a ClientHello of 128 KiB.
#define TLS_ASIDE_MAX (20 * 1024)

struct tls_certificate {
    SSL_CTX *context;
    X509 *leaf; // for its names
    char doubt[TLS_DOUBT];
};

struct tls_set {
    _Atomic unsigned users; // who loaded it, and each session
    struct tls_tickets *tickets;
    size_t count;
    struct tls_certificate certificates[];
};

struct tls {
    SSL *ssl;
    struct tls_set *set;
    struct env *env;
    uint64_t taken; // bytes of the socket when there was the last one for us
    bool failed;    // no close_notify may follow
};

// ------------------------------------------------------------------ callbacks of a handshake

static int tls_ticket_start(const struct tls_ticket_key *key, const unsigned char *iv,
                            EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, bool seal)
{
    char digest[] = "SHA256";
    uint8_t mac_key[sizeof key->mac]; // the parameters want it writable
    memcpy(mac_key, key->mac, sizeof mac_key);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key, sizeof mac_key),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    bool good = EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, seal) == 1 &&
                EVP_MAC_CTX_set_params(mac, params) == 1;
    OPENSSL_cleanse(mac_key, sizeof mac_key);
    return good ? 1 : -1;
}

static int tls_ticket_seal(const struct tls *tls, unsigned char *name, unsigned char *iv,
                           EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct tls_ticket_key key;
    if (!env_random(tls->env, iv, TLS_TICKET_IV) ||
        tls_tickets_seal_key(tls->set->tickets, tls->env, &key))
        return 0; // without a ticket
    memcpy(name, key.name, sizeof key.name);
    int result = tls_ticket_start(&key, iv, cipher, mac, true);
    tls_ticket_key_finish(&key);
    return result;
}

// RFC 5077 section 3.1: a ticket that cannot be opened means a full handshake, nothing worse. A
// client uses each ticket of TLS 1.3 once (RFC 8446 C.4), so it gets the next when it resumes (2).
static int tls_on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                         EVP_MAC_CTX *mac, int seal)
{
    const struct tls *tls = SSL_get_app_data(ssl);
    struct tls_ticket_key key;
    if (seal)
        return tls_ticket_seal(tls, name, iv, cipher, mac);
    if (tls_tickets_open_key(tls->set->tickets, tls->env, name, &key))
        return 0;
    int result = tls_ticket_start(&key, iv, cipher, mac, false);
    tls_ticket_key_finish(&key);
    return result == 1 && SSL_version(ssl) >= TLS1_3_VERSION ? 2 : result;
}

// RFC 6066 section 3: no session goes on under another name than it was made for. The library
// resumes within one context only, so each name is one: the handshake under another becomes a whole
// one. All of the extension is taken: of a form that nobody uses it would be another context.
static int tls_on_hello(SSL *ssl, int *alert, void *context)
{
    const unsigned char *name;
    size_t len;
    (void)context;
    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &name, &len) ||
        len > TLS_NAME_MAX)
        return SSL_CLIENT_HELLO_SUCCESS;
    struct sha256 digest = sha256(str_of(name, len));
    if (SSL_set_session_id_context(ssl, digest.bytes, sizeof digest.bytes))
        return SSL_CLIENT_HELLO_SUCCESS;
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
}

static int tls_on_name(SSL *ssl, int *alert, void *context)
{
    const struct tls *tls = SSL_get_app_data(ssl);
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)alert;
    (void)context;
    if (!name)
        return SSL_TLSEXT_ERR_NOACK;
    for (size_t i = 0; i < tls->set->count; i++) {
        const struct tls_certificate *certificate = &tls->set->certificates[i];
        int match = X509_check_host(certificate->leaf, name, strlen(name),
                                    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL);
        // Another certificate than the right one is no answer.
        if (match != 1 && library_lacked_memory())
            return SSL_TLSEXT_ERR_ALERT_FATAL;
        if (match == 1)
            return SSL_set_SSL_CTX(ssl, certificate->context) ? SSL_TLSEXT_ERR_OK
                                                              : SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_NOACK; // the first one: RFC 6066 3 leaves the decision to the client
}

// RFC 7301 3.2: who offers other protocols only is told so, and cannot be led to speak them to us.
static int tls_on_protocol(SSL *ssl, const unsigned char **ret_chosen, unsigned char *ret_len,
                           const unsigned char *offered, unsigned len, void *context)
{
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl;
    (void)context;
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, ret_len, ours, sizeof ours - 1, offered, len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret_chosen = chosen;
    return SSL_TLSEXT_ERR_OK;
}

// ------------------------------------------------------------------ certificates

static bool tls_context_configure(SSL_CTX *context)
{
    SSL_CTX_set_security_level(context, 2);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF |
                                     SSL_OP_CLEANSE_PLAINTEXT); // a buffer holds clients' secrets
    // The buffers of an idle connection, 33 KiB, go back.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // Else one receive would go on for as long as records come that are not for us.
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_read_ahead(context, 1); // a record's head and body in one receive
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); // tickets only
    SSL_CTX_set_timeout(context, TLS_TICKET_LIFE_US / SECOND_US);
    SSL_CTX_set_max_early_data(context, 0);      // RFC 8446 8: it could be replayed
    SSL_CTX_set_recv_max_early_data(context, 0);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_client_hello_cb(context, tls_on_hello, NULL);
    SSL_CTX_set_tlsext_servername_callback(context, tls_on_name);
    SSL_CTX_set_alpn_select_cb(context, tls_on_protocol, NULL);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, TLS_CIPHERS_12) == 1 &&
           SSL_CTX_set_ciphersuites(context, TLS_CIPHERS_13) == 1 &&
           SSL_CTX_set1_groups_list(context, TLS_GROUPS) == 1 &&
           SSL_CTX_set_num_tickets(context, 1) == 1 &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(context, tls_on_ticket) == 1 &&
           SSL_CTX_set_session_id_context(context, (const unsigned char *)TLS_SESSIONS,
                                          sizeof TLS_SESSIONS - 1) == 1;
}

static enum twoleg_error tls_certificate_load(const struct tls_pair *pair, int64_t now_us,
                                              struct tls_certificate *certificate, char *reason)
{
    struct tls_credentials from;
    enum twoleg_error error = tls_credentials_load(pair, &from, reason);
    if (error)
        return error;
    SSL_CTX *context = fault_here(FAULT_MEMORY) ? NULL : SSL_CTX_new(TLS_server_method());
    certificate->context = context;
    error = context && tls_context_configure(context) ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
    if (!error && (SSL_CTX_use_certificate(context, from.leaf) != 1 ||
                   SSL_CTX_use_PrivateKey(context, from.key) != 1 ||
                   SSL_CTX_set1_chain(context, from.chain) != 1)) {
        error = library_lacked_memory() ? TWOLEG_NO_MEMORY : TWOLEG_REFUSED;
        if (error == TWOLEG_REFUSED)
            snprintf(reason, TLS_REASON,
                     "the TLS certificate %s is too weak or of an unknown kind",
                     pair->certificate);
    }
    if (!error) {
        tls_life_doubt(from.leaf, now_us, certificate->doubt);
        certificate->leaf = from.leaf;
        from.leaf = NULL;
    }
    tls_credentials_finish(&from);
    ERR_clear_error();
    return error;
}

enum twoleg_error tls_set_load(const struct tls_pair *pairs, size_t count,
                               struct tls_tickets *tickets, int64_t now_us,
                               struct tls_set **ret_set, char ret_reason[static TLS_REASON])
{
    enum twoleg_error error = TWOLEG_NONE;
    struct tls_set *set = calloc(1, sizeof *set + count * sizeof set->certificates[0]);
    ret_reason[0] = '\0';
    if (!set)
        return TWOLEG_NO_MEMORY;
    set->users = 1;
    set->tickets = tickets;
    for (; set->count < count && !error; set->count++)
        error = tls_certificate_load(&pairs[set->count], now_us, &set->certificates[set->count],
                                     ret_reason);
    if (error)
        tls_set_release(set);
    else
        *ret_set = set;
    return error;
}

const char *tls_set_doubt(const struct tls_set *set, size_t number)
{
    const char *doubt = set->certificates[number].doubt;
    return doubt[0] ? doubt : NULL;
}

// As a handshake looks for it; a wildcard is matched by the same one.
static bool tls_has_names(const X509 *leaf, const GENERAL_NAMES *names)
{
    int matched = 0, hosts = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS)
            continue;
        hosts++;
        matched += X509_check_host((X509 *)leaf,
                                   (const char *)ASN1_STRING_get0_data(name->d.dNSName),
                                   (size_t)ASN1_STRING_length(name->d.dNSName),
                                   X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
    }
    return hosts > 0 && matched == hosts;
}

size_t tls_set_hidden_by(const struct tls_set *set, size_t number)
{
    const X509 *leaf = set->certificates[number].leaf;
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    size_t by = 0;
    while (by < number && !tls_has_names(set->certificates[by].leaf, names))
        by++;
    GENERAL_NAMES_free(names);
    ERR_clear_error();
    return by;
}

int64_t tls_set_end(const struct tls_set *set)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < set->count; i++) {
        int64_t end = tls_life_end(set->certificates[i].leaf);
        first = end < first ? end : first;
    }
    return first;
}

void tls_set_release(struct tls_set *set)
{
    if (!set || atomic_fetch_sub(&set->users, 1) > 1)
        return;
    for (size_t i = 0; i < set->count; i++) {
        SSL_CTX_free(set->certificates[i].context);
        X509_free(set->certificates[i].leaf);
    }
    free(set);
}

// ------------------------------------------------------------------ one session

struct tls *tls_create(struct tls_set *set, int fd, struct env *env)
{
    struct tls *tls = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *tls);
    if (!tls)
        return NULL;
    tls->env = env;
    tls->set = set;
    atomic_fetch_add(&set->users, 1);
    tls->ssl = SSL_new(tls->set->certificates[0].context);
    if (!tls->ssl || SSL_set_fd(tls->ssl, fd) != 1 || SSL_set_app_data(tls->ssl, tls) != 1) {
        ERR_clear_error();
        tls_destroy(tls);
        return NULL;
    }
    SSL_set_accept_state(tls->ssl);
    return tls;
}

// How much has come since there was something for us.
static uint64_t tls_aside(const struct tls *tls)
{
    return BIO_number_read(SSL_get_rbio(tls->ssl)) - tls->taken;
}

static enum tls_result tls_judge(struct tls *tls, int result)
{
    if (result == 1) {
        tls->taken += tls_aside(tls);
        return TLS_DONE;
    }
    if (tls_aside(tls) > TLS_ASIDE_MAX) {
        tls->failed = true;
        return TLS_FAILED;
    }
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return TLS_WANTS_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANTS_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_END;
    default:
        tls->failed = true;
        return TLS_FAILED;
    }
}

// SSL_get_error looks at what others have left. Asking is cheaper than clearing by a factor of 20.
static void tls_forget_errors(void)
{
    if (ERR_peek_error())
        ERR_clear_error();
}

enum tls_result tls_handshake(struct tls *tls)
{
    tls_forget_errors();
    return tls_judge(tls, SSL_do_handshake(tls->ssl));
}

// Not so when the head of a record is there and its body is not: the library would go on using what
// releases before 3.0.14 free then (CVE-2024-4741).
static bool tls_is_between_records(const struct tls *tls)
{
    return !tls_has_pending(tls) && strcmp(SSL_rstate_string(tls->ssl), "RH") == 0;
}

// With SSL_OP_CLEANSE_PLAINTEXT the library wipes what it hands over, and when it gives the buffer
// back all 17 KiB of it once more: 10 000 instructions of the 55 000 of a request. So it keeps the
// buffer while it receives, and then what was handed over goes back without that.
static int tls_read(struct tls *tls, char *ret_bytes, size_t room, size_t *ret_len)
{
    SSL_clear_mode(tls->ssl, SSL_MODE_RELEASE_BUFFERS);
    int result = SSL_read_ex(tls->ssl, ret_bytes, room, ret_len);
    SSL_set_mode(tls->ssl, SSL_MODE_RELEASE_BUFFERS);
    if (!tls_is_between_records(tls))
        return result;
    if (result == 1)
        SSL_clear_options(tls->ssl, SSL_OP_CLEANSE_PLAINTEXT);
    SSL_free_buffers(tls->ssl);
    SSL_set_options(tls->ssl, SSL_OP_CLEANSE_PLAINTEXT);
    return result;
}

enum tls_result tls_recv(struct tls *tls, char *ret_bytes, size_t room, size_t *ret_len)
{
    tls_forget_errors();
    return tls_judge(tls, tls_read(tls, ret_bytes, room, ret_len));
}

enum tls_result tls_send(struct tls *tls, struct str bytes, size_t *ret_len)
{
    tls_forget_errors();
    return tls_judge(tls, SSL_write_ex(tls->ssl, bytes.ptr, bytes.len, ret_len));
}

bool tls_has_pending(const struct tls *tls)
{
    return SSL_has_pending(tls->ssl) == 1;
}

bool tls_is_resumed(const struct tls *tls)
{
    return SSL_session_reused(tls->ssl) == 1;
}

const char *tls_failure(const struct tls *tls)
{
    unsigned long why = ERR_peek_error();
    if (tls_aside(tls) > TLS_ASIDE_MAX)
        return "a TLS handshake of more than 20 KiB";
    if (ERR_GET_LIB(why) != ERR_LIB_SSL)
        return "the client left during the TLS handshake";
    switch (ERR_GET_REASON(why)) {
    case SSL_R_HTTP_REQUEST:
        return "plain HTTP at a TLS listener";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
        return "a TLS version before 1.2";
    case SSL_R_WRONG_VERSION_NUMBER:
        return "no TLS at a TLS listener";
    case SSL_R_NO_SHARED_CIPHER:
        return "no TLS cipher in common";
    case SSL_R_NO_APPLICATION_PROTOCOL:
        return "the TLS client speaks no HTTP/1.1";
    default:
        return "a failed TLS handshake";
    }
}

void tls_shut(struct tls *tls)
{
    if (tls->failed || !SSL_is_init_finished(tls->ssl))
        return;
    ERR_clear_error();
    SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

void tls_destroy(struct tls *tls)
{
    if (!tls)
        return;
    SSL_free(tls->ssl);
    ERR_clear_error(); // whoever uses the library next looks there
    tls_set_release(tls->set);
    free(tls);
}
