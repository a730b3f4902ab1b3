/* BSD-3-Clause; see LICENSE. */
/*
 * Bare ARM: the stack, a heap for the programs that want one, and the two
 * system calls by which a program under qemu-arm prints a number and stops.
 */
#include "board.h"

#include <stddef.h>
#include <stdint.h>

#define PAINT 0xA5A5A5A5
#define STACK 32768
#define HEAP 32768

enum { SYS_EXIT = 1, SYS_WRITE = 4 };

uint32_t board_stack[STACK / sizeof(uint32_t)];
static uint8_t heap[HEAP] __attribute__((aligned(8)));

void board_start(void);
void board_main(void);
void *_sbrk(ptrdiff_t n);

/* What malloc of newlib asks for memory. */
void *_sbrk(ptrdiff_t n)
{
    static ptrdiff_t used;
    void *p = heap + used;

    if (n > HEAP - used)
        return (void *)-1;
    used += n;
    return p;
}

static void call(int number, intptr_t a, const void *b, size_t n)
{
    register intptr_t r0 __asm__("r0") = a;
    register const void *r1 __asm__("r1") = b;
    register size_t r2 __asm__("r2") = n;
    register int r7 __asm__("r7") = number;

    __asm__ volatile("svc 0" : "+r"(r0) : "r"(r1), "r"(r2), "r"(r7) : "memory");
}

void board_print(struct vdl_str text)
{
    call(SYS_WRITE, 1, text.p, text.n);
    call(SYS_WRITE, 1, "\n", 1);
}

static void print_number(size_t n)
{
    char text[12], *end = text + sizeof(text), *p = end;

    do {
        *--p = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    board_print(vdl_strn(p, (size_t)(end - p)));
}

void board_main(void)
{
    int rc = program() == 0 ? 0 : 1;
    size_t n = 0;

    while (n < STACK / sizeof(uint32_t) && board_stack[n] == PAINT)
        n++;
    print_number(STACK - n * sizeof(uint32_t));
    call(SYS_EXIT, rc, NULL, 0);
}

/* Paints the stack, then uses it. */
__attribute__((naked)) void board_start(void)
{
    __asm__("ldr r0, =board_stack\n"
            "ldr r1, =%c0\n"
            "add r1, r0\n"
            "ldr r2, =%c1\n"
            "1: stmia r0!, {r2}\n"
            "cmp r0, r1\n"
            "bne 1b\n"
            "mov sp, r1\n"
            "bl board_main\n"
            :
            : "i"(STACK), "i"(PAINT));
}
