// SPDX-License-Identifier: Apache-2.0
#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

// ------------------------------------------------------------------ where to

static bool link_target_parse_unix(struct str path, struct link_target *target)
{
    struct sockaddr_un *address = (struct sockaddr_un *)&target->address;
    if (path.len == 0 || path.len >= sizeof address->sun_path)
        return false;
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path.ptr, path.len);
    target->len = sizeof *address;
    return true;
}

bool link_target_parse(const char *text, struct link_target *ret_target)
{
    struct str all = str_from(text);
    struct link_target target = {0};
    struct sockaddr_in *address = (struct sockaddr_in *)&target.address;
    char host[INET_ADDRSTRLEN] = "127.0.0.1";
    uint64_t port;
    if (str_starts_with(all, STR("unix:"))) {
        if (!link_target_parse_unix(str_slice(all, 5, all.len), &target))
            return false;
        *ret_target = target;
        return true;
    }
    size_t colon = str_find(all, ':');
    if (colon < all.len) {
        if (colon >= sizeof host)
            return false;
        memcpy(host, all.ptr, colon);
        host[colon] = '\0';
        all = str_slice(all, colon + 1, all.len);
    }
    if (!str_to_u64(all, &port) || port == 0 || port > UINT16_MAX ||
        inet_pton(AF_INET, host, &address->sin_addr) != 1)
        return false;
    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)port);
    target.len = sizeof *address;
    *ret_target = target;
    return true;
}

// TLS 1.3 sends tickets after the handshake, so the newest one is taken when it comes.
static int link_on_ticket(SSL *ssl, SSL_SESSION *session)
{
    struct link *link = SSL_get_app_data(ssl);
    SSL_SESSION_free(link->session);
    link->session = session;
    return 1; // kept
}

bool link_target_secure(struct link_target *target, bool resume, bool tls12)
{
    int version = tls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
    target->tls = SSL_CTX_new(TLS_client_method());
    target->resume = resume;
    if (!target->tls)
        return false;
    SSL_CTX_set_verify(target->tls, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_read_ahead(target->tls, 1);
    SSL_CTX_set_session_cache_mode(target->tls,
                                   resume ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL
                                          : SSL_SESS_CACHE_OFF);
    if (resume)
        SSL_CTX_sess_set_new_cb(target->tls, link_on_ticket);
    return SSL_CTX_set_min_proto_version(target->tls, version) == 1 &&
           SSL_CTX_set_max_proto_version(target->tls, version) == 1 &&
           SSL_CTX_set_cipher_list(target->tls, "ECDHE-ECDSA-AES128-GCM-SHA256") == 1 &&
           SSL_CTX_set_ciphersuites(target->tls, "TLS_AES_128_GCM_SHA256") == 1 &&
           SSL_CTX_set1_groups_list(target->tls, "X25519:P-256") == 1;
}

void link_target_finish(struct link_target *target)
{
    SSL_CTX_free(target->tls);
    target->tls = NULL;
}

// ------------------------------------------------------------------ a connection

void link_init(struct link *link, const struct link_target *target)
{
    link->target = target;
    link->state = LINK_CLOSED;
    link->fd = -1;
}

void link_close(struct link *link)
{
    if (link->ssl && SSL_is_init_finished(link->ssl))
        SSL_shutdown(link->ssl); // without it the library would not offer the ticket again
    SSL_free(link->ssl);
    link->ssl = NULL;
    ERR_clear_error();
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    link->state = LINK_CLOSED;
}

void link_finish(struct link *link)
{
    link_close(link);
    SSL_SESSION_free(link->session);
    link->session = NULL;
}

static bool link_open_tls(struct link *link)
{
    link->ssl = SSL_new(link->target->tls);
    if (!link->ssl || SSL_set_fd(link->ssl, link->fd) != 1 ||
        SSL_set_app_data(link->ssl, link) != 1)
        return false;
    if (link->target->resume && link->session && SSL_set_session(link->ssl, link->session) != 1)
        return false;
    SSL_set_connect_state(link->ssl);
    return true;
}

// A Unix socket blocks while it connects: one that does not would have to be asked again.
static enum link_result link_open(struct link *link)
{
    const struct link_target *target = link->target;
    bool local = target->address.ss_family == AF_UNIX;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = link};
    int one = 1;
    link->fd = socket(target->address.ss_family,
                      SOCK_STREAM | SOCK_CLOEXEC | (local ? 0 : SOCK_NONBLOCK), 0);
    if (link->fd < 0 || epoll_ctl(target->epoll, EPOLL_CTL_ADD, link->fd, &event) != 0)
        return LINK_BROKEN;
    if (!local)
        setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    link->state = LINK_CONNECTING;
    return target->tls && !link_open_tls(link) ? LINK_BROKEN : LINK_GOES;
}

static enum link_result link_step_connect(struct link *link)
{
    const struct link_target *target = link->target;
    if (connect(link->fd, (const struct sockaddr *)&target->address, target->len) != 0 &&
        errno != EISCONN)
        return errno == EINPROGRESS || errno == EALREADY ? LINK_WAITS : LINK_BROKEN;
    link->state = link->ssl ? LINK_HANDSHAKE : LINK_READY;
    return LINK_GOES;
}

static enum link_result link_judge(struct link *link, int result)
{
    switch (SSL_get_error(link->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return LINK_WAITS;
    default:
        ERR_clear_error();
        return LINK_BROKEN;
    }
}

static enum link_result link_step_handshake(struct link *link)
{
    int result = SSL_do_handshake(link->ssl);
    if (result != 1)
        return link_judge(link, result);
    link->handshaken = true;
    link->resumed = SSL_session_reused(link->ssl) == 1;
    link->state = LINK_READY;
    return LINK_GOES;
}

static enum link_result link_send(struct link *link, struct str bytes, size_t *ret_len)
{
    if (link->ssl) {
        int result = SSL_write_ex(link->ssl, bytes.ptr, bytes.len, ret_len);
        return result == 1 ? LINK_GOES : link_judge(link, result);
    }
    ssize_t sent = send(link->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0)
        return errno == EAGAIN ? LINK_WAITS : LINK_BROKEN;
    *ret_len = (size_t)sent;
    return LINK_GOES;
}

static enum link_result link_step_send(struct link *link)
{
    while (link->sent < link->request.len) {
        size_t sent = 0;
        enum link_result result =
            link_send(link, str_slice(link->request, link->sent, link->request.len), &sent);
        if (result != LINK_GOES)
            return result;
        link->sent += sent;
    }
    link->len = 0;
    link->state = LINK_RECEIVING;
    return LINK_GOES;
}

static enum link_result link_recv(struct link *link, char *ret_bytes, size_t room, size_t *ret_len)
{
    if (link->ssl) {
        int result = SSL_read_ex(link->ssl, ret_bytes, room, ret_len);
        return result == 1 ? LINK_GOES : link_judge(link, result);
    }
    ssize_t got = recv(link->fd, ret_bytes, room, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return LINK_WAITS;
    *ret_len = got > 0 ? (size_t)got : 0;
    return got > 0 ? LINK_GOES : LINK_BROKEN;
}

// ------------------------------------------------------------------ an answer

// The value of a header line, up to its end; names as every server here writes them, in any case.
static struct str link_header(const char *head, const char *name)
{
    const char *found = strcasestr(head, name);
    const char *value = found ? found + strlen(name) : NULL;
    return value ? str_trim(str_of(value, strcspn(value, "\r")), " ") : STR_NONE;
}

// Complete: LINK_ANSWERED. What has no length cannot be followed by another answer: BROKEN.
static enum link_result link_parse(struct link *link)
{
    uint64_t status, length;
    link->answer[link->len] = '\0';
    char *end = memmem(link->answer, link->len, "\r\n\r\n", 4);
    if (!end)
        return link->len < LINK_ANSWER_MAX ? LINK_GOES : LINK_BROKEN;
    size_t head = (size_t)(end - link->answer) + 4;
    char kept = link->answer[head];
    link->answer[head] = '\0';
    bool good = str_starts_with(str_of(link->answer, head), STR("HTTP/1.1 ")) &&
                str_to_u64(str_of(link->answer + 9, 3), &status) &&
                str_to_u64(link_header(link->answer, "\r\nContent-Length:"), &length) &&
                length <= LINK_ANSWER_MAX - head;
    link->closes = str_equal_nocase(link_header(link->answer, "\r\nConnection:"), STR("close"));
    link->answer[head] = kept;
    if (!good || link->len > head + length)
        return LINK_BROKEN;
    link->status = (unsigned)status;
    return link->len == head + length ? LINK_ANSWERED : LINK_GOES;
}

static enum link_result link_step_receive(struct link *link)
{
    enum link_result result = LINK_GOES;
    while (result == LINK_GOES) {
        size_t got = 0;
        result = link_recv(link, link->answer + link->len, LINK_ANSWER_MAX - link->len, &got);
        link->len += got;
        if (result == LINK_GOES)
            result = link_parse(link);
    }
    if (result == LINK_ANSWERED) {
        link->state = LINK_READY;
        link->request = STR_NONE;
    }
    return result;
}

// Something came though nothing was asked: a ticket, which can wait, or the end.
static enum link_result link_step_ready(struct link *link)
{
    char byte;
    ssize_t got = recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN))
        link_close(link);
    return LINK_IDLE;
}

enum link_result link_run(struct link *link)
{
    enum link_result result = LINK_GOES;
    if (link->state == LINK_CONNECTING)
        result = link_step_connect(link);
    if (result == LINK_GOES && link->state == LINK_HANDSHAKE)
        result = link_step_handshake(link);
    if (result == LINK_GOES && link->state == LINK_READY && link->request.len > 0)
        link->state = LINK_SENDING;
    if (result == LINK_GOES && link->state == LINK_SENDING)
        result = link_step_send(link);
    if (result == LINK_GOES && link->state == LINK_RECEIVING)
        result = link_step_receive(link);
    else if (result == LINK_GOES && link->state == LINK_READY)
        result = link_step_ready(link);
    if (result == LINK_BROKEN)
        link_close(link);
    return result;
}

enum link_result link_ask(struct link *link, struct str request)
{
    link->request = request;
    link->sent = 0;
    if (link->state == LINK_CLOSED && link_open(link) == LINK_BROKEN) {
        link_close(link);
        return LINK_BROKEN;
    }
    return link_run(link);
}
