// The least that a level-triggered epoll(7) echo server can do, as a floor for the others. It takes a port.
//
// One thread, one buffer. A connection that does not take its echo is not read from until it does.
//
// With a size after the port it pushes: the first byte on a connection is sent back, and for each byte that comes later a
// message of that size is sent to all. A peer that can't take it at once does not get it.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 1024
#define MOST_FDS 65536

static char buffer[64 << 10];

// What a descriptor has still to send: rest[fd] is NULL for most, and for all if nobody stalls.
static struct rest {
	size_t size, sent;
	char bytes[];
} *rest[MOST_FDS];

static char *message; // to push; NULL: echo
static size_t size;
static char joined[MOST_FDS];
static int highest; // of those that have joined

static int epoll;

static void want(int op, int fd, unsigned events) {
	struct epoll_event e = {.events = events, .data.fd = fd};
	epoll_ctl(epoll, op, fd, &e);
}

static void finish(int fd) {
	free(rest[fd]);
	rest[fd] = NULL;
	joined[fd] = 0;
	close(fd);
}

static void accept_all(int listener) {
	int fd, on = 1;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		if (fd >= MOST_FDS) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		want(EPOLL_CTL_ADD, fd, EPOLLIN);
	}
}

static void echo(int fd) {
	ssize_t n = recv(fd, buffer, sizeof buffer, 0);
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			finish(fd);
		return;
	}
	ssize_t sent = send(fd, buffer, n, MSG_NOSIGNAL);
	if (sent == n)
		return;
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		finish(fd);
		return;
	}
	if (sent < 0)
		sent = 0;
	rest[fd] = malloc(sizeof *rest[fd] + n - sent);
	rest[fd]->size = n - sent;
	rest[fd]->sent = 0;
	memcpy(rest[fd]->bytes, buffer + sent, n - sent);
	want(EPOLL_CTL_MOD, fd, EPOLLOUT);
}

static void go_on(int fd) {
	struct rest *r = rest[fd];
	ssize_t sent = send(fd, r->bytes + r->sent, r->size - r->sent, MSG_NOSIGNAL);
	if (sent < 0) {
		if (errno != EAGAIN && errno != EINTR)
			finish(fd);
		return;
	}
	r->sent += sent;
	if (r->sent < r->size)
		return;
	free(r);
	rest[fd] = NULL;
	want(EPOLL_CTL_MOD, fd, EPOLLIN);
}

static void push(int fd) {
	char asked[64];
	ssize_t n = recv(fd, asked, sizeof asked, 0);
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			finish(fd);
		return;
	}
	if (!joined[fd]) {
		joined[fd] = 1;
		if (fd > highest)
			highest = fd;
		send(fd, asked, n, MSG_NOSIGNAL);
		return;
	}
	while (n-- > 0)
		for (int to = 0; to <= highest; to++)
			if (joined[to])
				send(to, message, size, MSG_NOSIGNAL);
}

int main(int argc, char **argv) {
	int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	if (argc > 2) {
		size = atoi(argv[2]);
		message = memset(malloc(size), 'p', size);
	}
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, SOMAXCONN)) {
		perror("listen");
		return 1;
	}
	epoll = epoll_create1(0);
	want(EPOLL_CTL_ADD, listener, EPOLLIN);
	for (;;) {
		static struct epoll_event events[BATCH];
		int n = epoll_wait(epoll, events, BATCH, -1);
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			if (fd == listener)
				accept_all(listener);
			else if (message)
				push(fd);
			else if (rest[fd])
				go_on(fd);
			else
				echo(fd);
		}
	}
}
