/* BSD-3-Clause; see LICENSE. */
/*
 * mdnsflood COUNT [wild]: announce so many mount tables by mDNS on the loopback
 * interface; if wild, with packets between them that are cut off, that point in
 * circles, that rename and that are noise.
 */
#define _DEFAULT_SOURCE /* struct ip_mreqn */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include <v23/bytes.h>

enum { PORT = 5353, PTR = 12, TXT = 16, CNAME = 5, TTL = 120, PAUSE_EVERY = 16 };

static void put16(struct v23_buf *b, unsigned v)
{
    v23_buf_put_byte(b, (uint8_t)(v >> 8));
    v23_buf_put_byte(b, (uint8_t)v);
}

static void put_label(struct v23_buf *b, const char *label)
{
    v23_buf_put_byte(b, (uint8_t)strlen(label));
    v23_buf_puts(b, label);
}

/* `label` may be NULL. */
static void put_name(struct v23_buf *b, const char *label)
{
    if (label != NULL)
        put_label(b, label);
    put_label(b, "_vanadium");
    put_label(b, "_tcp");
    put_label(b, "local");
    v23_buf_put_byte(b, 0);
}

static void put_record(struct v23_buf *b, const char *owner, unsigned type,
    const void *data, size_t n)
{
    put_name(b, owner);
    put16(b, type);
    put16(b, type == TXT ? 0x8001 : 1);
    put16(b, 0);
    put16(b, TTL);
    put16(b, (unsigned)n);
    v23_buf_put(b, data, n);
}

static void packet(struct v23_buf *b, unsigned i, unsigned type,
    const char *target)
{
    char host[32], txt[64];
    uint8_t mem[300];
    struct v23_buf data;
    int n;

    snprintf(host, sizeof(host), "flood%u", i);
    v23_buf_cut(b, 0);
    put16(b, 0);
    put16(b, 0x8400);
    put16(b, 0);
    put16(b, 2);
    put16(b, 0);
    put16(b, 0);
    v23_buf_init_fixed(&data, mem, sizeof(mem));
    put_name(&data, host);
    put_record(b, NULL, PTR, data.p, data.n);
    if (type == TXT) {
        n = snprintf(txt, sizeof(txt), ".address:/127.0.0.1:%u",
            1 + i % 65535);
        txt[0] = (char)(n - 1);
        put_record(b, host, TXT, txt, (size_t)n);
    } else {
        v23_buf_cut(&data, 0);
        put_name(&data, target == NULL ? host : target);
        put_record(b, host, type, data.p, data.n);
    }
}

static int open_socket(struct sockaddr_in *to)
{
    struct sockaddr_in here;
    struct ip_mreqn out;
    unsigned char life = 255;
    int one = 1, fd = socket(AF_INET, SOCK_DGRAM, 0);

    memset(&here, 0, sizeof(here));
    here.sin_family = AF_INET;
    here.sin_port = htons(PORT);
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memset(&out, 0, sizeof(out));
    out.imr_ifindex = (int)if_nametoindex("lo");
    *to = here;
    to->sin_addr.s_addr = inet_addr("224.0.0.251");
    if (fd < 0
        || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0
        || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) != 0
        || setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof(out)) != 0
        || setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &life, sizeof(life))
            != 0
        || bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0) {
        perror("mdnsflood");
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    unsigned count = argc == 2 || argc == 3 ? (unsigned)strtoul(argv[1], NULL, 10) : 0, i,
             k;
    const struct timespec pause = { 0, 2000000 };
    struct sockaddr_in to;
    uint8_t mem[1024];
    struct v23_buf b;
    bool wild = argc == 3 && strcmp(argv[2], "wild") == 0;
    int fd;

    if (count == 0) {
        fprintf(stderr, "usage: mdnsflood COUNT [wild]\n");
        return 2;
    }
    fd = open_socket(&to);
    srand(1);
    v23_buf_init_fixed(&b, mem, sizeof(mem));
    for (i = 0; i < count; i++) {
        packet(&b, i, wild && i % 8 == 5 ? CNAME : TXT,
            i % 16 == 5 ? NULL : "flood0");
        if (wild && i % 8 == 6)
            b.n = (size_t)rand() % b.n; /* cut off */
        for (k = 0; wild && i % 8 == 7 && k < 8; k++)
            b.p[(size_t)rand() % b.n] = (uint8_t)rand();
        (void)sendto(fd, b.p, b.n, 0, (struct sockaddr *)&to, sizeof(to));
        if (i % PAUSE_EVERY == 0)
            nanosleep(&pause, NULL); /* more would only be lost */
    }
    return 0;
}
