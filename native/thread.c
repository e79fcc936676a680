#include <pthread.h>
#include <signal.h>
#include "op-dbus.h"

/* The system calls below it need little; the C library takes thread-local storage from it, too. */
#define STACK_BYTES (256 * 1024)

/* Starts a thread that nobody waits for and that takes none of the process's signals, SIGPIPE of its own writes included. */
int opd_thread(void *(*body)(void *), void *argument)
{
	pthread_t thread;
	pthread_attr_t attributes;
	sigset_t all, before;
	int error = pthread_attr_init(&attributes);

	if (error != 0)
		return -error;
	sigfillset(&all);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attributes, body, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -error;
}
