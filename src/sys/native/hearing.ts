/** What is heard on a socket. */
export interface Listener {
  data(bytes: Uint8Array): void;
  /** The other end has closed it. */
  end(): void;
}

/** A socket that is being listened to. It keeps the process running until it ends or is closed. */
export interface Hearing extends Disposable {
  close(): void;
}

/** Listens on a connected stream socket, in the event loop. The descriptor is the hearing's from now on: it closes it. */
export async function hear(fd: number, listener: Listener): Promise<Hearing> {
  let open = true;
  const end = () => {
    if (open) listener.end();
    open = false;
  };
  const options: Bun.FdSocketOptions = {
    fd,
    socket: {
      data(_, bytes) {
        if (open) listener.data(bytes);
      },
      close: end,
      // No error handler: it would take what `data` throws, too, which is a bug and to be seen as one.
    },
  };
  // Bun's types describe these options and leave them out of connect's overloads.
  const socket = await Bun.connect(options as Bun.FdSocketOptions & Bun.UnixSocketOptions);
  const close = () => {
    open = false;
    socket.terminate();
  };
  return { close, [Symbol.dispose]: close };
}
