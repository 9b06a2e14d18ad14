// SPDX-License-Identifier: Apache-2.0
// The walk keeps its own stack: each frame is one value that waits to be read by its row. A value
// comes from the file or, where the file has none, from the row's default.
#include "config/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "config/yaml.h"

#define WALK_SCRATCH_CAP ((size_t)64 * 1024 * 1024)

struct walk_frame {
    struct walk_frame *next;         // that waits below this one
    const struct walk_frame *parent; // for the name in messages
    const struct schema_row *row;
    size_t index; // in the parent, if that is a list
    void *target;
    yaml_node_t *node; // NULL: the default
    struct str text;   // of a default
};

struct walk {
    const struct walk_source *source;
    struct config_report *report;
    struct schema_context context;
    struct arena scratch;
    struct yaml_file *file;
    yaml_document_t *document; // of the file
    struct walk_frame *waiting;
    bool no_memory;
    bool failed; // something was reported
};

static struct config_mark walk_mark(const yaml_node_t *node)
{
    return node ? yaml_mark(node->start_mark) : (struct config_mark){0, 0};
}

static bool walk_is_in_list(const struct walk_frame *frame)
{
    return frame->parent && frame->parent->row->type == SCHEMA_LIST;
}

// `listen[0].doors: `
static void walk_add_path(const struct walk_frame *frame, struct buf *out)
{
    const struct walk_frame *path[YAML_DEPTH_MAX * 2 + 2];
    size_t depth = 0;
    // The root has neither name nor parent.
    for (; frame->parent && depth < sizeof path / sizeof *path; frame = frame->parent)
        path[depth++] = frame;
    for (size_t i = depth; i-- > 0;) {
        if (walk_is_in_list(path[i]))
            buf_addf(out, "[%zu]", path[i]->index);
        else
            buf_addf(out, "%s%s", i + 1 == depth ? "" : ".", path[i]->row->name);
    }
    if (depth)
        buf_add(out, STR(": "));
}

static void walk_report(struct walk *walk, const yaml_node_t *node, struct buf *text)
{
    config_report_add(walk->report, walk->source->name, walk_mark(node), text);
    walk->failed = true;
}

static void walk_add_allowed(const struct schema_row *row, struct buf *out)
{
    buf_add(out, STR(" ("));
    schema_row_describe(row, out);
    buf_add_char(out, ')');
}

// A problem of the value as a whole: `token_ttl: a list stands here (duration, ...)`.
static void walk_refuse(struct walk *walk, const struct walk_frame *frame, const yaml_node_t *node,
                        const char *problem)
{
    struct buf text = config_report_text(walk->report);
    walk_add_path(frame, &text);
    buf_add(&text, str_from(problem));
    walk_add_allowed(frame->row, &text);
    walk_report(walk, node, &text);
}

static void walk_suggest_word(struct str given, const struct schema_shape *shape, struct buf *out)
{
    struct schema_names names = {.count = 0};
    for (size_t i = 0; shape->words[i]; i++)
        names.names[names.count++] = shape->words[i];
    const char *nearest = schema_nearest(given, &names);
    // A word given twice is the right one already.
    if (nearest && !str_equal(given, str_from(nearest)))
        buf_addf(out, ". Did you mean \"%s\"?", nearest);
}

static void walk_refuse_scalar(struct walk *walk, const struct walk_frame *frame, struct str given,
                               const yaml_node_t *node, const char *problem)
{
    struct buf text = config_report_text(walk->report);
    walk_add_path(frame, &text);
    schema_quote(&text, given);
    buf_addf(&text, " %s", problem);
    if (frame->row->type == SCHEMA_WORD || frame->row->type == SCHEMA_WORDS)
        walk_suggest_word(given, frame->row->shape, &text);
    walk_add_allowed(frame->row, &text);
    walk_report(walk, node, &text);
}

static void *walk_allocate(struct walk *walk, struct arena *arena, size_t count, size_t size)
{
    void *memory = arena_array(arena, count, size);
    walk->no_memory = walk->no_memory || !memory;
    return memory;
}

static struct walk_frame *walk_push(struct walk *walk, const struct walk_frame *parent,
                                    const struct schema_row *row, void *target, yaml_node_t *node)
{
    struct walk_frame *frame = walk_allocate(walk, &walk->scratch, 1, sizeof *frame);
    if (!frame)
        return NULL;
    *frame = (struct walk_frame){
        .next = walk->waiting, .parent = parent, .row = row, .target = target, .node = node};
    walk->waiting = frame;
    return frame;
}

static void walk_push_default(struct walk *walk, const struct walk_frame *parent,
                              const struct schema_row *row, void *target, struct str text)
{
    struct walk_frame *frame = walk_push(walk, parent, row, target, NULL);
    if (frame)
        frame->text = text;
}

static const char *walk_misplaced(const struct schema_row *row, const yaml_node_t *node)
{
    if (yaml_node_is_null(node))
        return row->type == SCHEMA_WORD && schema_word_find(row->shape, STR("null")) >= 0
                   ? "has no value: the word is written 'null', in quotes"
                   : "has no value";
    if (node->type == YAML_SEQUENCE_NODE)
        return "a list stands here";
    return node->type == YAML_MAPPING_NODE ? "a mapping stands here" : "a single value stands here";
}

static bool walk_is_number(enum schema_type type)
{
    return type == SCHEMA_INTEGER || type == SCHEMA_BOOL;
}

static void walk_scalar(struct walk *walk, const struct walk_frame *frame)
{
    const char *problem = NULL;
    yaml_node_t *node = frame->node;
    if (node && (node->type != YAML_SCALAR_NODE || yaml_node_is_null(node))) {
        walk_refuse(walk, frame, node, walk_misplaced(frame->row, node));
        return;
    }
    struct str text = node ? yaml_node_text(node) : frame->text;
    if (node && walk_is_number(frame->row->type) &&
        node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
        walk_refuse_scalar(walk, frame, text, node, "is a quoted text");
        return;
    }
    enum twoleg_error error =
        schema_scalar_read(&walk->context, frame->row, text, frame->target, &problem);
    if (error == TWOLEG_NO_MEMORY)
        walk->no_memory = true;
    else if (error)
        walk_refuse_scalar(walk, frame, text, node, problem);
}

static void walk_words(struct walk *walk, const struct walk_frame *frame)
{
    unsigned bits = 0;
    if (!frame->node) { // a default is one word
        *(unsigned *)frame->target = 1u << schema_word_find(frame->row->shape, frame->text);
        return;
    }
    if (frame->node->type != YAML_SEQUENCE_NODE) {
        walk_refuse(walk, frame, frame->node, walk_misplaced(frame->row, frame->node));
        return;
    }
    const yaml_node_item_t *item = frame->node->data.sequence.items.start;
    for (; item < frame->node->data.sequence.items.top && !walk->report->dropped; item++) {
        yaml_node_t *node = yaml_document_get_node(walk->document, *item);
        if (yaml_file_is_alias(walk->file, node))
            continue;
        if (node->type != YAML_SCALAR_NODE) {
            walk_refuse(walk, frame, node, walk_misplaced(frame->row, node));
            continue;
        }
        int word = schema_word_find(frame->row->shape, yaml_node_text(node));
        if (word < 0)
            walk_refuse_scalar(walk, frame, yaml_node_text(node), node, "is not one of its words");
        else if (bits & 1u << word)
            walk_refuse_scalar(walk, frame, yaml_node_text(node), node, "stands there twice");
        else
            bits |= 1u << word;
    }
    if (frame->node->data.sequence.items.top == frame->node->data.sequence.items.start)
        walk_refuse(walk, frame, frame->node, "the list is empty");
    *(unsigned *)frame->target = bits;
}

// A default is the text of a list's only item.
static void walk_list_default(struct walk *walk, const struct walk_frame *frame)
{
    const struct schema_shape *shape = frame->row->shape;
    struct schema_list list = {walk_allocate(walk, walk->context.arena, 1, shape->item_size), 1};
    if (!list.items)
        return;
    memcpy(frame->target, &list, sizeof list);
    walk_push_default(walk, frame, shape->item, list.items, frame->text);
}

static void walk_list(struct walk *walk, const struct walk_frame *frame)
{
    const struct schema_shape *shape = frame->row->shape;
    if (!frame->node) {
        walk_list_default(walk, frame);
        return;
    }
    if (frame->node->type != YAML_SEQUENCE_NODE) {
        walk_refuse(walk, frame, frame->node, walk_misplaced(frame->row, frame->node));
        return;
    }
    yaml_node_item_t *start = frame->node->data.sequence.items.start;
    size_t count = (size_t)(frame->node->data.sequence.items.top - start);
    uint64_t limit;
    if (frame->row->min && str_to_u64(str_from(frame->row->min), &limit) && count < limit)
        walk_refuse(walk, frame, frame->node, count ? "has too few items" : "the list is empty");
    if (frame->row->max && str_to_u64(str_from(frame->row->max), &limit) && count > limit) {
        walk_refuse(walk, frame, frame->node, "has too many items");
        return;
    }
    struct schema_list list = {NULL, count};
    if (count && !(list.items = walk_allocate(walk, walk->context.arena, count, shape->item_size)))
        return;
    memcpy(frame->target, &list, sizeof list);
    for (size_t i = 0; i < count; i++) {
        yaml_node_t *node = yaml_document_get_node(walk->document, start[i]);
        void *target = (char *)list.items + i * shape->item_size;
        struct walk_frame *item = walk_push(walk, frame, shape->item, target, node);
        if (item)
            item->index = i;
    }
}

static const struct schema_row *walk_find_row(const struct schema_shape *shape, struct str name)
{
    for (size_t i = 0; i < shape->row_count; i++)
        if (str_equal(name, str_from(shape->rows[i].name)))
            return &shape->rows[i];
    return NULL;
}

static void walk_unknown_key(struct walk *walk, const struct walk_frame *frame,
                             const yaml_node_t *key)
{
    const struct schema_shape *shape = frame->row->shape;
    struct schema_names names = {.count = shape->row_count};
    for (size_t i = 0; i < shape->row_count; i++)
        names.names[i] = shape->rows[i].name;
    const char *nearest = schema_nearest(yaml_node_text(key), &names);
    struct buf text = config_report_text(walk->report);
    walk_add_path(frame, &text);
    buf_add(&text, STR("unknown key "));
    schema_quote(&text, yaml_node_text(key));
    if (nearest) {
        buf_addf(&text, ". Did you mean \"%s\"?", nearest);
        walk_add_allowed(walk_find_row(shape, str_from(nearest)), &text);
    } else {
        buf_add(&text, STR(" (known are "));
        for (size_t i = 0; i < shape->row_count; i++)
            buf_addf(&text, "%s%s", i ? ", " : "", shape->rows[i].name);
        buf_add_char(&text, ')');
    }
    walk_report(walk, key, &text);
}

static void walk_duplicate_key(struct walk *walk, const struct walk_frame *frame,
                               const yaml_node_t *key, struct config_mark first)
{
    struct buf text = config_report_text(walk->report);
    walk_add_path(frame, &text);
    buf_add(&text, STR("duplicate key "));
    schema_quote(&text, yaml_node_text(key));
    buf_addf(&text, ", first given in line %u", first.line);
    walk_report(walk, key, &text);
}

static void walk_member(struct walk *walk, const struct walk_frame *frame,
                        const yaml_node_pair_t *pair, struct config_mark *seen)
{
    const struct schema_shape *shape = frame->row->shape;
    yaml_node_t *key = yaml_document_get_node(walk->document, pair->key);
    yaml_node_t *value = yaml_document_get_node(walk->document, pair->value);
    if (yaml_file_is_alias(walk->file, key))
        return;
    if (key->type != YAML_SCALAR_NODE) {
        walk_refuse(walk, frame, key, "a list or mapping stands where a key belongs");
        return;
    }
    const struct schema_row *row = walk_find_row(shape, yaml_node_text(key));
    struct config_mark *mark = row ? &seen[row - shape->rows] : NULL;
    if (!row) {
        walk_unknown_key(walk, frame, key);
    } else if (mark->line) {
        walk_duplicate_key(walk, frame, key, *mark);
    } else {
        *mark = walk_mark(key);
        if (row->mark)
            memcpy((char *)frame->target + row->mark, mark, sizeof *mark);
        walk_push(walk, frame, row, (char *)frame->target + row->offset, value);
    }
}

// What the file does not say: a default, or an error.
static void walk_absent(struct walk *walk, const struct walk_frame *frame,
                        const struct schema_row *row)
{
    if (row->required) {
        struct buf text = config_report_text(walk->report);
        walk_add_path(frame, &text);
        buf_addf(&text, "\"%s\" is missing", row->name);
        walk_add_allowed(row, &text);
        walk_report(walk, frame->node, &text);
    } else if (row->fallback) {
        walk_push_default(walk, frame, row, (char *)frame->target + row->offset,
                          str_from(row->fallback));
    }
}

static bool walk_is_short(const struct walk_frame *frame)
{
    return frame->row->shape->shorthand &&
           (!frame->node ||
            (frame->node->type == YAML_SCALAR_NODE && !yaml_node_is_null(frame->node)));
}

static void walk_object(struct walk *walk, const struct walk_frame *frame,
                        struct config_mark *ret_marks)
{
    const struct schema_shape *shape = frame->row->shape;
    struct config_mark seen[SCHEMA_ROWS_MAX] = {{0, 0}};
    bool is_root = !frame->parent;
    yaml_node_t *node = frame->node;
    const struct config_mark mark = walk_mark(node);
    if (!is_root)
        memcpy(frame->target, &mark, sizeof mark);
    if (walk_is_short(frame)) {
        const struct schema_row *row = walk_find_row(shape, str_from(shape->shorthand));
        struct walk_frame *member =
            walk_push(walk, frame, row, (char *)frame->target + row->offset, node);
        if (member)
            member->text = frame->text;
        seen[row - shape->rows] = (struct config_mark){1, 1};
    } else if (node && node->type == YAML_MAPPING_NODE) {
        const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
        for (; pair < node->data.mapping.pairs.top && !walk->report->dropped; pair++)
            walk_member(walk, frame, pair, seen);
    } else if (!is_root || (node && !yaml_node_is_null(node))) {
        walk_refuse(walk, frame, node, walk_misplaced(frame->row, node));
        return;
    }
    for (size_t i = 0; i < shape->row_count; i++)
        if (!seen[i].line)
            walk_absent(walk, frame, &shape->rows[i]);
    if (is_root && ret_marks)
        memcpy(ret_marks, seen, shape->row_count * sizeof *seen);
}

static void walk_value(struct walk *walk, const struct walk_frame *frame,
                       struct config_mark *ret_marks)
{
    if (frame->row->type == SCHEMA_OBJECT)
        walk_object(walk, frame, ret_marks);
    else if (frame->row->type == SCHEMA_LIST)
        walk_list(walk, frame);
    else if (frame->row->type == SCHEMA_WORDS)
        walk_words(walk, frame);
    else
        walk_scalar(walk, frame);
}

static void walk_run(struct walk *walk, const struct schema_row *root, void *target,
                     yaml_node_t *node, struct config_mark *ret_marks)
{
    walk_push(walk, NULL, root, target, node);
    // A full report ends the walk, too: a file of a thousand wrong keys is not worth its time.
    while (walk->waiting && !walk->no_memory && !walk->report->dropped) {
        const struct walk_frame *frame = walk->waiting;
        walk->waiting = frame->next;
        if (!frame->node || !yaml_file_is_alias(walk->file, frame->node))
            walk_value(walk, frame, ret_marks);
    }
}

enum twoleg_error walk_load(const struct walk_source *source, const struct schema_shape *shape,
                            struct arena *arena, void *target, struct config_mark *ret_marks,
                            struct config_report *report)
{
    struct yaml_file file __attribute__((cleanup(yaml_file_finish))) = {.loaded = false};
    enum twoleg_error error = yaml_file_load(source, report, &file);
    if (!file.loaded)
        return error;
    struct walk walk = {.source = source,
                        .report = report,
                        .context = {arena, source->folder},
                        .file = &file,
                        .document = &file.document};
    arena_init(&walk.scratch, NULL, WALK_SCRATCH_CAP);
    const struct schema_row root = {.name = "", .type = SCHEMA_OBJECT, .shape = shape};
    walk_run(&walk, &root, target, file.root, ret_marks);
    arena_finish(&walk.scratch);
    if (walk.no_memory)
        return TWOLEG_NO_MEMORY;
    return walk.failed ? TWOLEG_MALFORMED : error;
}

static const char *walk_errno_text(void)
{
    const char *text = strerrordesc_np(errno);
    return text ? text : "cannot be read";
}

static enum twoleg_error walk_read_open(int fd, struct arena *arena, struct str *ret_text,
                                        const char **ret_reason)
{
    struct stat status;
    if (fstat(fd, &status) || !S_ISREG(status.st_mode)) {
        *ret_reason = "is not a regular file";
        return TWOLEG_REFUSED;
    }
    if (status.st_size < 0 || (uint64_t)status.st_size > YAML_FILE_MAX) {
        *ret_reason = "is larger than 1 MiB";
        return TWOLEG_REFUSED;
    }
    // One byte more than there should be, so that a file that grows meanwhile is noticed.
    size_t room = (size_t)status.st_size + 1;
    char *text = arena_alloc(arena, room);
    if (!text)
        return TWOLEG_NO_MEMORY;
    size_t len = 0;
    ssize_t got = 1;
    while (got > 0 && len < room) {
        got = fault_here(FAULT_IO) ? (errno = EIO, -1) : read(fd, text + len, room - len);
        len += got > 0 ? (size_t)got : 0;
    }
    if (got < 0 || len == room) {
        *ret_reason = got < 0 ? walk_errno_text() : "changed while it was read";
        return TWOLEG_REFUSED;
    }
    *ret_text = str_of(text, len);
    return TWOLEG_NONE;
}

static void walk_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

enum twoleg_error walk_read_file(const char *path, struct arena *arena, struct str *ret_text,
                                 const char **ret_reason)
{
    // O_NONBLOCK: opening a pipe without a writer would wait for ever.
    int fd __attribute__((cleanup(walk_close))) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        *ret_reason = walk_errno_text();
        return TWOLEG_REFUSED;
    }
    return walk_read_open(fd, arena, ret_text, ret_reason);
}

bool walk_folder_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool walk_file_exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 || (errno != ENOENT && errno != ENOTDIR);
}
