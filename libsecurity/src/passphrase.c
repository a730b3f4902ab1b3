/* BSD-3-Clause; see LICENSE. */
/*
 * Passphrases typed at a terminal or piped in. While the terminal does not
 * echo, the signals that would end or stop the process are held back and looked
 * for, so that the terminal is as before when they arrive.
 */
#include <vsec/credentials.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

enum { LINE_MAX_ = 4096, LOOK_MS = 50 };

static const int held[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };

static void held_set(sigset_t *set)
{
    size_t i;

    sigemptyset(set);
    for (i = 0; i < sizeof(held) / sizeof(held[0]); i++)
        sigaddset(set, held[i]);
}

static bool is_pending(int sig)
{
    sigset_t now;

    return sigpending(&now) == 0 && sigismember(&now, sig) == 1;
}

static bool any_pending(void)
{
    size_t i;

    for (i = 0; i < sizeof(held) / sizeof(held[0]); i++)
        if (is_pending(held[i]))
            return true;
    return false;
}

/* V23_EAGAIN: a signal waits to be delivered. */
static int wait_input(void)
{
    struct pollfd p = { STDIN_FILENO, POLLIN, 0 };
    int n;

    for (;;) {
        n = poll(&p, 1, LOOK_MS);
        if (any_pending())
            return V23_EAGAIN;
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return V23_ESYS;
    }
}

/* Octet by octet: what follows the line is for others. */
static int read_line(bool tty, struct v23_buf *out)
{
    const size_t most = out->n + LINE_MAX_;
    uint8_t c = 0;
    ssize_t n;
    int rc = 0;

    while (rc == 0) {
        if (tty)
            rc = wait_input();
        if (rc != 0)
            break;
        n = read(STDIN_FILENO, &c, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = V23_ESYS;
        if (n <= 0 || c == '\n')
            break;
        if (out->n == most)
            rc = V23_ELIMIT;
        else
            v23_buf_put_byte(out, c);
    }
    v23_wipe(&c, sizeof(c));
    return rc;
}

static void forget(struct v23_buf *out, size_t n)
{
    v23_wipe(out->p + n, out->cap - n);
    v23_buf_cut(out, n);
}

/* One prompt; V23_EAGAIN: stopped and continued meanwhile. */
static int ask(const char *prompt, const struct termios *normal,
    struct v23_buf *out)
{
    struct termios quiet = *normal;
    sigset_t block, before;
    size_t n = out->n;
    bool stopped = false;
    int rc;

    held_set(&block);
    sigprocmask(SIG_BLOCK, &block, &before);
    quiet.c_lflag &= (tcflag_t) ~(ECHO | ECHOE | ECHOK | ECHONL);
    rc = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0 ? 0 : V23_ESYS;
    if (rc == 0) {
        fputs(prompt, stderr);
        fflush(stderr);
        rc = read_line(true, out);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, normal);
        fputc('\n', stderr);
    }
    if (rc != 0)
        forget(out, n);
    if (rc == V23_EAGAIN)
        stopped = is_pending(SIGTSTP);
    sigprocmask(SIG_SETMASK, &before, NULL); /* it may end the process here */
    return rc == V23_EAGAIN && !stopped ? V23_ECANCELED : rc;
}

int vsec_passphrase_read(const char *prompt, struct v23_buf *out)
{
    struct termios normal;
    size_t n = out->n;
    int rc = v23_buf_room(out, LINE_MAX_); /* so that it does not move */

    if (rc != 0)
        return rc;
    if (isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &normal) == 0) {
        do
            rc = ask(prompt, &normal, out);
        while (rc == V23_EAGAIN);
        return rc;
    }
    rc = read_line(false, out);
    if (rc != 0)
        forget(out, n);
    return rc;
}

int vsec_passphrase_ask(void *ud, const char *what, struct v23_buf *out)
{
    char prompt[512];

    (void)ud;
    snprintf(prompt, sizeof(prompt), "Passphrase required to decrypt %.400s. "
        "Enter passphrase: ", what);
    return vsec_passphrase_read(prompt, out);
}
