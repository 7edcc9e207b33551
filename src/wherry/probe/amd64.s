# The health probe for linux/amd64: what it does is told in __init__.py.
#
# This is the source; code.py holds the assembled bytes. After a change: python scripts/assemble_probe.py
# Position independent, no data but a few constant strings, everything else on the stack.
#
# Linux system calls: number in rax, arguments in rdi rsi rdx r10, result in rax (< 0: failed);
# rax, rcx and r11 are lost, all other registers are kept. Numbers: linux/arch/x86/entry/syscalls/syscall_64.tbl

    .intel_syntax noprefix

    .equ SYS_read, 0
    .equ SYS_rt_sigaction, 13
    .equ SYS_rt_sigprocmask, 14
    .equ SYS_setitimer, 38
    .equ SYS_socket, 41
    .equ SYS_connect, 42
    .equ SYS_sendmsg, 46
    .equ SYS_exit_group, 231

    .equ AF_INET, 2
    .equ AF_INET6, 10
    .equ SOCK_STREAM, 1
    .equ MSG_NOSIGNAL, 0x4000       # a server that hangs up must not kill us with SIGPIPE
    .equ SIGALRM, 14
    .equ SIG_SETMASK, 2
    .equ SIGSET_SIZE, 8
    .equ SA_RESTORER, 0x04000000    # amd64 delivers no signal without one
    .equ ITIMER_REAL, 0
    .equ DEFAULT_SECONDS, 2

# The constant strings, first because their sizes are used below; subsection 1 puts them behind the code.
    .text   1
version:
    .ascii  "HTTP/1.0"
before_path:
    .ascii  "GET "
    .equ    before_path_size, . - before_path
after_path:
    .ascii  " HTTP/1.0\r\nHost: localhost\r\nUser-Agent: wherry-probe\r\nConnection: close\r\n\r\n"
    .equ    after_path_size, . - after_path

    .text   0

# At the start the stack holds argc, argv[0], argv[1] = PORT, argv[2] = PATH, argv[3] = TIMEOUT_SECONDS or 0.
    mov     rbp, rsp
    mov     eax, [rbp]
    sub     eax, 3                  # 3 or 4 arguments, as one unsigned comparison
    cmp     eax, 1
    ja      unhealthy

    mov     eax, DEFAULT_SECONDS
    mov     rsi, [rbp + 32]
    test    rsi, rsi
    jz      deadline
    call    number

# One timer is the deadline of all that follows: when it fires, the signal's handler is `unhealthy`, which never
# returns. Without a handler the exit status would be 142, and Docker knows only 0 and 1.
deadline:
    mov     ebx, eax                # seconds
    push    0                       # struct sigaction: mask
    lea     rax, [rip + unhealthy]
    push    rax                     #   restorer, never reached
    push    SA_RESTORER             #   flags
    push    rax                     #   handler
    mov     edi, SIGALRM
    mov     rsi, rsp
    xor     edx, edx
    mov     r10d, SIGSET_SIZE
    mov     eax, SYS_rt_sigaction
    syscall

    mov     edi, SIG_SETMASK        # a parent may have left SIGALRM blocked
    lea     rsi, [rsp + 24]         # the empty mask above
    mov     eax, SYS_rt_sigprocmask
    syscall                         # rdx and r10 as before

    push    0                       # struct itimerval: value, microseconds
    push    rbx                     #   value, seconds
    push    0                       #   interval: once
    push    0
    mov     edi, ITIMER_REAL
    mov     rsi, rsp
    mov     eax, SYS_setitimer
    syscall

# Both addresses on the stack, 127.0.0.1 at rsp and [::1] above it.
    mov     rsi, [rbp + 16]
    call    number
    xchg    al, ah                  # the port in network order
    shl     eax, 16
    mov     rdx, 0x0100000000000000
    push    0                       # struct sockaddr_in6: scope
    push    rdx                     #   ::1, its second half
    push    0                       #   ::1, its first half
    lea     edx, [rax + AF_INET6]
    push    rdx                     #   family, port, flow 0
    mov     rdx, 0x0100007f00000000 # 127.0.0.1
    lea     rdx, [rdx + rax + AF_INET]
    push    0                       # struct sockaddr_in: padding
    push    rdx                     #   family, port, address

    mov     r8, rsp
    call    dial
    jz      request
    lea     r8, [rsp + 16]
    call    dial
    jnz     unhealthy

# The request goes out as three pieces where they lie, so that no path is too long for a buffer.
request:
    mov     rsi, [rbp + 24]         # PATH
    cmp     byte ptr [rsi], '/'
    jne     unhealthy
    xor     edx, edx                # its length
path_byte:
    inc     edx
    mov     al, [rsi + rdx]
    cmp     al, ' '                 # a space or control character would make another request of it
    ja      path_byte
    test    al, al
    jnz     unhealthy

    lea     rax, [rip + after_path]
    push    after_path_size         # struct iovec[3], the last first
    push    rax
    push    rdx
    push    rsi
    lea     rax, [rip + before_path]
    push    before_path_size
    push    rax
    mov     rax, rsp
    push    0                       # struct msghdr: flags
    push    0                       #   control length
    push    0                       #   control
    push    3                       #   number of iovecs
    push    rax                     #   iovecs
    push    0                       #   name length
    push    0                       #   name
    mov     edi, ebx
    mov     rsi, rsp
    mov     edx, MSG_NOSIGNAL
    mov     eax, SYS_sendmsg
    syscall
    test    rax, rax
    js      unhealthy

# The first 13 bytes are all we need, "HTTP/1.1 200 ", in as many pieces as the server likes.
    sub     rsp, 16
    xor     ebp, ebp                # bytes read
piece:
    mov     edi, ebx
    lea     rsi, [rsp + rbp]
    mov     edx, 13
    sub     edx, ebp
    mov     eax, SYS_read
    syscall
    test    eax, eax
    jle     unhealthy               # failed, or hung up too early
    add     ebp, eax
    cmp     ebp, 13
    jb      piece

    mov     rax, [rsp]
    btr     rax, 56                 # clears the lowest bit of byte 7: "1" becomes "0"
    cmp     rax, [rip + version]
    jne     unhealthy
    cmp     byte ptr [rsp + 8], ' '
    jne     unhealthy
    mov     al, [rsp + 12]
    cmp     al, ' '
    je      status
    cmp     al, '\r                 # no reason phrase and not even its space: some servers do so
    jne     unhealthy
status:
    mov     byte ptr [rsp + 12], 0
    lea     rsi, [rsp + 9]
    call    number
    sub     eax, 200                # 200 to 399, as one unsigned comparison
    cmp     eax, 199
    ja      unhealthy
    xor     edi, edi
    jmp     exit

unhealthy:
    mov     edi, 1
exit:
    mov     eax, SYS_exit_group
    syscall

# rsi: decimal text ended by a zero byte. Returns eax: 1 to 65535; any other text ends the probe as unhealthy.
number:
    xor     eax, eax
digit:
    movzx   ecx, byte ptr [rsi]
    test    ecx, ecx
    jz      last
    sub     ecx, '0'
    cmp     ecx, 9
    ja      unhealthy
    imul    eax, eax, 10
    add     eax, ecx
    cmp     eax, 65535
    ja      unhealthy
    inc     rsi
    jmp     digit
last:
    test    eax, eax
    jz      unhealthy
    ret

# r8: address. Returns ebx: socket, and the zero flag set when it is connected.
dial:
    movzx   edi, word ptr [r8]      # family
    mov     esi, SOCK_STREAM
    xor     edx, edx
    mov     eax, SYS_socket
    syscall
    mov     ebx, eax
    mov     edi, eax                # no socket (no IPv6 here): connect refuses the negative descriptor
    mov     rsi, r8
    mov     edx, 28                 # of struct sockaddr_in6; longer than its own is fine for sockaddr_in
    mov     eax, SYS_connect
    syscall
    test    eax, eax
    ret
