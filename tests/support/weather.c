/* What a disk and a clock can do to a program, for the tests of chaos: loaded before the C library (LD_PRELOAD), it
   reads the weather from the file $VITALSD_WEATHER at each call.
     full         writes to *.db files fail with ENOSPC
     stall MS     each sync of a *.db file takes MS milliseconds more
     clock S      the wall clock is S seconds ahead (or behind)
   Anything else, or no file: fair. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long weather(const char *kind) {
    const char *file = getenv("VITALSD_WEATHER");
    char text[64] = "";
    int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return 0;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got <= 0 || strncmp(text, kind, strlen(kind)) != 0) return 0;
    long value = strtol(text + strlen(kind), NULL, 10);
    return value ? value : 1;
}

static int is_journal(int fd) {
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t got = readlink(link, path, sizeof path - 1);
    if (got <= 0) return 0;
    path[got] = 0;
    return strstr(path, ".db") != NULL;
}

static int no_room(int fd) {
    if (!is_journal(fd) || !weather("full")) return 0;
    errno = ENOSPC;
    return 1;
}

static void stall(int fd) {
    long ms = is_journal(fd) ? weather("stall") : 0;
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    if (ms) nanosleep(&pause, NULL);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite(int fd, const void *from, size_t count, off_t at) {
    return no_room(fd) ? -1 : REAL(pwrite)(fd, from, count, at);
}

ssize_t pwrite64(int fd, const void *from, size_t count, off64_t at) {
    return no_room(fd) ? -1 : REAL(pwrite64)(fd, from, count, at);
}

ssize_t write(int fd, const void *from, size_t count) {
    return no_room(fd) ? -1 : REAL(write)(fd, from, count);
}

int fsync(int fd) {
    stall(fd);
    return REAL(fsync)(fd);
}

int fdatasync(int fd) {
    stall(fd);
    return REAL(fdatasync)(fd);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int done = REAL(clock_gettime)(clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += weather("clock");
    return done;
}
