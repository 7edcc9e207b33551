# The init of `wherry run --init` for linux/amd64: starts the program behind it, hands signals on, collects orphans,
# ends as the program does. What it does is told at `elf.init_elf`.
#
# This is the source; init_code.py holds the assembled bytes. After a change: python scripts/assemble_probe.py
#
# Linux system calls: number in rax, arguments in rdi rsi rdx r10, result in rax (< 0: failed);
# rax, rcx and r11 are lost, all other registers are kept. Numbers: linux/arch/x86/entry/syscalls/syscall_64.tbl

    .intel_syntax noprefix

    .equ SYS_rt_sigprocmask, 14
    .equ SYS_fork, 57
    .equ SYS_execve, 59
    .equ SYS_wait4, 61
    .equ SYS_kill, 62
    .equ SYS_rt_sigtimedwait, 128
    .equ SYS_exit_group, 231

    .equ SIG_SETMASK, 2
    .equ SIGSET_SIZE, 8
    .equ SIGCHLD, 17
    .equ WNOHANG, 1
    .equ ENOENT, 2
    .equ NOT_FOUND, 127             # as shells say it
    .equ NOT_EXECUTABLE, 126

# At the start the stack holds argc, argv[0], argv[1] = PROGRAM, ..., 0, the environment.
    mov     rbp, rsp
    mov     edi, NOT_FOUND
    cmp     dword ptr [rbp], 2
    jb      exit

# Every signal waits until it is asked for: a blocked one is kept even for the first process (signal(7)).
    push    0                       # no status yet; an empty set of signals for the program
    push    -1                      # all signals
    mov     rsi, rsp
    call    set_mask

    mov     eax, SYS_fork
    syscall
    mov     r12d, eax               # the program
    mov     edi, NOT_EXECUTABLE
    test    eax, eax
    js      exit
    jz      program

wait:
    mov     rdi, rsp                # any signal
    xor     esi, esi                # what else is known of it does not matter
    xor     edx, edx                # for ever
    mov     r10d, SIGSET_SIZE
    mov     eax, SYS_rt_sigtimedwait
    syscall
    cmp     eax, SIGCHLD
    je      collect
    test    eax, eax
    js      wait
    mov     edi, r12d
    mov     esi, eax
    mov     eax, SYS_kill
    syscall
    jmp     wait

# One SIGCHLD may stand for many children.
collect:
    mov     rdi, -1                 # any child
    lea     rsi, [rsp + 8]
    mov     edx, WNOHANG
    xor     r10d, r10d
    mov     eax, SYS_wait4
    syscall
    test    eax, eax
    jle     wait
    cmp     eax, r12d
    jne     collect

# The program has ended; the kernel kills what else is here when its first process ends (pid_namespaces(7)).
    mov     edi, [rsp + 8]
    mov     eax, edi
    and     eax, 0x7f
    jz      status
    lea     edi, [rax + 128]        # killed by a signal
    jmp     exit
status:
    shr     edi, 8
    and     edi, 0xff
exit:
    mov     eax, SYS_exit_group
    syscall

program:
    lea     rsi, [rsp + 8]
    call    set_mask
    mov     eax, [rbp]              # argc
    lea     rdx, [rbp + rax * 8 + 16]
    lea     rsi, [rbp + 16]
    mov     rdi, [rsi]
    mov     eax, SYS_execve
    syscall
    mov     edi, NOT_EXECUTABLE
    cmp     eax, -ENOENT
    jne     exit
    inc     edi
    jmp     exit

# Blocks the signals at rsi.
set_mask:
    mov     edi, SIG_SETMASK
    xor     edx, edx
    mov     r10d, SIGSET_SIZE
    mov     eax, SYS_rt_sigprocmask
    syscall
    ret
