// SPDX-License-Identifier: Apache-2.0
#include "daemon/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/store.h"

// Later than the headers of Debian 12; the kernel is asked which of them it knows.
#define ACCESS_FILE_TRUNCATE (1ull << 14)
#define ACCESS_FILE_IOCTL (1ull << 15)
#define ACCESS_NET_TCP (3ull) // bind and connect
#define SCOPE_ABSTRACT_SOCKET (1ull << 0)
#define SCOPE_SIGNAL (1ull << 1)

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_SOCKET (LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define ACCESS_DATA                                                                              \
    (ACCESS_READ | ACCESS_SOCKET | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
     ACCESS_FILE_TRUNCATE)
// All that a rule can allow: what is not allowed by one is refused.
#define ACCESS_FILES_FIRST ((1ull << 13) - 1)

struct landlock_rules {
    uint64_t files;
    uint64_t net;   // from version 4 on
    uint64_t scope; // from version 6 on
};

static enum twoleg_error sandbox_fail(char *reason, const char *what)
{
    snprintf(reason, SANDBOX_REASON, "the sandbox: %s: %s", what, strerror(errno));
    return TWOLEG_REFUSED;
}

static bool sandbox_is_watched(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return true;
#else
    return false;
#endif
#else
    return false;
#endif
}

const char *sandbox_obstacle(void)
{
    return sandbox_is_watched() ? "this is a build with sanitizers" : NULL;
}

enum twoleg_error sandbox_begin(void)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return TWOLEG_INTERNAL;
    // The leak check at the end of a sanitizer build traces this process.
    if (!sandbox_is_watched() && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
        return TWOLEG_INTERNAL;
    return TWOLEG_NONE;
}

// ---------------------------------------------------------------------------------- user

static enum twoleg_error sandbox_give_folder(const char *folder, const struct passwd *user,
                                             char *reason)
{
    struct stat info;
    if (lstat(folder, &info) == 0)
        return TWOLEG_NONE; // whose it is, the store looks at
    enum twoleg_error error = store_make_folder(folder, reason);
    if (!error && lchown(folder, user->pw_uid, user->pw_gid))
        return sandbox_fail(reason, folder);
    return error;
}

static enum twoleg_error sandbox_drop(const struct passwd *user, char *reason)
{
    if (initgroups(user->pw_name, user->pw_gid) ||
        setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
        setresuid(user->pw_uid, user->pw_uid, user->pw_uid))
        return sandbox_fail(reason, user->pw_name);
    // A way back would make all of this worthless.
    if (user->pw_uid != 0 && (setuid(0) == 0 || seteuid(0) == 0)) {
        snprintf(reason, SANDBOX_REASON, "root could not be given up for the user %s",
                 user->pw_name);
        return TWOLEG_REFUSED;
    }
    return TWOLEG_NONE;
}

// NULL: there is none.
static const struct passwd *sandbox_user(const struct config *config,
                                         char reason[static SANDBOX_REASON])
{
    errno = 0;
    const struct passwd *user = getpwnam(config->user.ptr);
    if (!user)
        snprintf(reason, SANDBOX_REASON, "user: there is no user %s%s%s on this system",
                 config->user.ptr, errno ? ": " : "", errno ? strerror(errno) : "");
    return user;
}

enum twoleg_error sandbox_check_user(const struct config *config,
                                     char ret_reason[static SANDBOX_REASON])
{
    return !config->user.len || sandbox_user(config, ret_reason) ? TWOLEG_NONE : TWOLEG_REFUSED;
}

enum twoleg_error sandbox_become(const struct config *config,
                                 char ret_reason[static SANDBOX_REASON])
{
    if (!config->user.len)
        return TWOLEG_NONE;
    const struct passwd *user = sandbox_user(config, ret_reason);
    if (!user)
        return TWOLEG_REFUSED;
    if (geteuid() == user->pw_uid && getuid() == user->pw_uid)
        return TWOLEG_NONE;
    if (geteuid() != 0) {
        snprintf(ret_reason, SANDBOX_REASON, "user: only root can become %s, and this process "
                 "runs as uid %u: start it as root or as %s", user->pw_name, (unsigned)geteuid(),
                 user->pw_name);
        return TWOLEG_REFUSED;
    }
    enum twoleg_error error = sandbox_give_folder(config->data.ptr, user, ret_reason);
    if (!error)
        error = sandbox_drop(user, ret_reason);
    return error ? error : sandbox_begin(); // the change of user made it traceable again
}

// ---------------------------------------------------------------------------------- files

static int landlock_version(void)
{
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

static uint64_t landlock_files(int version)
{
    uint64_t files = ACCESS_FILES_FIRST;
    files |= version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
    files |= version >= 3 ? ACCESS_FILE_TRUNCATE : 0;
    files |= version >= 5 ? ACCESS_FILE_IOCTL : 0;
    return files;
}

static int landlock_create(int version)
{
    struct landlock_rules rules = {.files = landlock_files(version)};
    size_t size = sizeof rules.files;
    if (version >= 4) {
        rules.net = ACCESS_NET_TCP; // every port is bound by now, and nobody is called
        size = offsetof(struct landlock_rules, scope);
    }
    if (version >= 6) {
        rules.scope = SCOPE_SIGNAL | SCOPE_ABSTRACT_SOCKET;
        size = sizeof rules;
    }
    return (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
}

// What is not there cannot be opened later either.
static enum twoleg_error landlock_allow(int rules, int version, const char *path, uint64_t access,
                                        char *reason)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? TWOLEG_NONE
                                                                      : sandbox_fail(reason, path);
    struct stat info;
    struct landlock_path_beneath_attr rule = {.allowed_access = access & landlock_files(version),
                                              .parent_fd = fd};
    if (fstat(fd, &info) == 0 && !S_ISDIR(info.st_mode))
        rule.allowed_access &= ~(uint64_t)LANDLOCK_ACCESS_FS_READ_DIR;
    long failed =
        syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    enum twoleg_error error = failed ? sandbox_fail(reason, path) : TWOLEG_NONE;
    close(fd);
    return error;
}

// The folder and not the file: a file that is replaced by a new one must stay readable.
static enum twoleg_error landlock_allow_folder_of(int rules, int version, struct str file,
                                                  uint64_t access, char *reason)
{
    char folder[PATH_MAX];
    if (file.len == 0 || file.len >= sizeof folder)
        return TWOLEG_NONE;
    memcpy(folder, file.ptr, file.len);
    folder[file.len] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    return landlock_allow(rules, version, slash ? folder : ".", access, reason);
}

// Also where the name leads: certificates are often links to the latest ones, and so are the files
// that a cluster's manager hands out.
static enum twoleg_error landlock_allow_link(int rules, int version, struct str file, char *reason)
{
    char real[PATH_MAX];
    enum twoleg_error error =
        landlock_allow_folder_of(rules, version, file, ACCESS_READ, reason);
    if (error || file.len == 0 || !realpath(file.ptr, real))
        return error;
    return landlock_allow_folder_of(rules, version, str_from(real), ACCESS_READ, reason);
}

static enum twoleg_error landlock_allow_listener(int rules, int version,
                                                 const struct config_listener *listener,
                                                 char *reason)
{
    enum twoleg_error error =
        landlock_allow_folder_of(rules, version, listener->endpoint.path, ACCESS_SOCKET, reason);
    for (size_t i = 0; i < listener->tls.count && !error; i++) {
        const struct config_certificate *pair = &listener->tls.items[i];
        error = landlock_allow_link(rules, version, pair->certificate, reason);
        if (!error)
            error = landlock_allow_link(rules, version, pair->key, reason);
    }
    return error;
}

static enum twoleg_error landlock_fill(int rules, int version, const struct config *config,
                                       char *reason)
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    enum twoleg_error error =
        landlock_allow(rules, version, config->data.ptr, ACCESS_DATA, reason);
    if (!error) // SQLite takes its seed from there
        error = landlock_allow(rules, version, "/dev/urandom", ACCESS_READ, reason);
    if (!error && credentials && *credentials)
        error = landlock_allow(rules, version, credentials, ACCESS_READ, reason);
    if (!error)
        error = landlock_allow_link(rules, version, config->file, reason);
    if (!error) // a new master key takes the place of the old one
        error = landlock_allow_folder_of(rules, version, config->master_key_file, ACCESS_DATA,
                                         reason);
    if (!error && config->dialect_folder.len) // a reload reads it again
        error = landlock_allow(rules, version, config->dialect_folder.ptr, ACCESS_READ, reason);
    for (size_t i = 0; i < config->listen.count && !error; i++)
        error = landlock_allow_listener(rules, version, &config->listen.items[i], reason);
    return error;
}

enum twoleg_error sandbox_confine_files(struct sandbox *sandbox, const struct config *config,
                                        char ret_reason[static SANDBOX_REASON])
{
    int version = landlock_version();
    if (version < 1) {
        sandbox->files_why = errno == EOPNOTSUPP ? "Landlock is switched off in this kernel"
                                                 : "this kernel has no Landlock";
        return TWOLEG_NONE;
    }
    int rules = landlock_create(version);
    if (rules < 0)
        return sandbox_fail(ret_reason, "Landlock");
    enum twoleg_error error = landlock_fill(rules, version, config, ret_reason);
    if (!error && syscall(SYS_landlock_restrict_self, rules, 0))
        error = sandbox_fail(ret_reason, "Landlock");
    close(rules);
    if (!error)
        sandbox->landlock = version;
    return error;
}
