// The init of `wherry run --init` for linux/arm64. Step by step the same as init-amd64.s.
//
// This is the source; init_code.py holds the assembled bytes. After a change: python scripts/assemble_probe.py
//
// Linux system calls: number in x8, arguments in x0 to x4, result in x0 (< 0: failed); all other registers are
// kept. Numbers: linux/include/uapi/asm-generic/unistd.h. The stack pointer stays a multiple of 16.

    .equ SYS_exit_group, 94
    .equ SYS_kill, 129
    .equ SYS_rt_sigprocmask, 135
    .equ SYS_rt_sigtimedwait, 137
    .equ SYS_clone, 220
    .equ SYS_execve, 221
    .equ SYS_wait4, 260

    .equ SIG_SETMASK, 2
    .equ SIGSET_SIZE, 8
    .equ SIGCHLD, 17
    .equ WNOHANG, 1
    .equ ENOENT, 2
    .equ NOT_FOUND, 127             // as shells say it
    .equ NOT_EXECUTABLE, 126

// At the start the stack holds argc, argv[0], argv[1] = PROGRAM, ..., 0, the environment.
    mov     x19, sp
    ldr     x21, [x19]              // argc
    mov     x0, NOT_FOUND
    cmp     x21, 2
    b.lo    exit

// Every signal waits until it is asked for: a blocked one is kept even for the first process (signal(7)).
    mov     x1, -1                  // all signals; no status yet, an empty set of signals for the program
    stp     x1, xzr, [sp, -16]!
    mov     x1, sp
    bl      set_mask

    mov     x0, SIGCHLD             // clone as fork does
    mov     x1, xzr
    mov     x2, xzr
    mov     x3, xzr
    mov     x4, xzr
    mov     x8, SYS_clone
    svc     0
    mov     x20, x0                 // the program
    mov     x0, NOT_EXECUTABLE
    tbnz    x20, 63, exit
    cbz     x20, program

wait:
    mov     x0, sp                  // any signal
    mov     x1, xzr                 // what else is known of it does not matter
    mov     x2, xzr                 // for ever
    mov     x3, SIGSET_SIZE
    mov     x8, SYS_rt_sigtimedwait
    svc     0
    cmp     x0, SIGCHLD
    b.eq    collect
    tbnz    x0, 63, wait
    mov     x1, x0
    mov     x0, x20
    mov     x8, SYS_kill
    svc     0
    b       wait

// One SIGCHLD may stand for many children.
collect:
    mov     x0, -1                  // any child
    add     x1, sp, 8
    mov     x2, WNOHANG
    mov     x3, xzr
    mov     x8, SYS_wait4
    svc     0
    cmp     x0, 0
    b.le    wait
    cmp     x0, x20
    b.ne    collect

// The program has ended; the kernel kills what else is here when its first process ends (pid_namespaces(7)).
    ldr     w1, [sp, 8]
    ands    w0, w1, 0x7f
    b.eq    status
    add     w0, w0, 128             // killed by a signal
    b       exit
status:
    ubfx    w0, w1, 8, 8
exit:
    mov     x8, SYS_exit_group
    svc     0

program:
    add     x1, sp, 8
    bl      set_mask
    add     x2, x19, x21, lsl 3
    add     x2, x2, 16
    add     x1, x19, 16
    ldr     x0, [x1]
    mov     x8, SYS_execve
    svc     0
    cmn     x0, ENOENT
    mov     x0, NOT_FOUND
    b.eq    exit
    mov     x0, NOT_EXECUTABLE
    b       exit

// Blocks the signals at x1.
set_mask:
    mov     x0, SIG_SETMASK
    mov     x2, xzr
    mov     x3, SIGSET_SIZE
    mov     x8, SYS_rt_sigprocmask
    svc     0
    ret
