// SPDX-License-Identifier: Apache-2.0
// Two passes over the text. The first reads events, since only they show anchors, aliases and tags,
// and bounds the document before the second pass builds it.
#include "config/yaml.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

struct yaml_scan {
    const struct walk_source *source;
    struct config_report *report;
    struct yaml_file *file;
    char *text; // a copy in which a word replaces each alias; NULL: there is none
    struct str rest; // of the source, behind the last alias
    size_t rest_index; // its first character
    size_t depth;
    size_t values;
    size_t documents;
    bool refused;
    bool stopped; // nothing is to be walked
};

struct config_mark yaml_mark(yaml_mark_t mark)
{
    return (struct config_mark){(uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

struct str yaml_node_text(const yaml_node_t *node)
{
    return str_of(node->data.scalar.value, node->data.scalar.length);
}

bool yaml_node_is_null(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    struct str text = yaml_node_text(node);
    return !text.len || str_equal(text, STR("~")) || str_equal_nocase(text, STR("null"));
}

// The reader reports a byte's position, not a line.
static struct config_mark yaml_mark_of_offset(struct str text, size_t offset)
{
    struct config_mark mark = {1, 1};
    for (size_t i = 0; i < offset && i < text.len; i++) {
        mark.column++;
        if (text.ptr[i] == '\n')
            mark = (struct config_mark){mark.line + 1, 1};
    }
    return mark;
}

static enum twoleg_error yaml_report_syntax(const struct walk_source *source,
                                            const yaml_parser_t *parser,
                                            struct config_report *report)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return TWOLEG_NO_MEMORY;
    const char *problem = parser->problem ? parser->problem : "is not YAML";
    if (parser->error == YAML_READER_ERROR)
        config_report_addf(report, source->name,
                           yaml_mark_of_offset(source->text, parser->problem_offset), "%s",
                           problem);
    else if (parser->context)
        config_report_addf(report, source->name, yaml_mark(parser->problem_mark),
                           "%s (%s from line %zu)", problem, parser->context,
                           parser->context_mark.line + 1);
    else
        config_report_addf(report, source->name, yaml_mark(parser->problem_mark), "%s", problem);
    return TWOLEG_MALFORMED;
}

static void yaml_scan_refuse(struct yaml_scan *scan, const yaml_event_t *event, const char *problem)
{
    scan->refused = true;
    config_report_addf(scan->report, scan->source->name, yaml_mark(event->start_mark), "%s",
                       problem);
}

static void yaml_scan_stop(struct yaml_scan *scan, const yaml_event_t *event, const char *problem)
{
    yaml_scan_refuse(scan, event, problem);
    scan->stopped = true;
}

static void yaml_scan_value(struct yaml_scan *scan, const yaml_event_t *event,
                            const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor)
        yaml_scan_refuse(scan, event, "anchors (&) are not allowed");
    if (tag)
        yaml_scan_refuse(scan, event, "tags (!) are not allowed");
    if (++scan->values > YAML_VALUES_MAX)
        yaml_scan_stop(scan, event, "more than 65536 values");
}

static void yaml_scan_open(struct yaml_scan *scan, const yaml_event_t *event)
{
    if (++scan->depth > YAML_DEPTH_MAX)
        yaml_scan_stop(scan, event, "nested deeper than 16 levels");
}

static void yaml_scan_document(struct yaml_scan *scan, const yaml_event_t *event)
{
    if (event->data.document_start.tag_directives.start !=
        event->data.document_start.tag_directives.end)
        yaml_scan_refuse(scan, event, "directives (%TAG) are not allowed");
    if (++scan->documents > 1)
        yaml_scan_stop(scan, event, "a second document begins; a file has only one");
}

// libyaml counts characters, not bytes. Aliases come in their order, so each byte is passed once.
static size_t yaml_scan_offset(struct yaml_scan *scan, size_t index)
{
    while (scan->rest.len && scan->rest_index < index) {
        size_t len = 1;
        while (len < scan->rest.len && ((unsigned char)scan->rest.ptr[len] & 0xc0) == 0x80)
            len++;
        scan->rest = str_slice(scan->rest, len, scan->rest.len);
        scan->rest_index++;
    }
    return (size_t)(scan->rest.ptr - scan->source->text.ptr);
}

// Values given many times over could grow without end, so that an alias is never followed. `*name`
// becomes the word `xname` instead, and the rest of the file can be looked at all the same.
static void yaml_scan_alias(struct yaml_scan *scan, const yaml_event_t *event)
{
    struct str text = scan->source->text;
    yaml_scan_refuse(scan, event, "aliases (*) are not allowed; write the value out");
    if (!scan->text) {
        scan->text = fault_here(FAULT_MEMORY) ? NULL : malloc(text.len);
        if (scan->text)
            memcpy(scan->text, text.ptr, text.len);
        scan->rest = text;
    }
    size_t offset = yaml_scan_offset(scan, event->start_mark.index);
    bool found = scan->text && scan->rest.len && scan->text[offset] == '*' &&
                 scan->file->alias_count < CONFIG_REPORT_MAX && !scan->report->dropped;
    if (!found) {
        scan->stopped = true;
        return;
    }
    scan->text[offset] = 'x';
    scan->file->aliases[scan->file->alias_count++] = yaml_mark(event->start_mark);
    if (++scan->values > YAML_VALUES_MAX)
        yaml_scan_stop(scan, event, "more than 65536 values");
}

static void yaml_scan_event(struct yaml_scan *scan, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        yaml_scan_alias(scan, event);
        return;
    case YAML_SCALAR_EVENT:
        yaml_scan_value(scan, event, event->data.scalar.anchor, event->data.scalar.tag);
        return;
    case YAML_SEQUENCE_START_EVENT:
        yaml_scan_value(scan, event, event->data.sequence_start.anchor,
                        event->data.sequence_start.tag);
        yaml_scan_open(scan, event);
        return;
    case YAML_MAPPING_START_EVENT:
        yaml_scan_value(scan, event, event->data.mapping_start.anchor,
                        event->data.mapping_start.tag);
        yaml_scan_open(scan, event);
        return;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        scan->depth--;
        return;
    case YAML_DOCUMENT_START_EVENT:
        yaml_scan_document(scan, event);
        return;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return;
    }
}

static void yaml_parser_open(yaml_parser_t *parser, struct str text)
{
    const char *bytes = text.ptr ? text.ptr : ""; // libyaml asserts a pointer
    // Editors put it before UTF-8; libyaml looks for one only when it may guess the encoding.
    size_t mark = str_starts_with(text, STR("\xef\xbb\xbf")) ? 3 : 0;
    yaml_parser_set_input_string(parser, (const unsigned char *)bytes + mark,
                                 text.len - mark);
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
}

static enum twoleg_error yaml_scan_run(struct yaml_scan *scan)
{
    yaml_parser_t parser __attribute__((cleanup(yaml_parser_delete)));
    if (!yaml_parser_initialize(&parser))
        return TWOLEG_NO_MEMORY;
    yaml_parser_open(&parser, scan->source->text);
    bool ended = false;
    while (!ended && !scan->stopped) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            scan->stopped = true;
            return yaml_report_syntax(scan->source, &parser, scan->report);
        }
        yaml_scan_event(scan, &event);
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    return scan->refused ? TWOLEG_MALFORMED : TWOLEG_NONE;
}

static enum twoleg_error yaml_file_build(struct yaml_file *file, const struct walk_source *source,
                                         struct str text, struct config_report *report)
{
    yaml_parser_t parser __attribute__((cleanup(yaml_parser_delete)));
    if (!yaml_parser_initialize(&parser))
        return TWOLEG_NO_MEMORY;
    yaml_parser_open(&parser, text);
    if (!yaml_parser_load(&parser, &file->document))
        return yaml_report_syntax(source, &parser, report);
    file->loaded = true;
    file->root = yaml_document_get_root_node(&file->document);
    return TWOLEG_NONE;
}

enum twoleg_error yaml_file_load(const struct walk_source *source, struct config_report *report,
                                 struct yaml_file *file)
{
    *file = (struct yaml_file){.loaded = false};
    struct yaml_scan scan = {.source = source, .report = report, .file = file};
    enum twoleg_error scanned = yaml_scan_run(&scan);
    enum twoleg_error built = TWOLEG_NONE;
    if (!scan.stopped && scanned != TWOLEG_NO_MEMORY)
        built = yaml_file_build(
            file, source, scan.text ? str_of(scan.text, source->text.len) : source->text, report);
    free(scan.text);
    return built ? built : scanned;
}

bool yaml_file_is_alias(const struct yaml_file *file, const yaml_node_t *node)
{
    const struct config_mark mark = yaml_mark(node->start_mark);
    for (size_t i = 0; i < file->alias_count; i++)
        if (file->aliases[i].line == mark.line && file->aliases[i].column == mark.column)
            return true;
    return false;
}

void yaml_file_finish(struct yaml_file *file)
{
    if (file->loaded)
        yaml_document_delete(&file->document);
    *file = (struct yaml_file){.loaded = false};
}
