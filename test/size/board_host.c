/* BSD-3-Clause; see LICENSE. */
/* Runs the program on a stack of its own and prints how much it used. */
#include "board.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#define PAINT 0xA5

static uint8_t stack[1 << 18];
static ucontext_t back;
static int result;

static void run(void)
{
    result = program();
}

/* Bytes from the deepest that changed to the top. */
static size_t used(void)
{
    size_t n = 0;

    while (n < sizeof(stack) && stack[n] == PAINT)
        n++;
    return sizeof(stack) - n;
}

void board_print(struct vdl_str text)
{
    fwrite(text.p, 1, text.n, stdout);
    putchar('\n');
}

int main(void)
{
    static ucontext_t there;

    memset(stack, PAINT, sizeof(stack));
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof(stack);
    there.uc_link = &back;
    makecontext(&there, run, 0);
    swapcontext(&back, &there);
    printf("%zu\n", used());
    return result == 0 ? 0 : 1;
}
