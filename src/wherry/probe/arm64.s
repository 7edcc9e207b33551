// The health probe for linux/arm64: what it does is told in __init__.py. Step by step the same as amd64.s.
//
// This is the source; code.py holds the assembled bytes. After a change: python scripts/assemble_probe.py
// Position independent, no data but a few constant strings, everything else on the stack.
//
// Linux system calls: number in x8, arguments in x0 to x3, result in x0 (< 0: failed); all other registers are
// kept. Numbers: linux/include/uapi/asm-generic/unistd.h. The stack pointer stays a multiple of 16.

    .equ SYS_read, 63
    .equ SYS_exit_group, 94
    .equ SYS_setitimer, 103
    .equ SYS_rt_sigaction, 134
    .equ SYS_rt_sigprocmask, 135
    .equ SYS_socket, 198
    .equ SYS_connect, 203
    .equ SYS_sendmsg, 211

    .equ AF_INET, 2
    .equ AF_INET6, 10
    .equ SOCK_STREAM, 1
    .equ MSG_NOSIGNAL, 0x4000       // a server that hangs up must not kill us with SIGPIPE
    .equ SIGALRM, 14
    .equ SIG_SETMASK, 2
    .equ SIGSET_SIZE, 8
    .equ ITIMER_REAL, 0
    .equ DEFAULT_SECONDS, 2

// The constant strings, first because their sizes are used below; subsection 1 puts them behind the code.
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

// At the start the stack holds argc, argv[0], argv[1] = PORT, argv[2] = PATH, argv[3] = TIMEOUT_SECONDS or 0.
    mov     x19, sp
    ldr     x0, [x19]
    sub     x0, x0, 3               // 3 or 4 arguments, as one unsigned comparison
    cmp     x0, 1
    b.hi    unhealthy

    mov     x0, DEFAULT_SECONDS
    ldr     x1, [x19, 32]
    cbz     x1, deadline
    bl      number

// One timer is the deadline of all that follows: when it fires, the signal's handler is `unhealthy`, which never
// returns. Without a handler the exit status would be 142, and Docker knows only 0 and 1.
deadline:
    mov     x20, x0                 // seconds
    stp     xzr, xzr, [sp, -16]!    // struct sigaction: restorer, mask
    adr     x0, unhealthy
    stp     x0, xzr, [sp, -16]!     //   handler, flags
    mov     x0, SIGALRM
    mov     x1, sp
    mov     x2, xzr
    mov     x3, SIGSET_SIZE
    mov     x8, SYS_rt_sigaction
    svc     0

    mov     x0, SIG_SETMASK         // a parent may have left SIGALRM blocked
    add     x1, sp, 24              // the empty mask above
    mov     x8, SYS_rt_sigprocmask
    svc     0                       // x2 and x3 as before

    stp     x20, xzr, [sp, -16]!    // struct itimerval: value, seconds and microseconds
    stp     xzr, xzr, [sp, -16]!    //   interval: once
    mov     x0, ITIMER_REAL
    mov     x1, sp
    mov     x8, SYS_setitimer
    svc     0

// Both addresses on the stack, 127.0.0.1 at sp and [::1] above it.
    ldr     x1, [x19, 16]
    bl      number
    rev16   w0, w0                  // the port in network order
    lsl     x0, x0, 16
    mov     x1, 0x0100000000000000
    stp     x1, xzr, [sp, -16]!     // struct sockaddr_in6: second half of ::1, scope
    add     x1, x0, AF_INET6
    stp     x1, xzr, [sp, -16]!     //   family, port, flow 0; first half of ::1
    movz    x1, 0x007f, lsl 32      // 127.0.0.1
    movk    x1, 0x0100, lsl 48
    add     x1, x1, x0
    add     x1, x1, AF_INET
    stp     x1, xzr, [sp, -16]!     // struct sockaddr_in: family, port, address; padding

    mov     x21, sp
    bl      dial
    cbz     x0, request
    add     x21, sp, 16
    bl      dial
    cbnz    x0, unhealthy

// The request goes out as three pieces where they lie, so that no path is too long for a buffer.
request:
    ldr     x1, [x19, 24]           // PATH
    ldrb    w0, [x1]
    cmp     w0, '/'
    b.ne    unhealthy
    mov     x2, xzr                 // its length
path_byte:
    add     x2, x2, 1
    ldrb    w0, [x1, x2]
    cmp     w0, ' '                 // a space or control character would make another request of it
    b.hi    path_byte
    cbnz    w0, unhealthy

    adr     x3, after_path
    mov     x4, after_path_size
    stp     x3, x4, [sp, -16]!      // struct iovec[3], the last first
    stp     x1, x2, [sp, -16]!
    adr     x3, before_path
    mov     x4, before_path_size
    stp     x3, x4, [sp, -16]!
    mov     x3, sp
    mov     x4, 3
    stp     xzr, xzr, [sp, -16]!    // struct msghdr: flags, padding of the stack
    stp     xzr, xzr, [sp, -16]!    //   control, control length
    stp     x3, x4, [sp, -16]!      //   iovecs, number of iovecs
    stp     xzr, xzr, [sp, -16]!    //   name, name length
    mov     x0, x20
    mov     x1, sp
    mov     x2, MSG_NOSIGNAL
    mov     x8, SYS_sendmsg
    svc     0
    tbnz    x0, 63, unhealthy

// The first 13 bytes are all we need, "HTTP/1.1 200 ", in as many pieces as the server likes.
    sub     sp, sp, 16
    mov     x19, xzr                // bytes read
piece:
    mov     x0, x20
    add     x1, sp, x19
    mov     x2, 13
    sub     x2, x2, x19
    mov     x8, SYS_read
    svc     0
    cmp     x0, 0
    b.le    unhealthy               // failed, or hung up too early
    add     x19, x19, x0
    cmp     x19, 13
    b.lo    piece

    ldr     x0, [sp]
    and     x0, x0, ~(1 << 56)      // clears the lowest bit of byte 7: "1" becomes "0"
    ldr     x1, version
    cmp     x0, x1
    b.ne    unhealthy
    ldrb    w0, [sp, 8]
    cmp     w0, ' '
    b.ne    unhealthy
    ldrb    w0, [sp, 12]
    cmp     w0, ' '
    b.eq    status
    cmp     w0, '\r                 // no reason phrase and not even its space: some servers do so
    b.ne    unhealthy
status:
    strb    wzr, [sp, 12]
    add     x1, sp, 9
    bl      number
    sub     x0, x0, 200             // 200 to 399, as one unsigned comparison
    cmp     x0, 199
    b.hi    unhealthy
    mov     x0, 0
    b       exit

unhealthy:
    mov     x0, 1
exit:
    mov     x8, SYS_exit_group
    svc     0

// x1: decimal text ended by a zero byte. Returns x0: 1 to 65535; any other text ends the probe as unhealthy.
number:
    mov     x0, xzr
    mov     x2, 10
    mov     x3, 65535
digit:
    ldrb    w4, [x1], 1
    cbz     w4, last
    sub     w4, w4, '0'
    cmp     w4, 9
    b.hi    unhealthy
    madd    x0, x0, x2, x4
    cmp     x0, x3
    b.hi    unhealthy
    b       digit
last:
    cbz     x0, unhealthy
    ret

// x21: address. Returns x20: socket, and x0: 0 when it is connected.
dial:
    ldrh    w0, [x21]               // family
    mov     x1, SOCK_STREAM
    mov     x2, xzr
    mov     x8, SYS_socket
    svc     0
    mov     x20, x0                 // no socket (no IPv6 here): connect refuses the negative descriptor
    mov     x1, x21
    mov     x2, 28                  // of struct sockaddr_in6; longer than its own is fine for sockaddr_in
    mov     x8, SYS_connect
    svc     0
    ret
