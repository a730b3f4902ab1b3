/* BSD-3-Clause; see LICENSE. */
/*
 * pty PROMPT TEXT COMMAND…: run a command whose standard input and error are a
 * terminal of its own; when it has printed the prompt, type the text, in which
 * \n and \003 (interrupt) may stand. Checks that the terminal does not echo at
 * that moment and does so afterwards. Prints what appeared on the terminal.
 * Exit code: the command's, 128 + N if signal N ended it, 99 if a check failed.
 */
#define _XOPEN_SOURCE 700

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static char seen[65536]; /* what the terminal shows */
static size_t nseen;

static void die(const char *what)
{
    fprintf(stderr, "pty: %s; seen: %s\n", what, seen);
    exit(99);
}

/* Read what is there, waiting for it at most 30 seconds; false at the end. */
static bool more(int master)
{
    struct pollfd p = { master, POLLIN, 0 };
    ssize_t n;

    if (poll(&p, 1, 30000) != 1)
        die("the command says nothing");
    n = read(master, seen + nseen, sizeof(seen) - nseen - 1);
    if (n <= 0)
        return false;
    nseen += (size_t)n;
    seen[nseen] = 0;
    return true;
}

static bool echoes(int fd)
{
    struct termios t;

    if (tcgetattr(fd, &t) != 0)
        die("no terminal");
    return (t.c_lflag & ECHO) != 0;
}

static void child(int slave, char **argv)
{
    setsid();
    if (ioctl(slave, TIOCSCTTY, 0) != 0 || dup2(slave, 0) < 0
        || dup2(slave, 2) < 0)
        _exit(98);
    close(slave);
    execvp(argv[0], argv);
    _exit(97);
}

static void type(int master, const char *text)
{
    char out[4096];
    size_t n = 0;

    for (; *text != 0 && n < sizeof(out); text++) {
        if (strncmp(text, "\\n", 2) == 0) {
            out[n++] = '\n';
            text++;
        } else if (strncmp(text, "\\003", 4) == 0) {
            out[n++] = 3;
            text += 3;
        } else {
            out[n++] = *text;
        }
    }
    if (write(master, out, n) != (ssize_t)n)
        die("cannot type");
}

static void show(void)
{
    size_t i;

    for (i = 0; i < nseen; i++)
        if (seen[i] != '\r')
            putchar(seen[i]);
}

int main(int argc, char **argv)
{
    int master, slave, status;
    pid_t pid;

    alarm(60);
    if (argc < 4)
        die("usage: pty PROMPT TEXT COMMAND...");
    master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        die("no pseudo-terminal");
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (slave < 0)
        die("cannot open the terminal");
    pid = fork();
    if (pid == 0)
        child(slave, argv + 3);
    while (strstr(seen, argv[1]) == NULL)
        if (!more(master))
            die("no prompt");
    if (echoes(slave))
        die("echo at the prompt");
    type(master, argv[2]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        die("cannot wait");
    if (!echoes(slave))
        die("no echo afterwards");
    close(slave);
    while (more(master))
        ;
    show();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
