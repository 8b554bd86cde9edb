#pragma once

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <hiredis/hiredis.h>
#include <hiredis/read.h>

// What hiredis parses goes into one flat, caller-owned struct instead of a tree of allocated replies: the integers in
// the order in which they come, and the bytes of one string. Whatever does not fit that shape is noted, not kept.

enum weir_reply_kind {
    WEIR_REPLY_INTEGER = 1,
    WEIR_REPLY_ARRAY = 2,
    WEIR_REPLY_STRING = 3,
    WEIR_REPLY_STATUS = 4,
    WEIR_REPLY_ERROR = 5,
    WEIR_REPLY_NIL = 6,
    WEIR_REPLY_OTHER = 7
};

typedef struct weir_reply {
    /// Kind of the outermost value.
    int32_t kind;
    /// Nonzero: the array holds something other than integers, or more of them than there is room for.
    int32_t is_irregular;
    int64_t *integers;
    int64_t integer_capacity;
    int64_t integer_count;
    /// The outermost string, status or error, or an array's first string, cut at the capacity.
    char *text;
    int64_t text_capacity;
    int64_t text_count;
} weir_reply;

static inline int32_t weir_kind(int type) {
    switch (type) {
    case REDIS_REPLY_INTEGER: return WEIR_REPLY_INTEGER;
    case REDIS_REPLY_ARRAY: return WEIR_REPLY_ARRAY;
    case REDIS_REPLY_STRING: return WEIR_REPLY_STRING;
    case REDIS_REPLY_STATUS: return WEIR_REPLY_STATUS;
    case REDIS_REPLY_ERROR: return WEIR_REPLY_ERROR;
    case REDIS_REPLY_NIL: return WEIR_REPLY_NIL;
    default: return WEIR_REPLY_OTHER;
    }
}

/// Starts a new reply at its outermost value. Returns it, or NULL inside an array.
static inline weir_reply *weir_outermost(const redisReadTask *task) {
    weir_reply *reply = (weir_reply *)task->privdata;
    if (task->parent != NULL) return NULL;
    reply->kind = weir_kind(task->type);
    reply->is_irregular = 0;
    reply->integer_count = 0;
    reply->text_count = 0;
    return reply;
}

static inline void *weir_irregular(const redisReadTask *task) {
    weir_reply *reply = (weir_reply *)task->privdata;
    if (weir_outermost(task) == NULL) reply->is_irregular = 1;
    return reply;
}

static void *weir_create_string(const redisReadTask *task, char *bytes, size_t count) {
    weir_reply *reply = (weir_reply *)task->privdata;
    if (weir_outermost(task) == NULL) {
        reply->is_irregular = 1;
        if (reply->text_count > 0) return reply;
    }
    if (count > (size_t)reply->text_capacity) count = (size_t)reply->text_capacity;
    memcpy(reply->text, bytes, count);
    reply->text_count = (int64_t)count;
    return reply;
}

#if HIREDIS_MAJOR >= 1
static void *weir_create_array(const redisReadTask *task, size_t count) {
#else
static void *weir_create_array(const redisReadTask *task, int count) {
#endif
    (void)count;
    return weir_irregular(task);
}

static void *weir_create_integer(const redisReadTask *task, long long value) {
    weir_reply *reply = (weir_reply *)task->privdata;
    weir_outermost(task);
    if (reply->integer_count < reply->integer_capacity) {
        reply->integers[reply->integer_count++] = value;
    } else {
        reply->is_irregular = 1;
    }
    return reply;
}

static void *weir_create_nil(const redisReadTask *task) { return weir_irregular(task); }

#if HIREDIS_MAJOR >= 1
static void *weir_create_double(const redisReadTask *task, double value, char *bytes, size_t count) {
    (void)value;
    (void)bytes;
    (void)count;
    return weir_irregular(task);
}

static void *weir_create_bool(const redisReadTask *task, int value) {
    (void)value;
    return weir_irregular(task);
}
#endif

static void weir_free_object(void *object) { (void)object; }

static redisReplyObjectFunctions weir_reply_functions = {
    .createString = weir_create_string,
    .createArray = weir_create_array,
    .createInteger = weir_create_integer,
    .createNil = weir_create_nil,
#if HIREDIS_MAJOR >= 1
    .createDouble = weir_create_double,
    .createBool = weir_create_bool,
#endif
    .freeObject = weir_free_object,
};

/// A reader whose replies go into `reply`, which must outlive it. NULL: out of memory.
static inline redisReader *weir_reader_create(weir_reply *reply) {
    redisReader *reader = redisReaderCreateWithFunctions(&weir_reply_functions);
    if (reader != NULL) reader->privdata = reply;
    return reader;
}

/// 1: a whole reply is in the sink. 0: more bytes are needed. -1: the bytes break the protocol.
static inline int weir_reader_next(redisReader *reader) {
    void *object = NULL;
    if (redisReaderGetReply(reader, &object) != REDIS_OK) return -1;
    return object == NULL ? 0 : 1;
}

/// Bytes that were fed and are not part of a reply yet.
static inline size_t weir_reader_waiting(const redisReader *reader) { return reader->len - reader->pos; }

/// The bytes of one command, to be freed with `weir_command_free`. Returns their number, or -1: out of memory.
static inline int64_t weir_command_format(char **bytes, int count, const char **arguments, const size_t *lengths) {
    sds command = NULL;
    long long length = (long long)redisFormatSdsCommandArgv(&command, count, arguments, lengths);
    *bytes = command;
    return (int64_t)length;
}

static inline void weir_command_free(char *bytes) { redisFreeSdsCommand(bytes); }
