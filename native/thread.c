#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include "op-dbus.h"

/* The system calls below it need little; the C library takes thread-local storage from it, too. */
#define STACK_BYTES (256 * 1024)

struct start {
	const char *name;
	void (*body)(void *);
	void *argument;
};

static void *run(void *argument)
{
	struct start start = *(struct start *)argument;

	free(argument);
	prctl(PR_SET_NAME, start.name);
	start.body(start.argument);
	return NULL;
}

/*
 * Starts a thread that nobody waits for and that takes none of the process's signals, SIGPIPE of its own writes included. `name` has
 * up to 15 characters and is seen in /proc/PID/task/TID/comm.
 */
int opd_thread(const char *name, void (*body)(void *), void *argument)
{
	struct start *start = malloc(sizeof(*start));
	pthread_t thread;
	pthread_attr_t attributes;
	sigset_t all, before;
	int error;

	if (start == NULL)
		return -ENOMEM;
	*start = (struct start){ name, body, argument };
	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attributes, run, start);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (error != 0)
		free(start);
	return -error;
}
